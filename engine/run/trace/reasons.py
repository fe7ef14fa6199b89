"""Why a record of one version differs from the same record of another: correction, model, code, settings or input."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from packyak.engine.declare.nodes import FilesNode, TableNode, TransformNode
from packyak.engine.run.answers import Cause
from packyak.engine.run.due.work import read_columns
from packyak.engine.run.trace.applied import in_force_at
from packyak.engine.run.trace.ground import Ground, own_rows
from packyak.engine.run.trace.hops import edges_at
from packyak.engine.run.trace.makers import Maker, maker_of
from packyak.engine.store.corrections import Correction
from packyak.engine.store.published import AssetVersion

WHOLE = ""
Notes = dict[str, dict[str, Any]]


@dataclass
class Reasons:
    """Compares what two versions of an asset remember of their records."""

    asset: str
    old: AssetVersion
    new: AssetVersion
    before: Ground
    after: Ground
    _units: tuple[dict[str, str], dict[str, str]] = field(default_factory=lambda: ({}, {}))
    _notes: tuple[Notes, Notes] = field(default_factory=lambda: ({}, {}))
    _inputs: tuple[Notes, Notes] = field(default_factory=lambda: ({}, {}))

    def look(self, keys: Collection[str]) -> None:
        """Reads what is remembered of these records, together."""
        grounds = (self.before, self.after)
        units = tuple(self._units_of(ground, keys) for ground in grounds)
        every = set(units[0].values()) | set(units[1].values())
        notes = tuple(ground.notes_of(self.asset, every) for ground in grounds)
        self._units = (units[0], units[1])
        self._notes = (notes[0], notes[1])
        if isinstance(self.node, TransformNode) and not isinstance(self.node_above, FilesNode):
            read = [self._inputs_of(ground, every) for ground in grounds]
            self._inputs = (read[0], read[1])

    @property
    def node(self) -> TableNode:
        return self.before.reader.asset(self.asset)

    @property
    def node_above(self) -> Any:
        return self.before.graph[self.node.source] if isinstance(self.node, TransformNode) else None

    def of_field(self, key: str, column: str) -> tuple[Cause, ...]:
        """Why one field changed."""
        said = self._said(key, column)
        if said is not None:
            return (said,)
        return self._restored + self._computed(key) or (Cause("input", "it was computed anew"),)

    def of_added(self, key: str) -> tuple[Cause, ...]:
        """Why a record is there that was not."""
        unit = self._units[1].get(key, key)
        if unit in self._notes[0] and self._computed(key):
            return self._restored + self._computed(key)
        return (*self._restored, Cause("input", f"new in {self._source(unit)}"))

    def of_removed(self, key: str) -> tuple[Cause, ...]:
        """Why a record is gone that was there."""
        unit = self._units[0].get(key, key)
        if unit in self._notes[1] and self._computed(key):
            return self._restored + self._computed(key)
        what = f"{unit} is gone from" if isinstance(self.node_above, FilesNode) else "gone from"
        return (*self._restored, Cause("deleted", f"{what} {self._inputs_name}"))

    @cached_property
    def _restored(self) -> tuple[Cause, ...]:
        told = self.new.facts.get("restored")
        if not told or told == self.old.facts.get("restored"):
            return ()
        why = f": {told['why']}" if told.get("why") else ""
        return (Cause("restored", f"{told.get('by') or 'somebody'} restored version {told.get('version', '')}{why}"),)

    @cached_property
    def _in_force(self) -> tuple[Mapping[tuple[str, str], Correction], Mapping[tuple[str, str], Correction]]:
        scope = self.before.scope
        found = [
            in_force_at(scope, self.asset, each.facts.get("applied", ""), each.at) for each in (self.old, self.new)
        ]
        return found[0], found[1]

    def _said(self, key: str, column: str) -> Cause | None:
        old, new = (found.get((key, column)) for found in self._in_force)
        if (old.id if old else None) == (new.id if new else None):
            return None
        if new is not None:
            return Cause(
                "correction", f"{new.by or 'somebody'} corrected it{f': {new.why}' if new.why else ''}", 1, new.id
            )
        assert old is not None
        return Cause("correction", f"the correction by {old.by or 'somebody'} no longer holds", 1, old.id)

    def _computed(self, key: str) -> tuple[Cause, ...]:
        """What is different behind what was computed."""
        before = self._notes[0].get(self._units[0].get(key, self._units[1].get(key, key)), {})
        after = self._notes[1].get(self._units[1].get(key, self._units[0].get(key, key)), {})
        causes = list(self._of_makers(str(before.get("code") or ""), str(after.get("code") or "")))
        old, new = (each.facts.get("threshold", "") for each in (self.old, self.new))
        if old != new:
            causes.append(Cause("settings", f"its threshold {old or 'none'} -> {new or 'none'}"))
        if isinstance(self.node, TransformNode):
            parted = self._units[0].get(key) != self._units[1].get(key) and key in self._units[0]
            if parted and key in self._units[1]:
                causes.append(Cause("input", f"it comes from {self._units[1][key]}, before from {self._units[0][key]}"))
            elif before.get("inputs") != after.get("inputs"):
                causes.append(Cause("input", self._changed_inputs(self._units[1].get(key, key))))
        else:
            changed = self._changed_assets()
            causes += [Cause("input", f"{', '.join(changed)} changed")] if changed else []
        return tuple(causes)

    def _of_makers(self, old: str, new: str) -> tuple[Cause, ...]:
        if old == new or not old or not new:
            return ()
        home = self.before.scope.home
        before, after = maker_of(home, old), maker_of(home, new)
        if before is None or after is None:
            return (Cause("code", "its code changed"),)
        return tuple(_differences(before, after))

    def _changed_inputs(self, unit: str) -> str:
        if isinstance(self.node_above, FilesNode):
            return f"the file {unit} changed"
        old, new = (rows.get(unit, {}) for rows in self._inputs)
        changed = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
        return f"{', '.join(changed)} changed" if changed else "what it looks up changed"

    def _changed_assets(self) -> list[str]:
        """The assets with another version whose columns the asset uses, or whose records it counts."""
        old, new = self.old.facts.get("inputs", {}), self.new.facts.get("inputs", {})
        changed = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
        return [name for name in changed if name in self._used] or changed

    @cached_property
    def _used(self) -> set[str]:
        edges = edges_at(self.after, self.node)
        sources = [*edges.influences, *(source for found in edges.columns.values() for source in found)]
        roots = {self.after.graph.root(name).name for name in self.node.inputs if self.after.graph.chain(name)}
        return {source.asset for source in sources} | roots

    @property
    def _inputs_name(self) -> str:
        return self.node.source if isinstance(self.node, TransformNode) else ", ".join(self.node.inputs)

    def _source(self, unit: str) -> str:
        return unit if isinstance(self.node_above, FilesNode) else self._inputs_name

    def _units_of(self, ground: Ground, keys: Collection[str]) -> dict[str, str]:
        if not isinstance(self.node, TransformNode):
            return dict.fromkeys(keys, WHOLE)
        return ground.parents(self.asset, keys) if self.node.many else {key: key for key in keys}

    def _inputs_of(self, ground: Ground, units: Collection[str]) -> Notes:
        """The values that a transform read, by unit."""
        node = self.node
        assert isinstance(node, TransformNode)
        snapshot = ground.behind(self.asset)
        owners = snapshot.owners(node.source)
        found: Notes = {unit: {} for unit in units}
        for owner in dict.fromkeys(owners[name] for name in read_columns(ground.scope, node) if name in owners):
            read = {name for name in read_columns(ground.scope, node) if owners.get(name) == owner}
            for key, row in own_rows(ground, snapshot, owner, list(units)).items():
                found[key] |= {name: value for name, value in row.items() if name in read}
        return found


def _differences(before: Maker, after: Maker) -> list[Cause]:
    """What is different between two makers of the same asset."""
    causes = []
    if before.model != after.model:
        causes.append(Cause("model", f"model {before.model or 'none'} -> {after.model or 'none'}"))
    if before.code != after.code:
        causes.append(Cause("code", f"its code changed ({after.place})"))
    if before.libraries != after.libraries:
        causes.append(Cause("code", "a library that it imports has another version"))
    if before.declared != after.declared:
        causes.append(Cause("settings", "its declaration changed"))
    return causes
