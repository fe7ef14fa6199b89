"""Maps of an index: its records in two dimensions, alike ones near one another, as a person picks them by eye.

Places depend on the index's vectors alone and are computed once for each version of it, then kept in the home. What is
shown at a place is read from the assets each time, corrections included. Of a large index a sample is laid out, chosen
by the keys' hashes: the same records each time, and the same ones after more have come. Each run drops the places that
are those of an earlier version: no key stays there that the index no longer has.
Where a role may not write them, this process remembers the last few.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import Graph, IndexNode
from packyak.engine.errors import DataError, HomeError, MissingExtra, QueryError
from packyak.engine.run.indexes import index_lag, index_of
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.read.view import KEY, quoted
from packyak.engine.store.home import Home
from packyak.engine.store.vectors import MODEL, VECTOR, SearchTable

FOLDER, SUFFIX = "maps", ".arrow"
MOST = 50_000
TEXT_LETTERS = 240
WAYS = ("neighbours", "directions")
_FORM = "1"  # another one where places are computed otherwise
_REMEMBERED = 4
_remembered: dict[tuple[str, str], tuple[str, pa.Table, int]] = {}  # by home and file: version, places, how many in all
Points = npt.NDArray[np.float64]
Shape = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Map:
    """Records of an asset, laid out by an index.

    rows: `_key`, `x` and `y` (within -1 to 1), `text` (how the indexed text begins), and `value` where a column was
    asked for. total: how many records the index has vectors of; `laid` of them have a place, and `rows` are those that
    the asset still has and that lie within what was asked for. lag: records not indexed as they are now.
    """

    index: str
    asset: str
    column: str
    way: str
    color: str
    rows: pa.Table
    total: int
    laid: int
    lag: int = 0


def map_of(
    reader: Reader, index: str | None, *, asset: str | None, way: str, color: str | None, inside: str | None
) -> Map:
    """The map of an index (default: the first), with one column of an asset to colour by. inside: a shape as text."""
    node = index_of(reader, index)
    shown = asset_of(reader, node, asset)
    shapes = shapes_of(inside) if inside else ()
    if way not in WAYS:
        raise DataError(f"{way!r} is no way to lay out a map", choices=WAYS, next_step="take one of them")
    places, total = places_of(reader, node, way)
    laid = places.num_rows
    if shapes:
        places = places.filter(pa.array(within(places, shapes)))
    rows = _shown(reader, node, shown, color, places)
    return Map(node.name, shown, node.on, way, color or "", rows, total, laid, index_lag(reader.scope, node))


def family(reader: Reader, node: IndexNode) -> tuple[str, ...]:
    """The assets that have the indexed records: the index's source and every other one with the same keys."""
    root = reader.graph.root(node.source).name
    return tuple(each.name for each in reader.graph.tables if reader.graph.root(each.name).name == root)


def asset_of(reader: Reader, node: IndexNode, name: str | None) -> str:
    if name is None:
        return node.source
    names = family(reader, node)
    if name not in names:
        reader.asset(name)
        raise DataError(
            f"{name} has other records than those that the index {node.name} is over",
            choices=names,
            next_step="take one of them",
        )
    return name


# Places


def kept_places(reader: Reader, node: IndexNode, way: str) -> tuple[pa.Table, int] | None:
    """The places that this process remembers, or else the home keeps, as far as they are those of the present version,
    and how many the index has in all."""
    home, file = reader.scope.home, _file(node.name, way)
    version, places, total = _remembered.get((home.uri, file), ("", None, 0))
    if places is not None and version == version_of(home, node):
        return places, total
    with suppress(HomeError):  # who may not write maps may not read them either
        return _kept(home, node, file)
    return None


def is_remembered(home: Home, index: str, way: str) -> bool:
    """Whether it is this process alone that has places of the index: the home takes none from whoever this is."""
    return (home.uri, _file(index, way)) in _remembered


def remember(home: Home, index: str, way: str, version: str, places: pa.Table, total: int) -> None:
    """Keeps places in this process, for as long as the index has that version."""
    _remembered.pop((home.uri, _file(index, way)), None)
    _remembered[home.uri, _file(index, way)] = (version, places, total)
    for oldest in list(_remembered)[:-_REMEMBERED]:
        del _remembered[oldest]


def _kept(home: Home, node: IndexNode, file: str) -> tuple[pa.Table, int] | None:
    data = home.read(file)
    if data is None:
        return None
    try:
        kept = pa.ipc.open_file(pa.BufferReader(data)).read_all()
    except pa.ArrowInvalid:  # written by something else: computed again
        return None
    facts = kept.schema.metadata or {}
    if facts.get(b"version", b"").decode() != version_of(home, node):
        return None
    return kept, int(facts[b"total"])


def drop_old(home: Home, graph: Graph) -> list[str]:
    """Removes the places that are not those of the present: they name records that may be gone. Answers which."""
    gone = []
    for file in home.names(FOLDER, SUFFIX):
        node = graph.nodes.get(file.removesuffix(SUFFIX).rpartition("-")[0])
        if not isinstance(node, IndexNode) or _kept(home, node, f"{FOLDER}/{file}") is None:
            home.remove(f"{FOLDER}/{file}")
            gone.append(file)
    return gone


