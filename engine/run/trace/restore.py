"""Makes an earlier version of an asset the good one again: as a new version, told as such, under the run lock.

What comes back is what was computed then, with the memo of how; a person's corrections are not part of it, they hold
whatever the version, and so do those made since. The restored records count as computed from what they were computed
from: where inputs or code are others now, the asset is stale, says so, and the next run computes it again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import TableNode
from packyak.engine.errors import DataError
from packyak.engine.run.progress import Progress
from packyak.engine.run.read.view import KEY
from packyak.engine.run.runs import RunRecord, now
from packyak.engine.run.scope import Scope, Settled
from packyak.engine.run.tell import Teller
from packyak.engine.run.trace.makers import maker_of
from packyak.engine.run.trace.moments import moment_of
from packyak.engine.run.update import Result
from packyak.engine.store.lease import Lease
from packyak.engine.store.published import AssetVersion, Vector
from packyak.engine.store.tables import Table

if TYPE_CHECKING:
    from packyak.engine.project import Project

LOCK = "run"


def restore(project: Project, asset: str, moment: str, *, by: str, why: str = "") -> RunRecord:
    """Brings an asset's own records back as they were at a version, run or time. Raises RunBusy while a run is on."""
    project.home.require_writable()
    lease = Lease(project.home, LOCK, {"doing": "a restore"}, ttl=float(project.settings["lock_ttl_seconds"]))
    lease.acquire(0.0)
    try:
        return _restored(project, asset, moment, by, why)
    finally:
        lease.release()


def _restored(project: Project, asset: str, moment: str, by: str, why: str) -> RunRecord:
    reader = project._reader()
    node = reader.asset(asset)
    vector = moment_of(project.published, reader.scope, moment, asset)
    then, present = vector.assets[asset], project.published.load()
    data, memo = reader.opened(asset, then), reader.opened(asset, then, memo=True)
    if asset in present.assets and present.assets[asset].version == then.version:
        raise DataError(
            f"{asset} is at version {then.version} already", next_step=f"`packyak history {asset}` lists the others"
        )
    progress = Progress(project.run_store, project.run_store.start([asset], by))
    progress.note(f"{by} restored {asset} to version {then.version}{f': {why}' if why else ''}")
    progress.running([asset])
    progress.asset_started(asset)
    scope = reader.scope
    scope.run = progress.run_id
    teller = Teller(scope, progress.run_id, project.name, progress.record.started)
    teller.happened("START", asset, Result(asset))
    try:
        settled = _write(scope, node, then, data, memo, progress.run_id)
        told = {"version": then.version, "by": by, "why": why, "at": now()}
        _publish(project, asset, then, settled, told, present)
    except BaseException as error:
        progress.finished("failed", str(error))
        teller.finish("failed", str(error))
        raise
    teller.happened("COMPLETE", asset, Result(asset, settled=settled))
    teller.finish()
    progress.asset_finished(asset, changed=settled.computed)
    return progress.finished("done")


def _write(scope: Scope, node: TableNode, then: AssetVersion, data: Any, memo: Any, run: str) -> Settled:
    """Writes records and memo as new table versions, and notes the asset as the run of then left it."""
    name = node.name
    changed = _put_back(scope.table(name), data.to_table())
    if memo is not None:
        scope.memo(name).replace(memo.to_table(), unique=True)
    before = scope.candidates.get(name) or Settled(0, None, "", "0", 0, "")
    facts = then.facts
    settled = replace(
        before,
        table=scope.table(name).version() or 0,
        memo=scope.memo(name).version(),
        version=then.version,
        total=then.total,
        rows=then.rows,
        fingerprint=str(facts.get("fingerprint", "")),
        parts=_parts(scope, then),
        inputs=dict(facts.get("inputs", {})),
        consumed={},  # the change feed starts anew: every record is looked at once
        applied=str(facts.get("applied", "")),
        state="ok",
        message="",
        run=run,
        at=now(),
        computed=changed,
    )
    scope.settle(name, settled)
    return settled


def _parts(scope: Scope, then: AssetVersion) -> dict[str, str]:
    """What computed the version, part by part, so that what is different now can be named."""
    maker = maker_of(scope.home, str(then.facts.get("fingerprint", "")))
    known = {} if maker is None else {"code": maker.code, "declared": maker.declared, "libraries": maker.libraries}
    model = maker.model if maker is not None else ""
    return known | {"model": model, "threshold": str(then.facts.get("threshold", ""))}


def _put_back(table: Table, data: pa.Table) -> int:
    """Makes the table hold these records; equal ones are left alone. Answers how many were written or removed."""
    stored = table.read()
    if stored.schema.names != data.schema.names or any(
        stored.schema.field(name).type != data.schema.field(name).type for name in data.schema.names
    ):
        table.replace(data, unique=True)
        return int(data.num_rows)
    gone = stored[KEY].filter(pc.invert(pc.is_in(stored[KEY], data[KEY].combine_chunks())))
    removed = table.delete(gone) if len(gone) else 0
    done = table.upsert(data)
    return removed + done.inserted + done.updated


def _publish(
    project: Project, asset: str, then: AssetVersion, settled: Settled, told: dict[str, str], present: Vector
) -> None:
    facts = {**then.facts, "consumed": {}, "restored": told}
    good = replace(then, table=settled.table, memo=settled.memo, run=settled.run, at=settled.at, facts=facts)
    assets = {**present.assets, asset: good}
    project.published.publish(Vector(present.seq, settled.run, now(), assets))
