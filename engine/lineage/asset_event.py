"""What happens to an asset in a run, as frozen records from which lineage events are made.

Light, so that the engine can note events before the OpenLineage client is loaded (`events` loads it). Ids are derived
from ours, so that an event sent twice can be recognised as the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from packyak.engine.declare.nodes import Column, Origin
from packyak.engine.lineage.columns import ColumnEdges

PRODUCER = "https://github.com/packyak/packyak"
RUN_JOB = "update"  # the job of a whole run, the parent of its assets' jobs

_NAMESPACE: UUID = uuid5(NAMESPACE_URL, PRODUCER)

Kind = Literal["START", "RUNNING", "COMPLETE", "FAIL", "ABORT"]


@dataclass(frozen=True)
class Read:
    """Something that an asset was computed from, and its version where it has one."""

    name: str
    version: str = ""
    kind: Literal["asset", "bucket", "files"] = "asset"


@dataclass(frozen=True)
class AssetEvent:
    """What happened to one asset in one run; with no asset, what happened to the run itself.

    at: ISO 8601 with its zone. task: transform | learned | sql | asset | index. code: the version of its code. columns:
    what it writes. version, rows: its state after the run. first: this run made it. error, trace: why it failed.
    """

    kind: Kind
    at: str
    project: str
    run: str
    asset: str = ""
    task: str = "transform"
    doc: str = ""
    origin: Origin | None = None
    code: str = ""
    query: str = ""
    inputs: tuple[Read, ...] = ()
    columns: tuple[Column, ...] = ()
    edges: ColumnEdges | None = None
    version: str = ""
    rows: int | None = None
    first: bool = False
    error: str = ""
    trace: str = ""


def namespace(project: str) -> str:
    """The namespace of a project's jobs."""
    return f"packyak://{project}"


def run_id(project: str, run: str, asset: str = "") -> str:
    """The UUID that stands for an asset's part of a run (or the run itself); the same whenever it is asked for."""
    return str(uuid5(_NAMESPACE, "".join(f"{len(part)}:{part}" for part in (project, run, asset))))
