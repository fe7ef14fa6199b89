"""What a command prints, and how it ends: answers on standard output, one clear text about an error on standard error.

With --json, standard output holds exactly one JSON document, an error included. Exit codes are part of the face:
scripts rely on them. Standard library only.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from packyak.engine import errors
from packyak.engine.settings import strange_variables

DONE = 0
NOT_UP_TO_DATE = 1  # an asset failed or is blocked
WRONG = 2  # usage, a declaration, a setting, a query, a key: what was asked cannot be done
BUSY = 3
BROKEN = 70  # an error in Packyak itself (EX_SOFTWARE of sysexits.h)
CANCELLED = 130
NOT_READ = 141  # whoever read the output went away

CODES: Mapping[type[BaseException], int] = {
    errors.RunBusy: BUSY,
    errors.RunCancelled: CANCELLED,
    errors.RunFailed: NOT_UP_TO_DATE,
    errors.CheckFailed: NOT_UP_TO_DATE,
    errors.UserCodeError: NOT_UP_TO_DATE,
    errors.PublishFailed: NOT_UP_TO_DATE,
    errors.NotConfirmed: NOT_UP_TO_DATE,
}


def prepare_streams() -> None:
    """A terminal that cannot show a letter gets a stand-in for it; nothing fails for want of an encoding."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and not speaks_unicode(stream):
            reconfigure(errors="replace")


def speaks_unicode(stream: TextIO) -> bool:
    """Whether every letter can be written to a stream."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "").startswith("utf")


def on_terminal(stream: TextIO) -> bool:
    """Whether a person watches a stream on a terminal that can redraw."""
    return stream.isatty() and os.environ.get("TERM", "") != "dumb"


def say(text: str = "") -> None:
    """One line of the answer."""
    print(text, flush=True)


def note(text: str) -> None:
    """One line beside the answer."""
    print(text, file=sys.stderr, flush=True)


def note_variables() -> None:
    """Beside the answer: variables that somebody set for nothing."""
    for sentence in strange_variables():
        note(sentence)


def not_read() -> int:
    """Whoever read the answer went away, and what is still in the buffer has no reader; answers the exit code."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NOT_READ


def say_json(value: Any) -> None:
    """The answer as one JSON document."""
    say(json.dumps(plain(value), indent=2, ensure_ascii=not speaks_unicode(sys.stdout), allow_nan=False))


def plain(value: Any) -> Any:
    """A value as JSON has it: times in ISO 8601, bytes in base64, NaN and infinities null, anything else as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return _plain_special(value)


def _plain_special(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        import base64

        return base64.b64encode(value).decode()
    if hasattr(value, "to_pylist"):
        return plain(value.to_pylist())
    return str(value)


_ELSEWHERE, _RIGHTS = "name another place", "give your user the right to it, or name another place"
_PLACES = {
    errno.ENOENT: _ELSEWHERE, errno.ENOTDIR: _ELSEWHERE, errno.EISDIR: _ELSEWHERE, errno.EEXIST: _ELSEWHERE,
    errno.ENAMETOOLONG: "give a shorter name", errno.EACCES: _RIGHTS, errno.EPERM: _RIGHTS, errno.EROFS: _RIGHTS,
    errno.ENOSPC: "make room there, then try again", errno.EDQUOT: "make room there, then try again",
}  # fmt: skip
_FULL = (errno.ENOSPC, errno.EDQUOT)  # of an opened file, whose name nobody tells


def exit_code(error: BaseException) -> int:
    """How a command ends that an error ended."""
    if isinstance(error, KeyboardInterrupt):
        return CANCELLED
    found = next((code for kind, code in CODES.items() if isinstance(error, kind)), None)
    if found is not None:
        return found
    return WRONG if isinstance(error, errors.PackyakError) and not _is_ours(error) else BROKEN


def _is_ours(error: errors.PackyakError) -> bool:
    """Something unexpected in the worker arrives as a PackyakError that names the original."""
    return type(error) is errors.PackyakError and "original" in error.fields


def say_error(error: BaseException, *, as_json: bool = False, verbose: bool = False) -> int:
    """Tells a person, or a script, what went wrong; answers the exit code."""
    error = _of_a_place(error)
    code = exit_code(error)
    if as_json:
        as_json = _told(_error_json(error, code))
    if code == BROKEN or (verbose and error.__cause__ is not None):
        import traceback

        shown = error if code == BROKEN else error.__cause__
        from packyak.engine.store.secret import hidden

        note(hidden("".join(traceback.format_exception(shown)).rstrip()))
    if not as_json:
        note(_error_text(error, code))
    return code


def _told(answer: dict[str, Any]) -> bool:
    """Whether the error could be said where the answer belongs: that may be the very place that has no room."""
    try:
        say_json(answer)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def _of_a_place(error: BaseException) -> BaseException:
    """A file or folder that cannot be used is the place's fault, not ours: said in a sentence, with what to do."""
    if not isinstance(error, OSError) or error.errno not in _PLACES:
        return error
    if not error.filename and error.errno not in _FULL:
        return error
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    said = errors.PackyakError(what, next_step=_PLACES[error.errno])
    said.__cause__ = error
    return said


def _error_text(error: BaseException, code: int) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "Cancelled."
    if code == BROKEN:
        return f"This is an error in Packyak itself: {type(error).__name__}: {error}"
    return str(error)


def _error_json(error: BaseException, code: int) -> dict[str, Any]:
    if isinstance(error, errors.PackyakError):
        return {**error.to_json(), "exit_code": code}
    return {"error": type(error).__name__, "message": str(error), "next_step": "", "exit_code": code}
