"""Files of records: CSV and JSON lines, as dicts one by one or as an Arrow table at once, with equal records both ways.

Values of a CSV file stay the strings they are ("" stays ""); nothing is guessed. `types={"n": int}` converts columns,
and there an empty value is None. Blank lines are skipped. What is wrong is told with file, line and the argument that
helps. An empty file, or one with a header only, has no records.
"""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import chain, repeat
from operator import length_hint
from typing import IO, TYPE_CHECKING, Any

from packyak.engine.declare.bucket import File
from packyak.engine.declare.csv_blocks import blocks, suits
from packyak.engine.errors import DataError, nearest

if TYPE_CHECKING:
    import pyarrow as pa

    _Map = map[dict[str, Any]]
else:
    _Map = map

CELL_LIMIT = 2**31 - 1
TRUE, FALSE = ("true", "1", "yes", "t", "y"), ("false", "0", "no", "f", "n")


class Reading(_Map):
    """Records one by one. `rest`, where there is one, answers those not taken yet in parts, each to be taken before the
    next: an Arrow table or, where a part is not to be had so, an iterator of dicts. Nothing is left then to be taken
    one by one.
    """

    rest: Callable[[], Iterator[pa.Table | Iterator[dict[str, Any]]]] | None = None


class Records(Iterator[dict[str, Any]]):
    """The records of one file: iterate them, or take them whole with `to_arrow()`."""

    def __init__(self, rows: Callable[[], Iterator[dict[str, Any]]], table: Callable[[], pa.Table]) -> None:
        self._rows, self._table = rows, table
        self._started: Iterator[dict[str, Any]] | None = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if self._started is None:
            self._started = self._rows()
        return self._started  # the generator itself: `yield from` then takes each record without a call of ours

    def __next__(self) -> dict[str, Any]:
        if self._started is None:
            self._started = self._rows()
        return next(self._started)

    def to_arrow(self) -> pa.Table:
        """All records as an Arrow table; for large files many times faster than one by one."""
        if self._started is not None:
            raise DataError("Some records were already taken one by one", next_step="call to_arrow() on a fresh reader")
        return self._table()


def read_csv(
    file: File,
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    types: Mapping[str, Callable[[str], Any]] | None = None,
) -> Records:
    """The records of a CSV file with a header line.

    types: columns to convert: `int`, `float`, `bool`, `datetime`, `date` or any function of a string. encoding: as
    Python names it; a byte order mark is dropped. Raises DataError while reading, naming file and line.

        @transform(inbox.files("*.csv"), key="id")
        def orders(file: File) -> Iterator[dict]:
            yield from read_csv(file, types={"amount": float})
    """
    source = _Csv(file, delimiter, encoding, dict(types or {}))
    return Records(source.rows, source.table)


def read_jsonl(file: File, *, encoding: str = "utf-8") -> Records:
    """The records of a file with one JSON object a line.

    Raises DataError while reading, naming file and line. In `to_arrow()` a field that a record lacks is null.
    """
    source = _JsonLines(file, encoding)
    return Records(source.rows, source.table)


def to_bool(text: str) -> bool:
    """true/false, yes/no, t/f, y/n or 1/0 in any case."""
    word = text.strip().lower()
    if word in TRUE or word in FALSE:
        return word in TRUE
    raise ValueError(f"{text!r} is neither true nor false")


PARSERS: dict[Any, Callable[[str], Any]] = {bool: to_bool, datetime: datetime.fromisoformat, date: date.fromisoformat}


