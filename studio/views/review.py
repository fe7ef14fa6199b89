"""Questions as the review deck shows them, and what a person did there as decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packyak.engine.run.lessons import Models, called
from packyak.engine.run.questions import Agreement, Decided, Decision, Neighbour, Question, Review, Similar
from packyak.engine.store.corrections import Correction
from packyak.studio.views import records, words
from packyak.studio.views.records import Editor

REASON_WORDS: Mapping[str, tuple[str, str]] = {
    "disagreement": ("people differ", "bad"),
    "contradiction": ("contradicts a person", "bad"),
    "outdated": ("its inputs changed", "warn"),
    "parked": ("parked", "warn"),
    "suspect": ("looks wrong", "warn"),
    "check": ("fails a check", "bad"),
    "failed": ("failed", "bad"),
    "uncertain": ("unsure", "accent"),
    "typical": ("typical", "accent"),
    "random": ("drawn at random", ""),
    "second": ("second opinion", "accent"),
}
WAITING_WORDS: Mapping[str, str] = {
    "disagreement": "in dispute",
    "contradiction": "contradicting a person",
    "outdated": "with new inputs",
    "suspect": "looking wrong",
    "check": "failing a check",
    "second": "for a second opinion",
}
DECIDED_WORDS = {"model": "the model says", "rule": "the first rule says", "person": "a person said"}
MOST_TEXT = 4000
NEAR_TEXT = 160
LEAST_SIMILARITY = 0.7


@dataclass(frozen=True)
class FieldText:
    name: str
    text: str


@dataclass(frozen=True)
class Choice:
    text: str
    value: Any


@dataclass(frozen=True)
class Near:
    key: str
    name: str
    value: str
    text: str


@dataclass(frozen=True)
class Card:
    """One question as drawn. column "": a whole record. value: the answer as a choice's value; sure: 0 to 1; blind:
    what stands there is not shown, and cannot be accepted."""

    asset: str
    key: str
    name: str
    column: str
    seen: str
    random: bool
    title: str
    reason: str
    tone: str
    why: str
    inputs: tuple[FieldText, ...]
    said: str
    answer: str
    value: Any
    empty: bool
    sure: float | None
    choices: tuple[Choice, ...]
    reach: str
    opinions: tuple[str, ...]
    earlier: tuple[str, ...]
    neighbours: tuple[Near, ...]
    blind: bool = False


def card_of(question: Question) -> Card:
    """A question's card."""
    reason, tone = REASON_WORDS.get(question.reason, (question.reason, ""))
    scalar, blind = isinstance(question.answer, (str, int, float, bool)), question.reason == "second"
    return Card(
        asset=question.asset,
        key=question.key,
        name=words.record(question.key),
        column=question.column,
        seen=question.seen,
        random=question.at_random,
        title=f"What is {question.column}?" if question.column else "Is this record right?",
        reason=reason,
        tone=tone,
        why=words.sentence(question.why),
        inputs=tuple(FieldText(name, words.value(value, MOST_TEXT)) for name, value in _shown(question).items()),
        said="the first answer" if blind else DECIDED_WORDS.get(question.decided, "it says now"),
        answer=_answer(question, blind),
        value=question.answer if scalar else None,
        empty=question.answer is None,
        sure=None if question.decided == "person" else question.confidence,
        choices=tuple(Choice(words.value(value), value) for value in question.choices or ()),
        reach=words.sentence(question.reach.words),
        opinions=tuple(_opinion(each.by, each.value, each.at, each.why) for each in question.opinions),
        earlier=question.earlier,
        neighbours=tuple(_near(each) for each in question.neighbours[:5]),
        blind=blind,
    )


def _answer(question: Question, blind: bool) -> str:
    if blind:
        return "hidden until you have answered"
    return "no answer" if question.answer is None else words.value(question.answer, MOST_TEXT)


def _shown(question: Question) -> Mapping[str, Any]:
    """What the card tells of the record: the inputs, and for a whole record its own values too."""
    if not question.column and isinstance(question.answer, Mapping):
        return {**question.inputs, **question.answer}
    return question.inputs


def _near(other: Neighbour) -> Near:
    text = " · ".join(words.value(value, NEAR_TEXT) for value in other.inputs.values() if value is not None)
    return Near(other.key, words.record(other.key), words.value(other.value, 40), text)


def _opinion(by: str, value: Any, at: str, why: str) -> str:
    parts = [by or "somebody", words.age(at)]
    said = f"{', '.join(part for part in parts if part)}: {words.value(value, 60)}"
    return f"{said} ({why})" if why else said


