"""A table of figures with their targets, and whether all were met."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Line:
    """One figure, its target, and what others reach. `sign` "" only tells."""

    what: str
    value: float
    sign: Literal[">=", "<=", ""] = ""
    target: float = 0.0
    anchor: str = ""

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        if not self.sign:
            return True
        return self.value >= self.target if self.sign == ">=" else self.value <= self.target


def show(title: str, lines: Sequence[Line]) -> bool:
    """Print the table; True when every target is met."""
    print(f"\n{title}")
    width = max(len(line.what) for line in lines)
    for line in lines:
        target = f"{line.sign} {line.target:g}" if line.sign else ""
        verdict = "" if not line.sign else "ok" if line.met else "SHORT"
        print(f"  {line.what:<{width}}  {line.value:>10.4g}  {target:>10}  {verdict:<5}  {line.anchor}".rstrip())
    return all(line.met for line in lines)


def timed(call: Callable[[], T]) -> tuple[T, float, float]:
    """What a call gives, with its wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = call()
    return made, time.perf_counter() - wall, time.process_time() - cpu
