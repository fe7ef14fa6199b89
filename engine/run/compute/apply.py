"""Calls a user's function on records, and keeps what each answered or how it failed.

The author writes a function of one record; here it meets columns of an Arrow batch. A record that raises, or answers
what its declared type cannot hold, keeps the error as its own and stops nothing else. A function whose parameter is
not Optional is not called on null. Nothing is ever called twice.
"""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import inspect
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, starmap
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, is_typeddict

import pyarrow as pa
from packyak.engine.declare.nodes import Parameter, TransformNode
from packyak.engine.errors import PackyakError, UserCodeError
from packyak.engine.store.secret import hidden

RAISED = (Exception, SystemExit)  # by a user's code: one that says `exit` fails like any other, and ends nothing else
SLICE_SECONDS = 0.2  # how long user code runs between two looks at progress and cancellation


@dataclass
class Answers:
    """What the function answered, by record: `values[i]` or `errors[i]`, and the indices it was not called on."""

    values: list[Any] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)


Tick = Callable[[int], None]
Collect = Callable[[Iterable[Any]], Any]


def call_on_records(
    node: TransformNode,
    function: Callable[..., Any],
    columns: Sequence[Sequence[Any]],
    count: int,
    tick: Tick,
    collect: Collect = list,
) -> Answers:
    """Calls `function` with one value of each of `columns` (one per parameter of `node`) for each of `count` records.

    `tick(done)` is called at least every fifth of a second of finished work; it may raise to cancel.
    """
    names = [parameter.name for parameter in node.parameters]
    needed = [place for place, parameter in enumerate(node.parameters) if not _takes_null(parameter)]
    prepared = [_prepare(parameter, values) for parameter, values in zip(node.parameters, columns, strict=True)]
    needed = [place for place in needed if None in columns[place]]
    rows: Iterable[tuple[Any, ...]] = zip(*prepared, strict=True) if prepared else (() for _ in range(count))
    call = _positional(function, names)
    if is_async(function):
        return asyncio.run(_call_async(call, rows, needed, node.concurrency, tick))
    return _call_sync(call, rows, count, needed, tick, collect=collect if node.many else None)


