"""What builtins and the standard library do with what they are given: call it, keep it, pass it on, or neither."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer import containers, items, makers, members, modules
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
    Known,
    Live,
    Made,
    Text,
    Unknown,
    Value,
    one,
    union,
)
from packyak.deploy.grants.infer.calls import call, opaque
from packyak.deploy.grants.infer.heap import Env
from packyak.deploy.grants.infer.live import carries, services_in, wrap
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.makers import Run, first

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

# fmt: off
HARMLESS = (
    "print", "len", "repr", "ascii", "isinstance", "issubclass", "id", "hash", "callable", "bool", "int", "float",
    "complex", "abs", "round", "ord", "chr", "hex", "bin", "oct", "divmod", "pow", "range", "bytes", "bytearray",
    "memoryview", "dir", "input", "hasattr", "object", "help", "breakpoint", "delattr",
)
# fmt: on


# -- what passes things on


def _same(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return first(args)


def _second(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return args.get(1, "val") or NOTHING


def _harmless(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    for value in args.all():
        for atom in value:
            for name in ("__str__", "__repr__", "__len__", "__bool__", "__hash__", "__int__", "__float__", "__bytes__"):
                members.dunder(m, atom, name, [], env, node)
    return UNKNOWN


# -- what calls things


def calls_first(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """to_thread(f, *a, **k), executor.submit(f, *a, **k): f is called with the rest."""
    return call(m, first(args), args.after(1), node, env)


def future_of_first(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return one(Known("future", (calls_first(m, args, node, env),)))


def thread(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """Thread(target=f, args=(...), kwargs={...}); Timer(seconds, f, args, kwargs)."""
    timer = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Timer")
    target = args.get(1, "function" if timer else "target")
    more = args.get(2 if timer else 3, "args")
    named_value = args.get(3 if timer else 4, "kwargs")
    known = containers.sequence(m, more, env, node) if more is not None else []
    named, rest = containers.mapping(m, named_value) if named_value is not None else ({}, NOTHING)
    star = containers.element(m, more, env, node) if known is None and more is not None else None
    given = Args(list(known or []), named, star, rest or None)
    if target is not None:
        call(m, target, given, node, env)
    elif args.star is not None or args.stars is not None:
        opaque(m, "a thread", args, node, env)
    return UNKNOWN


def awaits(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return members.awaited(m, first(args), env, node)


def _gathered(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    if args.star is None:
        return m.make_list(node, [members.awaited(m, each, env, node) for each in args.positional])
    return m.make_list(node, (), members.awaited(m, union(args.all()), env, node))


def future(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return one(Known("future", (members.awaited(m, first(args), env, node),)))


# -- attributes by name


def _getattr(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    names = args.get(1, "") or NOTHING
    default = args.get(2, "") or NOTHING
    result = default
    for owner in members.likely(first(args)):
        for name in names:
            result |= modules.attribute_named(m, owner, name, node, env)
    return result


def _setattr(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    value = args.get(2, "") or NOTHING
    for owner in first(args):
        for name in args.get(1, "") or NOTHING:
            if isinstance(name, Text) and name.known is not None:
                members.set_attribute(m, owner, name.known, value, env, node)
            elif carries(m, value) or any(not isinstance(each, Text | Unknown) for each in value):
                m.refuse(node, env, "which attribute is given a value is not known", services_in(m, value))
    return one(Live(None))


def _type(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    if len(args.positional) > 1:
        return m.refuse(node, env, "a class is made by `type(...)`")
    found: Value = NOTHING
    for each in first(args):
        if isinstance(each, Made) and each.kind_of is not None:
            found |= one(each.kind_of)
        elif isinstance(each, Live):
            found |= wrap(type(each.value))
        else:
            found |= UNKNOWN
    return found


def _vars(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    if not args.positional:
        return m.refuse(node, env, "which of its names code takes from `vars()` is not known")
    return union(members.attribute(m, each, "__dict__", env, node) for each in first(args))


def _globals(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return one(Known("globals"))


def _locals(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    made = m.make("dict", (node, "locals"))
    for name, value in (env.vars or {}).items():
        m.heap.add(made, name, value)
    return one(made)


def _runs_text(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return m.refuse(node, env, f"`{members.shown_node(node)}` runs code that is a text")


_GO_OVER = ("list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "aiter")
CALLS: dict[str, Run] = {
    **{f"builtins.{name}": _harmless for name in HARMLESS},
    **{f"builtins.{name}": items.listed for name in _GO_OVER},
    **{f"builtins.{name}": _runs_text for name in ("exec", "eval", "compile")},
    **{f"builtins.{name}": items.chosen for name in ("min", "max")},
    **{f"builtins.{name}": items.counted for name in ("sum", "any", "all")},
    "builtins.map": items.mapped,
    "builtins.filter": items.filtered,
    "builtins.zip": items.zipped,
    "builtins.enumerate": items.enumerated,
    "builtins.next": items.next_of,
    "builtins.anext": items.next_of,
    "builtins.dict": items.dict_of,
    "builtins.str": makers.text,
    "builtins.format": makers.text,
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.type": _type,
    "builtins.vars": _vars,
    "builtins.globals": _globals,
    "builtins.locals": _locals,
    "builtins.__import__": makers.imported,
    "importlib.import_module": makers.imported,
    "importlib.reload": _same,
    "builtins.property": makers.keeps("property"),
    "builtins.staticmethod": makers.keeps("static"),
    "builtins.classmethod": makers.keeps("of class"),
    "functools.cached_property": makers.keeps("property"),
    "functools.partial": makers.partial,
    "functools.partialmethod": makers.partial,
    "functools.reduce": items.reduced,
    "functools.lru_cache": makers.identity_maker,
    "functools.cache": makers.identity_maker,
    "functools.wraps": makers.wraps,
    "functools.update_wrapper": _same,
    "functools.singledispatch": _same,
    "functools.total_ordering": _same,
    "contextlib.contextmanager": _same,
    "contextlib.asynccontextmanager": _same,
    "contextlib.closing": makers.keeps("closing"),
    "contextlib.aclosing": makers.keeps("closing"),
    "contextlib.nullcontext": makers.keeps("closing"),
    "contextlib.suppress": makers.unknown,
    "asyncio.runners.run": awaits,
    "asyncio.tasks.wait_for": awaits,
    "asyncio.tasks.shield": awaits,
    "asyncio.tasks.gather": _gathered,
    "asyncio.tasks.create_task": future,
    "asyncio.tasks.ensure_future": future,
    "asyncio.threads.to_thread": calls_first,
    "asyncio.tasks.as_completed": _same,
    "asyncio.tasks.wait": _same,
    "asyncio.events.get_event_loop": makers.loop,
    "asyncio.events.get_running_loop": makers.loop,
    "_asyncio.get_event_loop": makers.loop,
    "_asyncio.get_running_loop": makers.loop,
    "asyncio.events.new_event_loop": makers.loop,
    "asyncio.tasks.run_coroutine_threadsafe": future,
    "concurrent.futures._base.as_completed": _same,
    "concurrent.futures._base.wait": _same,
    "threading.Thread": thread,
    "threading.Timer": thread,
    "multiprocessing.context.Process": thread,
    "multiprocessing.process.BaseProcess": thread,
    "operator.methodcaller": makers.caller,
    "operator.attrgetter": makers.keeps("attribute getter"),
    "operator.itemgetter": makers.keeps("item getter"),
    "_operator.methodcaller": makers.caller,
    "_operator.call": calls_first,
    "_operator.getitem": lambda m, args, node, env: containers.items(
        m, first(args), args.get(1, "") or NOTHING, env, node
    ),
    "itertools.chain": items.joined,
    "chain.from_iterable": items.flattened,
    "itertools.starmap": items.starmapped,
    "itertools.product": items.zipped,
    "itertools.zip_longest": items.zipped,
    "itertools.repeat": _gathered,
    **{f"itertools.{name}": items.listed for name in ("islice", "cycle", "accumulate", "batched", "tee", "takewhile")},
    "copy.copy": _same,
    "copy.deepcopy": _same,
    "typing.cast": _second,
    "weakref.proxy": _same,
    "_weakref.proxy": _same,
    "weakref.ReferenceType": makers.keeps("returns"),
    "weakref.ref": makers.keeps("returns"),
    "dataclasses.replace": makers.replaced,
    "types.SimpleNamespace": makers.namespace,
    "types.MethodType": makers.partial,
    "posixpath.join": makers.path,
    "ntpath.join": makers.path,
    "collections.deque": items.listed,
    "collections.OrderedDict": items.dict_of,
    "posixpath.normpath": _same,
    "os.fspath": _same,
    "posix.fspath": _same,
    **{f"pathlib.{name}": makers.path for name in ("Path", "PosixPath", "PurePath", "PurePosixPath")},
    "boto3.client": makers.boto_client,
    "boto3.resource": makers.boto_resource,
    "boto3.session.Session": makers.boto_session,
    "boto3.setup_default_session": makers.boto_session,
    "botocore.session.get_session": makers.boto_session,
    "botocore.session.Session": makers.boto_session,
    "boto3.s3.transfer.S3Transfer": makers.transfer,
    **{
        f"subprocess.{name}": makers.command
        for name in ("run", "Popen", "call", "check_call", "check_output", "getoutput")
    },
    "posix.system": makers.command,
    "os.popen": makers.command,
    "os.system": makers.command,
    "asyncio.subprocess.create_subprocess_exec": makers.command,
    "asyncio.subprocess.create_subprocess_shell": makers.command,
    "ast.literal_eval": makers.unknown,
}
