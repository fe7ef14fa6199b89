"""Methods of objects whose code is not read: executors, threads, loops, queues, and what functions of `stdlib` made."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING, Any

from packyak.deploy.grants.infer import containers, foreign, members, modules, strings
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
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
from packyak.deploy.grants.infer.calls import _methods, call, opaque
from packyak.deploy.grants.infer.calls import held as held_functions
from packyak.deploy.grants.infer.classes import is_ours
from packyak.deploy.grants.infer.heap import REST, Env
from packyak.deploy.grants.infer.items import mapped, starmapped
from packyak.deploy.grants.infer.live import carries, dotted, live_services, services_in, wrap
from packyak.deploy.grants.infer.machine import ANY, IMPORT, Args
from packyak.deploy.grants.infer.makers import first
from packyak.deploy.grants.infer.stdlib import awaits, calls_first, future, future_of_first, thread
from packyak.deploy.grants.infer.texts import shown_node

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine


def call_known(m: Machine, what: Known, args: Args, node: ast.AST, env: Env) -> Value:
    """Calls something that one of the functions here made."""
    if what.what == "identity":
        return first(args)
    if what.what == "returns":
        return union(what.holds)
    if what.what == "method caller":
        *given, named = what.holds
        names = [each.known for each in given[0] if isinstance(each, Text) and each.known]
        more, rest = containers.mapping(m, named)
        functions = union(members.attribute(m, owner, name, env, node) for owner in first(args) for name in names)
        if len(names) != len(given[0]) and carries(m, first(args)):
            return m.refuse(node, env, "which method is called is not known", services_in(m, first(args)))
        return call(m, functions, Args(list(given[1:]), more, None, rest or None), node, env)
    if what.what == "attribute getter":
        return union(
            modules.attribute_named(m, owner, name, node, env)
            for owner in first(args) for names in what.holds for name in names
        )  # fmt: skip
    if what.what == "item getter":
        return union(containers.items(m, first(args), key, env, node) for key in what.holds)
    if what.what == "new":
        return one(m.make("object", node, next(iter(what.holds[0]))))
    return UNKNOWN


def call_method(m: Machine, what: Method, args: Args, node: ast.AST, env: Env) -> Value:
    """Calls a method whose code is not read."""
    owner, name = what.owner, what.name
    if isinstance(owner, Text):
        return strings.call(m, owner, name, args, node, env)
    if containers.is_container(owner):
        from packyak.deploy.grants.infer import container_methods

        return container_methods.call(m, owner, name, args, node, env)
    if isinstance(owner, Unknown):
        return foreign.call_on_unknown(m, owner, name, args, node, env)
    if isinstance(owner, Known):
        return _method_of_known(m, owner, name, args, node, env)
    if isinstance(owner, Live | Made):
        return _method_of_object(m, owner, name, args, node, env)
    return opaque(m, name, args, node, env)


def _method_of_known(m: Machine, owner: Known, name: str, args: Args, node: ast.AST, env: Env) -> Value:
    if owner.what == "future":
        if name == "add_done_callback":
            call(m, first(args), Args([one(owner)]), node, env)
            return UNKNOWN
        return union(owner.holds) if name in ("result", "get") else UNKNOWN
    if owner.what == "loop":
        if name == "run_in_executor":
            return one(Known("future", (call(m, args.get(1, "func") or NOTHING, args.after(2), node, env),)))
        if name in ("call_later", "call_at"):
            return call(m, args.get(1, "callback") or NOTHING, args.after(2), node, env)
        if name in ("call_soon", "call_soon_threadsafe"):
            return calls_first(m, args, node, env)
        if name in ("run_until_complete", "create_task"):
            return future(m, args, node, env) if name == "create_task" else awaits(m, args, node, env)
        return opaque(m, name, args, node, env)
    if owner.what == "globals":
        named = modules.module_names(m, env)
        return modules.taken_from(m, named, args, node, env) if name == "get" else UNKNOWN
    if owner.what == "transfer":
        from packyak.deploy.grants.infer.atoms import Client, ClientMember

        order = ("filename", "bucket", "key", "callback", "extra_args")
        order = ("bucket", "key", "filename", "extra_args", "callback") if name == "download_file" else order
        words = {"filename": "Filename", "bucket": "Bucket", "key": "Key", "callback": "Callback",
                 "extra_args": "ExtraArgs"}  # fmt: skip
        named = {words[each]: value for each, value in zip(order, args.positional, strict=False)}
        named |= {words.get(each, each): value for each, value in args.named.items()}
        clients = frozenset(ClientMember(each, name) for each in owner.holds[0] if isinstance(each, Client))
        return call(m, clients, Args([], named), node, env)
    if owner.what == "property" and name in ("setter", "getter", "deleter"):
        return one(Known("identity"))
    return opaque(m, name, args, node, env)


STORES = frozenset(("put", "put_nowait", "append", "appendleft", "add", "set", "push", "send", "put_nowait", "extend"))
TAKES = frozenset(("get", "get_nowait", "pop", "popleft", "popitem", "recv", "next"))


def _method_of_object(m: Machine, owner: Live | Made, name: str, args: Args, node: ast.AST, env: Env) -> Value:
    from packyak.engine.declare.declared import Index

    value = owner.value if isinstance(owner, Live) else None
    kind: Any = type(value) if isinstance(owner, Live) else getattr(owner.kind_of, "value", None)
    if isinstance(value, Index):
        return m.refuse(node, env, f"what `{shown_node(node)}` reads is not known", ["bucket"])
    if not isinstance(kind, type):
        return opaque(m, name, args, node, env)
    if value is os.environ and name in ("get", "pop", "setdefault"):
        from packyak.deploy.grants.infer.stdlib import credentials_of_the_machine

        default = args.get(1, "default") or NOTHING
        return default | (credentials_of_the_machine(m, first(args), node, env) or UNKNOWN)
    if isinstance(value, type):
        return _unbound(m, value, name, args, node, env)
    if is_ours(kind):
        _methods(m, kind, owner, node, env)
        return opaque(m, name, args, node, env)
    module = kind.__module__.partition(".")[0]
    known = _of_stdlib(m, owner, kind, name, args, node, env)
    if known is not None:
        return known
    if foreign.is_standard(module):
        held = m.heap.get(owner, REST)
        if name in STORES:
            m.heap.add(owner, REST, union(args.all()))
            return UNKNOWN
        if name in TAKES:
            return _taken(owner, name, held, args)
    services = live_services(value) if isinstance(owner, Live) else services_in(m, one(owner))
    if services and name not in ("cache_clear", "cache_info", "shutdown", "close", "join", "release", "acquire"):
        what = f"`{shown_node(node)}` is code that is not read, and its object holds what reaches AWS"
        return m.refuse(node, env, what, services)
    if isinstance(owner, Live):
        held_functions(m, value, node, env)
    return foreign.call(m, f"{dotted(kind)}.{name}", None, args, node, env)


def _taken(owner: Live | Made, name: str, held: Value, args: Args) -> Value:
    """What comes out of a queue or a context variable: what was seen to go in, else what nobody knows."""
    found = held | (_live_get(owner) if name == "get" else NOTHING)
    default = (args.get(0, "") or NOTHING) if name == "get" else NOTHING
    return found | default | (NOTHING if held else UNKNOWN)


def _live_get(owner: Live | Made) -> Value:
    """What a live context variable holds now."""
    import contextvars

    if isinstance(owner, Live) and isinstance(owner.value, contextvars.ContextVar):
        try:
            return wrap(owner.value.get())
        except LookupError:
            return NOTHING
    return NOTHING


def _unbound(m: Machine, kind: type, name: str, args: Args, node: ast.AST, env: Env) -> Value:
    """`str.upper(x)`, `dict.get(d, k)`."""
    if name == "fromkeys":
        return m.make_list(node, (), containers.element(m, first(args), env, node))
    result = UNKNOWN
    for owner in first(args):
        result |= call_method(m, Method(owner, name), args.after(1), node, env)
    return result


def _logged(m: Machine, owner: Live | Made, name: str, args: Args, node: ast.AST, env: Env) -> Value:
    """What is logged goes to the handlers of the logger and of those above it, which may be the project's."""
    if name.startswith(("add", "set", "make", "call", "handle")):
        if isinstance(owner, Live) and env.name == IMPORT:
            return UNKNOWN  # it has been done: the logger has it
        return opaque(m, name, args, node, env)
    logger: Any = owner.value if isinstance(owner, Live) else None
    while logger is not None:
        for each in [*getattr(logger, "handlers", ()), *getattr(logger, "filters", ())]:
            parts = (each, getattr(each, "formatter", None), *getattr(each, "filters", ()))
            for part in (part for part in parts if part is not None and is_ours(type(part))):
                _methods(m, type(part), next(iter(wrap(part))), node, env)
        logger = getattr(logger, "parent", None) if getattr(logger, "propagate", True) else None
    return UNKNOWN


