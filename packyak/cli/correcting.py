"""`packyak correct`: hands what a person says to the worker where one runs, which takes a tenth of doing it here.

Standard library only, as long as the worker does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from packyak.cli.asking import Desk
from packyak.cli.say import DONE, say, say_json
from packyak.engine.errors import PackyakError

FIELD = ("ASSET", "KEY", "COLUMN", "VALUE")


@dataclass(frozen=True)
class Said:
    """What a person says. words: ASSET KEY COLUMN VALUE; accept and null replace the last of them, undo all four."""

    words: tuple[str, ...] = ()
    why: str = ""
    by: str | None = None
    accept: bool = False
    null: bool = False
    undo: str | None = None
    as_json: bool = False
    verbose: bool = False


def save(desk: Desk, said: Said) -> int:
    """Saves it, tells it, and answers the exit code."""
    saved = _saved(desk, said, said.by or desk.person)
    if said.as_json:
        say_json(saved)
        return DONE
    what = {"undo": "Undone", "accept": "Accepted"}.get(saved.kind, "Corrected")
    is_now = "" if saved.kind == "undo" else f" is {'null' if saved.value is None else saved.value}"
    owner = f" (a field of {saved.asset})" if said.words and said.words[0] != saved.asset else ""
    say(f"{what}: {saved.column} of {saved.key}{is_now}{owner}. Id {saved.id}. Next: `packyak run` carries it on")
    return DONE


def _saved(desk: Desk, said: Said, person: str) -> Any:
    if said.undo is not None:
        return desk.ask("undo", _whole_id(desk, said.undo), by=person)
    _require_field(said)
    field = said.words[:3]
    if said.accept:
        return desk.ask("accept", *field, by=person, why=said.why)
    return desk.ask("correct", *field, None if said.null else said.words[3], by=person, why=said.why)


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
    found = [each.id for each in desk.ask("corrections") if each.id.startswith(start)]
    if len(found) > 1:
        raise PackyakError(
            f"{len(found)} corrections begin with {start}", choices=found[:10], next_step="give more of it"
        )
    return found[0] if found else start
