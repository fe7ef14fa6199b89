"""Code of installed packages: what reads and writes S3 by an address, what uses AWS itself, and all the rest."""

from __future__ import annotations

import ast
import re
import sys
import types
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import aws, containers, members
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
    FileOf,
    Hole,
    Live,
    Made,
    Text,
    Unknown,
    Value,
    one,
)
from packyak.deploy.grants.infer.found import Need
from packyak.deploy.grants.infer.heap import REST, Env
from packyak.deploy.grants.infer.live import dotted
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.texts import has_wildcards, pattern_of, text
from packyak.deploy.grants.requests import READ, WRITE

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

ADDRESS = re.compile(r"s3[an]?://", re.IGNORECASE)
AWS_PACKAGES = frozenset(("boto3", "botocore", "aiobotocore", "aioboto3", "s3fs", "s3transfer", "boto", "sagemaker"))
SMALL = frozenset(("boto3.s3.transfer.TransferConfig", "botocore.config.Config", "boto3.dynamodb.conditions.Key",
                   "boto3.dynamodb.conditions.Attr", "boto3.dynamodb.types.Binary",
                   "boto3.dynamodb.types.TypeSerializer", "boto3.dynamodb.types.TypeDeserializer"))  # fmt: skip
# What opens an address, and the parameter that it is in. "r": reads, "w": writes.
_READERS = ("csv", "parquet", "json", "excel", "table", "feather", "orc", "pickle", "xml", "fwf", "hdf", "stata", "sas")
_WRITERS = ("csv", "parquet", "json", "excel", "feather", "orc", "pickle", "xml", "hdf", "stata")
ANYWHERE = ("pyarrow.parquet", "pyarrow.dataset", "pyarrow.csv", "pyarrow.json", "pyarrow.feather", "pyarrow.orc",
            "pyarrow.fs", "pyarrow._fs", "pyarrow._s3fs", "fsspec", "duckdb", "_duckdb", "polars", "lance", "lancedb",
            "smart_open", "zarr", "xarray", "dask", "deltalake", "obstore", "cloudpathlib", "upath")  # fmt: skip
_EXACT = {
    "pyarrow.parquet.core.read_table": READ, "pyarrow.parquet.read_table": READ,
    "pyarrow.parquet.core.write_table": WRITE, "pyarrow.parquet.write_table": WRITE,
    "pyarrow._csv.read_csv": READ, "pyarrow.csv.read_csv": READ,
}  # fmt: skip


def is_standard(module: str) -> bool:
    return module in sys.stdlib_module_names or module == "builtins"


def call(m: Machine, name: str, value: Any, args: Args, node: ast.AST, env: Env) -> Value:
    """A function of an installed package or of the standard library that is not known by name."""
    from packyak.deploy.grants.infer.calls import held, opaque

    top = name.partition(".")[0]
    if name in SMALL:
        return UNKNOWN
    if value is None and (aws.is_telling(name.rpartition(".")[2]) or any(each[:1].isupper() for each in args.named)):
        word = name.rpartition(".")[2]
        return m.refuse(node, env, f"what `{name}` does is not known", aws.services_with(word), aws.line_of(word))
    if top == "packyak":
        return _packyak(m, name, args, node, env)
    if top in ("boto3", "botocore") and not name.startswith(("botocore.exceptions.", "boto3.dynamodb.conditions.")):
        return m.refuse(node, env, f"`{name}` of AWS's own library is not known")
    found = _addresses(m, name, args, node, env)
    if found is not None:
        return found
    if top == "ctypes":
        return m.refuse(node, env, f"`{name}` runs code that is no Python")
    if not is_standard(top):
        if uses_aws(top):
            return m.refuse(node, env, f"`{name}` uses AWS by itself", (), "")
        if isinstance(value, types.FunctionType) and _module_uses_aws(value):
            return m.refuse(node, env, f"`{name}` uses AWS by itself")
        if isinstance(value, types.FunctionType):
            held(m, value, node, env)
    if name.startswith("logging."):
        return UNKNOWN
    return opaque(m, name, args, node, env)


