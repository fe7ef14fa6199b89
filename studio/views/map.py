"""A map as its picture gets it: places in few bytes, a colour for each record, and the legend that explains them.

Pure: takes the engine's map, answers plain values. A column of few values is coloured by value, numbers and times from
low to high; a record without a value is grey.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.run.maps import Map
from packyak.studio.views import words

Scale = Literal["none", "values", "range"]
STEPS = 32_767
MOST_VALUES = 10
NONE, OTHERS, FULL = 255, 10, 250
SPREAD = (0.02, 0.98)  # a few extreme numbers must not take all the colours
LISTED = 200
NOTHING = "no value"


@dataclass(frozen=True)
class Entry:
    """One line of a legend. code: the colour's number; share: of the records that the map shows."""

    label: str
    code: int
    count: int


@dataclass(frozen=True)
class Cloud:
    """What is drawn. name: differs where places or records do. places: x and y of each as 16-bit numbers, codes: a
    colour each as one byte, both in base64. low, high: what the ends of a range mean."""

    name: str
    many: int
    places: str
    codes: str
    paint: str
    scale: Scale
    legend: tuple[Entry, ...] = ()
    low: str = ""
    high: str = ""


def cloud(found: Map) -> Cloud:
    """The map as a picture."""
    rows = found.rows
    flat = np.column_stack([rows[name].to_numpy() for name in ("x", "y")])
    packed = np.rint(flat * STEPS).astype("<i2").tobytes()
    codes, scale, legend, low, high = _colours(rows)
    keys = hashlib.blake2s("\0".join(rows["_key"].to_pylist()).encode(errors="surrogatepass") + packed, digest_size=8)
    paint = hashlib.blake2s(codes.tobytes() + repr((scale, legend, low, high)).encode(), digest_size=8)
    return Cloud(
        keys.hexdigest(),
        rows.num_rows,
        _text(packed),
        _text(codes.tobytes()),
        paint.hexdigest(),
        scale,
        legend,
        low,
        high,
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _colours(rows: pa.Table) -> tuple[Any, Scale, tuple[Entry, ...], str, str]:
    if "value" not in rows.column_names:
        return np.full(rows.num_rows, NONE, np.uint8), "none", (), "", ""
    values = rows["value"].combine_chunks()
    kind = values.type
    if pa.types.is_temporal(kind) or ((pa.types.is_floating(kind) or pa.types.is_integer(kind)) and _many(values)):
        return _range(values)
    return _values([None if each is None else label(each) for each in values.to_pylist()])


def _many(values: pa.Array) -> bool:
    return bool(pc.count_distinct(values).as_py() > MOST_VALUES)


def _values(labels: Sequence[str | None]) -> tuple[Any, Scale, tuple[Entry, ...], str, str]:
    counted = Counter(each for each in labels if each is not None)
    ranked = sorted(counted, key=lambda each: (-counted[each], each))
    own = {each: code for code, each in enumerate(ranked[:MOST_VALUES])}
    codes = np.array([NONE if each is None else own.get(each, OTHERS) for each in labels], np.uint8)
    legend = [Entry(each, code, counted[each]) for each, code in own.items()]
    if rest := ranked[MOST_VALUES:]:
        legend.append(Entry(f"{words.count(len(rest))} others", OTHERS, sum(counted[each] for each in rest)))
    if empty := len(labels) - sum(counted.values()):
        legend.append(Entry(NOTHING, NONE, empty))
    return codes, "values", tuple(legend), "", ""


def _range(values: pa.Array) -> tuple[Any, Scale, tuple[Entry, ...], str, str]:
    numbers = _numbers(values)
    there = np.isfinite(numbers)
    codes = np.full(len(numbers), NONE, np.uint8)
    legend = (Entry(NOTHING, NONE, int((~there).sum())),) if not there.all() else ()
    if not there.any():
        return codes, "range", legend, "", ""
    ordered = np.sort(numbers[there])
    low, high = (float(ordered[round(share * (len(ordered) - 1))]) for share in SPREAD)
    part = np.clip((numbers[there] - low) / ((high - low) or 1.0), 0, 1)
    codes[there] = np.rint(part * FULL).astype(np.uint8)
    names = [_end(end, values.type) for end in (low, high)]
    return codes, "range", legend, names[0], names[1]


def _numbers(values: pa.Array) -> Any:
    """As floating numbers; times as seconds since 1970, NaN where there is nothing."""
    kind = values.type
    if pa.types.is_date(kind):
        values = values.cast(pa.timestamp("s"))
    if pa.types.is_timestamp(values.type):
        values = pc.divide(values.cast(pa.timestamp("us", values.type.tz)).cast(pa.int64()).cast(pa.float64()), 1e6)
    elif pa.types.is_time(kind) or pa.types.is_duration(kind):
        values = values.cast(pa.int64())
    return values.cast(pa.float64()).fill_null(float("nan")).to_numpy(zero_copy_only=False)


def _end(number: float, kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return datetime.fromtimestamp(number, UTC).strftime("%-d %b %Y")
    return words.value(int(number) if number == int(number) else number)


def label(value: Any) -> str:
    """A value as the legend calls it."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return words.value(value, 40)


def hint(found: Map, row: int) -> dict[str, str]:
    """What is told of one record when it is pointed at."""
    one = found.rows.slice(row, 1).to_pylist()[0]
    told = {"name": words.record(str(one["_key"])), "text": str(one["text"] or "")}
    return {**told, "value": NOTHING if one["value"] is None else label(one["value"])} if "value" in one else told


def listed(found: Map) -> list[dict[str, str]]:
    """The records of a selection as a list, the first of them."""
    text = found.column if found.column != found.color else "text"
    rows = []
    for row in found.rows.slice(0, LISTED).to_pylist():
        value = {found.color: "" if row["value"] is None else label(row["value"])} if found.color else {}
        rows.append(
            {"record": words.record(str(row["_key"])), **value, text: " ".join(str(row["text"] or "").split())[:160]}
        )
    return rows


def shares(found: Map, most: int = 3) -> str:
    """How the values of the colour are spread over a selection."""
    values = [NOTHING if row is None else label(row) for row in found.rows["value"].to_pylist()]
    counted = Counter(values).most_common()
    told = [f"{value} {words.count(number)}" for value, number in counted[:most]]
    return " \N{MIDDLE DOT} ".join(
        [*told, *([f"{words.count(len(counted) - most)} more"] if len(counted) > most else [])]
    )


def facts(found: Map) -> str:
    """How many records the map shows, of how many, and what it leaves out."""
    told = words.counted(found.rows.num_rows, "record")
    if found.laid < found.total:
        told = f"A sample: {told} of {words.count(found.total)}"
    if found.lag:
        told += f" · {words.counted(found.lag, 'record')} wait for the index"
    return told


def columns(found: Sequence[tuple[str, str]], key: Sequence[str]) -> list[str]:
    """The columns worth colouring by: name and type of each; what is all different says nothing."""
    return [name for name, kind in found if name not in key and not kind.startswith(("list", "struct", "binary"))]
