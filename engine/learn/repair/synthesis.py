"""Programs from a person's edits: every small program that turns the wrong value into the right one, then the ones
that hold up.

A program is kept when, over all labelled cells of its column, it is right more often than wrong; a cell that a person
left alone and the program would change counts as wrong. A value put together from other columns may also be learned
from cells that were right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product

from .programs import FAMILIES, HOW, Program, Row, number, outline, tokens

MOST_PER_COLUMN = 12
_WHOLE = ("lower", "upper", "title", "sentence", "spaces", "ascii", "plain", "digits", "alphanumeric")


@dataclass(frozen=True)
class Example:
    """One labelled cell: the value seen, the right one, the record that it is of, and the record's other values."""

    record: int
    column: int
    before: str
    after: str
    row: Row


@dataclass(frozen=True)
class Tried:
    """A program with the records where it was right and those where it was wrong."""

    program: Program
    right: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()
    simplicity: int = field(default=0, compare=False)

    def support(self, without: int | None = None) -> tuple[float, float]:
        """How often right and wrong, not counting one record."""
        if without is None:
            return float(len(self.right)), float(len(self.wrong))
        return float(sum(r != without for r in self.right)), float(sum(r != without for r in self.wrong))


def synthesise(examples: Sequence[Example]) -> tuple[Tried, ...]:
    """The programs that hold up, per column the best few; the order of the examples does not matter."""
    columns = sorted({example.column for example in examples})
    return tuple(tried for column in columns for tried in _for_column([e for e in examples if e.column == column]))


def _for_column(examples: list[Example]) -> list[Tried]:
    edits = [example for example in examples if example.before != example.after]
    found: dict[Program, int] = {}
    for edit in sorted(edits, key=lambda e: (e.record, e.before, e.after)):
        for program in proposals(edit):
            found.setdefault(program, len(found))
    for example in sorted(examples, key=lambda e: (e.record, e.before, e.after))[:40]:
        for program in _from_columns(example):
            found.setdefault(program, len(found))
    tried = [_try(program, examples, order) for program, order in found.items()]
    good = [t for t in tried if len(t.right) > len(t.wrong) and _deserved(t)]
    good.sort(key=lambda t: (-(len(t.right) - 2 * len(t.wrong)), FAMILIES.index(t.program.family), t.simplicity))
    return good[:MOST_PER_COLUMN]


def _deserved(tried: Tried) -> bool:
    """Programs that could fit any edit need a second witness."""
    program = tried.program
    loose = program.family in ("constant", "scale") or bool(program.reads)
    short = program.family == "replace" and len(program.args[0]) == 1 and program.args[0].isalnum()
    return len(tried.right) >= 2 if loose or short else True


def _try(program: Program, examples: list[Example], order: int) -> Tried:
    right: list[int] = []
    wrong: list[int] = []
    for example in examples:
        made = program.run(example.before, example.row)
        if made is None or (made == example.before and not (program.reads and made == example.after)):
            continue
        (right if made == example.after else wrong).append(example.record)
    return Tried(program, tuple(sorted(right)), tuple(sorted(wrong)), order)


def proposals(edit: Example) -> Iterator[Program]:
    """Every program of the families that turns `edit.before` into `edit.after`."""
    column, before, after = edit.column, edit.before, edit.after
    yield Program(column, "map", (before, after))
    if before.strip():
        for family in _WHOLE:
            program = Program(column, family)
            if program.run(before, edit.row) == after:
                yield program
        yield from _in_place(column, before, after)
        yield Program(column, "constant", (outline(tokens(before)), after))
        yield from _scales(column, before, after)
    if after.strip():
        yield from _templates(edit)


def _in_place(column: int, before: str, after: str) -> Iterator[Program]:
    """Edits of the one stretch in which the two differ."""
    start = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    most = min(len(before), len(after)) - start
    end = next((i for i in range(most) if before[-1 - i] != after[-1 - i]), most)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if not old:
        shape = outline(tokens(before))
        if start == 0:
            yield Program(column, "add", (new, "", shape))
        elif end == 0:
            yield Program(column, "add", ("", new, shape))
        return
    if end == 0 and start > 0:
        yield Program(column, "suffix", (old, new))
    if start == 0 and end > 0:
        yield Program(column, "prefix", (old, new))
    if len(old) < len(before):
        yield Program(column, "replace", (old, new))
    yield from _words(column, before, after)


def _words(column: int, before: str, after: str) -> Iterator[Program]:
    """One word that became another."""
    old, new = tokens(before), tokens(after)
    if len(old) != len(new) or len(old) < 2:
        return
    changed = dict.fromkeys((a, b) for a, b in zip(old, new, strict=True) if a != b)
    if len(changed) == 1:
        yield Program(column, "word", next(iter(changed)))


def _scales(column: int, before: str, after: str) -> Iterator[Program]:
    old, new = number(before), number(after)
    if old and new and old[0] and new[0] and old[0] != new[0]:
        yield Program(column, "scale", (float(f"{new[0] / old[0]:.6g}"), old[1], new[1]))


def _templates(edit: Example) -> Iterator[Program]:
    """Rebuild the right value from tokens of the wrong one and from other columns."""
    parts = tokens(edit.before)
    shape = outline(parts)
    own = [_sources(piece, parts) for piece in tokens(edit.after)]
    if any(option[0] != "text" for options in own for option in options):
        for pieces in islice(product(*own), 8):
            if any(piece[0] == "token" for piece in pieces):
                yield Program(edit.column, "template", (shape, tuple(pieces)))
    yield from _from_columns(edit)


def _sources(piece: str, parts: list[str]) -> list[tuple[object, ...]]:
    """Where one token of the right value may come from: a token of the wrong one, changed or not; else itself."""
    if not piece[0].isalnum():
        return [("text", piece)]
    found: list[tuple[object, ...]] = []
    for name, how in HOW.items():
        for i, part in enumerate(parts):
            if part[0].isalnum() and how(part) == piece and (name == "same" or not any(f[1] == i for f in found)):
                found.append(("token", i, name))
    return found[:3] or [("text", piece)]


def _from_columns(edit: Example) -> Iterator[Program]:
    """The right value is another column's, or is put together from several."""
    offered = _offered(edit)
    if not offered:
        return
    rest = edit.after
    pieces: list[tuple[object, ...]] = []
    while rest:
        hit = next((one for one in offered if rest.startswith(one[0]) and (len(one[0]) > 1 or len(rest) == 1)), None)
        if hit is not None:
            pieces.append(("column", hit[1], hit[2]))
            rest = rest[len(hit[0]) :]
        elif pieces and pieces[-1][0] == "text":
            pieces[-1] = ("text", str(pieces[-1][1]) + rest[0])
            rest = rest[1:]
        else:
            pieces.append(("text", rest[0]))
            rest = rest[1:]
    reads = {piece[1] for piece in pieces if piece[0] == "column"}
    if reads and sum(len(str(p[1])) for p in pieces if p[0] == "text") <= len(edit.after) // 2:
        yield Program(edit.column, "template", (None, tuple(pieces)), tuple(sorted(int(str(k)) for k in reads)))


def _offered(edit: Example) -> list[tuple[str, int, str]]:
    """Values of other columns, as they are or in another case, that occur in the right value: the longest first."""
    found = []
    for column in sorted(edit.row):
        value = edit.row[column]
        if column != edit.column and value.strip() and value.lower() in edit.after.lower():
            made = [(HOW[how](value), how) for how in ("same", "lower", "upper", "title")]
            found += [(text, column, how) for text, how in made if text and text in edit.after]
    return sorted(found, key=lambda one: -len(one[0]))
