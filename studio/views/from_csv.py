"""A CSV file as the beginning of a project: its columns, types and possible keys, and the code that reads it.

Files come as they come: other encodings, no line of names, a line for a spreadsheet before it. What was found is told,
and what has to be said to the reader stands in the code.
"""

from __future__ import annotations

import csv
import io
import json
import keyword
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from packyak.engine.declare.found import SQL_WORDS

SNIFFED = 64_000
SHOWN = 50
KEY_NAMES = ("id", "key", "uuid", "number", "no", "code")
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
TAKEN = frozenset({"inbox", "file", "transform", "read_csv", "date", "datetime", "bucket", "self"})
"""Names that the written code has another use for."""
SPREADSHEET = re.compile(rb"\s*(?:\xef\xbb\xbf)?sep=(.)\r?\n")


class NoTable(ValueError):
    """The file cannot be read as a table."""


@dataclass(frozen=True)
class Looked:
    """What a CSV file holds. keys: columns that are filled and different in every record, the likeliest first; types:
    the Python type of each column that is not text. header: whether its first line names the columns. data: what to
    keep of it, with such a line. notes: what a person should know."""

    file: str
    delimiter: str
    columns: tuple[str, ...]
    records: int
    keys: tuple[str, ...]
    types: Mapping[str, str]
    head: tuple[dict[str, str], ...]
    encoding: str = "utf-8"
    header: bool = True
    data: bytes = b""
    notes: tuple[str, ...] = ()

    @property
    def asset(self) -> str:
        """A name for the asset: the file's, as a Python name."""
        return python_name(PurePath(self.file).stem)


def look(file: str, data: bytes, header: bool | None = None) -> Looked:
    """Read a CSV file. header: whether the first line names the columns; None: as it looks. Raises NoTable with the
    reason."""
    encoding, text, notes = _text(data)
    whole = len(text)
    text, delimiter = _delimiter(text)
    first = next(csv.reader(io.StringIO(text[:SNIFFED]), delimiter=delimiter), [])
    if header is None:
        header = not any(_is_number(cell) for cell in first)
    if not header:
        first = [f"column_{place}" for place in range(1, len(first) + 1)]
        text = delimiter.join(first) + "\n" + text
        notes.append("The first line holds values, so the columns are numbered.")
    _check_names(first)
    if inner := [name for name in first if name.startswith("_")]:
        notes.append(f"Left out, because names that begin with _ are Packyak's own: {', '.join(inner)}.")
    plain = "utf-8" if encoding == "utf-8-sig" else encoding
    as_it_is = header and encoding == "utf-8" and len(text) == whole
    kept = data.lstrip(b"\r\n") if as_it_is else text.encode(plain)  # no second copy of a large file
    lines = kept if plain == "utf-8" else text.encode()
    del text
    table, kinds = _parsed(lines, first, delimiter)
    keys = sorted((name for name in first if _is_key(table[name])), key=lambda name: _rank(name, first))
    types = {
        name: kind
        for name in first
        if (kind := _python_type(kinds.field(name).type)) and name not in keys[:1] and not _has_zeros(table[name], kind)
    }
    head = tuple(
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in table.slice(0, SHOWN).to_pylist()
    )
    return Looked(
        file, delimiter, tuple(first), table.num_rows, tuple(keys), types, head, plain, header, kept, tuple(notes)
    )


def _text(data: bytes) -> tuple[str, str, list[str]]:
    """The encoding, the text without empty lines before it, and what to say of it."""
    if not data.strip():
        raise NoTable("it is empty")
    if data.startswith(b"PK\x03\x04"):
        raise NoTable("it is a workbook or an archive; save the sheet as CSV first")
    marked = next((name for mark, name in MARKS if data.startswith(mark)), None)
    if marked is None and b"\0" in data[:SNIFFED]:
        raise NoTable("it is no text")
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        try:
            text = data.decode(encoding).lstrip("\r\n")
        except UnicodeDecodeError:
            continue
        said = {"cp1252": "Windows-1252", "utf-16": "UTF-16"}.get(encoding)
        return encoding, text, [f"It is no UTF-8; read as {said}."] if said else []
    raise NoTable("it is no text in UTF-8, UTF-16 or Windows-1252")