def _takes_null(parameter: Parameter) -> bool:
    return parameter.optional or parameter.takes in ("record", "file")


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling the function gives something to wait for."""
    inner = inspect.unwrap(function)
    return inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner)


def _positional(function: Callable[..., Any], names: list[str]) -> Callable[..., Any]:
    """The function as one that takes its bound parameters in order, keyword-only ones too."""
    kinds = {name: parameter.kind for name, parameter in inspect.signature(function).parameters.items()}
    if (
        not any(kinds.get(name) is inspect.Parameter.KEYWORD_ONLY for name in names)
        and list(kinds)[: len(names)] == names
    ):
        return function
    return lambda *args: function(**dict(zip(names, args, strict=True)))


def _call_sync(
    call: Callable[..., Any],
    rows: Iterable[tuple[Any, ...]],
    count: int,
    needed: list[int],
    tick: Tick,
    *,
    collect: Callable[[Iterable[Any]], Any] | None,
) -> Answers:
    answers = Answers()
    step, began = 16, time.perf_counter()
    calls = _Calls(call, iter(rows), needed, answers, count, collect)
    while calls.take(step):
        tick(len(answers.values))
        took = time.perf_counter() - began
        step = min(step * 2, 5000) if took < SLICE_SECONDS / 4 else max(step // 2, 1) if took > SLICE_SECONDS else step
        began = time.perf_counter()
    return answers


@dataclass
class _Calls:
    """Calls one after another, in slices.

    A slice runs as fast as a list of calls can; where one raises, its record gets the error and the slice goes on
    behind it, so that nothing is called twice.
    """

    call: Callable[..., Any]
    rows: Iterator[tuple[Any, ...]]
    needed: list[int]
    answers: Answers
    total: int
    collect: Callable[[Iterable[Any]], Any] | None
    _row: int = -1

    def __post_init__(self) -> None:
        self._answers = self._skipping() if self.needed else starmap(self._function(), self.rows)

    def take(self, count: int) -> bool:
        """Takes up to so many answers; False when there are no more."""
        values = self.answers.values
        until = min(len(values) + count, self.total)
        while len(values) < until:
            try:
                values.extend(islice(self._answers, until - len(values)))
            except RAISED as error:
                self._failed(error)
            else:
                if len(values) < until:  # the function itself raised StopIteration, which ends an iteration quietly
                    self._failed(StopIteration())
        return len(values) < self.total

    def _failed(self, error: BaseException) -> None:
        self.answers.errors[len(self.answers.values)] = describe(error)
        self.answers.values.append(None)
        if self.needed:  # a generator is over once it let an error through
            self._answers = self._skipping()

    def _function(self) -> Callable[..., Any]:
        if self.collect is None:
            return self.call

        def collected(*row: Any) -> Any:
            answer = self.call(*row)
            return answer if answer is None or _whole(answer) else self.collect(answer)  # type: ignore[misc]

        return collected

    def _skipping(self) -> Iterator[Any]:
        function = self._function()
        for row in self.rows:
            self._row += 1
            if any(row[place] is None for place in self.needed):
                self.answers.skipped.add(self._row)
                yield None
            else:
                yield function(*row)


def _whole(answer: Any) -> bool:
    """An answer that is a table already."""
    return isinstance(answer, pa.Table | pa.RecordBatch) or hasattr(answer, "to_arrow")


async def _call_async(
    call: Callable[..., Any], rows: Iterable[tuple[Any, ...]], needed: list[int], concurrency: int, tick: Tick
) -> Answers:
    answers = Answers()
    gate = asyncio.Semaphore(concurrency)
    done = 0

    async def one(index: int, row: tuple[Any, ...]) -> None:
        nonlocal done
        async with gate:
            try:
                answers.values[index] = await _finished(call(*row))
            except RAISED as error:
                answers.errors[index] = describe(error)
            done += 1

    waiting: set[asyncio.Task[None]] = set()
    last = time.perf_counter()
    for index, row in enumerate(rows):
        answers.values.append(None)
        if any(row[place] is None for place in needed):
            answers.skipped.add(index)
            done += 1
            continue
        waiting.add(asyncio.create_task(one(index, row)))
        if len(waiting) >= concurrency * 4:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=SLICE_SECONDS)
            if time.perf_counter() - last > SLICE_SECONDS:
                tick(done)
                last = time.perf_counter()
    while waiting:
        _, waiting = await asyncio.wait(waiting, timeout=SLICE_SECONDS)
        tick(done)
    return answers


async def _finished(answer: Awaitable[Any] | Any) -> Any:
    if inspect.isasyncgen(answer):
        return [item async for item in answer]
    return await answer


def finish(answer: Any) -> Any:
    """A whole asset's answer, from a sync or async function: awaited, an async generator drained."""
    if inspect.isasyncgen(answer) or inspect.isawaitable(answer):
        return asyncio.run(_finished(answer))
    return answer


def describe(error: BaseException) -> str:
    """A user's error in one line, with the place in their own code."""
    if isinstance(error, PackyakError):
        return str(error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "packyak/engine" not in frame.filename]
    ours = __file__.rsplit("/", 3)[0]
    frames = [frame for frame in frames if not frame.filename.startswith(ours)]
    place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    return hidden(f"{type(error).__name__}: {error}{place}")[:2000]


def _prepare(parameter: Parameter, values: Sequence[Any]) -> Sequence[Any] | Iterator[Any]:
    """Stored values as the parameter's annotation wants them: enums as members, records as their class."""
    if parameter.takes in ("record", "lookup"):
        build = record_builder(parameter.annotation)
        return [None if value is None else build(value) for value in values]
    members = _enum_of(parameter.annotation)
    if members is not None:
        return [None if value is None else members(value) for value in values]
    return values


def _enum_of(annotation: Any) -> type[enum.Enum] | None:
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return kind
    return None


def record_builder(annotation: Any) -> Callable[[dict[str, Any]], Any]:
    """How a row becomes an instance of the annotated record class; a plain dict for TypedDict, dict and nothing."""
    kinds = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    named = (get_origin(kind) or kind for kind in kinds)
    kind = next((k for k in named if isinstance(k, type) and k is not NoneType), dict)
    if issubclass(kind, Mapping) or is_typeddict(kind):
        return dict
    names = [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else None
    fields = names or list(getattr(kind, "model_fields", {}))
    return lambda row: kind(**{name: row.get(name) for name in fields})


def whole_asset_failed(asset: str, error: BaseException) -> UserCodeError:
    """A user's own error in a whole asset, wrapped once."""
    wrapped = UserCodeError(f"{asset} raised {describe(error)}", asset=asset, next_step=f"mend {asset} and run again")
    wrapped.__cause__ = error
    return wrapped
