"""A CSV file as the beginning of a project: its columns, types and possible keys, and the code that reads it."""

from __future__ import annotations

import csv
import io
import json
import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

SNIFFED = 64_000
SHOWN = 50
KEY_NAMES = ("id", "key", "uuid", "number", "no", "code")


class NoTable(ValueError):
    """The file cannot be read as a table with a header."""


@dataclass(frozen=True)
class Looked:
    """What a CSV file holds. keys: columns that are filled and different in every record, the likeliest first; types:
    the Python type of each column that is not text."""

    file: str
    delimiter: str
    columns: tuple[str, ...]
    records: int
    keys: tuple[str, ...]
    types: Mapping[str, str]
    head: tuple[dict[str, str], ...]

    @property
    def asset(self) -> str:
        """A name for the asset: the file's, as a Python name."""
        return python_name(PurePath(self.file).stem)


def look(file: str, data: bytes) -> Looked:
    """Read a CSV file. Raises NoTable with the reason."""
    delimiter = _delimiter(data)
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(data),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise NoTable(str(error)) from error
    names = tuple(table.column_names)
    if not names or not table.num_rows or any(not name.strip() for name in names) or len(set(names)) < len(names):
        raise NoTable("it needs a first line with a different name for each column, and records below it")
    keys = sorted((name for name in names if _is_key(table[name])), key=lambda name: _rank(name, names))
    types = {name: kind for name in names if (kind := _python_type(table[name].type)) and name not in keys[:1]}
    head = tuple(
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in table.slice(0, SHOWN).to_pylist()
    )
    return Looked(file, delimiter, names, table.num_rows, tuple(keys), types, head)


def _delimiter(data: bytes) -> str:
    start = data[:SNIFFED].decode("utf-8-sig", errors="replace")
    try:
        return csv.Sniffer().sniff(start, delimiters=",;\t|").delimiter
    except csv.Error:
        return ","


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
    return f"{name}_" if keyword.iskeyword(name) else name if not name[0].isdigit() else f"t_{name}"


def pipeline_text(found: Looked, asset: str, key: str | None) -> str:
    """The declarations that make the file an asset."""
    options = [f"delimiter={found.delimiter!r}"] if found.delimiter != "," else []
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
            f'    """The records of {found.file.replace(chr(34), "")}."""',
            f"    yield from read_csv({', '.join(['file', *options])})",
            "",
        ]
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
