"""The command that makes a project forget: records erased for good, with a receipt that says what is left of them."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from packyak.cli.asking import Desk
from packyak.cli.options import HomeUri, Json, ProjectFolder, Verbose, command, flag
from packyak.cli.place import find_place
from packyak.cli.say import DONE, NOT_UP_TO_DATE, note, on_terminal, say, say_json
from packyak.cli.tables import show_table
from packyak.cli.words import counted, moment
from packyak.engine.errors import PackyakError

_SHOWN = 5
_VERSIONS = (("version of a table", "versions of tables"), ("earlier version of a table", "earlier versions of tables"))
_GIVEN = "buckets/"  # what people gave: nothing here touches it


@command(
    "forget",
    ("packyak forget tickets T-10042", "erase all that is left of a record which its files no longer have"),
    ('packyak forget tickets T-10042 T-10077 --why "asked by mail"', "of two, with the reason for the ledger"),
    ("packyak forget tickets T-10042 --dry-run", "only say what would go"),
    ("packyak forget drafts", "erase all of an asset that the code no longer declares"),
    ("packyak forget --list", "what was erased so far, and whether any of it is back"),
)
def forget(
    asset: Annotated[
        str | None,
        typer.Argument(metavar="ASSET", help="The asset that has the records.", show_default=False),
    ] = None,
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY", help="Their keys; none: all of what the code no longer declares.", show_default=False
        ),
    ] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the ledger.")] = "",
    dry_run: Annotated[bool, flag("--dry-run", "Only say what would go.")] = False,
    yes: Annotated[bool, flag("--yes", "Do it without asking.")] = False,
    listed: Annotated[bool, flag("--list", "What was erased so far.")] = False,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int:
    """Erase what is left of records that the sources no longer have: earlier versions, words, models, vectors."""
    desk = Desk(find_place(project, home))
    if listed:
        return _list(desk.ask("erasures"), as_json)
    if asset is None:
        raise PackyakError(
            "an asset and the keys of its records are needed", next_step="`packyak forget tickets T-10042`"
        )
    keys = keys or []
    if not yes or dry_run:
        found = desk.ask("forget", asset, keys, dry_run=True)
        if as_json:
            say_json(found)
            return DONE if dry_run else NOT_UP_TO_DATE
        _say_what_goes(found)
        if dry_run:
            return DONE
        if not (on_terminal(sys.stdout) and sys.stdin.isatty()):
            note("Nothing was erased. Next: the same with --yes.")
            return NOT_UP_TO_DATE
        if not typer.confirm("Erase it? This cannot be undone.", default=False, err=True):
            return NOT_UP_TO_DATE
    done = desk.ask("forget", asset, keys, why=why)
    if as_json:
        say_json(done)
    else:
        _say_done(done)
    return NOT_UP_TO_DATE if done.left else DONE


def _say_what_goes(found: Any) -> None:
    if not found.keys:
        note(f"The code no longer declares {found.asset}")
    show_table(("what goes", "how many"), _rows(found), right=("how many",))
    if found.marks:
        note(
            f"{counted(found.marks, 'value')} that only {_these(found)} had "
            f"{'is' if found.marks == 1 else 'are'} in {counted(len(found.before), 'file')} of the home"
        )
    for name in [name for name in found.before if name.startswith(_GIVEN)][:_SHOWN]:
        note(f"{name} has some of them and stays: take it away first, so that nothing is left")


def _rows(found: Any) -> list[tuple[str, str]]:
    where = "in every earlier version" if found.keys else "and every version of them"
    records = [(f"{asset}: records, {where}", f"{many:,}") for asset, many in found.records.items()]
    learned = "models that learned from them" if found.keys else "models"
    models = [(f"{asset}: {learned}", f"{len(ids):,}") for asset, ids in found.models.items()]
    said = [("corrections and comments", f"{len(found.corrections):,}")] if found.corrections else []
    files = [] if found.keys else [("files of tables, models and notes", f"{found.files:,}")]
    return [*records, *said, *models, *files]


def _say_done(done: Any) -> None:
    if done.keys:
        say(f"Erased: {counted(len(done.keys), 'record')} of {done.asset} and all that came of {_these(done)}")
    else:
        say(f"Erased: all of {done.asset}, which the code no longer declares")
    gone = [
        (0 if done.keys else done.records.get(done.asset, 0), "record", ""),
        (done.versions, *_VERSIONS[bool(done.keys)]),
        (len(done.corrections), "correction", ""),
        (sum(map(len, done.models.values())), "model", ""),
        (done.vectors, "vector of a text", "vectors of texts"),
        (0 if done.keys else done.files, "file", ""),
    ]
    say("  gone: " + ", ".join(counted(many, one, more) for many, one, more in gone if many))
    if not done.keys and not done.left:
        note(f"{done.id} in the ledger: `packyak forget --list`")
        return
    looked = f"{counted(done.files, 'file')}, {done.bytes / 1e6:,.1f} MB"
    if done.left:
        say(f"  still there: {counted(len(done.left), 'file')} of {looked} looked through")
        for name, many in list(done.left.items())[:_SHOWN]:
            say(f"    {name}: {counted(many, 'value')}")
        note(f"Next: {done.next_step}")
    elif done.marks:
        say(
            f"  looked for: every row, and {counted(done.marks, 'value')} that only {_these(done)} had, in {looked}: "
            "none is left"
        )
    else:
        say(f"  looked for: every row, in {looked}: none is left; {_these(done)} had no value of {_own(done)}")
    if done.relearned:
        say(f"  {', '.join(done.relearned)}: another model answers, or the first rule. Next: `packyak run`")
    if done.note:
        note(done.note)
    note(f"{done.id} in the ledger: `packyak forget --list`")


def _these(found: Any) -> str:
    return "it" if len(found.keys) == 1 else "they"


def _own(found: Any) -> str:
    return "its own" if len(found.keys) == 1 else "their own"


def _list(found: Any, as_json: bool) -> int:
    back = sum(each.back for each in found)
    if as_json:
        say_json({"erasures": found})
        return NOT_UP_TO_DATE if back else DONE
    rows = [
        (each.id, moment(each.ended) or "cut short", each.by, each.asset, f"{_many(each):,}", _state(each), each.why)
        for each in found
    ]
    show_table(("erasure", "when", "by", "asset", "records", "left", "why"), rows, right=("records",))
    if not found:
        note("nothing was erased yet")
    if back:
        note(f"{counted(back, 'record')} that {'was' if back == 1 else 'were'} erased came back: a file has it again")
    return NOT_UP_TO_DATE if back else DONE


def _many(erasure: Any) -> int:
    return len(erasure.keys) if erasure.keys else sum(erasure.records.values())


def _state(erasure: Any) -> str:
    if not erasure.ended:
        return "ask again"
    if erasure.back:
        return f"{erasure.back:,} back"
    return counted(len(erasure.left), "file") if erasure.left else "nothing"
