"""A parameter that takes a whole record, of the source or looked up, gets it in the form that its annotation names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from packyak.engine.project import Project

SOURCE = """
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional, TypedDict
from packyak import asset, transform

@dataclass
class Rate:
    currency: str
    rate: int

class RateDict(TypedDict):
    currency: str
    rate: int

@asset(key="currency")
def rates() -> list[Rate]:
    return [Rate("EUR", 2), Rate("USD", 3)]

@asset(key="id")
def sums() -> list[dict]:
    return [{"id": "1", "currency": "EUR"}, {"id": "2", "currency": "CHF"}]

@transform(sums, lookup={"rates": "currency"})
def found(rates: ANNOTATION) -> str | None:
    if rates is None:
        return None
    return f"{type(rates).__name__} {rates['rate'] if isinstance(rates, dict) else rates.rate}"
"""


@pytest.mark.parametrize(
    ("annotation", "given"),
    [
        ("dict | None", "dict 2"),
        ("dict[str, Any] | None", "dict 2"),
        ("None | dict[str, Any]", "dict 2"),
        ("Optional[dict[str, Any]]", "dict 2"),
        ("Mapping[str, Any] | None", "dict 2"),
        ("RateDict | None", "dict 2"),
        ("Rate | None", "Rate 2"),
        ("None | Rate", "Rate 2"),
    ],
)
def test_what_is_looked_up_has_the_form_asked_for(
    project_folder: Callable[..., Path], annotation: str, given: str
) -> None:
    project = Project.open(project_folder(SOURCE.replace("ANNOTATION", annotation)))
    assert project.run().state == "done"
    assert {row["id"]: row["found"] for row in project.read("found").to_pylist()} == {"1": given, "2": None}
