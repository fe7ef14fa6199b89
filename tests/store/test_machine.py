"""What belongs to this machine alone: locks that die with their holder, private files, papers of a cloud home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from packyak.engine.store.machine import machine_folder, only_one, write_private


def test_a_lock_is_held_by_one_and_freed_by_death(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    program = f"""
from pathlib import Path
import sys, time
from packyak.engine.store.machine import only_one
with only_one(Path({str(lock)!r}), wait=False) as mine:
    print(mine, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with only_one(lock, wait=False) as mine:
            assert not mine
        holder.kill()
    with only_one(lock, wait=False) as mine:
        assert mine


def test_private_files_are_private(tmp_path: Path) -> None:
    write_private(tmp_path / "token", b"1")
    write_private(tmp_path / "token", b"2")
    assert (tmp_path / "token").read_bytes() == b"2"
    assert (tmp_path / "token").stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == ["token"]


def test_a_cloud_home_keeps_its_processes_papers_on_the_machine() -> None:
    one, other = machine_folder("s3://bucket/one"), machine_folder("s3://bucket/other")
    assert one != other
    assert one == machine_folder("s3://bucket/one/")
    assert str(one).startswith(os.environ["XDG_CACHE_HOME"])
