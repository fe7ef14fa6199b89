"""How a run is told while it goes on: plain lines in a pipe, a table that redraws itself on a terminal.

Plain: one line per asset when its turn is over, and one now and then for an asset that takes long. Standard library
only, except for the terminal's view, which imports rich.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from packyak.cli.say import note, say
from packyak.cli.words import counted, duration

if TYPE_CHECKING:
    from packyak.engine.run.runs import AssetRun, RunRecord

SECONDS_BETWEEN_LINES = 10.0
OVER = ("done", "failed", "blocked", "skipped", "cancelled")
MARKS = {"done": "green", "failed": "red", "blocked": "yellow", "running": "cyan", "cancelled": "yellow"}


class View(Protocol):
    """Someone who is told how a run goes."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def progress(self, record: RunRecord) -> None: ...
    def output(self, text: str) -> None: ...


class Silent:
    """Tells nothing; what the user's code prints goes to standard error, so that it cannot spoil JSON."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def progress(self, record: RunRecord) -> None:
        return None

    def output(self, text: str) -> None:
        sys.stderr.write(text)


class Lines(Silent):
    """One line for each asset whose turn is over."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._noted = 0
        self._at = time.monotonic()

    def progress(self, record: RunRecord) -> None:
        for sentence in record.notes[self._noted :]:
            note(f"Note: {sentence}")
        self._noted = len(record.notes)
        width = max((len(each.asset) for each in record.assets), default=0)
        for each in record.assets:
            if each.state in OVER and each.asset not in self._told:
                self._told.add(each.asset)
                self._say(f"{each.asset:<{width}}  {each.state:<9}  {outcome(each)}")
            elif each.state == "running" and time.monotonic() - self._at > SECONDS_BETWEEN_LINES:
                self._say(f"{each.asset:<{width}}  {each.state:<9}  {advance(each)}")

    def output(self, text: str) -> None:
        sys.stdout.write(text)

    def _say(self, line: str) -> None:
        self._at = time.monotonic()
        say(line.rstrip())


class Table(Silent):
    """The assets of the run as a table on a terminal, redrawn as they advance."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console()
        self._live = Live(console=self._console, refresh_per_second=8, redirect_stderr=False)
        self._noted = 0

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def progress(self, record: RunRecord) -> None:
        for sentence in record.notes[self._noted :]:
            self._print(f"Note: {sentence}\n")
        self._noted = len(record.notes)
        self._live.update(_table(record))

    def output(self, text: str) -> None:
        self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(text, end="", markup=False, highlight=False)


def _table(record: RunRecord) -> Any:
    from rich.progress_bar import ProgressBar
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid.grid(padding=(0, 2, 0, 0))
    for each in record.assets:
        bar: Any = ""
        if each.state == "running":
            bar = ProgressBar(total=each.total, completed=each.done, width=24, pulse=each.total is None)
        told = advance(each) if each.state == "running" else outcome(each)
        style = MARKS.get(each.state, "dim")
        grid.add_row(Text(each.asset), Text(each.state, style=style), bar, Text(told, style="" if bar else "dim"))
    return grid


def view_of(as_json: bool, terminal: bool) -> View:
    """The view that fits where the output goes."""
    if as_json:
        return Silent()
    return Table() if terminal else Lines()


def outcome(each: AssetRun) -> str:
    """What became of one asset, in a line."""
    if each.state in ("failed", "blocked", "skipped", "cancelled"):
        return " ".join(each.message.split()) or ("nothing to do" if each.state == "skipped" else "")
    if each.state != "done":
        return ""
    files = each.unit == "file"
    parts = [f"{counted(each.computed, 'file')} read" if files else f"{each.computed:,} computed"]
    parts += [f"{each.changed:,} changed"]
    parts += [f"{each.deleted:,} deleted"] if each.deleted else []
    parts += [f"{counted(each.failed, each.unit) if files else format(each.failed, ',')} failed"] if each.failed else []
    told = f"; {each.message}" if each.message else ""
    return f"{', '.join(parts)}  {duration(each.seconds)}{told}"


def advance(each: AssetRun) -> str:
    """How far one asset is, in a line."""
    if each.message:
        return each.message
    parts = [f"{each.done:,} of {each.total:,}" if each.total is not None else counted(each.done, each.unit)]
    parts += [f"{each.rate:,.0f}/s"] if each.rate else []
    parts += [f"{duration(each.eta)} left"] if each.eta else []
    parts += [f"{each.failed:,} failed"] if each.failed else []
    return ", ".join(parts)
