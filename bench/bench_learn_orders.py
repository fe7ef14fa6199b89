"""Invented orders of a shop, right and spoiled, at any size: the table on which repair is timed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_FIRST = (
    "Ada",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Gina",
    "Hugo",
    "Iris",
    "Jan",
    "Kira",
    "Leo",
    "Mona",
    "Nils",
    "Olga",
)
_LAST = ("Abel", "Brandt", "Corso", "Dietz", "Engel", "Falk", "Gruber", "Holm", "Ibsen", "Jonas", "Kramer", "Lindt")
_PLACE = ("Oak", "Elm", "Lake", "Hill", "Mill", "Church", "Station", "Garden", "River", "Park", "Forest", "Market")
_END = ("ville", "ton", "ford", "burg", "field")
_SIDE = ("North", "South", "East", "West", "Middle")
_THING = ("lamp", "chair", "desk", "shelf", "kettle", "rug", "clock", "vase", "stool", "bench", "mirror", "basket")
_COLOUR = ("red", "blue", "green", "white", "black", "grey", "oak", "walnut", "brass", "linen")
_SIZE = ("small", "medium", "large", "giant", "tiny")
_STATUS = ("shipped", "open", "returned", "cancelled")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
PLACES, THINGS = 400, 600

Texts = NDArray[Any]
Random = np.random.Generator


def _towns(rng: Random) -> dict[str, Texts]:
    side = np.arange(PLACES) % 5
    names = [
        f"{_PLACE[i % 12]}{_END[i // 12 % 5]}{f' {_SIDE[i % 5]}' * (i > 60)} {i // 60 or ''}" for i in range(PLACES)
    ]
    return {
        "postcode": np.array([str(10000 + 137 * i) for i in range(PLACES)]),
        "town": np.array([name.strip() for name in names]),
        "region": np.array([f"{_SIDE[s]} County" for s in side]),
    }


def _people(many: int, rng: Random) -> dict[str, Texts]:
    def draw(low: int, high: int) -> list[int]:
        return [int(n) for n in rng.integers(low, high, many)]

    names = [f"{_FIRST[a]} {_LAST[b]}" for a, b in zip(draw(0, 15), draw(0, 12), strict=True)]
    phones = zip(draw(200, 999), draw(200, 999), draw(1000, 9999), strict=True)
    streets = zip(draw(1, 300), draw(0, 12), strict=True)
    return {
        "customer": np.array([f"C{i}" for i in range(many)]),
        "name": np.array(names),
        "email": np.array([f"{name.lower().replace(' ', '.')}{i}@mail.example" for i, name in enumerate(names)]),
        "phone": np.array([f"({a}) {b}-{c}" for a, b, c in phones]),
        "street": np.array([f"{number} {_PLACE[street]} Street" for number, street in streets]),
    }


def _things() -> dict[str, Texts]:
    said = [f"{_COLOUR[i % 10]} {_THING[i // 10 % 12]} {_SIZE[i // 120]}" for i in range(THINGS)]
    return {
        "product": np.array([f"P-{1000 + i}" for i in range(THINGS)]),
        "description": np.array(said),
        "price": np.array([f"{5 + i * 37 % 900}.95" for i in range(THINGS)]),
    }


def orders(rows: int, seed: int = 0) -> tuple[pa.Table, pa.Table]:
    """Wrong and right orders, `rows` x 15 and a key; about 2 % of cells are wrong, in ways that shops know."""
    rng = np.random.default_rng(seed)
    many = max(rows // 10, 50)
    lives, who, what = rng.integers(PLACES, size=many), rng.integers(many, size=rows), rng.integers(THINGS, size=rows)
    towns = _towns(rng)
    right: dict[str, Texts] = {"order": np.array([f"O{i:07d}" for i in range(rows)])}
    right |= {name: values[who] for name, values in _people(many, rng).items()}
    right |= {name: values[lives[who]] for name, values in towns.items()}
    right |= {name: values[what] for name, values in _things().items()}
    right["quantity"] = rng.integers(1, 12, rows).astype(str)
    right["ordered"] = (np.datetime64("2022-01-01") + rng.integers(1200, size=rows)).astype(str)
    right["status"] = np.array(_STATUS)[rng.choice(4, size=rows, p=[0.7, 0.15, 0.1, 0.05])]
    wrong = {name: values.astype(object) for name, values in right.items()}
    _spoil(wrong, towns["town"], rng)
    keys = pa.array([str(i) for i in range(rows)])
    made = [{name: pa.array(values.tolist(), pa.string()) for name, values in part.items()} for part in (wrong, right)]
    return pa.table({"_key": keys, **made[0]}), pa.table({"_key": keys, **made[1]})


def _spoil(wrong: dict[str, Texts], towns: Texts, rng: Random) -> None:
    for name in ("name", "street", "town", "region", "description", "postcode", "product", "price"):
        _hit(wrong[name], 0.02, rng, _typo)
    _hit(wrong["ordered"], 0.05, rng, lambda text, r: f"{text[8:10]}/{text[5:7]}/{text[:4]}")
    _hit(wrong["phone"], 0.05, rng, lambda text, r: text.replace("(", "").replace(") ", "-"))
    _hit(wrong["status"], 0.03, rng, lambda text, r: text.upper())
    _hit(wrong["town"], 0.01, rng, lambda text, r: str(towns[int(r.integers(PLACES))]))
    _hit(wrong["region"], 0.01, rng, lambda text, r: text.replace(" County", " Co."))


def _hit(values: Texts, share: float, rng: Random, change: Callable[[str, Random], str]) -> None:
    for i in rng.choice(len(values), int(len(values) * share), replace=False).tolist():
        values[i] = change(values[i], rng)


def _typo(text: str, rng: Random) -> str:
    at, kind = int(rng.integers(len(text))), int(rng.integers(3))
    if kind == 0:
        return text[:at] + _LETTERS[int(rng.integers(26))] + text[at + 1 :]
    return text[:at] + text[at + 1 :] if kind == 1 and len(text) > 2 else text[:at] + text[at] + text[at:]
