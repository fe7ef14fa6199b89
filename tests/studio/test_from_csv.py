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
    create.from_csv(root, found, "orders", key)
    with (root / "packyak.toml").open("a") as toml:
        toml.write('[settings]\nprefect = "off"\nworker = "off"\n')
    project = Project.open(root)
    assert project.run().state == "done"
    rows = project.read("orders").sort_by("order no").to_pylist()
    assert [row["amount"] for row in rows] == [1.5, 2.0, None] and rows[2]["placed"] is None
    with pytest.raises(FileExistsError):
        create.from_csv(root, found, "orders", key)


def opened(root: Path, name: str, data: bytes, header: bool | None = None) -> list[dict[str, object]]:
    """The records of a project made of the file."""
    found = look(name, data, header)
    create.from_csv(root, found, found.asset, found.keys[0] if found.keys else None)
    with (root / "packyak.toml").open("a") as toml:
        toml.write('[settings]\nprefect = "off"\nworker = "off"\n')
    project = Project.open(root)
    assert project.run().state == "done"
    rows: list[dict[str, object]] = project.read(found.asset).to_pylist()
    return sorted(rows, key=str)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("name;city\nJ\u00fcrgen;K\u00f6ln\nAnn;Bern\n".encode("cp1252"), "Windows-1252"),
        ("name,city\nJ\u00fcrgen,K\u00f6ln\nAnn,Bern\n".encode("utf-16"), "UTF-16"),
        (b"\xef\xbb\xbfname,city\nJ\xc3\xbcrgen,K\xc3\xb6ln\nAnn,Bern\n", ""),
        ("sep=;\nname;city\nJ\u00fcrgen;K\u00f6ln\nAnn;Bern\n".encode(), ""),
    ],
)
def test_a_file_of_another_kind_is_read_and_says_so(tmp_path: Path, data: bytes, said: str) -> None:
    found = look("people.csv", data)
    assert found.columns == ("name", "city") and (said in " ".join(found.notes) if said else not found.notes)
    assert opened(tmp_path / "people", "people.csv", data) == [
        {"name": "Ann", "city": "Bern"},
        {"name": "J\u00fcrgen", "city": "K\u00f6ln"},
    ]


def test_a_file_without_a_line_of_names_gets_one(tmp_path: Path) -> None:
    data = b"7,Ann,1.5\n9,Bo,2\n"
    found = look("x.csv", data)
    assert (found.header, found.columns, found.records) == (False, ("column_1", "column_2", "column_3"), 2)
    assert len(opened(tmp_path / "x", "x.csv", data)) == 2
    assert look("x.csv", data, header=True).columns == ("7", "Ann", "1.5")
    assert look("x.csv", b"name,1999\nAnn,3\n", header=True).columns == ("name", "1999")


def test_numbers_that_are_names_keep_their_zeros(tmp_path: Path) -> None:
    data = b"id,zip,n\n1,00501,7\n2,10115,0\n"
    assert look("x.csv", data).types == {"n": "int"}
    assert [row["zip"] for row in opened(tmp_path / "x", "x.csv", data)] == ["00501", "10115"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"), (b" \n\n", "it is empty"), (b"a,b\n", "no records"), (b"a,A\n1,2\n", "two columns"),
        (b"a,,c\n1,2,3\n", "column 2 has no name"), (b"PK\x03\x04\x00\x00", "workbook"), (bytes(range(256)), "no text"),
        (b"\xff\xfe\x00", "no text"), (b"a,b\n1,2\n3\n", "Expected 2 columns"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(NoTable, match=reason):
        look("x.csv", data)


@pytest.mark.parametrize(
    "name", ["inbox.csv", "file.csv", 'a\\x"b.csv', "order.csv", "transform.csv", "date.csv", "x.tsv"]
)
def test_any_name_of_a_file_makes_a_project_that_runs(tmp_path: Path, name: str) -> None:
    assert len(opened(tmp_path / "p", name, b"id,placed\n1,2026-01-04\n2,2026-01-05\n")) == 2


def test_a_failure_half_way_leaves_no_half_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, found = tmp_path / "p", look("orders.csv", ORDERS.encode())
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "packyak.toml":
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        create.from_csv(root, found, "orders", None)
    monkeypatch.undo()
    create.from_csv(root, found, "orders", None)
    assert (root / "packyak.toml").is_file()
    with pytest.raises(OSError):
        create.from_csv(tmp_path / "p" / "pipeline.py" / "inside", found, "orders", None)


def test_columns_that_cannot_be_kept_are_named() -> None:
    assert any("_row" in note for note in look("x.csv", b"id,_row\n1,2\n").notes)
