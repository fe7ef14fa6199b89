"""What builtins and the standard library do with what they are given: call it, keep it, pass it on, or neither."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer import containers, makers, members, modules
from packyak.deploy.grants.infer.atoms import (
    NOTHING,
    UNKNOWN,
    Atom,
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
from packyak.deploy.grants.infer.heap import REST, Env
from packyak.deploy.grants.infer.live import carries, services_in, wrap
from packyak.deploy.grants.infer.machine import Args
from packyak.deploy.grants.infer.makers import Run, first

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

HARMLESS = [
    "print",
    "len",
    "repr",
    "ascii",
    "isinstance",
    "issubclass",
    "id",
    "hash",
    "callable",
    "bool",
    "int",
    "float",
    "complex",
    "abs",
    "round",
    "ord",
    "chr",
    "hex",
    "bin",
    "oct",
    "divmod",
    "pow",
    "range",
    "bytes",
    "bytearray",
    "memoryview",
    "dir",
    "input",
    "hasattr",
    "object",
    "help",
    "breakpoint",
    "delattr",
]


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


def _listed(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """list(), tuple(), sorted(), reversed(), iter(): the same items."""
    if not args.positional:
        return m.make_list(node, ())
    for function in args.named.get("key", NOTHING):
        call(m, one(function), Args([containers.element(m, args.positional[0], env, node)]), node, env)
    known = containers.sequence(m, args.positional[0], env, node)
    if known is not None and "key" not in args.named:
        return m.make_list(node, known)
    return m.make_list(node, (), containers.element(m, args.positional[0], env, node))


def _joined(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """itertools.chain(a, b): everything that they hold."""
    return m.make_list(node, (), union(containers.element(m, each, env, node) for each in args.all()))


def _flattened(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    inner = containers.element(m, first(args), env, node)
    return m.make_list(node, (), containers.element(m, inner, env, node))


def _zipped(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    known = [containers.sequence(m, each, env, node) for each in args.positional]
    if args.star is None and all(each is not None for each in known) and known:
        rows = zip(*[each or [] for each in known], strict=False)
        return m.make_list(node, [m.make_list((node, at), list(row), NOTHING, "tuple") for at, row in enumerate(rows)])
    items = [containers.element(m, each, env, node) for each in args.all()]
    row = m.make_list(
        (node, "row"), items if args.star is None else (), union(items) if args.star else NOTHING, "tuple"
    )
    return m.make_list(node, (), row)


def _enumerated(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    known = containers.sequence(m, first(args), env, node)
    if known is not None:
        rows = [m.make_list((node, at), [wrap(at), each], NOTHING, "tuple") for at, each in enumerate(known)]
        return m.make_list(node, rows)
    row = m.make_list((node, "row"), [UNKNOWN, containers.element(m, first(args), env, node)], NOTHING, "tuple")
    return m.make_list(node, (), row)


def _next(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    found: Value = NOTHING
    for atom in first(args):
        own = members.dunder(m, atom, "__next__", [], env, node)
        found |= own or containers.element(m, one(atom), env, node)
    return found | (args.get(1, "") or NOTHING)


def _chosen(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """min(), max()."""
    each = containers.element(m, first(args), env, node) if len(args.positional) == 1 else union(args.positional)
    if "key" in args.named:
        call(m, args.named["key"], Args([each]), node, env)
    return each | args.named.get("default", NOTHING)


def _counted(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """sum(), any(), all(): everything is gone over."""
    containers.element(m, first(args), env, node)
    return UNKNOWN


def _dict(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    made = m.make("dict", node)
    m.certain.setdefault(made, set()).update(set(args.named) - args.maybe)
    for name, value in args.named.items():
        m.heap.add(made, name, value)
    if args.stars is not None:
        m.heap.add(made, REST, args.stars)
    for value in args.positional:
        _update(m, made, value, env, node)
        m.certain[made] |= containers.certain(m, value)
    return one(made)


def _update(m: Machine, made: Atom, value: Value, env: Env, node: ast.AST) -> None:
    for atom in value:
        if (isinstance(atom, Made) and atom.kind == "dict") or (
            isinstance(atom, Live) and isinstance(atom.value, dict)
        ):
            containers.extend(m, made, one(atom), env, node)
            continue
        for pair in containers.element(m, one(atom), env, node):
            parts = containers.sequence(m, one(pair), env, node)
            if parts is not None and len(parts) == 2:
                containers.set_item(m, made, parts[0], parts[1], env, node)
            else:
                m.heap.add(made, REST, containers.element(m, one(pair), env, node))


# -- what calls things


def mapped(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """map(f, a, b): f is called with the items."""
    return m.make_list(node, (), map_call(m, first(args), args.positional[1:], args, node, env))


def map_call(m: Machine, function: Value, over: list[Value], args: Args, node: ast.AST, env: Env) -> Value:
    """Calls a function with the items of some values, one by one where they are known."""
    known = [containers.sequence(m, each, env, node) for each in over]
    if over and args.star is None and all(each is not None for each in known):
        result: Value = NOTHING
        for at, row in enumerate(zip(*[each or [] for each in known], strict=False)):
            m.context.append((node, at))
            result |= call(m, function, Args(list(row)), node, env)
            m.context.pop()
        return result
    items = [containers.element(m, each, env, node) for each in over]
    star = containers.element(m, args.star, env, node) if args.star is not None else None
    return call(m, function, Args(items, star=star), node, env)


def _filtered(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    items = args.get(1, "") or NOTHING
    each = containers.element(m, items, env, node)
    call(m, first(args), Args([each]), node, env)
    return m.make_list(node, (), each)


def starmapped(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    result: Value = NOTHING
    rows = args.get(1, "iterable") or NOTHING
    known = containers.sequence(m, rows, env, node)
    for row in known if known is not None else [containers.element(m, rows, env, node)]:
        for atom in row:
            parts = containers.sequence(m, one(atom), env, node)
            given = Args(parts) if parts is not None else Args(star=containers.element(m, one(atom), env, node))
            result |= call(m, first(args), given, node, env)
    return m.make_list(node, (), result)


def _reduced(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    items = args.get(1, "") or NOTHING
    each = containers.element(m, items, env, node)
    start = args.get(2, "initial") or NOTHING
    return start | each | call(m, first(args), Args([start | each | UNKNOWN, each]), node, env)


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
    **{f"builtins.{name}": _listed for name in _GO_OVER},
    **{f"builtins.{name}": _runs_text for name in ("exec", "eval", "compile")},
    **{f"builtins.{name}": _chosen for name in ("min", "max")},
    **{f"builtins.{name}": _counted for name in ("sum", "any", "all")},
    "builtins.map": mapped,
    "builtins.filter": _filtered,
    "builtins.zip": _zipped,
    "builtins.enumerate": _enumerated,
    "builtins.next": _next,
    "builtins.anext": _next,
    "builtins.dict": _dict,
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
    "functools.reduce": _reduced,
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
    "itertools.chain": _joined,
    "chain.from_iterable": _flattened,
    "itertools.starmap": starmapped,
    "itertools.product": _zipped,
    "itertools.zip_longest": _zipped,
    "itertools.repeat": _gathered,
    **{f"itertools.{name}": _listed for name in ("islice", "cycle", "accumulate", "batched", "tee", "takewhile")},
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
    "collections.deque": _listed,
    "collections.OrderedDict": _dict,
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
