"""One operation of AWS as code calls it: its needs by the table, or a refusal; and what is known of its answer."""

from __future__ import annotations

import ast
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer.atoms import NOTHING, UNKNOWN, Client, Hole, Live, Text, Unknown, Value, one
from packyak.deploy.grants.infer.found import NotKnown
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.paste import line_for_operation
from packyak.deploy.grants.infer.table import Parameters, Texts, needs_of
from packyak.deploy.grants.infer.texts import text, texts_of

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

LISTINGS = ("ListObjects", "ListObjectsV2", "ListObjectVersions")


@dataclass
class Given:
    """The parameters of a call. rest: there are more, of which nothing is known. maybe: may be left out."""

    named: dict[str, Value] = field(default_factory=dict)
    rest: Value | None = None
    maybe: frozenset[str] = frozenset()


def operate(
    m: Machine,
    client: Client,
    operation: str,
    given: Given,
    node: ast.AST,
    env: Env,
    said: str,
    place: tuple[str, int] | None = None,
) -> Value:
    """Notes what an operation needs. said: the call as a reader knows it. The value is what is known of its answer."""
    parameters = Parameters(lambda path: _texts(m, given, path), lambda path: _given(m, given, path), client.region)
    try:
        if given.rest is not None:
            raise NotKnown("some of its parameters are spread from what is not known")
        needs = needs_of(client.service, operation, parameters)
    except NotKnown as problem:
        line = line_for_operation(client.service, operation, m, given.named)
        m.refuse(node, env, f"`{said}` cannot be decided: {problem.what}", [client.service], line)
        return _answer(m, client, operation, given, node)
    if place is None:
        m.record(needs, node, env, said)
    else:
        m.record_at(needs, place, said)
    return _answer(m, client, operation, given, node)


def _answer(m: Machine, client: Client, operation: str, given: Given, node: ast.AST) -> Value:
    from packyak.deploy.grants.infer.resources import below

    if operation in LISTINGS:
        made = m.make("answer", (node, operation))
        key = m.make("answer", (node, operation, "key"))
        common = m.make("answer", (node, operation, "prefix"))
        keys = below(given.named.get("Prefix"))
        m.heap.add(key, "Key", keys)
        m.heap.add(common, "Prefix", keys)
        for name in ("Contents", "Versions", "DeleteMarkers"):
            m.heap.add(made, name, m.make_list((node, name), (), one(key)))
        m.heap.add(made, "CommonPrefixes", m.make_list((node, "CommonPrefixes"), (), one(common)))
        return one(made)
    if operation == "GetObject":
        made = m.make("answer", (node, operation))
        m.heap.add(made, "Body", one(m.make("object", (node, operation, "body"), Live(io.BytesIO))))
        return one(made)
    if operation == "GetQueueUrl":
        made = m.make("answer", (node, operation))
        names = texts_of(given.named.get("QueueName", NOTHING)) or []
        start = f"https://sqs.{client.region or '{region}'}.amazonaws.com/{{account}}/"
        m.heap.add(made, "QueueUrl", frozenset(text(start, *each.parts) for each in names) or one(text(Hole())))
        return one(made)
    return UNKNOWN


def _at(m: Machine, given: Given, path: str) -> tuple[Value, bool]:
    """What is at a path within the parameters, and whether all of the way is there for sure."""
    from packyak.deploy.grants.infer.containers import certain, element, mapping

    top, *steps = path.replace("[]", ".[]").replace("{}", ".{}").split(".")
    if top not in given.named:
        return NOTHING, True
    value, sure = given.named[top], top not in given.maybe
    env = Env(m.heap, None, None, None, "", "")
    for step in steps:
        if step == "[]":
            value = element(m, value, env, ast.Pass())
        elif step == "{}":
            named, rest = mapping(m, value)
            keys: Value = frozenset(text(each) for each in named)
            value = keys | (UNKNOWN if rest else NOTHING)
        else:
            named, rest = mapping(m, value)
            sure = sure and step in certain(m, value)
            value = named.get(step, NOTHING) | rest
    return value, sure


def _texts(m: Machine, given: Given, path: str) -> Texts | None:
    value, _ = _at(m, given, path)
    if path == "CopySource" and any(not isinstance(each, Text) for each in value):
        return _source(m, given)
    return texts_of(frozenset(map(_as_text, value)))


def _as_text(atom: object) -> Text | Unknown | Live:
    """A parameter that is data: a string of which nothing is known."""
    if isinstance(atom, Text | Live):
        return atom
    return text(Hole()) if isinstance(atom, Unknown) else Unknown()


def _source(m: Machine, given: Given) -> Texts | None:
    """`CopySource={"Bucket": ..., "Key": ...}` as `bucket/key`."""
    buckets = texts_of(frozenset(map(_as_text, _at(m, given, "CopySource.Bucket")[0])))
    keys = texts_of(frozenset(map(_as_text, _at(m, given, "CopySource.Key")[0])))
    if not buckets or not keys:
        return None
    return [text(*bucket.parts, "/", *key.parts) for bucket in buckets for key in keys]


def _written_source(given: Given) -> list[Text]:
    """`CopySource="bucket/key"`; nothing where it is a dict."""
    sources = given.named.get("CopySource", NOTHING)
    return [each for each in sources if isinstance(each, Text)] if all(isinstance(x, Text) for x in sources) else []


def _given(m: Machine, given: Given, path: str) -> bool | None:
    value, sure = _at(m, given, path)
    if path == "CopySource.VersionId" and (named := _written_source(given)):
        return any("?versionId=" in str(part) for each in named for part in each.parts)
    if not value or value == one(Live(None)):
        return False
    return True if sure else None
