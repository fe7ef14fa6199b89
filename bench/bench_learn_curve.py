"""The curve of score against what people said, as a picture for the docs: `docs/pictures/curve.svg`.

Left: hospital records repaired, by corrected records. Right: banking77 messages classified, by labels that the queue
chose and by labels drawn at random. The SVG is written by hand: it needs no drawing library and follows the reader's
light or dark page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from bench_learn_repair import hospital, score, truth_labels
from bench_learn_table import Line, show, timed
from bench_learn_text import BUDGETS, LEVELS, curves
from packyak.engine.learn.repair.learner import RepairLearner
from packyak.engine.learn.repair.questions import questions

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "curve.svg"
RECORDS = (5, 10, 15, 20, 30, 40)
WIDTH, HEIGHT, LEFT, TOP = 300, 200, 46, 44
STYLE = """text{font:12px system-ui,sans-serif;fill:#57606a}.title{font-weight:600;fill:#24292f}
.grid{stroke:#8c959f;stroke-opacity:.3}.line{fill:none;stroke-width:2.5}.one{stroke:#0969da}.two{stroke:#bc4c00}
.dot-one{fill:#0969da}.dot-two{fill:#bc4c00}.told{stroke:#8c959f;stroke-dasharray:4 4}
@media (prefers-color-scheme:dark){text{fill:#9198a1}.title{fill:#f0f6fc}.one{stroke:#4493f8}.two{stroke:#f0883e}
.dot-one{fill:#4493f8}.dot-two{fill:#f0883e}}"""


@dataclass(frozen=True)
class Curve:
    """One line of a chart: a name, and points of (how many, score)."""

    name: str
    points: tuple[tuple[float, float], ...]


def repaired(seeds: int = 3) -> tuple[Curve, float]:
    """F1 of corrected cells after 5, 10, ... records that the system chose, and the CPU seconds of one course."""
    wrong, right = hospital()
    columns = tuple(wrong.column_names[1:])
    learner = RepairLearner(columns, columns)
    prepared = learner.prepare(wrong)

    def course(seed: int) -> list[float]:
        keys: list[str] = []
        reached = []
        for many in RECORDS:
            while len(keys) < many:
                labels = truth_labels(wrong, right, keys, columns)
                keys.extend(q.key for q in questions(learner, wrong, labels, 5, seed, prepared))
            labels = truth_labels(wrong, right, keys, columns)
            said = learner.fit(wrong, labels, seed, prepared).predict(wrong).values
            reached.append(score(wrong, right, said, columns, keys, (0.0, 0.0, 0.0)).f1)
        return reached

    done = [timed(partial(course, seed)) for seed in range(seeds)]
    mean = np.mean([one[0] for one in done], axis=0).tolist()
    return Curve("chosen by the system", tuple(zip(RECORDS, mean, strict=True))), float(np.mean([d[2] for d in done]))


def curve() -> bool:
    """Measure both, draw the picture."""
    cleaned, cost = repaired()
    made = curves()
    asked = Curve("asked by the queue", tuple(zip(BUDGETS, made.asked.tolist(), strict=True)))
    few = [(many, score) for many, score in zip(LEVELS, made.drawn.tolist(), strict=True) if many <= BUDGETS[-1]]
    drawn = Curve("drawn at random", tuple(few))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(picture(cleaned, asked, drawn), encoding="utf-8")
    print(f"\n  wrote {PICTURE}")
    lines = [Line(f"hospital F1, {many} records", f1) for many, f1 in cleaned.points]
    lines[RECORDS.index(20)] = Line(
        "hospital F1, 20 records", dict(cleaned.points)[20], ">=", 0.92, f"CPU s {cost:.0f}"
    )
    lines += [Line(f"banking77, {many} labels by the queue", value) for many, value in asked.points]
    lines += [Line(f"banking77, {many} labels at random", value) for many, value in drawn.points]
    return show("curve: score against what people said", lines)


def picture(cleaned: Curve, asked: Curve, drawn: Curve) -> str:
    """The two charts side by side."""
    left = _chart(0, "Cleaning: F1 of corrected cells", "corrected records", [cleaned], 0.67, "Raha + Baran .67")
    right = _chart(WIDTH + 100, "Classification: accuracy, 77 answers", "labels", [asked, drawn])
    wide, high = 2 * WIDTH + 100 + LEFT + 20, HEIGHT + TOP + 50
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" role="img">'
    title = "<title>Scores rise with what people correct: left cleaning, right classification</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *left, *right, "</svg>", ""])


def _chart(at: int, title: str, what: str, lines: Sequence[Curve], told: float = 0.0, words: str = "") -> list[str]:
    most = max(x for line in lines for x, _ in line.points)
    low = 0.4

    def place(x: float, y: float) -> tuple[float, float]:
        across = at + LEFT + WIDTH * x / most
        return round(across, 1), round(TOP + HEIGHT * (1 - (y - low) / (1 - low)), 1)

    made = [f'<text class="title" x="{at + LEFT}" y="20">{title}</text>']
    for tick in range(4, 11, 2):
        _, y = place(0, tick / 10)
        made.append(f'<path class="grid" d="M{at + LEFT} {y}h{WIDTH}"/>')
        made.append(f'<text x="{at + LEFT - 8}" y="{y + 4}" text-anchor="end">{tick / 10:.1f}</text>')
    for x in dict.fromkeys(x for x, _ in lines[0].points if x >= most / 8 or x == most):
        made.append(f'<text x="{place(x, 0)[0]}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{x}</text>')
    made.append(f'<text x="{at + LEFT + WIDTH / 2}" y="{TOP + HEIGHT + 38}" text-anchor="middle">{what}</text>')
    if words:
        _, y = place(0, told)
        made.append(f'<path class="told" d="M{at + LEFT} {y}h{WIDTH}"/>')
        made.append(f'<text x="{at + LEFT + WIDTH}" y="{y + 16}" text-anchor="end">{words}</text>')
    for style, below, line in zip(("one", "two"), (46, 28), lines, strict=False):
        points = [place(x, y) for x, y in line.points]
        made.append(f'<path class="line {style}" d="M{" L".join(f"{x} {y}" for x, y in points)}"/>')
        made += [f'<circle class="dot-{style}" cx="{x}" cy="{y}" r="3.5"/>' for x, y in points]
        right, y = at + LEFT + WIDTH, TOP + HEIGHT - below
        made.append(f'<path class="line {style}" d="M{right - 170} {y - 4}h22"/>')
        made.append(f'<text x="{right - 140}" y="{y}">{line.name}</text>')
    return made
