"""Everything of boto3 as code uses it: sessions, clients, resources, collections, paginators, waiters, transfers."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer import models
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
    Aws,
    AwsMember,
    BatchWriter,
    Client,
    ClientMember,
    Collection,
    CollectionMember,
    Live,
    Paginator,
    Resource,
    ResourceMember,
    Session,
    Value,
    Waiter,
    one,
    union,
)
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.live import service_of
from packyak.deploy.grants.infer.operations import Given, operate
from packyak.deploy.grants.infer.paste import line_of
from packyak.deploy.grants.infer.resources import (
    HARMLESS,
    call_collection,
    call_resource,
    listed,
    of_resource,
    transferred,
)
from packyak.deploy.grants.infer.rows import SERVICES
from packyak.deploy.grants.infer.texts import shown_node, texts_of

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Args, Machine

__all__ = [
    "attribute",
    "call",
    "is_telling",
    "line_of",
    "listed",
    "made_client",
    "service_of",
    "services_with",
    "shown",
]
CREDENTIALS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "profile_name")
HERE = "{region}"
_VERBS = frozenset(
    [
        "abort",
        "analyze",
        "batch",
        "change",
        "complete",
        "converse",
        "copy",
        "create",
        "decrypt",
        "delete",
        "describe",
        "detect",
        "disable",
        "download",
        "enable",
        "encrypt",
        "execute",
        "generate",
        "get",
        "head",
        "infer",
        "invoke",
        "list",
        "modify",
        "publish",
        "put",
        "receive",
        "remove",
        "restore",
        "select",
        "send",
        "start",
        "stop",
        "subscribe",
        "tag",
        "transact",
        "unsubscribe",
        "untag",
        "update",
        "upload",
        "verify",
    ]
)
_AFTERWARDS = ("after-call", "after-call-error", "response-received", "needs-retry")
_OURS = frozenset(("put_sync", "get_sync", "list_sync", "delete_sync", "read_bytes_of"))


def shown(atom: Aws) -> str:
    """As a reader knows it: `<s3 client>`."""
    kind = "client" if isinstance(atom, Client | ClientMember) else type(atom).__name__.lower()
    return f"<{service_of(atom)} {kind}>"


@cache
def is_telling(name: str) -> bool:
    """Whether a method's name is one that only clients of AWS (or buckets) have."""
    if name in _OURS:
        return True
    return "_" in name and name.partition("_")[0] in _VERBS and bool(services_with(name))


@cache
def services_with(name: str) -> tuple[str, ...]:
    """The services with a method of a name; nothing where boto3 is not installed."""
    if name in _OURS:
        return ("bucket",)
    try:
        found = [each for each in SERVICES if name in models.methods_of(each)]
    except ImportError:
        return ()
    if any(name == transfer for _, transfer in models.TRANSFERS):
        found.append("s3")
    return tuple(dict.fromkeys(found))


# -- attributes


def attribute(m: Machine, owner: Aws, name: str, env: Env, node: ast.AST) -> Value:
    """`owner.name`."""
    if isinstance(owner, Client):
        return one(AwsMember(owner, "meta")) if name == "meta" else one(ClientMember(owner, name))
    if isinstance(owner, Resource):
        return of_resource(m, owner, name, env, node)
    if isinstance(owner, Collection):
        return one(CollectionMember(owner, name))
    if isinstance(owner, AwsMember) and owner.name == "meta" and name == "client":
        inner = owner.owner
        return one(inner.client if isinstance(inner, Resource) else inner)
    if isinstance(owner, ClientMember) and owner.name in HARMLESS:
        return UNKNOWN
    if isinstance(owner, AwsMember) and owner.name == "meta" and name == "events":
        return one(AwsMember(owner, "events"))
    if isinstance(owner, AwsMember) and owner.name == "meta":
        return UNKNOWN
    if isinstance(owner, Session | Paginator | Waiter | BatchWriter | AwsMember):
        return one(AwsMember(owner, name))
    return m.refuse(node, env, f"`{name}` of {shown(owner)} is not followed", [service_of(owner)])


