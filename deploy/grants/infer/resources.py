"""Resource objects of boto3: what they can do by their models; going over collections; transfers in parts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import models
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
    AwsMember,
    BatchWriter,
    Client,
    Collection,
    CollectionMember,
    Hole,
    Resource,
    ResourceMember,
    Text,
    Value,
    one,
)
from packyak.deploy.grants.infer.heap import REST, Env
from packyak.deploy.grants.infer.live import service_of
from packyak.deploy.grants.infer.operations import Given, operate
from packyak.deploy.grants.infer.paste import line_of
from packyak.deploy.grants.infer.texts import text, texts_of

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Args, Machine

HARMLESS = (
    "exceptions",
    "close",
    "can_paginate",
    "waiter_names",
    "meta",
    "get_available_subresources",
    "get_available_services",
    "get_available_resources",
    "region_name",
    "available_profiles",
)


def of_resource(m: Machine, owner: Resource, name: str, env: Env, node: ast.AST) -> Value:
    for word, value in owner.ids:
        if word == name:
            return value
    if name == "meta":
        return one(AwsMember(owner, "meta"))
    service = owner.client.service
    model = models.resource_model(service, owner.type)
    if model is None:
        return m.refuse(node, env, f"{_shown(owner)} has no model", [service])
    if any(each.name == name for each in model.collections):
        return one(Collection(owner, name, (), m.place(node, env)))
    if name in models.attributes_of(service, owner.type) and not owner.loaded:
        _load(m, owner, node, env)
        return UNKNOWN
    if name in models.attributes_of(service, owner.type):
        return UNKNOWN
    return one(ResourceMember(owner, name))


def _load(m: Machine, owner: Resource, node: ast.AST, env: Env) -> None:
    """What asking for an attribute does first."""
    model = models.resource_model(owner.client.service, owner.type)
    if model.load is not None:
        given = Given(_params(model.load.request.params, owner))
        operate(m, owner.client, model.load.request.operation, given, node, env, f"{owner.type}.load")
    elif owner.type == "ObjectSummary":
        ids = dict(owner.ids)
        given = Given({"Bucket": ids["bucket_name"], "Key": ids["key"]})
        operate(m, owner.client, "HeadObject", given, node, env, "ObjectSummary.load")
    elif owner.type == "Bucket":
        operate(m, owner.client, "ListBuckets", Given({}), node, env, "Bucket.load")


def _params(params: Iterable[object], owner: Resource) -> dict[str, Value]:
    ids = dict(owner.ids)
    found: dict[str, Value] = {}
    for each in params:
        source, target = getattr(each, "source", ""), str(getattr(each, "target", ""))
        if source == "identifier":
            found[target] = ids.get(_snake(getattr(each, "name", "")), UNKNOWN)
        elif source == "string":
            found[target] = one(text(str(getattr(each, "value", ""))))
        elif source == "data":
            found[target] = UNKNOWN
    return found


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def transferred(
    m: Machine,
    client: Client,
    transfer: tuple[tuple[str, ...], tuple[str, ...]],
    known: dict[str, Value],
    args: Args,
    node: ast.AST,
    env: Env,
    name: str,
) -> Value:
    """Uploads, downloads and copies that boto3 does in parts. What they are given beside goes into each request."""
    from packyak.deploy.grants.infer.calls import escape
    from packyak.deploy.grants.infer.containers import certain, mapping

    order, operations = transfer
    if args.star is not None or args.stars is not None:
        return m.refuse(node, env, f"with what `{name}` is called is not known", ["s3"], line_of(name.split(".")[-1]))
    found = {**known, **args.named, **dict(zip(order, args.positional, strict=False))}
    for each in ("Callback", "Fileobj"):
        if each in found:
            escape(m, found[each], node, env, f"`{name}`")
    extra = found.pop("ExtraArgs", NOTHING)
    more, rest = mapping(m, extra)
    given = Given({**more, **found}, rest or None, args.maybe | (frozenset(more) - certain(m, extra)))
    parts = ["CreateMultipartUpload"] if "SSEKMSKeyId" in more and "PutObject" in operations else []
    for operation in (*operations, *parts):
        operate(m, client, operation, given, node, env, name)
    return UNKNOWN


def call_resource(m: Machine, what: ResourceMember, args: Args, node: ast.AST, env: Env) -> Value:
    owner, name = what.resource, what.name
    service = owner.client.service
    model = models.resource_model(service, owner.type)
    said = f"{owner.type or service}.{name}"
    kind = "Object" if owner.type == "ObjectSummary" else owner.type
    transfer = models.TRANSFERS.get((kind, name)) if service == "s3" and owner.type else None
    if transfer is not None and owner.type != "ObjectSummary":
        ids = dict(owner.ids)
        known = {"Bucket": ids.get("bucket_name", ids.get("name", UNKNOWN))}
        known |= {"Key": ids["key"]} if "key" in ids else {}
        return transferred(m, owner.client, transfer, known, args, node, env, said)
    for each in model.subresources:
        if each.name == name:
            return _subresource(owner, each, args)
    for each in model.waiters:
        if each.name == name:
            waiter = models.waiters_of(service)[_snake(each.waiter_name)]
            given = Given({**_params(each.params, owner), **args.named}, args.stars, args.maybe)
            return operate(m, owner.client, waiter, given, node, env, said)
    for each in model.actions:
        if each.name == name:
            given = Given({**_params(each.request.params, owner), **args.named}, args.stars, args.maybe)
            response = operate(m, owner.client, each.request.operation, given, node, env, said)
            return _result(m, owner, each.resource, given, response, node) if each.resource is not None else response
    if name in ("load", "reload"):
        _load(m, owner, node, env)
        return UNKNOWN
    if name == "batch_writer" and (service, owner.type) == ("dynamodb", "Table"):
        given = Given({"RequestItems": _keyed(m, dict(owner.ids).get("name", UNKNOWN), node)})
        operate(m, owner.client, "BatchWriteItem", given, node, env, said)
        return one(BatchWriter(owner))
    if name in HARMLESS:
        return UNKNOWN
    return m.refuse(node, env, f"`{name}` of {_shown(owner)} is not known", [service])


def _keyed(m: Machine, names: Value, node: ast.AST) -> Value:
    made = m.make("dict", (node, "table"))
    for each in names:
        known = each.known if isinstance(each, Text) else None
        m.heap.add(made, known if known is not None else REST, UNKNOWN)
    return one(made)


def _subresource(owner: Resource, found: object, args: Args) -> Value:
    resource = getattr(found, "resource", None)
    ids = dict(owner.ids)
    made: list[tuple[str, Value]] = []
    at = 0
    for each in getattr(resource, "identifiers", ()):
        word = _snake(each.target)
        if each.source == "input":
            made.append((word, args.get(at, word) or UNKNOWN))
            at += 1
        else:
            made.append((word, ids.get(_snake(each.name or ""), UNKNOWN)))
    return one(Resource(owner.client, getattr(resource, "type", ""), tuple(made)))


def _result(m: Machine, owner: Resource, found: object, given: Given, response: Value, node: ast.AST) -> Value:
    """The resource that an action answers with, or several."""
    from packyak.deploy.grants.infer.containers import mapping

    ids = dict(owner.ids)
    made: list[tuple[str, Value]] = []
    for each in getattr(found, "identifiers", ()):
        value = UNKNOWN
        if each.source == "identifier":
            value = ids.get(_snake(each.name or ""), UNKNOWN)
        elif each.source == "requestParameter":
            value = given.named.get(each.path, UNKNOWN)
        elif each.source == "response":
            value = mapping(m, response)[0].get(each.path, UNKNOWN)
        made.append((_snake(each.target), value))
    result = one(Resource(owner.client, getattr(found, "type", ""), tuple(made)))
    several = "[]" in str(getattr(found, "path", "")) or any(
        "[]" in str(each.path or "") for each in getattr(found, "identifiers", ())
    )
    return m.make_list((node, "several"), (), result) if several else result


# -- collections, paginators, waiters, sessions


def call_collection(m: Machine, what: CollectionMember, args: Args, node: ast.AST, env: Env) -> Value:
    owner, name = what.collection, what.name
    if name in ("all", "filter", "limit", "page_size", "iterator"):
        params = dict(owner.params) | (args.named if name in ("filter", "iterator") else {})
        is_open = owner.open or args.stars is not None or bool(args.maybe)
        kept = tuple(sorted(params.items(), key=lambda each: each[0]))
        return one(Collection(owner.resource, owner.name, kept, m.place(node, env), is_open))
    if name == "pages":
        return m.make_list(node, (), m.make_list((node, "page"), (), listed(m, owner, env, node)))
    for each in _collection_model(owner).batch_actions:
        if each.name == name:
            items = listed(m, owner, env, node)
            for item in items:
                if isinstance(item, Resource):
                    given = _batch(m, each.request.params, item, node)
                    said = f"{owner.name}.{name}"
                    operate(m, item.client, each.request.operation, given, node, env, said)
            return UNKNOWN
    return m.refuse(node, env, f"`{name}` of {_shown(owner)} is not known", [service_of(owner)])


def _batch(m: Machine, params: Iterable[object], item: Resource, node: ast.AST) -> Given:
    found: dict[str, Value] = {}
    for path, value in _params(params, item).items():
        top, _, rest = path.partition(".")
        if not rest:
            found[top] = value
            continue
        middle, _, leaf = rest.replace("[*]", "[]").partition("[].")
        inner = m.make("dict", (node, path))
        outer = m.make("dict", (node, top))
        for each in (m.make("dict", (node, top, middle)),):
            m.heap.add(each, leaf, value)
            m.certain.setdefault(each, set()).add(leaf)
            m.heap.add(inner, REST, one(each))
        m.heap.add(outer, middle, m.make_list((node, middle), (), m.heap.get(inner, REST)))
        found[top] = one(outer)
    return Given(found)


def _collection_model(owner: Collection) -> Any:
    model = models.resource_model(owner.resource.client.service, owner.resource.type)
    return next((each for each in model.collections if each.name == owner.name), None)


def listed(m: Machine, owner: Collection, env: Env, node: ast.AST) -> Value:
    """What going over a collection does, and its items."""
    found = _collection_model(owner)
    request, resource = getattr(found, "request", None), getattr(found, "resource", None)
    given = Given({**_params(getattr(request, "params", ()), owner.resource), **dict(owner.params)},
                  UNKNOWN if owner.open else None)  # fmt: skip
    operation = str(getattr(request, "operation", ""))
    place = owner.place if owner.place[1] else None
    operate(m, owner.resource.client, operation, given, node, env, f"{owner.name}.{operation}", place)
    ids = dict(owner.resource.ids)
    made: list[tuple[str, Value]] = []
    for each in getattr(resource, "identifiers", ()):
        if each.source == "identifier":
            made.append((_snake(each.target), ids.get(_snake(each.name or ""), UNKNOWN)))
        else:
            of_key = operation in ("ListObjects", "ListObjectVersions") and each.target in ("Key", "ObjectKey")
            made.append((_snake(each.target), below(given.named.get("Prefix")) if of_key else UNKNOWN))
    return one(Resource(owner.resource.client, getattr(resource, "type", ""), tuple(made), loaded=True))


def below(prefix: Value | None) -> Value:
    """The keys that a listing may give."""
    texts = texts_of(prefix) if prefix is not None else None
    if not texts:
        return one(text(Hole()))
    return frozenset(text(*each.parts, Hole()) for each in texts)


def _shown(atom: Resource | Collection) -> str:
    return f"<{service_of(atom)} {type(atom).__name__.lower()}>"
