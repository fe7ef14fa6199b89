"""The questions worth a person's minutes, put together from all that the engine knows.

First what needs a second look, of each reason in turn; then the records whose answers teach most, spread over the
learned transforms by what hangs on them; every fifth question is drawn at random, and says so. The same state gives
the same list. What a person skipped stays away from them until something changes there. Of records that somebody picked
none is drawn at random: they would judge a model with a bias.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

import pyarrow as pa
import pyarrow.compute as pc
from packyak.engine.declare.nodes import LearnedNode, TableNode
from packyak.engine.run.questions import Only, Question, Review
from packyak.engine.run.read.reader import Reader, can_be_corrected
from packyak.engine.run.read.view import KEY, Snapshot
from packyak.engine.run.review.asking import Field, asked_fields, seen_names
from packyak.engine.run.review.looks import Look, second_looks
from packyak.engine.run.review.reach import Downstream
from packyak.engine.run.review.second import second_opinions
from packyak.engine.run.review.wavering import RANDOM_SHARE, Asked, Task, drawn, most_telling, tasks_on
from packyak.engine.store.corrections import standing


def review(
    reader: Reader,
    *,
    asset: str | None,
    limit: int,
    person: str,
    keys: Collection[str] | None = None,
    only: Only | None = None,
) -> Review:
    """The next questions for a person: of one asset, or of the whole project; only of records with these keys, or only
    where people differ ("disagreement") or where the person's would be the second opinion ("second")."""
    snapshot = reader.snapshot()
    names = _assets(reader, snapshot, asset)
    skipped = skips_of(reader, snapshot, person)
    down = Downstream(reader, snapshot)
    looks = [
        look
        for look in (
            second_opinions(reader, names, person) if only == "second" else second_looks(reader, snapshot, names)
        )
        if (look.asset, look.key, look.column) not in skipped
        and (keys is None or look.key in keys)
        and only in (None, look.reason)
    ]
    tasks = [
        task
        for name in names
        if only is None and isinstance(node := reader.graph[name], LearnedNode)
        for task in tasks_on(down, node, [*skipped, *((look.asset, look.key, look.column) for look in looks)])
    ]
    desk = _Desk(tasks, limit, None if keys is None else frozenset(keys))
    chosen = desk.compose(looks)
    questions = asked_fields(down, chosen)
    waiting: Counter[str] = Counter(look.reason for look in looks)
    if desk.open_count:
        waiting["uncertain"] = desk.open_count
    decided = sum(name in names for name, _, _ in reader.scope.in_force)
    return Review(_numbered(questions), dict(waiting), decided)


def _assets(reader: Reader, snapshot: Snapshot, asset: str | None) -> tuple[str, ...]:
    """The assets whose fields are asked about: those that people can correct and that have records."""
    if asset is not None:
        reader.asset(asset)
    nodes = [reader.graph[asset]] if asset is not None else list(reader.graph.tables)
    return tuple(
        node.name
        for node in nodes
        if isinstance(node, TableNode)
        and can_be_corrected(reader.graph, node.name)
        and snapshot.table(node.name) is not None
    )


def skips_of(reader: Reader, snapshot: Snapshot, person: str) -> frozenset[tuple[str, str, str]]:
    """The fields that a person put off, and that are still as they were then."""
    said = [each for each in standing(reader.scope.said) if each.kind == "skip" and each.by == person]
    latest = {each.field: str(each.value) for each in said}
    now = seen_names(reader, snapshot, list(latest))
    return frozenset(name for name, seen in latest.items() if seen in ("", now.get(name)))


@dataclass
class _Desk:
    """One list in the making."""

    tasks: Sequence[Task]
    limit: int
    keys: frozenset[str] | None = None
    open_count: int = 0

    def compose(self, looks: Sequence[Look]) -> list[Field]:
        """The fields to ask about, in order."""
        records = [self._mine(task.open()) for task in self.tasks]
        self.open_count = sum(each.num_rows for each in records)
        many = min(round(self.limit * RANDOM_SHARE), self.open_count) if self.keys is None else 0
        shares = self._split(many)
        random = [
            Field.asked(task, each)
            for task, mine, share in zip(self.tasks, records, shares, strict=True)
            for each in drawn(task, mine, share)
        ]
        urgent = [Field.look(each) for each in _in_turn(looks)]
        value = self.limit - len(random)
        telling = self._telling(records, random, value if not urgent else max(value - len(urgent), value - value // 2))
        first = urgent[: value - len(telling)]
        return _woven([*first, *telling], random)[: self.limit]

    def _mine(self, records: pa.Table) -> pa.Table:
        if self.keys is None:
            return records
        return records.filter(pc.is_in(records[KEY], pa.array(sorted(self.keys), pa.string())))

    def _split(self, many: int) -> list[int]:
        """So many questions over the tasks, by what hangs on each."""
        weights = [float(task.down.weights(task.node.name, task.columns[0].name, [""])[0]) for task in self.tasks]
        total = sum(weights) or 1.0
        exact = [many * weight / total for weight in weights]
        whole = [int(each) for each in exact]
        for at in sorted(range(len(exact)), key=lambda place: whole[place] - exact[place])[: many - sum(whole)]:
            whole[at] += 1
        return whole

    def _telling(self, records: Sequence[pa.Table], random: Sequence[Field], many: int) -> list[Field]:
        out = {(each.asset, each.key, each.column) for each in random}
        found: list[list[Field]] = []
        for task, mine, share in zip(self.tasks, records, self._split(many), strict=True):
            asks: list[Asked] = most_telling(task, mine, share + len(random)) if share else []
            mine_asked = [Field.asked(task, each) for each in asks if self.keys is None or each.key in self.keys]
            found.append([each for each in mine_asked if (each.asset, each.key, each.column) not in out][:share])
        return [each for each in chain.from_iterable(zip_longest(*found)) if each is not None]


def _in_turn(looks: Sequence[Look]) -> list[Look]:
    """One of each reason in turn, so that a hundred of one do not hide the others."""
    by_reason: dict[str, list[Look]] = {}
    for look in looks:
        by_reason.setdefault(look.reason, []).append(look)
    return [look for look in chain.from_iterable(zip_longest(*by_reason.values())) if look is not None]


def _woven(chosen: Sequence[Field], random: Sequence[Field]) -> list[Field]:
    """Every fifth question is a drawn one: whoever stops early has answered some."""
    found: list[Field] = []
    rest, left = list(chosen), list(random)
    step = round(1 / RANDOM_SHARE)
    while rest or left:
        if left and ((len(found) + 1) % step == 0 or not rest):
            found.append(left.pop(0))
        else:
            found.append(rest.pop(0))
    return found


def _numbered(questions: Sequence[Question]) -> tuple[Question, ...]:
    return tuple(replace(each, number=place) for place, each in enumerate(questions, 1))
