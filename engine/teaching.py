"""What people say to a project, and what it asks them: the part of `Project` that is about corrections and review.

Each call hands over to the engine's rooms; nothing is decided here. A correction holds at once and waits for no run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from packyak.engine.run.correct import bulk, exchange, opinions, saving
from packyak.engine.run.correct.opinions import Rule
from packyak.engine.run.correct.saving import Said
from packyak.engine.run.questions import (
    Agreement,
    Bulk,
    Decided,
    Decision,
    Disagreement,
    Imported,
    Only,
    Review,
    Similar,
)
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.review.assemble import review as questions_of
from packyak.engine.run.review.deciding import decide as apply_answers
from packyak.engine.run.scope import Scope
from packyak.engine.settings import Settings
from packyak.engine.store.corrections import Correction


class Teaching:
    """Corrections, opinions and questions of a project."""

    settings: Settings

    def scope(self) -> Scope:
        raise NotImplementedError

    def _reader(self) -> Reader:
        raise NotImplementedError

    @property
    def person(self) -> str:
        raise NotImplementedError

    def _speaks_for(self, *people: str | None) -> None:
        raise NotImplementedError

    @property
    def rule(self) -> Rule:
        """How disagreements between people are settled: the settings `disagreements` and `senior`."""
        return Rule(self.settings["disagreements"], tuple(filter(None, (self.settings["senior"] or "").split(","))))

    # One by one

    def correct(
        self, asset: str, key: str, column: str, value: Any, *, by: str | None = None, why: str = ""
    ) -> Correction:
        """Says what one field of one record is. It holds from now on, whatever is computed."""
        return self.correct_many([Said(asset, key, column, value, why)], by=by)[0]

    def correct_many(self, said: Iterable[Said], *, by: str | None = None) -> tuple[Correction, ...]:
        """Several corrections, saved together or not at all, and undone together by their `group`."""
        every = list(said)
        self._speaks_for(*(each.by for each in every))
        return saving.save(self._reader(), every, by=by or self.person)

    def accept(self, asset: str, key: str, column: str, *, by: str | None = None, why: str = "") -> Correction:
        """Says that the value shown is right. It holds from now on, and teaches as a correction does."""
        return self.correct_many([Said(asset, key, column, why=why, kind="accept")], by=by)[0]

    def comment(self, asset: str, key: str, text: str, *, column: str = "", by: str | None = None) -> Correction:
        """Notes something on a record, or on one field of it. It changes no value."""
        return self.correct_many([Said(asset, key, column, text, kind="comment")], by=by)[0]

    def undo(self, correction_id: str, *, by: str | None = None) -> Correction:
        """Ends a correction, or all of one save by its id; what was computed holds again. Undoing an undo brings back
        what it ended. Answers the (first) undo."""
        return saving.undo(self._reader(), correction_id, by=by or self.person)[0]

    def redo(self, correction_id: str, *, by: str | None = None) -> Correction:
        """Brings back what was undone, by the id of a correction or of a save."""
        return saving.redo(self._reader(), correction_id, by=by or self.person)[0]

    def corrections(self, asset: str | None = None, key: str | None = None) -> tuple[Correction, ...]:
        """What people said, newest first: undone corrections and comments too."""
        found = [
            each
            for each in self.scope().said
            if (asset is None or each.asset == asset) and (key is None or each.key == key) and not is_skip(each)
        ]
        return tuple(reversed(found))

    # Many at once

    def correct_where(
        self,
        asset: str,
        column: str,
        value: Any,
        *,
        where: str | None = None,
        keys: Sequence[str] | None = None,
        preview: bool = False,
        by: str | None = None,
        why: str = "",
    ) -> Bulk:
        """Gives many records one value: those that fulfil an SQL condition, or those with these keys.

        preview: only count them, with a few examples. Saved as one file, and undone by one id. Records that have the
        value already stay as they are.
        """
        meant = bulk.Meant(asset, column, value, where, None if keys is None else tuple(keys), why)
        return bulk.correct_where(self._reader(), meant, preview=preview, by=by or self.person)

    def similar(self, asset: str, key: str, column: str, k: int = 20) -> Similar:
        """Records that would get the same fix as this corrected one: the same old value, nearest first. Changes
        nothing."""
        return bulk.similar(self._reader(), asset, key, column, k)

    def spread(
        self,
        asset: str,
        key: str,
        column: str,
        keys: Sequence[str],
        *,
        preview: bool = False,
        by: str | None = None,
        why: str = "",
    ) -> Bulk:
        """Gives other records the value that this one was corrected to, noting where it came from."""
        return bulk.spread(self._reader(), asset, key, column, keys, preview=preview, by=by or self.person, why=why)

    # To and from files

    def import_corrections(
        self, path: str | Path, *, asset: str | None = None, by: str | None = None, dry_run: bool = False
    ) -> Imported:
        """Saves the corrections of a CSV or JSON lines file with the columns key, column, value, and where known asset,
        by, at, why. Rows that cannot be corrections are answered with line and reason; the others are saved together.

        asset, by: for rows that do not say. dry_run: only look.
        """
        return exchange.import_file(self._reader(), Path(path), asset=asset, by=by or self.person, dry_run=dry_run)

    def export_corrections(self, path: str | Path, *, asset: str | None = None) -> int:
        """Writes what people said, undone or not, to a CSV or JSON lines file; answers how many rows."""
        return exchange.export_file(self.corrections(asset)[::-1], Path(path))

    # Review

    def review(
        self,
        asset: str | None = None,
        *,
        limit: int = 20,
        person: str | None = None,
        keys: Collection[str] | None = None,
        only: Only | None = None,
    ) -> Review:
        """The questions most worth a person's time now, with why each is asked: of one asset, or of all.

        keys: only of these records. only: "disagreement", where people differ, or "second", what one other person
        decided and this one has not: a second opinion.
        """
        return questions_of(
            self._reader(), asset=asset, limit=limit, person=person or self.person, keys=keys, only=only
        )

    def decide(self, decisions: Iterable[Decision], *, by: str | None = None) -> tuple[Decided, ...]:
        """Applies answers to questions, each on its own, and tells what came of each."""
        return apply_answers(self._reader(), list(decisions), by=by or self.person)

    # Several people

    def disagreements(self, asset: str | None = None) -> tuple[Disagreement, ...]:
        """Fields on which people differ, those that wait for a person first."""
        scope = self.scope()
        words = {name: mine for name, mine in scope.words.items() if asset is None or name[0] == asset}
        return opinions.disagreements(words, scope.rule)

    def settle(
        self, asset: str, key: str, column: str, value: Any, *, by: str | None = None, why: str = ""
    ) -> Correction:
        """Ends a disagreement: this value holds, whatever was said before."""
        return self.correct_many([Said(asset, key, column, value, why, origin="settle")], by=by)[0]

    def agreement(self, asset: str | None = None) -> tuple[Agreement, ...]:
        """How far each two people agree on what both decided."""
        words = self.scope().words
        return opinions.agreements({name: mine for name, mine in words.items() if asset is None or name[0] == asset})


def is_skip(each: Correction) -> bool:
    """Whether it only puts a question off, or takes that back."""
    return "skip" in (each.kind, each.origin)
