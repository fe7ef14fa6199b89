"""The commands about where values come from: trace, restore, lineage."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from packyak.cli.asking import Desk
from packyak.cli.options import Asset, HomeUri, Json, ProjectFolder, Verbose, command, flag
from packyak.cli.place import find_place
from packyak.cli.say import DONE, NOT_UP_TO_DATE, note, say, say_json
from packyak.cli.trees import trace_lines
from packyak.cli.words import counted
from packyak.engine.errors import PackyakError

FEW, MOST = 5, 1000  # records of one asset: as many as a person reads, and as a script takes at once


@command(
    "trace",
    ("packyak trace topic T-10042", "what the record comes from, up to the files"),
    ("packyak trace topic T-10042 topic", "only what went into this field"),
    ("packyak trace tickets T-10042 --down", "the records anywhere that depend on this one"),
    ("packyak trace topics_per_day KEY --all", "every record of a group, not the first five"),
    ("packyak trace topic T-10042 --json", "steps and links for a script"),
)
def trace(
    asset: Asset,
    key: Annotated[str, typer.Argument(metavar="KEY", help="A record's key.", show_default=False)],
    column: Annotated[str | None, typer.Argument(metavar="COLUMN", help="One field of it.", show_default=False)] = None,
    up: Annotated[bool, flag("--up", "What it comes from; this is the default.")] = False,
    down: Annotated[bool, flag("--down", "What depends on it.")] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="How many records of one asset to follow; default: 5, with --json 1000."),
    ] = None,
    every: Annotated[bool, flag("--all", "Follow every record.")] = False,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Say where a value comes from: records, code, model, corrections, run."""
    if up and down:
        raise PackyakError("--up and --down are two questions", next_step="ask one, then the other")
    if every and limit is not None:
        raise PackyakError("--all and --limit exclude each other", next_step="give one of them, or neither")
    place = find_place(project, home)
    most = None if every else limit or (MOST if as_json else FEW)
    found = Desk(place).ask("trace", asset, key, column, direction="down" if down else "up", limit=most)
    if as_json:
        say_json(found)
        return
    for line in trace_lines(found, place.root):
        say(line)
    for text in found.notes:
        note(text)
    if found.cut:
        note("Next: --all follows every one, --limit N the first N")
    others = len({step.id for step in found.steps}) - 1
    note(
        f"{counted(others, 'step')} {'above' if found.direction == 'up' else 'below'}" if others else "nothing further"
    )


@command(
    "restore",
    ("packyak restore topic 3f2a", "the version as it was becomes the good one again"),
    ('packyak restore topic 2026-10-01T14:30 --why "a wrong rule"', "as it was at a time, with the reason"),
)
def restore(
    asset: Asset,
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="A version by name (or its beginning), a run, or a time.")
    ],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, kept with it.")] = "",
    by: Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who does it; default: you.")] = None,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Bring an asset's own records back as they were: as a new version. Corrections hold all the same."""
    desk = Desk(find_place(project, home))
    record = desk.ask("restore", asset, version, by=by or desk.person, why=why)
    if as_json:
        say_json(record)
        return
    for text in record.notes:
        say(text)
    note("`packyak plan` says whether the next run would compute it again, and why")


ACTIONS = ("import", "export", "send")
FORMATS = ("openlineage", "html", "svg", "prov")


@command(
    "lineage",
    ("packyak lineage import events.jsonl", "take in OpenLineage events of other tools"),
    ("packyak lineage import - < events.jsonl", "the same from standard input"),
    ("packyak lineage export --out events.jsonl", "all events of this project"),
    ("packyak lineage export topic T-10042 --as html --out why.html", "the lineage of a record as a page"),
    ("packyak lineage export topic T-10042 --as prov", "the same as PROV-O (Turtle)"),
    ("packyak lineage export --as svg --out assets.svg", "the project's assets as a picture"),
    ("packyak lineage send", "send what waits for a backend now"),
)
def lineage(
    action: Annotated[str, typer.Argument(metavar="import|export|send", help="What to do.", show_default=False)],
    what: Annotated[
        str | None,
        typer.Argument(metavar="FILE|ASSET", help="For import a file or -; for export an asset.", show_default=False),
    ] = None,
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="A record's key.", show_default=False)] = None,
    column: Annotated[str | None, typer.Argument(metavar="COLUMN", help="One field of it.", show_default=False)] = None,
    form: Annotated[
        str | None, typer.Option("--as", metavar="FORMAT", help="openlineage (events), html, svg or prov.")
    ] = None,
    out: Annotated[str | None, typer.Option("--out", metavar="FILE", help="Where to write; default: here.")] = None,
    down: Annotated[bool, flag("--down", "What depends on the record, not what it comes from.")] = False,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int | None:
    """Exchange lineage with other tools: OpenLineage events in and out, PROV-O, a picture."""
    desk = Desk(find_place(project, home))
    if action == "import":
        return _import(desk, what, as_json)
    if action == "send":
        return _send(desk, as_json)
    if action != "export":
        raise PackyakError(f"lineage {action} is no action", choices=ACTIONS, next_step="take one of them")
    if form not in (None, *FORMATS):
        raise PackyakError(f"--as {form} is no format", choices=FORMATS, next_step="take one of them")
    text = desk.ask("export_lineage", what, key, column, form=form, direction="down" if down else "up")
    if out is None:
        say(text.rstrip("\n"))
    else:
        Path(out).write_text(text, encoding="utf-8")
        note(f"{out} is written")
    return None


def _import(desk: Desk, file: str | None, as_json: bool) -> int:
    if file is None:
        raise PackyakError("which events?", next_step="`packyak lineage import FILE`, or - for standard input")
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise PackyakError(f"{file} cannot be read: {error.strerror}", next_step="name a file of events") from error
    report = desk.ask("import_lineage", data)
    if as_json:
        say_json(report)
    else:
        for each in report.reports:
            note(f"event {each.place} is {each.level}: {'; '.join(each.problems)}")
        say(f"{counted(report.total, 'event')}: {report.valid:,} valid, {report.tolerated:,} tolerated, "
            f"{report.rejected:,} rejected")  # fmt: skip
    return NOT_UP_TO_DATE if report.rejected and not report.valid and not report.tolerated else DONE


def _send(desk: Desk, as_json: bool) -> int:
    state = desk.ask("send_lineage")
    if as_json:
        say_json(state)
    elif not state.configured:
        note("no OpenLineage transport is configured; docs/lineage.md says how")
    else:
        say(f"{counted(state.waiting, 'event')} waiting, {state.refused:,} refused")
        if state.problem:
            note(f"the last try: {state.problem}. Next: look at the backend, and at openlineage.yml")
    return NOT_UP_TO_DATE if state.waiting else DONE