class _Csv:
    def __init__(self, file: File, delimiter: str, encoding: str, types: dict[str, Any]) -> None:
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise DataError(
                f"{delimiter!r} cannot delimit values", next_step="give one character, such as ';' or '\\t'"
            )
        self.file, self.delimiter, self.encoding = file, delimiter, encoding
        self.parsers = {name: PARSERS.get(kind, kind) for name, kind in types.items()}

    def rows(self) -> Iterator[dict[str, Any]]:
        parts = self._parts()
        file = _Parts(next(parts, []), parts)
        rows = Reading(dict, map(zip, repeat(file.names), chain.from_iterable(file.values())))  # no call of ours each
        if not self.parsers:  # what was converted gets its column's type from all that a file holds
            rows.rest = file.rest
        return rows

    def table(self) -> pa.Table:
        import pyarrow as pa

        parts = self._parts()
        names: list[str] = next(parts, [])
        tables = [part if isinstance(part, pa.Table) else self._built(names, part) for part in parts]
        filled = [table for table in tables if table.num_rows] or tables[:1]  # an empty one knows no types
        return pa.concat_tables(filled, promote_options="permissive") if filled else pa.table({})

    def _parts(self) -> Iterator[Any]:
        """The names of the columns, then the records in one part or several: blocks as tables, and what is not read in
        blocks as an iterator over each record's values."""
        names: list[str] = []
        end, line = 0, 1
        with self.file.open() as raw:
            if suits(self._size(raw), self.encoding, self.delimiter):
                for block in blocks(raw, self.delimiter):
                    if not names:
                        names = self._names(block.table.column_names, 1)
                        yield names
                    try:
                        table = self._converted(block.table)
                    except (ValueError, TypeError, ArithmeticError):
                        break  # one by one, the value at fault is found
                    yield table
                    end, line = block.end, line + block.lines
                raw.seek(end)
            values = self._values(raw, names if end else [], line)
            if not end and (header := next(values, None)) and not names:
                yield header
            yield values

    def _size(self, raw: IO[bytes]) -> int:
        size = raw.seek(0, io.SEEK_END)
        raw.seek(0)
        return size

    def _values(self, raw: IO[bytes], names: list[str], start: int) -> Iterator[list[Any]]:
        """The values of each record from line `start` on, before them the names where they are not known yet.

        One flat loop: it is what a large file costs that cannot be read in blocks.
        """
        if csv.field_size_limit() < CELL_LIMIT:
            csv.field_size_limit(CELL_LIMIT)  # the module's own limit refuses cells above 128 kB
        codec = "utf-8" if start > 1 else _codec(self.encoding, self.file)  # a byte order mark is at the start only
        with io.TextIOWrapper(raw, codec, newline="") as text:
            reader = csv.reader(text, delimiter=self.delimiter, strict=True)
            parsers = self._places(names)
            before = start - 1
            try:
                for values in reader:
                    row: list[Any] = values
                    if row and not names:
                        names = self._names(row, start)
                        parsers = self._places(names)
                        yield names
                    elif row:
                        if len(row) != len(names):
                            raise self._ragged(start, row, names)
                        for place, name, parse in parsers:
                            row[place] = self._parsed(row[place], name, parse, start)
                        yield row
                    start = before + reader.line_num + 1
            except csv.Error as problem:
                raise _broken(
                    self.file, start, f"cannot be read as CSV: {problem}", "check the quotes of that line"
                ) from None
            except UnicodeDecodeError as problem:
                raise _undecodable(self.file, self.encoding, problem) from None

    def _places(self, names: list[str]) -> list[tuple[int, str, Callable[[str], Any]]]:
        return [(names.index(name), name, parse) for name, parse in self.parsers.items()] if names else []

    def _names(self, header: list[str], line: int) -> list[str]:
        for place, name in enumerate(header):
            if not name.strip():
                raise _broken(self.file, line, f"has no name for column {place + 1} in its header", "name every column")
            if name in header[:place]:
                first = header.index(name) + 1
                raise _broken(
                    self.file,
                    line,
                    f"names `{name}` twice in its header (columns {first} and {place + 1})",
                    "rename one of them",
                )
        for name in self.parsers:
            if name not in header:
                meant = nearest(name, header)
                raise _broken(
                    self.file, line, f"has no column `{name}`, which types= converts",
                    f"did you mean `{meant}`?" if meant else f"name one of: {', '.join(header)}",
                )  # fmt: skip
        return header

    def _ragged(self, line: int, values: list[str], names: list[str]) -> DataError:
        guess = next((each for each in ";\t|" if each != self.delimiter and each in names[0] and len(names) == 1), None)
        return _broken(
            self.file, line, f"has {len(values)} values where the header names {len(names)} columns",
            f"give delimiter={guess!r}" if guess else "mend the line, or quote the values that hold the delimiter",
        )  # fmt: skip

    def _parsed(self, text: str, name: str, parse: Callable[[str], Any], line: int) -> Any:
        if text == "":
            return None
        try:
            return parse(text)
        except (ValueError, TypeError, ArithmeticError) as problem:
            kind = getattr(parse, "__name__", str(parse)).removeprefix("to_").replace("fromisoformat", "an ISO date")
            raise _broken(
                self.file, line, f"holds {text[:80]!r} in `{name}`, which is no {kind}: {problem}",
                f"mend the value, or leave `{name}` out of types= and convert it in the function",
            ) from None  # fmt: skip

    def _built(self, names: list[str], rows: Iterable[list[Any]]) -> pa.Table:
        import pyarrow as pa

        columns = list(zip(*rows, strict=True)) or [()] * len(names)
        arrays = [self._array(name, column) for name, column in zip(names, columns, strict=True)]
        return pa.table(arrays, names=names)

    def _array(self, name: str, values: Sequence[Any]) -> pa.Array:
        import pyarrow as pa

        kinds = {int: pa.int64(), float: pa.float64(), to_bool: pa.bool_()}
        return pa.array(values, kinds.get(self.parsers[name]) if name in self.parsers else pa.string())

    def _converted(self, table: pa.Table) -> pa.Table:
        for name, parse in self.parsers.items():
            values = [None if text == "" else parse(text) for text in table[name].to_pylist()]
            table = table.set_column(table.column_names.index(name), name, self._array(name, values))
        return table


