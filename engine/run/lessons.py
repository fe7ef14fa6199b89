"""What a project answers about learning: lessons, models, and what a promotion would change. Plain records, light to
import, so that they travel between worker, command line and studio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from packyak.engine.learn.models import Card, Promotion


@dataclass(frozen=True)
class Lesson:
    """What learning came to: the candidate's card, and the decision with its reason and what the gate said."""

    asset: str
    card: Card
    promotion: Promotion

    @property
    def promoted(self) -> bool:
        """Whether the candidate answers from now on."""
        return self.promotion.act == "promote"

    @property
    def words(self) -> str:
        """What came of it, in a sentence."""
        state = "promoted" if self.promoted else "not promoted"
        count = f"{self.card.labels:,} {'correction' if self.card.labels == 1 else 'corrections'}"
        return f"learned from {count}: {called(self.card.id)} {state}: {self.promotion.why}"


def called(model: str) -> str:
    """A model as a person reads it."""
    return f"model {model[:8]}" if model else "the first rule"


@dataclass(frozen=True)
class Models:
    """What is known of one learned transform. task: what kind of answer ("" where only the rule can answer); current:
    the model in force, "" for the first rule; cards: its models, newest first; promotions: the decisions about them,
    newest first; corrections: labels there are; due: why it should learn now, "" where it need not; until_due: how
    many corrections more make it so."""

    asset: str
    task: str
    current: str
    pinned: bool
    corrections: int
    train_after: int
    due: str
    cards: tuple[Card, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    until_due: int = 0

    @property
    def card(self) -> Card | None:
        """The card of the model in force."""
        return next((card for card in self.cards if card.id == self.current), None)


@dataclass(frozen=True)
class Judged:
    """What a model said of a field that a person had decided and that it had not learned from. said: the person's."""

    key: str
    column: str
    answer: Any
    confidence: float
    right: bool
    said: Any = None


@dataclass(frozen=True)
class Flip:
    """One field that would change. said: what a person said it is, where somebody did and the model differs."""

    key: str
    column: str
    before: Any
    after: Any
    said: Any = None


@dataclass(frozen=True)
class Group:
    """Fields that would change in the same way."""

    column: str
    before: Any
    after: Any
    count: int


@dataclass(frozen=True)
class Flips:
    """What promoting a model would do. changed: records whose value would differ, of `records`; contradicted: fields on
    which it differs from people, whose word holds all the same, the first of them in `contradictions`; groups: most
    first; examples: some of the fields that would change."""

    asset: str
    model: str
    records: int
    changed: int
    contradicted: int
    contradictions: tuple[Flip, ...]
    groups: tuple[Group, ...]
    examples: tuple[Flip, ...]
