"""Lists, dicts, tuples and sets, made by code or live: what they hold, where that is known, what loops get."""

from __future__ import annotations

import ast
import collections
import enum
import os
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import aws, members
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
    Atom,
    Collection,
    Known,
    Live,
    Made,
    Method,
    Text,
    Unknown,
    Value,
    one,
    union,
)
from packyak.deploy.grants.infer.heap import REST, Env
from packyak.deploy.grants.infer.live import carries, services_in, wrap
from packyak.deploy.grants.infer.texts import OPEN, matching, shown_node

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

LIVE = (list, tuple, set, frozenset, dict, types.MappingProxyType, collections.deque)
LOOKED_AT = 500  # items of a live container
BEYOND: Value = one(Unknown(changed="what a large container holds"))
MOST = 32  # items, beyond which a loop is not read item by item
SEQUENCES = ("list", "tuple", "set", "generator")
CONTAINERS = (*SEQUENCES, "dict", "answer")  # an answer may hold more than is known


def is_container(atom: Atom) -> bool:
    if isinstance(atom, Live):
        return isinstance(atom.value, LIVE)
    return isinstance(atom, Made) and atom.kind in CONTAINERS


def sequence(m: Machine, value: Value, env: Env, node: ast.AST) -> list[Value] | None:
    """The items in order, where they are all known; None where they are not."""
    if len(value) != 1:
        return None
    (atom,) = value
    if isinstance(atom, Live):
        return _live_sequence(m, atom)
    if isinstance(atom, Known) and atom.what in ("items", "values"):
        return _pairs(m, atom, node)
    if isinstance(atom, Made) and atom.kind == "object":
        return _fields(m, atom)
    if not isinstance(atom, Made) or atom.kind not in CONTAINERS or atom.kind == "generator":
        return None
    held = m.heap.fields(atom)
    if REST in held or len(held) > MOST:
        return None
    if atom.kind == "answer":
        return None
    if atom.kind == "dict":
        return [key_value(key) for key in held]
    return [held[str(at)] for at in range(len(held))] if all(str(at) in held for at in range(len(held))) else None


def _fields(m: Machine, atom: Made) -> list[Value] | None:
    """The fields of a named tuple."""
    kind = atom.kind_of.value if isinstance(atom.kind_of, Live) else None
    names = getattr(kind, "_fields", None)
    if not (isinstance(kind, type) and issubclass(kind, tuple) and names):
        return None
    return [m.heap.get(atom, f".{name}") for name in names]


def _live_sequence(m: Machine, atom: Live) -> list[Value] | None:
    value = atom.value
    if isinstance(value, enum.EnumMeta):
        return _members(value)
    if not isinstance(value, LIVE) or len(value) > MOST or m.heap.fields(atom):
        return None
    items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
    return [wrap(each) for each in items]


def _members(kind: Any) -> list[Value]:
    """The members of an enumeration."""
    return [wrap(each) for each in kind.__members__.values()]


def _pairs(m: Machine, atom: Known, node: ast.AST) -> list[Value] | None:
    named, rest = mapping(m, atom.holds[0])
    if rest or len(atom.holds[0]) != 1 or len(named) > MOST:
        return None
    if atom.what == "values":
        return list(named.values())
    return [m.make_list((node, key), [key_value(key), held], NOTHING, "tuple") for key, held in named.items()]


def key_value(key: str) -> Value:
    """The key of a dict, as the heap writes it."""
    kind, _, word = key.partition(":") if key.startswith(("#", ".")) else ("", "", key)
    if kind == "#int":
        return wrap(int(word))
    return UNKNOWN if kind else wrap(key)


def key_name(atom: Atom) -> str | None:
    """How the heap writes a key; None for one that is not known."""
    if isinstance(atom, Text):
        return atom.known
    if isinstance(atom, Live):
        if isinstance(atom.value, int) and not isinstance(atom.value, bool):
            return f"#int:{atom.value}"
        return f"#{type(atom.value).__name__}:{atom.value!r}"[:200]
    return None