def _of_stdlib(
    m: Machine, owner: Live | Made, kind: type, name: str, args: Args, node: ast.AST, env: Env
) -> Value | None:
    kinds = {dotted(each) for each in kind.__mro__}
    if any(each.startswith("logging.") for each in kinds):
        return _logged(m, owner, name, args, node, env)
    if "concurrent.futures._base.Executor" in kinds:
        if name == "submit":
            return future_of_first(m, args, node, env)
        if name == "map":
            return mapped(m, args, node, env)
        return UNKNOWN
    if "multiprocessing.pool.Pool" in kinds:
        if name in ("map", "imap", "imap_unordered", "map_async"):
            return mapped(m, args, node, env)
        if name in ("starmap", "starmap_async"):
            return starmapped(m, args, node, env)
        if name in ("apply", "apply_async"):
            return thread(m, Args([UNKNOWN, first(args), UNKNOWN, *args.positional[1:]]), ast.Pass(), env)
    if kinds & {"contextlib.ExitStack", "contextlib.AsyncExitStack"}:
        if name in ("enter_context", "enter_async_context"):
            for context in first(args):
                for leave in ("__exit__", "__aexit__"):
                    members.dunder(m, context, leave, [UNKNOWN] * 3, env, node)
            return members.enter(m, first(args), env, node)
        if name in ("callback", "push_async_callback"):
            return calls_first(m, args, node, env)
        if name in ("push", "push_async_exit"):
            call(m, first(args), ANY, node, env)
            return first(args)
    if "asyncio.taskgroups.TaskGroup" in kinds and name == "create_task":
        return future(m, args, node, env)
    if "asyncio.runners.Runner" in kinds and name == "run":
        return awaits(m, args, node, env)
    if "contextvars.Context" in {f"contextvars.{each.__name__}" for each in kind.__mro__} and name == "run":
        return calls_first(m, args, node, env)
    return None
