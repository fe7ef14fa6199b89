"""Numbers and times as a person reads them. Standard library only."""

from __future__ import annotations

from datetime import datetime


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 record`, `1,204 records`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """`0.3 s`, `12 s`, `2 min 5 s`, `3 h 10 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def moment(iso: str | None) -> str:
    """A time as this machine's clock shows it, to the second; empty where there is none."""
    if not iso:
        return ""
    try:
        return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return iso


def signed(number: int | None) -> str:
    """`+12`, `-3`, and nothing for no change."""
    return f"{number:+,}" if number else ""
