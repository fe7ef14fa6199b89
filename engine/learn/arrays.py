"""Arrays and plain facts as bytes, and back: the only forms in which a model is kept; and one thread for what makes
them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Halves = NDArray[np.float16]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def array_bytes(array: NDArray[Any]) -> bytes:
    """The array in numpy's own format; object arrays are refused."""
    out = io.BytesIO()
    np.save(out, np.ascontiguousarray(array), allow_pickle=False)
    return out.getvalue()


def bytes_array(data: bytes) -> NDArray[Any]:
    """The array of `array_bytes`."""
    loaded: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    return loaded


def json_bytes(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def pack_strings(values: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Strings as one array of bytes and one of ends."""
    encoded = [value.encode("utf-8", "surrogatepass") for value in values]
    ends = np.cumsum([len(item) for item in encoded], dtype=np.int64) if encoded else np.zeros(0, np.int64)
    return {"bytes": np.frombuffer(b"".join(encoded), dtype=np.uint8), "ends": ends}


def unpack_strings(parts: Mapping[str, NDArray[Any]]) -> list[str]:
    """The strings of `pack_strings`."""
    data = parts["bytes"].tobytes()
    ends = parts["ends"].tolist()
    starts = [0, *ends[:-1]] if ends else []
    return [data[a:b].decode("utf-8", "surrogatepass") for a, b in zip(starts, ends, strict=True)]


def one_thread() -> AbstractContextManager[Any]:
    """Linear algebra on one core inside a `with`. Learning does thousands of small products: more threads only wait for
    each other (measured on a busy machine: 80 times the CPU seconds), and sum in an order that depends on their number.
    """
    made: AbstractContextManager[Any] = _threads().limit(limits=1)
    return made


@cache
def _threads() -> Any:
    import sklearn.linear_model  # noqa: F401 - so that its libraries are among those found
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()
