"""The code of a function: what changes its hash, what does not, and what it is seen to reach."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from declaring import load_file
from hypothesis import given
from hypothesis import strategies as st
from packyak.engine.declare import values
from packyak.engine.declare.code import Code, code_of, distribution_versions, hash_of

ORIGINAL = {
    "pipeline": '''
"""The module."""
import functools
import re
import sqlite3
from rules import clean, Cleaner
import rules

LIMIT = 3
WORDS = {"b", "a", "c"}
TABLE = {"invoice": "billing", "late": "delivery"}
PATTERN = re.compile("x+")
CLEANER = Cleaner(2)
shorter = functools.partial(clean, width=5)

def scaled(factor):
    def decorate(function):
        @functools.wraps(function)
        def inner(*args):
            return function(*args) * factor
        return inner
    return decorate

@scaled(2)
def twice(x):
    return x

@functools.lru_cache
def cached(x):
    return x + 1

def count(x, width=LIMIT, seen={}):
    """Counts."""
    global CALLS
    CALLS += 1  # how often
    log.append(x)
    from lazy import late
    double = lambda y: y * 2
    found = [word for word in WORDS if PATTERN.match(word)]
    return (clean(x), shorter(x), CLEANER.run(x), rules.deep.SETTINGS["n"], TABLE, twice(1), cached(2), late(), found,
            double(LIMIT), unused_name if False else None, connection)

CALLS = 0
log = []
connection = sqlite3.connect(":memory:")
def aside(): return 1
''',
    "rules": """
import deep
BASE = 1.5
def clean(text, width=10):
    return inner(text)[:width]
def inner(text):
    return text.strip() + str(BASE)
class Parent:
    shared = [1, 2]
    def below(self):
        return inner("x")
class Cleaner(Parent):
    size = 4
    def __init__(self, depth):
        self.depth = depth
    def run(self, x):
        return self.below() * self.size
