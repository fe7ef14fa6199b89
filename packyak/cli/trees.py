"""A trace as a tree of text: each record with its values, and beneath it who or what made them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from packyak.cli.say import speaks_unicode
from packyak.cli.tables import cell
from packyak.cli.words import counted, moment
from packyak.engine.lineage.chain import Link, Step, Trace, Word

SHOWN = 6  # values in one line
LONGEST = 60

Branch = tuple[int, Link | None, Step, bool]


def trace_lines(trace: Trace, root: Path) -> Iterator[str]:
    """The lines of the tree."""
    branches = list(trace.paths())
    fork, last, bar = ("├─ ", "└─ ", "│  ") if speaks_unicode(sys.stdout) else ("|- ", "`- ", "|  ")
    open_at: list[bool] = []
    for at, (depth, link, step, again) in enumerate(branches):
        more = _has_sibling(branches, at)
        del open_at[depth:]
        stem = "".join(bar if each else "   " for each in open_at[1:depth])
        yield f"{stem}{(fork if more else last) if depth else ''}{_headline(link, step, again)}"
        open_at += [more] * (depth + 1 - len(open_at))
        inside = "".join(bar if each else "   " for each in open_at[1 : depth + 1])
        below = bar if _has_child(branches, at) else "   "
        for detail in () if again else _details(step, root):
            yield f"{inside}{below}{detail}"


def _has_sibling(branches: Sequence[Branch], at: int) -> bool:
    depth = branches[at][0]
    later = next((each[0] for each in branches[at + 1 :] if each[0] <= depth), None)
    return later == depth


def _has_child(branches: Sequence[Branch], at: int) -> bool:
    return at + 1 < len(branches) and branches[at + 1][0] > branches[at][0]


def _headline(link: Link | None, step: Step, again: bool) -> str:
    how = f"{link.how}: " if link is not None and link.how != "same record" else ""
    name = f"{step.asset} {cell(step.key)}".strip()
    if not step.key:
        size = f", {counted(step.records, 'record')}" if step.records is not None else ""
        return f"{how}{name}, as a whole{size}{' (above)' if again else ''}"
    return f"{how}{name}{' (shown above)' if again else _values(step)}"


def _values(step: Step) -> str:
    shown = [f"{name} = {_short(step.values[name])}" for name in step.columns[:SHOWN] if name in step.values]
    more = len(step.columns) - SHOWN
    return f": {', '.join(shown)}{f' and {more} more' if more > 0 else ''}" if shown else ""


def _short(value: Any) -> str:
    text = cell(value) if value is not None else "null"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _details(step: Step, root: Path) -> Iterator[str]:
    if step.kind in ("file", "bucket", "index", "outside"):
        if step.version:
            yield f"content {step.version[:12]}"
        return
    for word in step.corrections:
        yield _said(word)
    if step.model is not None:
        people = f" by {', '.join(step.model.people)}" if step.model.people else ""
        score = f", {step.model.score:.0%} right on others" if step.model.score is not None else ""
        taught = f", taught with {counted(step.model.corrections, 'correction')}{people}"
        yield f"model {step.model.id}{taught}{score}"
    if step.error:
        yield f"failed: {cell(step.error)}"
    yield _computed(step, root)


def _said(word: Word) -> str:
    what = "found right" if word.kind == "accept" else f"computed: {_short(word.computed)}"
    why = f": {cell(word.why)}" if word.why else ""
    return f"{word.by or 'somebody'} said {word.column} = {_short(word.value)} ({what}), {moment(word.at)}{why}"


def _computed(step: Step, root: Path) -> str:
    """Who decided, with which code, in which run."""
    decided = {"rule": "rule ", "model": "model ", "none": "undecided "}.get(step.decided, "")
    sure = f"({step.confidence:.0%} sure) " if step.confidence is not None else ""
    place = step.function
    if place.startswith(f"{root}/"):
        place = place[len(str(root)) + 1 :]
    code = f", code {step.code[:8]}" if step.code else ""
    changed = " (its code has changed since)" if not step.current else ""
    run = f", run {step.run}" if step.run else ""
    at = f", {moment(step.at)}" if step.at else ""
    return f"{decided}{sure}{place}{code}{changed}; version {step.version}{run}{at}"
