"""What a project's learned transforms have learned: the part of `Project` that is about models and promotion.

Each call hands over to the engine's rooms. Learning writes nothing but models and decisions; records change in the
next run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from packyak.engine.declare.nodes import LearnedNode
from packyak.engine.errors import DataError, nearest
from packyak.engine.learn.models import RULE, Promotion
from packyak.engine.learn.tasks import tasks_of
from packyak.engine.run.lessons import Flips, Judged, Lesson, Models
from packyak.engine.run.runs import now
from packyak.engine.run.scope import Scope
from packyak.engine.run.teach.due import until_due, why_due
from packyak.engine.store.values import decode


class Learning:
    """Models of a project."""

    @property
    def person(self) -> str:
        raise NotImplementedError

    def scope(self) -> Scope:
        raise NotImplementedError

    def models(self, asset: str | None = None) -> tuple[Models, ...]:
        """Every learned transform (or one) with its models and how they fared."""
        scope = self.scope()
        names = [asset] if asset else [node.name for node in scope.graph.tables if isinstance(node, LearnedNode)]
        return tuple(_models(scope, _learned(scope, name)) for name in names)

    def learn(
        self, assets: Sequence[str] | None = None, *, promote: bool | None = None, by: str | None = None
    ) -> tuple[Lesson, ...]:
        """Learns from what people said, now. assets: default all learned transforms that anybody corrected.

        promote: True or False decides in place of the gate. What a promotion changes is computed by the next run.
        """
        from packyak.engine.run.teach.lesson import learn

        scope = self.scope()
        names = list(assets) if assets else [each.asset for each in self.models() if each.corrections and each.task]
        nodes = [_learned(scope, name) for name in names]
        return tuple(learn(scope, node, by=by or self.person, promote=promote) for node in nodes)

    def learn_due(self) -> tuple[Lesson, ...]:
        """Learns where enough was said since the last time; elsewhere nothing."""
        names = [each.asset for each in self.models() if each.due]
        if not names:
            return ()
        from packyak.engine.run.teach.lesson import learn_if_due

        scope = self.scope()
        found = (learn_if_due(scope, _learned(scope, name)) for name in names)
        return tuple(lesson for lesson in found if lesson is not None)

    def flips(self, asset: str, model: str | None = None, *, limit: int = 50) -> Flips:
        """What promoting a model (default: the one learned last) would change."""
        from packyak.engine.run.teach.flips import flips

        scope = self.scope()
        node = _learned(scope, asset)
        return flips(scope, node, _chosen(scope, asset, model), limit)

    def judged(self, asset: str, model: str | None = None) -> tuple[Judged, ...]:
        """What a model (default: the one in force) said of answers held out from it: how its score came about. Nothing
        for the first rule."""
        scope = self.scope()
        _learned(scope, asset)
        name = scope.models.current(asset) if model is None else _chosen(scope, asset, model)
        data = scope.home.read(f"models/{asset}/{name}/held.json") if name != RULE else None
        rows = json.loads(data) if data else []
        said = {(key, column): each.value for (owner, key, column), each in scope.in_force.items() if owner == asset}
        return tuple(
            Judged(key, column, decode(answer, ""), sure, right, decode(said.get((key, column)), ""))
            for key, column, answer, sure, right in rows
        )

    def promote(self, asset: str, model: str | None = None, *, by: str | None = None, why: str = "") -> Promotion:
        """Lets a model (default: the one learned last) answer, whatever the gate said."""
        scope = self.scope()
        _learned(scope, asset)
        chosen = _chosen(scope, asset, model)
        return scope.models.decide(asset, "promote", chosen, by=by or self.person, at=now(), why=why)

    def roll_back(self, asset: str, *, by: str | None = None, why: str = "") -> Promotion:
        """Lets the model answer that answered before the present one; the rule where there was none."""
        scope = self.scope()
        _learned(scope, asset)
        if scope.models.current(asset) == RULE:
            raise DataError(f"the first rule of {asset} answers: there is nothing to go back to")
        before = scope.models.before(asset)
        return scope.models.decide(asset, "roll back", before, by=by or self.person, at=now(), why=why)

    def pin(self, asset: str, *, by: str | None = None, why: str = "") -> Promotion:
        """Keeps the present model whatever is learned, until a person promotes another or rolls back."""
        scope = self.scope()
        _learned(scope, asset)
        current = scope.models.current(asset)
        return scope.models.decide(asset, "pin", current, by=by or self.person, at=now(), why=why)


def _learned(scope: Scope, name: str) -> LearnedNode:
    node = scope.graph.nodes.get(name)
    if isinstance(node, LearnedNode):
        return node
    names = [each.name for each in scope.graph.tables if isinstance(each, LearnedNode)]
    meant = nearest(name, names)
    raise DataError(
        f"{name!r} is no learned transform",
        choices=names,
        next_step=f"did you mean {meant!r}?" if meant else "declare one with @learned",
    )


def _chosen(scope: Scope, asset: str, model: str | None) -> str:
    """A model by the beginning of its id; "rule" is the first rule; by default the one learned last."""
    if model == "rule":
        return RULE
    cards = scope.models.cards(asset)
    if model is None and cards:
        return cards[0].id
    return scope.models.card(asset, model or "").id


def _models(scope: Scope, node: LearnedNode) -> Models:
    said = [
        each
        for (asset, _, _), each in scope.in_force.items()
        if asset == node.name and each.kind in ("correct", "accept")
    ]
    return Models(
        node.name,
        " and ".join(dict.fromkeys(task for task, _ in tasks_of(node))),
        scope.model_of(node.name),
        scope.models.pinned(node.name),
        len(said),
        node.train_after,
        why_due(scope, node),
        scope.models.cards(node.name),
        tuple(reversed(scope.models.promotions(node.name))),
        until_due(scope, node),
    )
