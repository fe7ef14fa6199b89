"""How two versions of an asset differ, record by record and field by field, and why.

The reason is told from what both versions remember of each record: the correction in force, the code and model that
computed it, the inputs that it was computed from. A record may have changed for several reasons at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from packyak.engine.run.answers import Change, Diff, FieldChange
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.read.view import KEY, quoted
from packyak.engine.run.trace.ground import Ground, ground_of, wanted
from packyak.engine.run.trace.moments import moment_of
from packyak.engine.run.trace.reasons import Reasons
from packyak.engine.store.published import AssetVersion

ASKED = 50_000  # records up to which all are asked why, not only those shown


@dataclass
class Comparison:
    """Two versions of one asset, each on the ground that it was published with."""

    asset: str
    old: AssetVersion
    new: AssetVersion
    before: Ground
    after: Ground
    _tables: dict[str, Any] = field(default_factory=dict)

    def diff(self, limit: int) -> Diff:
        """Counts, causes of all, and up to `limit` of the records."""
        opened = self.before.reader.opened
        self._tables = {"a": opened(self.asset, self.old), "b": opened(self.asset, self.new)}
        keys = self._keys()
        kinds = Counter(keys["kind"].to_pylist())
        asked = keys if keys.num_rows <= ASKED else keys.slice(0, limit)
        changes = self._changes(asked)
        shown = changes[:limit]
        counts: Counter[str] = Counter()
        for change in changes:
            causes = [*change.causes, *(cause for each in change.fields for cause in each.causes)]
            counts.update({cause.category for cause in causes})
        return Diff(
            self.asset, self.old.version, self.new.version, kinds["added"], kinds["removed"], kinds["changed"],
            tuple(shown), dict(counts.most_common()),
        )  # fmt: skip

    def _columns(self, name: str) -> list[str]:
        return [f.name for f in self._tables[name].schema if not f.name.startswith("_")]

    def _keys(self) -> pa.Table:
        """The keys that differ, with how: added, removed or changed; columns that only one version has count."""
        there = set(self._columns("b"))
        shared = [name for name in self._columns("a") if name in there]
        lost = [f"a.{quoted(name)} is not null" for name in self._columns("a") if name not in there]
        gained = [f"b.{quoted(name)} is not null" for name in self._columns("b") if name not in self._columns("a")]
        terms = [f"a.{quoted(name)} is distinct from b.{quoted(name)}" for name in shared] + lost + gained
        return self.before.scope.query.run(
            f"select coalesce(a.{KEY}, b.{KEY}) as {KEY}, "
            f"case when a.{KEY} is null then 'added' when b.{KEY} is null then 'removed' else 'changed' end as kind "
            f"from a full join b on a.{KEY} = b.{KEY} "
            f"where a.{KEY} is null or b.{KEY} is null or {' or '.join(terms) or 'false'} order by 1",
            self._tables,
        )

    def _changes(self, keys: pa.Table) -> list[Change]:
        names = keys[KEY].to_pylist()
        if not names:
            return []
        before, after = self._rows("a", names), self._rows("b", names)
        reasons = Reasons(self.asset, self.old, self.new, self.before, self.after)
        reasons.look(names)
        return [self._change(reasons, key, before.get(key), after.get(key)) for key in names]

    def _change(
        self, reasons: Reasons, key: str, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> Change:
        if before is None or after is None:
            causes = reasons.of_added(key) if before is None else reasons.of_removed(key)
            return Change(key, before, after, causes)
        names = dict.fromkeys([*before, *after])
        fields = tuple(
            FieldChange(name, before.get(name), after.get(name), reasons.of_field(key, name))
            for name in names
            if before.get(name) != after.get(name)
        )
        return Change(key, before, after, (), fields)

    def _rows(self, name: str, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        condition, tables = wanted(KEY, keys)
        sql = f"select v.* from {name} as v{condition}"
        found = self.before.scope.query.run(sql, {name: self._tables[name], **tables})
        return {row[KEY]: {n: v for n, v in row.items() if not n.startswith("_")} for row in found.to_pylist()}


def compare(reader: Reader, asset: str, a: str, b: str, limit: int) -> Diff:
    """How an asset's own records differ between two moments (versions, runs, times)."""
    reader.asset(asset)
    vectors = [moment_of(reader.published, reader.scope, each, asset) for each in (a, b)]
    before, after = (ground_of(reader, vector.assets) for vector in vectors)
    old, new = (vector.assets[asset] for vector in vectors)
    return Comparison(asset, old, new, before, after).diff(limit)


def words_of(causes: Mapping[str, int]) -> str:
    """Causes with their counts in one line."""
    return ", ".join(f"{count:,} {category}" for category, count in causes.items())
