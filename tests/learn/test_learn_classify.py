"""Classification and regression on invented messages, with a tiny embedder."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from packyak.engine.learn.classify import ClassifyLearner, ClassifyModel
from packyak.engine.learn.protocol import Labels
from packyak.engine.learn.regress import RegressLearner, RegressModel
from packyak.engine.learn.vectors import Encoder
from words import TOPICS, embed, messages, told


def learner(**more: object) -> ClassifyLearner:
    return ClassifyLearner("topic", TOPICS, ("text",), embed, **more)  # type: ignore[arg-type]


def accuracy(model: ClassifyModel, records: pa.Table, topics: list[str]) -> float:
    return float(np.mean(np.array(model.predict(records).values["topic"].to_pylist()) == np.array(topics)))


def test_a_few_labels_teach() -> None:
    records, topics = messages()
    assert accuracy(learner().fit(records, told(topics, range(40))), records, topics) > 0.9


def test_names_of_answers_help_before_any_label() -> None:
    records, topics = messages()
    assert accuracy(learner().fit(records, Labels()), records, topics) > 0.4


def test_confidence_is_a_chance_and_the_threshold_keeps_its_promise() -> None:
    records, topics = messages(400)
    model = learner().fit(records, told(topics, range(60)))
    answers = model.predict(records.slice(60))
    sure = answers.confidence["topic"].to_numpy()
    right = np.array(answers.values["topic"].to_pylist()) == np.array(topics[60:])
    assert ((sure > 0) & (sure <= 1)).all()
    applied = sure >= model.threshold(0.95)
    assert right[applied].mean() > 0.9


def test_costs_move_answers_towards_what_must_not_be_missed() -> None:
    records, topics = messages()
    labels = told(topics, range(14))
    plain, dear = learner().fit(records, labels), learner(costs={"billing": 20.0}).fit(records, labels)
    counts = [model.predict(records).values["topic"].to_pylist().count("billing") for model in (plain, dear)]
    assert counts[1] > counts[0]


def test_the_first_rule_is_believed_where_it_is_right() -> None:
    records, topics = messages(300)
    blank = records.set_column(1, "text", pa.array(["same words"] * 300))
    with_rule = blank.append_column("rule", pa.array([topic if i % 5 else None for i, topic in enumerate(topics)]))
    model = learner(rule="rule").fit(with_rule, told(topics, range(50)))
    assert accuracy(model, with_rule, topics) > 0.75


def test_other_columns_are_read() -> None:
    records, topics = messages(300)
    blank = records.set_column(1, "text", pa.array([f"same words {i}" for i in range(300)]))
    more = blank.append_column("amount", pa.array([float(TOPICS.index(topic)) for topic in topics]))
    model = ClassifyLearner("topic", TOPICS, ("text", "amount"), embed).fit(more, told(topics, range(60)))
    assert accuracy(model, more, topics) > 0.9


def test_a_model_read_back_answers_the_same() -> None:
    records, topics = messages()
    model = learner().fit(records, told(topics, range(30)))
    again = ClassifyModel.from_files(model.to_files(), embed)
    assert again.to_files() == model.to_files()
    assert again.predict(records).confidence.equals(model.predict(records).confidence)


def test_labels_in_any_order_give_the_same_model() -> None:
    records, topics = messages()
    assert learner().fit(records, told(topics, range(30))).to_files() == (
        learner().fit(records, told(topics, range(29, -1, -1))).to_files()
    )


def test_a_snapshot_teaches_what_the_person_saw() -> None:
    records, topics = messages(60)
    seen = [{"text": text} for text in records["text"].to_pylist()]
    rows = [(f"m{i:04}", "topic", topics[i], "correct", seen[i]) for i in range(40)]
    changed = records.set_column(1, "text", pa.array([f"nothing of interest here {i}" for i in range(60)]))
    model = learner().fit(changed, Labels.from_rows(rows))  # type: ignore[arg-type]
    assert accuracy(model, records, topics) > 0.85


def test_true_and_false_are_answers_too() -> None:
    records, topics = messages()
    labels = Labels.from_rows([(f"m{i:04}", "urgent", topics[i] == "billing", "correct", None) for i in range(50)])
    model = ClassifyLearner("urgent", (True, False), ("text",), embed).fit(records, labels)
    made = model.predict(records).values["urgent"]
    assert made.type == pa.bool_()
    assert np.mean(made.to_numpy() == (np.array(topics) == "billing")) > 0.85


def test_few_short_values_are_choices_and_long_texts_are_text() -> None:
    records = pa.table({"a": ["x", "y"] * 50, "b": [f"text {i}" for i in range(100)], "c": list(range(100))})
    encoder = Encoder.of(records, ("a", "b", "c"))
    assert (encoder.texts, [c[0] for c in encoder.choices], [n[0] for n in encoder.numbers]) == (("b",), ["a"], ["c"])
    assert Encoder.from_json(encoder.to_json()) == encoder


def test_regression_learns_a_number_and_how_sure_it_is() -> None:
    rng = np.random.default_rng(0)
    size, age = rng.uniform(20, 150, 300), rng.uniform(0, 50, 300)
    price = 3 * size - 2 * age + 100
    records = pa.table({"_key": [str(i) for i in range(300)], "size": size, "age": age})
    labels = Labels.from_rows([(str(i), "price", float(price[i]), "correct", None) for i in range(60)])
    model = RegressLearner("price", ("size", "age"), embed, tolerance=20.0).fit(records, labels)
    answers = model.predict(records)
    close = np.abs(answers.values["price"].to_numpy() - price) <= 20
    assert close.mean() > 0.9
    assert abs(answers.confidence["price"].to_numpy().mean() - close.mean()) < 0.15
    again = RegressModel.from_files(model.to_files(), embed)
    assert again.to_files() == model.to_files()
    assert again.predict(records).values.equals(answers.values)
