"""Numbers, times and states in words, the same on every page."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packyak.engine.store.keys import decode_key

MINUS = "\N{MINUS SIGN}"
EMPTY = "\N{EM DASH}"
MOST_NUMBERS = 4
MIDNIGHT = " 00:00:00+00"
CONTENT = re.compile(r"([0-9a-f]{6})[0-9a-f]{10}\.\d+")  # a record without a key of its own: of what is in it


def count(number: float | None) -> str:
    """`1204` -> "1,204"; nothing known -> a dash."""
    if number is None:
        return EMPTY
    return f"{number:,.0f}"


def counted(number: int | None, noun: str) -> str:
    """`(1, "record")` -> "1 record", `(1204, "record")` -> "1,204 records"."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {plural(noun)}"


def plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def delta(number: int | None) -> str:
    """`12` -> "+12", `-3` -> the same with a true minus; zero and unknown say nothing."""
    if not number:
        return ""
    return f"+{number:,}" if number > 0 else f"{MINUS}{-number:,}"


def moment(text: str | None) -> datetime | None:
    """An ISO 8601 time, UTC where it names no zone; None where it is not one."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def age(text: str | None, now: datetime | None = None) -> str:
    """How long ago: "just now", "4 min ago", "3 h ago", "2 d ago", then the date."""
    then = moment(text)
    if then is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    for limit, size, unit in ((3600, 60, "min"), (86400, 3600, "h"), (30 * 86400, 86400, "d")):
        if seconds < limit:
            return f"{int(seconds // size)} {unit} ago" if seconds >= 60 else "just now"
    return then.astimezone().strftime("%-d %b %Y")


def short_age(text: str | None, now: datetime | None = None) -> str:
    """How long ago in few letters: "now", "4m ago", "3h ago", "2d ago"."""
    long = age(text, now)
    return long.replace(" min ", "m ").replace(" h ", "h ").replace(" d ", "d ").replace("just now", "now")


def clock(text: str | None) -> str:
    """A time on this machine's clock: "22 Nov 2026, 13:04:09"."""
    then = moment(text)
    return then.astimezone().strftime("%-d %b %Y, %H:%M:%S") if then else ""


def duration(seconds: float | None) -> str:
    """`0.42` -> "0.4 s", `0.01` -> "<0.1 s", `75` -> "1 min 15 s", `3600` -> "1 h", `180000` -> "2 d 2 h"."""
    if seconds is None or seconds < 0:
        return ""
    if 0 < seconds < 0.05:
        return "<0.1 s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return _both(f"{int(seconds // 60)} min", int(seconds % 60), "s")
    if seconds < 2 * 86400:
        return _both(f"{int(seconds // 3600)} h", int(seconds % 3600 // 60), "min")
    return _both(f"{seconds // 86400:,.0f} d", int(seconds % 86400 // 3600), "h")


def _both(large: str, rest: int, unit: str) -> str:
    return f"{large} {rest} {unit}" if rest else large


def value(thing: Any, limit: int = 0) -> str:
    """A field's value as plain text; `limit` cuts it to that many characters."""
    if thing is None:
        return EMPTY
    if isinstance(thing, bool):
        text = "true" if thing else "false"
    elif isinstance(thing, int):
        text = f"{thing:,}"
    elif isinstance(thing, float):
        text = f"{thing:,.6g}"
    elif isinstance(thing, datetime):
        text = thing.strftime("%Y-%m-%d %H:%M:%S")
    elif isinstance(thing, bytes):
        text = f"{len(thing):,} bytes"
    elif isinstance(thing, list) and len(thing) > MOST_NUMBERS and all(isinstance(each, float) for each in thing):
        head = ", ".join(f"{each:.4g}" for each in thing[:MOST_NUMBERS])
        text = f"[{head}, \N{HORIZONTAL ELLIPSIS}] {len(thing):,} numbers"
    elif isinstance(thing, (list, dict)):
        text = json.dumps(thing, ensure_ascii=False, default=str)
    else:
        text = str(thing)
    return text if not limit or len(text) <= limit else f"{text[: limit - 1]}\N{HORIZONTAL ELLIPSIS}"


def listed(names: list[str] | tuple[str, ...], limit: int = 3) -> str:
    """ "a", "a and b", "a, b and c", "a, b and 4 more"."""
    if len(names) <= 1:
        return "".join(names)
    if len(names) <= limit:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{', '.join(names[: limit - 1])} and {len(names) - limit + 1} more"


def tilde(place: str | Path) -> str:
    """A place as people say it: `~/work/inbox`; what is no path here, such as an S3 address, stays as it is."""
    path, home = Path(place), Path.home()
    if "://" in str(place) or not path.is_relative_to(home) or path == home:
        return str(place)
    return f"~/{path.relative_to(home)}"


def sentence(text: str) -> str:
    """Text with a capital at its start and a stop at its end."""
    text = text.strip()
    stop = "" if not text or text[-1] in ".!?" else "."
    first = text.split(maxsplit=1)[0] if text else ""
    name = "_" in first or "/" in first  # of a column or a file: it stays as it is
    capital = text[:1] if name else text[:1].upper()
    return f"{capital}{text[1:]}{stop}"


def record(key: str) -> str:
    """What a record is called: its key, or the values that it has. `10:2026-06-01|5:other` -> "2026-06-01, other"."""
    parts = decode_key(key)
    if parts is None:
        found = CONTENT.fullmatch(key)
        return f"#{found[1]}" if found else key.removesuffix(MIDNIGHT)
    return ", ".join(EMPTY if part is None else record(part) for part in parts)


def literal(text: object) -> str:
    """Any text as Markdown that shows exactly it, for labels that Streamlit reads as Markdown."""
    escaped = "".join(f"\\{char}" if char in "\\`*_{}[]()<>#+-.!|~$:" else char for char in str(text))
    return escaped.replace("\r", " ").replace("\n", " ")