def _delimiter(text: str) -> tuple[str, str]:
    """The text without a line that names its delimiter to a spreadsheet, and the delimiter."""
    named = SPREADSHEET.match(text[:20].encode())
    if named:
        return text[text.index("\n") + 1 :], named.group(1).decode()
    try:
        return text, csv.Sniffer().sniff(text[:SNIFFED], delimiters=",;\t|").delimiter
    except csv.Error:
        return text, ","


def _check_names(names: Sequence[str]) -> None:
    """Raises NoTable where a column has no name, or one that another has too: SQL knows no upper and lower case."""
    unnamed = [place for place, name in enumerate(names, 1) if not name.strip()]
    if unnamed:
        raise NoTable(f"column {unnamed[0]} has no name in the first line")
    twice = [name for name, many in Counter(name.casefold() for name in names).items() if many > 1]
    if twice:
        raise NoTable(f"two columns are called {twice[0]!r}")


def _parsed(data: bytes, names: Sequence[str], delimiter: str) -> tuple[pa.Table, pa.Schema]:
    """The records as they stand there, and the type that each column would have."""
    parse = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    as_text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True)
    try:
        table = pyarrow.csv.read_csv(io.BytesIO(data), parse_options=parse, convert_options=as_text)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise NoTable(" ".join(str(error).split())[:200]) from error
    if not table.num_rows:
        raise NoTable("it has no records below its first line")
    guess = pyarrow.csv.ConvertOptions(strings_can_be_null=True)
    try:
        return table, pyarrow.csv.read_csv(io.BytesIO(data), parse_options=parse, convert_options=guess).schema
    except pa.ArrowInvalid:  # a value far down is none of the type that the first ones had: all is text
        return table, table.schema


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _has_zeros(values: pa.ChunkedArray, kind: str) -> bool:
    """Numbers that are names, such as 00501: as numbers they would lose their zeros."""
    found = pc.any(pc.match_substring_regex(values, r"^[+-]?0\d")).as_py() if kind == "int" else False
    return bool(found)


def _is_key(values: pa.ChunkedArray) -> bool:
    return values.null_count == 0 and bool(pc.count_distinct(values).as_py() == len(values))


def _rank(name: str, names: Sequence[str]) -> tuple[bool, int]:
    """Columns called like keys first, then in the order of the file."""
    parts = re.split(r"[\W_]+", name.lower())
    return (not any(part in KEY_NAMES for part in parts), names.index(name))


def _python_type(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "int"
    if pa.types.is_floating(kind):
        return "float"
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_timestamp(kind):
        return "datetime"
    return "date" if pa.types.is_date(kind) else ""


def python_name(text: str) -> str:
    """A name that Python and SQL take, close to the text."""
    name = re.sub(r"\W+", "_", text.strip().lower(), flags=re.ASCII).strip("_") or "records"
    if keyword.iskeyword(name) or name in TAKEN or name in SQL_WORDS:
        return f"{name}_"
    return name if not name[0].isdigit() else f"t_{name}"


def pipeline_text(found: Looked, asset: str, key: str | None) -> str:
    """The declarations that make the file an asset."""
    options = [f"delimiter={found.delimiter!r}"] if found.delimiter != "," else []
    options += [f'encoding="{found.encoding}"'] if found.encoding != "utf-8" else []
    types = {name: kind for name, kind in found.types.items() if name != key}
    if types:
        listed = ", ".join(f"{_quoted(name)}: {kind}" for name, kind in types.items())
        options.append(f"types={{{listed}}}")
    dates = sorted({kind for kind in types.values() if kind in ("date", "datetime")})
    imports = [f"from datetime import {', '.join(dates)}"] if dates else []
    imports = ["from collections.abc import Iterator", *imports, "from typing import Any"]
    keyed = f", key={_quoted(key)}" if key else ""
    return "\n".join(
        [
            '"""What this project computes. `packyak run` brings it up to date."""',
            "",
            *imports,
            "",
            "from packyak import Bucket, File, read_csv, transform",
            "",
            'inbox = Bucket("inbox")  # the folder .packyak/buckets/inbox: more files of this kind go there',
            "",
            "",
            f'@transform(inbox.files("*.csv"){keyed})',
            f"def {asset}(file: File) -> Iterator[dict[str, Any]]:",
            f'    """The records of {_said(found.file)}."""',
            f"    yield from read_csv({', '.join(['file', *options])})",
            "",
        ]
    )


def _said(file: str) -> str:
    """A file's name within a docstring."""
    return re.sub(r'["\\\\\x00-\x1f]', "", file)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
