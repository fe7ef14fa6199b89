"""The commands around a run: run, plan, status."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from packyak.cli.asking import Desk
from packyak.cli.options import HomeUri, Json, ProjectFolder, Verbose, command, flag
from packyak.cli.place import find_place
from packyak.cli.running import Asked
from packyak.cli.running import run as run_asked
from packyak.cli.say import say, say_json
from packyak.cli.tables import show_table
from packyak.cli.words import counted, duration, moment, signed
from packyak.engine.errors import DataError
from packyak.engine.run.answers import AssetStatus, Cause, PastGraph, Plan, PlanStep

Assets = Annotated[
    list[str] | None, typer.Argument(metavar="ASSET", help="Only these and what they depend on.", show_default=False)
]


@command(
    "run",
    ("packyak run", "bring everything up to date"),
    ("packyak run topic", "only topic and what it depends on"),
    ("packyak run --retry-failed", "compute failed records again too"),
    ("packyak run --wait", "if another run is on, wait for it first"),
    ("packyak run --cancel", "stop the run that is on"),
    ("packyak run --json", "how the run went, for a script"),
)
def run(
    assets: Assets = None,
    wait: Annotated[bool, flag("--wait", "Wait while another run holds the project.")] = False,
    retry_failed: Annotated[bool, flag("--retry-failed", "Compute records again that failed before.")] = False,
    cancel: Annotated[bool, flag("--cancel", "Stop the run that is on, and start none.")] = False,
    here: Annotated[bool, flag("--here", "Do the work in this process, not in the warm worker.")] = False,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int:
    """Bring assets up to date: only what is stale, down to the single record."""
    asked = Asked(
        assets=tuple(assets or ()),
        wait=wait,
        retry_failed=retry_failed,
        here=here,
        cancel=cancel,
        as_json=as_json,
        verbose=verbose,
    )
    return run_asked(find_place(project, home), asked)


@command(
    "watch",
    ("packyak watch", "bring everything up to date now, and after each change"),
    ("packyak watch --seconds 30", "look every half minute"),
    ("packyak watch --runs 1", "end after the first run"),
)
def watch(
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, metavar="SECONDS", help="Between two looks.")] = 2.0,
    runs: Annotated[int, typer.Option("--runs", min=0, metavar="N", help="End after so many runs; 0: never.")] = 0,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int:
    """Run whenever a file, the code, a correction or the clock of a function gives something to do."""
    from packyak.cli.watching import Watch
    from packyak.cli.watching import watch as keep_watching

    return keep_watching(find_place(project, home), Watch(seconds, runs, as_json, verbose))


@command(
    "plan",
    ("packyak plan", "what a run would do now, and why"),
    ("packyak plan topic", "only for topic and what it depends on"),
    ("packyak plan --diff", "with the lines of code that changed"),
    ("packyak plan --json", "the same for a script"),
)
def plan(
    assets: Assets = None,
    retry_failed: Annotated[bool, flag("--retry-failed", "As for `packyak run --retry-failed`.")] = False,
    diff: Annotated[bool, flag("--diff", "Show what changed in the code.")] = False,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Say what a run would do, before anything is spent."""
    desk = Desk(find_place(project, home))
    found: Plan = desk.ask("plan", assets or None, retry_failed=retry_failed)
    if as_json:
        say_json(found)
        return
    for step in found.steps:
        _say_step(step, diff)
    for sentence in found.notes:
        say(f"Note: {sentence}")
    for each in desk.ask("leftovers") if not assets else ():
        say(f"Note: {each.words}: `packyak forget {each.name}` erases it")
    say(_plan_summary(found))


def _say_step(step: PlanStep, diff: bool) -> None:
    parts = [step.action]
    if step.records is not None:
        unit = "file" if step.action == "read files" else "record"
        parts.append(f"{'at most ' if step.at_most else ''}{counted(step.records, unit)}")
    if step.keeps:
        parts.append(f"{step.keeps:,} stay as they are")
    if step.seconds is not None:
        parts.append(f"about {duration(step.seconds)}")
    say(f"{step.asset}: {', '.join(parts)}")
    for cause in step.causes:
        say(f"    {cause.category}: {cause.reason}")
        if diff and cause.detail:
            _say_detail(cause)


def _say_detail(cause: Cause) -> None:
    for line in cause.detail.splitlines():
        say(f"        {line}")


def _plan_summary(found: Plan) -> str:
    if not found.steps:
        return "Nothing to do: everything is up to date"
    calls = sum(step.action == "call" for step in found.steps)
    seconds = [step.seconds for step in found.steps if step.seconds is not None]
    estimate = f", about {duration(sum(seconds))}" if len(seconds) == len(found.steps) else ""
    parts = [f"{counted(len(found.steps) - calls, 'asset')} to bring up to date"] if len(found.steps) > calls else []
    parts += [f"{counted(calls, 'function')} to call"] if calls else []
    return f"{', '.join(parts)}{estimate}. Next: `packyak run`"


@command(
    "status",
    ("packyak status", "every asset: its state, why, and its last version"),
    ("packyak status topic", "one asset"),
    ("packyak status --at 2026-10-01", "what was published then: versions, and from which inputs"),
    ("packyak status --json", "the same for a script"),
)
def status(
    assets: Annotated[list[str] | None, typer.Argument(metavar="ASSET", help="Only these.", show_default=False)] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="MOMENT", help="As published at a time, or by a run.")
    ] = None,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Say how every asset stands: fresh, stale, failed, blocked, and the reason."""
    place = find_place(project, home)
    desk = Desk(place)
    if at is not None:
        _say_past(desk.ask("graph_at", at), assets, as_json)
        return
    every: tuple[AssetStatus, ...] = desk.ask("status")
    found = _chosen(every, assets)
    running = desk.ask("running")
    if as_json:
        say_json({"project": place.name, "home": place.home, "running": running, "assets": found})
        return
    show_table(
        ("asset", "kind", "state", "rows", "change", "corrected", "updated", "reason"),
        [
            (each.name, each.kind, each.state, _number(each.rows), signed(each.delta), each.corrections or "",
             moment(each.updated_at), each.reason)
            for each in found
        ],
        right=("rows", "change", "corrected"),
        state="state",
    )  # fmt: skip
    for each in found:
        _say_checks(each)
        for sentence in each.notes:
            say(f"{each.name}: {sentence}")
    if running is not None:
        say(f"A run is on since {moment(running.started)}: {running.id}")


def _number(rows: int | None) -> Any:
    return None if rows is None else f"{rows:,}"


def _chosen(every: tuple[AssetStatus, ...], names: list[str] | None) -> tuple[AssetStatus, ...]:
    known = {each.name: each for each in every}
    for name in names or ():
        if name not in known:
            raise DataError.unknown("asset", name, known)
    return tuple(known[name] for name in names) if names else every


def _say_checks(each: AssetStatus) -> None:
    for check in each.checks:
        if not check.passed:
            kind = "blocking check" if check.blocking else "check"
            say(f"{each.name}: {kind} {check.name} failed: {check.message or counted(check.failing or 0, 'row')}")


def _say_past(graph: PastGraph, assets: list[str] | None, as_json: bool) -> None:
    found = [each for each in graph.assets if not assets or each.name in assets]
    if as_json:
        say_json({"at": graph.at, "run": graph.run, "assets": found})
        return
    show_table(
        ("asset", "version", "rows", "run", "published", "inputs"),
        [(each.name, each.version, each.rows, each.run, moment(each.at), ", ".join(each.inputs)) for each in found],
        right=("rows",),
    )
