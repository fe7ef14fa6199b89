"""When functions on a clock (`every=`, `cron=`) are due, in UTC, and what is noted of their calls.

Time counts from the run that first sees the function, and then from its last call. Nothing here waits: a run calls what
is due (`packyak watch` runs when something is). Times missed while nobody ran are made up for by one call, not by many,
and a call that failed has had its turn: the next one comes at its time. Cron lines are read by `cronsim`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError
from packyak.engine.declare.nodes import FunctionNode, Graph
from packyak.engine.errors import DeclarationError
from packyak.engine.run.compute.apply import RAISED, describe, finish
from packyak.engine.run.due.signs import NEXT
from packyak.engine.store.home import Home

CLOCK = "clock"


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def on_a_clock(graph: Graph) -> tuple[FunctionNode, ...]:
    """The functions that time starts."""
    functions = (node for node in graph.nodes.values() if isinstance(node, FunctionNode))
    return tuple(node for node in functions if node.every is not None or node.cron is not None)


def check_lines(graph: Graph) -> None:
    """Raises DeclarationError for a cron line that names no time."""
    for node in on_a_clock(graph):
        if node.cron is not None:
            try:
                CronSim(node.cron, utc_now())
            except CronSimError as error:
                raise DeclarationError(
                    f"function `{node.name}`: cron={node.cron!r} is no cron line ({str(error).lower()})",
                    file=node.origin.file,
                    line=node.origin.line,
                    next_step='write minute, hour, day, month and weekday, like cron="0 6 * * *"',
                ) from None


def note_first_seen(home: Home, graph: Graph, now: datetime) -> None:
    """Starts the clock of functions that no run has seen yet."""
    for node in on_a_clock(graph):
        if _counted_from(home, node) is None:
            _write(home, node, {"since": now.isoformat()})


def next_call(home: Home, node: FunctionNode) -> datetime | None:
    """When a function on a clock is to be called next, in the past when that is overdue; None where no run has seen it
    yet, or it is on no clock."""
    since = _counted_from(home, node)
    if since is None:
        return None
    if node.every is not None:
        return since + timedelta(seconds=node.every)
    return next(CronSim(node.cron, since)) if node.cron is not None else None


def soonest(home: Home, nodes: Iterable[FunctionNode]) -> datetime | None:
    """The earliest of the functions' next calls."""
    times = [each for each in (next_call(home, node) for node in nodes) if each is not None]
    return min(times, default=None)


def keep_next(home: Home, graph: Graph) -> None:
    """Notes when the first of the functions is due, where there are any."""
    at = soonest(home, on_a_clock(graph))
    if at is not None or home.read(NEXT):
        home.write(NEXT, b"" if at is None else f"{at.timestamp():.3f}".encode())


def is_due(home: Home, node: FunctionNode, now: datetime) -> bool:
    """Whether a function on a clock is to be called now."""
    at = next_call(home, node)
    return at is not None and at <= now


def sentence(home: Home, node: FunctionNode) -> str:
    """How a function that waits for no file stands: when it was called, how that ended, when it is called next."""
    noted = _noted(home, node)
    parts = [f"called {_told(noted['called'])}"] if noted.get("called") else []
    parts += [f"which failed: {noted['error']}"] if noted.get("error") else []
    at = next_call(home, node)
    if at is not None:
        parts.append(f"due since {_told(at.isoformat())}" if at <= utc_now() else f"next {_told(at.isoformat())}")
    elif node.every is not None or node.cron is not None:
        parts.append("its clock starts with the next run")
    else:
        parts.append(f"called by hand: `packyak run {node.name}`")
    return ", ".join(parts)


def failed(home: Home, node: FunctionNode) -> bool:
    """Whether the last call raised."""
    return bool(_noted(home, node).get("error"))


def call(home: Home, node: FunctionNode, now: datetime) -> str:
    """Calls a function that takes no file, and notes it; answers what it raised, "" where nothing."""
    error = ""
    try:
        finish(node.function())
    except RAISED as raised:
        error = describe(raised)
    _write(home, node, {"called": now.isoformat(), "error": error})
    return error


def _counted_from(home: Home, node: FunctionNode) -> datetime | None:
    noted = _noted(home, node)
    at = noted.get("called") or noted.get("since")
    return datetime.fromisoformat(at) if at else None


def _noted(home: Home, node: FunctionNode) -> dict[str, str]:
    data = home.read(_name(node))
    noted = json.loads(data).get(CLOCK) if data else None
    return noted if isinstance(noted, dict) else {}  # the file of a function that waited for files before has no clock


def _told(moment: str) -> str:
    return f"{moment[:16].replace('T', ' ')} UTC"


def _write(home: Home, node: FunctionNode, facts: dict[str, str]) -> None:
    home.write(_name(node), json.dumps({CLOCK: facts}, sort_keys=True).encode())


def _name(node: FunctionNode) -> str:
    return f"functions/{node.name}.json"