# -- calls


def call(m: Machine, what: Aws, args: Args, node: ast.AST, env: Env) -> Value:
    """Calls something of AWS."""
    if isinstance(what, ClientMember):
        return _client_call(m, what, args, node, env)
    if isinstance(what, ResourceMember):
        return call_resource(m, what, args, node, env)
    if isinstance(what, CollectionMember):
        return call_collection(m, what, args, node, env)
    if isinstance(what, AwsMember):
        return _other_call(m, what, args, node, env)
    return m.refuse(node, env, f"{shown(what)} is called, which is not followed", [service_of(what)])


def regions(m: Machine, value: Value, service: str, node: ast.AST, env: Env, default: str = "") -> list[str]:
    """The regions that code may name; "" for the one that it runs in."""
    found = texts_of(value)
    if found is None or any(each.known is None for each in found):
        if service != "s3":  # whose ARNs have no region
            m.refuse(node, env, "in which region something is asked for is not known", [service])
        return [default]
    return ["" if each.known == HERE else each.known or default for each in found] or [default]


def made_client(m: Machine, args: Args, node: ast.AST, env: Env, *, resource: bool = False, region: str = "") -> Value:
    """`boto3.client("s3")`, `session.resource("s3")`."""
    if args.star is not None or args.stars is not None:
        return m.refuse(node, env, "which client is made is not known: its arguments are spread")
    for name in CREDENTIALS:
        if args.named.get(name, frozenset()) - one(Live(None)):
            what = "a client with credentials of its own acts as somebody else than this role"
            return m.refuse(node, env, what)
    services = texts_of(args.get(0, "service_name") or NOTHING)
    if not services or any(each.known is None for each in services):
        return m.refuse(node, env, "of which service a client is made is not known")
    found: set[Aws] = set()
    for each in services:
        service = each.known or ""
        if service not in models.services():
            m.refuse(node, env, f"AWS has no service {service!r}")
            continue
        for where in regions(m, args.get(1, "region_name") or NOTHING, service, node, env, region):
            client = Client(service, where)
            found.add(Resource(client) if resource else client)
    return frozenset(found)


def _client_call(m: Machine, what: ClientMember, args: Args, node: ast.AST, env: Env) -> Value:
    client, name = what.client, what.name
    if client.hooked and name not in HARMLESS:
        said = f"functions are registered with the events of {shown(client)}, and may change what is asked for"
        m.refuse(node, env, said, [client.service])
    if name in ("get_paginator", "get_waiter"):
        return _walker(m, what, args, node, env)
    if name in ("generate_presigned_url", "generate_presigned_post"):
        return _presigned(m, what, args, node, env)
    if name == "_make_api_call":
        operations, params = texts_of(args.get(0, "operation_name") or NOTHING), args.get(1, "api_params")
        if operations and params is not None and all(each.known for each in operations):
            from packyak.deploy.grants.infer.containers import certain, mapping

            named, rest = mapping(m, params)
            given = Given(named, rest or None, frozenset(named) - certain(m, params))
            return union(
                [operate(m, client, each.known or "", given, node, env, f"{client.service}.{each.known}")
                 for each in operations]
            )  # fmt: skip
    if name in HARMLESS:
        return UNKNOWN
    transfer = models.TRANSFERS.get(("", name)) if client.service == "s3" else None
    if transfer is not None:
        return transferred(m, client, transfer, {}, args, node, env, f"s3.{name}")
    operation = models.methods_of(client.service).get(name)
    if operation is None:
        return m.refuse(node, env, f"`{name}` of {shown(client)} is not known", [client.service])
    given = Given(dict(args.named), args.stars, args.maybe)
    return operate(m, client, operation, given, node, env, f"{client.service}.{name}")


