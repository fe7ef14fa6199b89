"""A repair model as named bytes and back: what was counted and learned, without the records it was learned from.

What can be recounted from values and counts (letters, words, shapes; the tops of votes) is not stored. The distinct
values of the columns are in the files: whoever erases a person retrains the models whose profile held that person's
values.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import json_bytes, pack_strings, unpack_strings
from ..forest import Forest
from .candidates import Near
from .knowledge import Knowledge
from .profile import ColumnProfile, Profile
from .programs import Program
from .ranker import Prepared
from .synthesis import Tried
from .votes import VoteTable, from_counts

Arrays = dict[str, NDArray[Any]]


def freeze(prepared: Prepared, knowledge: Knowledge, forest: Forest, facts: Mapping[str, Any]) -> dict[str, bytes]:
    """Everything as `model.json` and `arrays.npz`."""
    arrays: Arrays = {f"forest.{name}": array for name, array in forest.arrays().items()}
    tables: list[list[dict[str, Any]]] = []
    for i, column in enumerate(prepared.profile.columns):
        packed = pack_strings(column.values)
        arrays |= {f"{i}.bytes": packed["bytes"], f"{i}.ends": packed["ends"], f"{i}.counts": column.counts}
        arrays |= {f"{i}.near.of": prepared.near[i].of, f"{i}.near.to": prepared.near[i].to}
        tables.append([{"by": table.by, "rows": table.rows} for table in prepared.tables[i]])
        for j, table in enumerate(prepared.tables[i]):
            arrays[f"{i}.vote{j}.groups"] = table.groups
            arrays[f"{i}.vote{j}.pairs"] = table.pairs
            arrays[f"{i}.vote{j}.counts"] = table.counts
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    about = {"names": prepared.profile.names, "targets": prepared.targets, "tables": tables}
    about["crowds"] = [near.crowd for near in prepared.near]
    told = {**facts, **about, "knowledge": _knowledge_json(knowledge)}
    return {"arrays.npz": out.getvalue(), "model.json": json_bytes(told)}


def thaw(files: Mapping[str, bytes]) -> tuple[Prepared, Knowledge, Forest, dict[str, Any]]:
    """What `freeze` kept."""
    facts: dict[str, Any] = json.loads(files["model.json"])
    with np.load(io.BytesIO(files["arrays.npz"]), allow_pickle=False) as stored:
        arrays: Arrays = {name: stored[name] for name in stored.files}
    columns = tuple(_column(i, name, arrays) for i, name in enumerate(facts["names"]))
    profile = Profile(columns, np.zeros((0, len(columns)), np.int64))
    tables = tuple(
        tuple(_table(profile, i, j, told, arrays) for j, told in enumerate(listed))
        for i, listed in enumerate(facts["tables"])
    )
    near = tuple(Near(arrays[f"{i}.near.of"], arrays[f"{i}.near.to"], facts["crowds"][i]) for i in range(len(columns)))
    forest = Forest.from_arrays({n.removeprefix("forest."): a for n, a in arrays.items() if n.startswith("forest.")})
    prepared = Prepared(profile, tuple(facts["targets"]), tables, near)
    return prepared, _knowledge(facts["knowledge"], len(columns)), forest, facts


def _column(i: int, name: str, arrays: Arrays) -> ColumnProfile:
    values = unpack_strings({"bytes": arrays[f"{i}.bytes"], "ends": arrays[f"{i}.ends"]})
    return ColumnProfile.counted(name, tuple(values), arrays[f"{i}.counts"])


def _table(profile: Profile, target: int, j: int, told: Mapping[str, Any], arrays: Arrays) -> VoteTable:
    part = f"{target}.vote{j}."
    by = tuple(told["by"])
    return from_counts(
        profile, by, target, arrays[part + "groups"], arrays[part + "pairs"], arrays[part + "counts"], told["rows"]
    )


def _knowledge_json(knowledge: Knowledge) -> dict[str, Any]:
    return {
        "programs": [[[t.program.to_json(), t.right, t.wrong] for t in listed] for listed in knowledge.programs],
        "gone": dict(knowledge.gone),
        "values": [[column, value, *marks] for (column, value), marks in sorted(knowledge.values.items())],
        "asked": knowledge.asked.tolist(),
        "wrong": knowledge.wrong.tolist(),
    }


def _knowledge(told: Mapping[str, Any], columns: int) -> Knowledge:
    programs = tuple(
        tuple(Tried(Program.from_json(program), tuple(right), tuple(wrong)) for program, right, wrong in listed)
        for listed in told["programs"]
    )
    values = {(column, value): (tuple(wrong), tuple(right)) for column, value, wrong, right in told["values"]}
    return Knowledge(
        columns, (), programs, Counter(told["gone"]), {}, values, np.array(told["asked"]), np.array(told["wrong"])
    )
