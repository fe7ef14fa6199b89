"""Record lineage equals a walk by brute force over random small projects, whatever happened to them before."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openlineage_schemas import problems
from packyak.engine.lineage.chain import Trace
from packyak.engine.lineage.log import EventLog
from packyak.engine.project import Project

SETTINGS = 'name = "traced"\nmodules = ["pipeline"]\n[settings]\nprefect = "off"\nworker = "off"\n'
StepId = tuple[str, str]
FILES, RATES = "inbox/*.jsonl", "inbox/*.rates"


class World:
    """A random project over two kinds of files, and every record's parents worked out by hand.

    `rows` and `rates` come from files, t0.. are one to one, `parts` one to many with their parent's key, `price` looks
    a rate up; `sums` groups, `pairs` joins, `kept` filters and keeps its input's key, `all_words` unites.
    """

    def __init__(self, seed: int, folder: Path) -> None:
        self.rng = random.Random(seed)
        self.folder = folder
        self.factors = {f"t{n}": self.rng.randint(1, 5) for n in range(self.rng.randint(1, 3))}
        names = list(self.factors)
        self.parent = {name: self.rng.choice(["rows", *names[:place]]) for place, name in enumerate(names)}
        self.reads = {name: ("x" if above == "rows" else above) for name, above in self.parent.items()}
        self.last = names[-1]
        self.files: dict[str, list[dict[str, Any]]] = {f"f{n}": self._records(f"{n}") for n in range(3)}
        self.rates = {"a": 2, "b": 3}
        self.words: dict[tuple[str, str, str], Any] = {}

    def _records(self, name: str) -> list[dict[str, Any]]:
        return [
            {"id": f"{name}-{m}", "x": self.rng.randint(0, 9), "cur": self.rng.choice("abc"), "s": self._text()}
            for m in range(self.rng.randint(1, 3))
        ]

    def _text(self) -> str:
        return " ".join(self.rng.choices(["one", "two", "three"], k=self.rng.randint(0, 2)))

    def write(self) -> None:
        bucket = self.folder / ".packyak/buckets/inbox"
        bucket.mkdir(parents=True, exist_ok=True)
        (self.folder / "packyak.toml").write_text(SETTINGS)
        (self.folder / "pipeline.py").write_text(self.source())
        texts = {f"{name}.jsonl": records for name, records in self.files.items()}
        texts["x.rates"] = [{"cur": cur, "r": r} for cur, r in self.rates.items()]
        for path in bucket.glob("*.jsonl"):
            if path.name not in texts:
                path.unlink()
        for name, records in texts.items():
            text = "".join(json.dumps(record) + "\n" for record in records)
            if not (bucket / name).exists() or (bucket / name).read_text() != text:
                (bucket / name).write_text(text)

    def source(self) -> str:
        text = (
            "from typing import Iterator\nfrom packyak import Bucket, File, Index, read_jsonl, sql, transform\n"
            "inbox = Bucket('inbox')\n"
            "@transform(inbox.files('*.jsonl'), key='id')\ndef rows(file: File) -> Iterator[dict]:\n"
            "    yield from read_jsonl(file)\n"
            "@transform(inbox.files('*.rates'), key='cur')\ndef rates(file: File) -> Iterator[dict]:\n"
            "    yield from read_jsonl(file)\n"
        )
        for name, factor in self.factors.items():
            column = self.reads[name]
            text += f"@transform({self.parent[name]})\ndef {name}({column}: int) -> int:\n"
            text += f"    return ({column} * {factor}) % 4\n"
        return text + (
            f"@transform({self.last}, key_in_parent='place')\n"
            f"def parts(s: str, {self.last}: int) -> Iterator[dict]:\n"
            "    for place, word in enumerate(s.split()):\n        yield {'place': place, 'word': word}\n"
            "@transform(rows, lookup={'rates': 'cur'})\ndef price(x: int, rates: dict | None) -> int:\n"
            "    return x * (rates['r'] if rates else 1)\n"
            f"sums = sql('with c as (select {self.last} as t, id from {self.last}) "
            "select t, count(*) as n, max(id) as newest from c group by all')\n"
            "pairs = sql('select w.word, p.price > 5 as dear, count(*) as n from parts w "
            "join price p on p.id[1] = w.place::varchar where p.price < 20 group by all')\n"
            "kept = sql('select id, x from rows where x > 4')\n"
            "all_words = sql('select word from parts union select cur from rates')\n"
        )

    def mutate(self, project: Project) -> None:
        what = self.rng.choice(["file", "new", "gone", "code", "correct", "correct", "rate", "restore"])
        if what == "file":
            record = self.rng.choice(self.rng.choice(list(self.files.values())))
            record |= {"x": self.rng.randint(0, 9), "cur": self.rng.choice("abc"), "s": self._text()}
        elif what == "new":
            name = f"f{self.rng.randint(10, 10_000)}"
            self.files[name] = self._records(name)
        elif what == "gone" and len(self.files) > 1:
            del self.files[self.rng.choice(list(self.files))]
        elif what == "code":
            self.factors[self.rng.choice(list(self.factors))] = self.rng.randint(1, 5)
        elif what == "restore":
            asset = self.rng.choice([*self.factors, "rows", "price"])
            versions = project.versions(asset)
            if versions[-1].version != versions[0].version:
                project.restore(asset, versions[-1].version)
        elif what == "rate":
            self.rates["c" if self.rng.random() < 0.5 else "a"] = self.rng.randint(1, 4)
        else:
            asset, column = self.rng.choice([("rows", "x"), ("rows", "cur"), (self.last, self.last)])
            value: Any = self.rng.choice("abc") if column == "cur" else self.rng.randint(0, 3)
            key = self.rng.choice(sorted(project.read("rows", ["id"])["id"].to_pylist()))
            project.correct(asset, key, column, value)
            self.words[asset, key, column] = value
        self.write()

    def tables(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Every asset's records by key."""
        found: dict[str, dict[str, dict[str, Any]]] = {"rows": {}, "rates": {}}
        for name, records in self.files.items():
            for record in records:
                found["rows"][record["id"]] = {**record, "file": f"{name}.jsonl"} | self._said("rows", record["id"])
        for cur, r in self.rates.items():
            found["rates"][cur] = {"cur": cur, "r": r, "file": "x.rates"}
        for name, factor in self.factors.items():
            above = found[self.parent[name]]
            found[name] = {
                key: {name: (row[self.reads[name]] * factor) % 4} | self._said(name, key) for key, row in above.items()
            }
        rows = found["rows"]
        found["parts"] = {
            f"{len(key)}:{key}|{len(str(place))}:{place}": {"word": word, "place": place, "of": key}
            for key, row in rows.items()
            for place, word in enumerate(row["s"].split())
        }
        rates = found["rates"]
        found["price"] = {
            key: {"price": row["x"] * (rates[row["cur"]]["r"] if row["cur"] in rates else 1)}
            for key, row in rows.items()
        }
        return found

    def _said(self, asset: str, key: str) -> dict[str, Any]:
        return {column: value for (a, k, column), value in self.words.items() if (a, k) == (asset, key)}

    def edges(self) -> set[tuple[StepId, StepId]]:
        """Who was computed from whom: (above, below)."""
        tables = self.tables()
        found: set[tuple[StepId, StepId]] = set()
        for key, row in tables["rows"].items():
            found.add(((FILES, row["file"]), ("rows", key)))
            found.add((("rows", key), ("price", key)))
            if row["cur"] in tables["rates"]:
                found.add((("rates", row["cur"]), ("price", key)))
            for name in self.factors:
                found.add(((self.parent[name], key), (name, key)))
            found.add(((self.last, key), ("sums", str(tables[self.last][key][self.last]))))
            found.add((("rows", key), ("sums", str(tables[self.last][key][self.last]))))  # by its id
            if row["x"] > 4:
                found.add((("rows", key), ("kept", key)))
        for cur in tables["rates"]:
            found |= {((RATES, "x.rates"), ("rates", cur)), (("rates", cur), ("all_words", cur))}
        for key, part in tables["parts"].items():
            found |= {(("rows", part["of"]), ("parts", key)), ((self.last, part["of"]), ("parts", key))}
            found.add((("parts", key), ("all_words", part["word"])))
            for other, row in tables["price"].items():
                if other[0] == str(part["place"]) and row["price"] < 20:
                    dear = str(row["price"] > 5).lower()
                    pair = ("pairs", f"{len(part['word'])}:{part['word']}|{len(dear)}:{dear}")
                    found |= {(("parts", key), pair), (("price", other), pair), (("rows", other), pair)}
        return found


