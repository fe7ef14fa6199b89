"""What functions of the standard library and of boto3 make: partials, namespaces, paths, sessions, clients."""

from __future__ import annotations

import ast
import dataclasses
import io
import posixpath
import types
import urllib.parse
from collections.abc import Callable
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer import aws, members, modules
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
    Atom,
    Hole,
    Known,
    Live,
    Made,
    Partial,
    Session,
    Text,
    Unknown,
    Value,
    one,
    union,
)
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.live import carries, services_in, wrap
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.texts import OPEN, path_joined
from packyak.deploy.grants.infer.texts import text as path_text

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

Run = Callable[["Machine", Args, ast.AST, Env], Value]


def first(args: Args) -> Value:
    """What is given first."""
    return args.get(0, "") or NOTHING


def partial(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    if args.star is not None or args.stars is not None:
        if carries(m, union(args.all())):
            return m.refuse(node, env, "with what a partial is made is not known", services_in(m, union(args.all())))
        return one(Partial(first(args), (), ()))
    named = tuple(sorted(args.named.items(), key=lambda each: each[0]))
    return one(Partial(first(args), tuple(args.positional[1:]), named))


def identity_maker(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """lru_cache, with or without parentheses; wraps(f): what is decorated stays what it is."""
    if any(is_callable(each) for each in first(args)) and not args.named:
        return first(args)
    return one(Known("identity"))


def is_callable(atom: Atom) -> bool:
    return not isinstance(atom, Text | Unknown) and not (
        isinstance(atom, Live) and (atom.value is None or isinstance(atom.value, int | float))
    )


def wraps(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return one(Known("identity"))


def keeps(what: str) -> Run:
    return lambda m, args, node, env: one(Known(what, tuple(args.positional)))


def caller(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    named = m.make("dict", (node, "named"))
    for name, value in args.named.items():
        m.heap.add(named, name, value)
    return one(Known("method caller", (*args.positional, one(named))))


def namespace(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    made = m.make("object", node, Live(types.SimpleNamespace))
    for name, value in args.named.items():
        m.heap.add(made, f".{name}", value)
    if args.stars is not None and carries(m, args.stars):
        m.refuse(node, env, "what a namespace holds is not known", services_in(m, args.stars))
    return one(made)


def replaced(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    made: Value = NOTHING
    for each in first(args):
        if isinstance(each, Made):
            copy = m.make("object", node, each.kind_of)
            for key, value in m.heap.fields(each).items():
                if key.removeprefix(".") not in args.named:
                    m.heap.add(copy, key, value)
        elif isinstance(each, Live) and dataclasses.is_dataclass(each.value):
            copy = m.make("object", node, Live(type(each.value)))
            for field in dataclasses.fields(each.value):
                if field.name not in args.named:
                    m.heap.add(copy, f".{field.name}", members.attribute(m, each, field.name, env, node))
        else:
            made |= UNKNOWN
            continue
        for name, value in args.named.items():
            m.heap.add(copy, f".{name}", value)
        made |= one(copy)
    return made


def path(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    if args.star is not None:
        return one(OPEN)
    return path_joined(args.positional) if args.positional else one(OPEN)


def text(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return members.as_text(m, first(args), env, node) if args.positional else wrap("")


def boto_client(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return aws.made_client(m, args, node, env)


def boto_resource(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return aws.made_client(m, args, node, env, resource=True)


def boto_session(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    given = [name for name in aws.CREDENTIALS if args.named.get(name, NOTHING) - one(Live(None))]
    if given or args.stars is not None:
        return m.refuse(node, env, "a session with credentials of its own acts as somebody else than this role")
    return frozenset(Session(each) for each in aws.regions(m, args.named.get("region_name", NOTHING), "aws", node, env))


def transfer(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return one(Known("transfer", (args.get(0, "client") or NOTHING,)))


def imported(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return modules.import_named(m, args, node, env)


def unknown(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return UNKNOWN


def loop(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return one(Known("loop"))


def opened(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """open(...), NamedTemporaryFile(): a file of this machine."""
    from packyak.deploy.grants.infer.calls import opaque

    opaque(m, "open", args, node, env)
    made = m.make("object", node, Live(io.BytesIO))
    m.heap.add(made, ".name", HERE)
    return one(made)


def folder(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """mkdtemp(), gettempdir(); TemporaryDirectory() in a `with`: a folder of this machine."""
    return HERE


HERE: Value = one(path_text("/", Hole()))


def address(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """urlparse("s3://bucket/key"): its parts, where the address is known as far as its path."""
    made = m.make("object", node, Live(urllib.parse.ParseResult))
    parts: dict[str, Value] = dict.fromkeys(("scheme", "netloc", "path"), NOTHING)
    for each in first(args):
        start = each.parts[0] if isinstance(each, Text) and each.parts else ""
        scheme, _, rest = start.partition("://") if isinstance(start, str) else ("", "", "")
        host, slash, path = rest.partition("/")
        known = isinstance(each, Text) and bool(scheme) and bool(slash) and not set(rest) & set("?#;")
        after = path_text(f"/{path}", *each.parts[1:]) if known and isinstance(each, Text) else OPEN
        for name, value in (("scheme", scheme), ("netloc", host), ("path", after)):
            parts[name] |= one(value) if isinstance(value, Text) else wrap(value) if known else UNKNOWN
    for name, found in parts.items():
        m.heap.add(made, f".{name}", found or UNKNOWN)
    return one(made)


def part_of_path(name: str) -> Run:
    """os.path.dirname(p), basename(p): of a path that is known; abspath(p) and others give one of this machine."""

    def run(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
        made: Value = NOTHING
        for each in first(args):
            known = each.known if isinstance(each, Text) else None
            if name in ("dirname", "basename"):
                made |= wrap(getattr(posixpath, name)(known)) if known is not None else one(OPEN)
            else:
                made |= one(each) if known is not None and known.startswith("/") else HERE
        return made

    return run