class _JsonLines:
    def __init__(self, file: File, encoding: str) -> None:
        self.file, self.encoding = file, encoding

    def rows(self) -> Iterator[dict[str, Any]]:
        with self.file.open() as raw, io.TextIOWrapper(raw, _codec(self.encoding, self.file), newline="\n") as text:
            try:
                for line, content in enumerate(text, 1):
                    if not content.isspace():
                        yield self._record(line, content)
            except UnicodeDecodeError as problem:
                raise _undecodable(self.file, self.encoding, problem) from None

    def _record(self, line: int, content: str) -> dict[str, Any]:
        try:
            record = json.loads(content.rstrip())
        except json.JSONDecodeError as problem:
            whole = line == 1 and content.lstrip()[:1] in "[{" and problem.pos >= len(content.rstrip())
            raise _broken(
                self.file, line, f"is no JSON at character {problem.colno}: {problem.msg}",
                "write each record on one line of its own" if whole else "mend the line",
            ) from None  # fmt: skip
        except RecursionError:
            raise _broken(self.file, line, "is nested too deeply", "flatten the record") from None
        if not isinstance(record, dict):
            raise _broken(
                self.file, line, f"holds {type(record).__name__}, not an object", 'write records like {"id": 1}'
            )
        return record

    def table(self) -> pa.Table:
        import pyarrow as pa

        records = list(self.rows())
        names = dict.fromkeys(name for record in records for name in record)
        return pa.table({name: self._column(name, [record.get(name) for record in records]) for name in names})

    def _column(self, name: str, values: list[Any]) -> pa.Array:
        import pyarrow as pa

        try:
            return pa.array(values, from_pandas=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            kinds = sorted({type(value).__name__ for value in values if value is not None})
            raise DataError(
                f"{self.file}: column `{name}` holds values of several shapes ({', '.join(kinds)})",
                next_step="convert them to one type in the function", file=str(self.file), column=name,
            ) from None  # fmt: skip


class _Parts:
    """The parts of a file while their records are taken one by one, until somebody takes what is left whole."""

    def __init__(self, names: list[str], parts: Iterator[Any]) -> None:
        self.names = names
        self._parts = parts
        self._table: pa.Table | None = None  # the part that is being taken, where it is a block
        self._columns: list[Iterator[Any]] = []
        self._values: Iterator[Sequence[Any]] = iter(())

    def values(self) -> Iterator[Iterator[Sequence[Any]]]:
        """Each part as an iterator over its records' values."""
        for part in self._parts:
            if isinstance(part, Iterator):
                self._table, self._values = None, part
            else:
                self._table, self._columns = part, [iter(column.to_pylist()) for column in part.columns]
                self._values = zip(*self._columns, strict=True)
            yield self._values

    def rest(self) -> Iterator[pa.Table | Iterator[dict[str, Any]]]:
        """What was not taken yet: blocks, or dicts where there are none."""
        if self._table is None:
            yield self._dicts(self._values)
        elif left := length_hint(self._columns[0]):
            deque(self._values, 0)
            yield self._table.slice(self._table.num_rows - left)
        for part in self._parts:
            yield self._dicts(part) if isinstance(part, Iterator) else part

    def _dicts(self, values: Iterator[Sequence[Any]]) -> Iterator[dict[str, Any]]:
        return map(dict, map(zip, repeat(self.names), values))


def _codec(encoding: str, file: File) -> str:
    import codecs

    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise DataError(
            f"{file}: there is no encoding {encoding!r}",
            next_step="give one that Python knows, such as 'cp1252'",
            file=str(file),
        ) from None
    return "utf-8-sig" if name == "utf-8" else name


def _broken(file: File, line: int, what: str, next_step: str) -> DataError:
    return DataError(f"Line {line} {what}", next_step=next_step, file=str(file), line=line)


def _undecodable(file: File, encoding: str, problem: UnicodeDecodeError) -> DataError:
    """Says which byte of the whole file is at fault, and which encoding would read it."""
    data = file.read_bytes()
    place = problem.start
    try:
        data.decode(encoding)
    except UnicodeDecodeError as whole:
        place = whole.start
    line = data.count(b"\n", 0, place) + 1
    value = f"0x{data[place]:02x}" if place < len(data) else "the end"
    guess = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252" if encoding != "cp1252" else "latin-1"
    return _broken(
        file, line, f"is not {encoding}: byte {place} ({value}) cannot be read",
        f"give its encoding, for example encoding={guess!r}",
    )  # fmt: skip
