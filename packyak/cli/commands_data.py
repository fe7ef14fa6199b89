"""The commands that look into assets: show, sql, history, diff."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from packyak.cli.asking import Desk
from packyak.cli.correcting import as_said
from packyak.cli.following import outcome
from packyak.cli.options import Asset, HomeUri, Json, ProjectFolder, Verbose, command, flag
from packyak.cli.place import find_place
from packyak.cli.say import note, say, say_json
from packyak.cli.tables import cell, show_table
from packyak.cli.words import counted, moment, signed
from packyak.engine.errors import PackyakError
from packyak.engine.run.answers import Cause, Change, Diff, RecordDetail, VersionInfo
from packyak.engine.run.runs import RunRecord

KEY = "_key"


@command(
    "show",
    ("packyak show topic", "the first records of an asset"),
    ("packyak show topic --key T-10042", "one record, and how each field came to be"),
    ("packyak show topic --where \"topic = 'billing'\"", "records that fulfil an SQL condition"),
    ("packyak show topic --text refund", "records that contain a text"),
    ("packyak show topic --only corrected", "records that people corrected"),
    ("packyak show topic@3f2a", "as it was in a version, a run or at a time (topic@2026-10-01T14:30)"),
    ("packyak show topic --sort received --descending --limit 5", "the latest five"),
)
def show(
    asset: Asset,
    key: Annotated[str | None, typer.Option("--key", metavar="KEY", help="One record, field by field.")] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="An SQL condition on its columns.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", metavar="TEXT", help="Records that contain this text.")] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="corrected|failed", help="Corrected records, or failed ones.")
    ] = None,
    columns: Annotated[str | None, typer.Option("--columns", metavar="A,B", help="Only these columns.")] = None,
    sort: Annotated[str | None, typer.Option("--sort", metavar="COLUMN", help="Sorted by a column.")] = None,
    descending: Annotated[bool, flag("--descending", "The largest first.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many records.")] = 20,
    offset: Annotated[int, typer.Option("--offset", min=0, help="How many to pass over first.")] = 0,
    version: Annotated[
        str | None,
        typer.Option("--version", metavar="VERSION", help="A version by name (or its beginning), a run, or a time."),
    ] = None,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Show an asset's records, corrections included."""
    desk = Desk(find_place(project, home))
    if key is not None:
        _show_record(desk.ask("record", f"{asset}@{version}" if version else asset, key), as_json)
        return
    if only not in (None, "corrected", "failed"):
        raise PackyakError(f"--only {only} is no choice", choices=("corrected", "failed"), next_step="take one of them")
    chosen = [name.strip() for name in columns.split(",")] if columns else None
    page = desk.ask(
        "page", asset, offset=offset, limit=limit, sort=sort, descending=descending, text=text, version=version,
        only=only, where=where, columns=None if chosen is None else [name for name in chosen if name != KEY],
    )  # fmt: skip
    failures = desk.ask("failures", asset.partition("@")[0], limit) if only == "failed" else ()
    names = chosen or _names(page)
    rows = page.rows.select(names).to_pylist()
    if as_json:
        facts = {"asset": asset, "total": page.total, "offset": offset, "columns": page.columns, "rows": rows}
        say_json({**facts, **({"failures": failures} if only == "failed" else {})})
        return
    if failures:
        show_table((failures[0].unit, "why it failed"), [(each.name, each.error) for each in failures])
        if not page.total:
            return
    marked = {(row, column) for row, column in page.corrected}
    keys = page.rows[KEY].to_pylist()
    show_table(
        names, [[_marked(row[name], (keys[at], name) in marked) for name in names] for at, row in enumerate(rows)]
    )
    more = page.total - offset - len(rows)
    note(f"{counted(page.total, 'record')}{f', {more:,} more' if more > 0 else ''}{'; * corrected' if marked else ''}")


def _marked(value: Any, corrected: bool) -> Any:
    return f"{cell(value)} *" if corrected else value


