"""SQL over stored tables and Arrow data, by DuckDB in memory. The only file that imports it.

A query sees the tables it is given and nothing else: no files, no downloads, no variables of the calling program, and
nothing that another call has registered. Also here: the content hash of records, which names the public version of an
asset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.errors import QueryError, nearest
from packyak.engine.store.contents import hash_select, row_hash_sql, version_name
from packyak.engine.store.shape import KEY, plain

__all__ = ["Query", "hash_sum", "row_hash_sql", "rows_of", "version_name"]

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_persistent_secrets": False,
    "python_enable_replacements": False,
}
_MODULUS = 2**128


class Query:
    """An SQL engine. Safe to use from several threads at once.

    threads: how many it may use (default: one per processor). spill: a folder for what does not fit in memory.
    """

    def __init__(self, threads: int | None = None, spill: str | None = None) -> None:
        config = _CONFIG | ({"threads": threads} if threads else {}) | {"temp_directory": spill or ""}
        self._connection = duckdb.connect(":memory:", config=config)
        self._connection.execute("set global TimeZone = 'UTC'")
        self._connection.execute("set enable_external_access = false")

    def run(
        self, sql: str, tables: Mapping[str, Any] | None = None, params: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> pa.Table:
        """The rows of one query over `tables`: name -> Arrow table, reader, Lance data set or data frame.

        Whole numbers that fit come as int64, also from `sum`. Raises QueryError, with the nearest name where one is
        unknown.
        """
        with self._over(tables or {}, sql) as cursor:
            relation = cursor.sql(sql, params=params)
            return pa.table({}) if relation is None else rows_of(relation)

    def relation(self, data: pa.Table) -> Any:
        """`data` as a DuckDB relation for a user's function, on DuckDB's default connection.

        There, unlike in `run`, the function's own `duckdb.sql("select ... from its_parameter")` finds it too. Times
        are in UTC. `rows_of` turns what the function made of it into Arrow.
        """
        cursor = duckdb.default_connection().cursor()
        for scope in ("global", "session"):
            cursor.execute(f"set {scope} TimeZone = 'UTC'")
        return cursor.from_arrow(data)

    def hash_sum(self, data: Any, columns: Sequence[str] | None = None) -> int:
        """The order-free 128-bit sum of the hashes of the records of `data` (Arrow table or Lance data set).

        Over names, types and values of `columns` (default: all). Adding records adds their sum, removing takes it
        away, mod 2**128.
        """
        schema = data.schema
        chosen = list(schema.names if columns is None else columns)
        sql = hash_select([(name, schema.field(name).type) for name in chosen], "d")
        with self._over({"d": data}, sql) as cursor:
            high, low = cursor.execute(sql).fetchone()
        return ((int(high or 0) << 64) + int(low or 0)) % _MODULUS

    @contextmanager
    def _over(self, tables: Mapping[str, Any], sql: str) -> Iterator[Any]:
        """A cursor that sees these tables and nothing of other calls; it explains what goes wrong with `sql`."""
        with self._connection.cursor() as cursor:
            try:
                for name, data in tables.items():
                    cursor.register(name, data)
                yield cursor
            except duckdb.Error as error:
                raise _explained(error, sql, tables) from error

    def close(self) -> None:
        """Lets go of its memory."""
        self._connection.close()


@lru_cache(maxsize=1)
def _shared() -> Query:
    return Query()


def hash_sum(data: Any, columns: Sequence[str] | None = None) -> int:
    """`Query.hash_sum` on an engine that this process shares."""
    return _shared().hash_sum(data, columns)


def rows_of(relation: Any) -> pa.Table:
    """The rows of a DuckDB relation in the types that tables store; whole numbers that fit come as int64."""
    huge = [name for name, kind in zip(relation.columns, relation.types, strict=True) if str(kind) == "HUGEINT"]
    return _small(plain(relation.to_arrow_table()), huge)


def _small(data: pa.Table, huge: Sequence[str]) -> pa.Table:
    """DuckDB sums int64 into 128 bits, which Arrow knows only as a decimal; people expect a whole number."""
    for name in huge:
        place = data.schema.get_field_index(name)
        with suppress(pa.ArrowInvalid):
            data = data.set_column(place, name, pc.cast(data.column(place), pa.int64()))
    return data


_UNKNOWN_TABLE = re.compile(r"Table with name \"?(.+?)\"? does not exist")
_UNKNOWN_COLUMN = re.compile(r'Referenced column "(.+?)" (?:was )?not found|does not have a column named "(.+?)"')


def _explained(error: duckdb.Error, sql: str, tables: Mapping[str, Any]) -> QueryError:
    text = str(error)
    if unknown := _UNKNOWN_TABLE.search(text):
        return _unknown("table", unknown[1], list(tables), sql)
    if unknown := _UNKNOWN_COLUMN.search(text):
        columns = [name for data in tables.values() for name in _columns(data)]
        return _unknown("column", unknown[1] or unknown[2], list(dict.fromkeys(columns)), sql)
    if isinstance(error, duckdb.PermissionException):
        next_step = "declare the data as a bucket or an asset and name that"
        return QueryError("a query cannot read or write files", query=sql, next_step=next_step)
    message, *more = re.sub(r"^\w[\w ]*Error: ", "", text.split("\n\nLINE")[0].strip()).split("\n")
    advice = next((line for line in more if line.startswith(("Did you mean", "Either "))), "")
    next_step = advice[:1].lower() + advice[1:] if advice else "correct the query" + _where(text)
    return QueryError(message.rstrip("!."), query=sql, next_step=next_step)


def _where(text: str) -> str:
    line = re.search(r"LINE (\d+): (.*)\n(\s*)\^", text)
    if line is None:
        return ""
    start = max(len(line[3]) - len(f"LINE {line[1]}: "), 0)
    return f" at line {line[1]}, near {line[2][start : start + 40].strip()!r}"


def _unknown(what: str, name: str, known: Sequence[str], sql: str) -> QueryError:
    meant = nearest(name, known)
    return QueryError(
        f"the query names the {what} {name!r}, which does not exist",
        choices=known,
        query=sql,
        next_step=f"did you mean {meant!r}?" if meant else f"use one of the {what}s there are",
    )


def _columns(data: Any) -> list[str]:
    schema = getattr(data, "schema", None)
    names = schema.names if isinstance(schema, pa.Schema) else []
    return [name for name in names if name == KEY or not name.startswith("_")]