""",
    "deep": "SETTINGS = {'n': 1}\nOTHER = 2\n",
    "lazy": "def late():\n    return 7\n",
}

SHOW = """
import sys
sys.path.insert(0, sys.argv[1])
import pipeline
from packyak.engine.declare.code import code_of
print(code_of(pipeline.count, sys.argv[1]).hash)
"""


def hash_in_a_process(folder: Path, files: dict[str, str], seed: str = "0") -> str:
    folder.mkdir(exist_ok=True, parents=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-B", "-c", SHOW, str(folder)], capture_output=True, text=True, env={"PYTHONHASHSEED": seed}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_hash_is_the_same_in_every_process_and_place(tmp_path: Path) -> None:
    hashes = {hash_in_a_process(tmp_path / f"place{seed}", ORIGINAL, seed) for seed in ("0", "1", "42")}
    assert len(hashes) == 1


SAME = [
    ("pipeline", '"""Counts."""', '"""Counts words, all of them."""'),
    ("pipeline", '"""The module."""', "# moved down\n\n\n"),
    ("pipeline", "CALLS += 1  # how often", "CALLS += 1"),
    ("pipeline", "def aside(): return 1", "def aside(): return 2"),
    ("pipeline", "CALLS = 0", "CALLS = 10"),
    ("pipeline", "log = []", "log = ['before']"),
    ("pipeline", '{"b", "a", "c"}', '{"a", "c", "b"}'),
    (
        "pipeline",
        "from rules import clean, Cleaner\nimport rules",
        "import rules\nfrom rules import (Cleaner,\n    clean)",
    ),
    ("rules", "    return inner(text)[:width]", "    # first\n    return inner( text )[ :width ]"),
    ("deep", "OTHER = 2", "OTHER = 3"),
]
OTHER = [
    ("pipeline", "LIMIT = 3", "LIMIT = 4"),
    ("pipeline", 'WORDS = {"b"', 'WORDS = {"z"'),
    (
        "pipeline",
        'TABLE = {"invoice": "billing", "late": "delivery"}',
        'TABLE = {"late": "delivery", "invoice": "billing"}',
    ),
    ("pipeline", 're.compile("x+")', 're.compile("x+", re.I)'),
    ("pipeline", "Cleaner(2)", "Cleaner(3)"),
    ("pipeline", "width=5", "width=6"),
    ("pipeline", "@scaled(2)", "@scaled(3)"),
    ("pipeline", "* factor", "+ factor"),
    ("pipeline", "x + 1", "x + 2"),
    ("pipeline", "lambda y: y * 2", "lambda y: y * 3"),
    ("pipeline", "seen={}", "seen={1: 2}"),
    ("rules", "width=10", "width=11"),
    ("rules", "text.strip()", "text.lstrip()"),
    ("rules", "BASE = 1.5", "BASE = 1.25"),
    ("rules", "shared = [1, 2]", "shared = [1, 3]"),
    ("rules", 'inner("x")', 'inner("y")'),
    ("rules", "size = 4", "size = 5"),
    ("deep", "'n': 1", "'n': 2"),
    ("lazy", "return 7", "return 8"),
]


def test_what_does_not_change_the_hash(tmp_path: Path) -> None:
    before = hash_in_a_process(tmp_path / "p", ORIGINAL)
    for file, old, new in SAME:
        assert ORIGINAL[file].count(old) == 1, old
        changed = ORIGINAL | {file: ORIGINAL[file].replace(old, new)}
        assert hash_in_a_process(tmp_path / "p", changed) == before, (old, new)


def test_what_changes_the_hash(tmp_path: Path) -> None:
    hashes = {hash_in_a_process(tmp_path / "p", ORIGINAL)}
    for file, old, new in OTHER:
        assert ORIGINAL[file].count(old) == 1, old
        found = hash_in_a_process(tmp_path / "p", ORIGINAL | {file: ORIGINAL[file].replace(old, new)})
        assert found not in hashes, (old, new)
        hashes.add(found)


def code(folder: Path, source: str, name: str = "own") -> Code:
    file = folder / "pipeline.py"
    file.write_text(textwrap.dedent(source))
    return code_of(getattr(load_file(file), name), str(folder))


def test_parts_can_be_read(tmp_path: Path) -> None:
    found = code(
        tmp_path, "def own(x):\n    '''Doc.'''\n    return other(x)  # why\nN = 2\ndef other(x): return x * N\n"
    )
    name = found.parts[0].name.rpartition(".")[0]
    assert [(part.name.removeprefix(f"{name}."), part.line, part.text) for part in found.parts] == [
        ("own", 1, "def own(x):\n    return other(x)"),
        ("N", 5, "2"),
        ("other", 5, "def other(x):\n    return x * N"),
    ]


def test_what_cannot_be_told_as_text_is_flagged(tmp_path: Path) -> None:
    found = code(tmp_path, "import sqlite3\nc = sqlite3.connect(':memory:')\ndef own(): return c\n")
    assert [part.text for part in found.unstable] == ["c: sqlite3.Connection"]


def test_installed_packages_are_named_and_not_walked(tmp_path: Path) -> None:
    found = code(
        tmp_path,
        """
        import numpy as np
        import json
        from hypothesis import given
        def own():
            import pyarrow.compute as pc
            return np.zeros(3), json, given, pc, helper()
        def helper():
            from yaml import dump
            return dump
        """,
    )
    assert found.distributions == ("PyYAML", "hypothesis", "numpy", "pyarrow")
    assert len(found.parts) == 2
    assert all(distribution_versions(found.distributions).values())
    assert distribution_versions(["surely-not-there"]) == {"surely-not-there": ""}


def test_declared_things_are_reached_with_their_line(tmp_path: Path) -> None:
    found = code(
        tmp_path,
        """
        from packyak import Bucket, Index, asset, transform
        inbox = Bucket("inbox")
        @asset(key="id")
        def rows(): ...
        search = Index(rows, on="text")
        @transform(rows)
        def text(body: str) -> str:
            return body.upper()
        def own():
            inbox.get_sync("a")
            return helper()
        def helper():
            return search.find("x"), text("y"), Bucket("deep").list_sync(), holder["b"]
        holder = {"b": Bucket("held")}
        """,
    )
    assert sorted((each.name, each.line, each.called) for each in found.reached) == [
        ("deep", 14, False), ("held", 14, False), ("inbox", 11, False), ("search", 14, False), ("text", 14, True),
    ]  # fmt: skip
    assert any(part.name.endswith(".text") and "body.upper()" in part.text for part in found.parts)
    assert not any("rows" in part.name for part in found.parts)


def test_options_of_a_decorator_are_no_code(tmp_path: Path) -> None:
    source = "from packyak import asset\n@asset(key={!r})\ndef own(): return 1\n"
    assert code(tmp_path, source.format("a")).hash.__len__() == 64
    texts = {code(tmp_path, source.format(key)).parts[0].text for key in ("a", "bb")}
    assert texts == {"def own():\n    return 1"}


def test_a_cache_that_fills_during_a_run_changes_nothing(tmp_path: Path) -> None:
    source = "seen = {}\ndef own(x):\n    if x not in seen:\n        seen[x] = [x]\n    return seen[x]\n"
    file = tmp_path / "pipeline.py"
    file.write_text(source)
    module = load_file(file)
    before = code_of(module.own, str(tmp_path)).hash
    module.own(3)
    assert code_of(module.own, str(tmp_path)).hash == before
    module.seen = {1: 2}
    assert code_of(module.own, str(tmp_path)).hash != before


def test_code_without_source_is_told_by_its_bytecode() -> None:
    space: dict[str, object] = {}
    exec("N = 1\ndef own(x): return x in {'a', 'b'}, N\ndef other(x): return x in {'a', 'c'}, N", space)
    hashes = [code_of(space[name], "/nowhere").hash for name in ("own", "own", "other")]  # type: ignore[arg-type]
    assert hashes[0] == hashes[1] != hashes[2]


def test_lambdas_on_one_line_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.py"
    file.write_text("pair = (lambda x: x + 1), (lambda x: x + 2)\n")
    first, second = load_file(file).pair
    assert [code_of(each, str(tmp_path)).parts[0].text for each in (first, second)] == [
        "lambda x: x + 1",
        "lambda x: x + 2",
    ]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=8,
)


def typed(value: object) -> object:
    """A value that compares by type too: 1 is not True, 0.0 not -0.0, and dicts by order."""
    if isinstance(value, list | tuple):
        return type(value), [typed(item) for item in value]
    if isinstance(value, dict):
        return dict, [(typed(key), typed(item)) for key, item in value.items()]
    return type(value), repr(value)


@given(PLAIN, PLAIN)
def test_values_have_one_text_exactly_when_they_are_equal(a: object, b: object) -> None:
    assert (values.encode(a, repr) == values.encode(b, repr)) == (typed(a) == typed(b))


def test_values_that_hold_themselves_end() -> None:
    circle: list[object] = [1]
    circle.append(circle)
    assert values.encode(circle, repr) == "[1, <above 1>]"


def test_parts_cannot_flow_into_each_other() -> None:
    from packyak.engine.declare.code import CodePart

    assert hash_of([CodePart("ab", "", 0, "c")]) != hash_of([CodePart("a", "", 0, "bc")])


def test_the_place_of_a_project_counts_only_for_what_is_its_own(tmp_path: Path) -> None:
    package = tmp_path / ".venv" / "site-packages"
    package.mkdir(parents=True)
    (package / "installed_thing.py").write_text("def f(): return 1\n")
    sys.path.insert(0, str(package))
    try:
        found = code(tmp_path, "from installed_thing import f\ndef own(): return f()\n")
    finally:
        sys.path.remove(str(package))
    assert len(found.parts) == 1
