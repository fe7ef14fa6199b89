"""Versioned tables of records on Lance: one per asset, memo or index. The only file that imports it.

Every table has a non-null string column `_key`, unique, and two flags from its first write: stable row ids, which give
a feed of changed rows, and the key as unenforced primary key, without which two writers of the same new keys leave
duplicates silently. An upsert writes only rows that differ; one that changes nothing makes no version. A version, once
made, never changes.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import lance
import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.errors import DataError, QueryError
from packyak.engine.store.explained import explanation
from packyak.engine.store.home import Home
from packyak.engine.store.shape import KEY, aligned, checked, plain, retyped

FRAGMENTS = 30
RETRIES = 50
_FEW_KEYS = 1_000
_FLAG = {"lance-schema:unenforced-primary-key": "true"}
_UNPACKED = {"lance-encoding:compression": "none"}
_KEPT = "kept-"
_NEWEST = 2**64 - 1
_BEGUN = "begun"
_BEGIN_SECONDS = 10.0
_STORED_ROWS = 16_384


@dataclass(frozen=True)
class Change:
    """What a write did: the table's version after it, and how many records it added and rewrote."""

    version: int
    inserted: int
    updated: int

    def __bool__(self) -> bool:
        return bool(self.inserted or self.updated)


class Table:
    """One table of a home. It need not exist yet: `create` or `replace` makes it.

    packed: text is stored compressed. For a table of hashes it costs more than it saves (measured at 100k of them:
    0.04 CPU s and 2.9 MB packed, 0.015 s and 4.8 MB as they are).
    """

    def __init__(self, home: Home, folder: str, name: str, *, packed: bool = True) -> None:
        self.home = home
        self.name = name
        self.packed = packed
        self.place = f"{folder}/{name}.lance"
        self.uri = home.path(self.place)
        self._open: Any = None

    def __repr__(self) -> str:
        return f"Table({self.uri!r})"

    def exists(self) -> bool:
        """Whether it was ever written."""
        return self.version() is not None

    def version(self) -> int | None:
        """The number of the newest version, None where there is no table. Looks at names alone."""
        numbers = [_number(name) for name in self.home.names(f"{self.place}/_versions", ".manifest")]
        return max((number for number in numbers if number is not None), default=None)

    def dataset(self, version: int | None = None) -> Any:
        """The Lance data set at a version (default: the newest), which `Query.run` reads without copying it whole."""
        if version is not None:
            return self.opened(version)
        newest = None if self._open is None else self.version()
        if newest is None or self._open.version != newest:
            self._open = self.opened()
        return self._open

    def opened(self, version: int | None = None) -> Any:
        """A data set of one's own: what writes through it moves it on to the version written."""
        with self.explained():
            try:
                return lance.dataset(self.uri, version=version, storage_options=self.home.storage_options)
            except ValueError as error:
                raise self._absent(version) from error

    def count(self, version: int | None = None) -> int:
        """The number of records."""
        return int(self.dataset(version).count_rows())

    def schema(self, version: int | None = None) -> pa.Schema:
        """Columns and types as stored."""
        return self.dataset(version).schema

    def read(
        self, columns: Sequence[str] | None = None, where: str | None = None, version: int | None = None, **search: Any
    ) -> pa.Table:
        """The records as Arrow, in no particular order.

        where: a condition in Lance's SQL. search: Lance's `nearest`, `full_text_query` and `limit`, for indexes.
        """
        with self.explained():
            names = None if columns is None else list(columns)
            return self.dataset(version).to_table(columns=names, filter=where, prefilter=bool(search), **search)

    def among(self, keys: pa.Array | pa.ChunkedArray) -> pa.Table:
        """The records with these keys, in no particular order; few keys cost a look at the key column."""
        return among(self.dataset(), keys)

    def keys(self, version: int | None = None) -> pa.ChunkedArray:
        """All keys."""
        return self.read([KEY], version=version)[KEY]

    def create(self, data: pa.Table, *, unique: bool = False) -> int:
        """Writes the table's first version. Raises DataError where there is a table already. unique: the keys are
        known to be.
        """
        if self.exists():
            raise DataError(f"the table {self.name} exists already", next_step="use upsert or replace")
        return self._write(data, "create", unique)

    def replace(self, data: pa.Table, *, unique: bool = False) -> int:
        """Makes `data` the whole content, with its own columns, as a new version; older versions stay readable."""
        return self._write(data, "overwrite" if self.exists() else "create", unique)

    def append(self, data: pa.Table, *, unique: bool = False) -> int:
        """Adds records with keys that the table does not have, in its own columns. It costs a fraction of an upsert and
        looks for no keys: only for who holds the run's lock and has looked.
        """
        schema = self.dataset().schema
        return self._write(
            data.select(schema.names).cast(pa.schema([(f.name, f.type) for f in schema])), "append", unique
        )

    def upsert(self, data: pa.Table, *, widen: bool = False) -> Change:
        """Inserts records with new keys and rewrites those that differ; equal ones are left alone.

        By default the table takes over the columns and types of `data`: new columns are null in the records that stay,
        columns that `data` lacks are dropped, and a retyped column is cast (null where a value cannot be). With
        `widen`, nothing is lost: columns that `data` lacks stay, and two types meet in one that holds both. Raises
        KeyProblem for null or repeated keys.
        """
        data = checked(plain(data), self.name)
        if not self.exists():
            return Change(self._write(data, "create"), data.num_rows, 0)
        with self.explained():
            data = self._evolved(data, widen)
            if not data.num_rows:
                return Change(int(self.dataset().version), 0, 0)
            return self._merged(data)

    def retype(self, schema: pa.Schema) -> int:
        """Casts the stored records to these columns; null where a value cannot be."""
        with self.explained():
            return self._write(aligned(self.opened().to_table(), schema), "overwrite", unique=True)

    def add(self, data: pa.Table) -> int:
        """Inserts the records whose keys are new, leaves the others as they are, and answers how many were new.

        Other writers may add at the same time, also the very first records: of equal keys the first stays.
        """
        data = checked(plain(data), self.name)
        self._begin(data.schema)
        with self.explained():
            table = self.opened()
            merge = table.merge_insert(KEY).when_not_matched_insert_all().use_index(False).conflict_retries(RETRIES)
            return int(merge.execute(aligned(data, table.schema))["num_inserted_rows"])

    def delete(self, keys: Sequence[str] | pa.Array | pa.ChunkedArray) -> int:
        """Removes the records with these keys and answers how many there were. Keys that are not there are no error."""
        wanted = pa.array(keys, pa.string()) if not isinstance(keys, pa.Array | pa.ChunkedArray) else keys
        if not len(wanted) or not self.exists():
            return 0
        with self.explained():
            before = self.opened()
            there = _among(before, wanted)
            if not len(there):
                return 0
            source = pa.table({KEY: there}).cast(pa.schema([_key_field()]))
            done = (
                before.merge_insert(KEY)
                .when_matched_delete()
                .use_index(False)
                .conflict_retries(RETRIES)
                .execute(source)
            )
            return int(done["num_deleted_rows"])

    def changed_since(self, version: int, columns: Sequence[str] | None = None) -> pa.Table:
        """The records inserted or rewritten after a version, as they are now. Deleted ones are not among them."""
        with self.explained():
            return self.dataset().to_table(
                columns=None if columns is None else list(columns),
                filter=f"_row_last_updated_at_version > {int(version)}",
            )

    def versions(self) -> list[int]:
        """The versions that can still be read, oldest first."""
        return sorted(int(one["version"]) for one in self.dataset().versions()) if self.exists() else []

    def tidy(
        self, keep: Iterable[int] = (), *, grace: timedelta = timedelta(minutes=10), fragments: int = FRAGMENTS
    ) -> int | None:
        """Merges small pieces into few, where they are more than `fragments`, and removes versions older than `grace`,
        save the newest and the kept ones.

        Answers the version that is the newest now: merging makes one, with the same records, in which none counts as
        changed. A kept version stays readable throughout. Call it only while no other writer is at work.
        """
        if not self.exists():
            return None
        with self.explained():
            data = self.opened()
            if len(data.get_fragments()) > fragments:
                data.optimize.compact_files()
                data = self.opened()
            _pin(data, set(keep))
            data.cleanup_old_versions(older_than=grace, error_if_tagged_old_versions=False)
            return int(data.version)

    def _begin(self, schema: pa.Schema) -> None:
        """Makes an empty table where there is none. Of several writers one does, and the others wait for it: Lance
        would let the second overwrite what the first began."""
        if self.exists():
            return
        if not self.home.create(f"{self.place}/{_BEGUN}", b""):
            deadline = time.monotonic() + _BEGIN_SECONDS
            while not self.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
        if not self.exists():
            self._write(schema.empty_table(), "create")

    def _write(self, data: pa.Table, mode: str, unique: bool = False) -> int:
        data = checked(plain(data), self.name, unique=unique)
        data = data.cast(pa.schema([self._field(field) for field in data.schema]))
        with self.explained():
            written = lance.write_dataset(
                data, self.uri, mode=mode, enable_stable_row_ids=True, storage_options=self.home.storage_options
            )
        return int(written.version)

    def _field(self, field: pa.Field) -> pa.Field:
        """A column with the flags that Lance reads when it writes."""
        flags = {} if self.packed or not pa.types.is_string(field.type) else _UNPACKED
        if field.name != KEY:
            return field.with_metadata(flags)
        return field.with_nullable(False).with_metadata(flags | _FLAG)

    def _merged(self, data: pa.Table) -> Change:
        table = self.opened()
        merge = self._merge(table, data)
        if len(_among(table, data[KEY])) == data.num_rows and (change := self._updated(table, merge, data)) is not None:
            return change
        done = merge.execute(data)
        return Change(int(self.opened().version), int(done["num_inserted_rows"]), int(done["num_updated_rows"]))

    def _updated(self, table: Any, merge: Any, data: pa.Table) -> Change | None:
        """Updates alone, in a transaction that is dropped when it is empty. None: it has to be done by `execute`, which
        alone waits for other writers and notices that one of them has just inserted the same keys."""
        transaction, done = merge.execute_uncommitted(data)
        if done["num_inserted_rows"]:
            return None
        if not done["num_updated_rows"]:
            return Change(int(table.version), 0, 0)
        try:
            after = lance.LanceDataset.commit(table, transaction)
        except OSError as error:
            if "conflict" in str(error).lower():
                return None
            raise
        return Change(int(after.version), 0, int(done["num_updated_rows"]))

    def _merge(self, table: Any, data: pa.Table) -> Any:
        names = [f"`{name}`" for name in data.column_names if name != KEY]
        differs = " or ".join(f"(target.{name} is distinct from source.{name})" for name in names)
        merge = table.merge_insert(KEY).when_not_matched_insert_all().use_index(False).conflict_retries(RETRIES)
        return merge.when_matched_update_all(differs) if differs else merge

    def _evolved(self, data: pa.Table, widen: bool) -> pa.Table:
        """Brings the table to the columns of `data` and answers `data` with the table's schema."""
        table = self.opened()
        wanted = retyped(table.schema, data.schema, widen)
        if any(
            field.name in table.schema.names and table.schema.field(field.name).type != field.type for field in wanted
        ):
            self._write(aligned(table.to_table(), wanted), "overwrite")
            return aligned(data, wanted)
        added = [field for field in wanted if field.name not in table.schema.names]
        if added:
            table.add_columns(pa.schema(added))
        dropped = [name for name in table.schema.names if name not in wanted.names]
        if dropped:
            self.opened().drop_columns(dropped)
        return aligned(data, self.opened().schema if added or dropped else table.schema)

    def _absent(self, version: int | None) -> DataError:
        if version is None or not self.exists():
            return DataError(
                f"there is no table {self.name} in {self.home.uri}", next_step="run the asset that writes it"
            )
        return DataError(
            f"the table {self.name} has no version {version} any more",
            next_step=f"ask for one of the versions {', '.join(str(number) for number in self.versions()[-20:])}",
        )

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Lance reports the system's refusals as OSError with Rust text; say what they mean."""
        try:
            yield
        except (OSError, RuntimeError, pa.ArrowInvalid) as error:
            raise explanation(error, self.uri) from error
        except ValueError as error:
            text = str(error).removeprefix("Invalid user input: ").removeprefix("Schema error: ").split(", /")[0]
            next_step = "correct the names of the columns or the condition"
            raise QueryError(f"{self.name} cannot be read so: {text[:500]}", next_step=next_step) from error


