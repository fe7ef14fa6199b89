"""Where reading a function starts: the function, and what its parameters are given."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from packyak.deploy.grants.infer import live
from packyak.deploy.grants.infer.atoms import Client, Resource, Unknown, Value, one
from packyak.deploy.grants.infer.found import Inference
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.machine import Args, Machine
from packyak.engine.declare.declared import Declared


def infer(
    function: Callable[..., Any],
    *,
    name: str = "",
    root: str | Path = "",
    given: Mapping[str, Value] | None = None,
) -> Inference:
    """Reads a function and everything of the project that it calls.

    function: any callable written in Python. name: what refusals call it (default: `function` and its name). root: the
    folder that places are relative to (default: the function's own). given: what is known of its parameters; of others
    nothing is, and asking them for what only clients of AWS (or buckets) can do is refused.

    >>> import boto3
    >>> def keep(day): boto3.client("s3").put_object(Bucket="notes", Key=f"days/{day}.txt", Body=b"")
    >>> [str(each.need) for each in infer(keep).actions]
    ['s3:PutObject on arn:aws:s3:::notes/days/*']
    """
    target = function.function if isinstance(function, Declared) else function
    plain = innermost(target)
    label = name or f"function {getattr(target, '__qualname__', repr(target))}"
    folder = Path(root).resolve() if root else Path(plain.__code__.co_filename).resolve().parent if plain else Path()
    machine = Machine(label, folder)

    site = _site(plain)

    def start() -> None:
        from packyak.deploy.grants.infer.calls import call
        from packyak.deploy.grants.infer.containers import element

        file = plain.__code__.co_filename if plain else ""
        env = Env(machine.heap, None, plain or (lambda: None), None, file, label)
        result = call(machine, live.wrap(target), _arguments(plain, given or {}), site, env)
        element(machine, result, env, site)

    return machine.infer(start)


def innermost(function: Any) -> types.FunctionType | None:
    """The function whose parameters count: beneath methods, partials and wrappers."""
    seen = 0
    while not isinstance(function, types.FunctionType) and seen < 20:
        seen += 1
        for name in ("__func__", "func", "__wrapped__", "function", "__call__"):
            inner = getattr(function, name, None)
            if inner is not None and inner is not function:
                function = inner
                break
        else:
            return None
    return function if isinstance(function, types.FunctionType) else None


def _site(function: types.FunctionType | None) -> ast.AST:
    node = ast.Pass()
    node.lineno = function.__code__.co_firstlineno if function else 0
    return node


def _arguments(function: types.FunctionType | None, given: Mapping[str, Value]) -> Args:
    """What the function is called with: by name what is known, else data from outside."""
    if function is None:
        return Args(star=one(Unknown()), stars=one(Unknown()))
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    annotations = getattr(function, "__annotations__", {})
    named = {name: given.get(name) or annotated(name, annotations.get(name)) for name in names}
    defaults = live.function_defaults(function)
    for name, value in defaults.items():
        if name not in given:
            named[name] = named.get(name, frozenset()) | value
    star = one(Unknown(given=code.co_varnames[len(names)])) if code.co_flags & 0x0C else None
    return Args([], named, star if code.co_flags & 0x04 else None, star if code.co_flags & 0x08 else None)


def annotated(name: str, annotation: Any) -> Value:
    """What an annotation says: clients by their stub classes; all else is data from outside."""
    said = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    module = getattr(annotation, "__module__", "") or ""
    if isinstance(said, str) and module.startswith(("mypy_boto3_", "types_boto3_")):
        service = module.partition("boto3_")[2].partition(".")[0].replace("_", "-")
        if said.endswith("Client"):
            return one(Client(service))
        if said.endswith("ServiceResource"):
            return one(Resource(Client(service)))
    return one(Unknown(given=name))