def _packyak(m: Machine, name: str, args: Args, node: ast.AST, env: Env) -> Value:
    """Packyak's own: readers of files, declarations; anything else acts on projects."""
    from packyak.deploy.grants.infer.calls import opaque

    if name.startswith(("packyak.engine.declare.", "packyak.engine.errors.")):
        return opaque(m, name, args, node, env)
    return m.refuse(node, env, f"what `{members.shown_node(node)}` does with the project is not followed", ["bucket"])


def _module_uses_aws(value: types.FunctionType) -> bool:
    return any(
        isinstance(each, types.ModuleType) and each.__name__.partition(".")[0] in AWS_PACKAGES
        for each in value.__globals__.values()
    )


@cache
def uses_aws(top: str) -> bool:
    """Whether an installed package needs AWS's library, and not only as an extra."""
    if top in AWS_PACKAGES:
        return True
    for distribution in metadata.packages_distributions().get(top, ()):
        for line in metadata.requires(distribution) or ():
            needed = re.split(r"[^\w.-]", line, maxsplit=1)[0].lower()
            if needed in AWS_PACKAGES and "extra ==" not in line:
                return True
    return False


def made(m: Machine, kind: type, args: Args, node: ast.AST, env: Env) -> Value:
    """An object of a class that is not the project's."""
    from packyak.deploy.grants.infer.calls import opaque

    name = dotted(kind)
    top = name.partition(".")[0]
    if issubclass(kind, BaseException):
        made_error = m.make("object", node, Live(kind))
        m.heap.add(made_error, ".args", m.make_list((node, "args"), args.positional, args.star or NOTHING, "tuple"))
        return one(made_error)
    if not is_standard(top) or name in SMALL:
        result = call(m, name, kind, args, node, env)
        return result if top in (*AWS_PACKAGES, "packyak") else one(m.make("object", node, Live(kind)))
    if top == "ctypes":
        return m.refuse(node, env, f"`{name}` runs code that is no Python")
    if name == "collections.defaultdict":
        return _defaultdict(m, args, node, env)
    if name not in ("contextvars.ContextVar", "_contextvars.ContextVar"):
        opaque(m, name, args, node, env)
        return one(m.make("object", node, Live(kind)))
    made_object = m.make("object", node, Live(kind))
    m.heap.add(made_object, REST, args.named.get("default", NOTHING))
    return one(made_object)


