"""What is known of each record of a trace: its values, who decided them, with which code and model, in which run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from packyak.engine.declare.nodes import FilesNode, IndexNode, Node, TableNode, TransformNode
from packyak.engine.errors import PackyakError
from packyak.engine.lineage.chain import Model, Step, Word
from packyak.engine.run.due.status import kind_of
from packyak.engine.run.runs import RunStore
from packyak.engine.run.trace.ground import Ground, own_rows
from packyak.engine.run.trace.makers import Maker, maker_now, maker_of
from packyak.engine.store.corrections import Correction, decode
from packyak.engine.store.published import AssetVersion

WHOLE = ""
Asked = Mapping[str, Collection[str]]


@dataclass
class Details:
    """Fills in steps, asset by asset."""

    ground: Ground
    _models: dict[tuple[str, str], Model | None] = field(default_factory=dict)
    _makers: dict[str, Maker | None] = field(default_factory=dict)
    _ended: dict[str, str] = field(default_factory=dict)

    def steps(self, asset: str, asked: Asked) -> list[Step]:
        """One step for each record asked about, in the order of keys."""
        node = self.ground.graph.nodes.get(asset)
        if isinstance(node, TableNode):
            return self._of_asset(node, asked)
        kind = kind_of(node) if node is not None else "bucket"
        if isinstance(node, FilesNode):
            return self._of_files(node, asked)
        names = (node.on, *node.filters) if isinstance(node, IndexNode) else ()
        return [Step(asset, key, kind, names, function=_origin(node)) for key in sorted(asked)]

    def _of_files(self, node: FilesNode, asked: Asked) -> list[Step]:
        """A file's version is the hash of its content, as its reader's memo has it."""
        readers = [self.ground.graph[name] for name in self.ground.graph.children(node.name)]
        etags: dict[str, str] = {}
        for reader in readers:
            notes = self.ground.notes_of(reader.name, asked) if isinstance(reader, TransformNode) else {}
            etags |= {key: str(row.get("inputs") or "") for key, row in notes.items()}
        return [Step(node.name, key, "file", version=etags.get(key, "")) for key in sorted(asked)]

    def _of_asset(self, node: TableNode, asked: Asked) -> list[Step]:
        good = self.ground.versions.get(node.name)
        keys = sorted(key for key in asked if key != WHOLE)
        steps = [self._whole(node, good)] if WHOLE in asked else []
        rows = own_rows(self.ground, self.ground.seen, node.name, keys) if keys else {}
        notes = self._notes(node, keys)
        for key in keys:
            columns = [column for column in asked[key] if column]
            row, note = rows.get(key, {}), notes.get(key, {})
            names = tuple(name for name in row if name in columns) if row else tuple(sorted(columns))
            words = self._words(node, key, names or tuple(row))
            steps.append(self._step(node, key, names, row, note, words, good))
        return steps

    def _step(
        self,
        node: TableNode,
        key: str,
        names: tuple[str, ...],
        row: Mapping[str, Any],
        note: Mapping[str, Any],
        words: tuple[Word, ...],
        good: AssetVersion | None,
    ) -> Step:
        code = str(note.get("code") or "")
        run = str(note.get("run") or "")
        return Step(
            asset=node.name,
            key=key,
            kind=kind_of(node),
            columns=names,
            values={name: row[name] for name in names if name in row},
            version=good.version if good else "",
            function=self._function(node, code),
            code=code,
            current=self._same_code(node.name, code),
            decided="person" if words else str(note.get("decided") or "function"),
            confidence=note.get("confidence"),
            model=self._model(node.name, str(note.get("model") or "")),
            corrections=words,
            error=str(note.get("error") or ""),
            run=run or (good.run if good else ""),
            at=self._at(run) or (good.at if good else ""),
        )

    def _whole(self, node: TableNode, good: AssetVersion | None) -> Step:
        return Step(
            node.name,
            WHOLE,
            kind_of(node),
            version=good.version if good else "",
            function=_origin(node),
            code=self.ground.scope.fingerprint(node.name),
            run=good.run if good else "",
            at=good.at if good else "",
            records=good.rows if good else None,
        )

    def _notes(self, node: TableNode, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """The memo of each record's unit, by the record's key."""
        if not keys:
            return {}
        if not isinstance(node, TransformNode):
            units = dict.fromkeys(keys, WHOLE)
        else:
            units = self.ground.parents(node.name, keys) if node.many else {key: key for key in keys}
        found = self.ground.notes_of(node.name, set(units.values()))
        return {key: found[unit] for key, unit in units.items() if unit in found}

    @cached_property
    def _corrections(self) -> Mapping[tuple[str, str], list[Correction]]:
        """The corrections in force, by asset and key."""
        found: dict[tuple[str, str], list[Correction]] = {}
        for (asset, key, _), correction in self.ground.in_force().items():
            found.setdefault((asset, key), []).append(correction)
        return found

    def _words(self, node: TableNode, key: str, columns: Collection[str]) -> tuple[Word, ...]:
        return tuple(word(each) for each in self._corrections.get((node.name, key), ()) if each.column in columns)

    def _model(self, asset: str, model: str) -> Model | None:
        if not model:
            return None
        if (asset, model) not in self._models:
            self._models[asset, model] = self._card(asset, model)
        return self._models[asset, model]

    def _card(self, asset: str, model: str) -> Model:
        try:
            card = self.ground.scope.models.card(asset, model)
        except PackyakError:
            return Model(model)
        people = {each.by for each in self.ground.scope.said if each.id in set(card.corrections) and each.by}
        score = card.score.value if card.score else None
        return Model(card.id, len(card.corrections), tuple(sorted(people)), score, card.parent, card.at)

    def _function(self, node: TableNode, code: str) -> str:
        """Where the function stood that computed the record; as it is now where that was never kept."""
        if code and code != self.ground.scope.fingerprint(node.name):
            maker = self._maker(code)
            return (maker.place if maker else "") or _origin(node)
        return _origin(node)

    def _same_code(self, asset: str, code: str) -> bool:
        """Whether the code that computed a record is that of now; another model is none, and is told by itself."""
        if not code or code == self.ground.scope.fingerprint(asset):
            return True
        maker = self._maker(code)
        return (
            maker is not None
            and replace(maker_now(self.ground.scope, asset), file=maker.file, line=maker.line, model=maker.model)
            == maker
        )

    def _maker(self, code: str) -> Maker | None:
        if code not in self._makers:
            self._makers[code] = maker_of(self.ground.scope.home, code)
        return self._makers[code]

    def _at(self, run: str) -> str:
        if run and run not in self._ended:
            record = RunStore(self.ground.scope.home).get(run)
            self._ended[run] = (record.ended or record.started) if record else ""
        return self._ended.get(run, "")


def word(correction: Correction) -> Word:
    """A correction as a trace tells it."""
    return Word(
        correction.id,
        correction.column,
        decode(correction.value),
        decode(correction.computed),
        correction.by,
        correction.at,
        correction.why,
        correction.kind,
    )


def _origin(node: Node | None) -> str:
    return str(node.origin) if node is not None else ""
