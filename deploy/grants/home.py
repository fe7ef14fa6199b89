"""Makes a home in the cloud ready, so that no role has to create what all share.

To a role that may not list a whole bucket S3 does not say whether an object is there; what every run reads is therefore
put there first, empty. Done by whoever deploys, before anything runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from packyak.engine.declare.nodes import FunctionNode, Graph
from packyak.engine.lineage.tellers import TOLD
from packyak.engine.run.scope import CANDIDATES
from packyak.engine.store.home import FORMAT, FORMAT_FILE


def first_objects(graph: Graph) -> Iterator[tuple[str, bytes]]:
    """Names and contents of what must be there before the first run; an object that is there already stays."""
    yield FORMAT_FILE, json.dumps({"format": FORMAT}).encode()
    yield CANDIDATES, b"{}"
    yield TOLD, json.dumps({"last": ""}).encode()
    for node in graph.nodes.values():
        if isinstance(node, FunctionNode):
            yield f"functions/{node.name}.json", b"{}"