def element(m: Machine, value: Value, env: Env, node: ast.AST) -> Value:
    """Anything that going over a value may give."""
    return union(_elements(m, atom, env, node) for atom in members.likely(value))


def _elements(m: Machine, atom: Atom, env: Env, node: ast.AST) -> Value:
    if isinstance(atom, Made) and atom.kind in CONTAINERS:
        held = m.heap.fields(atom)
        if atom.kind in ("dict", "answer"):
            return union(UNKNOWN if key == REST else key_value(key) for key in held)
        return union(held.values())
    if isinstance(atom, Known) and atom.what in ("items", "values"):
        named, rest = mapping(m, atom.holds[0])
        held_value = union(named.values()) | rest
        if atom.what == "values":
            return held_value
        return m.make_list(node, [union(map(key_value, named)) | (UNKNOWN if rest else NOTHING), held_value])
    if isinstance(atom, Known) and atom.what == "future":
        return element(m, union(atom.holds), env, node)
    if isinstance(atom, Collection):
        return aws.listed(m, atom, env, node)
    if isinstance(atom, Live) and isinstance(atom.value, LIVE):
        more = BEYOND if len(atom.value) > LOOKED_AT else NOTHING
        return union(map(wrap, list(atom.value)[:LOOKED_AT])) | union(m.heap.fields(atom).values()) | more
    if isinstance(atom, Live) and isinstance(atom.value, enum.EnumMeta):
        return union(_members(atom.value))
    if isinstance(atom, Live) and isinstance(atom.value, types.GeneratorType | map | filter | zip):
        return _of_live_iterator(m, atom, env, node)
    found = members.dunder(m, atom, "__iter__", [], env, node) | members.dunder(m, atom, "__aiter__", [], env, node)
    if found:
        return element(m, found - one(atom), env, node) | _next(m, found, env, node)
    found = members.dunder(m, atom, "__getitem__", [UNKNOWN], env, node)
    if found:
        return found
    if isinstance(atom, Text):
        return one(OPEN)
    if isinstance(atom, Made) and atom.kind == "object":
        return m.heap.get(atom, REST) | UNKNOWN
    if isinstance(atom, Unknown):
        return one(atom)
    return UNKNOWN


def _of_live_iterator(m: Machine, atom: Live, env: Env, node: ast.AST) -> Value:
    if carries(m, one(atom)):
        return m.refuse(node, env, "an iterator made before holds what reaches AWS", services_in(m, one(atom)))
    return UNKNOWN


def _next(m: Machine, iterators: Value, env: Env, node: ast.AST) -> Value:
    return union(
        members.dunder(m, each, "__next__", [], env, node) | members.dunder(m, each, "__anext__", [], env, node)
        for each in iterators
    )


def consumed(m: Machine, atom: Atom, env: Env, node: ast.AST) -> None:
    """Something that is gone over without its items being used."""
    if isinstance(atom, Collection):
        aws.listed(m, atom, env, node)


def mapping(m: Machine, value: Value) -> tuple[dict[str, Value], Value]:
    """What a dict holds under known keys, and what under others."""
    named: dict[str, Value] = {}
    rest: Value = NOTHING
    for atom in value:
        if isinstance(atom, Made) and atom.kind in ("dict", "object", "answer"):
            rest |= UNKNOWN if atom.kind == "answer" else NOTHING
            for key, held in m.heap.fields(atom).items():
                if key == REST:
                    rest |= held
                else:
                    word = key.removeprefix(".") if atom.kind == "object" else key
                    named[word] = named.get(word, NOTHING) | held
        elif isinstance(atom, Live) and isinstance(atom.value, Mapping):
            for key, held in m.heap.fields(atom).items():
                rest |= held if key == REST else NOTHING
                named |= {} if key == REST else {key: named.get(key, NOTHING) | held}
            rest |= BEYOND if len(atom.value) > LOOKED_AT else NOTHING
            for each, held_live in list(atom.value.items())[:LOOKED_AT]:
                known = key_name(next(iter(wrap(each))))
                if known is None:
                    rest |= wrap(held_live)
                else:
                    named[known] = named.get(known, NOTHING) | wrap(held_live)
        elif not (isinstance(atom, Live) and atom.value is None):
            rest |= UNKNOWN
    return named, rest


