"""What the engine answers when it is asked: frozen records that command line, studio and tests read alike.

Nothing here computes. Numbers are counts of records unless a unit is named; times are ISO 8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

State = Literal["fresh", "stale", "failed", "blocked", "never", "running"]
Category = Literal[
    "new", "input", "code", "model", "correction", "settings", "deleted", "retry", "upstream", "restored", "clock",
    "asked",
]  # fmt: skip


@dataclass(frozen=True)
class Cause:
    """Why something is stale. `count`: how many records it touches (None: not known before running).
    `detail`: more lines, such as the diff of the code."""

    category: Category
    reason: str
    count: int | None = None
    detail: str = ""


@dataclass(frozen=True)
class CheckResult:
    """The last outcome of one check, with up to 20 of the rows that failed it."""

    name: str
    asset: str
    passed: bool
    blocking: bool
    severity: str
    failing: int | None
    rows: tuple[dict[str, Any], ...] = ()
    message: str = ""
    at: str = ""


@dataclass(frozen=True)
class AssetStatus:
    """One node of the graph as it stands now. `reason` says the state in one sentence; `notes`: what else a person
    should know of its records."""

    name: str
    kind: str
    state: State
    reason: str
    causes: tuple[Cause, ...] = ()
    rows: int | None = None
    delta: int | None = None
    version: str | None = None
    updated_at: str | None = None
    failed_records: int = 0
    corrections: int = 0
    checks: tuple[CheckResult, ...] = ()
    inputs: tuple[str, ...] = ()
    origin: str = ""
    doc: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanStep:
    """One asset that a run would bring up to date.

    action: compute | compute whole | read files | index | call (a function). records: how many it would compute, or
    files it would read (None: known once its inputs are, or not counted). at_most: an input may yet stop the cascade.
    keeps: records it will not touch.
    """

    asset: str
    action: str
    records: int | None
    at_most: bool
    causes: tuple[Cause, ...]
    keeps: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Plan:
    """What `run` would do now."""

    steps: tuple[PlanStep, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ColumnInfo:
    """A column of a view. `owner`: the asset that computes it; keys are not editable."""

    name: str
    type: str
    owner: str
    choices: tuple[Any, ...] | None = None
    editable: bool = True


@dataclass(frozen=True)
class Filter:
    """One condition on a page of records. op: = != < <= > >= contains in empty filled."""

    column: str
    op: str
    value: Any = None


@dataclass(frozen=True)
class Page:
    """Some records of an asset, `_key` first. `total`: how many match."""

    rows: pa.Table
    total: int
    columns: tuple[ColumnInfo, ...]
    corrected: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Failure:
    """A file or record (unit) of an asset whose last computation failed, why, and in which run."""

    unit: str
    name: str
    error: str
    run: str = ""


@dataclass(frozen=True)
class FieldDetail:
    """One field of one record, and how it came to be. decided: person | model | rule | function | none."""

    column: str
    value: Any
    owner: str
    computed: Any = None
    decided: str = "function"
    confidence: float | None = None
    error: str = ""
    corrected_by: str = ""
    corrected_at: str = ""
    why: str = ""
    correction: str = ""
    outdated: bool = False


@dataclass(frozen=True)
class RecordDetail:
    """One record with all its fields."""

    asset: str
    key: str
    fields: tuple[FieldDetail, ...]


@dataclass(frozen=True)
class VersionInfo:
    """One published version of an asset."""

    version: str
    at: str
    run: str
    rows: int
    delta: int | None = None
    table: int = 0


@dataclass(frozen=True)
class FieldChange:
    """One field that differs between two versions, and why."""

    column: str
    before: Any
    after: Any
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class Change:
    """One record that differs between two versions: before or after is None where it is absent. causes: of its being
    there or gone; for a record in both, of all its fields."""

    key: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    causes: tuple[Cause, ...] = ()
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True)
class Diff:
    """How two versions of an asset differ. `examples`: up to a limit of the changes. `causes`: how many records changed
    for which reason; one may have several."""

    asset: str
    a: str
    b: str
    added: int
    removed: int
    changed: int
    examples: tuple[Change, ...] = field(default_factory=tuple)
    causes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PastAsset:
    """One asset as of a past moment. inputs: what it was computed from, with their versions; function: file:line."""

    name: str
    version: str
    rows: int
    run: str
    at: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    function: str = ""


@dataclass(frozen=True)
class PastGraph:
    """A project's graph as of a past moment: what was published then."""

    run: str
    at: str
    assets: tuple[PastAsset, ...] = ()