def _number(manifest: str) -> int | None:
    """The version that a manifest's name stands for. Lance counts downwards in them, so that the newest is listed
    first; in its older naming, upwards."""
    stem = manifest.partition(".")[0]
    if not stem.isdecimal():
        return None
    return _NEWEST - int(stem) if len(stem) == len(str(_NEWEST)) else int(stem)


def _key_field() -> pa.Field:
    return pa.field(KEY, pa.string(), nullable=False, metadata=_FLAG)


def among(
    data: Any, keys: pa.Array | pa.ChunkedArray, columns: Sequence[str] | None = None, *, by: str = KEY
) -> pa.Table:
    """The records of a Lance data set or Arrow table whose key (or text in the column `by`) is one of `keys`."""
    names = None if columns is None else list(columns)
    if not len(keys):
        return data.schema.empty_table() if names is None else data.schema.empty_table().select(names)
    if isinstance(data, pa.Table):
        stored = data
    elif len(keys) <= _FEW_KEYS:
        quoted = ", ".join("'" + str(key).replace("'", "''") + "'" for key in pc.unique(keys).to_pylist())
        return data.to_table(columns=names, filter=f"`{by}` in ({quoted})")
    else:
        stored = data.to_table(columns=None if names is None else [*dict.fromkeys([by, *names])])
    found = stored.filter(within(stored[by], keys))
    return found if names is None else found.select(names)


