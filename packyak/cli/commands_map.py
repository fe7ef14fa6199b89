"""The command that lays out an index in two dimensions: map."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from packyak.cli.asking import Desk
from packyak.cli.options import HomeUri, Json, ProjectFolder, Verbose, command
from packyak.cli.place import find_place
from packyak.cli.say import note, say_json
from packyak.cli.tables import show_table
from packyak.cli.words import counted

MOST_VALUES = 12
LETTERS = 72


@command(
    "map",
    ("packyak map", "where the records of the first index lie, alike ones near one another"),
    ("packyak map search --asset topic --color topic", "with the topic of each, and how many have which"),
    ('packyak map search --inside "-0.2,0.1 0.3,0.1 0.3,0.6 -0.2,0.6"', "the records within a shape"),
    ("packyak map search --way directions", "laid out along the two directions in which they differ most"),
    ("packyak map search --color topic --json", "every place with key and value, for a script"),
)
def show_map(
    index: Annotated[
        str | None, typer.Argument(metavar="INDEX", help="An index by name; default: the first.", show_default=False)
    ] = None,
    asset: Annotated[
        str | None, typer.Option("--asset", metavar="ASSET", help="Whose values to show; default: what is indexed.")
    ] = None,
    color: Annotated[str | None, typer.Option("--color", metavar="COLUMN", help="A column of it to tell.")] = None,
    way: Annotated[
        str, typer.Option("--way", metavar="neighbours|directions", help="How to lay out: t-SNE, or PCA.")
    ] = "neighbours",
    inside: Annotated[
        str | None, typer.Option("--inside", metavar="SHAPE", help='Only within these corners: "x,y x,y x,y".')
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many records to list.")] = 20,
    project: ProjectFolder = None,
    home: HomeUri = None,
    verbose: Verbose = False,
    as_json: Json = False,
) -> None:
    """Lay out the records of an index in two dimensions; places lie within -1 to 1."""
    desk = Desk(find_place(project, home))
    found = desk.ask("map", index, asset=asset, color=color, way=way, inside=inside)
    if as_json:
        facts = {
            name: getattr(found, name) for name in ("index", "asset", "column", "way", "color", "total", "laid", "lag")
        }
        say_json({**facts, "rows": found.rows.to_pylist()})
        return
    _show(found, limit)


def _show(found: Any, limit: int) -> None:
    rows = found.rows.to_pylist()
    if found.color:
        many = Counter("" if row["value"] is None else str(row["value"]) for row in rows).most_common()
        shown = [(value or "null", f"{number:,}") for value, number in many[:MOST_VALUES]]
        if rest := sum(number for _, number in many[MOST_VALUES:]):
            shown.append((f"{len(many) - MOST_VALUES:,} others", f"{rest:,}"))
        show_table((found.color, "records"), shown, right=("records",))
    listed = [
        (
            row["_key"],
            f"{row['x']:.3f}",
            f"{row['y']:.3f}",
            *([row["value"]] if found.color else []),
            _line(row["text"]),
        )
        for row in rows[:limit]
    ]
    if listed:
        show_table(
            ("record", "x", "y", *([found.color] if found.color else []), found.column), listed, right=("x", "y")
        )
    sample = f", a sample of {found.total:,}" if found.laid < found.total else ""
    lag = (
        f"; {counted(found.lag, 'record')} not indexed as they are now: `packyak run {found.index}`"
        if found.lag
        else ""
    )
    note(f"{counted(len(rows), 'record')} of {counted(found.laid, 'place')}{sample}{lag}")


def _line(text: str | None) -> str:
    return " ".join((text or "").split())[:LETTERS]
