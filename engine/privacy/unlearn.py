"""What learned from a record learns again without it, and what a vector was made of goes.

A model knows which corrections it was trained on. One that knew of an erased one is removed; where it answered, one
that was taught without it takes its place, or the first rule where nothing is left to learn from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from packyak.engine.declare.nodes import IndexNode, LearnedNode
from packyak.engine.errors import DataError, MissingExtra
from packyak.engine.learn.models import RULE
from packyak.engine.learn.tasks import tasks_of
from packyak.engine.run.indexes import indexed_rows
from packyak.engine.run.runs import now
from packyak.engine.run.scope import Scope

_WHY = "the one before had learned from a record that was erased"


def models_taught_by(scope: Scope, ids: Collection[str], found_in: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
    """The models of each learned transform that were trained on one of these corrections, or whose files are among
    those in which a mark was found."""
    named = {tuple(name.split("/")[1:3]) for name in found_in if name.startswith("models/")}
    wanted = set(ids)
    taught = {}
    for node in scope.graph.tables:
        if isinstance(node, LearnedNode):
            cards = scope.models.cards(node.name)
            mine = [card.id for card in cards if wanted & set(card.corrections) or _is_named(named, node.name, card.id)]
            if mine:
                taught[node.name] = tuple(mine)
    return taught


def _is_named(named: Collection[tuple[str, ...]], asset: str, model: str) -> bool:
    return (asset, model) in named or (asset, f"{model}.json") in named


def unlearn(scope: Scope, models: Mapping[str, Sequence[str]], by: str) -> tuple[str, ...]:
    """Removes these models for good, once something else answers in the place of one that did. scope: of after the
    corrections went. Answers the transforms whose records another model or the rule will answer from the next run."""
    replaced = []
    for asset, ids in models.items():
        if scope.models.current(asset) in ids:
            _replace(scope, asset, ids, by)
            replaced.append(asset)
        scope.models.erase(asset, ids)
    return tuple(replaced)


def _replace(scope: Scope, asset: str, ids: Collection[str], by: str) -> None:
    from packyak.engine.run.teach.lesson import learn

    node, pinned = scope.graph[asset], scope.models.pinned(asset)
    assert isinstance(node, LearnedNode)
    try:
        lesson = learn(scope, node, by=by, promote=True)
        if lesson.card.id not in ids:
            if pinned:
                scope.models.decide(asset, "pin", lesson.card.id, by=by, at=now(), why=_WHY)
            return
    except (DataError, MissingExtra):  # nothing to learn from any more, or nothing here to learn with
        pass
    scope.models.decide(asset, "roll back", RULE, by=by, at=now(), why=_WHY)


def texts_in_use(scope: Scope) -> Iterator[str]:
    """The texts whose vectors something still needs: what is indexed, and what learners read. One that is missed here
    is embedded again when it is asked for."""
    for node in scope.graph.nodes.values():
        if isinstance(node, IndexNode):
            yield from filter(None, indexed_rows(scope.snapshot, node)["text"].to_pylist())
        elif isinstance(node, LearnedNode) and tasks_of(node):
            yield from _texts_read(scope, node)


def _texts_read(scope: Scope, node: LearnedNode) -> Iterator[str]:
    from packyak.engine.learn.vectors import Encoder, joined
    from packyak.engine.run.teach.answering import taught
    from packyak.engine.run.teach.examples import all_records, reads_of

    records = all_records(scope, node, lambda done: None)
    model = taught(scope, node)
    encoders = [getattr(each, "encoder", None) for each in (model.models if model else ())]
    read = {each.texts for each in (*encoders, Encoder.of(records, reads_of(node, records))) if each is not None}
    for names in sorted(read):
        yield from joined(records, names)
