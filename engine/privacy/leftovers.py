"""What the home still has of assets, indexes and functions that the code no longer declares, and taking it away.

A declaration that is taken out of the code leaves its tables: they might be wanted again. They are kept until somebody
asks for them to go, all at once. A name that another declaration is to take over (`was=`) is not left over before that
has happened, and what people said of it goes on to count for the new name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packyak.engine.errors import DataError, HomeError
from packyak.engine.learn.models import PROMOTIONS
from packyak.engine.privacy.forget import IN_THE_CLOUD, drop_vectors
from packyak.engine.privacy.ledger import Erasure, Ledger
from packyak.engine.run.due.gate import close_gate
from packyak.engine.run.launch import LOCK, publish
from packyak.engine.run.runs import new_id, now
from packyak.engine.run.scope import Scope, save_candidates
from packyak.engine.store.home import Home
from packyak.engine.store.lease import Lease
from packyak.engine.store.purge import remove
from packyak.engine.store.tables import Table

if TYPE_CHECKING:
    from packyak.engine.project import Project

_TABLES = ("tables", "indexes", "memo")  # of which the first that there is tells the number of records


@dataclass(frozen=True)
class Leftover:
    """What is left under one name. records: those of its newest version; files, bytes: of its tables, models, maps and
    notes; corrections: ids of what people said that counts for no other name."""

    name: str
    records: int = 0
    versions: int = 0
    files: int = 0
    bytes: int = 0
    corrections: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What there is, in one sentence."""
        there = ((self.records, "record"), (len(self.corrections), "correction"), (len(self.models), "model"))
        told = [f"{many:,} {what}{'' if many == 1 else 's'}" for many, what in there if many]
        return f"the code no longer declares {self.name}, of which the home has {', '.join(told) or 'notes'}"


def leftovers_of(scope: Scope) -> tuple[Leftover, ...]:
    """Everything that the home has of names that are not declared, by name."""
    sizes: dict[str, list[int]] = {}
    for name, _, size in _files(scope.home):
        sizes.setdefault(name, []).append(size)
    noted = {each.asset for each in scope.models.promotions()} | scope.candidates.keys()
    names = {*sizes, *noted, *(each.asset for each in scope.said)}
    return tuple(
        _leftover(scope, name, sizes.get(name, []))
        for name in sorted(names - scope.graph.nodes.keys() - _waiting(scope))
    )


def find_leftover(scope: Scope, name: str) -> Erasure:
    """What erasing it would take away. Raises DataError for what is declared, or waits for a new name, or is not
    there."""
    if name in scope.graph.nodes:
        raise DataError(
            f"an asset and the keys of its records are needed: {name} is declared",
            next_step=f"`packyak forget {name} KEY`; without keys goes only what the code no longer declares",
        )
    if name in _waiting(scope):
        heir = next(node.name for node in scope.graph.tables if node.was == name)
        raise DataError(f"{heir} has not taken over from {name} yet", next_step=f"`packyak run {heir}`, and ask again")
    there = {each.name: each for each in leftovers_of(scope)}
    if name not in there:
        otherwise = "`packyak doctor` lists what the home has of things that are not declared"
        raise DataError.unknown("asset", name, [*(node.name for node in scope.graph.tables), *there], otherwise)
    found = there[name]
    models = {name: found.models} if found.models else {}
    return Erasure(
        "", name, (), records={name: found.records}, corrections=found.corrections, models=models,
        versions=found.versions, files=found.files, bytes=found.bytes,
    )  # fmt: skip


def forget_leftover(project: Project, name: str, *, by: str, why: str) -> Erasure:
    """Takes away all that the home has of a name that is not declared. Cut short, the same call goes on."""
    project.home.require_writable()
    lease = Lease(project.home, LOCK, {"doing": "erasing"}, float(project.settings["lock_ttl_seconds"]))
    with lease:
        scope = project.scope()
        ledger, home = Ledger(project.home), project.home
        erasure = replace(find_leftover(scope, name), id=new_id(), by=by, why=why, began=now())
        ledger.write(erasure)
        close_gate(home)
        home.sweep()
        project.log.erase(erasure.corrections)
        scope.models.erase(name, erasure.models.get(name, ()))
        for decision in scope.models.promotions(name):
            home.remove(f"{PROMOTIONS}/{decision.id}.json")
        lease.check()
        for file in [file for owner, file, _ in _files(home) if owner == name]:
            home.remove(file)
        for folder in (*(f"{folder}/{name}.lance" for folder in _TABLES), f"models/{name}"):
            remove(home, folder)
        scope = project.scope()
        vectors = drop_vectors(scope, [name])
        if name in scope.candidates:  # last: while it is noted, it is left over
            del scope.candidates[name]
            save_candidates(home, scope.candidates)
        publish(project, scope, new_id())
        left = {file: 1 for owner, file, _ in _files(home) if owner == name}
        note = "" if home.local else IN_THE_CLOUD
        done = replace(erasure, ended=now(), vectors=vectors, left=left, note=note)
        ledger.write(done)
        for begun in ledger.all():
            if (begun.asset, begun.keys, begun.ended) == (name, (), ""):
                ledger.write(replace(begun, ended=done.ended, note=f"ended by {done.id}"))
        return done


def _waiting(scope: Scope) -> set[str]:
    """Old names that a declaration names as its own and has not taken over yet."""
    done = {name for name, settled in scope.candidates.items() if settled.table}
    return {node.was for node in scope.graph.tables if node.was and node.name not in done}


def _leftover(scope: Scope, name: str, sizes: list[int]) -> Leftover:
    records = versions = 0
    for folder in reversed(_TABLES):
        table = Table(scope.home, folder, name)
        with suppress(HomeError, DataError):  # a damaged one goes as well
            if table.exists():
                records, versions = table.count(), versions + len(table.versions())
    said = tuple(each.id for each in scope.said if each.asset == name)
    models = tuple(card.id for card in scope.models.cards(name))
    return Leftover(name, records, versions, len(sizes), sum(sizes), said, models)


def _files(home: Home) -> Iterator[tuple[str, str, int]]:
    """Name, file and size of all that is kept by the name of what it is of."""
    for folder in (*_TABLES, "models"):
        for file, size, _ in home.walk(folder):
            yield file.split("/")[1].removesuffix(".lance"), file, size
    for folder, suffix in (("maps", ".arrow"), ("functions", ".json")):
        for file, size, _ in home.walk(folder):
            if file.endswith(suffix):
                stem = file.split("/")[1].removesuffix(suffix)
                yield (stem.rpartition("-")[0] if folder == "maps" else stem), file, size