def _defaultdict(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    from packyak.deploy.grants.infer.calls import call as call_value

    found = m.make("dict", node)
    if args.positional:
        m.heap.add(found, REST, call_value(m, args.positional[0], Args(), node, env))
    return one(found)


def call_on_unknown(m: Machine, owner: Unknown, name: str, args: Args, node: ast.AST, env: Env) -> Value:
    """A method of data of which nothing is known."""
    from packyak.deploy.grants.infer.calls import opaque

    camel = [each for each in args.named if each[:1].isupper()]
    if camel and all(each.isidentifier() for each in camel):
        what = f"what `{members.shown_node(node)}` is called on is not known"
        return m.refuse(node, env, what, aws.services_with(name), aws.line_of(name))
    if owner.given and name in ("put", "get", "delete", "list") and _is_awaited(node):
        what = f"`{owner.given}` is given from outside, and may be a bucket that is asked to {name}"
        return m.refuse(node, env, what, ["bucket"], f'Files.{name}("my-bucket/*")')
    found = _addresses(m, name, args, node, env)
    return found if found is not None else opaque(m, name, args, node, env)


def _is_awaited(node: ast.AST) -> bool:
    return bool(getattr(node, "is_awaited", False))


# -- addresses in S3


def _addresses(m: Machine, name: str, args: Args, node: ast.AST, env: Env) -> Value | None:
    """What is done with an `s3://` address; None where there is none."""
    texts = [each for value in args.all() for each in _texts(m, value)]
    written = [each for each in texts if any(isinstance(part, str) and ADDRESS.search(part) for part in each.parts)]
    word = name.rpartition(".")[2]
    if written:
        return _known_address(m, name, word, written, node, env)
    opens = _opens(name, word)
    if opens is None:
        return None
    path = args.get(0, opens)
    if path is not None and any(_may_be_address(each) for each in path):
        said = f"`{members.shown_node(node)}` opens an address that is not known: it may be one in S3"
        verb = "put" if word.startswith(("to_", "write")) else "get"
        return m.refuse(node, env, said, ["s3"], f'S3.{verb}("my-bucket/*")')
    return None


def _texts(m: Machine, value: Value) -> list[Text]:
    found: list[Text] = []
    for each in value:
        if isinstance(each, Text):
            found.append(each)
        elif isinstance(each, Made) and each.kind in containers.SEQUENCES:
            held = m.heap.fields(each).values()
            found += [inner for part in held for inner in part if isinstance(inner, Text)]
    return found


def _opens(name: str, word: str) -> str | None:
    """The parameter with the path, for what opens any address."""
    if name.startswith("pandas.") and word.startswith("read_") and word.removeprefix("read_") in _READERS:
        return "path" if word in ("read_parquet", "read_orc", "read_feather") else "filepath_or_buffer"
    if word.startswith("to_") and word.removeprefix("to_") in _WRITERS:
        return "path_or_buf"
    if name.startswith(tuple(f"{each}." for each in ANYWHERE)) and re.search(
        r"open|read|scan|write|dataset|connect|file", word
    ):
        return "path"
    return None


def _may_be_address(atom: object) -> bool:
    if isinstance(atom, FileOf | Made):
        return False
    if isinstance(atom, Text):
        first = atom.parts[0] if atom.parts else ""
        return isinstance(first, Hole) or (len(atom.parts) > 1 and "s3://".startswith(first.lower()))
    return isinstance(atom, Unknown)


def _known_address(m: Machine, name: str, word: str, found: list[Text], node: ast.AST, env: Env) -> Value:
    action = _action(name, word)
    needs: list[Need] = []
    for each in found:
        place = _place(each)
        if action is None or place is None:
            verb = "put" if action == WRITE else "get"
            known = pattern_of(each).partition("://")[2] if place else "my-bucket/*"
            said = f"what `{members.shown_node(node)}` does in S3 is not known"
            return m.refuse(node, env, said, ["s3"], f'S3.{verb}("{re.split(r"[^A-Za-z0-9._/*-]", known)[0]}")')
        needs.append(Need(action, f"arn:aws:s3:::{place}"))
    m.record(needs, node, env, name)
    return UNKNOWN


def _action(name: str, word: str) -> str | None:
    if name in _EXACT:
        return _EXACT[name]
    if name.startswith("pandas.") and word.startswith("read_") and word.removeprefix("read_") in _READERS:
        return READ
    if word.startswith("to_") and word.removeprefix("to_") in _WRITERS:
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


# -- other programs


def command(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """Starting a program: `aws` and what is not known may do anything with this role."""
    words = args.get(0, "args") or NOTHING
    for each in words:
        known = containers.sequence(m, one(each), env, node)
        first = known[0] if known else one(each)
        for atom in first:
            said = (
                str(atom.parts[0]) if isinstance(atom, Text) and atom.parts and isinstance(atom.parts[0], str) else ""
            )
            program = said.split()[0].rpartition("/")[2] if said.split() else ""
            if not program or program in ("aws", "python", "python3", "sh", "bash", "env", "s3cmd", "s5cmd", "rclone"):
                return m.refuse(node, env, f"`{members.shown_node(node)}` starts a program that may use AWS")
    return UNKNOWN