def stored(home: Home, name: str) -> Iterator[pa.RecordBatch]:
    """All that one data file has, unpacked: also rows that no version of its table has any more. Raises HomeError."""
    from lance.file import LanceFileReader

    try:
        reader = LanceFileReader(home.path(name), storage_options=home.storage_options)
        yield from reader.read_all(batch_size=_STORED_ROWS).to_batches()
    except (OSError, RuntimeError, ValueError, pa.ArrowInvalid) as error:
        raise explanation(error, home.path(name)) from error


def within(values: pa.Array | pa.ChunkedArray, keys: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Which of the values are among the keys. Cheap where there are few of either."""
    if len(values) * 4 < len(keys):
        keys = keys.filter(pc.is_in(keys, value_set=pc.unique(values)))
    return pc.is_in(values, value_set=pc.unique(keys))


def _among(table: Any, keys: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    """Those of the keys that the table has, each once."""
    return among(table, keys, [KEY])[KEY]


def _pin(data: Any, keep: Collection[int]) -> None:
    """Tags the versions to keep, which shields them from any cleaning, and lets go of those tagged before."""
    tagged = {int(tag["version"]): name for name, tag in data.tags.list().items() if name.startswith(_KEPT)}
    there = {int(one["version"]) for one in data.versions()}
    for version in keep - tagged.keys():
        if version in there:
            data.tags.create(f"{_KEPT}{version}", version)
    for version in tagged.keys() - keep:
        data.tags.delete(tagged[version])
