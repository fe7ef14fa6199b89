"""Models on disk, and which of them answers.

A model is a folder of bytes with a card beside it: what it learned from, and how it fared on corrections it had not
seen. Which model answers is the outcome of decisions, one small file each, never changed: promoted by the gate or a
person, held, rolled back, pinned. Everything is written once, so that a role without delete rights can teach, and a
crash leaves a model without its card, which does not count. Standard library only: asked on every look at a project.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from packyak.engine.errors import DataError, nearest
from packyak.engine.store.corrections import new_id
from packyak.engine.store.home import Home

MODELS = "models"
PROMOTIONS = "promotions"
RULE = ""
GATE = "gate"
Act = Literal["promote", "hold", "roll back", "pin"]


@dataclass(frozen=True)
class Score:
    """How held-out answers fared. value: the share that was right; low, high: its 90 % interval by records; answers
    and records: how many were judged; calibration: expected calibration error (None: too few)."""

    value: float
    low: float
    high: float
    answers: int
    records: int
    calibration: float | None = None


@dataclass(frozen=True)
class Card:
    """What is known of one model. `corrections`: ids of what it was trained on; `labels`: fields they label;
    `signature`: what it answers and reads, by hash: a model of another signature answers nothing; `confusion`: (right
    value, answer, count) of held-out answers of classifications; `seconds`: CPU seconds of learning."""

    id: str
    asset: str
    learner: str
    signature: str
    code: str
    corrections: tuple[str, ...]
    labels: int
    records: int
    seed: int = 0
    parent: str = RULE
    at: str = ""
    weights: str = ""
    score: Score | None = None
    confusion: tuple[tuple[str, str, int], ...] = ()
    threshold: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Promotion:
    """One decision about which model answers. `model`: the one that the decision is about (`RULE`: the first rule);
    `verdict`: what the gate said."""

    id: str
    asset: str
    act: Act
    model: str
    by: str = ""
    at: str = ""
    why: str = ""
    present: str = RULE
    verdict: Mapping[str, Any] = field(default_factory=dict)


class ModelStore:
    """The models of one home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._read: dict[str, Promotion | None] = {}
        self._names: list[str] | None = None
        self._cards: dict[tuple[str, str], Card] = {}

    def save(self, card: Card, files: Mapping[str, bytes]) -> Card:
        """Keeps a model; one that is there already stays as it is, with its first card."""
        for name, data in files.items():
            self.home.create(f"{MODELS}/{card.asset}/{card.id}/{name}", data)
        text = json.dumps(asdict(card), sort_keys=True).encode()
        return card if self.home.create(_card_name(card.asset, card.id), text) else self.card(card.asset, card.id)

    def files(self, asset: str, model: str, names: Sequence[str] | None = None) -> dict[str, bytes]:
        """A model's files by name. Raises DataError where one is missing."""
        folder = f"{MODELS}/{asset}/{model}"
        found = {name: self.home.read(f"{folder}/{name}") for name in names or self.home.names(folder)}
        missing = [name for name, data in found.items() if data is None]
        if missing or not found:
            raise DataError(
                f"the model {model} of {asset} is incomplete: {', '.join(missing) or 'no file'} is missing",
                next_step=f"`packyak learn {asset}` learns anew",
            )
        return {name: data for name, data in found.items() if data is not None}

    def cards(self, asset: str) -> tuple[Card, ...]:
        """The models of an asset, newest first."""
        names = self.home.names(f"{MODELS}/{asset}", ".json")
        found = [self.card(asset, name.removesuffix(".json")) for name in names]
        return tuple(sorted(found, key=lambda card: (card.at, card.id), reverse=True))

    def card(self, asset: str, model: str) -> Card:
        """One model, by its id or a beginning of it that only it has. Raises DataError with the ones there are."""
        if (asset, model) in self._cards:
            return self._cards[asset, model]
        data = self.home.read(_card_name(asset, model))
        if data is None:
            names = [name.removesuffix(".json") for name in self.home.names(f"{MODELS}/{asset}", ".json")]
            meant = [name for name in names if model and name.startswith(model)]
            if len(meant) != 1:
                raise _no_model(asset, model, names)
            data = self.home.read(_card_name(asset, meant[0]))
        found = _card(json.loads(data or b"{}"))
        self._cards[asset, found.id] = found
        return found

    def decide(
        self,
        asset: str,
        act: Act,
        model: str,
        *,
        by: str,
        at: str,
        why: str = "",
        verdict: Mapping[str, Any] | None = None,
    ) -> Promotion:
        """Notes a decision; from then on it holds."""
        name = new_id()
        made = Promotion(name, asset, act, model, by, at, why, self.current(asset), dict(verdict or {}))
        self.home.create(f"{PROMOTIONS}/{name}.json", json.dumps(asdict(made), sort_keys=True).encode())
        self._names = None
        return made

    def refresh(self) -> None:
        """Another one may have decided meanwhile: look again at the next question."""
        self._names = None

    def promotions(self, asset: str | None = None) -> tuple[Promotion, ...]:
        """All decisions, oldest first."""
        if self._names is None:
            self._names = self.home.names(PROMOTIONS, ".json")
        for name in self._names:
            if name not in self._read:
                data = self.home.read(f"{PROMOTIONS}/{name}")
                self._read[name] = _promotion(json.loads(data)) if data else None
        every = (self._read[name] for name in self._names)
        return tuple(each for each in every if each is not None and asset in (None, each.asset))

    def erase(self, asset: str, models: Collection[str]) -> int:
        """Takes models out of the home for good, with every decision about one; answers how many there were. Whoever
        asks has seen to it that none of them answers any more."""
        for each in self.promotions(asset):
            if each.model in models:
                self.home.remove(f"{PROMOTIONS}/{each.id}.json")
        there = [card.id for card in self.cards(asset) if card.id in models]
        for model in there:
            for name, _, _ in list(self.home.walk(f"{MODELS}/{asset}/{model}")):
                self.home.remove(name)
            self.home.remove(_card_name(asset, model))
            self._cards.pop((asset, model), None)
        self.refresh()
        return len(there)

    def current(self, asset: str) -> str:
        """The id of the model that answers now; `RULE` where the first rule does."""
        last = [each for each in self.promotions(asset) if each.act in ("promote", "roll back")]
        return last[-1].model if last else RULE

    def pinned(self, asset: str) -> bool:
        """Whether a person asked for the current model to be kept whatever is learned."""
        people = [each for each in self.promotions(asset) if each.by != GATE and each.act != "hold"]
        last = people[-1:]
        return bool(last) and last[0].act == "pin"

    def before(self, asset: str) -> str:
        """The model that answered before the current one."""
        answered = [RULE]
        for each in self.promotions(asset):
            if each.act == "promote" and each.model != answered[-1]:
                answered.append(each.model)
            elif each.act == "roll back" and each.model in answered:
                answered = answered[: answered.index(each.model) + 1]
        return answered[-2] if len(answered) > 1 else RULE

    def rolled_back(self, asset: str) -> str:
        """The model that a person last went back from, while nothing was promoted since; else `RULE`."""
        last = [each for each in self.promotions(asset) if each.act in ("promote", "roll back")]
        return last[-1].present if last and last[-1].act == "roll back" else RULE


def _card_name(asset: str, model: str) -> str:
    return f"{MODELS}/{asset}/{model}.json"


def _no_model(asset: str, model: str, names: Sequence[str]) -> DataError:
    meant = nearest(model, names)
    return DataError(
        f"{asset} has no model {model!r}" if names else f"{asset} has learned nothing yet",
        choices=list(names),
        next_step=f"did you mean {meant!r}?" if meant else f"`packyak models {asset}` lists them",
    )


def _card(facts: Mapping[str, Any]) -> Card:
    """Fields that a newer Packyak added are passed over."""
    known = {name: facts[name] for name in Card.__dataclass_fields__ if name in facts}
    known["corrections"] = tuple(known.get("corrections", ()))
    known["confusion"] = tuple((str(a), str(b), int(n)) for a, b, n in known.get("confusion", ()))
    known["score"] = Score(**known["score"]) if known.get("score") else None
    return Card(**known)


def _promotion(facts: Mapping[str, Any]) -> Promotion:
    return Promotion(**{name: facts[name] for name in Promotion.__dataclass_fields__ if name in facts})
