"""Invented records of shops with a few wrong cells, for tests of repair."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from packyak.engine.learn.protocol import Labels

CITIES = {"1010": "Vienna", "8010": "Graz", "5020": "Salzburg", "6020": "Innsbruck", "4020": "Linz"}
COLUMNS = ("shop", "postcode", "city", "opened")


def shops(rows: int = 400, seed: int = 0) -> tuple[pa.Table, pa.Table]:
    """Wrong and right tables with a key: misspelt cities, dates the other way round."""
    rng = np.random.default_rng(seed)
    codes = [list(CITIES)[i] for i in rng.integers(5, size=rows)]
    day = [f"20{y:02}-{m:02}-{d:02}" for y, m, d in rng.integers([10, 1, 1], [24, 13, 29], size=(rows, 3)).tolist()]
    right = {"shop": [f"Shop {i}" for i in range(rows)], "postcode": codes, "city": [CITIES[c] for c in codes]}
    right["opened"] = day
    wrong = {name: list(values) for name, values in right.items()}
    for i in range(0, rows, 9):
        city = wrong["city"][i]
        at = int(rng.integers(len(city)))
        wrong["city"][i] = city[:at] + "q" + city[at + 1 :]
    for i in range(4, rows, 11):
        year, month, date = wrong["opened"][i].split("-")
        wrong["opened"][i] = f"{date}.{month}.{year}"
    keys = [f"k{i:04}" for i in range(rows)]
    return pa.table({"_key": keys, **wrong}), pa.table({"_key": keys, **right})


def said(wrong: pa.Table, right: pa.Table, rows: list[int]) -> Labels:
    """What a careful person says of these rows."""
    told = []
    for row in rows:
        for name in COLUMNS:
            before, after = wrong[name][row].as_py(), right[name][row].as_py()
            told.append((wrong["_key"][row].as_py(), name, after, "accept" if before == after else "correct", None))
    return Labels.from_rows(told)  # type: ignore[arg-type]