def _names(page: Any) -> list[str]:
    """The columns to show. The key stands in front where there is one that no column says too."""
    names = [name for name in page.rows.schema.names if name != KEY]
    keys = page.rows[KEY].to_pylist()
    said = not keys or any(
        page.rows[name].to_pylist() == keys for name in names if str(page.rows.schema.field(name).type) == "string"
    )
    return names if said else [KEY, *names]


def _show_record(found: RecordDetail, as_json: bool) -> None:
    if as_json:
        say_json(found)
        return
    rows = []
    for each in found.fields:
        person = (
            f"{each.corrected_by}, {moment(each.corrected_at)}{f': {each.why}' if each.why else ''}"
            if each.corrected_by
            else ""
        )
        outdated = " (its inputs changed since)" if each.outdated else ""
        sure = f"{each.confidence:.0%}" if each.confidence is not None else ""
        beneath = each.computed if each.decided == "person" else None
        rows.append((each.column, each.value, each.owner, each.decided, sure, beneath, person + outdated, each.error))
    headers = ("column", "value", "owner", "decided by", "sure", "computed", "corrected", "error")
    used = [place for place in range(len(headers)) if place < 4 or any(cell(row[place]) for row in rows)]
    show_table([headers[place] for place in used], [[row[place] for place in used] for row in rows])


@command(
    "sql",
    ('packyak sql "select topic, count(*) as n from topic group by all"', "ask anything over the assets"),
    ('packyak sql "from topic limit 5" --json', "rows as JSON"),
    ('packyak sql "from topic" --csv > topic.csv', "rows as CSV"),
    ("packyak sql - < query.sql", "the query from a file"),
)
def sql(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="SQL (DuckDB's) over assets by name; - reads standard input.")
    ],
    as_csv: Annotated[bool, flag("--csv", "Answer with CSV.")] = False,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Ask a query over the project's assets."""
    table = Desk(find_place(project, home)).ask("sql", sys.stdin.read() if query == "-" else query)
    names = list(table.schema.names)
    if as_json:
        say_json({"columns": names, "rows": table.to_pylist()})
    elif as_csv:
        _say_csv(table)
    else:
        right = [
            name
            for name, kind in zip(names, table.schema.types, strict=True)
            if str(kind).startswith(("int", "uint", "double", "decimal"))
        ]
        show_table(names, [list(row.values()) for row in table.to_pylist()], right=right)
        note(counted(table.num_rows, "row"))


def _say_csv(table: Any) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(table.schema.names)
    for batch in table.to_batches():
        writer.writerows([[_raw(value) for value in row.values()] for row in batch.to_pylist()])


def _raw(value: Any) -> Any:
    """A value for a CSV field; a text keeps its line breaks, which CSV can quote."""
    return value if isinstance(value, str) else cell(value)


