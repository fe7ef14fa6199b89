"""What of a large graph is shown: groups that fold and open, focus on what is near, columns with their threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from packyak.engine.declare.nodes import Graph
from packyak.engine.project import Project
from packyak.studio.views import pipeline
from packyak.studio.views.focus import Focus, near
from packyak.studio.views.groups import FOLD_ABOVE, PREFIX
from packyak.studio.views.pipeline import Look
from packyak.studio.views.threads import column_level

CHAIN = [("a", "b"), ("b", "c"), ("c", "d"), ("x", "c")]


def large(project_folder: Callable[..., Path], families: int = 12, size: int = 7) -> Graph:
    lines = ["from packyak import asset, transform"]
    for family in range(families):
        lines += [f"@asset(key='id')\ndef root{family}():\n    yield {{'id': 'a', 'v0': 1}}"]
        source = f"root{family}"
        for step in range(1, size):
            name = f"f{family}_v{step}"
            lines += [f"@transform({source})\ndef {name}({'v0' if step == 1 else source}: int) -> int:\n    return 1"]
            source = name
    return Project.open(project_folder("\n".join(lines))).graph


def test_focus_reaches_so_many_steps_both_ways() -> None:
    assert near(Focus("c", 1), CHAIN) == {"b", "c", "d", "x"}
    assert near(Focus("b", 1), CHAIN) == {"a", "b", "c"}
    assert near(Focus("b", 0), CHAIN) == {"a", "b", "c", "d"}
    assert near(Focus("alone", 2), CHAIN) == {"alone"}


def test_a_large_graph_folds_into_groups_that_open(project_folder: Callable[..., Path]) -> None:
    graph = large(project_folder)
    assert len(graph.nodes) > FOLD_ABOVE
    folded = pipeline.board(graph, [])
    assert all(card.name.startswith(PREFIX) for card in folded.cards) and len(folded.cards) == 12
    assert folded.total == len(folded.finds) == 84  # every node is found, folded or not
    name = folded.groups[0].name
    opened = pipeline.board(graph, [], look=Look(frozenset({name})))
    assert len(opened.cards) == 11 + 7 and [group.open for group in opened.groups].count(True) == 1
    assert pipeline.group_of(graph, "f0_v3") == name
    assert opened.shape != folded.shape


def test_a_focus_shows_single_cards_again(project_folder: Callable[..., Path]) -> None:
    board = pipeline.board(large(project_folder), [], look=Look(focus=Focus("f3_v2", 1)))
    assert {card.name for card in board.cards} == {"f3_v1", "f3_v2", "f3_v3"} and not board.groups


def test_a_small_graph_is_never_folded(project_folder: Callable[..., Path]) -> None:
    board = pipeline.board(large(project_folder, families=2), [])
    assert not board.groups and not any(card.name.startswith(PREFIX) for card in board.cards)


def test_columns_stand_on_their_cards_and_threads_join_them(project_folder: Callable[..., Path]) -> None:
    graph = large(project_folder, families=1, size=3)
    level = column_level(graph, {"root0": {"id": "string", "v0": "int64"}})
    board = pipeline.board(graph, [], look=Look(level=level))
    cards = {card.name: card for card in board.cards}
    assert [row.name for row in cards["root0"].columns] == ["id", "v0"]
    assert cards["root0"].height > cards["f0_v1"].height
    assert {thread.ends for thread in board.threads} == {("root0.v0", "f0_v1.f0_v1"), ("f0_v1.f0_v1", "f0_v2.f0_v2")}
    assert not pipeline.board(graph, []).threads
