"""What settings say about how assets are computed: how large a batch is, how often a failing call is made again, how
many records may fail.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from packyak.engine.declare.nodes import TableNode, TransformNode
from packyak.engine.run.compute.apply import SLICE_SECONDS, Answers, Collect, Tick, call_on_records
from packyak.engine.settings import Settings


@dataclass(frozen=True)
class Limits:
    """batch_rows: records handed to one batch at most. retries, retry_wait: how often a call that raised is made again
    in the same run, and after how many seconds. failed: how many records of an asset may fail before the asset does: a
    share up to 1, or a count above.
    """

    batch_rows: int = 10_000
    retries: int = 0
    retry_wait: float = 2.0
    failed: float = 1.0

    def retries_of(self, node: TableNode) -> int:
        """The asset's own word comes first."""
        return node.retries or self.retries

    def call(
        self,
        node: TransformNode,
        columns: Sequence[Sequence[Any]],
        count: int,
        tick: Tick,
        collect: Collect = list,
        first: Callable[[], Answers] | None = None,
    ) -> Answers:
        """Calls the node's function on each record, and again on those on which it raised. first: how the first call
        is made, default in this process."""
        answers = first() if first else call_on_records(node, node.function, columns, count, tick, collect)
        for _ in range(self.retries_of(node)):
            if not answers.errors:
                break
            self.pause(lambda: tick(count))
            failed = sorted(answers.errors)
            chosen = [[column[place] for place in failed] for column in columns]
            again = call_on_records(node, node.function, chosen, len(failed), lambda done: tick(count), collect)
            for index, place in enumerate(failed):
                answers.values[place] = again.values[index]
                del answers.errors[place]
                if index in again.errors:
                    answers.errors[place] = again.errors[index]
        return answers

    def pause(self, tick: Callable[[], None]) -> None:
        """Waits before the next try; `tick` may raise to cancel."""
        until = time.monotonic() + self.retry_wait
        tick()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, SLICE_SECONDS))
            tick()

    def too_many(self, node: TableNode, failed: int, units: int) -> str:
        """In words, that more units failed than the asset allows; "" where they did not."""
        own = node.failures_allowed
        allowed = self.failed if own is None else own
        share = allowed <= 1 if own is None else allowed < 1
        if failed <= (allowed * units if share else allowed):
            return ""
        said = f"{node.name} allows" if own is not None else "the setting failed_records_limit allows"
        return f"{failed:,} of {units:,} failed, more than the {allowed:g} that {said}"


def limits_of(settings: Settings) -> Limits:
    """The limits that a project's settings set."""
    return Limits(
        batch_rows=int(settings["batch_rows"]),
        retries=int(settings["retries"]),
        retry_wait=float(settings["retry_wait_seconds"]),
        failed=float(settings["failed_records_limit"]),
    )