def certain(m: Machine, value: Value) -> frozenset[str]:
    """The keys that a dict has for sure."""
    found: list[frozenset[str]] = []
    for atom in value:
        if isinstance(atom, Made):
            found.append(frozenset(m.certain.get(atom, ())))
        elif isinstance(atom, Live) and isinstance(atom.value, dict):
            found.append(frozenset(each for each in atom.value if isinstance(each, str)))
        else:
            found.append(frozenset())
    return frozenset.intersection(*found) if found else frozenset()


def items(m: Machine, owners: Value, key: Value, env: Env, node: ast.AST) -> Value:
    """`owner[key]`."""
    return union(_item(m, owner, key, env, node) for owner in owners)


def _item(m: Machine, owner: Atom, key: Value, env: Env, node: ast.AST) -> Value:
    missing = members.dunder(m, owner, "__missing__", [key], env, node)
    if is_container(owner):
        return missing | _container_item(m, owner, key)
    found = missing | members.dunder(m, owner, "__getitem__", [key], env, node)
    if not found and isinstance(owner, Live | Made):
        found = members.dunder(m, owner, "__class_getitem__", [key], env, node)
    if found:
        return found
    if isinstance(owner, Live) and isinstance(owner.value, types.GenericAlias | type):
        return one(owner)
    if isinstance(owner, Live) and isinstance(owner.value, Mapping):
        return _live_mapping(m, owner, key, env, node)
    if isinstance(owner, Made) and owner.kind == "object":
        return m.heap.get(owner, REST) | UNKNOWN
    if isinstance(owner, Method) and isinstance(owner.owner, Unknown):
        return one(owner.owner)
    if isinstance(owner, Text):
        return one(OPEN)
    return one(owner) if isinstance(owner, Unknown) else UNKNOWN


def _live_mapping(m: Machine, owner: Live, key: Value, env: Env, node: ast.AST) -> Value:
    """A mapping that is no dict: `os.environ`, what a library made. What it holds of AWS cannot be told apart."""
    if owner.value is os.environ:
        from packyak.deploy.grants.infer.stdlib import credentials_of_the_machine

        return credentials_of_the_machine(m, key, node, env) or UNKNOWN
    if carries(m, one(owner)):
        return m.refuse(node, env, f"what `{shown_node(node)}` is cannot be told", services_in(m, one(owner)))
    return UNKNOWN


def _container_item(m: Machine, owner: Atom, key: Value) -> Value:
    ordered = isinstance(owner, Made) and owner.kind in SEQUENCES
    if isinstance(owner, Live) and isinstance(owner.value, list | tuple | collections.deque):
        ordered = True
        named = {str(at): wrap(each) for at, each in enumerate(list(owner.value)[:LOOKED_AT])}
        rest = union(m.heap.fields(owner).values()) | (BEYOND if len(owner.value) > LOOKED_AT else NOTHING)
    elif isinstance(owner, Live) and isinstance(owner.value, dict | types.MappingProxyType):
        exact = _exact(m, owner, key)
        if exact is not None:
            return exact
        named, rest = mapping(m, one(owner))
    elif isinstance(owner, Made):
        fields = m.heap.fields(owner)
        rest = fields.pop(REST, NOTHING)
        named = fields
    else:
        return UNKNOWN
    result: Value = NOTHING
    for each in key:
        word = key_name(each)
        if ordered and isinstance(each, Live) and isinstance(each.value, int):
            at = each.value if each.value >= 0 else len(named) + each.value
            result |= named.get(str(at), NOTHING) if not rest or at < len(named) else NOTHING
            result |= rest
        elif word is not None and not ordered:
            result |= named.get(word, NOTHING) | rest
        elif isinstance(each, Text):
            fits = matching(each)
            result |= union(held for name, held in named.items() if fits.fullmatch(name)) | rest
        else:
            result |= union(named.values()) | rest
    open_ended = isinstance(owner, Made) and owner.kind == "answer"
    return result or (UNKNOWN if open_ended or (not named and not rest) else NOTHING)


