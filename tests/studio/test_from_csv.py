"""A dropped CSV file: delimiter, types, key, and a project that runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from packyak.engine.project import Project
from packyak.studio.shell import create
from packyak.studio.views import from_csv
from packyak.studio.views.from_csv import NoTable, look

ORDERS = (
    "city;order no;placed;amount;paid\nBern;A-1;2026-01-04;1.5;true\nBern;A-2;2026-01-05;2;false\nGraz;A-3;;;true\n"
)


def test_a_file_is_understood() -> None:
    found = look("My orders 2026.csv", ORDERS.encode())
    assert (found.delimiter, found.records, found.asset) == (";", 3, "my_orders_2026")
    assert found.keys == ("order no",)
    assert found.types == {"placed": "date", "amount": "float", "paid": "bool"}
    assert found.head[0]["city"] == "Bern"


@pytest.mark.parametrize("text", ["", "a,b\n", "a,a\n1,2\n", "a,\n1,2\n"])
def test_what_is_no_table_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(NoTable, match=r"\w"):
        look("x.csv", text.encode())


def test_the_likeliest_key_comes_first() -> None:
    found = look("x.csv", b"name,customer_id,row\nAnn,7,1\nBo,9,2\n")
    assert found.keys[0] == "customer_id" and "customer_id" not in found.types


@pytest.mark.parametrize(
    ("text", "name"), [("Class", "class_"), ("2026 Orders", "t_2026_orders"), ("\u00e4\u00f6", "records")]
)
def test_names_that_python_takes(text: str, name: str) -> None:
    assert from_csv.python_name(text).isidentifier() and from_csv.python_name(text) == name


@pytest.mark.parametrize("key", ["order no", None])
def test_the_project_that_is_written_runs(tmp_path: Path, key: str | None) -> None:
    root = tmp_path / "orders"
    found = look("orders.csv", ORDERS.encode())
    create.from_csv(root, found, ORDERS.encode(), "orders", key)
    with (root / "packyak.toml").open("a") as toml:
        toml.write('[settings]\nprefect = "off"\nworker = "off"\n')
    project = Project.open(root)
    assert project.run().state == "done"
    rows = project.read("orders").sort_by("order no").to_pylist()
    assert [row["amount"] for row in rows] == [1.5, 2.0, None] and rows[2]["placed"] is None
    with pytest.raises(FileExistsError):
        create.from_csv(root, found, ORDERS.encode(), "orders", key)
