"""Methods of strings and paths, on texts that are known in part."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer import containers, members
from packyak.deploy.grants.infer.atoms import NOTHING, UNKNOWN, Hole, Text, Value, one
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.live import wrap
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.texts import OPEN, PLAIN, format_fields, joined, literal, path_joined, shown, text

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

_SAME = ("as_posix", "absolute", "resolve", "expanduser", "__str__", "__fspath__")
_LISTS = ("split", "rsplit", "splitlines", "partition", "rpartition")


def call(m: Machine, owner: Text, name: str, args: Args, node: ast.AST, env: Env) -> Value:
    """`"...".name(...)`."""
    if name == "format":
        return _format(m, owner, args, node, env)
    if name == "join":
        return _join(m, owner, args, node, env)
    if name in PLAIN:
        return one(_changed(owner, name, args))
    if name == "joinpath":
        return path_joined([one(owner), *args.positional]) if args.star is None else one(OPEN)
    if name in _SAME:
        return one(owner)
    if name in _LISTS:
        return _parts(m, owner, name, args, node)
    if name in ("glob", "rglob", "iterdir"):
        return m.make_list(node, (), one(text(*owner.parts, "/", Hole())))
    if name in ("encode", "startswith", "endswith", "find", "count", "index"):
        return UNKNOWN
    for value in args.all():
        for atom in value:
            containers.consumed(m, atom, env, node)
    return one(OPEN) if name in ("format_map", "zfill", "ljust", "rjust", "center", "translate") else UNKNOWN


def _changed(owner: Text, name: str, args: Args) -> Text:
    """What a method makes of a text that is wholly known, given texts that are."""
    given = [each.known for value in args.positional for each in value if isinstance(each, Text)]
    if owner.known is None or len(given) != len(args.positional) or None in given:
        return OPEN
    return text(str(getattr(owner.known, name)(*given)))


def _parts(m: Machine, owner: Text, name: str, args: Args, node: ast.AST) -> Value:
    if owner.known is not None:
        try:
            given = [next(each.known for each in value if isinstance(each, Text)) for value in args.positional[:1]]
            return m.make_list(node, [wrap(each) for each in getattr(owner.known, name)(*given)])
        except (StopIteration, ValueError, TypeError):
            return m.make_list(node, (), one(OPEN))
    return m.make_list(node, (), one(OPEN))


def _join(m: Machine, owner: Text, args: Args, node: ast.AST, env: Env) -> Value:
    items = args.get(0, "") or NOTHING
    known = containers.sequence(m, items, env, node)
    if known is None or owner.known is None:
        containers.element(m, items, env, node)
        return one(OPEN)
    return joined(*known, between=owner.known) if known else literal("")


def _format(m: Machine, owner: Text, args: Args, node: ast.AST, env: Env) -> Value:
    if owner.known is None or args.star is not None or args.stars is not None:
        return one(OPEN)
    pieces: list[Value] = []
    at = 0
    for before, field, spec in format_fields(owner.known):
        pieces.append(literal(before))
        if field is None:
            continue
        value = args.named.get(field)
        if field.isdigit() or field == "":
            place = int(field) if field else at
            at += 1
            value = args.positional[place] if place < len(args.positional) else None
        if value is None:
            pieces.append(one(OPEN))
        else:
            value = members.as_text(m, value, env, node)
            pieces.append(frozenset(shown(each, spec) for each in value))
    return joined(*pieces)
