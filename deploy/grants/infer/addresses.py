"""Addresses that installed packages open: which of them lie in S3, which may, and what a query reads by itself.

Whatever opens addresses is known by its package; the path among what it is given by the name of its parameter, by the
function's own signature where there is one. An address of which nothing is known may be one in S3.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import containers
from packyak.deploy.grants.infer.atoms import UNKNOWN, Foreign, Hole, Made, Method, Text, Unknown, Value, one
from packyak.deploy.grants.infer.found import Need
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.texts import has_wildcards, pattern_of, shown_node, text
from packyak.deploy.grants.requests import READ, WRITE

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

ADDRESS = re.compile(r"s3[an]?://|/vsis3/", re.IGNORECASE)
_READERS = ("csv", "parquet", "json", "excel", "table", "feather", "orc", "pickle", "xml", "fwf", "hdf", "stata", "sas")
_WRITERS = ("csv", "parquet", "json", "excel", "feather", "orc", "pickle", "xml", "hdf", "stata")
_FILES = ("pyarrow.fs", "pyarrow._fs", "pyarrow._s3fs", "fsspec", "smart_open", "obstore", "cloudpathlib", "upath")
_OF_OTHERS = ("ipc", "ndjson", "delta", "avro", "iceberg")
ANYWHERE = ("pyarrow.parquet", "pyarrow.dataset", "pyarrow.csv", "pyarrow._csv", "pyarrow.json", "pyarrow._json",
            "pyarrow.feather", "pyarrow.orc", "pyarrow._dataset", "pyarrow._parquet", "duckdb", "_duckdb", "polars",
            "lance", "lancedb", "zarr", "xarray", "dask", "deltalake", "daft", "ray", "datasets", "pyiceberg",
            "geopandas", "rasterio", "fiona", "modin", "pyspark", "vaex", "ibis", "petastorm", "pandas", "webdataset",
            "streaming", *_FILES)  # fmt: skip
_PATHS = frozenset(
    ("path", "paths", "uri", "url", "urls", "urlpath", "urlpaths", "filepath_or_buffer", "path_or_buf", "path_or_paths",
     "path_or_handle", "path_or_file", "path_or_buffer", "io", "excel_writer", "where", "source", "sources", "file",
     "files", "filename", "filenames", "fname", "fp", "dest", "destination", "root_path", "base_dir", "target",
     "output_file", "input_file", "location", "base_uri", "sink", "store", "cloud_path", "table_uri", "root",
     "storage_path", "artifact_uri", "model_uri", "metadata_path", "path_like", "filepath", "data_dir", "data_files",
     "lhs", "rhs", "selector")
)  # fmt: skip
_OPENING = re.compile(
    "open|read|scan|write|sink|save|load|dataset|connect|file|uri|url|mapper|store|parquet|csv|orc|json", re.IGNORECASE
)
_LOCAL = re.compile(r"LocalFileSystem|MemoryFileSystem|BufferReader|BufferOutputStream|OSFile")
_IN_S3 = re.compile(r"(^|[._])(S3\w*|s3fs)$|S3(FileSystem|Path|Store|Client)$")
_MADE = "made"  # what a function of such a package gives: its methods are of the package, too
_HERE = ("file", "local", "memory", "zip", "tar", "http", "https")  # what fsspec calls what needs no AWS
_QUERIES = ("sql", "query", "execute", "executemany", "from_query", "read_sql", "query_df", "sql_query")
_PATH_IN_SQL = re.compile(
    r"(\b(from|join|to|attach|copy|import\s+database|export\s+database)\s+|\w*(read|scan|glob|parquet|csv|json)\w*\s*\(\s*"
    r"\[?\s*)(['\"][^'\"]*)?$",
    re.IGNORECASE,
)
_GIVEN_IN_SQL = re.compile(r"\w*(read|scan|glob|parquet)\w*\s*\(\s*\[?\s*(\?|\$|:)", re.IGNORECASE)
_EXACT = {
    "pyarrow.parquet.core.read_table": READ, "pyarrow.parquet.read_table": READ,
    "pyarrow.parquet.core.write_table": WRITE, "pyarrow.parquet.write_table": WRITE,
    "pyarrow._csv.read_csv": READ, "pyarrow.csv.read_csv": READ,
}  # fmt: skip


def opened(m: Machine, name: str, value: Any, args: Args, node: ast.AST, env: Env) -> Value | None:
    """What is done with an address that may lie in S3; None where there is none."""
    texts = [each for value in args.all() for each in _texts(m, value)]
    written = [each for each in texts if any(isinstance(part, str) and ADDRESS.search(part) for part in each.parts)]
    word = name.rpartition(".")[2].removeprefix("module_")
    if written:
        return _known_address(m, name, word, written, node, env)
    anywhere = is_opener(name) and not _LOCAL.search(name)
    if anywhere and _IN_S3.search(name):
        return _may(m, node, env, word, f"`{shown_node(node)}` reaches S3 by itself")
    if word in _QUERIES and (found := _query(m, args, node, env, anywhere="duckdb" in name.partition(".")[0])):
        return found
    if name in ("fsspec.registry.filesystem", "fsspec.filesystem"):
        return _filesystem(m, args, node, env)
    own = value if value is not None else _live(name)
    if _opens(name, word, anywhere=anywhere):
        for path in _paths(name, word, own, args, bare=value is None):
            if any(_may_be_address(each) for each in path):
                said = f"`{shown_node(node)}` opens an address that is not known: it may be one in S3"
                return _may(m, node, env, word, said)
    if anywhere and not isinstance(own, type) and not name.startswith("pandas."):
        return one(Foreign(f"{name.rpartition('.')[0]}.{_MADE}".replace(f"{_MADE}.{_MADE}", _MADE)))
    return None


def _live(name: str) -> Any:
    """A function by its dotted name, where its module is loaded."""
    module, _, rest = name.rpartition(".")
    steps = [rest]
    while module and module not in sys.modules:
        module, _, step = module.rpartition(".")
        steps.insert(0, step)
    found: Any = sys.modules.get(module)
    for step in steps:
        found = inspect.getattr_static(found, step, None)
    return found


def is_opener(name: str) -> bool:
    """Whether something by its name is of a package that opens addresses, or of one for AWS."""
    return name.startswith(tuple(f"{each}." for each in ANYWHERE))


def _may(m: Machine, node: ast.AST, env: Env, word: str, said: str) -> Value:
    verb = "put" if re.match(r"to_|write|sink|save|put|copy", word) else "get"
    return m.refuse(node, env, said, ["s3"], f'S3.{verb}("my-bucket/*")')


def _texts(m: Machine, value: Value) -> list[Text]:
    found: list[Text] = []
    for each in value:
        if isinstance(each, Text):
            found.append(each)
        elif isinstance(each, Made) and each.kind in containers.SEQUENCES:
            held = m.heap.fields(each).values()
            found += [inner for part in held for inner in part if isinstance(inner, Text)]
    return found


def _opens(name: str, word: str, *, anywhere: bool) -> bool:
    """Whether something opens whatever address it is given."""
    if name.startswith("pandas."):
        return word.startswith(("read_", "to_")) or word in ("ExcelWriter", "HDFStore", "ExcelFile", "get_handle")
    if name.startswith(tuple(f"{each}." for each in _FILES)):
        return True
    if anywhere and _OPENING.search(word):
        return True
    stem = word.partition("_")[2]
    return word.startswith(("to_", "write_", "sink_")) and stem in (
        *_WRITERS,
        "ipc",
        "ndjson",
        "delta",
        "avro",
        "iceberg",
    )


def _paths(name: str, word: str, value: Any, args: Args, *, bare: bool) -> list[Value]:
    """The values that may be addresses, among what something is called with. bare: a method's own object is not."""
    found = [each for key, each in args.named.items() if key in _PATHS]
    found += [each for each in (args.star, args.stars) if each is not None]
    names = _parameters(value)
    if names is None:
        table = name.startswith(("pyarrow.", "lance.")) and re.match(r"write_(?!to_)", word)
        return found + args.positional[1 if table else 0 :][:1]
    if bare and names[:1] == ["self"]:
        names = names[1:]
    return found + [each for key, each in zip(names, args.positional, strict=False) if key in _PATHS]


