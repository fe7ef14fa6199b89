"""The sample's declarations as plain functions, over its data, against its truth: no engine needed."""

import csv
import importlib.util
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packyak.sample_data import create

from packyak import File


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def pipeline(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("sample_pipeline", folder / "pipeline.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def records(folder: Path, pipeline: ModuleType) -> dict[str, dict[str, Any]]:
    """Every ticket, as the newest file has it."""
    found = {}
    for path in sorted((folder / ".packyak/buckets/inbox").glob("tickets*"), key=lambda path: path.stat().st_mtime):
        for record in pipeline.tickets(File.at(path)):
            found[record["ticket_id"]] = record
    return found


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict[str, dict[str, str]]:
    lines = (folder / "truth.csv").read_text(encoding="utf-8").splitlines()
    return {row["ticket_id"]: row for row in csv.DictReader(lines)}


def facts(pipeline: ModuleType, records: dict[str, dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    for key, record in records.items():
        try:
            yield key, pipeline.facts(record["received"], record.get("plan"), record.get("amount"))
        except ValueError as error:
            yield key, error


def test_every_ticket_is_read(records: dict[str, Any], truth: dict[str, Any]) -> None:
    assert set(records) == set(truth)


def test_facts_are_true_and_a_few_amounts_cannot_be_read(
    pipeline: ModuleType, records: dict[str, Any], truth: dict[str, dict[str, str]]
) -> None:
    failed = 0
    for key, found in facts(pipeline, records):
        if isinstance(found, ValueError):
            failed += 1
            continue
        assert f"{found.received:%Y-%m-%dT%H:%M:%SZ}" == truth[key]["received"]
        assert found.plan in (None, truth[key]["plan"])
        assert found.amount is None or f"{found.amount:.2f}" == truth[key]["amount"]
    assert 3 <= failed <= 12


def test_text_is_readable(pipeline: ModuleType, records: dict[str, Any]) -> None:
    for record in records.values():
        text = pipeline.text(record["subject"], record.get("body"))
        assert not {mark for mark in ("<", "wrote:", "Ã", "â€", "&nbsp;") if mark in text}


def test_the_first_rule_leaves_people_something_to_teach(
    pipeline: ModuleType, records: dict[str, Any], truth: dict[str, dict[str, str]]
) -> None:
    said: Counter[str] = Counter()
    for key, record in records.items():
        answer = pipeline.topic(pipeline.text(record["subject"], record.get("body")))
        said["none" if answer is None else "right" if answer == truth[key]["topic"] else "wrong"] += 1
    assert said["none"] > 0.5 * len(records)
    assert said["right"] > 2 * said["wrong"] > 50


def test_the_old_names_are_those_of_the_export(pipeline: ModuleType) -> None:
    from packyak.sample_data.generate import OLD_NAMES

    assert {old: new for new, old in OLD_NAMES.items()} == pipeline.OLD_NAMES
