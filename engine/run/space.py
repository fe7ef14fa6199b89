"""Where records lie to one another: the vectors of their texts, as far as the home keeps them.

The texts are put together as a learner does it, or are those of an index. Only what was embedded before is used, so
that looking costs a look-up and a product, never a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from packyak.engine.run.read import Reader
from packyak.engine.run.view import Snapshot

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Space:
    """Vectors of length one, a row for each key."""

    keys: tuple[str, ...]
    vectors: Vectors

    @cached_property
    def place(self) -> Mapping[str, int]:
        """The row of each key."""
        return {key: row for row, key in enumerate(self.keys)}


def space_of(reader: Reader, snapshot: Snapshot, owner: str) -> Space | None:
    """The vectors of the records that an asset computes from; None where the home keeps none."""
    return None