def _exact(m: Machine, owner: Live, key: Value) -> Value | None:
    """What a live dict holds under known strings, however large it is."""
    found: Value = NOTHING
    for each in key:
        known = each.known if isinstance(each, Text) else None
        if known is None or known not in owner.value:
            return None
        found |= wrap(owner.value[known]) | m.heap.get(owner, known) | m.heap.get(owner, REST)
    return found


def set_item(m: Machine, owner: Atom, key: Value, value: Value, env: Env, node: ast.AST) -> None:
    """`owner[key] = value`."""
    if members.dunder(m, owner, "__setitem__", [key, value], env, node):
        return
    if is_container(owner):
        ordered = isinstance(owner, Made) and owner.kind in SEQUENCES
        for each in key:
            word = key_name(each)
            m.heap.add(owner, word if word is not None and not ordered else REST, value)
    elif isinstance(owner, Made):
        m.heap.add(owner, REST, value)
    elif isinstance(owner, Known) and owner.what == "globals":
        for each in key:
            if isinstance(each, Text) and each.known is not None:
                m.heap.add(("module", id(env.live.__globals__)), each.known, value)
            else:
                m.refuse(node, env, f"which name `{shown_node(node)}` gives a value is not known")
    else:
        from packyak.deploy.grants.infer.calls import escape

        escape(m, value, node, env, f"`{shown_node(node)}`")


def sliced(m: Machine, owner: Atom, node: ast.AST, env: Env) -> Value:
    """`owner[a:b]`."""
    if isinstance(owner, Text):
        return one(OPEN)
    if is_container(owner):
        return m.make_list(node, (), element(m, one(owner), env, node))
    return members.dunder(m, owner, "__getitem__", [UNKNOWN], env, node) or one(
        owner if isinstance(owner, Unknown) else Unknown()
    )


def extend(m: Machine, owner: Atom, more: Value, env: Env, node: ast.AST) -> None:
    """`owner += more`, for what is changed in place."""
    if not is_container(owner):
        return
    if isinstance(owner, Made) and owner.kind == "dict":
        named, rest = mapping(m, more)
        for key, held in named.items():
            m.heap.add(owner, key, held)
        if rest:
            m.heap.add(owner, REST, rest)
    elif isinstance(owner, Made | Live):
        m.heap.add(owner, REST, element(m, more, env, node))


def merged(m: Machine, node: ast.AST, left: Value, right: Value, env: Env) -> Value:
    """`a + b` of lists, `a | b` of dicts."""
    both = left | right
    if any(isinstance(each, Made) and each.kind == "dict" for each in both) or any(
        isinstance(each, Live) and isinstance(each.value, dict) for each in both
    ):
        made = m.make("dict", node)
        extend(m, made, both, env, node)
        return one(made)
    known = [sequence(m, left, env, node), sequence(m, right, env, node)]
    if known[0] is not None and known[1] is not None:
        return m.make_list(node, [*known[0], *known[1]])
    return m.make_list(node, (), element(m, both, env, node))


def everything(m: Machine, atom: Atom) -> Value:
    """All that an object holds."""
    if isinstance(atom, Made):
        return union(m.heap.fields(atom).values())
    if isinstance(atom, Live) and hasattr(atom.value, "__dict__") and not isinstance(atom.value, type):
        return union(map(wrap, vars(atom.value).values())) | union(m.heap.fields(atom).values())
    return UNKNOWN
