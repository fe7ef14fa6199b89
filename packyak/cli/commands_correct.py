"""The commands by which people teach: correct, corrections, review."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from packyak.cli import reviewing
from packyak.cli.asking import Desk
from packyak.cli.correcting import Said, as_said, save
from packyak.cli.correcting_many import Many, correct_many, keys_of, list_similar, spread
from packyak.cli.options import HomeUri, Json, ProjectFolder, Verbose, command, flag
from packyak.cli.place import find_place
from packyak.cli.say import DONE, WRONG, note, say, say_json
from packyak.cli.tables import cell, show_table
from packyak.cli.words import counted, moment
from packyak.engine.errors import PackyakError

Person = Annotated[
    str | None, typer.Option("--by", metavar="PERSON", help="Who says so; default: the setting `person`.")
]
OneAsset = Annotated[str | None, typer.Argument(metavar="ASSET", help="An asset by name.", show_default=False)]


@command(
    "correct",
    ("packyak correct topic T-10042 topic delivery", "your value wins from now on"),
    ('packyak correct topic T-10042 topic delivery --why "asks for the parcel"', "with the reason"),
    ("packyak correct topic T-10042 topic --accept", "say that the value shown is right"),
    ("packyak correct topic T-10042 topic --null", "say that there is no value"),
    ('packyak correct topic T-10042 --comment "ask the shop"', "note something; no value changes"),
    ("packyak correct --undo 0199c0de", "the computed value holds again"),
    ("packyak correct --redo 0199c0de", "bring back what was undone"),
    ("packyak correct topic topic delivery --where \"text ilike '%parcel%'\" --preview", "how many it would change"),
    ("packyak correct topic topic delivery --where \"text ilike '%parcel%'\"", "one value for many records"),
    ("packyak correct topic topic delivery --keys T-10042,T-10043", "for these records"),
    ("packyak correct topic T-10042 topic --similar 10", "which records would get the same fix"),
    ("packyak correct topic T-10042 topic --spread T-10050,T-10051", "give these the same value"),
)
def correct(
    asset: OneAsset = None,
    key: Annotated[
        str | None, typer.Argument(metavar="KEY", help="The record's key; not for --where and --keys.")
    ] = None,
    column: Annotated[
        str | None, typer.Argument(metavar="COLUMN", help="Which of its fields.", show_default=False)
    ] = None,
    value: Annotated[str | None, typer.Argument(metavar="VALUE", help="The right value.", show_default=False)] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason.")] = "",
    by: Person = None,
    accept: Annotated[bool, flag("--accept", "The value shown is right.")] = False,
    null: Annotated[bool, flag("--null", "There is no value.")] = False,
    comment: Annotated[
        str | None, typer.Option("--comment", metavar="TEXT", help="Note this on the record, or on the field.")
    ] = None,
    undo: Annotated[
        str | None,
        typer.Option("--undo", metavar="ID", help="End a correction or a whole save, by its id's beginning."),
    ] = None,
    redo: Annotated[
        str | None, typer.Option("--redo", metavar="ID", help="Bring back what was undone, by its id's beginning.")
    ] = None,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SQL", help="All records that fulfil this condition.")
    ] = None,
    keys: Annotated[str | None, typer.Option("--keys", metavar="KEY,KEY", help="All these records.")] = None,
    preview: Annotated[bool, flag("--preview", "Only say how many records would change.")] = False,
    similar: Annotated[
        int, typer.Option("--similar", min=0, help="List so many records that would get the same fix.")
    ] = 0,
    spread_to: Annotated[
        str | None, typer.Option("--spread", metavar="KEY,KEY", help="Give these records the same value.")
    ] = None,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int:
    """Correct one field of one record, or of many. It holds at once and survives every run; nothing is computed now."""
    words = tuple(word for word in (asset, key, column, value) if word is not None)
    desk = Desk(find_place(project, home))
    many = Many(words, why, by, null, preview, as_json)
    if where is not None or keys is not None:
        return correct_many(desk, many, where, keys)
    if similar:
        return list_similar(desk, many, similar)
    if spread_to is not None:
        return spread(desk, many, spread_to)
    said = Said(words, why=why, by=by, accept=accept, null=null, undo=undo, redo=redo, comment=comment, as_json=as_json)
    return save(desk, said)


@command(
    "corrections",
    ("packyak corrections", "what people said, newest first"),
    ("packyak corrections topic", "of one asset"),
    ("packyak corrections --export log.csv", "all of it as CSV (or .jsonl)"),
    ("packyak corrections topic --import fixes.csv --dry-run", "which rows of a file could be saved"),
    ("packyak corrections topic --import fixes.csv", "save them; columns key, column, value, and by, at, why if known"),
    ("packyak corrections --disagreements", "fields on which people differ"),
    ("packyak corrections --agreement", "how far reviewers agree"),
)
def corrections(
    asset: OneAsset = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 20,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write all to a .csv or .jsonl file.")
    ] = None,
    import_file: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="Save the rows of a .csv or .jsonl file.")
    ] = None,
    dry_run: Annotated[bool, flag("--dry-run", "With --import: only look.")] = False,
    disagreements: Annotated[bool, flag("--disagreements", "Fields on which people differ.")] = False,
    agreement: Annotated[bool, flag("--agreement", "How far each two people agree.")] = False,
    by: Person = None,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int:
    """List what people said, in and out of files, and where they differ."""
    desk = Desk(find_place(project, home))
    if sum(map(bool, (export, import_file, disagreements, agreement))) > 1:
        raise PackyakError("two of the options ask for different things", next_step="give one of them")
    if export is not None:
        return _export(desk, export.absolute(), asset, as_json)
    if import_file is not None:
        return _import(desk, import_file.absolute(), asset, by, dry_run, as_json)
    if disagreements:
        return _disagreements(desk.ask("disagreements", asset), as_json)
    if agreement:
        return _agreement(desk.ask("agreement", asset), as_json)
    found = desk.ask("corrections", asset)
    if asset is not None and not found:
        desk.ask("page", asset, limit=0)  # says what there is, where there is no such asset
    show_corrections(found[:limit], as_json)
    return DONE


def show_corrections(found: Any, as_json: bool) -> None:
    """Corrections as a table."""
    found = [as_said(each) for each in found]
    if as_json:
        say_json({"corrections": found})
        return
    rows = [
        (e.id, moment(e.at), e.by, e.kind, f"{e.asset}.{e.column}", e.key, e.computed, e.value, e.why) for e in found
    ]
    show_table(("id", "when", "who", "what", "field", "record", "was", "is", "why"), rows)


def _export(desk: Desk, file: Path, asset: str | None, as_json: bool) -> int:
    many = desk.ask("export_corrections", str(file), asset=asset)
    if as_json:
        say_json({"rows": many, "file": str(file)})
    else:
        say(f"{counted(many, 'row')} written to {file}")
    return DONE


def _import(desk: Desk, file: Path, asset: str | None, by: str | None, dry_run: bool, as_json: bool) -> int:
    found = desk.ask("import_corrections", str(file), asset=asset, by=by or desk.person, dry_run=dry_run)
    if as_json:
        say_json(found)
        return WRONG if found.bad else DONE
    for each in found.bad:
        note(f"line {each.line}: {each.reason}")
    there = f"; {found.already:,} were there already" if found.already else ""
    bad = f"; {counted(len(found.bad), 'row')} cannot be corrections" if found.bad else ""
    say(f"{counted(found.saved, 'correction')} {'could be ' if dry_run else ''}saved{there}{bad}")
    if found.id:
        note(f"`packyak correct --undo {found.id}` takes them back; `packyak run` carries them on")
    return WRONG if found.bad else DONE


def _disagreements(found: Any, as_json: bool) -> int:
    if as_json:
        say_json({"disagreements": found})
        return DONE
    rows = [
        (
            f"{each.asset}.{each.column}",
            each.key,
            "; ".join(f"{one.by}: {cell(one.value)}" for one in each.opinions),
            each.holds,
            each.settled or "waits for a person",
        )
        for each in found
    ]
    show_table(("field", "record", "who says what", "holds", "settled by"), rows)
    if not found:
        note("people differ on no field")
    return DONE


def _agreement(found: Any, as_json: bool) -> int:
    if as_json:
        say_json({"agreement": found})
        return DONE
    rows = [
        (e.one, e.other, f"{e.fields:,}", f"{e.share:.0%}", "" if e.kappa is None else f"{e.kappa:.2f}") for e in found
    ]
    show_table(("who", "and", "fields", "agree", "kappa"), rows, right=("fields", "agree", "kappa"))
    return DONE


@command(
    "review",
    ("packyak review", "answer the questions most worth your time, one by one"),
    ("packyak review topic --limit 10", "ten about topic"),
    ("packyak review topic --keys T-10042,T-10043", "only about these records"),
    ("packyak review topic --json", "the questions, for a script"),
    ("packyak review --answers answers.jsonl", "apply answers from a file"),
    ("packyak review --only disagreement", "settle what people differ on"),
    ("packyak review --only second", "a second opinion on what others decided"),
)
def review(
    asset: OneAsset = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="QUEUE", help="Only this queue: disagreement or second.")
    ] = None,
    keys: Annotated[str | None, typer.Option("--keys", metavar="KEY,KEY", help="Only about these records.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many questions.")] = 20,
    answers: Annotated[
        Path | None,
        typer.Option(
            "--answers",
            metavar="FILE",
            help="Apply answers: JSON lines with asset, key, column, do (accept, correct, skip, comment), value, seen.",
        ),
    ] = None,
    by: Person = None,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> int:
    """Answer the questions that help most: records that teach, and words that need a second look."""
    desk = Desk(find_place(project, home))
    person = by or desk.person
    if answers is not None:
        return reviewing.apply_file(desk, answers, person, as_json)
    if only not in (None, "disagreement", "second"):
        raise PackyakError(f"there is no queue {only!r}", choices=("disagreement", "second"), next_step="name one")
    found = desk.ask("review", asset, limit=limit, person=person, only=only, keys=keys_of(keys))
    if as_json:
        say_json(found)
        return DONE
    if reviewing.can_ask():
        return reviewing.ask_all(desk, found, person)
    reviewing.show_list(found)
    return DONE
