"""What must hold whatever the graph and the changes: stale = brute force, rerun = no-op, reopen = same, no order."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from packyak.engine.project import Project
from packyak.engine.run.correct.saving import Said

SETTINGS = 'name = "{name}"\nmodules = ["pipeline"]\n[settings]\nprefect = "off"\nworker = "off"\n'


class Model:
    """A random chain-and-branch project, and its values worked out by hand from what it holds."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = random.Random(seed)
        self.folder = folder
        self.factors = {f"t{n}": self.rng.randint(1, 5) for n in range(self.rng.randint(2, 5))}
        names = list(self.factors)
        self.parents = {
            name: ("rows" if not place else self.rng.choice(["rows", *names[:place]]))
            for place, name in enumerate(names)
        }
        self.reads = {name: ("x" if parent == "rows" else parent) for name, parent in self.parents.items()}
        self.files: dict[str, list[dict[str, Any]]] = {
            f"f{n}": [{"id": f"{n}-{m}", "x": self.rng.randint(0, 50)} for m in range(self.rng.randint(1, 4))]
            for n in range(3)
        }
        self.corrections: dict[tuple[str, str], int] = {}
        self.calls = folder / "calls"

    def write(self) -> None:
        bucket = self.folder / ".packyak/buckets/inbox"
        bucket.mkdir(parents=True, exist_ok=True)
        (self.folder / "packyak.toml").write_text(SETTINGS.format(name=self.folder.name))
        (self.folder / "pipeline.py").write_text(self.source())
        for path in bucket.glob("*.jsonl"):
            if path.stem not in self.files:
                path.unlink()
        for name, records in self.files.items():
            text = "".join(json.dumps(record) + "\n" for record in records)
            path = bucket / f"{name}.jsonl"
            if not path.exists() or path.read_text() != text:
                path.write_text(text)

    def source(self) -> str:
        text = (
            "from typing import Iterator\nfrom packyak import Bucket, File, read_jsonl, sql, transform\n"
            f"def seen(what):\n    with open({str(self.calls)!r}, 'a') as calls:\n        calls.write(what + '\\n')\n"
            "inbox = Bucket('inbox')\n"
            "@transform(inbox.files('*.jsonl'), key='id')\ndef rows(file: File) -> Iterator[dict]:\n"
            "    yield from read_jsonl(file)\n"
        )
        for name, factor in self.factors.items():
            column = self.reads[name]
            text += f"@transform({self.parents[name]})\ndef {name}({column}: int) -> int:\n    seen('{name}')\n"
            text += f"    return ({column} * {factor}) % 7\n"
        last = list(self.factors)[-1]
        return text + f"total = sql('select {last}, count(*) as n from {last} group by all')\n"

    def values(self) -> dict[str, dict[str, int]]:
        """Every transform's effective value by record."""
        found: dict[str, dict[str, int]] = {}
        source = {record["id"]: record["x"] for records in self.files.values() for record in records}
        found["rows"] = {key: self.corrections.get(("x", key), x) for key, x in source.items()}
        for name, factor in self.factors.items():
            above = found[self.parents[name]]
            computed = {key: (value * factor) % 7 for key, value in above.items()}
            found[name] = {key: self.corrections.get((name, key), value) for key, value in computed.items()}
        return found

    def mutate(self, project: Project) -> None:
        what = self.rng.choice(["file", "new", "gone", "code", "correct", "correct source"])
        if what == "file":
            records = self.rng.choice(list(self.files.values()))
            self.rng.choice(records)["x"] = self.rng.randint(0, 50)
        elif what == "new":
            name = f"f{self.rng.randint(10, 10_000)}"
            self.files[name] = [{"id": f"{name}-0", "x": self.rng.randint(0, 50)}]
        elif what == "gone" and len(self.files) > 1:
            del self.files[self.rng.choice(list(self.files))]
        elif what == "code":
            self.factors[self.rng.choice(list(self.factors))] = self.rng.randint(1, 5)
        else:
            asset = "rows" if what == "correct source" else self.rng.choice(list(self.factors))
            column = "x" if asset == "rows" else asset
            key = self.rng.choice(sorted(project.read("rows", ["id"])["id"].to_pylist()))
            value = self.rng.randint(0, 6)
            project.correct(asset, key, column, value)
            self.corrections[column, key] = value
        self.write()


