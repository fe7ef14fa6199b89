"""Programs found from edits: each case is a few edits, then values and what they must become."""

from __future__ import annotations

import json

import pytest
from packyak.engine.learn.repair.programs import Program
from packyak.engine.learn.repair.synthesis import Example, Tried, synthesise

CASES: dict[str, tuple[list[tuple[str, str]], dict[str, str]]] = {
    "dates turned round": ([("03/04/2021", "2021-04-03"), ("9/12/2020", "2020-12-09")], {"17/01/2022": "2022-01-17"}),
    "month names": ([("4 March 2021", "2021-03-04"), ("11 Jul 2020", "2020-07-11")], {"9 May 2019": "2019-05-09"}),
    "names swapped": ([("Curie, Marie", "Marie Curie")], {"Hopper, Grace": "Grace Hopper"}),
    "case": ([("LYON", "Lyon"), ("NEW DELHI", "New Delhi")], {"PARIS": "Paris"}),
    "leading zeros": ([("712", "00712")], {"90": "00090"}),
    "trailing unit": ([("12 oz.", "12 oz"), ("9 oz.", "9 oz")], {"16.9 oz.": "16.9 oz"}),
    "a word": ([("14 Mill Strt", "14 Mill Street")], {"2 High Strt": "2 High Street"}),
    "spaces": ([("a   b", "a b"), (" c d", "c d")], {" e   f ": "e f"}),
    "grams": ([("2 kg", "2000 g"), ("1.5 kg", "1500 g")], {"0.25 kg": "250 g"}),
    "accents": ([("Málaga", "Malaga"), ("Zürich", "Zurich")], {"Besançon": "Besancon"}),
}


def examples(edits: list[tuple[str, str]]) -> list[Example]:
    return [Example(i, 0, before, after, {0: before}) for i, (before, after) in enumerate(edits)]


@pytest.mark.parametrize("case", CASES)
def test_edits_teach_values_never_seen(case: str) -> None:
    edits, wanted = CASES[case]
    programs = [tried.program for tried in synthesise(examples(edits))]
    for before, after in wanted.items():
        made = [program.run(before, {0: before}) for program in programs]
        assert after in made, [program.words(("c",)) for program in programs]


@pytest.mark.parametrize("case", CASES)
def test_programs_survive_json(case: str) -> None:
    for tried in synthesise(examples(CASES[case][0])):
        assert Program.from_json(json.loads(json.dumps(tried.program.to_json()))) == tried.program
        assert tried.program.words(("c",))


def test_a_program_that_breaks_confirmed_cells_is_dropped() -> None:
    edits = [("ab1", "b1"), ("ac2", "ac2"), ("ad3", "ad3")]
    kept = [tried.program.family for tried in synthesise(examples(edits))]
    assert "prefix" not in kept
    assert "map" in kept


def test_a_value_put_together_from_other_columns() -> None:
    rows = [("fr-12", "fr", "12"), ("de-7", "de", "7"), ("xx-9", "it", "9")]
    seen = [
        Example(i, 0, value, f"{land}-{code}", {0: value, 1: land, 2: code})
        for i, (value, land, code) in enumerate(rows)
    ]
    programs = [tried.program for tried in synthesise(seen) if tried.program.reads]
    assert [p.run("?", {0: "?", 1: "es", 2: "31"}) for p in programs] == ["es-31"]


def test_support_without_a_record() -> None:
    tried = Tried(Program(0, "lower"), right=(1, 2, 2), wrong=(3,))
    assert tried.support() == (3.0, 1.0)
    assert tried.support(2) == (1.0, 1.0)


def test_order_of_examples_does_not_matter() -> None:
    edits = examples([("LYON", "Lyon"), ("NICE", "Nice"), ("Bonn", "Bonn"), ("4 oz.", "4 oz")])
    assert synthesise(edits) == synthesise(edits[::-1])