def walked(start: StepId, edges: set[tuple[StepId, StepId]], direction: str) -> set[StepId]:
    """All that is reached from a step."""
    next_of: dict[StepId, list[StepId]] = {}
    for above, below in edges:
        one, other = (below, above) if direction == "up" else (above, below)
        next_of.setdefault(one, []).append(other)
    found, waiting = {start}, [start]
    while waiting:
        for step in next_of.get(waiting.pop(), []):
            if step not in found:
                found.add(step)
                waiting.append(step)
    return found


def keys(project: Project, asset: str) -> list[str]:
    return list(project.page(asset, limit=1000).rows["_key"].to_pylist())


def named(trace: Trace) -> dict[StepId, StepId]:
    """Steps by the names that the world has for them: a record without a key is known by its content."""
    return {
        step.id: (step.asset, str(step.values["word"])) if step.asset == "all_words" else step.id
        for step in trace.steps
    }


def check(project: Project, world: World, count: int = 12) -> None:
    edges = world.edges()
    assets = ["rows", "rates", *world.factors, "parts", "price", "sums", "pairs", "kept", "all_words"]
    records = [(asset, key) for asset in assets for key in keys(project, asset)]
    for asset, key in world.rng.sample(records, min(count, len(records))):
        for direction in ("up", "down"):
            trace = project.trace(asset, key, direction=direction, limit=None)  # type: ignore[arg-type]
            names = named(trace)
            start = names[trace.start.id]
            assert set(names.values()) == walked(start, edges, direction), (asset, key, direction)
            assert {(names[link.above], names[link.below]) for link in trace.links} == {
                (above, below) for above, below in edges if {above, below} <= set(names.values())
            }
            assert (trace.start.asset, trace.start.key, trace.notes, trace.cut) == (asset, key, (), 0)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 12))])
