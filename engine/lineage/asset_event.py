"""What happens to an asset, as frozen records from which lineage events are made.

Light, so that the engine can note events before the OpenLineage client is loaded (`events` loads it). Ids are derived
from ours, so that an event sent twice can be recognised as the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from packyak.engine.declare.nodes import Column, Origin
from packyak.engine.lineage.columns import ColumnEdges

PRODUCER = "https://github.com/packyak/packyak"
RUN_JOB = "update"  # the job of a whole run, the parent of its assets' jobs

_NAMESPACE: UUID = uuid5(NAMESPACE_URL, PRODUCER)

Kind = Literal["START", "RUNNING", "COMPLETE", "FAIL", "ABORT"]
Change = Literal["", "CREATE", "ALTER", "OVERWRITE", "RENAME"]


@dataclass(frozen=True)
class Read:
    """Something that an asset was computed from, and its version where it has one."""

    name: str
    version: str = ""
    kind: Literal["asset", "bucket", "files"] = "asset"


@dataclass(frozen=True)
class Tag:
    """A mark on an asset or, with `column`, on one of its columns."""

    key: str
    value: str
    column: str = ""


@dataclass(frozen=True)
class CheckOutcome:
    """What a check found. failing: the number of failing rows, None where it only said yes or no."""

    name: str
    passed: bool
    severity: str = "error"
    failing: int | None = None
    message: str = ""


@dataclass(frozen=True)
class CorrectionNote:
    """That a person corrected a field. Neither its record nor its value leave the home with an event."""

    id: str
    column: str
    by: str
    at: str
    kind: str = "correct"


@dataclass(frozen=True)
class ModelNote:
    """The model that answered. trained_on: how many corrections it learned from; score: on held-out ones, `measure`
    says of what kind; parent: the model before it."""

    id: str
    task: str = ""
    trained_on: int | None = None
    score: float | None = None
    measure: str = ""
    parent: str = ""


@dataclass(frozen=True)
class AssetEvent:
    """What happened to one asset in one run; with no asset, what happened to the run itself.

    at: ISO 8601 with its zone. started: when the run began. task: transform | learned | sql | asset | index. code: the
    version of its code; source: that code as text. columns: what it writes. personal: columns with personal data, own
    and read, as (asset, column). version, rows: its state after the run. nulls: how many each column has. change: what
    happened to the table as such; was: its name before. corrections: those worked in now. error, trace: why it failed.
    done: how many records are computed so far.
    """

    kind: Kind
    at: str
    project: str
    run: str
    asset: str = ""
    started: str = ""
    task: str = "transform"
    doc: str = ""
    owner: str = ""
    tags: tuple[Tag, ...] = ()
    origin: Origin | None = None
    code: str = ""
    source: str = ""
    query: str = ""
    inputs: tuple[Read, ...] = ()
    columns: tuple[Column, ...] = ()
    edges: ColumnEdges | None = None
    personal: frozenset[tuple[str, str]] = frozenset()
    version: str = ""
    rows: int | None = None
    nulls: Mapping[str, int] = field(default_factory=dict)
    change: Change = ""
    was: str = ""
    checks: tuple[CheckOutcome, ...] = ()
    corrections: tuple[CorrectionNote, ...] = ()
    model: ModelNote | None = None
    error: str = ""
    trace: str = ""


@dataclass(frozen=True)
class CorrectionEvent:
    """People changed an asset without a run. version: its state with their values laid over it."""

    at: str
    project: str
    asset: str
    version: str
    corrections: tuple[CorrectionNote, ...]
    doc: str = ""
    columns: tuple[Column, ...] = ()


def namespace(project: str) -> str:
    """The namespace of a project's jobs."""
    return f"packyak://{project}"


def run_id(project: str, run: str, asset: str = "") -> str:
    """The UUID that stands for an asset's part of a run (or the run itself); the same whenever it is asked for."""
    return str(uuid5(_NAMESPACE, "".join(f"{len(part)}:{part}" for part in (project, run, asset))))
