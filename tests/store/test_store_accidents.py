"""Accidents that befall tables: several writers, a kill in the middle of a write, a full disk, damage, lost rights."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from packyak.engine.errors import HomeError, HomeFull, HomeNotWritable
from packyak.engine.store.home import Home, open_home
from packyak.engine.store.tables import Table
from stored import rows, stored

WRITER = """
import sys
import pyarrow as pa
from packyak.engine.store.home import Home
from packyak.engine.store.tables import Table
table, name = Table(Home(sys.argv[1]), "tables", "t"), sys.argv[2]
for number in range(int(sys.argv[3])):
    keys = [f"{number}-{place}" for place in range(20)] + [f"{name}-{number}", "same"]
    table.upsert(pa.table({"_key": keys, "n": [number] * 22, "by": [name] * 22}))
    table.upsert(pa.table({"_key": ["start", "same"], "n": [number] * 2, "by": [name] * 2}))
"""


def test_two_writers_lose_and_double_nothing(home: Home, table: Table, python: Callable[..., Any]) -> None:
    table.create(rows({"_key": "start", "n": 0, "by": ""}))
    writers = [python(WRITER, home.uri, name, 15) for name in "xy"]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        keys = table.keys().to_pylist()
        assert len(keys) == len(set(keys)) >= seen
        seen = len(keys)
    assert [writer.communicate()[1][-2000:] for writer in writers if writer.returncode] == []
    assert table.count() == 1 + 15 * 20 + 2 * 15 + 1


def test_several_begin_a_table_at_once(home: Home) -> None:
    def add(writer: int) -> int:
        return Table(home, "tables", "new").add(pa.table({"_key": [f"{writer}", "all"], "n": [writer, 0]}))

    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(add, range(8)))
    assert sum(added) == Table(home, "tables", "new").count() == 9


KILLED = """
import os, signal, sys, threading
import pyarrow as pa
from packyak.engine.store.home import Home
from packyak.engine.store.tables import Table
table = Table(Home(sys.argv[1]), "tables", "t")
data = pa.table({"_key": [str(n) for n in range(1_500_000)], "s": ["x" * 20] * 1_500_000})
print("ready", flush=True)
table.replace(data)
"""


@pytest.mark.parametrize("after", [0.02, 0.15])
def test_a_kill_in_the_middle_of_a_write(home: Home, table: Table, python: Callable[..., Any], after: float) -> None:
    table.create(rows({"_key": "a", "s": "old"}))
    process = python(KILLED, home.uri)
    assert process.stdout.readline() == "ready\n"
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        assert stored(table) == {"a": {"s": "old"}}
    assert table.upsert(rows({"_key": "b", "s": "new"})).inserted == 1


def test_a_full_disk(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        table = Table(open_home(small), "tables", "t")
        table.create(rows({"_key": "a", "s": "old"}))
        big = pa.table({"_key": [str(n) for n in range(200_000)], "s": [str(n * 7919) for n in range(200_000)]})
        for write in (table.upsert, table.replace):
            with pytest.raises(HomeFull, match="disk is full"):
                write(big)
        assert stored(table) == {"a": {"s": "old"}}
    finally:
        subprocess.run(["umount", small], check=True)


AS_A_USER = """
import os, sys
import pyarrow as pa
from packyak.engine.errors import HomeNotWritable
from packyak.engine.store.home import Home
from packyak.engine.store.tables import Table
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
table = Table(Home(sys.argv[1]), "tables", "t")
assert table.count() == 1
for act in (lambda: table.upsert(pa.table({"_key": ["b"]})), lambda: table.replace(pa.table({"_key": ["b"]})),
            lambda: table.delete(["a"])):
    try:
        act()
    except HomeNotWritable as error:
        print(error)
    else:
        sys.exit("it could write")
"""


def test_a_table_that_only_others_may_write(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("shared")
    table = Table(open_home(folder / "home"), "tables", "t")
    table.create(rows({"_key": "a"}))
    for path in (folder, *folder.parents):
        if str(path).startswith("/tmp/"):
            path.chmod(path.stat().st_mode | 0o055)
    inside = [path for path in Path(table.uri).rglob("*") if path.is_dir()]
    for path in [Path(table.uri), *inside]:
        path.chmod(0o555)
    done = subprocess.run([sys.executable, "-c", AS_A_USER, table.home.uri], capture_output=True, text=True)
    for path in [Path(table.uri), *inside]:
        path.chmod(0o755)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("give your user write access") == 3


def test_a_damaged_table_is_named(table: Table) -> None:
    table.create(rows({"_key": "a", "n": 1}))
    for file in (Path(table.uri) / "data").iterdir():
        file.write_bytes(b"damaged")
    with pytest.raises(HomeError, match=r"t\.lance could not be used") as caught:
        table.read()
    assert not isinstance(caught.value, HomeNotWritable)
