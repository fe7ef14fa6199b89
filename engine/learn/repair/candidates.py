"""Every answer that a cell might get: leave it, what others vote for, a frequent value nearby, what a program makes
of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Ints
from .knowledge import Knowledge
from .nearby import crowd, nearest
from .profile import Cells, Profile
from .votes import VoteTable

KEEP, VOTE, NEAR, PROGRAM = 1, 2, 4, 8
USUAL = 3
MANY = 0.02


@dataclass(frozen=True)
class Options:
    """Answers for cells of one column, sorted by cell: `cell` is the row of `codes`, `value` a code of `values`,
    `source` which of the ways above led there (bits), `program` the place of the best program that makes it (-1:
    none). `counted` is the value with which each row is counted in the profile: its own, but for rows spoiled on
    purpose."""

    column: int
    codes: Ints
    own: Ints
    counted: Ints
    values: list[str]
    counts: Ints
    cell: Ints
    value: Ints
    source: Ints
    program: Ints

    @property
    def keep(self) -> Bools:
        """Where the answer is the cell's own value."""
        return np.equal(self.value, self.own[self.cell])


@dataclass(frozen=True)
class Near:
    """Nearby values of a column, for every value of its profile: sorted `of`, and `to`; `crowd` tells how near usual
    values are."""

    of: Ints
    to: Ints
    crowd: float = 0.0

    @staticmethod
    def find(profile: Profile, column: int) -> Near:
        """Search the column's whole domain."""
        about = profile.columns[column]
        of, to = nearest(about.values, about.counts, np.arange(len(about.values), dtype=np.int64))
        return Near(*_sorted(of, to), round(crowd(about.values, about.counts), 6))

    @staticmethod
    def none() -> Near:
        """Nothing is near anything."""
        return Near(np.zeros(0, np.int64), np.zeros(0, np.int64))

    def ask(self, profile: Profile, column: int, values: Sequence[str], wanted: Ints) -> tuple[Ints, Ints]:
        """Near values of the wanted codes, those that the profile never saw included: (code, near code)."""
        about = profile.columns[column]
        known = np.isin(self.of, wanted)
        strange = wanted[wanted >= len(about.values)]
        if not len(strange):
            return self.of[known], self.to[known]
        counts = np.concatenate([about.counts, np.zeros(len(values) - len(about.values), np.int64)])
        of, to = nearest(values, counts, strange)
        return np.concatenate([self.of[known], strange[of]]), np.concatenate([self.to[known], to])


def _sorted(of: Ints, to: Ints) -> tuple[Ints, Ints]:
    order = np.argsort(of, kind="stable")
    return of[order], to[order]


def reads(column: int, tables: Sequence[VoteTable], knowledge: Knowledge) -> tuple[int, ...]:
    """The other columns that decide a cell's answers."""
    voted = {k for table in tables for k in table.by}
    programmed = {k for tried in knowledge.programs[column] for k in tried.program.reads}
    return tuple(sorted(voted | programmed))


def contexts(codes: Ints, columns: Sequence[int]) -> tuple[Ints, Ints]:
    """Rows that differ in these columns: (first row of each kind, kind of each row)."""
    kind = np.zeros(len(codes), dtype=np.int64)
    for column in columns:
        _, kind = np.unique(kind * (int(codes[:, column].max(initial=0)) + 1) + codes[:, column], return_inverse=True)
    _, first, kind = np.unique(kind, return_index=True, return_inverse=True)
    return first.astype(np.int64), kind.astype(np.int64)


def collect(
    profile: Profile,
    cells: Cells,
    column: int,
    tables: Sequence[VoteTable],
    near: Near,
    knowledge: Knowledge,
    counted: Ints | None = None,
) -> Options:
    """All answers for the cells of one column, each once, with where it came from."""
    codes = cells.codes
    own = codes[:, column]
    counted = own if counted is None else counted
    values = list(cells.values[column])
    found = [_as_found(np.arange(len(codes)), own, KEEP)]
    for table in tables:
        said = table.proposal(table.group(codes), counted)
        at = np.flatnonzero((said >= 0) & (said != own))
        found.append(_as_found(at, said[at], VOTE))
    present, kind = np.unique(own, return_inverse=True)
    of, to = near.ask(profile, column, values, present)
    found.append(_spread(of, to, present, kind, NEAR))
    made_of, made, which = _programmed(cells, column, values, present, kind, knowledge)
    found.append((made_of, made, np.full(len(made), PROGRAM), which))
    cell, value, source, program = (np.concatenate(parts) for parts in zip(*found, strict=True))
    about = profile.columns[column]
    counts = np.concatenate([about.counts, np.zeros(len(values) - len(about.values), np.int64)])
    cell, value, source, program = _merged(cell, value, source, program, len(values))
    kept = ~((source == PROGRAM) & _rash(counts, own[cell], value, program, knowledge, column))
    return Options(column, codes, own, counted, values, counts, cell[kept], value[kept], source[kept], program[kept])


