"""Repair on invented shops: what it fixes, what it leaves alone, and that its bytes are its own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from packyak.engine.learn.protocol import Labels
from packyak.engine.learn.repair.doubts import doubts
from packyak.engine.learn.repair.learner import RepairLearner, RepairModel
from packyak.engine.learn.repair.questions import questions
from shops import COLUMNS, said, shops

ROWS = [0, 9, 18, 4, 15, 26, 2, 3, 5, 7]


@pytest.fixture(scope="module")
def learned() -> tuple[pa.Table, pa.Table, RepairModel]:
    wrong, right = shops()
    return wrong, right, RepairLearner(COLUMNS, COLUMNS).fit(wrong, said(wrong, right, ROWS), seed=1)


def test_most_wrong_cells_are_corrected_and_hardly_any_right_one_broken(
    learned: tuple[pa.Table, pa.Table, RepairModel],
) -> None:
    wrong, right, model = learned
    made = model.predict(wrong).values
    for name in ("city", "opened"):
        before, after, answer = (np.array(t[name].to_pylist()) for t in (wrong, right, made))
        broken = (answer != after) & (before == after)
        fixed = (answer == after) & (before != after)
        assert broken.sum() <= 1, name
        assert fixed.sum() >= 0.9 * (before != after).sum(), name
    assert made["shop"].equals(wrong["shop"])


def test_an_answer_comes_with_confidence_and_reason(learned: tuple[pa.Table, pa.Table, RepairModel]) -> None:
    wrong, _, model = learned
    answers = model.predict(wrong)
    changed = np.array(answers.values["city"].to_pylist()) != np.array(wrong["city"].to_pylist())
    reasons = [reason for reason, c in zip(answers.evidence["city"].to_pylist(), changed, strict=True) if c]
    assert all(reasons)
    assert answers.evidence["city"].null_count == len(changed) - len(reasons)
    confidence = answers.confidence["city"].to_numpy()
    assert ((confidence >= 0) & (confidence <= 1)).all()


def test_answers_do_not_depend_on_the_rest_of_the_batch(learned: tuple[pa.Table, pa.Table, RepairModel]) -> None:
    wrong, _, model = learned
    whole, part = model.predict(wrong), model.predict(wrong.slice(40, 30))
    assert whole.values.slice(40, 30).equals(part.values)
    assert whole.confidence.slice(40, 30).equals(part.confidence)


def test_a_model_read_back_answers_the_same(learned: tuple[pa.Table, pa.Table, RepairModel]) -> None:
    wrong, _, model = learned
    files = model.to_files()
    again = RepairModel.from_files(files)
    assert again.to_files() == files
    assert again.predict(wrong).values.equals(model.predict(wrong).values)
    assert again.predict(wrong).confidence.equals(model.predict(wrong).confidence)


def test_new_records_are_repaired_too(learned: tuple[pa.Table, pa.Table, RepairModel]) -> None:
    _, _, model = learned
    new = pa.table({"shop": ["Corner"], "postcode": ["8010"], "city": ["Grqz"], "opened": ["07.02.2031"]})
    made = model.predict(new).values.to_pylist()[0]
    assert (made["city"], made["opened"], made["shop"]) == ("Graz", "2031-02-07", "Corner")


def test_labels_in_any_order_give_the_same_model() -> None:
    wrong, right = shops(120)
    labels = said(wrong, right, ROWS)
    mixed = labels.pick(np.random.default_rng(3).permutation(len(labels)).tolist())
    learner = RepairLearner(COLUMNS, COLUMNS)
    assert learner.fit(wrong, labels).to_files() == learner.fit(wrong, mixed).to_files()


def test_a_snapshot_teaches_what_the_person_saw() -> None:
    wrong, right = shops(200)
    labels = said(wrong, right, [4, 15, 26, 2])
    snapshots = tuple({name: wrong[name][int(key[1:])].as_py() for name in COLUMNS} for key in labels.key)
    kept = Labels(labels.key, labels.column, labels.value, labels.kind, snapshots)
    gone = wrong.filter(pa.array([i not in (4, 15, 26, 2) for i in range(200)]))
    made = RepairLearner(COLUMNS, COLUMNS).fit(gone, kept).predict(gone).values["opened"].to_pylist()
    assert sum(value.count("-") == 2 for value in made) >= 0.95 * len(made)


def test_numbers_stay_numbers() -> None:
    rng = np.random.default_rng(0)
    item = rng.integers(6, size=200)
    price = np.array([5, 12, 20, 33, 41, 58])[item]
    wrong_price = price.copy()
    wrong_price[::12] = price[::12] * 100
    records = pa.table({"_key": [str(i) for i in range(200)], "item": item.astype(str).tolist(), "price": wrong_price})
    rows = [(str(i), "price", int(price[i]), "correct", None) for i in (0, 12, 24)]
    rows += [(str(i), "price", int(price[i]), "accept", None) for i in (1, 2, 3, 5)]
    learner = RepairLearner(("price",), ("item", "price"))
    made = learner.fit(records, Labels.from_rows(rows)).predict(records).values["price"]  # type: ignore[arg-type]
    assert made.type == pa.int64()
    assert (made.to_numpy() == price).mean() > 0.98


def test_questions_seek_errors_never_repeat_and_keep_a_fifth_random() -> None:
    wrong, right = shops(400)
    learner = RepairLearner(COLUMNS, COLUMNS)
    prepared = learner.prepare(wrong)
    first = questions(learner, wrong, Labels(), 10, 0, prepared)
    rows = [int(q.key[1:]) for q in first]
    errors = sum(any(wrong[n][r].as_py() != right[n][r].as_py() for n in COLUMNS) for r in rows)
    assert errors >= 4
    assert sum(q.at_random for q in first) == 2
    assert all(q.why for q in first)
    second = questions(learner, wrong, said(wrong, right, rows), 10, 0, prepared)
    assert not {q.key for q in first} & {q.key for q in second}


def test_one_slip_does_not_spread_and_comes_back_to_be_looked_at() -> None:
    wrong, right = shops()
    labels = said(wrong, right, [*ROWS, 10, 11, 12, 13, 14, 16, 17])
    place = next(i for i in range(len(labels)) if labels.column[i] == "city" and labels.kind[i] == "accept")
    values = list(labels.value)
    values[place] = "Lynz"
    slip = Labels(labels.key, labels.column, tuple(values), labels.kind, labels.snapshot)
    learner = RepairLearner(COLUMNS, COLUMNS)
    prepared = learner.prepare(wrong)
    made = np.array(learner.fit(wrong, slip, prepared=prepared).predict(wrong).values["city"].to_pylist())
    assert (made == "Lynz").sum() == 0
    assert (labels.key[place], "city") in {(d.key, d.column) for d in doubts(learner, wrong, slip, prepared=prepared)}
