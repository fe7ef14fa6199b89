"""The declared things of a project by name: what its modules hold, and what those are declared over.

One object found twice is one thing; two objects of one name are refused. Buckets are data: those of one name are one.
"""

from __future__ import annotations

import keyword
import sys
from collections.abc import Iterator
from types import ModuleType

from packyak.engine.declare.bucket import Bucket, Files
from packyak.engine.declare.columns import RESERVED_COLUMNS
from packyak.engine.declare.declared import DECLARED, Asset, Check, Declared, Function, Index, Sql, Transform
from packyak.engine.declare.nodes import Origin
from packyak.engine.declare.options import refuse
from packyak.engine.errors import nearest

Thing = Bucket | Files | Sql | Index | Declared[..., object]
# DuckDB's reserved words: a table of such a name would have to be quoted in every query.
SQL_WORDS = frozenset(
    "all analyse analyze and any array as asc asymmetric at both case cast check collate column constraint create "  # noqa: SIM905
    "default deferrable desc describe distinct do else end except false fetch for foreign from group having in "
    "initially intersect into lambda lateral leading limit not null offset on only or order pivot pivot_longer "
    "pivot_wider placing primary qualify references returning select show some summarize symmetric table then to "
    "trailing true union unique unpivot using variadic when where window with".split()
)


class Declarations:
    """Things by name. `aliases`: other names that modules have for them."""

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self.aliases: dict[str, str] = {}
        self._folded: dict[str, str] = {}
        self._names: dict[int, str] = {}

    def add_module(self, module: ModuleType) -> None:
        """Adds what a module declares or imports by name."""
        for attribute, value in list(vars(module).items()):
            if isinstance(value, DECLARED):
                self.aliases.setdefault(attribute, self.name_of(value, attribute))

    def name_of(self, thing: object, attribute: str = "") -> str:
        """The name of a declared thing, which is added when it is new, with everything that it is declared over."""
        assert isinstance(thing, DECLARED)
        known = self._names.get(id(thing))
        if known is not None:
            return known
        name = self._own_name(thing, attribute)
        self._add(name, thing)
        for other in _declared_over(thing):
            self.name_of(other)
        return name

    def resolve(self, word: str) -> str | None:
        """The name of the thing that a user's word means: its name, or what a module calls it."""
        return word if word in self.things else self.aliases.get(word)

    def named(self, *kinds: type) -> list[str]:
        """The names of all things of some kinds."""
        return [name for name, thing in self.things.items() if isinstance(thing, kinds)]

    def _own_name(self, thing: Thing, attribute: str) -> str:
        if isinstance(thing, Bucket | Files):
            return thing.name
        if isinstance(thing, Declared):
            return thing.__name__
        name = attribute or _attribute_of(thing)
        if not name:
            raise refuse(
                thing.origin, "This sql() has no name" if isinstance(thing, Sql) else "This Index has no name",
                "assign it to a name of its module: `topics_per_day = sql(...)`",
            )  # fmt: skip
        return name

    def _add(self, name: str, thing: Thing) -> None:
        self._names[id(thing)] = name
        before = self.things.get(name)
        if before is not None and before == thing:
            return
        if not isinstance(thing, Bucket | Files):
            _check_name(name, thing)
        twin = self._folded.get(name.casefold())
        if twin is not None:
            self._refuse_twin(name, thing, twin)
        self.things[name] = thing
        self._folded[name.casefold()] = name

    def _refuse_twin(self, name: str, thing: Thing, twin: str) -> None:
        first = self.things[twin]
        if (thing.origin.file, thing.origin.line) < (first.origin.file, first.origin.line):
            first, thing, twin, name = thing, first, name, twin
        how = (
            f"Two things are named `{name}`" if twin == name else f"The names `{twin}` and `{name}` differ by case only"
        )
        raise refuse(
            thing.origin,
            f"{how}: the {kind_of(first)} at {first.origin} and the {kind_of(thing)} here",
            "rename one of them",
        )


def kind_of(thing: object) -> str:
    """The word for what something is."""
    if isinstance(thing, Bucket):
        return "bucket"
    return "files" if isinstance(thing, Files) else str(getattr(thing, "kind", type(thing).__name__))


def a_kind(thing: object) -> str:
    """The word with its article."""
    kind = kind_of(thing)
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _declared_over(thing: Thing) -> Iterator[object]:
    if isinstance(thing, Files):
        yield thing.bucket
    elif isinstance(thing, Transform | Index):
        if isinstance(thing.source, DECLARED):
            yield thing.source
    elif isinstance(thing, Asset):
        yield from (value for value in thing.inputs.values() if isinstance(value, DECLARED))
    elif isinstance(thing, Check) and thing.target is not None:
        yield thing.target
    elif isinstance(thing, Function) and thing.on is not None:
        yield thing.on.bucket


def _attribute_of(thing: Sql | Index) -> str:
    """What the module that declared it calls a thing."""
    held = vars(sys.modules[thing.module]) if thing.module in sys.modules else {}
    return next((name for name, value in held.items() if value is thing), "")


def _check_name(name: str, thing: Thing) -> None:
    kind = kind_of(thing)
    problem = ""
    if not name.isidentifier() or keyword.iskeyword(name):
        problem = "is no identifier"
    elif name in RESERVED_COLUMNS or name.startswith("__"):
        problem = "is reserved"
    elif isinstance(thing, Asset | Transform | Sql) and name.casefold() in SQL_WORDS:
        problem = "is a reserved word of SQL"
    if problem:
        raise refuse(thing.origin, f"{kind} `{name}` cannot be named so: the name {problem}", "rename it")


def unknown(origin: Origin, does: str, word: str, choices: list[str]) -> Exception:
    """The error of a word that names nothing declared."""
    meant = nearest(word, choices)
    return refuse(
        origin,
        f"{does} `{word}`, which is not declared",
        f"did you mean `{meant}`?" if meant else f"declare `{word}`, or import it into the module",
        choices,
    )
