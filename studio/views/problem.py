"""An error as a page can show it: a sentence, where, the lines around, what to do next."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

from packyak.engine.errors import PackyakError, listed

AROUND = 4


@dataclass(frozen=True)
class SourceLine:
    """One line of a file, `here` for the one that the error is about."""

    number: int
    text: str
    here: bool


@dataclass(frozen=True)
class Problem:
    """What went wrong. `file` and `line` name the user's own code where that is known."""

    title: str
    message: str
    next_step: str = ""
    file: str = ""
    line: int = 0
    lines: tuple[SourceLine, ...] = ()

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def excerpt(self) -> str:
        """The lines around, numbered, with an arrow at the one meant."""
        return "\n".join(f"{'>' if row.here else ' '} {row.number:>4}  {row.text}" for row in self.lines)


def problem_of(error: BaseException, root: Path) -> Problem:
    """Word an error met while opening or reading the project in `root`."""
    file, line = _place(error, root)
    message, next_step = _sentences(error)
    return Problem(_title(error), message, next_step, _short(file, root), line, _lines(file, line))


def _title(error: BaseException) -> str:
    titles = {
        "DeclarationError": "The project's code has an error",
        "ProjectNotFound": "There is no project in this folder",
        "HomeError": "The project's data cannot be opened",
        "UserCodeError": "The project's code failed",
        "SettingError": "A setting is not valid",
        "NotAllowed": "Your role does not allow this",
        "MissingExtra": "A part of Packyak is not installed",
    }
    if _syntax(error) is not None:
        return titles["DeclarationError"]
    return next((titles[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in titles), "This did not work")


def _sentences(error: BaseException) -> tuple[str, str]:
    syntax = _syntax(error)
    if isinstance(error, PackyakError):
        valid = f" Valid: {listed(error.choices)}." if error.choices else ""
        return f"{error.message.strip().rstrip('.')}.{valid}", error.next_step
    if syntax is error:
        return f"Python cannot read this file: {syntax.msg}.", "Mend the line and save the file."
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, ""


def _syntax(error: BaseException | None) -> SyntaxError | None:
    while error is not None:
        if isinstance(error, SyntaxError):
            return error
        error = error.__cause__
    return None


def _place(error: BaseException, root: Path) -> tuple[Path | None, int]:
    """The file and line that the error names, else the deepest line of its traceback inside the project."""
    named = getattr(error, "file", None)
    if named:
        path = Path(str(named))
        return path if path.is_absolute() else root / path, int(getattr(error, "line", 0) or 0)
    syntax = _syntax(error)
    if syntax is not None and syntax.filename:
        return Path(syntax.filename), syntax.lineno or 0
    cause: BaseException | None = error
    place: tuple[Path | None, int] = (None, 0)
    while cause is not None:
        for frame in traceback.extract_tb(cause.__traceback__):
            if Path(frame.filename).is_relative_to(root):
                place = (Path(frame.filename), frame.lineno or 0)
        cause = cause.__cause__
    return place


def _short(file: Path | None, root: Path) -> str:
    if file is None:
        return ""
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def _lines(file: Path | None, line: int) -> tuple[SourceLine, ...]:
    if file is None or not line:
        return ()
    try:
        text = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    first = max(line - AROUND, 1)
    rows = enumerate(text[first - 1 : line + AROUND], start=first)
    return tuple(SourceLine(number, row, number == line) for number, row in rows)
