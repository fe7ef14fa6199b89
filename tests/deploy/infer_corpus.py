"""The corpus: functions in files one can read, and above each call what it needs.

A section begins with `# case: NAME` and holds the function of that name. Above a line stands `#: action resource
[prefix]`, once for each need, or `#: refused`. Where a line serves several cases, the case's name comes first.
`bucket/key` is short for an object's ARN, `table/...` for a table's in us-east-1.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from packyak.deploy.grants.infer import Inference, infer

FOLDER = Path(__file__).parent / "corpus"
REFUSED = "refused"
WORDS = {"exact": "decided exactly", "refused": "refused", "silent": "silent misses", "other": "not as written"}
_MARK = re.compile(r"\s*#: (.*)")
_CASE = re.compile(r"# case: (\w+)")


@dataclass
class Case:
    """One function. expected: (file, line, action, resource, prefix), or `refused` as the action."""

    module: str
    name: str
    expected: set[tuple[str, int, str, str, str | None]] = field(default_factory=set)

    @property
    def decidable(self) -> bool:
        return not any(each[2] == REFUSED for each in self.expected)


def cases() -> list[Case]:
    """Every case of the folder, by file."""
    found: dict[str, Case] = {}
    marks: list[tuple[str, int, str, str]] = []
    for path in sorted(FOLDER.glob("*.py")):
        current, above = "", list[str]()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            begun = _CASE.match(line)
            if begun:
                current = f"{path.stem}.{begun[1]}"
                found[current] = Case(path.stem, begun[1])
            marked = _MARK.fullmatch(line)
            if marked:
                above.append(marked[1])
            else:
                marks += [(path.name, number, current, each) for each in above]
                above = []
    names = {case.name: case for case in found.values()}
    for file, line, section, text in marks:
        words = text.split()
        case = names[words.pop(0)] if words[0] in names else found[section]
        case.expected.add((file, line, *_need(words)))
    return list(found.values())


def _need(words: list[str]) -> tuple[str, str, str | None]:
    if words == [REFUSED]:
        return REFUSED, "", None
    action, resource = words[0], words[1]
    prefix = words[2].strip("[]") if len(words) > 2 else None
    if resource.startswith("table/"):
        resource = f"arn:aws:dynamodb:us-east-1:{{account}}:{resource}"
    elif not resource.startswith(("arn:", "bucket:", "*")):
        resource = f"arn:aws:s3:::{resource}"
    return action, resource, prefix


def read(case: Case) -> Inference:
    """What reading the case's function finds."""
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
    return infer(getattr(importlib.import_module(case.module), case.name), root=FOLDER)


def found(inference: Inference) -> set[tuple[str, int, str, str, str | None]]:
    """What was found, as the corpus writes it."""
    actions = {(a.file, a.line, a.need.action, a.need.resource, a.need.prefix) for a in inference.actions}
    return actions | {(each.file, each.line, REFUSED, "", None) for each in inference.refusals}


def judged(case: Case) -> tuple[str, list[str]]:
    """`exact`, `refused`, `silent` (something that it does is neither found nor refused), or `other`; and the
    differences in words."""
    try:
        got = found(read(case))
    except Exception as error:  # whatever it is, the case is not decided
        return "other", [f"{type(error).__name__}: {error}"]
    missing, more = case.expected - got, got - case.expected
    said = [f"missing {_said(each)}" for each in sorted(missing, key=str)]
    said += [f"more    {_said(each)}" for each in sorted(more, key=str)]
    if not missing and not more:
        return ("exact" if case.decidable else "refused"), []
    refused = any(each[2] == REFUSED for each in got)
    return ("silent" if missing and not refused else "other"), said


def _said(each: tuple[str, int, str, str, str | None]) -> str:
    file, line, action, resource, prefix = each
    return f"{file}:{line} {action} {resource}" + ("" if prefix is None else f" [{prefix}]")


def table(*, every: bool = False) -> Iterator[str]:
    """The corpus as a table for people, by file. every: each case, else only those that are not as written."""
    total = Counter[str]()
    counts: dict[str, Counter[str]] = {}
    for case in cases():
        verdict, said = judged(case)
        counts.setdefault(case.module, Counter())[verdict] += 1
        total[verdict] += 1
        if every or said:
            yield f"{verdict:8} {case.module}.{case.name}"
            yield from (f"         {each}" for each in said)
    yield f"{'':14} {'functions':>10} " + " ".join(f"{WORDS[each]:>16}" for each in WORDS)
    for name, found in [*counts.items(), ("all", total)]:
        yield f"{name:14} {sum(found.values()):>10} " + " ".join(f"{found[each]:>16}" for each in WORDS)


def main() -> int:
    """Prints the table; 1 where anything is missed or not as written."""
    lines = list(table(every="-v" in sys.argv[1:]))
    print("\n".join(lines))
    return 0 if lines[-1].split()[-2:] == ["0", "0"] else 1


if __name__ == "__main__":
    sys.exit(main())
