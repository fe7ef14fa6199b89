"""When a learned transform should learn: the author's number of corrections has come or changed since it last did, or
its rule or signature changed. Asked on every look at a project, so nothing heavy is imported.
"""

from __future__ import annotations

from packyak.engine.declare.nodes import LearnedNode
from packyak.engine.learn.models import Card
from packyak.engine.learn.tasks import signature_of, tasks_of
from packyak.engine.run.scope import Scope


def why_due(scope: Scope, node: LearnedNode) -> str:
    """Why a transform should learn now, in words; "" where it need not."""
    if not scope.learns or not tasks_of(node):
        return ""
    said, last = _said(scope, node), last_learned(scope, node.name)
    if last is None:
        return f"{len(said):,} corrections to learn from" if len(said) >= node.train_after else ""
    if not said:
        return ""
    if last.signature != signature_of(node):
        return "its signature changed since it learned"
    if node.has_rule and last.code != scope.codes.fingerprints[node.name].code:
        return "its first rule changed since it learned"
    changed = len(said ^ set(last.corrections))
    return f"{changed:,} corrections since it last learned" if changed >= node.train_after else ""


def until_due(scope: Scope, node: LearnedNode) -> int:
    """How many corrections more make a transform learn by itself."""
    said, last = _said(scope, node), last_learned(scope, node.name)
    return max(node.train_after - len(said ^ set(last.corrections if last else ())), 0)


def _said(scope: Scope, node: LearnedNode) -> set[str]:
    """The ids of what it can learn from."""
    names = {column.name for _, columns in tasks_of(node) for column in columns}
    return {
        each.id
        for (asset, _, column), each in scope.in_force.items()
        if asset == node.name and column in names and each.kind in ("correct", "accept")
    }


def last_learned(scope: Scope, asset: str) -> Card | None:
    """The model made last, whether it answers or not."""
    made = [each.model for each in scope.models.promotions(asset) if each.act in ("promote", "hold") and each.model]
    return scope.models.card(asset, made[-1]) if made else None
