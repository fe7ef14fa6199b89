"""A view of records as something to take along: Python, SQL, a command, a file."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from packyak.engine.run.answers import Filter

COMPARE: Mapping[str, str] = {"=": "=", "!=": "is distinct from", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass(frozen=True)
class Wanted:
    """Which records a view shows. how: what an index is asked for: hybrid | vector | text | like (a record); "" for
    none."""

    asset: str
    text: str = ""
    only: str | None = None
    filters: tuple[Filter, ...] = ()
    where: str | None = None
    sort: str | None = None
    descending: bool = False
    version: str | None = None
    how: str = ""
    like: str = ""
    index: str = ""


def condition(wanted: Wanted) -> str:
    """Filters and SQL condition as one condition; the text search and "only" have no such form."""
    terms = [_term(each) for each in wanted.filters]
    return " and ".join([*terms, f"({wanted.where})"] if wanted.where else terms)


def as_sql(wanted: Wanted, text_columns: Sequence[str] = ()) -> str:
    """The view as a query."""
    terms = [condition(wanted)] if condition(wanted) else []
    if wanted.text and not wanted.how and text_columns:
        needle = _literal(wanted.text.lower())
        terms.append("(" + " or ".join(f"contains(lower({_name(c)}), {needle})" for c in text_columns) + ")")
    query = f"select * from {_name(wanted.asset)}"
    if terms:
        query += f"\nwhere {' and '.join(terms)}"
    if wanted.sort:
        query += f"\norder by {_name(wanted.sort)}{' desc' if wanted.descending else ''}"
    return query


def as_python(wanted: Wanted, root: str) -> str:
    """The view as Python."""
    parts = [repr(wanted.asset)]
    said = condition(wanted)
    find = ""
    if wanted.how:
        sought = f"like={wanted.like!r}" if wanted.like else f"{wanted.text!r}, how={wanted.how!r}"
        find = f"found = project.find({wanted.index!r}, {sought}, k=200)\n"
        parts.append('keys=found["_key"].to_pylist()')
    for name, value in (
        ("text", "" if wanted.how else wanted.text),
        ("only", wanted.only),
        ("where", said),
        ("sort", wanted.sort),
        ("descending", wanted.descending),
        ("version", wanted.version),
    ):
        if value:
            parts.append(f"{name}={value!r}")
    call = ", ".join([*parts, "limit=1000"])
    opened = f"from packyak.engine.project import Project\n\nproject = Project.open({root!r})\n"
    return f"{opened}{find}page = project.page({call})"


def as_command(wanted: Wanted) -> str:
    """The view as a command; what an index finds has one of its own, which filters by the index's columns alone."""
    if wanted.how:
        sought = ["--like", wanted.like] if wanted.like else [wanted.text, "--how", wanted.how]
        return shlex.join(["packyak", "find", *sought, "--index", wanted.index, "--limit", "200"])
    words = ["packyak", "show", wanted.asset]
    said = condition(wanted)
    for flag, value in (
        ("--where", said),
        ("--text", wanted.text),
        ("--only", wanted.only),
        ("--sort", wanted.sort),
        ("--version", wanted.version),
    ):
        words += [flag, value] if value else []
    return shlex.join([*words, "--descending"] if wanted.sort and wanted.descending else words)


def _term(each: Filter) -> str:
    column = _name(each.column)
    if each.op == "empty":
        return f"({column} is null or cast({column} as varchar) = '')"
    if each.op == "filled":
        return f"({column} is not null and cast({column} as varchar) <> '')"
    if each.op == "contains":
        return f"contains(lower(cast({column} as varchar)), {_literal(str(each.value).lower())})"
    if each.op == "in":
        return f"{column} in ({', '.join(_literal(value) for value in each.value)})"
    return f"{column} {COMPARE[each.op]} {_literal(each.value)}"


def _name(name: str) -> str:
    return name if name.isidentifier() and name.islower() else '"' + name.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def kept(table: pa.Table, left_out: Collection[str]) -> pa.Table:
    """The table without its inner key and the columns that are not to leave."""
    return table.select([name for name in table.column_names if name not in left_out and not name.startswith("_")])


def csv_bytes(table: pa.Table) -> bytes:
    """As CSV; nested values as JSON."""
    flat = {
        name: pa.array([None if v is None else json.dumps(v, default=str) for v in table[name].to_pylist()])
        if pa.types.is_nested(table[name].type)
        else table[name]
        for name in table.column_names
    }
    out = io.BytesIO()
    pyarrow.csv.write_csv(pa.table(flat), out)
    return out.getvalue()


def parquet_bytes(table: pa.Table) -> bytes:
    """As Parquet."""
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out)
    return out.getvalue()
