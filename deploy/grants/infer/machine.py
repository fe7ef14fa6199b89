"""Reads a function as the interpreter would run it, with every alternative at once, and notes what it asks of AWS.

Branches are all taken, loops read until nothing new comes, calls followed with what they are given. The whole is
repeated until objects, closures and modules hold nothing new: then every action was seen. Whatever cannot be followed
is noted as a refusal by the place where it happens.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

from packyak.deploy.grants.infer import live
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    TOLD,
    UNKNOWN,
    Atom,
    Inner,
    Live,
    Made,
    Text,
    Unknown,
    Value,
    one,
    union,
)
from packyak.deploy.grants.infer.found import Action, Inference, Need, Refusal, inference
from packyak.deploy.grants.infer.heap import REST, Env, Heap
from packyak.deploy.grants.infer.paste import line_for
from packyak.deploy.grants.infer.texts import narrowed, shared_start
from packyak.engine.declare.source import FunctionNode, function_node

ROUNDS, DEEPEST, LIKE_IT = 12, 80, 4
Key = Any
IMPORT = "the module"  # what runs while a module is imported


@dataclass
class Args:
    """What a call is given. star: more by position, nobody knows how many; stars: more by name. maybe: names
    that may be left out."""

    positional: list[Value] = field(default_factory=list)
    named: dict[str, Value] = field(default_factory=dict)
    star: Value | None = None
    stars: Value | None = None
    maybe: frozenset[str] = frozenset()

    def all(self) -> Iterable[Value]:
        """Everything that is handed over."""
        yield from self.positional
        yield from self.named.values()
        yield from (each for each in (self.star, self.stars) if each is not None)

    def get(self, at: int, name: str) -> Value | None:
        """What is given at a position or by a name; None where it is left out."""
        if name in self.named:
            return self.named[name]
        if at < len(self.positional):
            return self.positional[at]
        return self.star if self.star is not None else self.stars

    def after(self, count: int) -> Args:
        """What is left behind the first ones."""
        return Args(self.positional[count:], dict(self.named), self.star, self.stars, self.maybe)


ANY = Args(star=UNKNOWN, stars=UNKNOWN)


@dataclass
class _Call:
    key: Key
    given: dict[str, Value]


class Machine:
    """One reading. label: what the refusals call the function; root: the folder that places are relative to."""

    def __init__(self, label: str, root: Path) -> None:
        self.label = label
        self.root = root
        self.heap = Heap()
        self.read: set[ast.AST] = set()  # the functions that were reached
        self.context: list[Any] = []
        self._stack: list[_Call] = []
        self._memo: dict[Any, Value] = {}
        self._envs: dict[Any, Env] = {}
        self._summaries: dict[Key, Value] = {}
        self._actions: set[Action] = set()
        self._refusals: set[Refusal] = set()
        self.escaped: set[Any] = set()
        self.modules: set[str] = set()  # whose import was read
        self.certain: dict[Made, set[str]] = {}  # the keys that a dict has from the beginning
        self.raised: Value = NOTHING  # what was raised anywhere

    def infer(self, start: Any) -> Inference:
        """Reads from a start (a callable without arguments that makes the first call) until nothing new comes."""
        for _ in range(ROUNDS):
            before = (self.heap.version, len(self.read))
            self._memo, self._actions, self._refusals, self.escaped = {}, set(), set(), set()
            self.modules = set()
            start()
            if (self.heap.version, len(self.read)) == before:
                return inference(self.label, self._actions, self._refusals)
        self._refusals.add(
            Refusal(
                "", 0, self.label, "the code changes what it calls in more ways than are followed", (), line_for(())
            )
        )
        return inference(self.label, self._actions, self._refusals)

    # -- what is found

    def record(self, needs: Iterable[Need], node: ast.AST, env: Env, call: str) -> None:
        """Notes what a call asks for."""
        file, line = self.place(node, env)
        self._actions.update(Action(need, file, line, call) for need in needs)

    def record_at(self, needs: Iterable[Need], place: tuple[str, int], call: str) -> None:
        self._actions.update(Action(need, *place, call) for need in needs)

    def refuse(self, node: ast.AST, env: Env, what: str, about: Iterable[str] = (), grant: str = "") -> Value:
        """Notes what cannot be told. The value of what was refused is unknown."""
        file, line = self.place(node, env)
        services = tuple(sorted(set(about)))
        self._refusals.add(Refusal(file, line, self.label, what, services, grant or line_for(services)))
        return TOLD

    def place(self, node: ast.AST, env: Env) -> tuple[str, int]:
        """The file, relative to the project where it is in it, and the line of a call's own name."""
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            line = node.func.end_lineno or line
        elif isinstance(node, ast.Attribute):
            line = node.end_lineno or line
        path = Path(env.file)
        return (path.relative_to(self.root) if path.is_relative_to(self.root) else path).as_posix(), line

    # -- what is made

    def make(self, kind: str, node: Any, kind_of: Atom | None = None) -> Made:
        """Something new, named by its place and the calls that lead here."""
        return Made(kind, (node, *self.context[-4:]), kind_of)

    def make_list(self, node: Any, items: Iterable[Value], rest: Value = NOTHING, kind: str = "list") -> Value:
        made = self.make(kind, node)
        for at, each in enumerate(items):
            self.heap.add(made, str(at), each)
        if rest:
            self.heap.add(made, REST, rest)
        return one(made)

    def scope(self, node: ast.AST, env: Env, own: frozenset[str]) -> Env:
        """The variables of a comprehension or of a class's body: the same at each reading."""
        key = (node, env, *self.context[-4:])
        found = self._envs.get(key)
        if found is None:
            found = self._envs[key] = Env(self.heap, key, env.live, env, env.file, env.name)
        found.vars, found.yielded, found.own, found.transparent, found.first = {}, NOTHING, own, True, env.first
        return found

    def of_module(self, statement: ast.AST, namespace: dict[str, Any], file: str) -> Env:
        """The names of a module for one of its statements: the same at each reading."""
        found = self._envs.get(("import", statement))
        if found is None:
            stand_in = FunctionType((lambda: None).__code__, namespace)
            found = self._envs["import", statement] = Env(self.heap, statement, stand_in, None, file, IMPORT)
        return found

    # -- calls

    def call_live(self, function: FunctionType, args: Args, node: ast.AST, env: Env) -> Value:
        """Follows a function of this process."""
        tree = function_node(function.__code__)
        if tree is None:
            return self.refuse(node, env, f"the code of {function.__qualname__} cannot be read")
        self._imported(function)
        defaults = live.defaults_of(function, tree)
        around = Env(self.heap, None, function, None, live.file_of(function), function.__qualname__)
        return self._follow(tree, function, around, args, defaults, node)

    def _imported(self, function: FunctionType) -> None:
        """Its module is imported before it runs; once is enough."""
        file = live.file_of(function)
        if file not in self.modules:
            from packyak.deploy.grants.infer.importing import read_module

            read_module(self, function.__globals__, file)

    def call_inner(self, inner: Inner, args: Args, node: ast.AST) -> Value:
        """Follows a function that code made."""
        return self._follow(inner.node, (inner.node, inner.around), inner.around, args, dict(inner.defaults), node)

    def _follow(
        self, tree: FunctionNode, key: Key, around: Env, args: Args, defaults: dict[str, Value], node: ast.AST
    ) -> Value:
        given = self._bound(tree, args, defaults)
        same = [each for each in self._stack if each.key == key]
        if same:
            last = same[-1].given
            if all(value <= last.get(name, NOTHING) for name, value in given.items()):
                return self._summaries.get(key, NOTHING)
            given = {name: widened(last.get(name, NOTHING), value) for name, value in given.items()}
            if given == last:
                return self._summaries.get(key, NOTHING)
        if len(same) > LIKE_IT or len(self._stack) > DEEPEST:
            if any(live.carries(self, value) for value in given.values()):
                return self.refuse(node, around, "the call goes deeper than is followed")
            given = dict.fromkeys(given, UNKNOWN)
            if len(same) > LIKE_IT + 1 or len(self._stack) > DEEPEST:
                return UNKNOWN
        memo = (key, tuple(sorted(given.items(), key=lambda each: each[0])))
        if memo in self._memo:
            return self._memo[memo]
        self.read.add(tree)
        result = self._run(tree, memo, around, given, node)
        known = self._summaries.get(key, NOTHING)
        if not result <= known:
            self._summaries[key] = narrowed(known | result)
            self.heap.version += 1
        self._memo[memo] = result
        return result

    def _run(self, tree: FunctionNode, memo: Any, around: Env, given: dict[str, Value], node: ast.AST) -> Value:
        from packyak.deploy.grants.infer.expressions import evaluate
        from packyak.deploy.grants.infer.names import names_of
        from packyak.deploy.grants.infer.statements import run_block

        env = self._envs.get(memo)
        if env is None:
            inner = around.site is not None
            env = Env(
                self.heap, memo, around.live, around if inner else None, around.file, getattr(tree, "name", "<lambda>")
            )
            env.own, env.outside, env.nonlocals = names_of(tree)
            env.shared = frozenset(
                name for each in ast.walk(tree) if isinstance(each, ast.Nonlocal) for name in each.names
            )
            self._envs[memo] = env
        env.vars, env.returned, env.yielded, env.loops = {}, NOTHING, NOTHING, []
        for name, value in given.items():
            env.set(name, value)
        first = next(iter(given), None)
        env.first = given[first] if first else NOTHING
        self._stack.append(_Call(memo[0], given))
        self.context.append(node)
        try:
            if isinstance(tree, ast.Lambda):
                result = evaluate(self, tree.body, env)
            else:
                run_block(self, tree.body, env)
                result = env.returned
                if env.vars is not None:
                    result |= one(Live(None))
            if is_generator(tree):
                made = self.make_list(tree, (), env.yielded, "generator")
                for each in made:
                    self.heap.add(("returned", each), "value", result)
                return made
            return result
        finally:
            self.context.pop()
            self._stack.pop()

    def _bound(self, tree: FunctionNode, args: Args, defaults: dict[str, Value]) -> dict[str, Value]:
        """The value of each parameter. What comes in unknown number may be any that is not given otherwise."""
        spec = tree.args
        names = [each.arg for each in (*spec.posonlyargs, *spec.args)]
        given: dict[str, Value] = {}
        named = dict(args.named)
        for at, name in enumerate(names):
            if at < len(args.positional):
                given[name] = args.positional[at]
            elif name in named:
                given[name] = named.pop(name)
            else:
                given[name] = self._open(args, defaults.get(name), by_position=True)
        if spec.vararg is not None:
            more = args.positional[len(names) :]
            given[spec.vararg.arg] = self.make_list(spec.vararg, more, args.star or NOTHING, "tuple")
        for each in spec.kwonlyargs:
            if each.arg in named:
                given[each.arg] = named.pop(each.arg)
            else:
                given[each.arg] = self._open(args, defaults.get(each.arg), by_position=False)
        if spec.kwarg is not None:
            made = self.make("dict", spec.kwarg)
            for name, value in named.items():
                self.heap.add(made, name, value)
            if args.stars:
                self.heap.add(made, REST, args.stars)
            given[spec.kwarg.arg] = one(made)
        return given

    def _open(self, args: Args, default: Value | None, *, by_position: bool) -> Value:
        found = [args.star if by_position else None, args.stars, default]
        return union(each for each in found if each is not None)


def widened(before: Value, after: Value) -> Value:
    """What a recursive call is given, so that recursion ends: texts keep what they begin with in common."""
    both = before | after
    texts = [each for each in both if isinstance(each, Text)]
    if len(texts) > 1 and not frozenset(texts) <= before:
        both = both - set(texts) | {shared_start(sorted(texts, key=repr))}
    numbers = [each for each in both if isinstance(each, Live) and isinstance(each.value, int | float)]
    if len(numbers) > 8:
        both = both - set(numbers) | {Unknown()}
    return both


def is_generator(tree: FunctionNode) -> bool:
    """Whether it yields, nested functions left aside."""
    return not isinstance(tree, ast.Lambda) and any(
        isinstance(each, ast.Yield | ast.YieldFrom) for each in live.within(tree)
    )
