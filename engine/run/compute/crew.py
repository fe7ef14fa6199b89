"""More processes for functions that compute for long: the records are shared out, the answers come back in order.

A process costs seconds until it has imported the project, so none is started until a sample of the function's own time
says that more than `WORTH_SECONDS` of computing are left. What waits instead of computing is better written `async`.
The processes are loky's: they are spawned, do not run the caller's script again, and one that dies is noticed.
"""

from __future__ import annotations

import math
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from typing import Any

from packyak.engine.declare.nodes import TransformNode
from packyak.engine.errors import UserCodeError
from packyak.engine.run.compute import crew_member
from packyak.engine.run.compute.apply import SLICE_SECONDS, Answers, Tick, call_on_records, is_async

WORTH_SECONDS = 15.0  # of computing that must be left; starting two processes cost about 4 CPU s (measured)
WORTH_EACH = 0.0003  # of one record: below, handing it over costs as much as calling it
SHARES = 4  # parts a process gets of a batch, so that all end at about the same time

Collect = Callable[[Iterable[Any]], Any]


@dataclass
class Crew:
    """Processes that call a project's functions. size: how many; 1 means none but this one. person: who asked for the
    run, whose roles hold there too."""

    root: str
    home: str
    size: int
    person: str
    _seconds: dict[str, tuple[int, float]] = field(default_factory=dict)  # by asset: records sampled, their time
    _alone: set[str] = field(default_factory=set)  # assets whose answers stay in this process
    _executor: Executor | None = None

    def call(
        self,
        node: TransformNode,
        code: str,
        columns: Sequence[Sequence[Any]],
        count: int,
        tick: Tick,
        *,
        left: int,
        collect: Collect = list,
    ) -> Answers:
        """As `call_on_records`, here or there. code: what the function is now; left: records still to come, these
        included."""
        if self._pays(node, left):
            answers = self._shared_out(node, code, columns, count, tick)
            if answers is not None:
                return answers
        began = time.thread_time()
        answers = call_on_records(node, node.function, columns, count, tick, collect)
        self._sampled(node, answers, time.thread_time() - began)
        return answers

    def close(self) -> None:
        """Ends the processes."""
        if self._executor is not None:
            self._executor.shutdown(wait=True)
            self._executor = None

    def stop(self) -> None:
        """Ends them in the middle of what they do."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]
            self._executor = None

    def _pays(self, node: TransformNode, left: int) -> bool:
        if self.size < 2 or node.name in self._alone or node.name not in self._seconds or is_async(node.function):
            return False
        records, seconds = self._seconds[node.name]
        each = seconds / max(records, 1)
        return each > WORTH_EACH and each * left > WORTH_SECONDS

    def _sampled(self, node: TransformNode, answers: Answers, seconds: float) -> None:
        called = len(answers.values) - len(answers.skipped)
        records, before = self._seconds.get(node.name, (0, 0.0))
        self._seconds[node.name] = (records + called, before + seconds)
        if not records and not _travels(answers):
            self._alone.add(node.name)

    def _shared_out(
        self, node: TransformNode, code: str, columns: Sequence[Sequence[Any]], count: int, tick: Tick
    ) -> Answers | None:
        """None where the other processes would not do the same: then the records are called here."""
        step = max(1, math.ceil(count / (self.size * SHARES)))
        if self._executor is None:
            self._executor = _started(self.size, self.root, self.home, self.person)
        parts: list[Future[crew_member.Said | None]] = [
            self._executor.submit(
                crew_member.call, node.name, code, [column[at : at + step] for column in columns], min(step, count - at)
            )
            for at in range(0, count, step)
        ]
        try:
            said = self._gathered(node, parts, tick)
        except BaseException:
            self.stop()
            raise
        if any(each is None for each in said):  # the files changed since this process read them
            self._alone.add(node.name)
            return None
        return _joined([each for each in said if each is not None])

    def _gathered(
        self, node: TransformNode, parts: Sequence[Future[crew_member.Said | None]], tick: Tick
    ) -> list[crew_member.Said | None]:
        waiting, done = set(parts), 0
        while waiting:
            ready, waiting = wait(waiting, timeout=SLICE_SECONDS, return_when=FIRST_COMPLETED)
            for part in ready:
                said = _of(part, node)
                done += len(said.answers.values) if said else 0
                if said and said.printed:
                    sys.stdout.write(said.printed)
            tick(done)
        return [_of(part, node) for part in parts]


def size_of(setting: Any) -> int:
    """How many processes the setting `processes` means on this machine."""
    if setting != "auto":
        return int(setting)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _started(size: int, root: str, home: str, person: str) -> Executor:
    from loky import ProcessPoolExecutor

    started: Executor = ProcessPoolExecutor(
        max_workers=size, initializer=crew_member.join, initargs=(root, home, person)
    )
    return started


def _of(part: Future[crew_member.Said | None], node: TransformNode) -> crew_member.Said | None:
    try:
        return part.result()
    except (pickle.PicklingError, pickle.UnpicklingError, AttributeError, TypeError) as error:
        raise _failed(node, f"its answers cannot be sent between processes: {error}") from error
    except Exception as error:
        raise _failed(node, f"a process that called it ended: {type(error).__name__}") from error


def _failed(node: TransformNode, what: str) -> UserCodeError:
    return UserCodeError(
        f"{node.name}: {what.splitlines()[0]}",
        asset=node.name,
        next_step="run again: what was computed is kept; with the setting processes = 1 everything runs in one process",
    )


def _travels(answers: Answers) -> bool:
    """Whether such answers can be sent between processes and come out the same."""
    try:
        return bool(pickle.loads(pickle.dumps(answers.values)) == answers.values)
    except Exception:
        return False


def _joined(said: Sequence[crew_member.Said]) -> Answers:
    answers = Answers()
    for each in said:
        at = len(answers.values)
        answers.errors |= {at + place: error for place, error in each.answers.errors.items()}
        answers.skipped |= {at + place for place in each.answers.skipped}
        answers.values += each.answers.values
    return answers
