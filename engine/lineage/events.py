"""OpenLineage events of what a run does, built with the standard's own client and handed out as plain JSON values.

The only file that imports openlineage; import it late: that costs 0.5 s of CPU, which the warm worker pays once. Names
follow the standard's naming rules: a local table is `file` + its path, one on S3 is `s3://bucket` + its key; jobs live
in `packyak://<project>`.

Specification: https://openlineage.io/spec/2-0-2/OpenLineage.json, the facets that it names, and the naming rules at
https://openlineage.io/docs/spec/naming.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    DatasetFacet,
    JobFacet,
    OutputDatasetFacet,
    RunFacet,
    column_lineage_dataset,
    dataset_version_dataset,
    documentation_dataset,
    documentation_job,
    error_message_run,
    job_type_job,
    lifecycle_state_change_dataset,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
    schema_dataset,
    source_code_location_job,
    sql_job,
)
from openlineage.client.naming.dataset import S3, LocalFileSystem
from openlineage.client.serde import Serde
from packyak.engine.declare.nodes import Column
from packyak.engine.lineage.asset_event import PRODUCER, RUN_JOB, AssetEvent, Read, namespace, run_id
from packyak.engine.lineage.columns import ColumnEdges, Source

DISTRIBUTION = "packyak-studio"
InputField = column_lineage_dataset.InputField
Transformation = column_lineage_dataset.Transformation


def openlineage_events(home: str, events: Iterable[AssetEvent]) -> list[dict[str, Any]]:
    """The events in the standard's form, as JSON values, ready for the log or a transport.

    Args:
        home: the home's address, a folder or `s3://bucket/prefix`; what the events name lies there.
    """
    places = _Places(home)
    return [Serde.to_dict(_event(places, event)) for event in events]


class _Places:
    """The names of a home's tables and buckets by the standard's naming rules."""

    def __init__(self, home: str) -> None:
        self._home = home.rstrip("/")

    def of(self, read: Read) -> tuple[str, str]:
        """Namespace and name of something an asset reads. The files of a bucket are known by their bucket."""
        if read.kind == "asset":
            return self.table(read.name)
        return self._at(f"buckets/{read.name.split('/', 1)[0]}")

    def table(self, asset: str) -> tuple[str, str]:
        return self._at(f"tables/{asset}.lance")

    def _at(self, path: str) -> tuple[str, str]:
        if self._home.startswith("s3://"):
            bucket, _, prefix = self._home.removeprefix("s3://").partition("/")
            place: S3 | LocalFileSystem = S3(bucket, f"{prefix}/{path}".lstrip("/"))
        else:
            place = LocalFileSystem(f"{Path(self._home).absolute().as_posix()}/{path}")
        return place.get_namespace(), place.get_name()


def _event(places: _Places, event: AssetEvent) -> RunEvent:
    ended_well = event.kind == "COMPLETE"
    return RunEvent(
        eventType=RunState(event.kind),
        eventTime=event.at,
        producer=PRODUCER,
        run=_run(event),
        job=_job(event),
        inputs=_inputs(places, event),
        outputs=[_output(places, event)] if event.asset and ended_well else [],
    )


def _run(event: AssetEvent) -> Run:
    facets: dict[str, RunFacet] = {
        "processing_engine": processing_engine_run.ProcessingEngineRunFacet(
            version=_version(DISTRIBUTION),
            name="packyak",
            openlineageAdapterVersion=_version("openlineage-python"),
            producer=PRODUCER,
        )
    }
    if event.asset:
        facets["parent"] = parent_run.ParentRunFacet(
            run=parent_run.Run(runId=run_id(event.project, event.run), facets=None),
            job=parent_run.Job(namespace=namespace(event.project), name=RUN_JOB, facets=None),
            producer=PRODUCER,
        )
    if event.kind in ("FAIL", "ABORT") and event.error:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            message=event.error, programmingLanguage="python", stackTrace=event.trace or None, producer=PRODUCER
        )
    return Run(runId=run_id(event.project, event.run, event.asset), facets=facets)


def _job(event: AssetEvent) -> Job:
    facets: dict[str, JobFacet] = {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType="BATCH",
            integration="PACKYAK",
            jobType=event.task.upper() if event.asset else "DAG",
            producer=PRODUCER,
        )
    }
    if event.doc:
        facets["documentation"] = documentation_job.DocumentationJobFacet(description=event.doc, producer=PRODUCER)
    if event.origin is not None:
        facets["sourceCodeLocation"] = source_code_location_job.SourceCodeLocationJobFacet(
            type="file",
            url=f"{Path(event.origin.file).absolute().as_uri()}#L{event.origin.line}",
            path=event.origin.file,
            version=event.code or None,
            producer=PRODUCER,
        )
    if event.query:
        facets["sql"] = sql_job.SQLJobFacet(query=event.query, dialect="duckdb", producer=PRODUCER)
    return Job(namespace=namespace(event.project), name=event.asset or RUN_JOB, facets=facets)


def _inputs(places: _Places, event: AssetEvent) -> list[InputDataset]:
    """What the event names as read, and the owners of the columns read, which a view may take from further up."""
    reads = {read.name: read for read in event.inputs}
    for owner in _owners(event.edges):
        reads.setdefault(owner, _as_read(owner))
    found: dict[tuple[str, str], InputDataset] = {}
    for read in reads.values():
        facets: dict[str, DatasetFacet] = {}
        if read.version:
            facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(read.version, producer=PRODUCER)
        place = places.of(read)
        found.setdefault(place, InputDataset(*place, facets=facets, inputFacets=None))
    return list(found.values())


def _output(places: _Places, event: AssetEvent) -> OutputDataset:
    facets: dict[str, DatasetFacet] = {}
    if event.columns:
        facets["schema"] = _schema(event.columns)
    if event.doc:
        facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(event.doc, producer=PRODUCER)
    if event.version:
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(event.version, producer=PRODUCER)
    if event.first:
        change = lifecycle_state_change_dataset.LifecycleStateChange.CREATE
        facets["lifecycleStateChange"] = lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet(
            change, producer=PRODUCER
        )
    lineage = _column_lineage(places, event.edges)
    if lineage is not None:
        facets["columnLineage"] = lineage
    written: dict[str, OutputDatasetFacet] = {}
    if event.rows is not None:
        statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet
        written["outputStatistics"] = statistics(rowCount=event.rows, producer=PRODUCER)
    return OutputDataset(*places.table(event.asset), facets=facets, outputFacets=written)


def _schema(columns: Iterable[Column]) -> DatasetFacet:
    fields = [
        schema_dataset.SchemaDatasetFacetFields(
            name=column.name, type=column.type, description=column.doc or None, ordinal_position=at, fields=None
        )
        for at, column in enumerate(columns, start=1)
    ]
    return schema_dataset.SchemaDatasetFacet(fields=fields, producer=PRODUCER)


def _column_lineage(
    places: _Places, edges: ColumnEdges | None
) -> column_lineage_dataset.ColumnLineageDatasetFacet | None:
    """Column by column. A whole input has no place here: the standard names columns only, and the inputs name it."""

    if edges is None:
        return None
    fields = {
        name: column_lineage_dataset.Fields(inputFields=named)
        for name, sources in edges.columns.items()
        if (named := _input_fields(places, sources))
    }
    influences = _input_fields(places, edges.influences)
    if not fields and not influences:
        return None
    return column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields, dataset=influences, producer=PRODUCER)


def _input_fields(places: _Places, sources: Iterable[Source]) -> list[InputField]:
    grouped: dict[tuple[str, str], list[Transformation]] = {}
    for source in sources:
        if source.kind != "whole":
            used = Transformation(source.kind.upper(), subtype=source.how.upper() or None)
            grouped.setdefault((source.asset, source.column), []).append(used)
    return [
        InputField(*places.of(_as_read(asset)), field=column, transformations=used)
        for (asset, column), used in grouped.items()
    ]


def _as_read(name: str) -> Read:
    """Files are named `bucket/pattern`; no asset has a slash in its name."""
    return Read(name, kind="files" if "/" in name else "asset")


def _owners(edges: ColumnEdges | None) -> Iterable[str]:
    """The assets whose columns are read."""
    if edges is None:
        return ()
    sources = (*edges.influences, *(source for sources in edges.columns.values() for source in sources))
    return dict.fromkeys(source.asset for source in sources if source.kind != "whole")


@lru_cache
def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
