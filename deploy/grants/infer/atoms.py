"""What a name may hold while code is read and not run. A value is a set of such alternatives; the empty one is a value
that never comes to be.

Strings are known in part: texts with holes. Live objects are themselves. What code makes is named by the place that
makes it. What belongs to AWS or to declared buckets has an atom of its own, so that it is never mistaken for data.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Atom:
    """One alternative."""


Value = frozenset[Atom]
NOTHING: Value = frozenset()


@dataclass(frozen=True)
class Hole:
    """A part of a text that is not known. pattern: where it is a file's key, what the declaration says of it."""

    pattern: str = ""


@dataclass(frozen=True)
class Text(Atom):
    """A string."""

    parts: tuple[str | Hole, ...] = ()

    @property
    def known(self) -> str | None:
        """The whole string, where nothing of it is open."""
        if not self.parts:
            return ""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], str) else None


@dataclass(frozen=True)
class Unknown(Atom):
    """Data of which nothing is known. given: the parameter through which it came from outside; changed: the name that
    other code gives a value later. Neither must be taken for harmless. told: it comes of what was refused already."""

    given: str = ""
    changed: str = ""
    told: bool = False


class Live(Atom):
    """An object of this process, known by identity; numbers and None by value."""

    __slots__ = ("value",)
    value: Any

    def __init__(self, value: Any) -> None:
        object.__setattr__(self, "value", value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Live):
            return False
        if isinstance(self.value, int | float | bytes):
            return type(self.value) is type(other.value) and bool(self.value == other.value)
        return self.value is other.value

    def __hash__(self) -> int:
        return hash(self.value) if isinstance(self.value, int | float | bytes) else id(self.value)

    def __repr__(self) -> str:
        return f"Live({type(self.value).__name__})"


@dataclass(frozen=True)
class Made(Atom):
    """Something that code makes: `list`, `dict`, `object`, `class`. site: the node that makes it, and the calls that
    lead there. kind_of: for an object, its class."""

    kind: str
    site: tuple[Any, ...]
    kind_of: Atom | None = None


@dataclass(frozen=True)
class Inner(Atom):
    """A function made by code: its tree, the names around it, the values of its defaults by parameter."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    around: Any
    defaults: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True)
class Bound(Atom):
    """A function with its `self`."""

    function: Atom
    owner: Atom


@dataclass(frozen=True)
class Partial(Atom):
    """A function with some of its arguments."""

    function: Value
    positional: tuple[Value, ...]
    named: tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class Method(Atom):
    """A method of something whose code is not read: of a text, a list, of data."""

    owner: Atom
    name: str


@dataclass(frozen=True)
class Known(Atom):
    """A callable that is known by what it does. what: a word of `stdlib`; holds: what it was made with."""

    what: str
    holds: tuple[Value, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Super(Atom):
    """`super()`: what comes after a class, for an object."""

    after: Any
    owner: Atom


@dataclass(frozen=True)
class Foreign(Atom):
    """Something of an installed package, by its dotted name, that is not loaded."""

    name: str


# -- of AWS


@dataclass(frozen=True)
class Aws(Atom):
    """Anything through which AWS can be reached."""


@dataclass(frozen=True)
class Session(Aws):
    """A session of boto3 or botocore. region: "" where it is the one that the code runs in."""

    region: str = ""


@dataclass(frozen=True)
class Client(Aws):
    """A client of a service. region: "" where it is the one that the code runs in. hooked: the project's own code
    stands in its events, and may change what is asked."""

    service: str
    region: str = ""
    hooked: bool = False


@dataclass(frozen=True)
class ClientMember(Aws):
    """An attribute of a client: a method, `meta`, ..."""

    client: Client
    name: str


@dataclass(frozen=True)
class Paginator(Aws):
    client: Client
    method: str


@dataclass(frozen=True)
class Waiter(Aws):
    client: Client
    name: str


@dataclass(frozen=True)
class Resource(Aws):
    """A resource object. type: "" for the service itself. ids: its identifiers. loaded: it came with its attributes."""

    client: Client
    type: str = ""
    ids: tuple[tuple[str, Value], ...] = ()
    loaded: bool = False


@dataclass(frozen=True)
class ResourceMember(Aws):
    resource: Resource
    name: str


@dataclass(frozen=True)
class Collection(Aws):
    """A collection of a resource, as far as it is narrowed. place: where it was asked for. open: it is narrowed by
    something that is not known."""

    resource: Resource
    name: str
    params: tuple[tuple[str, Value], ...] = ()
    place: tuple[str, int] = ("", 0)
    open: bool = False


@dataclass(frozen=True)
class CollectionMember(Aws):
    collection: Collection
    name: str


@dataclass(frozen=True)
class AwsMember(Aws):
    """A method of a session, a paginator or a waiter, or another part of boto3."""

    owner: Aws
    name: str


@dataclass(frozen=True)
class BatchWriter(Aws):
    """What `table.batch_writer()` gives."""

    resource: Resource


# -- of Packyak


@dataclass(frozen=True)
class Bucketed(Atom):
    """A declared bucket."""

    name: Value


@dataclass(frozen=True)
class BucketVerb(Atom):
    bucket: Bucketed
    verb: str


@dataclass(frozen=True)
class FileOf(Atom):
    """A file of a declared bucket; bucket nothing: one of this machine."""

    bucket: Value
    key: Value


@dataclass(frozen=True)
class FileMember(Atom):
    file: FileOf
    name: str


OURS = (Bucketed, BucketVerb, FileMember)
UNKNOWN: Value = frozenset({Unknown()})
NONE: Value = frozenset({Live(None)})
TOLD: Value = frozenset({Unknown(told=True)})


def one(atom: Atom) -> Value:
    return frozenset({atom})


def union(values: Iterable[Value]) -> Value:
    """All alternatives of several values."""
    return frozenset().union(*values)
