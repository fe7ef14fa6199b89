"""How far a run is: counts, records a second, what is left, and whether someone asked it to stop.

The engine reports here from the run; the record goes to disk and to whoever listens. Between two looks at the clock a
report costs almost nothing, so it may be called for every slice of records.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from packyak.engine.errors import RunCancelled
from packyak.engine.run.runs import AssetRun, AssetState, RunRecord, RunState, RunStore

SECONDS_BETWEEN_LOOKS = 0.2
RATE_SECONDS = 10.0  # the rate is that of the last seconds: a slow start, such as loading a model, must not spoil it


class Progress:
    """One run's progress. on_event: called with the record whenever it changed, at most every 0.2 s for mere counts."""

    def __init__(self, store: RunStore, record: RunRecord, on_event: Callable[[RunRecord], None] | None = None) -> None:
        self.store = store
        self.record = record
        self._on_event = on_event
        self._lock = threading.RLock()
        self._started: dict[str, float] = {}
        self._samples: dict[str, deque[tuple[float, int]]] = {}
        self._looked = 0.0
        self._told = 0.0
        self._advanced = 0.0

    @property
    def run_id(self) -> str:
        """The run's name."""
        return self.record.id

    def running(self, assets: Iterable[str] = (), *, units: Mapping[str, str] | None = None) -> None:
        """The run has begun and will visit these assets in this order. units: what each counts, where not records."""
        told = units or {}
        waiting = tuple(
            AssetRun(asset, unit=told.get(asset, "record")) for asset in assets if self.record.asset(asset) is None
        )
        self._change(state="running", assets=self.record.assets + waiting)

    def flow_run(self, flow_run_id: str) -> None:
        """Prefect's name of this run."""
        self._change(flow_run_id=flow_run_id)

    def note(self, text: str) -> None:
        """One more sentence about the run as a whole."""
        self._change(notes=(*self.record.notes, text))

    def asset_started(self, asset: str, total: int | None = None) -> None:
        """An asset's turn has come. total: how many records it will compute, None while that is unknown."""
        self.check()
        at = time.monotonic()
        self._started.setdefault(asset, at)  # learning came before, perhaps
        self._samples[asset] = deque([(at, 0)])
        self._change_asset(asset, state="running", total=total, message="")

    def doing(self, asset: str, words: str) -> None:
        """What an asset does before it computes records, in words; its next start ends that."""
        self.asset_started(asset)
        self._change_asset(asset, message=words)

    def advanced(self, asset: str, done: int, failed: int = 0, total: int | None = None) -> None:
        """How many records of the asset are done and how many of them failed, both since its start.

        Raises RunCancelled when someone asked the run to stop.
        """
        at = time.monotonic()
        if at - self._advanced < SECONDS_BETWEEN_LOOKS / 4 and done != total:
            return
        self._advanced = at
        self.check()
        with self._lock:
            known = self.record.asset(asset) or AssetRun(asset, "running")
            total = known.total if total is None else total
            rate = self._rate(asset, done)
            left = None if total is None or not rate else max(0, total - done) / rate
            counts = {"done": done, "failed": failed, "total": total, "rate": rate, "eta": left}
            self._change_asset(asset, quiet=True, seconds=self._seconds(asset), **counts)

    def asset_finished(
        self,
        asset: str,
        state: AssetState = "done",
        *,
        computed: int | None = None,
        changed: int = 0,
        deleted: int = 0,
        failed: int | None = None,
        message: str = "",
        trace: str = "",
    ) -> None:
        """An asset's turn is over. message: why it failed, was blocked or skipped; trace: the traceback of what
        failed it.
        """
        known = self.record.asset(asset) or AssetRun(asset)
        done = known.done if computed is None else computed
        seconds = self._seconds(asset)
        self._change_asset(
            asset,
            state=state,
            done=done,
            computed=done,
            changed=changed,
            deleted=deleted,
            failed=known.failed if failed is None else failed,
            seconds=seconds,
            rate=done / seconds if seconds > 0 and done else None,
            eta=None,
            message=message,
            trace=trace,
        )

    def finished(self, state: RunState, error: str = "") -> RunRecord:
        """The run is over."""
        with self._lock:
            self.record = self.store.finish(self.record, state, error)
            self._tell(quiet=False)
            return self.record

    def check(self) -> None:
        """Raises RunCancelled when someone asked the run to stop; looks at most every 0.2 s."""
        at = time.monotonic()
        if at - self._looked < SECONDS_BETWEEN_LOOKS:
            return
        self._looked = at
        if self.store.cancel_requested(self.record.id):
            raise RunCancelled(f"the run {self.record.id} was cancelled", run=self.record.id)

    def _seconds(self, asset: str) -> float:
        started = self._started.get(asset)
        return 0.0 if started is None else round(time.monotonic() - started, 3)

    def _rate(self, asset: str, done: int) -> float | None:
        at = time.monotonic()
        samples = self._samples.setdefault(asset, deque([(at, 0)]))
        if at - samples[-1][0] >= SECONDS_BETWEEN_LOOKS:
            samples.append((at, done))
        while len(samples) > 2 and at - samples[1][0] > RATE_SECONDS:
            samples.popleft()
        first_at, first_done = samples[0]
        return round((done - first_done) / (at - first_at), 1) if at > first_at and done > first_done else None

    def _change_asset(self, asset: str, *, quiet: bool = False, **values: Any) -> None:
        with self._lock:
            known = self.record.asset(asset)
            changed = replace(known or AssetRun(asset), **values)
            others = self.record.assets if known else (*self.record.assets, changed)
            self._change(quiet=quiet, assets=tuple(changed if each.asset == asset else each for each in others))

    def _change(self, *, quiet: bool = False, **values: Any) -> None:
        with self._lock:
            self.record = replace(self.record, **values)
            self.store.save(self.record)
            self._tell(quiet)

    def _tell(self, quiet: bool) -> None:
        at = time.monotonic()
        if self._on_event is None or (quiet and at - self._told < SECONDS_BETWEEN_LOOKS):
            return
        self._told = at
        self._on_event(self.record)
