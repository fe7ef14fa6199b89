"""What people are asked, what they answer, and what came of it: frozen records for command line, studio and tests.

Nothing here computes. A question and a decision name a field by asset, key and column; `seen` is a short name for what
stood there when the person looked, so that an answer to something else is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Reason = Literal[
    "disagreement", "contradiction", "outdated", "parked", "suspect", "check", "failed", "uncertain", "typical",
    "random", "second",
]  # fmt: skip
Only = Literal["disagreement", "second"]
Action = Literal["accept", "correct", "skip", "comment"]


@dataclass(frozen=True)
class Neighbour:
    """A record like another one. decided: person | model | rule | function | none. similarity: the cosine of their
    vectors, None where they were found by equal values."""

    key: str
    value: Any
    decided: str = "person"
    similarity: float | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Opinion:
    """What one person says of a field. correction: its id."""

    by: str
    value: Any
    at: str = ""
    kind: str = "correct"
    why: str = ""
    correction: str = ""


@dataclass(frozen=True)
class Reach:
    """What hangs on a value: how many assets and records downstream read it. words: the same for a person."""

    assets: int = 0
    records: int = 0
    words: str = ""


@dataclass(frozen=True)
class Question:
    """One field that a person should look at, or a whole record (column ""; `answer` then has each column's value, and
    `suspects` names those that look wrong).

    number: its place in this list. owner: the asset that computes the column. answer: what stands there now, and
    decided by whom (person | model | rule | function | none), with what confidence. choices: the values it may have
    (None: any of `type`). reason and why: the same in one word and in one plain sentence. at_random: drawn at random,
    so that it judges without bias. inputs: what the function reads. neighbours: the nearest records that people
    decided. opinions: what people said of it so far. computed: what the function says beneath a person's word.
    worth: how much an answer is expected to help, for the order within one reason. earlier: comments on the record.
    """

    number: int
    asset: str
    key: str
    column: str
    type: str
    answer: Any
    reason: Reason
    why: str
    seen: str
    owner: str = ""
    decided: str = "function"
    confidence: float | None = None
    choices: tuple[Any, ...] | None = None
    at_random: bool = False
    worth: float = 0.0
    inputs: Mapping[str, Any] = field(default_factory=dict)
    neighbours: tuple[Neighbour, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    computed: Any = None
    reach: Reach = field(default_factory=Reach)
    suspects: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True)
class Review:
    """The questions of one moment. waiting: how many fields wait for each reason, also beyond those listed; decided:
    fields that people decided so far."""

    questions: tuple[Question, ...]
    waiting: Mapping[str, int] = field(default_factory=dict)
    decided: int = 0


@dataclass(frozen=True)
class Decision:
    """A person's answer to a question. value: for "correct" the right value (of a whole record, a mapping of columns to
    right values: the others are accepted), for "comment" the text. seen: what the question said was there ("": whatever
    stands there). number: of the answer in its list; the same answer applied again changes nothing. at_random: the
    question was drawn at random."""

    asset: str
    key: str
    column: str
    action: Action
    value: Any = None
    why: str = ""
    seen: str = ""
    number: str = ""
    by: str = ""
    at_random: bool = False


@dataclass(frozen=True)
class Decided:
    """What came of a decision: saved, already (it had been saved before), changed (something else stands there by now;
    nothing saved) or refused (message says why). correction: the id to undo it by."""

    decision: Decision
    state: Literal["saved", "already", "changed", "refused"]
    message: str = ""
    correction: str = ""


@dataclass(frozen=True)
class Example:
    """One record that a bulk correction changes."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Bulk:
    """A correction of many records at once, previewed or saved.

    count: records that change. same: records meant that have the value already, and stay as they are. decided: of
    those that change, how many a person had decided before. id: undoes all of it ("" for a preview).
    """

    asset: str
    column: str
    value: Any
    count: int
    same: int = 0
    decided: int = 0
    examples: tuple[Example, ...] = ()
    id: str = ""


@dataclass(frozen=True)
class Similar:
    """Records that would get the same fix as one corrected record. Only suggested: nothing is changed.

    was, value: what the corrected record had, and has now. by: how they were found: "vectors" or "values".
    """

    asset: str
    key: str
    column: str
    was: Any
    value: Any
    by: str
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True)
class Disagreement:
    """People who say different things of one field, each with their latest word, newest first. holds: what counts
    meanwhile. settled: by which rule ("" while it waits for a person)."""

    asset: str
    key: str
    column: str
    opinions: tuple[Opinion, ...]
    holds: Any
    settled: str = ""


@dataclass(frozen=True)
class Agreement:
    """How far two people agree on the fields that both decided. kappa: Cohen's, which leaves out what chance alone
    gives; None where it has no meaning (both always say the same one thing)."""

    one: str
    other: str
    fields: int
    share: float
    kappa: float | None


@dataclass(frozen=True)
class BadRow:
    """One row of an imported file that cannot be a correction."""

    line: int
    reason: str


@dataclass(frozen=True)
class Imported:
    """What an import saved, or would save. already: rows that the log has. id: undoes all of it ("" for
    the copy of a log, whose rows keep the ids and groups they had)."""

    saved: int
    already: int = 0
    bad: tuple[BadRow, ...] = ()
    id: str = ""
    dry_run: bool = False
