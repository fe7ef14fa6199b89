"""Where values are kept while code is read: variables of each call, and what objects hold.

Variables follow the order of statements; what objects, closures and modules hold is only ever added to, and reading is
repeated until nothing is added any more.
"""

from __future__ import annotations

from typing import Any

from packyak.deploy.grants.infer.atoms import NOTHING, Atom, Value
from packyak.deploy.grants.infer.texts import narrowed

REST = "*"  # the key of what a container holds somewhere


class Heap:
    """What objects hold, by owner and key. version: grows with every addition."""

    def __init__(self) -> None:
        self._held: dict[Any, dict[str, Value]] = {}
        self.version = 0

    def add(self, owner: Any, key: str, value: Value) -> None:
        """Adds alternatives to what an owner holds under a key."""
        held = self._held.setdefault(owner, {})
        before = held.get(key, NOTHING)
        after = narrowed(before | value)
        if after != before or key not in held:
            held[key] = after
            self.version += 1

    def get(self, owner: Any, key: str) -> Value:
        return self._held.get(owner, {}).get(key, NOTHING)

    def has(self, owner: Any, key: str) -> bool:
        return key in self._held.get(owner, {})

    def fields(self, owner: Any) -> dict[str, Value]:
        """Everything that an owner holds."""
        return dict(self._held.get(owner, {}))


class Env:
    """The variables of one call. live: where the function's own closure and module stand; around: of an inner function,
    the variables of the call that made it. vars is None where no statement is reached any more."""

    def __init__(self, heap: Heap, site: Any, live: Any, around: Env | None, file: str, name: str) -> None:
        self.heap = heap
        self.site = site
        self.live = live
        self.around = around
        self.file = file
        self.name = name
        self.own: frozenset[str] = frozenset()
        self.outside: frozenset[str] = frozenset()  # declared global
        self.nonlocals: frozenset[str] = frozenset()
        self.shared: frozenset[str] = frozenset()  # inner functions assign them
        self.transparent = False  # a comprehension, or a class's body
        self.in_class = False
        self.vars: dict[str, Value] | None = {}
        self.first: Value = NOTHING  # the first argument, for super()
        self.kind: Atom | None = None  # the class whose method this is
        self.returned: Value = NOTHING
        self.yielded: Value = NOTHING
        self.loops: list[list[dict[str, Value]]] = []
        self.exits: list[list[dict[str, Value]]] = []

    def set(self, name: str, value: Value) -> None:
        """Gives a name a value here; inner functions see every value that it ever had."""
        if self.vars is not None:
            self.vars[name] = value
            self.heap.add(self, name, value)

    def ever(self, name: str) -> Value:
        return self.heap.get(self, name)

    def owns(self, name: str) -> bool:
        return name in self.own and name not in self.outside and name not in self.nonlocals


def join(*states: dict[str, Value] | None) -> dict[str, Value] | None:
    """The variables where several ways meet; None for a way that is not taken."""
    taken = [each for each in states if each is not None]
    if not taken:
        return None
    made = dict(taken[0])
    for state in taken[1:]:
        for name, value in state.items():
            made[name] = narrowed(made.get(name, NOTHING) | value)
    return made
