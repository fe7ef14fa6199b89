"""`yield from read_csv(file)` hands whole blocks through: the records are those of taking them one by one, and the
generator goes on as it would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packyak.engine.declare import csv_blocks
from packyak.engine.declare.bucket import File
from packyak.engine.declare.readers import Reading, read_csv, read_jsonl
from packyak.engine.errors import DataError
from packyak.engine.run.compute.rows import table_of_dicts, table_of_many

Made = Iterator[dict[str, Any]]
TEXT = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_blocks, "BLOCK", 200)
    monkeypatch.setattr(csv_blocks, "LEAST", 500)


def file_of(folder: Path, content: str | bytes, key: str = "a.csv") -> File:
    path = folder / key
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return File(key, "inbox", size=path.stat().st_size, local=path)


def lines(count: int, first: int = 0) -> str:
    return "id,text\n" + "".join(f'{n},"a ""text"", {n}\nof two lines"\n' for n in range(first, first + count))


def alone(file: File) -> Made:
    yield from read_csv(file)


def in_the_middle(file: File) -> Made:
    yield {"id": "first", "text": ""}
    yield from read_csv(file)
    yield {"id": "last", "more": "x"}


def some_taken_before(file: File) -> Made:
    records = read_csv(file)
    yield {**next(records), "text": "taken"}
    for _ in range(3):
        next(records)
    yield from records


def twice(file: File) -> Made:
    yield from read_csv(file)
    for record in read_csv(file):
        yield {**record, "id": f"again {record['id']}"}
    yield from read_csv(file)


def nested(file: File) -> Made:
    def inner() -> Made:
        yield from read_csv(file)
        yield {"id": "inner"}

    yield from inner()
    yield from alone(file)


def with_types(file: File) -> Made:
    yield from read_csv(file, types={"id": int})


def with_dates(file: File) -> Made:
    yield from read_csv(file, types={"id": lambda text: date.fromordinal(int(text) + 1)})


GENERATORS = [alone, in_the_middle, some_taken_before, twice, nested, with_types, with_dates]


@pytest.mark.parametrize("make", GENERATORS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("count", [0, 1, 4, 5, 60, 500])
def test_the_same_records_in_the_same_order(tmp_path: Path, make: Callable[[File], Made], count: int) -> None:
    file = file_of(tmp_path, lines(count))
    if make is some_taken_before and count < 4:
        return
    expected = table_of_dicts(list(make(file)))
    found = table_of_many(make(file))
    assert found.to_pylist() == expected.to_pylist()
    assert found.schema == expected.schema


def test_blocks_are_taken_whole(tmp_path: Path) -> None:
    made = alone(file_of(tmp_path, lines(500)))
    first = next(made)
    reading = made.gi_yieldfrom  # type: ignore[attr-defined]
    assert isinstance(reading, Reading) and reading.rest is not None
    parts = [part if isinstance(part, pa.Table) else list(part) for part in reading.rest()]
    assert len(parts) > 10 and all(isinstance(part, pa.Table) for part in parts[:-1]) and parts[-1] == []
    assert [first["id"], *(id for part in parts[:-1] for id in part["id"].to_pylist())] == [str(n) for n in range(500)]  # type: ignore[union-attr,call-overload]
    assert next(made, None) is None


def test_what_cannot_be_read_in_blocks_follows_as_it_is(tmp_path: Path) -> None:
    content = lines(100) + '100,o"d"d quotes\n' + lines(100, 101).partition("\n")[2]
    file = file_of(tmp_path, content)
    assert table_of_many(alone(file)).to_pylist() == list(read_csv(file))


def test_a_line_at_fault_is_told_where_it_stands(tmp_path: Path) -> None:
    file = file_of(tmp_path, lines(200) + "200\n" + lines(5, 201).partition("\n")[2])
    with pytest.raises(DataError) as one_by_one:
        list(alone(file))
    with pytest.raises(DataError) as whole:
        table_of_many(alone(file))
    assert str(whole.value) == str(one_by_one.value)
    assert "alone" in [entry.name for entry in whole.traceback]  # raised in the user's function


def test_a_generator_may_know_what_to_do(tmp_path: Path) -> None:
    """The error is raised where the reading stands, and what the generator then yields is taken."""
    file = file_of(tmp_path, (lines(100) + "100,Größe\n").encode("cp1252"))

    def either(file: File) -> Made:
        try:
            yield from read_csv(file)
        except DataError as problem:
            yield {"id": "problem", "text": type(problem).__name__}
            yield from read_csv(file, encoding="cp1252")

    def silent(file: File) -> Made:
        try:
            yield from read_csv(file)
        except DataError:
            return

    for make in (either, silent):
        assert table_of_many(make(file)).to_pylist() == list(make(file))


def test_json_lines_come_one_by_one(tmp_path: Path) -> None:
    file = file_of(tmp_path, "".join(f'{{"n": {n}}}\n' for n in range(300)), "a.jsonl")

    def made() -> Made:
        yield from read_jsonl(file)

    assert table_of_many(made()).to_pylist() == [{"n": n} for n in range(300)]


@settings(max_examples=60)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=2, max_size=2)
    ),
    st.integers(0, 30),
)
def test_any_file_any_place(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], taken: int) -> None:
    import csv
    import io

    text = io.StringIO()
    csv.writer(text).writerows([["id", "text"], *rows * 5])
    file = file_of(tmp_path_factory.mktemp("any"), text.getvalue())

    def made() -> Made:
        records = read_csv(file)
        for _, record in zip(range(taken), records, strict=False):
            yield record
        yield from records

    assert table_of_many(made()).to_pylist() == table_of_dicts(list(made())).to_pylist()
