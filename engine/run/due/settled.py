"""An asset as it stands: what computed it, from what, and whether that is how it would be computed now. Asked before a
run, to say what is due, and by the run itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from packyak.engine.declare.nodes import FilesNode, TableNode, TransformNode
from packyak.engine.run.compute.transforms import find_work
from packyak.engine.run.compute.whole import read_inputs
from packyak.engine.run.due.fingerprint import as_json
from packyak.engine.run.due.work import settled_inputs, threshold_of
from packyak.engine.run.scope import Scope


def parts_of(scope: Scope, node: TableNode) -> dict[str, str]:
    """What computes the asset now, part by part, so that a later change can be named."""
    code = as_json(scope.codes.fingerprints[node.name])
    return code | {"model": scope.model_of(node.name), "threshold": threshold_of(node)}


def inputs_of(scope: Scope, node: TableNode) -> dict[str, str]:
    """The public versions that the asset's last look depends on."""
    return settled_inputs(scope, node) if isinstance(node, TransformNode) else read_inputs(scope, node)


def is_settled(scope: Scope, node: TableNode) -> bool:
    """Whether the asset was computed by what would compute it now, with all that people said."""
    was = scope.settled(node.name)
    return (
        was is not None
        and was.state != "failed"
        and was.fingerprint == scope.fingerprint(node.name)
        and was.parts.get("threshold", "") == threshold_of(node)
        and was.applied == scope.corrections_digest(node.name)
    )


def is_current(scope: Scope, node: TableNode) -> bool:
    """Gate two: nothing that the asset depends on is different. Files are looked at by stamp."""
    if not is_settled(scope, node) or scope.candidates[node.name].inputs != inputs_of(scope, node):
        return False
    if isinstance(node, TransformNode) and isinstance(scope.graph[node.source], FilesNode):
        work = find_work(scope, node)
        return not work.count and not len(work.gone)
    return True


def good_assets(scope: Scope) -> Sequence[str]:
    """The assets whose candidates may be published: they and everything above them are good."""
    good: list[str] = []
    for node in scope.graph.tables:
        was = scope.candidates.get(node.name)
        parents = [name for name in node.inputs if isinstance(scope.graph.nodes.get(name), TableNode)]
        if was is not None and was.state == "ok" and was.table and all(name in good for name in parents):
            good.append(node.name)
    return good