def _walker(m: Machine, what: ClientMember, args: Args, node: ast.AST, env: Env) -> Value:
    """`get_paginator("list_objects_v2")`, `get_waiter("object_exists")`."""
    names = texts_of(args.get(0, "operation_name") or args.get(0, "waiter_name") or NOTHING)
    if not names or any(each.known is None for each in names):
        said = "paginator" if what.name == "get_paginator" else "waiter"
        return m.refuse(node, env, f"which {said} of {shown(what.client)} is asked for is not known",
                        [what.client.service])  # fmt: skip
    if what.name == "get_paginator":
        return frozenset(Paginator(what.client, each.known or "") for each in names)
    return frozenset(Waiter(what.client, each.known or "") for each in names)


def _presigned(m: Machine, what: ClientMember, args: Args, node: ast.AST, env: Env) -> Value:
    """A signed address may do what its signer may."""
    from packyak.deploy.grants.infer.containers import certain, mapping

    client = what.client
    if what.name == "generate_presigned_post":
        given = {"Bucket": args.get(0, "Bucket") or UNKNOWN, "Key": args.get(1, "Key") or UNKNOWN}
        return operate(m, client, "PutObject", Given(given), node, env, "s3.generate_presigned_post")
    methods, params = texts_of(args.get(0, "ClientMethod") or NOTHING), args.get(1, "Params") or NOTHING
    if not methods or any(each.known not in models.methods_of(client.service) for each in methods):
        return m.refuse(node, env, "what the signed address may do is not known", [client.service])
    named, rest = mapping(m, params)
    spread = Given(named, rest or None, frozenset(named) - certain(m, params))
    for each in methods:
        operation = models.methods_of(client.service)[each.known or ""]
        operate(m, client, operation, spread, node, env, f"{client.service}.{each.known}")
    return UNKNOWN


def _other_call(m: Machine, what: AwsMember, args: Args, node: ast.AST, env: Env) -> Value:
    owner, name = what.owner, what.name
    if isinstance(owner, Session) and name in ("client", "create_client", "resource"):
        return made_client(m, args, node, env, resource=name == "resource", region=owner.region)
    if isinstance(owner, Paginator) and name == "paginate":
        operation = models.methods_of(owner.client.service).get(owner.method, owner.method)
        given = Given(dict(args.named), args.stars, args.maybe)
        said = f"{owner.client.service}.{owner.method}"
        return m.make_list(node, (), operate(m, owner.client, operation, given, node, env, said), "generator")
    if isinstance(owner, Waiter) and name == "wait":
        waiter = models.waiters_of(owner.client.service).get(owner.name)
        if waiter is None:
            return m.refuse(node, env, f"{shown(owner)} {owner.name!r} is not known", [owner.client.service])
        args.named.pop("WaiterConfig", None)
        given = Given(dict(args.named), args.stars, args.maybe)
        return operate(m, owner.client, waiter, given, node, env, f"{owner.client.service}.{owner.name}")
    if isinstance(owner, BatchWriter) and name in ("put_item", "delete_item"):
        return UNKNOWN
    if isinstance(owner, AwsMember) and owner.name == "events":
        return _registered(m, what, args, node, env)
    if name in HARMLESS or (isinstance(owner, Session) and name == "set_config_variable"):
        return UNKNOWN
    if isinstance(owner, Session) and name == "get_credentials":
        return m.refuse(node, env, f"`{shown_node(node)}` takes out the credentials of the role")
    return m.refuse(node, env, f"`{name}` of {shown(owner)} is not known", [service_of(owner)])


def _registered(m: Machine, what: AwsMember, args: Args, node: ast.AST, env: Env) -> Value:
    """`client.meta.events.register(event, function)`: what is called before a request may change it."""
    from packyak.deploy.grants.infer.calls import escape

    events = texts_of(args.get(0, "event_name") or NOTHING)
    if what.name.startswith("register") and not (
        events and all((each.known or "").startswith(_AFTERWARDS) for each in events)
    ):
        said = f"`{shown_node(node)}` may change what is asked for"
        m.refuse(node, env, said, [service_of(what)])
    for value in args.all():
        escape(m, value, node, env, "an event of botocore")
    return UNKNOWN
