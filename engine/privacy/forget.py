"""Erases records for good: from every earlier version, from what people said, from models, vectors and notes.

    find whom it is about -> write the ledger -> corrections -> models -> vectors -> tables -> notes -> look again

Each step can be done again: after a crash the same call goes on, with what the ledger had noted. The last step proves
the others: the rows themselves, and the values that only these records had, are looked for in every file of the home.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa
from packyak.engine.declare.nodes import IndexNode, TableNode, TransformNode
from packyak.engine.privacy.history import FILE as HISTORY
from packyak.engine.privacy.history import strike_out_of_history
from packyak.engine.privacy.ledger import Erasure, Ledger
from packyak.engine.privacy.marks import marks_of
from packyak.engine.privacy.remains import Remains, remains_of, strike_out, struck
from packyak.engine.privacy.seeker import Seeker, forms_of
from packyak.engine.privacy.subject import Subject, subject_of, there_now, versions_of
from packyak.engine.privacy.unlearn import models_taught_by, texts_in_use, unlearn
from packyak.engine.run.due.gate import close_gate
from packyak.engine.run.launch import LOCK, publish
from packyak.engine.run.maps import FOLDER as MAPS
from packyak.engine.run.read.view import KEY
from packyak.engine.run.runs import new_id, now
from packyak.engine.run.scope import Scope
from packyak.engine.store.corrections import Correction
from packyak.engine.store.lease import Lease
from packyak.engine.store.purge import purge, remove, rewrite
from packyak.engine.store.vectors import SearchTable

if TYPE_CHECKING:
    from packyak.engine.project import Project

IN_THE_CLOUD = (
    "A bucket that keeps versions has the erased objects until its lifecycle lets them go; so has a copy of it."
)
_TABLES = ("tables/", "memo/", "indexes/")


@dataclass(frozen=True)
class Plan:
    """What is to be erased, of whom, and how it would be recognised: by marks, and by the keys of rows by folder."""

    subject: Subject
    said: tuple[Correction, ...]
    marks: tuple[str, ...]
    rows: dict[str, frozenset[str]]
    erasure: Erasure


def find(project: Project, asset: str, keys: Sequence[str]) -> Plan:
    """What forgetting these records would erase. Nothing is changed."""
    scope = project.scope()
    ledger = Ledger(project.home)
    earlier = ledger.all()
    known = [key for key in keys if _of_the_same(earlier, ledger.hashes([key]))] if earlier else ()
    subject = subject_of(scope, project.published, asset, keys, known)
    people = {project.person, *(each.by for each in earlier), *(each.by for each in project.run_store.list(50))}
    hashes = ledger.hashes(subject.keys)
    said, found = _said_of(scope, subject, people)
    marks = tuple(dict.fromkeys([*found, *(mark for more in ledger.remembered(hashes).values() for mark in more)]))
    rows = _rows_of(scope, subject)
    before = remains_of(project.home, marks, rows=rows).found
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
    return Plan(subject, said, marks, rows, erasure)


def forget(project: Project, asset: str, keys: Sequence[str], *, by: str, why: str) -> Erasure:
    """Erases them. Raises RunBusy while a run is under way, DataError where they are not gone from the sources yet."""
    project.home.require_writable()
    lease = Lease(project.home, LOCK, {"doing": "erasing"}, float(project.settings["lock_ttl_seconds"]))
    with lease:
        plan = find(project, asset, keys)
        ledger = Ledger(project.home)
        erasure = replace(plan.erasure, id=new_id(), by=by, why=_without(why, plan), began=now())
        ledger.write(_noted(erasure, plan))
        ledger.remember(erasure, plan.marks)
        close_gate(project.home)
        project.home.sweep()
        scope = _without_what_was_said(project, erasure)
        relearned = unlearn(scope, erasure.models, by)
        vectors = drop_vectors(scope, plan.subject.below)
        lease.check()
        versions = _purge(project, scope, plan.subject)
        left = _strike_out(project, plan)
        late = unlearn(scope, models_taught_by(scope, erasure.corrections), by)  # of who was learning meanwhile
        done = replace(
            erasure, ended=now(), relearned=tuple(dict.fromkeys([*relearned, *late])), versions=versions,
            vectors=vectors, left=left.found, files=left.files, bytes=left.bytes,
            note=_note(project, left), next_step=_advice(scope, plan.subject, left.found),
        )  # fmt: skip
        ledger.write(_noted(done, plan))
        _end_earlier(ledger, done, _noted(done, plan).left)
        return done


def _note(project: Project, left: Remains) -> str:
    unread = f"Only the bytes of {', '.join(left.unread[:3])} could be read, not the records." if left.unread else ""
    return " ".join(filter(None, ["" if project.home.local else IN_THE_CLOUD, unread]))


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


def _without(why: str, plan: Plan) -> str:
    """A reason that does not say whom it is about: the ledger outlives the record."""
    forms = [form for mark in (*plan.marks, *plan.subject.keys) for form in forms_of(mark)]
    return struck(why.encode(errors="replace"), sorted(forms, key=len, reverse=True)).decode(errors="replace")


def _noted(erasure: Erasure, plan: Plan) -> Erasure:
    """As the ledger keeps it: a file may be named after somebody."""
    before, left = (
        {_without(name, plan): many for name, many in each.items()} for each in (erasure.before, erasure.left)
    )
    return replace(erasure, before=before, left=left, next_step="")


def _end_earlier(ledger: Ledger, done: Erasure, left: Mapping[str, int]) -> None:
    """What was cut short, or left something, stands now as this one does."""
    for each in _of_the_same(ledger.all(), done.keys):
        if each.id != done.id and (not each.ended or each.left):
            ledger.write(replace(each, ended=each.ended or done.ended, left=left, note=f"ended by {done.id}"))
    ledger.let_go(each for each in ledger.remembered(done.keys) if each != done.id or not left)


def _strike_out(project: Project, plan: Plan) -> Remains:
    """What the home still has of the records once they are struck out of its notes."""
    found = remains_of(project.home, plan.marks, rows=plan.rows)
    if not found.found:
        return found
    strike_out(project.home, plan.marks, list(found.found))
    if any(name.startswith(HISTORY) for name in found.found):
        strike_out_of_history(project.home, plan.marks)
    return replace(found, found=remains_of(project.home, plan.marks, found.found, plan.rows).found)


def _advice(scope: Scope, subject: Subject, left: Collection[str]) -> str:
    """What a person can do about what is left."""
    if any(name.startswith("buckets/") for name in left):
        return "take it out of the files in the buckets as well, then ask again"
    tables = {name.split("/")[1].removesuffix(".lance") for name in left if name.startswith(_TABLES)}
    if strange := sorted(tables - scope.graph.nodes.keys()):
        return f"`packyak forget {strange[0]}`, which the code no longer declares, then ask again"
    if other := sorted(tables - set(subject.below) - {"texts"}):
        return f"{other[0]} has it in a record of its own: forget that one too"
    return "`packyak stop`, then ask again; what another program holds open can be removed by hand" if left else ""


def _said_of(scope: Scope, subject: Subject, people: Iterable[str]) -> tuple[tuple[Correction, ...], tuple[str, ...]]:
    """What people said of the records, and of what was made of them and is gone too, such as a group that only they
    were in; with the marks of all of it."""
    said = tuple(each for each in scope.said if each.key in subject.members.get(each.asset, ()))
    marks = marks_of(scope, subject, said, people)
    seeker, mine = Seeker(marks), {each.id for each in said}
    below = [each for each in scope.said if each.asset in subject.below and each.id not in mine]
    his = {
        name: _had(scope, name, {each.key for each in below if each.asset == name}, seeker) for name in subject.below
    }
    more = tuple(each for each in below if each.key in his[each.asset])
    more += tuple(each for each in below if each not in more and seeker.within(_words(each)) and _is_gone(scope, each))
    if more:
        nobody = replace(subject, members={})
        marks = tuple(dict.fromkeys([*marks, *marks_of(scope, nobody, more, people)]))
    return said + more, marks


def _words(said: Correction) -> bytes:
    return json.dumps([said.key, said.value, said.computed, said.seen, said.why], ensure_ascii=False).encode()


def _is_gone(scope: Scope, said: Correction) -> bool:
    return not there_now(scope.table(scope.graph.root(said.asset).name), [said.key])


def _had(scope: Scope, asset: str, keys: Collection[str], seeker: Seeker) -> set[str]:
    """Those of the keys that are gone and whose record had one of the marks."""
    if not keys:
        return set()
    table = scope.table(scope.graph.root(asset).name)
    gone = frozenset(keys) - there_now(table, keys)
    return {
        str(row[KEY][0])
        for part in versions_of(table, gone)
        for row in (batch.slice(place, 1) for batch in part.to_batches() for place in range(batch.num_rows))
        if seeker.among(pa.RecordBatch.from_pylist(row.to_pylist(), row.schema))
    }


def _rows_of(scope: Scope, subject: Subject) -> dict[str, frozenset[str]]:
    """Keys by the folder of every table that had rows of these records."""
    found: dict[str, frozenset[str]] = {}
    for name in subject.below:
        node = scope.graph[name]
        if isinstance(node, IndexNode):
            found[f"indexes/{name}.lance/"] = subject.members.get(node.source, frozenset())
            continue
        keys = subject.members.get(name, frozenset())
        parents = subject.members.get(node.source, frozenset()) if isinstance(node, TransformNode) else frozenset()
        if isinstance(node, TransformNode):
            found[f"tables/{name}.lance/"] = keys
            found[f"memo/{name}.lance/"] = parents if node.many else keys
        elif keys:
            found[f"tables/{name}.lance/"] = keys
    return {folder: keys for folder, keys in found.items() if keys}


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


def drop_vectors(scope: Scope, below: Iterable[str]) -> int:
    """Takes away the vectors of texts that nothing has any more, and every map that places them."""
    for file in scope.home.names(MAPS):
        if file.rpartition("-")[0] in below:
            scope.home.remove(f"{MAPS}/{file}")
    if not scope.home.names("vectors/texts.lance/_versions"):
        return 0  # without the part "learn" there are none
    from packyak.engine.learn.text_vectors import text_vectors

    kept = text_vectors(scope.home)
    gone = kept.keep_only(texts_in_use(scope))
    purge(kept.table)
    return gone


def _purge(project: Project, scope: Scope, subject: Subject) -> int:
    """Leaves one version of everything that was computed from the records; answers how many others went. The ones that
    stay are published before the others go: whoever reads meanwhile finds what they look for."""
    removed = 0
    below = tuple(reversed(subject.below))  # the records' own asset last: cut short, it still tells whose they were
    stored = [name for name in below if isinstance(scope.graph[name], TableNode) and name in scope.candidates]
    for name in stored:
        table, memo = rewrite(scope.table(name)), rewrite(scope.memo(name))
        removed += sum(each.removed for each in (table, memo) if each)
        settled = scope.candidates[name]
        version = table.version if table else settled.table
        scope.settle(name, replace(settled, table=version, memo=memo.version if memo else None))
    publish(project, scope, new_id())
    project.published.forget(stored)
    for name in below:
        if isinstance(scope.graph[name], IndexNode):
            index = SearchTable(scope.home, name).purge()
            removed += index.removed if index else 0
    for name in stored:
        purge(scope.table(name))
        purge(scope.memo(name))
    for name in below:  # what a first write that was cut short left, in a table that was never one
        for folder in _TABLES:
            place = f"{folder}{name}.lance"
            if not scope.home.names(f"{place}/_versions"):
                remove(scope.home, place)
    return removed
