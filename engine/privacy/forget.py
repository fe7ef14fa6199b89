"""Erases records for good: from every earlier version, from what people said, from models, vectors and notes.

    find whom it is about -> write the ledger -> corrections -> models -> vectors -> tables -> notes -> look again

Each step can be done again: after a crash the same call goes on, with what the ledger had noted. The last step proves
the others: the values that only these records had are looked for in every file of the home.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packyak.engine.declare.nodes import IndexNode, TableNode
from packyak.engine.privacy.history import FILE as HISTORY
from packyak.engine.privacy.history import strike_out_of_history
from packyak.engine.privacy.ledger import Erasure, Ledger
from packyak.engine.privacy.marks import marks_of
from packyak.engine.privacy.remains import Remains, remains_of, strike_out
from packyak.engine.privacy.subject import Subject, subject_of
from packyak.engine.privacy.unlearn import models_taught_by, texts_in_use, unlearn
from packyak.engine.run.due.gate import close_gate
from packyak.engine.run.launch import LOCK, publish
from packyak.engine.run.maps import FOLDER as MAPS
from packyak.engine.run.runs import new_id, now
from packyak.engine.run.scope import Scope
from packyak.engine.store.corrections import Correction
from packyak.engine.store.lease import Lease
from packyak.engine.store.purge import purge
from packyak.engine.store.vectors import SearchTable

if TYPE_CHECKING:
    from packyak.engine.project import Project

_IN_THE_CLOUD = (
    "A bucket that keeps versions has the erased objects until its lifecycle lets them go; so has a copy of it."
)


@dataclass(frozen=True)
class Plan:
    """What is to be erased, of whom, and how it would be recognised."""

    subject: Subject
    said: tuple[Correction, ...]
    marks: tuple[str, ...]
    erasure: Erasure


def find(project: Project, asset: str, keys: Sequence[str]) -> Plan:
    """What forgetting these records would erase. Nothing is changed."""
    scope = project.scope()
    ledger = Ledger(project.home)
    earlier = ledger.all()
    known = [key for key in keys if _of_the_same(earlier, ledger.hashes([key]))] if earlier else ()
    subject = subject_of(scope, project.published, asset, keys, known)
    said = _said_of(scope, subject)
    marks = marks_of(scope, subject, said)
    before = remains_of(project.home, marks).found
    hashes = ledger.hashes(subject.keys)
    ids = {each.id for each in said} | {each for one in _of_the_same(earlier, hashes) for each in one.corrections}
    erasure = Erasure(
        "",
        subject.asset,
        hashes,
        records={name: len(members) for name, members in subject.members.items() if members},
        corrections=tuple(sorted(ids)),
        models=models_taught_by(scope, ids, before),
        marks=len(marks),
        before=before,
    )
    return Plan(subject, said, marks, erasure)


def forget(project: Project, asset: str, keys: Sequence[str], *, by: str, why: str) -> Erasure:
    """Erases them. Raises RunBusy while a run is under way, DataError where they are not gone from the sources yet."""
    project.home.require_writable()
    lease = Lease(project.home, LOCK, {"doing": "erasing"}, float(project.settings["lock_ttl_seconds"]))
    with lease:
        plan = find(project, asset, keys)
        ledger = Ledger(project.home)
        erasure = replace(plan.erasure, id=new_id(), by=by, why=why, began=now())
        ledger.write(erasure)
        close_gate(project.home)
        scope = _without_what_was_said(project, erasure)
        relearned = unlearn(scope, erasure.models, by)
        vectors = _drop_vectors(scope, plan.subject)
        lease.check()
        versions = _purge(project, scope, plan.subject)
        left = _strike_out(project, plan.marks)
        done = replace(
            erasure, ended=now(), relearned=relearned, versions=versions, vectors=vectors, left=left.found,
            files=left.files, bytes=left.bytes, note="" if project.home.local else _IN_THE_CLOUD,
        )  # fmt: skip
        ledger.write(done)
        for each in _of_the_same((each for each in ledger.all() if not each.ended), done.keys):
            ledger.write(replace(each, ended=done.ended, note=f"ended by {done.id}"))
        return done


def _strike_out(project: Project, marks: Sequence[str]) -> Remains:
    """What the home still has of the marks once they are struck out of its notes."""
    found = remains_of(project.home, marks)
    if not found.found:
        return found
    strike_out(project.home, marks, list(found.found))
    if HISTORY in found.found:
        strike_out_of_history(project.home, marks)
    return replace(found, found=remains_of(project.home, marks, found.found).found)


def erasures(project: Project) -> tuple[Erasure, ...]:
    """What was erased, newest first; `back` says how many of the records the project has again."""
    ledger, scope = Ledger(project.home), project.scope()
    there: dict[str, frozenset[str]] = {}
    for each in ledger.all():
        if each.asset not in there:
            node = scope.graph.nodes.get(each.asset)
            table = scope.table(each.asset)
            keys = table.keys().to_pylist() if isinstance(node, TableNode) and table.exists() else []
            there[each.asset] = frozenset(ledger.hashes(keys))
    return tuple(replace(each, back=len(there[each.asset] & set(each.keys))) for each in ledger.all())


def _said_of(scope: Scope, subject: Subject) -> tuple[Correction, ...]:
    return tuple(each for each in scope.said if each.key in subject.members.get(each.asset, ()))


def _of_the_same(erasures: Iterable[Erasure], hashes: Collection[str]) -> list[Erasure]:
    """Those that were of one of these records."""
    return [each for each in erasures if set(hashes) & set(each.keys)]


def _without_what_was_said(project: Project, erasure: Erasure) -> Scope:
    """Takes the corrections out of the log. They are of records that are gone, so no asset is another for it."""
    before = project.scope()
    was = {name: before.corrections_digest(name) for name in before.candidates}
    project.log.erase(erasure.corrections)
    scope = project.scope()
    for name, settled in list(scope.candidates.items()):
        if name in scope.graph.nodes and settled.applied == was[name] != (now_said := scope.corrections_digest(name)):
            scope.settle(name, replace(settled, applied=now_said))
    return scope


def _drop_vectors(scope: Scope, subject: Subject) -> int:
    """Takes away the vectors of texts that nothing has any more, and every map that places them."""
    indexes = [name for name in subject.below if isinstance(scope.graph[name], IndexNode)]
    for file in scope.home.names(MAPS):
        if file.rpartition("-")[0] in indexes:
            scope.home.remove(f"{MAPS}/{file}")
    if not scope.home.names("vectors/texts.lance/_versions"):
        return 0  # without the part "learn" there are none
    from packyak.engine.learn.text_vectors import text_vectors

    kept = text_vectors(scope.home)
    gone = kept.keep_only(texts_in_use(scope))
    purge(kept.table)
    return gone


def _purge(project: Project, scope: Scope, subject: Subject) -> int:
    """Leaves one version of everything that was computed from the records; answers how many others went."""
    removed = 0
    for name in reversed(subject.below):  # the records' own asset last: cut short, it still tells whose they were
        node = scope.graph[name]
        if isinstance(node, IndexNode):
            index = SearchTable(scope.home, name).purge()
            removed += index.removed if index else 0
        settled = scope.candidates.get(name)
        if not isinstance(node, TableNode) or settled is None:
            continue
        table, memo = purge(scope.table(name)), purge(scope.memo(name))
        removed += sum(each.removed for each in (table, memo) if each)
        scope.settle(
            name,
            replace(settled, table=table.version if table else settled.table, memo=memo.version if memo else None),
        )
    publish(project, scope, new_id())
    project.published.prune(1)
    return removed
