"""The one job that the spine is measured on, written into a folder: once as a Packyak project, once as a pandas script.

CSV -> clean (Python per record: NFKC, lower, two regular expressions) -> features (word count, hash) -> classify
(rules) -> count per label. Both sides call the same functions, in `bench/spine/rules.py`, on the same data: messages
of 10 to 40 words, 25 on average, as the tickets of `sample_data` have. That is fixed, because it decides how much of
both sides is the functions' own work: about 1.7 CPU seconds for 100,000 records. The issue that set the targets names
2.0 (which 30 to 34 words cost), so that the length is, if anything, in favour of the script.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

SOURCES: Final = Path(__file__).parent / "spine"
FIXED: Final = "R0000017"  # the rules say billing
WORDS: Final = (
    "the", "order", "came", "in", "two", "boxes", "and", "one", "of", "them", "was", "open", "when", "i", "got", "home",
    "please", "have", "a", "look", "soon", "coffee", "beans", "grinder", "filter", "kettle", "scale", "paper", "bag",
    "blend", "roast", "tasting", "morning", "evening", "week", "month", "friend", "office", "team",
)  # fmt: skip
TELLING: Final = ("invoice", "charge", "refund", "parcel", "courier", "late", "password", "login", "profile")
MESSAGE: Final = 25  # words on average
ODD: Final = ("ﬁlter", "CAFÉ", "ＦＵＬＬ", "https://example.com/a?b=1", "½", "#123", "(sic)", "Größe", "  ")  # noqa: RUF001


@dataclass(frozen=True)
class Job:
    """One size of the job in a folder of its own: the project in `packyak/`, the script and its files in `pandas/`.

    `calls`: a file to which each called function of the user's adds its name; only the pass that counts has one, and
    only then does the source say so, so that no measured call does more than the job. `alone`: no worker, no server.
    `words`: how long a message is on average.
    """

    folder: Path
    size: int
    calls: Path | None = None
    alone: bool = False
    words: int = MESSAGE

    @property
    def project(self) -> Path:
        return self.folder / "packyak"

    @property
    def script(self) -> Path:
        return self.folder / "pandas"

    def write_code(self, short: int = 20) -> None:
        """Both sides' code. Another `short` is another rule: one function edited."""
        rules = _source("rules").replace("SHORT = 20", f"SHORT = {short}")
        settings = '\n[settings]\nworker = "off"\nprefect = "off"\n' if self.alone else ""
        _write(self.project / "packyak.toml", f'name = "spine"\nmodules = ["pipeline"]\n{settings}')
        _write(self.project / "pipeline.py", _source("pipeline"))
        _write(self.project / "rules.py", counting(rules, self.calls) if self.calls else rules)
        _write(self.script / "rules.py", rules)
        _write(self.script / "pandas_job.py", _source("pandas_job"))

    def write_data(self, first: int, last: int, *rest: tuple[int, int], file: str = "records") -> None:
        """One CSV file of records `first` to `last` (not included), and of the `rest`, the same for both sides."""
        text = records((first, last), *rest, words=self.words)
        _write(self.project / f".packyak/buckets/inbox/{file}.csv", text)
        _write(self.script / f"inbox/{file}.csv", text)

    def write_fix(self) -> None:
        """The correction, as the script takes it."""
        _write(self.script / "fixes.csv", f"id,label\n{FIXED},account\n")


def counting(source: str, calls: Path) -> str:
    """The same functions, each of which first adds its name to the file `calls`."""
    noting = 'def count(name):\n    with open(CALLS, "a") as lines:\n        lines.write(name + "\\n")\n'
    counted = re.sub(r"^(def (\w+)\(.*:)$", r'\1\n    count("\2")', source, flags=re.MULTILINE)
    return f"{counted}\n\nCALLS = {str(calls)!r}\n\n\n{noting}"


def records(*spans: tuple[int, int], words: int = MESSAGE) -> str:
    """CSV. Record number n is the same in every file."""
    rows = ((f"R{number:07}", _text(number, words)) for span in spans for number in range(*span))
    return "id,text\n" + "".join(f'{key},"{text}"\n' for key, text in rows)


def _text(number: int, mean: int) -> str:
    rng = Random(number)
    least = round(0.4 * (mean - 1))
    words = rng.choices(WORDS, k=rng.randint(least, 2 * (mean - 1) - least))  # and about one of what is put in below
    if rng.random() < 0.6:
        word = rng.choice(TELLING)
        words.insert(rng.randrange(len(words)), word.upper() if rng.random() < 0.2 else word)
    if rng.random() < 0.5:
        words.insert(rng.randrange(len(words)), rng.choice(ODD))
    return " ".join(words)


def script_counts(job: Job) -> list[tuple[str, int, int]]:
    """What the script found: label, number of records, number of words."""
    with (job.script / "per_label.csv").open(encoding="utf-8") as lines:
        return sorted((row["label"], int(row["n"]), int(row["words"])) for row in csv.DictReader(lines))


def _source(name: str) -> str:
    return (SOURCES / f"{name}.py").read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
