"""From what a function answered to rows that can be stored: typed columns, stable keys, and an error per record that
has none.

Declared columns are typed as declared; columns of plain dicts are typed as seen. Keys are text: one key column as its
own text, several length-prefixed so that ("ab", "c") and ("a", "bc") differ.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import attrgetter, itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import Column, TransformNode
from packyak.engine.declare.readers import Reading
from packyak.engine.errors import DataError, nearest
from packyak.engine.run.read.view import KEY, PARENT
from packyak.engine.run.types import arrow_type, as_texts, type_name
from packyak.engine.store.keys import encode_key
from packyak.engine.store.shape import check_names

CHUNK = 10_000


@dataclass
class Rows:
    """Rows ready to store. `errors`: by place in what was given. `left_out`: records that could not be stored, in
    words. `unstored`: columns that cannot be. `notes`: what else is worth telling.
    """

    table: pa.Table
    errors: dict[int, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    unstored: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


def is_own(column: str) -> bool:
    """Whether a column's name is of Packyak's own kind, under which nobody else's values are stored."""
    return column.startswith("_")


def unstored_of(columns: Iterable[str]) -> tuple[str, ...]:
    """The columns that are left out for their names; the keys of a view, handed on, are nobody's loss."""
    return tuple(name for name in columns if is_own(name) and name not in (KEY, PARENT))


def one_each(node: TransformNode, keys: Sequence[str] | pa.Array, values: Sequence[Any]) -> Rows:
    """Rows of a one-to-one transform: `values[i]` is the answer for the record `keys[i]`."""
    arrays, errors = columns_of(values, node.columns or (), scalar=node.returns == "scalar")
    names = [KEY, *(column.name for column in node.columns or ())]
    return Rows(pa.table([as_texts(keys), *arrays], names=names), errors)


def columns_of(
    values: Sequence[Any], columns: Sequence[Column], *, scalar: bool
) -> tuple[list[pa.Array], dict[int, str]]:
    """The answers as one array per declared column; answers that do not fit are null there and an error by index."""
    errors: dict[int, str] = {}
    if scalar:
        return [typed(values, columns[0], errors)], errors
    kinds = set(map(type, values))
    if len(kinds) == 1 and dataclasses.is_dataclass(kinds.pop()):
        getters = [attrgetter(column.name) for column in columns]
        return [
            typed(list(map(get, values)), column, errors) for get, column in zip(getters, columns, strict=True)
        ], errors
    records: list[Mapping[str, Any] | None] = []
    for index, value in enumerate(values):
        record = None if value is None else as_record(value)
        if value is not None and record is None:
            errors[index] = f"answered {type(value).__name__}, which has no fields {', '.join(c.name for c in columns)}"
        records.append(record)
    arrays = []
    for column in columns:
        arrays.append(
            typed([None if record is None else record.get(column.name) for record in records], column, errors)
        )
    return arrays, errors


def as_record(value: Any) -> Mapping[str, Any] | None:
    """A dict, dataclass or pydantic model as a mapping of its fields; None for anything else."""
    if type(value) is dict or isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    dump = getattr(value, "model_dump", None)
    return dump() if callable(dump) else None


