"""Code of installed packages: what reads and writes S3 by an address, what uses AWS itself, and all the rest."""

from __future__ import annotations

import ast
import re
import sys
import types
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import addresses, aws
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
    Live,
    Text,
    Unknown,
    Value,
    one,
)
from packyak.deploy.grants.infer.heap import REST, Env
from packyak.deploy.grants.infer.live import dotted
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.texts import shown_node

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

AWS_PACKAGES = frozenset(("boto3", "botocore", "aiobotocore", "aioboto3", "s3fs", "s3transfer", "boto", "sagemaker"))
_OF_AWS = re.compile(
    r"aws|amazon|boto|aiobot|s3|sagemaker|pynamodb|pyathena|watchtower|chalice|minio|redshift_connector"
)
_WHERE_SET_UP_SO = frozenset(
    ("celery", "clearml", "dvc", "feast", "kombu", "litellm", "metaflow", "mlflow", "storages", "zenml")
)
"""Packages that reach AWS where their own settings, a tracking server or a model's name say so."""
_SPEAKS_OF_AWS = re.compile(r"(^|[._])(aws|amazon)[._]|Bedrock|Sage[Mm]aker|\bS3[A-Z]")
SMALL = frozenset(("boto3.s3.transfer.TransferConfig", "botocore.config.Config", "boto3.dynamodb.conditions.Key",
                   "boto3.dynamodb.conditions.Attr", "boto3.dynamodb.types.Binary",
                   "boto3.dynamodb.types.TypeSerializer", "boto3.dynamodb.types.TypeDeserializer"))  # fmt: skip


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
    if name.startswith("logging."):
        return UNKNOWN
    if any(
        "169.254.1" in str(part)
        for value in args.all()
        for each in value
        if isinstance(each, Text)
        for part in each.parts
    ):
        return m.refuse(node, env, f"`{shown_node(node)}` takes out the credentials of the role")
    found = None if is_standard(top) else addresses.opened(m, name, value, args, node, env)
    if found is not None:
        opaque(m, name, args, node, env)
        return found
    if top == "ctypes":
        return m.refuse(node, env, f"`{name}` runs code that is no Python")
    if not is_standard(top):
        if uses_aws(top) or _SPEAKS_OF_AWS.search(name):
            return m.refuse(node, env, f"`{name}` uses AWS by itself", (), "")
        if isinstance(value, types.FunctionType) and _module_uses_aws(value):
            return m.refuse(node, env, f"`{name}` uses AWS by itself")
        if isinstance(value, types.FunctionType):
            held(m, value, node, env)
    return opaque(m, name, args, node, env)


def _packyak(m: Machine, name: str, args: Args, node: ast.AST, env: Env) -> Value:
    """Packyak's own: readers of files, declarations; anything else acts on projects."""
    from packyak.deploy.grants.infer.calls import opaque

    if name.startswith(("packyak.engine.declare.", "packyak.engine.errors.")):
        return opaque(m, name, args, node, env)
    return m.refuse(node, env, f"what `{shown_node(node)}` does with the project is not followed", ["bucket"])


def _module_uses_aws(value: types.FunctionType) -> bool:
    return any(
        isinstance(each, types.ModuleType) and each.__name__.partition(".")[0] in AWS_PACKAGES
        for each in value.__globals__.values()
    )


@cache
def uses_aws(top: str) -> bool:
    """Whether an installed package needs AWS's library, and not only as an extra; one that is not installed, by its
    name."""
    if top in AWS_PACKAGES or top in _WHERE_SET_UP_SO or _OF_AWS.match(top.lower()) or "aws" in top.lower().split("_"):
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
        what = f"what `{shown_node(node)}` is called on is not known"
        return m.refuse(node, env, what, aws.services_with(name), aws.line_of(name))
    if owner.given and name in ("put", "get", "delete", "list") and _is_awaited(node):
        what = f"`{owner.given}` is given from outside, and may be a bucket that is asked to {name}"
        return m.refuse(node, env, what, ["bucket"], f'Files.{name}("my-bucket/*")')
    found = addresses.opened(m, name, None, args, node, env)
    return found if found is not None else opaque(m, name, args, node, env)


def _is_awaited(node: ast.AST) -> bool:
    return bool(getattr(node, "is_awaited", False))
