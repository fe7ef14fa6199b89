"""OpenLineage events of what happens to assets, built with the standard's own client, as plain JSON values.

This file and its sisters `events_*` are the only ones that import openlineage; import them late: that costs 0.5 s of
CPU, which the warm worker pays once. This one makes the envelope with run and job, `events_data` what hangs on data.

Specification: https://openlineage.io/spec/2-0-2/OpenLineage.json and the facets that it names.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from openlineage.client.event_v2 import DatasetEvent, Job, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    JobFacet,
    RunFacet,
    documentation_job,
    error_message_run,
    job_type_job,
    nominal_time_run,
    ownership_job,
    parent_run,
    processing_engine_run,
    source_code_job,
    source_code_location_job,
    sql_job,
    tags_job,
)
from openlineage.client.serde import Serde
from packyak.engine.lineage.asset_event import PRODUCER, RUN_JOB, AssetEvent, CorrectionEvent, namespace, run_id
from packyak.engine.lineage.events_data import corrected_data, input_data, output_data
from packyak.engine.lineage.places import Places

DISTRIBUTION = "packyak-studio"
TAG_SOURCE = "PACKYAK"


def openlineage_events(home: str, events: Iterable[AssetEvent | CorrectionEvent]) -> list[dict[str, Any]]:
    """The events in the standard's form, as JSON values, ready for the log or a transport.

    Args:
        home: the home's address, a folder or `s3://bucket/prefix`; what the events name lies there.
    """
    places = Places(home)
    return [Serde.to_dict(_event(places, event)) for event in events]


def _event(places: Places, event: AssetEvent | CorrectionEvent) -> RunEvent | DatasetEvent:
    if isinstance(event, CorrectionEvent):
        return DatasetEvent(eventTime=event.at, producer=PRODUCER, dataset=corrected_data(places, event))
    return RunEvent(
        eventType=RunState(event.kind),
        eventTime=event.at,
        producer=PRODUCER,
        run=_run(event),
        job=_job(event),
        inputs=input_data(places, event),
        outputs=[output_data(places, event)] if event.asset and event.kind in ("RUNNING", "COMPLETE") else [],
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
        facets["parent"] = _parent(event)
    if event.started:
        ended = event.at if event.kind in ("COMPLETE", "FAIL", "ABORT") else None
        facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(event.started, ended, producer=PRODUCER)
    if event.kind in ("FAIL", "ABORT") and event.error:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            message=event.error, programmingLanguage="python", stackTrace=event.trace or None, producer=PRODUCER
        )
    return Run(runId=run_id(event.project, event.run, event.asset), facets=facets)


def _parent(event: AssetEvent) -> RunFacet:
    """The run that the asset's part belongs to. Nothing is above that: it is the root as well."""
    whole, jobs = run_id(event.project, event.run), namespace(event.project)
    return parent_run.ParentRunFacet(
        run=parent_run.Run(runId=whole, facets=None),
        job=parent_run.Job(namespace=jobs, name=RUN_JOB, facets=None),
        root=parent_run.Root(
            run=parent_run.RootRun(runId=whole, facets=None),
            job=parent_run.RootJob(namespace=jobs, name=RUN_JOB, facets=None),
        ),
        producer=PRODUCER,
    )


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
    if event.owner:
        owner = ownership_job.Owner(name=event.owner, type="OWNER")
        facets["ownership"] = ownership_job.OwnershipJobFacet(owners=[owner], producer=PRODUCER)
    tags = [tags_job.TagsJobFacetFields(each.key, each.value, TAG_SOURCE) for each in event.tags if not each.column]
    if tags:
        facets["tags"] = tags_job.TagsJobFacet(tags=tags, producer=PRODUCER)
    return Job(namespace=namespace(event.project), name=event.asset or RUN_JOB, facets=facets | _code(event))


def _code(event: AssetEvent) -> dict[str, JobFacet]:
    """Where the code is and, once a run, what it says: a log of many runs is not to be mostly that."""
    facets: dict[str, JobFacet] = {}
    if event.origin is not None:
        facets["sourceCodeLocation"] = source_code_location_job.SourceCodeLocationJobFacet(
            type="file",
            url=f"{Path(event.origin.file).absolute().as_uri()}#L{event.origin.line}",
            path=event.origin.file,
            version=event.code or None,
            producer=PRODUCER,
        )
    if event.source and event.kind == "START":
        language = "sql" if event.query else "python"
        facets["sourceCode"] = source_code_job.SourceCodeJobFacet(language, event.source, producer=PRODUCER)
    if event.query:
        facets["sql"] = sql_job.SQLJobFacet(query=event.query, dialect="duckdb", producer=PRODUCER)
    return facets


@lru_cache
def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