def typed(values: Sequence[Any], column: Column, errors: dict[int, str]) -> pa.Array:
    """One column of the declared type. What does not fit becomes null and is told in `errors`."""
    kind = arrow_type(column.type)
    plain = values
    if column.type == "json":
        plain = [None if value is None else json.dumps(value, sort_keys=True, default=str) for value in values]
    elif column.choices is not None or column.type.startswith(("list", "struct")):
        plain = [_plain(value) for value in values]
    try:
        array = pa.array(plain, kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        array = pa.array([_fitting(value, kind, index, column, errors) for index, value in enumerate(plain)], kind)
    return _among_choices(array, column, errors) if column.choices is not None else array


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    record = as_record(value)
    return value if record is None else {name: _plain(item) for name, item in record.items()}


def _fitting(value: Any, kind: pa.DataType, index: int, column: Column, errors: dict[int, str]) -> Any:
    try:
        pa.array([value], kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        shown = repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."
        errors.setdefault(
            index, f"{column.name} is declared {column.type}, but the answer was {shown} ({type(value).__name__})"
        )
        return None
    return value


def _among_choices(array: pa.Array, column: Column, errors: dict[int, str]) -> pa.Array:
    allowed = pa.array(list(column.choices or ()), array.type)
    wrong = pc.and_(pc.is_valid(array), pc.invert(pc.is_in(array, allowed)))
    if not pc.any(wrong).as_py():
        return array
    choices = ", ".join(repr(choice) for choice in column.choices or ())
    for index in pc.indices_nonzero(wrong).to_pylist():
        errors.setdefault(index, f"{column.name} may be {choices}, but the answer was {array[index].as_py()!r}")
    return pc.if_else(wrong, pa.scalar(None, array.type), array)


def several(node: TransformNode, unit: str, answer: Any, known: Mapping[str, pa.DataType]) -> Rows:
    """Rows of one record or file of a one-to-many transform. `known`: types its dict columns had so far.

    Raises DataError when the answer as a whole cannot be stored: the unit then keeps its last good records.
    """
    table, errors = _table_of(node, answer)
    if node.columns is None:
        own = [name for name in table.column_names if not is_own(name)]
        check_names([*known, *(name for name in own if name not in known)], node.name)
        table = _agreeing(table, known)
    rows = Rows(table, errors)
    if errors:
        _leave_out(rows, sorted(errors), f"{_records(len(errors))} left out: {next(iter(errors.values()))}")
    _add_keys(node, unit, rows)
    return rows


def _table_of(node: TransformNode, answer: Any) -> tuple[pa.Table, dict[int, str]]:
    if hasattr(answer, "to_arrow"):
        answer = answer.to_arrow()
    if isinstance(answer, pa.RecordBatch):
        answer = pa.Table.from_batches([answer])
    if isinstance(answer, pa.Table):
        return answer, {}
    items = list(answer or ())
    if node.columns is None:
        return table_of_dicts(items), {}
    arrays, errors = columns_of(items, node.columns, scalar=node.returns == "scalar")
    return pa.table(arrays, names=[column.name for column in node.columns]), errors


def table_of_dicts(items: Sequence[Any]) -> pa.Table:
    """Dicts as a table, a column for every name seen. Raises DataError naming the column whose values do not agree."""
    if set(map(type, items)) == {dict} and (table := _plain_dicts(items)) is not None:
        return table
    records = [as_record(item) for item in items]
    wrong = next((index for index, record in enumerate(records) if record is None), None)
    if wrong is not None:
        raise DataError(
            f"record {wrong + 1} is {type(items[wrong]).__name__}, not a dict",
            next_step="yield dicts or a record class",
        )
    names = dict.fromkeys(name for record in records for name in record)  # type: ignore[union-attr]
    arrays = [_seen_type(name, [record.get(name) for record in records]) for name in names]  # type: ignore[union-attr]
    return pa.table(arrays, names=[str(name) for name in names])


def table_of_many(items: Iterable[Any]) -> pa.Table:
    """Like `table_of_dicts`, taking the dicts as they come: what a large file yields is never all dicts at once, and
    what `yield from read_csv(file)` hands through is no dicts at all.
    """
    coming = iter(items)
    parts: list[pa.Table] = []
    some = list(islice(coming, 1))
    while some:
        if (reading := _handed_through(coming)) is None:
            some += islice(coming, CHUNK - 1)
            parts.append(table_of_dicts(some))
            some = list(islice(coming, 1))
        else:
            parts.append(table_of_dicts(some))
            some = _take_rest(coming, reading, parts)
    try:
        return pa.concat_tables(parts, promote_options="permissive") if parts else table_of_dicts([])
    except (pa.ArrowException, TypeError):
        raise _disagreement(parts) from None


def _handed_through(coming: Iterator[Any]) -> Reading | None:
    """The records that a generator's `yield from` is handing through, where what is left of them can be had whole."""
    inner: Any = coming
    while inspect.isgenerator(inner):
        inner = inner.gi_yieldfrom
    return inner if isinstance(inner, Reading) and inner.rest is not None else None


def _take_rest(coming: Iterator[Any], reading: Reading, parts: list[pa.Table]) -> list[Any]:
    """Adds what is left of the records to `parts`; answers the next thing that the generator yields behind them."""
    assert reading.rest is not None
    try:
        for part in reading.rest():
            if isinstance(part, pa.Table):
                parts.append(part)
                continue
            while some := list(islice(part, CHUNK)):
                parts.append(table_of_dicts(some))
    except Exception as error:  # raised where it would have been: the generator may know what to do
        try:
            return [coming.throw(error)]  # type: ignore[attr-defined]
        except StopIteration:
            return []
    return list(islice(coming, 1))


def _disagreement(parts: Sequence[pa.Table]) -> DataError:
    kinds: dict[str, dict[str, None]] = {}
    for part in parts:
        for column in part.schema:
            kinds.setdefault(column.name, {})[type_name(column.type)] = None
    name = next((name for name, seen in kinds.items() if len(seen) > 1), "")
    return DataError(
        f"column {name!r} holds {' and '.join(kinds.get(name, {}))} values",
        next_step="convert them to one type before yielding",
    )


def _plain_dicts(items: Sequence[dict[str, Any]]) -> pa.Table | None:
    """Dicts of plain values in one go; None where some value needs a closer look."""
    try:
        columns = _columns_of_equal_dicts(items)
    except KeyError:
        names = dict.fromkeys(chain.from_iterable(items))
        columns = {name: [item.get(name) for item in items] for name in names}
    try:
        arrays = {str(name): pa.array(values) for name, values in columns.items()}
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
    return None if any(pa.types.is_timestamp(each.type) for each in arrays.values()) else pa.table(arrays)


def _columns_of_equal_dicts(items: Sequence[dict[str, Any]]) -> dict[Any, list[Any]]:
    """Raises KeyError where not all have the names of the first: one lacks a name, or one has more of them."""
    if len(items[0]) * len(items) != sum(map(len, items)):
        raise KeyError
    return {name: list(map(itemgetter(name), items)) for name in items[0]}


def _seen_type(name: str, values: list[Any]) -> pa.Array:
    plain = [_plain(value) for value in values]
    try:
        array = pa.array(plain)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        kinds = sorted({type(value).__name__ for value in plain if value is not None})
        raise DataError(
            f"column {name!r} holds {' and '.join(kinds)} values", next_step="convert them to one type before yielding"
        ) from None
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp("us", tz="UTC"), safe=False)
    return array


def _agreeing(table: pa.Table, known: Mapping[str, pa.DataType]) -> pa.Table:
    """Seen columns in the types that the asset has already; whole numbers may widen, anything else is the author's to
    decide.
    """
    for place, column in enumerate(table.schema):
        wanted = known.get(column.name)
        if wanted is None or wanted == column.type or pa.types.is_null(wanted):
            continue
        if table[column.name].null_count == table.num_rows or (
            pa.types.is_floating(wanted) and pa.types.is_integer(column.type)
        ):
            table = table.set_column(place, column.name, table[column.name].cast(wanted))
        elif not (pa.types.is_integer(wanted) and pa.types.is_floating(column.type)):
            raise DataError(
                f"column {column.name!r} is {type_name(column.type)} here and {type_name(wanted)} in what is stored",
                next_step=f"convert {column.name!r} to one type in the function",
            )
    return table


def _add_keys(node: TransformNode, unit: str, rows: Rows) -> None:
    table = rows.table
    if node.key:
        keys = _named_key(node.key[0], table, rows, node.name)
        table = rows.table
    elif node.key_in_parent:
        own = _named_key(node.key_in_parent, table, rows, node.name)
        table = rows.table
        keys = pa.array([encode_key((unit, key)) for key in own.to_pylist()], pa.string())
    else:
        keys = pa.array(_content_keys(unit, table), pa.string())
    parents = pa.repeat(pa.scalar(unit, pa.string()), table.num_rows)
    data = {name: table[name] for name in table.column_names if not is_own(name)}
    rows.unstored = unstored_of(table.column_names)
    rows.table = pa.table({KEY: keys, PARENT: parents, **data})
    _last_of_equal_keys(rows)


def _records(count: int) -> str:
    return f"{count:,} record{'' if count == 1 else 's'}"


def _key_step(name: str, there: Sequence[str]) -> str:
    """What to do where the key is not among the columns; a CSV file read with the wrong delimiter has one column."""
    sign = next((sign for sign in (";", "\t", "|") if len(there) == 1 and sign in there[0]), "")
    if sign:
        return f"give what separates the columns: read_csv(file, delimiter={sign!r})"
    meant = nearest(name, there)
    return f"did you mean {meant!r}?" if meant else f"yield {name!r}, or name another of {', '.join(there)} as key"


def _named_key(name: str, table: pa.Table, rows: Rows, asset: str) -> pa.Array:
    if name not in table.column_names:
        if not table.num_rows:
            return pa.array([], pa.string())
        raise DataError(
            f"the records of {asset} have no field {name!r}, which is its key",
            next_step=_key_step(name, table.column_names),
        )
    empty = pc.is_null(table[name])
    if pc.any(empty).as_py():
        places = pc.indices_nonzero(empty).to_pylist()
        _leave_out(
            rows,
            places,
            f"{_records(len(places))} without {name} left out (the first is number {places[0] + 1})",
        )
    keys = rows.table[name].cast(pa.string())
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys


def _leave_out(rows: Rows, places: Iterable[int], note: str) -> None:
    gone = set(places)
    rows.left_out.append(note)
    rows.table = rows.table.take(pa.array([i for i in range(rows.table.num_rows) if i not in gone], pa.int64()))


def _last_of_equal_keys(rows: Rows) -> None:
    """One parent may name a key twice: the last one stands, as it would in a dict, and the clash is told."""
    keys = rows.table[KEY]
    if pc.count_distinct(keys).as_py() == rows.table.num_rows:
        return
    last = {key: place for place, key in enumerate(keys.to_pylist())}
    double = rows.table.num_rows - len(last)
    repeat = "repeats" if double == 1 else "repeat"
    rows.notes.append(f"{_records(double)} {repeat} a key of the same file or parent; the last one of each stands")
    rows.table = rows.table.take(pa.array(sorted(last.values()), pa.int64()))


def _content_keys(unit: str, table: pa.Table) -> list[str]:
    seen: dict[str, int] = {}
    keys = []
    for row in table.to_pylist():
        text = json.dumps(row, sort_keys=True, default=str)
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        occurrence = seen[digest] = seen.get(digest, -1) + 1
        keys.append(encode_key((unit, f"{digest}.{occurrence}")))
    return keys
