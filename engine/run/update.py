"""The one flow: brings assets up to date, in order, and publishes what is good.

For each asset: is anything different (gate two)? Which records (gate three)? Compute, commit, check. An asset that
fails, is blocked by a check, or stands below one that is, keeps its last good version; the others go on. At the end
one vector of good versions is published, whole. Nothing here knows Prefect: the steps are handed to whoever runs
them.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from packyak.engine.declare.nodes import (
    AssetNode,
    FunctionNode,
    IndexNode,
    LearnedNode,
    SqlNode,
    TableNode,
    TransformNode,
)
from packyak.engine.errors import PackyakError, RunCancelled
from packyak.engine.run.checks import checks_on, evaluate
from packyak.engine.run.compute.apply import describe
from packyak.engine.run.compute.commit import Delta
from packyak.engine.run.compute.transforms import (
    Outcome,
    bring_up_to_date,
    find_work,
    restamp,
    work_in_corrections,
    writer_for,
)
from packyak.engine.run.compute.whole import compute_whole, work_in_whole_corrections
from packyak.engine.run.due.failing import failing_now
from packyak.engine.run.due.settled import inputs_of, is_current, is_settled, parts_of
from packyak.engine.run.due.work import Work, threshold_of
from packyak.engine.run.functions import call_for_new_files, call_once, waiting_files
from packyak.engine.run.indexes import update_index
from packyak.engine.run.progress import Progress
from packyak.engine.run.runs import now
from packyak.engine.run.scope import Scope, Settled
from packyak.engine.run.teach.due import why_due
from packyak.engine.run.trace.makers import keep_maker
from packyak.engine.store.query import version_name
from packyak.engine.store.secret import hidden

Happened = Callable[[str, str, "Result"], None]
TRACE_CHARACTERS = 20_000
MOST_NOTES = 3  # of one asset in a run's own
SECONDS_BETWEEN_SIGNS = 10.0  # how often a long computation is told to be running still


@dataclass
class Result:
    """What a run did to one asset: state done | skipped | failed | blocked. trace: the traceback of what failed it."""

    asset: str
    state: str = "done"
    message: str = ""
    computed: int = 0
    failed: int = 0
    delta: Delta = field(default_factory=Delta)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    settled: Settled | None = None
    trace: str = ""


def traceback_of(error: BaseException) -> str:
    """An error as Python shows it, of bounded length."""
    return hidden("".join(traceback.format_exception(error)))[-TRACE_CHARACTERS:]


class AssetFailed(Exception):
    """Raised inside a step so that whoever runs the steps sees its asset fail."""


@dataclass
class Update:
    """One run over a project's assets.

    retry: compute failed units again. happened(event, asset, result): told of START, RUNNING, COMPLETE and FAIL.
    """

    scope: Scope
    progress: Progress
    retry: bool = False
    happened: Happened = lambda event, asset, result: None
    results: dict[str, Result] = field(default_factory=dict)
    told: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.scope.run = self.progress.run_id

    def step(self, name: str) -> Result:
        """Brings one asset up to date; its inputs must have had their turn. Raises AssetFailed after noting a
        failure.
        """
        began = time.perf_counter()
        barrier = self._barrier(name)
        result = Result(name, "blocked", barrier) if barrier else self._guarded(name)
        result.seconds = time.perf_counter() - began
        self.results[name] = result
        self._finish(name, result)
        if result.state == "failed":
            raise AssetFailed(result.message)
        return result

    def _barrier(self, name: str) -> str:
        """Why the asset cannot be brought up to date in this run, or ""."""
        for parent in self.scope.graph[name].inputs:
            result = self.results.get(parent)
            if result is not None and result.state in ("failed", "blocked"):
                return f"waits for {parent}, which {'failed' if result.state == 'failed' else 'is blocked'}"
            was = self.scope.candidates.get(parent)
            if result is None and was is not None and was.state != "ok":
                return f"waits for {parent}: {was.message}"
        return ""

    def _guarded(self, name: str) -> Result:
        try:
            return self._one(name)
        except RunCancelled:
            raise
        except PackyakError as error:
            trace = traceback_of(error.__cause__) if error.__cause__ else ""
            return Result(name, "failed", str(error), trace=trace)
        except Exception as error:
            message = f"{name} could not be brought up to date: {describe(error)}"
            return Result(name, "failed", message, trace=traceback_of(error))

    def _one(self, name: str) -> Result:
        node = self.scope.graph[name]
        if isinstance(node, IndexNode):
            return self._index(node)
        if isinstance(node, FunctionNode):
            return self._function(node)
        if not isinstance(node, TableNode):
            return Result(name, "skipped")
        if is_current(self.scope, node) and not self.retry and not _learns(self.scope, node):
            result = Result(name, "skipped", settled=self.scope.candidates[name])
        else:
            result = self._bring(node)
        return self._checked(node, result)

    def _index(self, node: IndexNode) -> Result:
        self.progress.asset_started(node.name)
        changed = update_index(self.scope, node, lambda done, total: self.progress.advanced(node.name, done, 0, total))
        return Result(node.name, "done" if changed else "skipped", computed=changed)

    def _function(self, node: FunctionNode) -> Result:
        if node.on is None:
            self.progress.asset_started(node.name, 1)
            problem = call_once(self.scope, node)
            return Result(node.name, "failed" if problem else "done", problem, computed=0 if problem else 1)
        self.progress.asset_started(node.name, len(waiting_files(self.scope, node)))
        name = node.name
        done, errors = call_for_new_files(self.scope, node, lambda n, failed: self.progress.advanced(name, n, failed))
        message = "; ".join(f"{key}: {error}" for key, error in list(errors.items())[:3])
        return Result(name, "failed" if errors else "done", message, computed=done, failed=len(errors))

    def _bring(self, node: TableNode) -> Result:
        began = time.perf_counter()
        name = node.name
        was = self.scope.candidates.get(name)
        learned = self._learn(node) if isinstance(node, LearnedNode) else ""
        if isinstance(node, TransformNode):
            work = find_work(self.scope, node, retry=self.retry)
            if not work.count and not len(work.gone) and is_settled(self.scope, node):
                restamp(self.scope, node, work)
                return self._touch(node, was, learned)
            self.progress.asset_started(name, work.count)
            self.happened("START", name, Result(name))
            outcome = self._transform(node, work)
        elif isinstance(node, AssetNode | SqlNode):
            self.progress.asset_started(name)
            self.happened("START", name, Result(name))
            only_corrections = self._only_corrections_differ(node)
            outcome = (
                work_in_whole_corrections(self.scope, node)
                if only_corrections
                else compute_whole(self.scope, node, lambda done: self.progress.advanced(name, done))
            )
        else:
            return Result(name, "skipped")
        settled = self._note(node, outcome, time.perf_counter() - began)
        keep_maker(self.scope, name)
        self.scope.hold(name, settled.table, outcome.writer.whole)
        self.scope.settle(name, settled)
        failed = settled.state == "failed"
        return Result(
            name, "failed" if failed else "done", settled.message if failed else learned or settled.failure,
            outcome.computed, settled.failed, outcome.writer.delta, _new_remarks(was, settled), settled=settled,
        )  # fmt: skip

    def _learn(self, node: LearnedNode) -> str:
        """Learns from what people said where that is due; answers what came of it, in words."""
        if not _learns(self.scope, node):
            return ""
        from packyak.engine.run.teach.lesson import learn_if_due

        self.progress.doing(node.name, "learning from what people said")
        lesson = learn_if_due(self.scope, node, lambda done: self.progress.advanced(node.name, 0))
        return lesson.words if lesson else ""

    def _touch(self, node: TableNode, was: Settled | None, message: str = "") -> Result:
        """Nothing to compute: what the asset was looked at with is noted, so that the next look is a comparison."""
        assert was is not None
        settled = replace(
            was,
            parts={**was.parts, "threshold": threshold_of(node)},
            inputs=inputs_of(self.scope, node),
            consumed=self._consumed(node),
            applied=self.scope.corrections_digest(node.name),
        )
        self.scope.settle(node.name, settled)
        return Result(node.name, "done" if message else "skipped", message, settled=settled)

    def _transform(self, node: TransformNode, work: Work) -> Outcome:
        name = node.name
        was = self.scope.settled(name)
        outcome = bring_up_to_date(self.scope, node, work, lambda done, failed: self._advanced(name, done, failed))
        if self.scope.corrections_digest(name) != (was.applied if was else ""):
            outcome.writer.overrides = self.scope.overrides(name, conditional=False)
            work_in_corrections(self.scope, node, outcome.writer)
        return outcome

    def _advanced(self, name: str, done: int, failed: int) -> None:
        self.progress.advanced(name, done, failed)
        if time.monotonic() - self.told > SECONDS_BETWEEN_SIGNS:
            self.told = time.monotonic()
            self.happened("RUNNING", name, Result(name, computed=done, failed=failed))

    def _only_corrections_differ(self, node: TableNode) -> bool:
        was = self.scope.settled(node.name)
        return (
            was is not None
            and was.state == "ok"
            and was.fingerprint == self.scope.fingerprint(node.name)
            and was.inputs == inputs_of(self.scope, node)
        )

    def _consumed(self, node: TableNode) -> dict[str, int]:
        return {
            name: self.scope.candidates[name].table
            for name in inputs_of(self.scope, node)
            if name in self.scope.candidates
        }

    def _note(self, node: TableNode, outcome: Outcome, seconds: float) -> Settled:
        writer, scope = outcome.writer, self.scope
        failed, failure = failing_now(scope, node)
        units = writer.memo.count() if isinstance(node, TransformNode) and writer.memo.exists() else 0
        message = scope.limits.too_many(node, failed, units)
        return Settled(
            table=writer.table.version() or 0,
            memo=writer.memo.version(),
            version=version_name(writer.total),
            total=str(writer.total),
            rows=writer.rows,
            fingerprint=scope.fingerprint(node.name),
            parts=parts_of(scope, node),
            inputs=inputs_of(scope, node),
            consumed=self._consumed(node),
            applied=scope.corrections_digest(node.name),
            state="failed" if message else "ok",
            message=message,
            failed=failed,
            failure=failure,
            notes=tuple(outcome.notes[:50]),
            unstored=self._unstored(node, outcome),
            lingering=outcome.lingering,
            checks=scope.candidates[node.name].checks if node.name in scope.candidates else (),
            run=self.progress.run_id,
            at=now(),
            seconds=round(seconds, 3),
            computed=outcome.computed,
        )

    def _unstored(self, node: TableNode, outcome: Outcome) -> tuple[str, ...]:
        """The columns left out now, and of records that were not computed now."""
        was = self.scope.candidates.get(node.name)
        partly = isinstance(node, TransformNode) or not outcome.computed
        kept = was.unstored if partly and was and was.fingerprint == self.scope.fingerprint(node.name) else ()
        return tuple(sorted({*kept, *outcome.unstored}))

    def _checked(self, node: TableNode, result: Result) -> Result:
        settled = self.scope.candidates.get(node.name)
        checks = checks_on(self.scope, node.name)
        if settled is None or result.state == "failed" or not checks:
            return result
        before = {str(each.get("name")): each for each in settled.checks}
        done = [evaluate(self.scope, check, before.get(check.name)) for check in checks]
        failing = next((each.result for each in done if each.result.blocking and not each.result.passed), None)
        message = f"check {failing.name} failed: {failing.message}" if failing else ""
        state = "blocked" if failing else "ok"
        fresh = replace(settled, checks=tuple(each.to_json() for each in done), state=state, message=message)
        if fresh != settled:
            self.scope.settle(node.name, fresh)
        result.settled = fresh
        if failing:
            result.state, result.message = "blocked", message
        return result

    def _finish(self, name: str, result: Result) -> None:
        if result.state == "failed" and isinstance(self.scope.graph[name], TableNode):
            was = self.scope.candidates.get(name)
            if was is not None and (was.state, was.message) != ("failed", result.message):
                self.scope.settle(name, replace(was, state="failed", message=result.message))
            elif was is None:
                self.scope.settle(
                    name, Settled(0, None, "", "0", 0, "", state="failed", message=result.message, at=now())
                )
        for sentence in result.notes[:MOST_NOTES]:
            self.progress.note(f"{name}: {sentence}")
        if len(result.notes) > MOST_NOTES:
            self.progress.note(f"{name}: and {len(result.notes) - MOST_NOTES} more; `packyak status {name}` lists them")
        if result.state != "skipped":
            self.happened("COMPLETE" if result.state == "done" else "FAIL", name, result)
        self.progress.asset_finished(
            name,
            result.state,  # type: ignore[arg-type]
            computed=result.computed,
            changed=result.delta.added + result.delta.changed,
            deleted=result.delta.deleted,
            failed=result.failed,
            message=result.message,
            trace=result.trace,
        )


def _learns(scope: Scope, node: TableNode) -> bool:
    """Whether people said enough since it last learned; its records may well be as its model answers now."""
    return isinstance(node, LearnedNode) and bool(why_due(scope, node))


def _new_remarks(was: Settled | None, settled: Settled) -> tuple[str, ...]:
    """What was not told before."""
    told = set(was.remarks) if was else set()
    return tuple(each for each in settled.remarks if each not in told)


__all__ = ["AssetFailed", "Result", "Update", "writer_for"]