def _parameters(value: Any) -> list[str] | None:
    """The names of a function's parameters by position; None where they are not to be had."""
    try:
        spec = list(inspect.signature(value).parameters.values()) if callable(value) else []
    except (ValueError, TypeError):
        return None
    names = [each.name for each in spec if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return names if set(names) - {"self", "cls"} or {each.name for each in spec} & _PATHS else None


def _may_be_address(atom: object) -> bool:
    if isinstance(atom, Text):
        first = atom.parts[0] if atom.parts else ""
        return isinstance(first, Hole) or (len(atom.parts) > 1 and "s3://".startswith(first.lower()))
    if isinstance(atom, Method):
        return isinstance(atom.owner, Unknown) and not atom.owner.told
    return isinstance(atom, Unknown) and not atom.told


def _filesystem(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    protocols = args.get(0, "protocol") or UNKNOWN
    known = [each.known for each in protocols if isinstance(each, Text)]
    if len(known) == len(protocols) and all(each in _HERE for each in known):
        return UNKNOWN
    return _may(m, node, env, "get", f"`{shown_node(node)}` may reach S3 by itself")


def _query(m: Machine, args: Args, node: ast.AST, env: Env, *, anywhere: bool) -> Value | None:
    """A query in SQL that may read or write files by an address. anywhere: it is one for a database that does."""
    query = args.get(0, "query") or args.named.get("sql") or frozenset()
    said = f"`{shown_node(node)}` may open an address in S3: which files the query is about is not known"
    for each in query:
        if isinstance(each, Unknown) and anywhere and not each.told:
            return _may(m, node, env, "get", said)
        if not isinstance(each, Text):
            continue
        before = ""
        for part in each.parts:
            at = _PATH_IN_SQL.search(before) if isinstance(part, Hole) else None
            if isinstance(part, Hole) and ((at is not None and (anywhere or at[4])) or (anywhere and not before)):
                return _may(m, node, env, "get", said)
            before += part if isinstance(part, str) else ""
        if _GIVEN_IN_SQL.search(before) and len(args.positional) + len(args.named) > 1:
            return _may(m, node, env, "get", said)
    return None


# -- addresses that are known


def _known_address(m: Machine, name: str, word: str, found: list[Text], node: ast.AST, env: Env) -> Value:
    action = _action(name, word)
    needs: list[Need] = []
    for each in found:
        place = _place(each)
        if action is None or place is None:
            verb = "put" if action == WRITE else "get"
            known = pattern_of(each).partition("://")[2] if place else "my-bucket/*"
            said = f"what `{shown_node(node)}` does in S3 is not known"
            return m.refuse(node, env, said, ["s3"], f'S3.{verb}("{re.split(r"[^A-Za-z0-9._/*-]", known)[0]}")')
        needs.append(Need(action, f"arn:aws:s3:::{place}"))
    m.record(needs, node, env, name)
    return UNKNOWN


def _action(name: str, word: str) -> str | None:
    if name in _EXACT:
        return _EXACT[name]
    if name.startswith("pandas.") and word.startswith("read_") and word.removeprefix("read_") in _READERS:
        return READ
    one_file = name.startswith("pandas.") or not is_opener(name)  # others write folders
    if one_file and word.startswith("to_") and word.removeprefix("to_") in _WRITERS:
        return WRITE
    return None


def _place(address: Text) -> str | None:
    """`bucket/key` of an address, where the bucket and some of the key are known; folders are not decided."""
    first = address.parts[0] if address.parts else ""
    if not isinstance(first, str) or not ADDRESS.match(first) or has_wildcards(address):
        return None
    place = text(first.partition("://")[2], *address.parts[1:])
    start = place.parts[0] if place.parts else ""
    if not isinstance(start, str) or "/" not in start or (place.known or "x").endswith("/"):
        return None
    return pattern_of(place) if start.partition("/")[2] or len(place.parts) > 1 else None
