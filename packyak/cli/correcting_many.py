"""`packyak correct` on many records: by a condition, a list of keys, or by spreading one fix to records like it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from packyak.cli.asking import Desk
from packyak.cli.say import DONE, note, say, say_json
from packyak.cli.tables import cell, show_table
from packyak.cli.words import counted
from packyak.engine.errors import PackyakError


@dataclass(frozen=True)
class Many:
    """What a person says of many records. words: as given on the command line."""

    words: tuple[str, ...]
    why: str = ""
    by: str | None = None
    null: bool = False
    preview: bool = False
    as_json: bool = False

    def take(self, *names: str) -> tuple[str, ...]:
        """The words, which must be these."""
        if len(self.words) != len(names):
            raise PackyakError(
                f"it takes {' '.join(names)} here, not {len(self.words)} words",
                next_step=f"packyak correct {' '.join(names)} ...",
            )
        return self.words


def correct_many(desk: Desk, many: Many, where: str | None, keys: str | None) -> int:
    """One value for all records that fulfil a condition, or with these keys."""
    if many.null:
        asset, column, value = *many.take("ASSET", "COLUMN"), None
    else:
        asset, column, value = many.take("ASSET", "COLUMN", "VALUE")
    named = {
        "where": where,
        "keys": keys_of(keys),
        "preview": many.preview,
        "by": many.by or desk.person,
        "why": many.why,
    }
    return _tell(desk.ask("correct_where", asset, column, value, **named), many)


def spread(desk: Desk, many: Many, keys: str) -> int:
    """The value of one corrected record for other records."""
    asset, key, column = many.take("ASSET", "KEY", "COLUMN")
    named = {"preview": many.preview, "by": many.by or desk.person, "why": many.why}
    return _tell(desk.ask("spread", asset, key, column, keys_of(keys), **named), many)


def list_similar(desk: Desk, many: Many, k: int) -> int:
    """The records that would get the same fix."""
    asset, key, column = many.take("ASSET", "KEY", "COLUMN")
    found = desk.ask("similar", asset, key, column, k)
    if many.as_json:
        say_json(found)
        return DONE
    names = list(dict.fromkeys(name for each in found.neighbours for name in each.inputs))
    rows = [
        (
            each.key,
            each.value,
            "" if each.similarity is None else f"{each.similarity:.2f}",
            *map(each.inputs.get, names),
        )
        for each in found.neighbours
    ]
    show_table(("record", column, "like it", *names), rows, right=("like it",))
    keys = ",".join(each.key for each in found.neighbours)
    if keys:
        note(
            f"Nothing is changed. Next: `packyak correct {asset} {key} {column} --spread {keys}` "
            f"makes them {cell(found.value) or 'null'} too"
        )
    else:
        note(f"No other record has {cell(found.was) or 'null'} there and waits for a person")
    return DONE


def keys_of(text: str | None) -> list[str] | None:
    """Keys from one text with commas between; None where there is none."""
    return None if text is None else [key for part in text.split(",") if (key := part.strip())]


def _tell(found: Any, many: Many) -> int:
    if many.as_json:
        say_json(found)
        return DONE
    for each in found.examples:
        say(f"~ {cell(each.key)}: {cell(each.before) or 'null'} -> {cell(each.after) or 'null'}")
    if found.count > len(found.examples):
        say(f"  and {found.count - len(found.examples):,} more")
    same = f"; {found.same:,} have the value already" if found.same else ""
    decided = f"; {found.decided:,} of them had been decided by a person" if found.decided else ""
    verb = "would change" if many.preview else "corrected"
    say(f"{counted(found.count, 'record')} {verb}{decided}{same}")
    if found.id:
        note(f"`packyak correct --undo {found.id}` takes all of it back; `packyak run` carries it on")
    return DONE
