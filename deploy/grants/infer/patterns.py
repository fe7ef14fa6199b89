"""The patterns of `match`: the names that they bind."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer import containers, members, names
from packyak.deploy.grants.infer.atoms import NOTHING, UNKNOWN, Atom, Live, Text, Value, union
from packyak.deploy.grants.infer.expressions import evaluate
from packyak.deploy.grants.infer.heap import Env

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine


def match(m: Machine, pattern: ast.pattern, subject: Value, env: Env) -> None:
    """Binds what a pattern names. Parts of what is matched may be anything that it holds."""
    if isinstance(pattern, ast.MatchAs):
        if pattern.pattern is not None:
            match(m, pattern.pattern, subject, env)
        if pattern.name:
            names.store(m, pattern.name, subject, env)
    elif isinstance(pattern, ast.MatchOr):
        for each in pattern.patterns:
            match(m, each, subject, env)
    elif isinstance(pattern, ast.MatchValue):
        evaluate(m, pattern.value, env)
    elif isinstance(pattern, ast.MatchSequence):
        known = containers.sequence(m, subject, env, pattern)
        fits = known is not None and len(known) == len(pattern.patterns)
        for at, each in enumerate(pattern.patterns):
            exact = fits and not any(isinstance(every, ast.MatchStar) for every in pattern.patterns)
            part = known[at] if exact and known else containers.element(m, subject, env, pattern)
            match(m, each, part, env)
    elif isinstance(pattern, ast.MatchStar):
        if pattern.name:
            names.store(m, pattern.name, m.make_list(pattern, (), subject), env)
    elif isinstance(pattern, ast.MatchMapping):
        for key, each in zip(pattern.keys, pattern.patterns, strict=True):
            match(m, each, containers.items(m, subject, evaluate(m, key, env), env, key), env)
        if pattern.rest:
            names.store(m, pattern.rest, subject, env)
    elif isinstance(pattern, ast.MatchClass):
        kinds = evaluate(m, pattern.cls, env)
        for kind in kinds if pattern.patterns else ():
            given = getattr(kind.value, "__match_args__", ()) if isinstance(kind, Live) else _match_args(m, kind)
            for name in given[: len(pattern.patterns)]:
                for atom in subject:
                    members.attribute(m, atom, name, env, pattern.cls)
        anything = union(containers.everything(m, atom) for atom in subject) | UNKNOWN if pattern.patterns else NOTHING
        for each in pattern.patterns:
            match(m, each, anything, env)
        for name, each in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
            match(m, each, union(members.attribute(m, atom, name, env, pattern.cls) for atom in subject), env)


def _match_args(m: Machine, kind: Atom) -> list[str]:
    """`__match_args__` of a class that code defines."""
    held = [value for each in m.heap.get(kind, ".__match_args__") for value in m.heap.fields(each).values()]
    return [each.known or "" for each in union(held) if isinstance(each, Text)]
