"""What is said while a project is published, and what is asked before."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from packyak.cli.say import note, on_terminal, plain, say
from packyak.cli.words import duration

if TYPE_CHECKING:
    from packyak.deploy.publish.records import Diff, Outcome


SECTIONS = (
    ("added", "+", "New"),
    ("removed", "-", "Gone"),
    ("changed", "~", "Changed"),
    ("widened", "!", "May do more than before"),
    ("refused", "x", "Would lose data, which is never done"),
)


def lines() -> Callable[[Any], None]:
    """Tells as JSON, a document a line."""
    from packyak.deploy.publish.records import Event, Stage

    def tell(told: Any) -> None:
        if isinstance(told, Stage):
            told = {"stage": plain(told)}
        elif isinstance(told, Event):
            told = {"event": plain(told)}
        say(json.dumps(told))

    return tell


class Telling:
    """Tells a person: what each stage does, how it ended, and each resource that is done or failed."""

    def __init__(self) -> None:
        self.waiting = ""  # what a stage said last: its end says the same again

    def __call__(self, told: Any) -> None:
        from packyak.deploy.publish.records import STAGES, Event, Stage

        if isinstance(told, Stage) and told.state == "running":
            self._flush()
            if told.line:
                self.waiting = f"  ... {told.line}"
            else:
                note(f"{told.stage}: {STAGES[told.stage]}")
        elif isinstance(told, Stage):
            if told.state == "failed":
                self._flush()
            self.waiting = ""
            note(f"  {'FAILED' if told.state == 'failed' else 'done'}: {told.line} ({duration(told.seconds)})")
        elif isinstance(told, Event) and told.state.endswith(("_COMPLETE", "_FAILED")):
            self._flush()
            why = f": {told.reason}" if told.reason and told.state.endswith("_FAILED") else ""
            place = f" ({told.place})" if told.place else ""
            note(f"  {told.state.lower().replace('_', ' ')}: {told.resource}, {told.type}{place}{why}")

    def _flush(self) -> None:
        if self.waiting:
            note(self.waiting)
        self.waiting = ""


class Answers:
    """Whether to go on: by what was given, else by asking on a terminal, else no."""

    def __init__(
        self, yes: bool, widening: bool, confirmed: str | None, quiet: bool, tell: Callable[[Any], None]
    ) -> None:
        self.yes, self.widening, self.confirmed, self.quiet, self.tell = yes, widening, confirmed, quiet, tell
        self.digest = ""

    def confirm(self, diff: Diff) -> bool:
        if self.confirmed is not None and self.confirmed != self.digest:
            note("Something changed since that dry run; look again.")
            return False
        if not self.quiet:
            say_diff(diff)
        return self.yes or self._asked("Publish this?")

    def accept(self, diff: Diff) -> bool:
        return self.widening or self._asked("Somebody may do more than before. Is that meant?")

    def _asked(self, question: str) -> bool:
        if self.quiet or not (on_terminal(sys.stdout) and sys.stdin.isatty()):
            return False
        return typer.confirm(question, default=False, err=True)


def say_diff(diff: Diff) -> None:
    if diff.first:
        say("Nothing of this project stands there yet")
    for name, mark, title in SECTIONS:
        changes = getattr(diff, name)
        if changes:
            say(title)
        for each in changes:
            say(f"  {mark} {each}")
    if not diff:
        say("Nothing changes")


def say_outcome(outcome: Outcome) -> None:
    if outcome.state in ("published", "unchanged"):
        word = "Published" if outcome.state == "published" else "Everything stands as it should"
        say(f"{word}: account {outcome.account}, {outcome.region}, profile {outcome.profile}")
        for each in outcome.outputs:
            say(f"  {each.name}: {each.value}")
        return
    if outcome.state == "refused":
        say_diff(outcome.diff)
        note("Nothing was made: data would be lost. Next: take that change back.")
    else:
        more = " and --accept-widening" if outcome.diff.widened else ""
        note(f"Nothing was made. Next: look at the changes, then `packyak export --yes`{more}.")
