"""What is declared and is no asset, for somebody who asks for its records: what it is, and what to do with it."""

from __future__ import annotations

from packyak.engine.declare.nodes import BucketNode, CheckNode, FilesNode, FunctionNode, IndexNode, Node, TableNode
from packyak.engine.errors import DataError
from packyak.engine.run.scope import Scope
from packyak.engine.store.files import FOLDER


def not_an_asset(scope: Scope, node: Node) -> DataError:
    """The error that says so."""
    what, step = _about(scope, node)
    names = [each.name for each in scope.graph.tables]
    return DataError(f"{node.name!r} is {what}, not an asset", choices=names, next_step=step)


def _about(scope: Scope, node: Node) -> tuple[str, str]:
    if isinstance(node, BucketNode | FilesNode):
        bucket = node.bucket if isinstance(node, FilesNode) else node.name
        place = scope.home.path(FOLDER, bucket)
        what = "a bucket" if isinstance(node, BucketNode) else f"the files of the bucket {bucket}"
        return what, f"its files lie in {place}{_readers(scope, node.name)}"
    if isinstance(node, IndexNode):
        return f"an index over {node.source}", f"`packyak find WORDS --index {node.name}` searches it"
    if isinstance(node, FunctionNode):
        return "a function, which keeps no records", f"`packyak run {node.name}` calls it"
    if isinstance(node, CheckNode):
        return f"a check of {node.target}", f"`packyak status {node.target}` says how it went"
    return "declared", "take one of these"


def _readers(scope: Scope, name: str) -> str:
    below = [each for each in scope.graph.below(name) if isinstance(scope.graph[each], TableNode)]
    return f"; `packyak show {below[0]}` lists the records made of them" if below else ""
