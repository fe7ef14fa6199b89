"""What OpenLineage events say about data: the facets of what a job reads and writes, and of what people corrected.

The assertions of checks hang on an input in the standard, so an asset's COMPLETE event names its own table there too
when it was checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset, StaticDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    data_quality_metrics_dataset,
    dataset_version_dataset,
    documentation_dataset,
    lifecycle_state_change_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    schema_dataset,
    storage_dataset,
    symlinks_dataset,
    tags_dataset,
)
from packyak.engine.declare.nodes import Column
from packyak.engine.lineage.asset_event import PRODUCER, AssetEvent, CheckOutcome, CorrectionEvent, Read
from packyak.engine.lineage.columns import ColumnEdges, Source
from packyak.engine.lineage.own_facets import CORRECTION, MODEL, correction_facet, model_facet
from packyak.engine.lineage.places import Places, logical_name

InputField = column_lineage_dataset.InputField
Transformation = column_lineage_dataset.Transformation
Facets = dict[str, Any]
TAG_SOURCE = "PACKYAK"


def input_data(places: Places, event: AssetEvent) -> list[InputDataset]:
    """What the event names as read, and the owners of the columns read, which a view may take from further up."""
    reads = {read.name: read for read in event.inputs}
    for owner in _owners(event.edges):
        reads.setdefault(owner, _as_read(owner))
    found: dict[tuple[str, str], InputDataset] = {}
    for read in reads.values():
        facets: Facets = {"version": _version(read.version)} if read.version else {}
        place = places.of(read)
        found.setdefault(place, InputDataset(*place, facets=facets, inputFacets=None))
    if event.checks and event.kind == "COMPLETE":
        checked: dict[str, InputDatasetFacet] = {"dataQualityAssertions": _assertions(event.checks)}
        facets = {"version": _version(event.version)} if event.version else {}
        place = places.table(event.asset)
        found[place] = InputDataset(*place, facets=facets, inputFacets=checked)
    return list(found.values())


def output_data(places: Places, event: AssetEvent) -> OutputDataset:
    """What the job writes. While it runs: only how much so far."""
    facets = _described(event.project, event.asset, event.doc, event.columns)
    if event.version:
        facets["version"] = _version(event.version)
    if event.owner:
        owner = ownership_dataset.Owner(name=event.owner, type="OWNER")
        facets["ownership"] = ownership_dataset.OwnershipDatasetFacet(owners=[owner], producer=PRODUCER)
    if event.tags:
        fields = [
            tags_dataset.TagsDatasetFacetFields(each.key, each.value, TAG_SOURCE, each.column or None)
            for each in event.tags
        ]
        facets["tags"] = tags_dataset.TagsDatasetFacet(tags=fields, producer=PRODUCER)
    if event.change:
        facets["lifecycleStateChange"] = _change(places, event)
    lineage = _column_lineage(places, event)
    if lineage is not None:
        facets["columnLineage"] = lineage
    if event.nulls and event.rows is not None:
        facets["dataQualityMetrics"] = _metrics(event.rows, event.nulls)
    if event.corrections:
        facets[CORRECTION] = correction_facet(event.corrections)
    if event.model is not None:
        facets[MODEL] = model_facet(event.model)
    written: dict[str, OutputDatasetFacet] = {}
    if event.rows is not None:
        statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet
        written["outputStatistics"] = statistics(rowCount=event.rows, producer=PRODUCER)
    return OutputDataset(*places.table(event.asset), facets=facets, outputFacets=written)


def corrected_data(places: Places, event: CorrectionEvent) -> StaticDataset:
    """An asset that people changed without a run."""
    facets = _described(event.project, event.asset, event.doc, event.columns)
    if event.version:
        facets["version"] = _version(event.version)
    facets[CORRECTION] = correction_facet(event.corrections)
    return StaticDataset(*places.table(event.asset), facets=facets)


def _described(project: str, asset: str, doc: str, columns: Iterable[Column]) -> Facets:
    """What does not change from run to run."""
    space, name = logical_name(project, asset)
    same = symlinks_dataset.Identifier(namespace=space, name=name, type="TABLE")
    facets: Facets = {
        "symlinks": symlinks_dataset.SymlinksDatasetFacet(identifiers=[same], producer=PRODUCER),
        "storage": storage_dataset.StorageDatasetFacet(storageLayer="lance", fileFormat="lance", producer=PRODUCER),
    }
    if doc:
        facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(doc, producer=PRODUCER)
    fields = [
        schema_dataset.SchemaDatasetFacetFields(
            name=column.name, type=column.type, description=column.doc or None, ordinal_position=at, fields=None
        )
        for at, column in enumerate(columns, start=1)
    ]
    if fields:
        facets["schema"] = schema_dataset.SchemaDatasetFacet(fields=fields, producer=PRODUCER)
    return facets


def _version(name: str) -> DatasetFacet:
    return dataset_version_dataset.DatasetVersionDatasetFacet(name, producer=PRODUCER)


def _change(places: Places, event: AssetEvent) -> DatasetFacet:
    change = lifecycle_state_change_dataset.LifecycleStateChange(event.change)
    before = None
    if event.was:
        space, name = places.table(event.was)
        before = lifecycle_state_change_dataset.PreviousIdentifier(name=name, namespace=space)
    return lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet(change, before, producer=PRODUCER)


def _metrics(rows: int, nulls: Mapping[str, int]) -> DatasetFacet:
    one = data_quality_metrics_dataset.ColumnMetrics
    columns = {name: one(nullCount=count, quantiles=None) for name, count in nulls.items()}
    return data_quality_metrics_dataset.DataQualityMetricsDatasetFacet(
        columnMetrics=columns, rowCount=rows, producer=PRODUCER
    )


def _assertions(checks: Iterable[CheckOutcome]) -> InputDatasetFacet:
    severities = {"warning": "warn"}
    assertions = [
        data_quality_assertions_dataset.Assertion(
            assertion=each.name,
            success=each.passed,
            severity=severities.get(each.severity, each.severity),
            name=each.name,
            description=each.message or None,
            expected="0" if each.failing is not None else None,
            actual=str(each.failing) if each.failing is not None else None,
        )
        for each in checks
    ]
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(assertions=assertions, producer=PRODUCER)


def _column_lineage(places: Places, event: AssetEvent) -> DatasetFacet | None:
    """Column by column. A whole input has no place here: the standard names columns only, and the inputs name it."""
    edges = event.edges
    if edges is None:
        return None
    fields = {
        name: column_lineage_dataset.Fields(inputFields=named)
        for name, sources in edges.columns.items()
        if (named := _input_fields(places, sources, event, (event.asset, name)))
    }
    influences = _input_fields(places, edges.influences, event, None)
    if not fields and not influences:
        return None
    return column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields, dataset=influences, producer=PRODUCER)


def _input_fields(
    places: Places, sources: Iterable[Source], event: AssetEvent, output: tuple[str, str] | None
) -> list[InputField]:
    grouped: dict[tuple[str, str], list[Transformation]] = {}
    for source in sources:
        if source.kind != "whole":
            masking = _masking(source, event.personal, output)
            used = Transformation(source.kind.upper(), subtype=source.how.upper() or None, masking=masking)
            grouped.setdefault((source.asset, source.column), []).append(used)
    return [
        InputField(*places.of(_as_read(asset)), field=column, transformations=used)
        for (asset, column), used in grouped.items()
    ]


def _masking(source: Source, personal: frozenset[tuple[str, str]], output: tuple[str, str] | None) -> bool | None:
    """Whether personal data is left out on the way: it goes in, and what comes out is not marked. Without a mark
    nothing is known, and nothing said."""
    if (source.asset, source.column) not in personal:
        return None
    return output not in personal and source.how != "identity"


def _as_read(name: str) -> Read:
    """Files are named `bucket/pattern`; no asset has a slash in its name."""
    return Read(name, kind="files" if "/" in name else "asset")


def _owners(edges: ColumnEdges | None) -> Iterable[str]:
    """The assets whose columns are read."""
    if edges is None:
        return ()
    sources = (*edges.influences, *(source for sources in edges.columns.values() for source in sources))
    return dict.fromkeys(source.asset for source in sources if source.kind != "whole")
