"""What builtins and the standard library do with what they are given: call it, keep it, pass it on, or neither."""

from __future__ import annotations

import ast
import logging
import sys
import types
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer import containers, items, makers, members, modules, programs
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
from packyak.deploy.grants.infer.texts import shown_node

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.machine import Machine

# fmt: off
HARMLESS = (
    "len", "repr", "ascii", "isinstance", "issubclass", "id", "hash", "callable", "bool", "int", "float",
    "complex", "abs", "round", "ord", "chr", "hex", "bin", "oct", "divmod", "pow", "range", "bytes", "bytearray",
    "memoryview", "dir", "input", "object", "help", "breakpoint", "delattr",
)
_ASKED = (
    "__str__", "__repr__", "__len__", "__bool__", "__hash__", "__int__", "__float__", "__bytes__", "__index__",
    "__abs__", "__round__", "__complex__", "__dir__", "__divmod__", "__pow__",
)
_CREDENTIALS = ("AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
                "AWS_CONTAINER_CREDENTIALS", "AWS_CONTAINER_AUTHORIZATION", "AWS_WEB_IDENTITY")  # fmt: skip
_CODE = (
    "runpy.run_path", "runpy.run_module", "_frozen_importlib_external.spec_from_file_location",
    "_frozen_importlib.module_from_spec", "_frozen_importlib.spec_from_loader",
    "pkgutil.resolve_name", "pydoc.locate", "pydoc.importfile", "importlib.metadata.entry_points", "timeit.timeit",
    "timeit.repeat", "cProfile.run", "cProfile.runctx", "profile.run", "trace.Trace", "code.interact",
    "code.InteractiveInterpreter", "code.InteractiveConsole", "marshal.loads", "marshal.load", "doctest.testmod",
    "bdb.Bdb", "pdb.run", "types.FunctionType", "builtins.function", "types.CodeType", "builtins.code",
    "inspect.getmembers", "inspect.getmembers_static", "inspect.getattr_static", "gc.get_objects", "gc.get_referrers",
    "gc.get_referents",
)
_PICKLES = (
    "_pickle.loads", "_pickle.load", "pickle.loads", "pickle.load", "pickle._loads", "pickle._load", "dill._dill.loads",
    "dill._dill.load", "joblib.numpy_pickle.load", "cloudpickle.loads", "cloudpickle.load",
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
            for name in _ASKED:
                members.dunder(m, atom, name, [], env, node)
    return UNKNOWN


def _printed(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """print(...): what it is printed to may be anything with `write`."""
    into = args.named.get("file", NOTHING) | m.heap.get(("module", id(vars(sys))), "stdout")
    if carries(m, into) or any(isinstance(each, Made) for each in into):
        opaque(m, "print", Args([into]), node, env)
    return _harmless(m, args, node, env)


def _hasattr(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """hasattr(x, name) asks for the attribute."""
    owners = frozenset(each for each in first(args) if isinstance(each, Live | Made) and not _is_module(each))
    _getattr(m, Args([owners, args.get(1, "") or NOTHING]), node, env)
    return UNKNOWN


def _is_module(atom: object) -> bool:
    return isinstance(atom, Live) and isinstance(atom.value, types.ModuleType)


def _copied(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """copy.copy(x), copy.deepcopy(x)."""
    own = [
        members.dunder(m, atom, name, [UNKNOWN] * given, env, node)
        for atom in first(args)
        for name, given in (("__copy__", 0), ("__deepcopy__", 1), ("__reduce__", 0), ("__getstate__", 0))
    ]
    return first(args) | union(own)


def _loads_code(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    return m.refuse(node, env, f"`{shown_node(node)}` runs or gives code that is not read")


def _unpickled(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """pickle.loads(data): what it is, and what calling it does, nobody knows."""
    opaque(m, "pickle", args, node, env)
    return one(Unknown(changed="what is unpickled"))


def _setting(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """os.getenv(name)."""
    found = credentials_of_the_machine(m, args.get(0, "key") or NOTHING, node, env) or UNKNOWN
    return found | (args.get(1, "default") or NOTHING)


def credentials_of_the_machine(m: Machine, names: Value, node: ast.AST, env: Env) -> Value:
    """The credentials that AWS's libraries find in the environment: whoever takes them out can sign by themselves."""
    for each in names:
        start = each.parts[0] if isinstance(each, Text) and each.parts else ""
        if start in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            return wrap("{region}")  # as resources write it
        if isinstance(start, str) and start.startswith(_CREDENTIALS):
            return m.refuse(node, env, f"`{shown_node(node)}` takes out the credentials of the role")
    return NOTHING


def _logger(m: Machine, args: Args, node: ast.AST, env: Env) -> Value:
    """logging.getLogger(name): the one that there is."""
    names = [each.known for each in first(args) if isinstance(each, Text)] if args.positional else [""]
    if any(name is None for name in names) or len(names) != max(len(first(args)), 1):
        return UNKNOWN
    return union(wrap(logging.getLogger(name)) for name in names)


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
    return m.refuse(node, env, f"`{shown_node(node)}` runs code that is a text")


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
    "builtins.print": _printed,
    **dict.fromkeys(
        ("_io.open", "builtins.open", "io.open", "tempfile.NamedTemporaryFile", "tempfile.TemporaryFile"), makers.opened
    ),
    **dict.fromkeys(("tempfile.mkdtemp", "tempfile.gettempdir", "tempfile.mktemp"), makers.folder),
    **dict.fromkeys(("urllib.parse.urlparse", "urllib.parse.urlsplit"), makers.address),
    "tempfile.TemporaryDirectory": lambda m, args, node, env: one(Known("closing", (makers.HERE,), "folder")),
    "builtins.hasattr": _hasattr,
    **dict.fromkeys(_CODE, _loads_code),
    **dict.fromkeys(_PICKLES, _unpickled),
    "os.getenv": _setting,
    "logging.getLogger": _logger,
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
    **{f"itertools.{name}": items.sliced for name in ("islice", "cycle", "compress")},
    **{f"itertools.{name}": items.filtered for name in ("takewhile", "dropwhile", "filterfalse")},
    **{
        f"itertools.{name}": items.in_rows
        for name in ("batched", "tee", "pairwise", "permutations", "combinations", "combinations_with_replacement")
    },
    "itertools.accumulate": items.accumulated,
    "itertools.groupby": items.grouped,
    "heapq.nlargest": items.largest,
    "heapq.nsmallest": items.largest,
    "heapq.merge": items.merged,
    **{f"random.Random.{name}": items.drawn for name in ("choice", "choices", "sample")},
    "tqdm.std.tqdm": items.shown_on_the_way,
    "tqdm.asyncio.tqdm_asyncio": items.shown_on_the_way,
    "tqdm.auto.tqdm": items.shown_on_the_way,
    "tqdm.notebook.tqdm_notebook": items.shown_on_the_way,
    "copy.copy": _copied,
    "copy.deepcopy": _copied,
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
    "collections.deque": items.sliced,
    "collections.OrderedDict": items.dict_of,
    "posixpath.normpath": _same,
    **{
        f"posixpath.{name}": makers.part_of_path(name)
        for name in ("dirname", "basename", "abspath", "realpath", "expanduser")
    },
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
        f"subprocess.{name}": programs.started
        for name in ("run", "Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput")
    },
    "posix.system": programs.started,
    "os.popen": programs.started,
    "os.system": programs.started,
    "asyncio.subprocess.create_subprocess_exec": programs.started,
    "asyncio.subprocess.create_subprocess_shell": programs.started,
    **{
        f"{module}.{name}": programs.replaced
        for module in ("os", "posix")
        for name in (
            *(f"exec{how}" for how in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
            *(f"spawn{how}" for how in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
            *("posix_spawn", "posix_spawnp", "fork_exec"),
        )
    },
    "pty.spawn": programs.replaced,
    "ast.literal_eval": makers.unknown,
}