def _rash(counts: Ints, own: Ints, value: Ints, program: Ints, knowledge: Knowledge, column: int) -> Bools:
    """Where a single correction would turn a usual value into a rarer one, or one in fifty records into anything:
    that takes a second witness, for people mistype too."""
    single = np.array([len(tried.right) < 2 for tried in knowledge.programs[column]] + [False])
    rarer = (counts[own] >= USUAL) & (counts[value] < counts[own])
    return np.asarray(single[program] & (rarer | (counts[own] > MANY * counts.sum())))


Found = tuple[Ints, Ints, Ints, Ints]


def _as_found(cell: Ints, value: Ints, source: int) -> Found:
    return cell, value, np.full(len(cell), source), np.full(len(cell), -1)


def _spread(of: Ints, to: Ints, present: Ints, kind: Ints, source: int) -> Found:
    """Answers told per distinct value, given to every cell that has the value."""
    rows_by_kind = np.argsort(kind, kind="stable")
    start = np.searchsorted(kind[rows_by_kind], np.arange(len(present) + 1))
    place = np.searchsorted(present, of)
    lengths = start[place + 1] - start[place]
    offsets = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    cell = rows_by_kind[np.repeat(start[place], lengths) + offsets]
    return _as_found(cell, np.repeat(to, lengths), source)


def _programmed(
    cells: Cells, column: int, values: list[str], present: Ints, kind: Ints, knowledge: Knowledge
) -> tuple[Ints, Ints, Ints]:
    """Answers of programs: (cell, code, program). New texts are appended to `values`."""
    programs = knowledge.programs[column]
    if not programs:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    code_of = {value: code for code, value in enumerate(values)}
    parts: list[Found] = []
    for place, tried in enumerate(programs):
        if tried.program.reads:
            part = _with_other_columns(cells, column, values, place, knowledge, code_of)
        else:
            part = _per_value(values, present, kind, place, knowledge, column, code_of)
        parts.append(part)
    cell, value, _, which = (np.concatenate(p) for p in zip(*parts, strict=True))
    return cell, value, which


def _code(text: str, values: list[str], code_of: dict[str, int]) -> int:
    code = code_of.get(text)
    if code is None:
        code = code_of[text] = len(values)
        values.append(text)
    return code


def _per_value(
    values: list[str],
    present: Ints,
    kind: Ints,
    place: int,
    knowledge: Knowledge,
    column: int,
    code_of: dict[str, int],
) -> Found:
    program = knowledge.programs[column][place].program
    of: list[int] = []
    to: list[int] = []
    for code in present.tolist():
        made = program.run(values[code], {})
        if made is not None and made != values[code]:
            of.append(code)
            to.append(_code(made, values, code_of))
    cell, value, source, _ = _spread(np.array(of, np.int64), np.array(to, np.int64), present, kind, PROGRAM)
    return cell, value, source, np.full(len(cell), place)


def _with_other_columns(
    cells: Cells, column: int, values: list[str], place: int, knowledge: Knowledge, code_of: dict[str, int]
) -> Found:
    program = knowledge.programs[column][place].program
    first, kind = contexts(cells.codes, (column, *program.reads))
    to = np.full(len(first), -1, dtype=np.int64)
    for i, row in enumerate(cells.codes[first].tolist()):
        before = values[row[column]]
        made = program.run(before, {k: cells.values[k][row[k]] for k in program.reads})
        if made is not None and made != before:
            to[i] = _code(made, values, code_of)
    cell = np.flatnonzero(to[kind] >= 0)
    return cell, to[kind][cell], np.full(len(cell), PROGRAM), np.full(len(cell), place)


def _merged(cell: Ints, value: Ints, source: Ints, program: Ints, width: int) -> tuple[Ints, Ints, Ints, Ints]:
    """One entry a (cell, value): sources joined, the first program kept."""
    key, place = np.unique(cell * width + value, return_inverse=True)
    sources = np.zeros(len(key), dtype=np.int64)
    np.bitwise_or.at(sources, place, source)
    best = np.full(len(key), np.iinfo(np.int64).max)
    np.minimum.at(best, place, np.where(program < 0, np.iinfo(np.int64).max, program))
    return key // width, key % width, sources, np.where(best == np.iinfo(np.int64).max, -1, best)
