"""Several people on one field: whose word holds, where they disagree, and how far they agree.

The latest word holds at once. Where people differ, a rule of the project may settle it (latest, majority, senior); else
it waits for a person, whose settlement closes what was said before. Words about other inputs are no disagreement: the
record was another one. Standard library only.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from packyak.engine.run.questions import Agreement, Disagreement, Opinion
from packyak.engine.store.corrections import Correction, Field, decode

RuleName = Literal["ask", "latest", "majority", "senior"]


@dataclass(frozen=True)
class Rule:
    """How disagreements are settled. ask: by a person. seniors: whose word counts first, in this order."""

    name: RuleName = "ask"
    seniors: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """What a value that was chosen by the rule depends on; nothing where the latest holds."""
        if self.name in ("ask", "latest"):
            return ()
        return (self.name, *(self.seniors if self.name == "senior" else ()))


@dataclass(frozen=True)
class Standing:
    """The word in force on a field, the latest word of each person, newest first, and the rule that settled it: "none"
    where all say the same, "" where they differ and a person should settle it."""

    holds: Correction
    words: tuple[Correction, ...]
    settled: str = "none"


def words_by_field(standing: Iterable[Correction]) -> dict[Field, list[Correction]]:
    """What people say the values are, by field, oldest first."""
    found: dict[Field, list[Correction]] = defaultdict(list)
    for one in standing:
        if one.is_word:
            found[one.field].append(one)
    return dict(found)


def weigh(words: Sequence[Correction], rule: Rule) -> Standing:
    """Whose word holds, of the words on one field, oldest first."""
    latest = words[-1]
    if len(words) == 1:
        return Standing(latest, (latest,))
    start = max((place for place, one in enumerate(words) if one.origin == "settle"), default=0)
    of_each = {one.by: one for one in words[start:] if _same_inputs(one, latest)}
    newest = tuple(sorted(of_each.values(), key=lambda one: (one.at, one.id), reverse=True))
    if len({said(one) for one in newest}) == 1:
        return Standing(latest, newest)
    chosen = _RULES[rule.name](newest, rule)
    return Standing(newest[0], newest, "") if chosen is None else Standing(chosen, newest, rule.name)


def _same_inputs(one: Correction, latest: Correction) -> bool:
    return not one.seen_hash or not latest.seen_hash or one.seen_hash == latest.seen_hash


def _majority(newest: Sequence[Correction], rule: Rule) -> Correction | None:
    counts = Counter(said(one) for one in newest).most_common(2)
    if len(counts) > 1 and counts[0][1] == counts[1][1]:
        return None
    return next(one for one in newest if said(one) == counts[0][0])


def _senior(newest: Sequence[Correction], rule: Rule) -> Correction | None:
    return next((one for name in rule.seniors for one in newest if one.by == name), None)


_RULES = {
    "ask": lambda newest, rule: None,
    "latest": lambda newest, rule: newest[0],
    "majority": _majority,
    "senior": _senior,
}


def said(one: Correction) -> str:
    """A word's value as text, for comparing."""
    return json.dumps(one.value, sort_keys=True)


def opinion(one: Correction) -> Opinion:
    """A word as a person reads it."""
    return Opinion(one.by, decode(one.value), one.at, one.kind, one.why, one.id)


def disagreements(words: Mapping[Field, Sequence[Correction]], rule: Rule) -> tuple[Disagreement, ...]:
    """Every field on which people differ, those that wait for a person first."""
    found = []
    for (asset, key, column), mine in words.items():
        standing = weigh(mine, rule)
        if standing.settled != "none":
            told = tuple(opinion(one) for one in standing.words)
            found.append(Disagreement(asset, key, column, told, decode(standing.holds.value), standing.settled))
    return tuple(sorted(found, key=lambda each: (bool(each.settled), each.asset, each.key, each.column)))


def agreements(words: Mapping[Field, Sequence[Correction]]) -> tuple[Agreement, ...]:
    """Each pair of people who decided the same fields, those with most in common first. Settlements are left out: they
    were made knowing what the others said."""
    pairs: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for mine in words.values():
        of_each = {one.by: one for one in mine if one.origin != "settle"}
        for a, b in combinations(sorted(of_each), 2):
            if _same_inputs(of_each[a], of_each[b]):
                pairs[a, b].append((said(of_each[a]), said(of_each[b])))
    found = [_agreement(a, b, answers) for (a, b), answers in pairs.items()]
    return tuple(sorted(found, key=lambda each: (-each.fields, each.one, each.other)))


def _agreement(one: str, other: str, answers: Sequence[tuple[str, str]]) -> Agreement:
    """Cohen, A coefficient of agreement for nominal scales, 1960."""
    many = len(answers)
    share = sum(a == b for a, b in answers) / many
    mine, theirs = Counter(a for a, _ in answers), Counter(b for _, b in answers)
    by_chance = sum(mine[value] * theirs[value] for value in mine) / many**2
    kappa: Any = None if by_chance == 1 else (share - by_chance) / (1 - by_chance)
    return Agreement(one, other, many, share, kappa)