@command(
    "history",
    ("packyak history", "the runs"),
    ("packyak history 20261129-002419-633166-6b2a", "one run, asset by asset"),
    ("packyak history topic", "the versions of an asset"),
    ("packyak history topic T-10042", "what people said about one record"),
)
def history(
    asset: Annotated[
        str | None, typer.Argument(metavar="ASSET", help="An asset by name, or a run.", show_default=False)
    ] = None,
    key: Annotated[str | None, typer.Argument(metavar="KEY", help="A record's key.", show_default=False)] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 20,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """List the runs, an asset's versions, or a record's corrections, newest first; or show one run."""
    desk = Desk(find_place(project, home))
    if asset is None:
        _show_runs(desk.ask("runs", limit), as_json)
    elif key is None and "-" in asset and (found := desk.ask("runs", named=asset)):
        _show_run(found[0], as_json)
    elif key is None:
        _show_versions(desk.ask("versions", asset)[:limit], as_json)
    else:
        said = _corrections(desk, asset, key)
        if not said:
            desk.ask("record", asset, key)  # says so where there is no such record
        _show_corrections(said[:limit], as_json)


def _corrections(desk: Desk, asset: str, key: str) -> list[Any]:
    """What was said about any field that the asset's view shows, whichever asset owns it."""
    owners = {column.owner for column in desk.ask("page", asset, limit=0).columns}
    return [each for each in desk.ask("corrections", None, key) if each.asset in owners]


def _show_runs(runs: Any, as_json: bool) -> None:
    if as_json:
        say_json({"runs": runs})
        return
    show_table(
        ("run", "started", "state", "assets", "error"),
        [(each.id, moment(each.started), each.state, len(each.assets), each.error) for each in runs],
        right=("assets",),
        state="state",
    )


def _show_run(run: RunRecord, as_json: bool) -> None:
    if as_json:
        say_json({"runs": (run,)})
        return
    rows = [(each.asset, each.state, outcome(each)) for each in run.assets]
    show_table(("asset", "state", "what it did"), rows, state="state")
    note(f"{run.state}, started {moment(run.started)}{f': {run.error}' if run.error else ''}")


def _show_versions(versions: tuple[VersionInfo, ...], as_json: bool) -> None:
    if as_json:
        say_json({"versions": versions})
        return
    rows = [(each.version, moment(each.at), f"{each.rows:,}", signed(each.delta), each.run) for each in versions]
    show_table(("version", "published", "rows", "change", "run"), rows, right=("rows", "change"))


def _show_corrections(found: list[Any], as_json: bool) -> None:
    found = [as_said(each) for each in found]
    if as_json:
        say_json({"corrections": found})
        return
    rows = [
        (
            each.id,
            moment(each.at),
            each.by,
            each.kind,
            f"{each.asset}.{each.column}",
            each.computed,
            each.value,
            each.why,
        )
        for each in found
    ]
    show_table(("id", "when", "who", "what", "field", "was", "is", "why"), rows)


@command(
    "diff",
    ("packyak diff topic", "what the last version changed"),
    ("packyak diff topic 3f2a 91bc", "how two versions differ"),
    ("packyak diff topic 2026-10-01 2026-10-08", "how two moments differ; a run by its name will do too"),
    ("packyak diff topic 3f2a 91bc --limit 100", "with up to a hundred of the records"),
)
def diff(
    asset: Asset,
    a: Annotated[
        str | None,
        typer.Argument(
            metavar="A", help="The older version, run or time; default: the last but one.", show_default=False
        ),
    ] = None,
    b: Annotated[
        str | None,
        typer.Argument(metavar="B", help="The newer version, run or time; default: the last.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many records to show.")] = 20,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Say how an asset's own records differ between two versions, and why each field changed."""
    desk = Desk(find_place(project, home))
    if a is None or b is None:
        versions = desk.ask("versions", asset)
        if not versions or (a is None and len(versions) < 2):
            raise PackyakError(
                f"{asset} has no two versions to compare yet", next_step=f"`packyak history {asset}` lists them"
            )
        a, b = a or versions[1].version, b or versions[0].version
    found: Diff = desk.ask("diff", asset, a, b, limit=limit)
    if as_json:
        say_json(found)
        return
    for change in found.examples:
        _say_change(change)
    say(f"{found.a} -> {found.b}: {found.added:,} added, {found.removed:,} removed, {found.changed:,} changed")
    if found.causes:
        note("because of " + ", ".join(f"{category} ({count:,})" for category, count in found.causes.items()))


def _say_change(change: Change) -> None:
    sign = "+" if change.before is None else "-" if change.after is None else "~"
    say(f"{sign} {cell(change.key)}{_because(change.causes)}")
    if change.fields:
        for each in change.fields:
            old, new = cell(each.before) or "null", cell(each.after) or "null"
            say(f"    {each.column}: {old} -> {new}{_because(each.causes)}")
        return
    for name, value in (change.before or change.after or {}).items():
        if value is not None:
            say(f"    {name}: {cell(value)}")


def _because(causes: Sequence[Cause]) -> str:
    """Why, in brackets."""
    return f"  ({'; '.join(f'{each.category}: {cell(each.reason)}' for each in causes)})" if causes else ""
