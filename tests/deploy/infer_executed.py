"""Runs the decidable functions of the corpus for real, a stand-in answering for AWS, and compares what botocore was
asked with what was read: `python infer_executed.py` prints what was seen and not read.

What is read may be more (both ways of a branch); what is seen must be among it, at the same line.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import io
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infer_corpus import FOLDER, Case, cases, read
from packyak.deploy.grants.infer.found import Inference, NotKnown
from packyak.deploy.grants.infer.observed import Observed, covers, hooked, watching

DEPTH, SECONDS = 4, 0.5
LATER = (
    "exit_callback",
    "sorted_pages",
    "stack_of_contexts",
    "twice",
    "all_but_the_latest",
)  # asked where a block ends or pages are gone over, and read where it is written


def main() -> int:
    """Prints one JSON object: how many calls were seen in how many functions, and which were not read."""
    sys.path.insert(0, str(FOLDER))
    decidable = [case for case in cases() if case.decidable]
    inferred = {case.name: read(case) for case in decidable}  # before anything runs
    missed, seen_calls, seen_in = [], 0, set()
    with hooked({"before-call": answer}, last=True), watching() as seen:
        for case in decidable:
            before = len(seen)
            execute(case)
            for call in seen[before:]:
                seen_calls += 1
                seen_in.add(case.name)
                missed += [f"{case.name}: {each}" for each in not_read(call, inferred[case.name])]
    print(json.dumps({"calls": seen_calls, "functions": sorted(seen_in), "missed": sorted(set(missed))}))
    return 1 if missed else 0


def execute(case: Case) -> None:
    """Runs a function, as far as it gets with `x` for every parameter."""
    function: Any = getattr(importlib.import_module(case.module), case.name)
    given = ["x" for each in inspect.signature(function).parameters.values() if each.default is each.empty]
    with (
        contextlib.suppress(Exception, _TooLong),
        contextlib.redirect_stdout(io.StringIO()),
        at_most(SECONDS),
    ):
        made = function(*given)
        if inspect.isawaitable(made):
            asyncio.run(_awaited(made))
        elif inspect.isgenerator(made):
            list(made)


class _TooLong(BaseException):
    """Some functions of the corpus go on for ever."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Ends what takes longer."""

    def end(*_: Any) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


async def _awaited(made: Any) -> Any:
    return await asyncio.wait_for(made, 5)


def not_read(call: Observed, inference: Inference) -> Iterator[str]:
    """What a call needs and was not read at its line. Whoever writes or reads in parts asks from another thread."""
    try:
        needs = call.needs
    except NotKnown as problem:
        yield f"{call.operation}: {problem.what}"
        return
    for need in needs:
        lines = {each.line for each in inference.actions if covers(each.need, need)}
        file = Path(call.file).name
        here = inference.function.rpartition(" ")[2] in LATER
        if not lines or (
            file and not here and not any(each.file == file and each.line == call.line for each in inference.actions)
        ):
            yield f"{need} at {file}:{call.line}, read at {sorted(lines)}"


def answer(model: Any, params: Any, **more: Any) -> tuple[Any, Any]:
    """One of everything that an operation may answer, so that nobody is asked."""
    shape = model.output_shape
    prefix = params.get("query_string", {}).get("prefix", "") if isinstance(params, dict) else ""
    made = _made(shape, DEPTH, f"{prefix}x") if shape is not None else {}
    if "QueueUrl" in made:
        made["QueueUrl"] = "https://sqs.us-east-1.amazonaws.com/123456789012/jobs"
    return _Http(), {**made, "ResponseMetadata": {"HTTPStatusCode": 200}}


class _Http:
    status_code = 200


def _made(shape: Any, depth: int, word: str) -> Any:
    kind = shape.type_name
    if kind == "structure":
        found = shape.members.items() if depth else ()
        return {
            name: _made(each, depth - 1, word)
            for name, each in found
            if not (name.startswith("Next") or name in ("IsTruncated", "ContinuationToken", "Marker"))
        }
    if kind == "list":
        return [_made(shape.member, depth - 1, word)] if depth else []
    if kind == "map":
        return {}
    if kind == "blob":
        return io.BytesIO(b"{}")
    return {"boolean": False, "integer": 1, "long": 1, "float": 1.0, "double": 1.0}.get(kind, word)


if __name__ == "__main__":
    sys.exit(main())