def waiting_words(review: Review, answered: int = 0) -> str:
    """ "waiting: 3,000 unsure, 8 failed; 12 fields decided so far". answered: since the review was made."""
    parts = [
        f"{words.count(number)} {WAITING_WORDS.get(reason) or REASON_WORDS.get(reason, (reason, ''))[0]}"
        for reason, number in review.waiting.items()
    ]
    decided = f"{words.counted(review.decided + answered, 'field')} decided so far"
    return f"waiting: {', '.join(parts)}; {decided}" if parts else decided


def learned_words(found: Sequence[Models]) -> list[str]:
    """What each learned transform has come to: "topic: 34 answers taught model 3f2a8c01, right in 91 %, 4 points better
    than the one before"."""
    return [_learned(each) for each in found if each.corrections]


def _learned(each: Models) -> str:
    head = f"{each.asset}: {words.counted(each.corrections, 'answer')}"
    if each.card is not None:
        head += f" so far, {words.count(each.card.labels)} of them behind {called(each.card.id)}"
        head += _fared(each)
    if each.due:
        return f"{head}; {each.due}"
    if not each.cards and each.corrections < each.train_after:
        return f"{head}, learns after {words.count(each.train_after - each.corrections)} more"
    return head


def _fared(each: Models) -> str:
    """How the model in force does on answers that it had not seen, and whether it grew better."""
    card = each.card
    if card is None or card.score is None:
        return ""
    text = f", right in {card.score.value:.0%}"
    before = next((one for one in each.cards if one.id == card.parent and one.score is not None), None)
    points = round((card.score.value - before.score.value) * 100) if before is not None and before.score else 0
    if points:
        text += f", {words.counted(abs(points), 'point')} {'better' if points > 0 else 'worse'} than the one before"
    return text


def agreement_table(found: Sequence[Agreement]) -> list[dict[str, Any]]:
    """How far each two people agree. kappa leaves out what chance alone would give."""
    return [
        {
            "who": f"{each.one or 'somebody'} and {each.other or 'somebody'}",
            "both decided": each.fields,
            "agree": f"{each.share:.0%}",
            "beyond chance": words.EMPTY if each.kappa is None else f"{each.kappa:.2f}",
        }
        for each in found
    ]


def people_table(said: Sequence[Correction]) -> list[dict[str, Any]]:
    """How much each person answered, most first."""
    counts = Counter(each.by or "somebody" for each in said if each.kind in ("correct", "accept"))
    accepted = Counter(each.by or "somebody" for each in said if each.kind == "accept")
    return [
        {"who": name, "answers": number, "of them accepted": accepted[name]} for name, number in counts.most_common()
    ]


def decision_of(entry: Mapping[str, Any], types: Mapping[tuple[str, str], Editor]) -> Decision:
    """What a person did, as the engine takes it. types: the editors of the columns asked about. Raises Unfit."""
    asset, column = str(entry["asset"]), str(entry["column"])
    value, editor = entry.get("value"), types.get((asset, column))
    if entry["action"] == "correct" and editor is not None:
        value = records.typed(value, editor)
    return Decision(
        asset,
        str(entry["key"]),
        column,
        entry["action"],
        value,
        str(entry.get("why") or ""),
        str(entry.get("seen") or ""),
        f"{entry['deck']}-{entry['number']}",
        at_random=bool(entry.get("random")),
    )


def editors_of(questions: Sequence[Question]) -> dict[tuple[str, str], Editor]:
    """How values of each column asked about are read."""
    found = {}
    for each in questions:
        kind = "choice" if each.choices else records.KINDS.get(each.type, "shown")
        found[(each.asset, each.column)] = Editor(each.column, kind, True, each.owner, each.choices or ())
    return found


def refusal_words(done: Decided) -> str:
    """What to tell of an answer that was not saved."""
    name = f"{words.record(done.decision.key)}: "
    return name + (done.message or "something else stands there by now: look at it again")


def alike(similar: Similar) -> tuple[Near, ...]:
    """The records near enough to one just corrected to ask whether they get the same value."""
    if similar.was is None and similar.by != "vectors":
        return ()  # every record without an answer would be "alike"
    return tuple(
        _near(each) for each in similar.neighbours if each.similarity is None or each.similarity >= LEAST_SIMILARITY
    )


def offer_words(similar: Similar, number: int) -> str:
    """ "12 records look like A-1 and say billing. Make them delivery too?" """
    was = "have no answer" if similar.was is None else f"say {words.value(similar.was, 30)}"
    value = words.value(similar.value, 30)
    return f"{words.count(number)} records look like {words.record(similar.key)} and {was}. Make them {value} too?"
