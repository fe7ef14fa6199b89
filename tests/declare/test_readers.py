"""Reading files of records: equal records both ways, dirt told with file and line."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packyak.engine.declare import csv_blocks
from packyak.engine.errors import DataError

from packyak import File, read_csv, read_jsonl


def file_of(folder: Path, content: str | bytes, name: str = "a.csv") -> File:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return File.at(path)


def both(folder: Path, content: str | bytes, **options: Any) -> list[dict[str, Any]]:
    """The records by Python's reader alone, which must be those of blocks of any size, one by one and as a table. An
    error must be the same.
    """
    file = file_of(folder, content)
    taken, error = taken_from(read_csv(file, **options))
    for size in (1, 16, 1 << 20) if len(content) < 1000 else (1 << 20,):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(csv_blocks, "LEAST", 0)
            patch.setattr(csv_blocks, "BLOCK", size)
            found, said = taken_from(read_csv(file, **options))
            assert found[: len(taken)] == taken and said == error  # Python decodes ahead of the record it answers
            if not error:
                assert found == taken
                table = read_csv(file, **options).to_arrow()
                assert table.to_pylist() == taken
                assert len(set(table.column_names)) == table.num_columns
                continue
            with pytest.raises(DataError) as caught:
                read_csv(file, **options).to_arrow()
            assert str(caught.value) == error
    return list(read_csv(file, **options))


def taken_from(records: Iterator[dict[str, Any]]) -> tuple[list[dict[str, Any]], str]:
    """The records that come, and the error that ends them."""
    taken = []
    try:
        for record in records:
            taken.append(record)
    except DataError as error:
        return taken, str(error)
    return taken, ""


@pytest.mark.parametrize(
    ("content", "records"),
    [
        ("", []),
        ("\n\n", []),
        ("id,n\n", []),
        ("id,n", []),
        ("id,n\n1,2\n", [{"id": "1", "n": "2"}]),
        ("id,n\r\n1,2\r\n\r\n3,4", [{"id": "1", "n": "2"}, {"id": "3", "n": "4"}]),
        ("\n\nid\n1\n\n2\n", [{"id": "1"}, {"id": "2"}]),
        ("\ufeffid,n\n1,\n", [{"id": "1", "n": ""}]),
        ('id,text\n1,"a, ""b""\nc"\n', [{"id": "1", "text": 'a, "b"\nc'}]),
        ('"id","te\nxt"\n1,2\n', [{"id": "1", "te\nxt": "2"}]),
        ("id, n\n 1 , NA\n", [{"id": " 1 ", " n": " NA"}]),
        ('id\n5"inch\n', [{"id": '5"inch'}]),
        ("id,when\n1,2024-01-01\n", [{"id": "1", "when": "2024-01-01"}]),
        ("naïve\nžluť\n", [{"naïve": "žluť"}]),
    ],
)
def test_records(tmp_path: Path, content: str, records: list[dict[str, Any]]) -> None:
    assert both(tmp_path, content) == records


def test_other_delimiters_and_encodings(tmp_path: Path) -> None:
    assert both(tmp_path, "id;n\n1;é\n".encode("cp1252"), delimiter=";", encoding="cp1252") == [{"id": "1", "n": "é"}]
    assert both(tmp_path, "id\tn\n1\té\n".encode("utf-16"), delimiter="\t", encoding="utf-16") == [
        {"id": "1", "n": "é"}
    ]


def test_types_are_converted_where_asked(tmp_path: Path) -> None:
    types = {"n": int, "x": float, "ok": bool, "at": datetime, "day": date}
    content = "id,n,x,ok,at,day\n1,2,3.5,yes,2024-01-02T03:04:05,2024-01-02\n2,,,,,\n"
    assert both(tmp_path, content, types=types) == [
        {"id": "1", "n": 2, "x": 3.5, "ok": True, "at": datetime(2024, 1, 2, 3, 4, 5), "day": date(2024, 1, 2)},
        {"id": "2", "n": None, "x": None, "ok": None, "at": None, "day": None},
    ]


@pytest.mark.parametrize(
    ("content", "options", "line", "says"),
    [
        ("id,n\n1,2\n\n3\n", {}, 4, ("Line 4 has 1 values where the header names 2 columns",)),
        ('id,n\n1,"a\nb"\n1,2,3\n', {}, 4, ("has 3 values",)),
        ("id;n\n1;2,3\n", {}, 2, ("delimiter=';'",)),
        ("id,id\n1,2\n", {}, 1, ("names `id` twice in its header (columns 1 and 2)",)),
        ("id,\n1,2\n", {}, 1, ("has no name for column 2",)),
        ('id,n\n1,"a\n', {}, 2, ("cannot be read as CSV", "check the quotes")),
        ('id,n\n1,2\n1,"a"b\n', {}, 3, ("cannot be read as CSV",)),
        (b"id,n\n1,2\n\xe9,2\n", {}, 3, ("is not utf-8: byte 9 (0xe9)", "encoding='cp1252'")),
        ("id\n1\n".encode("utf-16"), {}, 1, ("is not utf-8: byte 0", "encoding='utf-16'")),
        ("id,n\n1,x\n", {"types": {"n": int}}, 2, ("holds 'x' in `n`, which is no int",)),
        ("id,n\n1,x\n", {"types": {"n": bool}}, 2, ("which is no bool",)),
        ("id,n\n1,x\n", {"types": {"m": int}}, 1, ("has no column `m`, which types= converts",)),
    ],
)
def test_dirt_is_told_with_its_line(
    tmp_path: Path, content: str | bytes, options: dict[str, Any], line: int, says: tuple[str, ...]
) -> None:
    with pytest.raises(DataError) as caught:
        both(tmp_path, content, **options)
    assert str(caught.value).startswith(f"a.csv:{line}: ") and "Next: " in str(caught.value)
    assert all(fragment in str(caught.value) for fragment in says), str(caught.value)


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot delimit"):
        read_csv(file_of(tmp_path, ""), delimiter=";;")
    with pytest.raises(DataError, match="no encoding 'utf-9'"):
        both(tmp_path, "id\n1\n", encoding="utf-9")


def test_a_large_cell(tmp_path: Path) -> None:
    cell = "x" * 10_000_000
    assert both(tmp_path, f'id,text\n1,{cell}\n2,"{cell}\n"\n')[1]["text"] == cell + "\n"


def test_a_started_reader_gives_no_table(tmp_path: Path) -> None:
    records = read_csv(file_of(tmp_path, "id\n1\n2\n"))
    assert next(records) == {"id": "1"}
    with pytest.raises(DataError, match="already taken"):
        records.to_arrow()
    assert list(records) == [{"id": "2"}]


@given(st.text(alphabet='ab",;\n\r\té ', max_size=40), st.sampled_from(",;"))
@example('a\n"', ",")
@example('a,b\n"x"" ,"\n', ",")
@example("a\r\r\nb", ",")
def test_any_text_reads_alike_both_ways(tmp_path_factory: pytest.TempPathFactory, text: str, delimiter: str) -> None:
    with contextlib.suppress(DataError):
        both(tmp_path_factory.mktemp("csv"), text, delimiter=delimiter)


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
            min_size=3,
            max_size=3,
        ),
        max_size=6,
    )
)
def test_what_csv_writes_is_read_again(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["a", "b", "c"], *rows])
    found = both(tmp_path_factory.mktemp("csv"), text.getvalue())
    assert [list(record.values()) for record in found] == rows


def test_a_large_file_reads_alike_both_ways(tmp_path: Path) -> None:
    rows = "".join(f'{n},"name, {n}",2024-01-01,{n * 7}\n' for n in range(100_000))
    found = both(tmp_path, f"id,name,day,amount\n{rows}")
    assert len(found) == 100_000
    assert list(found[-1].values()) == ["99999", "name, 99999", "2024-01-01", "699993"]


def test_json_lines(tmp_path: Path) -> None:
    file = file_of(tmp_path, '\ufeff{"id": 1, "a": {"b": [1]}}\n\n{"id": 2.5, "c": "x\u2028y"}\r\n', "a.jsonl")
    assert list(read_jsonl(file)) == [{"id": 1, "a": {"b": [1]}}, {"id": 2.5, "c": "x\u2028y"}]
    assert read_jsonl(file).to_arrow().to_pylist() == [
        {"id": 1.0, "a": {"b": [1]}, "c": None}, {"id": 2.5, "a": None, "c": "x\u2028y"},
    ]  # fmt: skip
    assert list(read_jsonl(file_of(tmp_path, "", "b.jsonl"))) == []
    assert read_jsonl(file_of(tmp_path, "\n", "b.jsonl")).to_arrow().num_rows == 0


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        (b'{"id": 1}\n{"id": \n', 2, "is no JSON at character 7"),
        (b"[\n1]\n", 1, "one line of its own"),
        (b'{\n"id": 1}\n', 1, "one line of its own"),
        (b"1\n", 1, "holds int, not an object"),
        (b'{"id": 1}\n{"id": "\xe9"}\n', 2, "is not utf-8: byte 18 (0xe9)"),
        (b"[" * 100_000, 1, "nested too deeply"),
    ],
)
def test_dirty_json_lines_are_told_with_their_line(tmp_path: Path, content: bytes, line: int, says: str) -> None:
    with pytest.raises(DataError) as caught:
        list(read_jsonl(file_of(tmp_path, content, "a.jsonl")))
    assert str(caught.value).startswith(f"a.jsonl:{line}: ") and says in str(caught.value)


def test_json_columns_of_several_shapes_are_refused_as_a_table(tmp_path: Path) -> None:
    file = file_of(tmp_path, '{"a": 1}\n{"a": "x"}\n', "a.jsonl")
    assert list(read_jsonl(file)) == [{"a": 1}, {"a": "x"}]
    with pytest.raises(DataError, match=r"column `a` holds values of several shapes \(int, str\)"):
        read_jsonl(file).to_arrow()


def test_a_large_file_is_read_by_arrow_up_to_where_it_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK", 50_000)
    lines = [f'{n},"a ""{n}""\nb"\n' for n in range(20_000)]
    lines[15_000] = '15000,5"inch\n'
    file = file_of(tmp_path, "id,text\n" + "".join(lines))
    with file.open() as raw:
        read = list(csv_blocks.blocks(raw, ","))
    assert len(read) > 2 and 14_000 < sum(block.table.num_rows for block in read) <= 15_000
    expected = [{"id": str(n), "text": f'a "{n}"\nb' if n != 15_000 else '5"inch'} for n in range(20_000)]
    assert list(read_csv(file)) == expected == read_csv(file).to_arrow().to_pylist()


def test_a_line_at_fault_far_into_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK", 50_000)
    lines = [f'{n},"a\nb"\r\n' for n in range(20_000)]
    lines[19_000] = "19000,x,y\r\n"
    taken, error = taken_from(read_csv(file_of(tmp_path, "id,text\r\n" + "".join(lines))))
    assert len(taken) == 19_000 and "a.csv:38002: " in error