def stored(project: Project, name: str) -> dict[str, int]:
    column = "x" if name == "rows" else name
    return {row["id"]: row[column] for row in project.read(name, ["id", column]).to_pylist()}


def expected_calls(
    before: dict[str, dict[str, int]], after: dict[str, dict[str, int]], old: Model, new: Model
) -> dict[str, int]:
    """By brute force: a function is called on a record when its own code changed or the value that it reads did."""
    calls = {}
    for name in new.factors:
        parent = new.parents[name]
        changed = [
            key
            for key, value in after[parent].items()
            if old.factors[name] != new.factors[name] or before[parent].get(key) != value
        ]
        calls[name] = len(changed)
    return {name: count for name, count in calls.items() if count}


def copy_of(model: Model) -> Model:
    twin = Model.__new__(Model)
    twin.__dict__ |= {**model.__dict__, "factors": dict(model.factors), "corrections": dict(model.corrections)}
    return twin


@pytest.mark.parametrize("seed", range(6))
def test_values_and_calls_equal_brute_force_through_random_changes(seed: int, tmp_path: Path) -> None:
    model = Model(seed, tmp_path / "p")
    model.folder.mkdir()
    model.write()
    Project.open(model.folder).run()
    for _ in range(5):
        before, old = model.values(), copy_of(model)
        model.mutate(Project.open(model.folder))
        model.calls.write_text("")
        project = Project.open(model.folder)
        record = project.run()
        assert record.state == "done", record
        after = model.values()
        for name in ("rows", *model.factors):
            assert stored(project, name) == after[name]
        lines = model.calls.read_text().split()
        assert {name: lines.count(name) for name in model.factors if name in lines} == expected_calls(
            before, after, old, model
        )
        again = Project.open(model.folder)  # reopened: nothing to do, and everything reads the same
        assert again.run().assets == ()
        assert {name: again.versions(name)[0].version for name in model.factors} == {
            name: project.versions(name)[0].version for name in model.factors
        }


def test_a_version_names_content_wherever_it_was_computed(tmp_path: Path) -> None:
    names = []
    for place in ("one", "two"):
        model = Model(3, tmp_path / place)
        model.folder.mkdir()
        model.write()
        project = Project.open(model.folder)
        project.run()
        if place == "two":  # a detour over other values ends at the same version
            factor = next(iter(model.factors))
            model.factors[factor] += 1
            model.write()
            Project.open(model.folder).run()
            model.factors[factor] -= 1
            model.write()
            project = Project.open(model.folder)
            project.run()
        names.append({name: project.versions(name)[0].version for name in ("rows", *model.factors, "total")})
    assert names[0] == names[1]


def test_a_moved_project_has_nothing_to_do(tmp_path: Path) -> None:
    model = Model(1, tmp_path / "here")
    model.calls = tmp_path / "calls"
    model.folder.mkdir()
    model.write()
    Project.open(model.folder).run()
    model.calls.write_text("")
    shutil.move(model.folder, tmp_path / "there")
    moved = Project.open(tmp_path / "there")
    assert moved.run().state == "done"
    assert model.calls.read_text() == ""


SAID = st.lists(st.tuples(st.sampled_from(["A", "B", "C"]), st.integers(0, 9)), min_size=1, max_size=6)


@given(said=SAID, order=st.randoms(use_true_random=False))
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_corrections_of_different_records_does_not_matter(
    said: list[tuple[str, int]], order: random.Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    last = list({key: (key, value) for key, value in said}.values())
    shuffled = order.sample(last, len(last))
    found = [_after(corrections, tmp_path_factory.mktemp("p")) for corrections in (last, shuffled)]
    assert found[0] == found[1]


def _after(corrections: list[tuple[str, int]], folder: Path) -> tuple[str, list[dict[str, Any]]]:
    source: Callable[[str], str] = lambda text: text  # noqa: E731
    (folder / "packyak.toml").write_text(SETTINGS.format(name="order"))
    (folder / "pipeline.py").write_text(
        source(
            "from packyak import asset, transform\n"
            "@asset(key='id')\ndef rows():\n    return [{'id': key, 'x': 1} for key in 'ABC']\n"
            "@transform(rows)\ndef double(x: int) -> int:\n    return 2 * x\n"
        )
    )
    project = Project.open(folder)
    project.run()
    for key, value in corrections:
        project.correct_many([Said("double", key, "double", value)])
    project.run()
    return project.versions("double")[0].version, project.read("double").sort_by("id").to_pylist()
