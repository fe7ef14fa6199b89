"""The role under which people look at a home in the cloud and correct it: it reads records, models, runs and lineage,
and appends corrections. It computes nothing, promotes nothing and deletes nothing.

`packyak studio --home s3://...` and the command line need no more than this role. What a correction touches is computed
by the units, under their own roles.
"""

from __future__ import annotations

from collections.abc import Iterator

from packyak.deploy.grants.declared import Declared
from packyak.deploy.grants.grant import LIST, Grant, merged
from packyak.deploy.grants.requests import READ, WRITE
from packyak.engine.declare.nodes import FilesNode, FunctionNode, IndexNode, LearnedNode
from packyak.engine.learn.tasks import tasks_of

REVIEWER = "reviewer"
_ALWAYS: tuple[tuple[str, str, str], ...] = (
    (READ, "format.json", "the home's format"),
    (READ, "candidates.json", "how the assets stand"),
    (LIST, "published/", "the good versions"),
    (READ, "published/*", "the good versions"),
    (LIST, "corrections/", "what people said"),
    (READ, "corrections/*", "what people said"),
    (WRITE, "corrections/*", "what this person says"),
    (LIST, "runs/*", "the runs"),
    (READ, "runs/*", "the runs"),
    (LIST, "lineage/*", "where a value came from"),
    (READ, "lineage/*", "where a value came from"),
    (READ, "code/*", "the source text that computed a value"),
)


def reviewer_grants(declared: Declared) -> tuple[Grant, ...]:
    """The grants of the people who review."""
    return merged(_all(declared))


def _all(declared: Declared) -> Iterator[Grant]:
    for action, path, why in _ALWAYS:
        yield declared.of_engine(REVIEWER, action, path, why)
    learned = [node for node in declared.graph.tables if isinstance(node, LearnedNode)]
    if learned:
        yield declared.of_engine(REVIEWER, LIST, "promotions/", "which model answers")
    if any(tasks_of(each) for each in learned):
        yield declared.of_engine(REVIEWER, READ, "promotions/*", "which model answers")
    for table in declared.graph.tables:
        for folder, why in (("tables", "its records"), ("memo", "how they came to be")):
            place = f"{folder}/{table.name}.lance"
            for action, path in ((LIST, f"{place}/_versions/"), (READ, f"{place}/*")):
                yield declared.of_node(REVIEWER, action, path, f"looks at {table.name}: {why}", table)
    for each in learned:
        for action in (LIST, READ) if tasks_of(each) else (LIST,):
            why = f"looks at the models of {each.name}"
            yield declared.of_node(REVIEWER, action, f"models/{each.name}/*", why, each)
    for node in declared.graph.nodes.values():
        if isinstance(node, IndexNode):
            for action, path in ((LIST, "_versions/"), (READ, "*")):
                where = f"indexes/{node.name}.lance/{path}"
                yield declared.of_node(REVIEWER, action, where, f"searches {node.name}", node)
        if isinstance(node, FilesNode):
            why = f"whether files of {node.bucket} are new"
            yield declared.of_node(REVIEWER, LIST, f"buckets/{node.bucket}/", why, node)
            yield declared.of_node(REVIEWER, READ, f"buckets/{node.bucket}/{node.pattern}", why, node)
        if isinstance(node, FunctionNode):
            noted = f"functions/{node.name}.json"
            yield declared.of_node(REVIEWER, READ, noted, f"what {node.name} was called for", node)
            if node.on is not None:
                yield declared.of_node(
                    REVIEWER, LIST, f"buckets/{node.on[0]}/", f"which files {node.name} waits for", node
                )
    yield from declared.of_key(REVIEWER)
