"""Records like a corrected one."""

from __future__ import annotations

import numpy as np
import pytest
from words import embed, messages

pytest.importorskip("torch")


def test_the_most_alike_come_first_and_only_those_that_may() -> None:
    from packyak.engine.learn.preview import Neighbours

    records, _ = messages(500)
    vectors = embed(records["text"].to_pylist())
    neighbours = Neighbours.of(vectors[start : start + 200] for start in range(0, 500, 200))
    right = vectors @ vectors[7]
    found = neighbours.like(vectors[7], least=0.7)
    assert found.rows[0] == 7
    assert set(np.flatnonzero(right >= 0.702).tolist()) <= set(found.rows.tolist())
    assert not set(np.flatnonzero(right <= 0.698).tolist()) & set(found.rows.tolist())
    assert np.allclose(found.likeness, right[found.rows], atol=2e-3)
    assert (np.diff(found.likeness) <= 0).all()
    odd = np.arange(500) % 2 == 1
    assert (neighbours.like(vectors[7], 0.7, most=5, among=odd).rows % 2 == 1).all()
    assert len(neighbours.like(vectors[7], 0.7, most=5).rows) == 5


def test_no_records_no_neighbours() -> None:
    from packyak.engine.learn.preview import Neighbours

    assert not len(Neighbours.of([np.zeros((0, 8), np.float32)]).like(np.zeros(8, np.float32)).rows)