def test_traces_equal_brute_force_through_random_changes(seed: int, tmp_path: Path) -> None:
    world = World(seed, tmp_path)
    world.write()
    Project.open(world.folder).run()
    for _ in range(4):
        world.mutate(Project.open(world.folder))
        project = Project.open(world.folder)
        assert project.run().state == "done"
    check(project, world)


LEARNED = """
    from typing import Iterator, Literal
    from packyak import Bucket, File, learned, read_jsonl, sql, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.jsonl"), key="id")
    def rows(file: File) -> Iterator[dict]:
        yield from read_jsonl(file)

    @learned(rows, train_after=8)
    def topic(s: str) -> Literal["billing", "delivery"]:
        return "delivery"

    per_topic = sql("select topic, count(*) as n from topic group by all")
"""
WORDS = {"billing": ("invoice", "refund", "charge", "payment"), "delivery": ("parcel", "late", "courier", "box")}


@pytest.mark.slow
def test_a_model_and_the_people_behind_it_are_told(project_folder: Callable[..., Path]) -> None:
    rng = random.Random(5)
    rows = [
        {"id": str(n), "s": f"my {' '.join(rng.sample(WORDS[kind], 2))} number {n}"}
        for n, kind in enumerate(rng.choices(["billing", "delivery"], k=60))
    ]
    right = {
        row["id"]: next(kind for kind, words in WORDS.items() if any(w in row["s"] for w in words)) for row in rows
    }
    text = "".join(json.dumps(row) + "\n" for row in rows)
    folder = project_folder(LEARNED, files={"inbox/a.jsonl": text}, settings={"learn": "off"})
    project = Project.open(folder)
    first = project.run()
    said = {key: project.correct("topic", key, "topic", right[key], by="ana") for key in list(right)[:24]}
    (lesson,) = project.learn(["topic"], promote=True)
    project = Project.open(folder)
    second = project.run()
    assert second.state == "done", second

    other = next(key for key in right if key not in said and right[key] == "billing")
    step = project.trace("topic", other).start
    assert step.decided == "model"
    assert step.model is not None
    assert (step.model.people, step.model.corrections) == (("ana",), 24)
    assert step.run == second.id
    taught = project.trace("topic", next(iter(said))).start
    assert (taught.decided, [word.by for word in taught.corrections]) == ("person", ["ana"])
    diff = project.diff("topic", first.id, second.id, limit=100)
    found = {change.key: change.fields[0].causes for change in diff.examples}
    assert [cause.category for cause in found[other]] == ["model"]
    corrected = [key for key in found if key in said]
    assert {cause.category for key in corrected for cause in found[key]} == {"correction"}
    made = [event for event in EventLog(project.home).read(second.id) if event["eventType"] == "COMPLETE"]
    facet = next(event for event in made if event["job"]["name"] == "topic")["outputs"][0]["facets"]["packyak_model"]
    assert (facet["id"], facet["trainedOn"]) == (step.model.id, 24)
    assert [problems(event) for event in made] == [[]] * len(made)
    assert lesson is not None
