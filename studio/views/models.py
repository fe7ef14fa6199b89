"""Models of a learned transform in words and numbers: how they fared, what became of them, what taught them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from packyak.engine.learn.models import Card, Score
from packyak.engine.run.lessons import Flips, Judged, Models, called
from packyak.engine.store.corrections import Correction
from packyak.studio.views import words

ACTS = {"promote": "promoted", "hold": "held", "roll back": "rolled back to", "pin": "pinned"}


@dataclass(frozen=True)
class ModelFact:
    label: str
    value: str
    hint: str = ""


def short(model: str) -> str:
    """A model's name as people say it."""
    return called(model)


def score_words(score: Score | None) -> str:
    """ "91 % right (86 to 95 %)", or why nothing is known."""
    if score is None:
        return "not judged yet"
    return f"{score.value:.0%} right ({score.low:.0%} to {score.high:.0%})"


def facts(found: Models) -> tuple[ModelFact, ...]:
    """What stands above everything else."""
    card = found.card
    score = card.score if card else None
    force = "In force, pinned" if found.pinned else "In force"
    hint = "It stays until a person decides otherwise, whatever is learned." if found.pinned else ""
    wanted = (
        f" of {words.count(found.train_after)}" if not found.cards and found.corrections < found.train_after else ""
    )
    said = [ModelFact(force, short(found.current), hint)]
    if found.cards:
        right = f"{score.value:.0%}" if score else words.EMPTY
        said.append(ModelFact("Right on held-out answers", right, score_words(score)))
    said.append(ModelFact("Answers from people", f"{words.count(found.corrections)}{wanted}"))
    if score is not None and score.calibration is not None:
        said.append(ModelFact("Confidence off by", f"{score.calibration:.0%}", "expected calibration error"))
    return tuple(said)


def candidate(found: Models) -> Card | None:
    """The model learned last, where another one answers."""
    newest = found.cards[0] if found.cards else None
    return newest if newest is not None and newest.id != found.current else None


def waiting_words(found: Models) -> str:
    """What is known of the model that waits to be promoted; "" where none does."""
    card = candidate(found)
    if card is None:
        return ""
    about = next((each for each in found.promotions if each.model == card.id), None)
    held = f" It was held: {about.why}." if about and about.act == "hold" and about.why else ""
    held = " It answered before." if about and about.act == "promote" else held
    present = found.card.score if found.card else None
    against = f"; the one in force {present.value:.0%}" if present and card.score else ""
    taught = words.counted(card.labels, "answer")
    return f"{short(card.id).capitalize()} is newer, taught by {taught}: {score_words(card.score)}{against}.{held}"


def curve(cards: Sequence[Card], current: str = "") -> list[dict[str, Any]]:
    """How well each model fared against the number of answers it learned from, oldest first. current: in force."""
    return [
        {
            "model": short(card.id),
            "answers": card.labels,
            "right": card.score.value,
            "low": card.score.low,
            "high": card.score.high,
            "force": card.id == current,
        }
        for card in reversed(cards)
        if card.score is not None
    ]


def confusion(card: Card) -> tuple[list[str], list[list[int]]]:
    """Names and, for each right value (rows), how often each was answered (columns)."""
    names = list(dict.fromkeys([name for right, answer, _ in card.confusion for name in (right, answer)]))
    found = {(right, answer): number for right, answer, number in card.confusion}
    return names, [[found.get((right, answer), 0) for answer in names] for right in names]


def models_table(found: Models, now: datetime | None = None) -> list[dict[str, Any]]:
    """Every model, newest first; its learner only where not all have the same."""
    several = len({card.learner for card in found.cards}) > 1
    return [
        {
            "model": card.id[:8],
            "": "in force" if card.id == found.current else "",
            "when": words.age(card.at, now),
            "answers": card.labels,
            "right": score_words(card.score).replace(" right", ""),
            **({"learner": card.learner} if several else {}),
            "took": words.duration(card.seconds),
        }
        for card in found.cards
    ]


def decisions_table(found: Models, now: datetime | None = None) -> list[dict[str, Any]]:
    """What was decided about models, newest first."""
    return [
        {"when": words.age(each.at, now), "what": f"{short(each.model)} {ACTS.get(each.act, each.act)}"
         if each.act != "roll back" else f"rolled back to {short(each.model)}",
         "by": each.by, "why": each.why}
        for each in found.promotions
    ]  # fmt: skip


def flips_words(flips: Flips) -> str:
    """What promoting would change, in a sentence."""
    said = f"{words.count(flips.changed)} of {words.counted(flips.records, 'record')} would change"
    if flips.contradicted:
        said += f"; on {words.counted(flips.contradicted, 'field')} it differs from people, whose word holds"
    return f"{said}."


def flips_table(flips: Flips) -> list[dict[str, Any]]:
    """Fields that would change: contradictions to people first."""
    lines = [*flips.contradictions, *flips.examples]
    return [
        {
            "record": words.record(each.key),
            "column": each.column,
            "now": words.value(each.before, 60),
            "would be": words.value(each.after, 60),
            "a person said": words.value(each.said, 60) if each.said is not None else "",
        }
        for each in lines
    ]


def groups_table(flips: Flips) -> list[dict[str, Any]]:
    """How many would change in which way, most first."""
    return [
        {"column": g.column, "now": words.value(g.before, 60), "would be": words.value(g.after, 60), "records": g.count}
        for g in flips.groups
    ]


def taught_by(card: Card, said: Sequence[Correction], now: datetime | None = None) -> list[dict[str, Any]]:
    """The corrections that a model learned from, newest first."""
    ids = set(card.corrections)
    return [
        {
            "record": words.record(each.key),
            "column": each.column,
            "value": words.value(each.value, 60),
            "by": each.by,
            "when": words.age(each.at, now),
        }
        for each in said
        if each.id in ids
    ]


BINS = 10


def reliability(found: Sequence[Judged]) -> list[dict[str, Any]]:
    """How often held-out answers were right, for each tenth of confidence that any had."""
    bins: dict[int, list[Judged]] = {}
    for each in found:
        bins.setdefault(min(int(each.confidence * BINS), BINS - 1), []).append(each)
    return [
        {
            "sure": sum(each.confidence for each in mine) / len(mine),
            "right": sum(each.right for each in mine) / len(mine),
            "answers": len(mine),
        }
        for _, mine in sorted(bins.items())
    ]


def mistakes(found: Sequence[Judged]) -> list[dict[str, Any]]:
    """The held-out answers that were wrong, the surest first; the column only where several are learned. sure: in
    per cent."""
    wrong = sorted((each for each in found if not each.right), key=lambda each: (-each.confidence, each.key))
    several = len({each.column for each in found}) > 1
    return [
        {
            "record": words.record(each.key),
            **({"column": each.column} if several else {}),
            "it answered": words.value(each.answer, 40),
            "right is": words.value(each.said, 40),
            "sure": round(each.confidence * 100),
        }
        for each in wrong
    ]


def matrix(card: Card) -> list[dict[str, Any]]:
    """The confusion of a model cell by cell, with its share of the row."""
    names, counts = confusion(card)
    totals = [sum(row) or 1 for row in counts]
    return [
        {"right": right, "answered": answered, "answers": counts[i][j], "share": counts[i][j] / totals[i]}
        for i, right in enumerate(names)
        for j, answered in enumerate(names)
    ]
