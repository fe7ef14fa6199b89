"""`packyak correct`: hands what a person says to the worker where one runs, which takes a tenth of doing it here.

Standard library only, as long as the worker does it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from packyak.cli.asking import Desk
from packyak.cli.say import DONE, say, say_json
from packyak.cli.tables import cell
from packyak.engine.errors import PackyakError
from packyak.engine.store.values import decode

if TYPE_CHECKING:
    from packyak.engine.store.corrections import Correction

FIELD = ("ASSET", "KEY", "COLUMN", "VALUE")


@dataclass(frozen=True)
class Said:
    """What a person says. words: ASSET KEY COLUMN VALUE; accept and null replace the last of them, a comment the last
    one or two, undo and redo all four."""

    words: tuple[str, ...] = ()
    why: str = ""
    by: str | None = None
    accept: bool = False
    null: bool = False
    undo: str | None = None
    redo: str | None = None
    comment: str | None = None
    as_json: bool = False
    verbose: bool = False


def save(desk: Desk, said: Said) -> int:
    """Saves it, tells it, and answers the exit code."""
    saved = as_said(_saved(desk, said, said.by or desk.person))
    if said.as_json:
        say_json(saved)
        return DONE
    what = {"undo": "Undone", "accept": "Accepted", "comment": "Noted"}.get(saved.kind, "Corrected")
    what = "Brought back" if said.redo is not None else what
    is_now = "" if saved.kind == "undo" else f" is {'null' if saved.value is None else cell(saved.value)}"
    is_now = f": {saved.value}" if saved.kind == "comment" else is_now
    owner = f" (a field of {saved.asset})" if said.words and said.words[0] != saved.asset else ""
    field = f"{saved.column} of {saved.key}" if saved.column else saved.key
    if saved.group:
        field = f"a save of several, {field} first"
    next_step = "" if saved.kind == "comment" else ". Next: `packyak run` carries it on"
    say(f"{what}: {field}{is_now}{owner}. Id {saved.group or saved.id}{next_step}")
    return DONE


def as_said(correction: Correction) -> Correction:
    """A correction with the values that people gave and saw, not as they are stored."""
    value, computed, seen = map(decode, (correction.value, correction.computed, correction.seen))
    return replace(correction, value=value, computed=computed, seen=seen)


def _saved(desk: Desk, said: Said, person: str) -> Any:
    if said.undo is not None:
        return desk.ask("undo", _whole_id(desk, said.undo), by=person)
    if said.redo is not None:
        return desk.ask("redo", _whole_id(desk, said.redo), by=person)
    if said.comment is not None:
        asset, key, column = _commented(said)
        return desk.ask("comment", asset, key, said.comment, column=column, by=person)
    _require_field(said)
    field = said.words[:3]
    if said.accept:
        return desk.ask("accept", *field, by=person, why=said.why)
    return desk.ask("correct", *field, None if said.null else said.words[3], by=person, why=said.why)


def _commented(said: Said) -> tuple[str, str, str]:
    if not 2 <= len(said.words) <= 3:
        raise PackyakError(
            "a comment is about a record, or about one of its fields",
            next_step="packyak correct ASSET KEY [COLUMN] --comment TEXT",
        )
    asset, key, column = (*said.words, "")[:3]
    return asset, key, column


def _require_field(said: Said) -> None:
    wanted = len(FIELD) - (said.accept or said.null)
    if len(said.words) < wanted:
        raise PackyakError(
            f"{FIELD[len(said.words)]} is missing",
            next_step="packyak correct ASSET KEY COLUMN VALUE, or --accept, --null, --undo ID",
        )
    if len(said.words) > wanted:
        raise PackyakError(
            "a value together with --accept or --null says two things", next_step="leave one of them out"
        )


def _whole_id(desk: Desk, start: str) -> str:
    """The correction, or the save of several, whose id begins so."""
    found = [each for each in desk.ask("corrections") if start in (each.id, each.group) or each.id.startswith(start)]
    if any(each.id == start for each in found) or not found:
        return start
    saves = sorted({each.group or each.id for each in found})
    if len(saves) > 1:
        raise PackyakError(
            f"{len(found)} corrections begin with {start}", choices=saves[:10], next_step="give more of it"
        )
    return str(found[0].id) if len(found) == 1 else saves[0]
