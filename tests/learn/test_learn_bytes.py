"""Same corrections, same bytes, in any process; and a model read from disk answers as the one that was written."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from packyak.engine.learn.classify import ClassifyLearner, ClassifyModel
from packyak.engine.learn.protocol import Labels, Model, hash_of, model_id
from packyak.engine.learn.regress import RegressLearner, RegressModel
from packyak.engine.learn.repair.learner import RepairLearner, RepairModel
from shops import COLUMNS, said, shops
from words import TOPICS, embed, messages, told


def classified() -> tuple[Model, pa.Table]:
    records, topics = messages(120)
    more = records.append_column("channel", pa.array([("mail", "chat")[i % 2] for i in range(120)]))
    learner = ClassifyLearner("topic", TOPICS, ("text", "channel"), embed, costs={"billing": 2.0})
    return learner.fit(more, told(topics, range(40))), more


def regressed() -> tuple[Model, pa.Table]:
    records, topics = messages(120)
    size = [float(TOPICS.index(topic)) for topic in topics]
    labels = Labels.from_rows([(f"m{i:04}", "size", size[i], "correct", None) for i in range(40)])
    return RegressLearner("size", ("text",), embed).fit(records, labels), records


def repaired() -> tuple[Model, pa.Table]:
    wrong, right = shops(120)
    return RepairLearner(COLUMNS, COLUMNS).fit(wrong, said(wrong, right, [0, 9, 18, 4, 15, 2])), wrong


LEARNERS: dict[str, Callable[[], tuple[Model, pa.Table]]] = {
    "classification": classified,
    "regression": regressed,
    "repair": repaired,
}
READERS: dict[str, Callable[[dict[str, bytes]], Model]] = {
    "classification": lambda files: ClassifyModel.from_files(files, embed),
    "regression": lambda files: RegressModel.from_files(files, embed),
    "repair": RepairModel.from_files,
}


def answers_hash(model: Model, records: pa.Table) -> str:
    """One hash of all values and confidences."""
    said = model.predict(records)
    return hash_of(repr((said.values.to_pydict(), said.confidence.to_pydict())).encode())


def fingerprints() -> dict[str, tuple[str, str]]:
    """The id of each model, and the hash of its answers."""
    made = {name: learn() for name, learn in LEARNERS.items()}
    return {name: (model_id(model.to_files()), answers_hash(model, records)) for name, (model, records) in made.items()}


_PROCESS = "import json, test_learn_bytes as here; print(json.dumps(here.fingerprints()))"


def test_two_processes_learn_the_same_bytes() -> None:
    told = []
    for seed in ("1", "2"):
        path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": seed}
        done = subprocess.run([sys.executable, "-c", _PROCESS], env=env, capture_output=True, text=True, check=True)
        told.append(json.loads(done.stdout))
    assert told[0] == told[1]
    assert set(told[0]) == set(LEARNERS)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_model_from_disk_answers_the_same(name: str, tmp_path: Path) -> None:
    model, records = LEARNERS[name]()
    for file, data in model.to_files().items():
        (tmp_path / file).write_bytes(data)
    again = READERS[name]({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert answers_hash(again, records) == answers_hash(model, records)
    assert again.to_files() == model.to_files()


@pytest.mark.parametrize("name", LEARNERS)
def test_a_model_is_arrays_and_json(name: str) -> None:
    model, _ = LEARNERS[name]()
    for file, data in model.to_files().items():
        if file.endswith(".json"):
            json.loads(data)
        else:
            with np.load(io.BytesIO(data), allow_pickle=False) as stored:
                assert all(stored[part].dtype != object for part in stored.files)
