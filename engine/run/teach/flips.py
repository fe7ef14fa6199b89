"""What another model would change, before it does: the records whose value would flip, and what people said otherwise.

The candidate answers every record as a run would, corrections are laid over its answers, and the outcome is compared
with what is stored: the same comparison that the run makes when it writes, so what is counted here is what changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from packyak.engine.declare.nodes import LearnedNode
from packyak.engine.run.compute.apply import Tick
from packyak.engine.run.compute.learned import by_model, by_rule
from packyak.engine.run.compute.rows import one_each
from packyak.engine.run.due.work import record_inputs
from packyak.engine.run.lessons import Flip, Flips, Group
from packyak.engine.run.read.view import KEY, quoted
from packyak.engine.run.scope import Scope
from packyak.engine.store.corrections import decode

SLICE = 20_000
MOST_SLICES = 50


def flips(scope: Scope, node: LearnedNode, model: str, limit: int = 50, tick: Tick = lambda done: None) -> Flips:
    """What the asset would become with a model (`RULE`: with the first rule only)."""
    work = record_inputs(scope, node)
    overrides = scope.overrides(node.name, conditional=False)
    stored = scope.table(node.name)
    now = stored.read() if stored.exists() else None
    changed = contradicted = 0
    groups: Counter[tuple[str, Any, Any]] = Counter()
    contradictions: list[Flip] = []
    examples: list[Flip] = []
    done = 0
    for part in _slices(work):
        keys = part[KEY].to_pylist()
        decided = by_model(scope, node, model, part, tick) if model else by_rule(node, part, tick)
        rows = one_each(node, keys, decided.values)
        errors = decided.errors | rows.errors
        fine = rows.table.take(pa.array([at for at in range(len(keys)) if at not in errors], pa.int64()))
        effective, beneath, _ = overrides.apply(fine)
        found = _contradictions(scope, node, beneath)
        contradicted += len(found)
        contradictions += found[: max(limit - len(contradictions), 0)]
        differing = _differing(scope, node, effective, now)
        changed += len({flip.key for flip in differing})
        groups.update((flip.column, flip.before, flip.after) for flip in differing)
        examples += differing[: max(limit - len(examples), 0)]
        done += len(keys)
        tick(done)
    ranked = sorted(groups.items(), key=lambda one: (-one[1], repr(one[0])))[:MOST_SLICES]
    return Flips(
        node.name, model, work.num_rows, changed, contradicted, tuple(contradictions),
        tuple(Group(*what, count) for what, count in ranked), tuple(examples),
    )  # fmt: skip


def _slices(work: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, work.num_rows, SLICE):
        yield work.slice(start, SLICE)


def _differing(scope: Scope, node: LearnedNode, rows: pa.Table, now: pa.Table | None) -> list[Flip]:
    """The fields of these rows that differ from what is stored; all of them where nothing is."""
    names = [column.name for column in node.columns or () if now is None or column.name in now.column_names]
    if now is None:
        now = rows.slice(0, 0)
    found: list[Flip] = []
    for name in names:
        column = quoted(name)
        sql = (
            f"select n.{KEY}, o.{column} as before, n.{column} as after from n left join o on o.{KEY} = n.{KEY} "
            f"where o.{KEY} is null or n.{column} is distinct from o.{column} order by 1"
        )
        told = scope.query.run(sql, {"n": rows, "o": now}).to_pylist()
        found += [Flip(row[KEY], name, row["before"], row["after"]) for row in told]
    return found


def _contradictions(scope: Scope, node: LearnedNode, beneath: dict[str, dict[str, Any]]) -> list[Flip]:
    """Fields that people decided and the model answers otherwise. Their word holds; the model did not learn it."""
    types = {column.name: column.type for column in node.columns or ()}
    found = []
    for key in sorted(beneath):
        for column, answer in beneath[key].items():
            correction = scope.in_force.get((node.name, key, column))
            said = decode(correction.value, types[column]) if correction and column in types else answer
            if said != answer:
                found.append(Flip(key, column, said, answer, said))
    return found
