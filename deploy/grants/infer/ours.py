"""Declared buckets and their files: the verbs, and the keys that they are asked for."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer.atoms import (
    UNKNOWN,
    Bucketed,
    BucketVerb,
    FileMember,
    FileOf,
    Hole,
    Live,
    Text,
    Unknown,
    Value,
    one,
)
from packyak.deploy.grants.infer.found import Need
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.texts import has_wildcards, pattern_of, text, texts_of
from packyak.deploy.grants.requests import DELETE, LIST, READ, SECRET, WRITE
from packyak.engine.declare.secret import Secret

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Args, Machine

VERBS = {"get": READ, "put": WRITE, "delete": DELETE, "list": LIST}
_OF_FILE = ("read_bytes", "text", "open")


def attribute(m: Machine, owner: Bucketed | FileOf, name: str, env: Env, node: ast.AST) -> Value:
    """`bucket.put`, `file.key`."""
    if isinstance(owner, Bucketed):
        if name == "name":
            return owner.name
        if name.removesuffix("_sync") in VERBS:
            return one(BucketVerb(owner, name.removesuffix("_sync")))
        if name in ("files", "created", "origin"):
            return UNKNOWN
        return m.refuse(node, env, f"`{name}` of a bucket is not known", ["bucket"])
    if name == "key":
        return owner.key
    if name == "bucket":
        return owner.bucket or one(text(""))
    if name in _OF_FILE:
        return one(FileMember(owner, name))
    if name == "path":
        read(m, owner, env, node)
        return one(text("/", Hole()))
    return UNKNOWN


def call(m: Machine, what: BucketVerb | FileMember, args: Args, node: ast.AST, env: Env) -> Value:
    """A verb of a bucket, or reading a file."""
    if isinstance(what, FileMember):
        read(m, what.file, env, node)
        return UNKNOWN
    key = args.get(0, "pattern" if what.verb == "list" else "key")
    if what.verb == "put":
        data = args.get(1, "data")
        for each in data or ():
            if isinstance(each, FileOf):
                read(m, each, env, node)
    return _verb(m, what, key, env, node)


def _verb(m: Machine, what: BucketVerb, key: Value | None, env: Env, node: ast.AST) -> Value:
    names = texts_of(what.bucket.name)
    if not names or any(each.known is None for each in names):
        return m.refuse(node, env, f"which bucket is asked to {what.verb} is not known", ["bucket"],
                        f'Files.{what.verb}("my-bucket/*")')  # fmt: skip
    said = f"{'/'.join(each.known or '' for each in names)}.{what.verb}"
    needs: list[Need] = []
    for name in names:
        if what.verb == "list":
            needs.append(Need(LIST, f"bucket:{name.known}", f"bucket:{name.known}/"))
            continue
        for each in _keys(key):
            if has_wildcards(each):
                m.refuse(node, env, f"a key of `{said}` has a sign that IAM would take for a wildcard", ["bucket"],
                         f'Files.{what.verb}("{name.known}/*")')  # fmt: skip
            else:
                needs.append(Need(VERBS[what.verb], f"bucket:{name.known}/{pattern_of(each)}"))
    m.record(needs, node, env, said)
    if what.verb == "list":
        keys = frozenset(_of_pattern(each) for each in _keys(key)) if key is not None else one(text(Hole()))
        return m.make_list(node, (), keys)
    return UNKNOWN if what.verb == "get" else one(Live(None))


def secret(m: Machine, name: Value | None, env: Env, node: ast.AST) -> Value:
    """`Secret("openai")`, written in a body."""
    names = texts_of(name) if name is not None else []
    if not names or any(each.known is None for each in names):
        return m.refuse(node, env, "which secret is meant is not known", ["secretsmanager"], 'Secrets.get("my-secret")')
    return frozenset(Live(_secret(each.known or "")) for each in names)


@lru_cache(maxsize=256)
def _secret(name: str) -> Secret:
    """One object for each name: what is live is known by its identity."""
    return Secret(name)


def of_secret(m: Machine, owner: Secret, name: str, env: Env, node: ast.AST) -> Value:
    """`secret.value`: asking for it is taken for reading it."""
    if name == "value":
        resource = f"arn:aws:secretsmanager:{{region}}:{{account}}:secret:{owner.name}-??????"
        m.record([Need(SECRET, resource)], node, env, f"{owner.name}.value")
        return one(Live(str))
    return one(Live(owner.name)) if name == "name" else UNKNOWN


def _keys(key: Value | None) -> list[Text]:
    found = [each if isinstance(each, Text) else text(Hole()) for each in key or one(Unknown())]
    return sorted(set(found), key=repr)


def _of_pattern(pattern: Text) -> Text:
    """The keys that a listing by a pattern gives."""
    known = pattern.known
    return text(Hole()) if known is None else text(Hole(known)) if set(known) & set("*?") else pattern


def read(m: Machine, file: FileOf, env: Env, node: ast.AST) -> None:
    """Reading a file of a bucket; one of this machine needs nothing."""
    if file.bucket:
        _verb(m, BucketVerb(Bucketed(file.bucket), "get"), file.key, env, node)
