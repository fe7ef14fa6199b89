"""Applies what people answer to questions: each answer on its own, an answer applied before only once.

An answer says what it saw. Where something else stands there by now nothing is saved, so that a list answered offline
cannot overrule what somebody said meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from packyak.engine.errors import CorrectionError, PackyakError
from packyak.engine.run.correct.opinions import weigh
from packyak.engine.run.correct.saving import Said, drafted
from packyak.engine.run.due.fingerprint import digest
from packyak.engine.run.questions import Decided, Decision
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.review.asking import record_columns, seen_names
from packyak.engine.store.corrections import Correction, Kind, encode

ACTIONS = ("accept", "correct", "skip", "comment")


def decide(reader: Reader, decisions: Sequence[Decision], *, by: str) -> tuple[Decided, ...]:
    """Saves the answers that can be saved; what came of each, in the same order."""
    snapshot = reader.snapshot()
    known = {one.of: one for one in reader.scope.log.all() if one.of}
    named = [(each.asset, each.key, each.column) for each in decisions]
    seen = seen_names(reader, snapshot, list(dict.fromkeys(named)))
    found: dict[int, Decided] = {}
    drafts: list[tuple[int, Correction]] = []
    for place, each in enumerate(decisions):
        name = _name(each, by)
        if name in known:
            found[place] = Decided(each, "already", "", known[name].group or known[name].id)
        elif each.seen and seen.get(named[place]) != each.seen:
            found[place] = Decided(each, "changed", "something else stands there by now: look at it again")
        else:
            try:
                drafts += [(place, one) for one in _drafts(reader, each, name, by, seen.get(named[place], ""))]
                known[name] = drafts[-1][1]
            except PackyakError as error:
                found[place] = Decided(each, "refused", str(error.message))
    for place, mine in _together(drafts).items():
        saved = reader.scope.log.append(mine)
        found[place] = Decided(decisions[place], "saved", "", saved[0].group or saved[0].id)
    return tuple(found[place] for place in range(len(decisions)))


def _together(drafts: Sequence[tuple[int, Correction]]) -> dict[int, list[Correction]]:
    """The corrections of each answer: saved, and undone, together."""
    found: dict[int, list[Correction]] = {}
    for place, one in drafts:
        found.setdefault(place, []).append(one)
    return found


def _name(each: Decision, by: str) -> str:
    """What tells one answer from another."""
    parts = [
        each.by or by,
        each.asset,
        each.key,
        each.column,
        each.action,
        repr(encode(each.value)),
        each.seen,
        each.number,
    ]
    return f"answer-{digest(parts)[:16]}"


def _drafts(reader: Reader, each: Decision, name: str, by: str, seen: str) -> list[Correction]:
    if each.action not in ACTIONS:
        raise CorrectionError(f"{each.action!r} is no answer", choices=ACTIONS, next_step="give one of them")
    drafts = drafted(reader, _said(reader, each, name, seen), each.by or by)
    for one in drafts:
        if isinstance(one, PackyakError):
            raise one
    return [one for one in drafts if isinstance(one, Correction)]


def _said(reader: Reader, each: Decision, name: str, seen: str) -> list[Said]:
    origin = _origin(reader, each)

    def said(kind: Kind, column: str, value: Any = None) -> Said:
        return Said(each.asset, each.key, column, value, each.why, kind, origin=origin, of=name)

    if each.action == "skip":
        return [said("skip", each.column, seen)]
    if each.action == "comment":
        return [said("comment", each.column, each.value)]
    if each.column:
        return [said("accept" if each.action == "accept" else "correct", each.column, each.value)]
    values = each.value if each.action == "correct" else {}
    columns = record_columns(reader, each.asset)
    if not isinstance(values, Mapping) or not set(values) <= set(columns):
        raise CorrectionError(
            f"{values!r} is no answer for a whole record", choices=columns, next_step="give a value by column"
        )
    return [
        said("correct", column, values[column]) if column in values else said("accept", column) for column in columns
    ]


def _origin(reader: Reader, each: Decision) -> str:
    """Where people differ, an answer settles it."""
    words = reader.scope.words.get((each.asset, each.key, each.column))
    if words and not weigh(words, reader.scope.rule).settled:
        return "settle"
    return "drawn" if each.at_random else "review"
