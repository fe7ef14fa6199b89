"""`make bench`: one job over 10k and 100k records in six steps, each a fresh command, Packyak against a plain pandas
script.

Prints CPU seconds and wall time of both, their ratio, where Packyak's seconds go (by process, and by part in one more
full run), and how many calls of the user's functions were wasted; exits 1 when a target is missed or a call was wasted.
Targets are for 100k records with Prefect server and worker running; the same table from a cold start is printed to be
known. The 1 % more records come as a new file in the bucket, as records do; the last row, which has no target, is the
case that costs more: the one large file written anew with 1 % more in it, so that all of it is read and compared. Sizes
are arguments: `make bench ARGS="20000 --no-cold"`.

Messages have 25 words on average; why is said in `spine_job.py`. Other lengths (`ARGS="100000 --words 8"`) are printed
to be known and gate nothing: the shorter the messages, the less of both sides is the user's own Python, and the more of
Packyak's is what it keeps that a script does not (keys, versions, what each record was computed from).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cpu import CommandError, Cost, Meter
from spine_job import FIXED, MESSAGE, Job, script_counts

GATED_FROM: Final = 100_000
COLD_RECORDS: Final = 100
PACKYAK: Final = (sys.executable, "-m", "packyak")
FUNCTIONS: Final = ("to_clean", "to_features", "to_label")


@dataclass(frozen=True)
class Step:
    """What changes before it, what Packyak is told, how often each function has to be called for `size` records.

    target: at most this many times the script's CPU seconds; with `absolute`, at most this many CPU seconds.
    """

    name: str
    prepare: Callable[[Job], None]
    commands: tuple[tuple[str, ...], ...]
    needed: Callable[[int], dict[str, int]]
    target: float | None = None
    absolute: bool = False
    times: int = 1  # a step that can be repeated is, for a figure that is small beside the noise


@dataclass(frozen=True)
class Outcome:
    """What a step cost on both sides."""

    step: Step
    packyak: Cost
    pandas: Cost

    @property
    def ratio(self) -> float:
        return self.packyak.cpu / self.pandas.cpu

    @property
    def missed(self) -> bool:
        reached = self.packyak.cpu if self.step.absolute else self.ratio
        return self.step.target is not None and reached > self.step.target


RUN: Final = (("run",),)
CORRECT: Final = (("correct", "label", FIXED, "label", "account"), ("run",))
# The cold step has records of its own, so that the full one has every call still before it.
STEPS: Final = (
    Step(
        "cold, 100 records",
        lambda job: job.write_data(-COLD_RECORDS, 0),
        RUN,
        lambda size: dict.fromkeys(FUNCTIONS, COLD_RECORDS),
    ),
    Step("full", lambda job: job.write_data(0, job.size), RUN, lambda size: dict.fromkeys(FUNCTIONS, size), 1.2),
    Step("nothing changed", lambda job: None, RUN, lambda size: {}, 0.15, absolute=True, times=5),
    Step(
        "+1 % records",
        lambda job: job.write_data(job.size, job.size + job.size // 100, file="more"),
        RUN,
        lambda size: dict.fromkeys(FUNCTIONS, size // 100),
        0.5,
    ),
    Step("classify edited", lambda job: job.write_code(23), RUN, lambda size: {"to_label": size + size // 100}, 0.7),
    Step("one record corrected", lambda job: job.write_fix(), CORRECT, lambda size: {}, 0.3),
    Step(
        "large file grown by 1 %",
        lambda job: job.write_data(0, job.size, (job.size + job.size // 100, job.size + 2 * (job.size // 100))),
        RUN,
        lambda size: dict.fromkeys(FUNCTIONS, size // 100),
    ),
)


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _arguments(arguments)
    missed = 0
    for size in asked.sizes:
        with tempfile.TemporaryDirectory(prefix="spine-") as place:
            folder = Path(place)
            wasted = wasted_calls(Job(folder / "counted", size, folder / "calls", words=asked.words))
            warm = measure(Job(folder / "warm", size, words=asked.words), warm=True)
            print(
                table(f"{size:,} records of {asked.words} words, server and worker running", warm, wasted), flush=True
            )
            print(told_parts(full_parts(Job(folder / "parts", size, alone=True, words=asked.words))), flush=True)
            if not asked.no_cold:
                cold = measure(Job(folder / "cold", size, words=asked.words), warm=False)
                title = f"{size:,} records of {asked.words} words, each step from a cold start (not gated)"
                print(table(title, cold), flush=True)
        gated = size >= GATED_FROM and asked.words == MESSAGE
        missed += sum(wasted.values()) + (sum(found.missed for found in warm) if gated else 0)
    print("\nMISSED: see the rows marked !" if missed else "\nEvery target is reached and no call was wasted.")
    return 1 if missed else 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000], help="numbers of records")
    parser.add_argument(
        "--words", type=int, default=MESSAGE, help="words a message, on average; only the default gates"
    )
    parser.add_argument("--no-cold", action="store_true", help="leave out the table from a cold start")
    return parser.parse_args(arguments)


def measure(job: Job, *, warm: bool) -> list[Outcome]:
    """All steps in their order, each side in a fresh process. Warm: server and worker are up before the first step;
    cold: they are ended before each."""
    meter = Meter(uuid.uuid4().hex)
    job.write_code()
    try:
        if warm:
            meter = _warmed_up(job, meter)
        found = []
        for step in STEPS:
            if not warm:
                meter.end_all()
            found.append(_outcome(job, step, meter))
        return found
    finally:
        meter.end_all()


def _warmed_up(job: Job, meter: Meter) -> Meter:
    """The project has run twice on records of its own: the processes that live on are up, with all they use loaded."""
    for first in (-COLD_RECORDS - 1, -COLD_RECORDS - 2):
        job.write_data(first, -COLD_RECORDS)
        meter.run((*PACKYAK, "run"), job.project)
    return meter.at_idle()


def _outcome(job: Job, step: Step, meter: Meter) -> Outcome:
    step.prepare(job)
    ours = Cost(0.0, 0.0)
    for command in step.commands * step.times:
        ours += meter.run((*PACKYAK, *command), job.project)
    script = (sys.executable, "pandas_job.py", str(job.script))
    theirs = Meter(uuid.uuid4().hex).run(script, job.script)
    _compare(job, step, meter)
    return Outcome(step, ours.share(step.times), theirs)


def _compare(job: Job, step: Step, meter: Meter) -> None:
    """Both sides must have found the same: a fast wrong answer is none."""
    question = (*PACKYAK, "sql", "select label, n, words from per_label", "--json")
    told = subprocess.run(question, cwd=job.project, env=meter.environment, capture_output=True, text=True, check=True)
    answer = json.loads(told.stdout)
    rows = answer["rows"] if isinstance(answer, dict) else answer
    ours = sorted((row["label"], int(row["n"]), int(row["words"])) for row in rows)
    if ours != script_counts(job):
        raise CommandError(f"{step.name}: Packyak found {ours}, the pandas script {script_counts(job)}")


def wasted_calls(job: Job) -> dict[str, int]:
    """By step, in a pass of its own: how far the calls of the user's functions are from those that were needed."""
    assert job.calls is not None
    meter = Meter(uuid.uuid4().hex)
    found = {}
    job.write_code()
    try:
        for step in STEPS:
            step.prepare(job)
            job.calls.write_text("")
            for command in step.commands:
                meter.run((*PACKYAK, *command), job.project)
            called, needed = Counter(job.calls.read_text().split()), step.needed(job.size)
            found[step.name] = sum(abs(called[name] - needed.get(name, 0)) for name in {*called, *needed})
    finally:
        meter.end_all()
    return found


