"""What a project can be asked to forget: the part of `Project` that is about the people whose data it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from packyak.engine.errors import HomeError

if TYPE_CHECKING:
    from packyak.engine.privacy.ledger import Erasure
    from packyak.engine.privacy.leftovers import Leftover
    from packyak.engine.project import Project


class Forgetting:
    """Erasing records for good."""

    @property
    def person(self) -> str:
        raise NotImplementedError

    def forget(
        self, asset: str, keys: Sequence[str] = (), *, why: str = "", by: str | None = None, dry_run: bool = False
    ) -> Erasure:
        """Erases every trace of records that the sources no longer have: earlier versions, what people said, models
        that learned from it, vectors, notes. It cannot be undone. Then every file of the home is searched for values
        that only these records had.

        Without keys it erases all of an asset, index or function that the code no longer declares (see `leftovers`).
        dry_run: only say what would go. Raises DataError where a record is still there, saying which file it is from,
        and RunBusy while a run is under way.
        """
        from packyak.engine.privacy.forget import find, forget
        from packyak.engine.privacy.leftovers import find_leftover, forget_leftover

        project, person = cast("Project", self), by or self.person
        if not keys:
            if dry_run:
                return find_leftover(project.scope(), asset)
            return forget_leftover(project, asset, by=person, why=why)
        if dry_run:
            return find(project, asset, keys).erasure
        return forget(project, asset, keys, by=person, why=why)

    def leftovers(self) -> tuple[Leftover, ...]:
        """What the home still has of assets, indexes and functions that the code no longer declares; nothing for a role
        in the cloud that may not look through the home: it has nothing to take away there."""
        from packyak.engine.privacy.leftovers import leftovers_of

        project = cast("Project", self)
        try:
            return leftovers_of(project.scope())
        except HomeError:
            if project.home.local is not None:
                raise
            return ()

    def erasures(self) -> tuple[Erasure, ...]:
        """What was erased so far, newest first, and how many of the records are back."""
        from packyak.engine.privacy.forget import erasures

        return erasures(cast("Project", self))