def places_of(reader: Reader, node: IndexNode, way: str) -> tuple[pa.Table, int]:
    """Key, x and y of every record that is laid out, and how many the index has vectors of."""
    found = kept_places(reader, node, way)
    if found is not None:
        return found
    if find_spec("sklearn") is None:
        raise MissingExtra.of("learn", why="to lay out a map")
    from packyak.engine.learn.layout import lay_out

    home = reader.scope.home
    keys, vectors, total = _vectors(home, node)
    laid = lay_out(vectors, "neighbours" if way == "neighbours" else "directions")
    version = version_of(home, node)
    facts = {"version": version, "total": str(total)}
    places = pa.table({KEY: keys, "x": laid[:, 0], "y": laid[:, 1]}).replace_schema_metadata(facts)
    try:
        home.write(_file(node.name, way), _bytes(places))
        _remembered.pop((home.uri, _file(node.name, way)), None)
    except HomeError:
        remember(home, node.name, way, version, places, total)
    return places, total


def _file(index: str, way: str) -> str:
    return f"{FOLDER}/{index}-{way}{SUFFIX}"


def version_of(home: Home, node: IndexNode) -> str:
    """What the places of an index rest on: another one where its vectors, or how they are laid out, are others."""
    table = SearchTable(home, node.name).table
    return f"{_FORM} {table.version() or 0}"


def _bytes(table: pa.Table) -> bytes:
    out = pa.BufferOutputStream()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    made: bytes = out.getvalue().to_pybytes()
    return made


def _vectors(home: Home, node: IndexNode) -> tuple[pa.Array, npt.NDArray[np.float32], int]:
    """Keys and vectors to lay out, in the order of the keys' hashes, and how many there are."""
    table = SearchTable(home, node.name).table
    if not table.exists():
        raise DataError(f"the index {node.name} has never run", next_step=f"`packyak run {node.name}` makes it")
    data = table.dataset()
    if VECTOR not in data.schema.names:
        raise DataError(
            f"the index {node.name} finds by words alone, so its records have no places",
            next_step='pip install "packyak-studio[learn]", then run the index again',
        )
    names = data.to_table(columns=[KEY, MODEL])  # in the order of the rows, so that a place is what `take` wants
    models = [each for each in pc.value_counts(names[MODEL]).to_pylist() if each["values"] is not None]
    if not models:
        raise DataError(f"the index {node.name} has no vectors yet", next_step=f"`packyak run {node.name}` makes them")
    # Vectors of two models have nothing to do with each other: those of the most frequent one.
    model = max(models, key=lambda each: (each["counts"], each["values"]))
    mine = np.flatnonzero(pc.fill_null(pc.equal(names[MODEL], model["values"]), False).to_numpy())
    keys = names[KEY].take(pa.array(mine)).to_pylist()
    order = sorted(range(len(keys)), key=lambda place: _hash(keys[place]))[:MOST]
    rows = mine[order]
    ascending = np.sort(rows)
    column = data.take(pa.array(ascending), columns=[VECTOR])[VECTOR].combine_chunks()
    flat = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, column.type.list_size)
    chosen = pa.array([keys[place] for place in order], pa.string())
    return chosen, flat[np.searchsorted(ascending, rows)], len(keys)


def _hash(key: str) -> bytes:
    return hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=8).digest()


def _shown(reader: Reader, node: IndexNode, asset: str, color: str | None, places: pa.Table) -> pa.Table:
    """The laid-out records as the asset has them now, in the same order."""
    snapshot = reader.snapshot()
    if color:
        snapshot.select(asset, [color])  # says in our words which column is unknown
    texts = snapshot.select(node.source, [node.on])
    values = snapshot.select(asset, [color] if color else [])
    order = pa.table({KEY: places[KEY], "n": pa.array(range(places.num_rows), pa.int64())})
    text = f"substr(cast(t.{quoted(node.on)} as varchar), 1, {TEXT_LETTERS})"
    value = f", v.{quoted(color)} as value" if color else ""
    sql = (
        f"select o.n, {text} as text{value} from o join ({texts.sql}) as t on t.{KEY} = o.{KEY} "
        f"join ({values.sql}) as v on v.{KEY} = o.{KEY} order by o.n"
    )
    found = reader.scope.query.run(sql, {**texts.tables, **values.tables, "o": order})
    kept = places.take(found["n"]).replace_schema_metadata(None)
    for name in found.column_names[1:]:
        kept = kept.append_column(name, found[name])
    return kept


# Shapes that people draw


def shapes_of(text: str) -> tuple[Shape, ...]:
    """Shapes from text: corners `x,y` with spaces between, several shapes with `;` between."""
    try:
        found = tuple(
            tuple((float(x), float(y)) for x, y in (corner.split(",") for corner in part.split()))
            for part in text.split(";")
            if part.strip()
        )
    except ValueError:
        found = ()
    if not found or any(len(shape) < 3 for shape in found) or not np.isfinite(np.vstack(found)).all():
        raise QueryError(
            f"{text[:60]!r} is no shape on a map", next_step='give three corners or more: "-0.5,-0.5 0.5,-0.5 0,0.5"'
        )
    return found


def within(places: pa.Table, shapes: Sequence[Shape]) -> npt.NDArray[np.bool_]:
    """Which places lie within any of the shapes: a ray from each crosses its sides an odd number of times."""
    x, y = (np.asarray(places[name].to_numpy(), dtype=np.float64) for name in ("x", "y"))
    hit = np.zeros(len(x), dtype=bool)
    for shape in shapes:
        inside = np.zeros(len(x), dtype=bool)
        for (ax, ay), (bx, by) in zip(shape, (*shape[1:], shape[0]), strict=True):
            if ay != by:
                crosses = (ay > y) != (by > y)
                inside ^= crosses & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
        hit |= inside
    return hit