def full_parts(job: Job) -> dict[str, float]:
    """CPU seconds of the full step by part, in one process without worker and server."""
    job.write_code()
    meter = Meter(uuid.uuid4().hex)
    for first in (-COLD_RECORDS - 1, -COLD_RECORDS - 2):
        job.write_data(first, -COLD_RECORDS)
        meter.run((*PACKYAK, "run"), job.project)
    job.write_data(0, job.size)
    command = (sys.executable, str(Path(__file__).with_name("spine_parts.py")))
    done = subprocess.run(command, cwd=job.project, env=meter.environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(done.stderr[-6000:])
    parts: dict[str, float] = json.loads(done.stdout)
    return parts


def told_parts(parts: dict[str, float]) -> str:
    """The parts in one line."""
    listed = ", ".join(f"{name} {seconds:.2f}" for name, seconds in parts.items())
    return f"one more full run by itself, {sum(parts.values()):.2f} CPU s: {listed}"


def table(title: str, outcomes: Sequence[Outcome], wasted: dict[str, int] | None = None) -> str:
    """The outcomes as text."""
    sides = f"{'Packyak CPU s / wall':>22}{'pandas CPU s / wall':>22}"
    parts = f"{'command':>10}{'worker':>8}{'server':>8}{'other':>8}"
    last = f"{'calls wasted':>15}" if wasted else ""
    head = f"{'step':<24}{sides}{'ratio':>7}{'target':>9} {parts}{last}"
    return "\n".join(["", title, head, *(_row(found, wasted) for found in outcomes)])


def _row(found: Outcome, wasted: dict[str, int] | None) -> str:
    ours, theirs, step = found.packyak, found.pandas, found.step
    target = "" if step.target is None else f"<={step.target:g}{' s' if step.absolute else ' x'}"
    sides = f"{f'{ours.cpu:.2f} / {ours.wall:.2f}':>22}{f'{theirs.cpu:.2f} / {theirs.wall:.2f}':>22}"
    parts = "".join(f"{ours.beside.get(kind, 0.0):8.2f}" for kind in ("worker", "server", "other"))
    mark = "!" if found.missed or (wasted and wasted[step.name]) else " "
    last = f"{wasted[step.name]:>15}" if wasted else ""
    return f"{step.name:<24}{sides}{found.ratio:>7.2f}{target:>9}{mark}{ours.command:>10.2f}{parts}{last}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CommandError as failure:
        sys.exit(f"The bench could not be run: {failure}")
