"""The layered layout: nothing overlaps, edges go one way, chains run straight, the same graph gives one picture."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st
from packyak.studio.views.layout import Layout, Place, arrange, rising

CARD = (232.0, 84.0)


def sizes(names: str) -> dict[str, tuple[float, float]]:
    return dict.fromkeys(names.split(), CARD)


def overlap(a: Place, b: Place) -> bool:
    apart_across = a.x + a.width <= b.x or b.x + b.width <= a.x
    apart_down = a.y + a.height <= b.y + 1e-6 or b.y + b.height <= a.y + 1e-6
    return not (apart_across or apart_down)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]:
    names = [f"n{number}" for number in range(draw(st.integers(1, 24)))]
    pairs = list(combinations(names, 2))  # from earlier to later: never a cycle
    links = draw(st.lists(st.sampled_from(pairs), max_size=40)) if pairs else []
    return {name: (draw(st.sampled_from([168.0, 232.0])), 84.0) for name in names}, links


@given(graphs(), st.booleans())
def test_any_graph_is_drawn_without_overlap_and_forwards(
    graph: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]], down: bool
) -> None:
    cards, links = graph
    drawn = arrange(cards, links, down=down)
    assert set(drawn.places) == set(cards)
    assert not any(overlap(a, b) for a, b in combinations(drawn.places.values(), 2))
    for route in drawn.routes:
        along = [point[1] if down else point[0] for point in route.points]
        assert all(before <= after for before, after in pairwise(along))
    for place in drawn.places.values():
        assert place.x >= -1e-6 and place.y >= -1e-6
        assert place.x + place.width <= drawn.width + 1e-6 and place.y + place.height <= drawn.height + 1e-6
    assert arrange(cards, links, down=down) == drawn


def test_a_chain_runs_straight() -> None:
    drawn = arrange(sizes("a b c d"), [("a", "b"), ("b", "c"), ("c", "d")])
    assert len({place.y for place in drawn.places.values()}) == 1
    below = arrange(sizes("a b c d"), [("a", "b"), ("b", "c"), ("c", "d")], down=True)
    assert len({place.x for place in below.places.values()}) == 1


def test_a_card_stands_in_the_middle_of_what_reads_it() -> None:
    drawn = arrange(sizes("root left right"), [("root", "left"), ("root", "right")])
    middle = (drawn.places["left"].y + drawn.places["right"].y) / 2
    assert drawn.places["root"].y == middle


def test_a_source_stands_beside_its_reader_and_not_at_the_far_left() -> None:
    drawn = arrange(sizes("a b c late"), [("a", "b"), ("b", "c"), ("late", "c")])
    assert drawn.places["late"].x == drawn.places["b"].x


def test_a_long_edge_goes_around_the_cards_between() -> None:
    drawn = arrange(sizes("a b c"), [("a", "b"), ("b", "c"), ("a", "c")])
    route = next(route for route in drawn.routes if (route.source, route.target) == ("a", "c"))
    between = drawn.places["b"]
    bends = [y for x, y in route.points if between.x <= x <= between.x + between.width]
    assert bends and all(y <= between.y or y >= between.y + between.height for y in bends)


def test_parts_without_connection_lie_apart_and_unknown_links_are_left_out() -> None:
    drawn = arrange(sizes("a b alone"), [("a", "b"), ("a", "nobody"), ("b", "b")])
    assert len(drawn.routes) == 1
    assert not any(overlap(drawn.places["alone"], drawn.places[name]) for name in "ab")


def test_many_single_cards_fill_a_window_rather_than_a_line() -> None:
    drawn = arrange(sizes(" ".join(f"n{number}" for number in range(60))), [])
    assert 0.8 < drawn.width / drawn.height < 3.2
    below = arrange(sizes(" ".join(f"n{number}" for number in range(60))), [], down=True)
    assert 0.8 < below.width / below.height < 3.2


def test_an_empty_graph_takes_no_room() -> None:
    assert arrange({}, []) == Layout({}, (), 0.0, 0.0)


@given(st.lists(st.floats(-1000, 1000), max_size=60))
def test_rising_never_falls_and_keeps_the_sum(values: list[float]) -> None:
    found = rising(values)
    assert all(before <= after + 1e-6 for before, after in pairwise(found))
    assert abs(sum(found) - sum(values)) < 1e-6 * max(len(values), 1)
