"""What travels between worker and client arrives as it was."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyak.engine import errors
from packyak.engine.run.answers import AssetStatus, Cause, CheckResult, ColumnInfo, Page, Plan, PlanStep
from packyak.engine.run.runs import AssetRun, RunRecord
from packyak.engine.run.worker import wire


def travelled(value: Any) -> Any:
    return wire.unpack(json.loads(wire.line({"value": wire.pack(value)}))["value"])


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
MORE = st.datetimes() | st.dates() | st.times() | st.timedeltas() | st.decimals(allow_nan=False) | st.uuids()
KEYS = st.text() | st.integers() | st.just("$")
VALUES = st.recursive(
    SCALARS | MORE,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.frozensets(SCALARS, max_size=3)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_values_round_trip(value: Any) -> None:
    assert travelled(value) == value
    assert type(travelled(value)) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        Plan((PlanStep("text", "compute", 3, True, (Cause("code", "changed", 3, "- a\n+ b"),), 4, 0.5),), ("note",)),
        AssetStatus("a", "sql", "stale", "why", checks=(CheckResult("c", "a", False, True, "error", 1, ({"n": 1},)),)),
        RunRecord("r", "done", ("a",), assets=(AssetRun("a", rate=1.5),)),
        [
            datetime(2026, 1, 1, tzinfo=UTC),
            date(2026, 1, 1),
            time(1, 2),
            timedelta(days=1),
            Decimal("1.10"),
            UUID(int=7),
        ],
        {"nested": {"tuple": (1, (2, [3]))}},
        float("inf"),
    ],
)
def test_answers_round_trip(value: Any) -> None:
    assert travelled(value) == value


def test_tables_round_trip() -> None:
    table = pa.table({"_key": ["a", "b"], "when": [datetime(2026, 1, 1), None], "n": pa.array([1, None], pa.int8())})
    page = travelled(Page(table, 2, (ColumnInfo("n", "int8", "text"),), frozenset({("a", "n")})))
    assert page.rows.equals(table)
    assert page.rows.schema == table.schema
    assert page.corrected == {("a", "n")}


def test_only_records_of_the_engine_are_made() -> None:
    assert wire.unpack({"$": "record", "type": "subprocess:Popen", "fields": {"args": ["true"]}}) == {"args": ["true"]}
    with pytest.raises(TypeError, match="no record"):
        wire.unpack({"$": "record", "type": "packyak.engine.run.worker.client:Client", "fields": {}})


def test_errors_keep_their_kind_and_fields() -> None:
    original = errors.RunBusy("the run r holds it", next_step="wait", choices=["a"], holder={"run": "r", "pid": 3})
    arrived = wire.unpack_error(json.loads(json.dumps(wire.pack_error(original))))
    assert type(arrived) is errors.RunBusy
    assert str(arrived) == str(original)
    assert arrived.holder == {"run": "r", "pid": 3}


def test_a_strange_error_is_named_with_its_traceback() -> None:
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError as error:
        arrived = wire.unpack_error(json.loads(json.dumps(wire.pack_error(error))))
    assert type(arrived) is errors.PackyakError
    assert str(arrived).startswith("ZeroDivisionError: by nothing")
    assert "test_a_strange_error" in str(arrived.__cause__)


def test_records_of_runs_need_no_heavy_import() -> None:
    program = """
import sys, json
from packyak.engine.run.worker import client, wire
from packyak.engine.run.runs import RunRecord
wire.unpack(json.loads(json.dumps(wire.pack(RunRecord("r", "done")))))
heavy = ("pyarrow", "prefect", "lance", "duckdb", "httpx", "subprocess", "asyncio")
print([name for name in heavy if name in sys.modules])
"""
    ran = subprocess.run(
        [sys.executable, "-S", "-c", f"import site; site.main()\n{program}"], capture_output=True, text=True
    )
    assert ran.stdout.strip() == "[]", ran.stderr
