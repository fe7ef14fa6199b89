"""The job, declared for Packyak."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rules import to_clean, to_features, to_label

from packyak import Bucket, File, read_csv, sql, transform

inbox = Bucket("inbox")


@transform(inbox.files("*.csv"), key="id")
def records(file: File) -> Iterator[dict[str, Any]]:
    yield from read_csv(file)


@transform(records)
def clean(text: str) -> str:
    return to_clean(text)


@dataclass
class Features:
    words: int
    digest: str


@transform(clean)
def features(clean: str) -> Features:
    return Features(*to_features(clean))


@transform(features)
def label(clean: str, words: int) -> str:
    return to_label(clean, words)


per_label = sql("select label, count(*) as n, sum(words) as words from label group by all")
