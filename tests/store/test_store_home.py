"""Homes: bytes whole or not at all, formats, and what a person is told when the system refuses."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from packyak.engine.errors import HomeError, HomeFull, HomeNotWritable, HomeTooNew
from packyak.engine.store.corrections import CorrectionLog
from packyak.engine.store.home import FORMAT, Home, open_home


def test_a_new_home_has_its_format_and_stays_out_of_git(tmp_path: Path) -> None:
    home = open_home(tmp_path / "new" / ".packyak")
    assert json.loads(home.read("format.json") or b"") == {"format": FORMAT}
    assert home.read(".gitignore") == b"*\n"
    assert home.local == tmp_path / "new" / ".packyak"
    assert home.storage_options is None
    assert home.path("tables", "a.lance") == f"{tmp_path}/new/.packyak/tables/a.lance"


def test_bytes_come_back_and_are_listed(home: Home) -> None:
    assert home.read("a/b.json") is None
    home.write("a/b.json", b"1")
    home.write("a/b.json", b"2")
    home.write("a/a.txt", b"")
    assert home.read("a/b.json") == b"2"
    assert home.read("a/a.txt") == b""
    assert home.read("a") is None
    assert home.names("a") == ["a.txt", "b.json"]
    assert home.names("a", ".json") == ["b.json"]
    assert home.names("nowhere") == []
    home.remove("a/b.json")
    home.remove("a/b.json")
    assert home.names("a") == ["a.txt"]


def test_create_gives_a_name_once(home: Home) -> None:
    assert home.create("a/x", b"first")
    assert not home.create("a/x", b"second")
    assert home.read("a/x") == b"first"
    assert home.names("a") == ["x"]


def test_create_without_hard_links(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    assert home.create("a/x", b"first")
    assert not home.create("a/x", b"second")
    assert home.read("a/x") == b"first"


def test_secrets_are_for_their_owner_only(home: Home, tmp_path: Path) -> None:
    home.write("worker.json", b"token", secret=True)
    assert stat.S_IMODE((tmp_path / "home" / "worker.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../x", "a//b", "a/", "./a", "a\0b"])
def test_names_stay_inside(home: Home, name: str) -> None:
    with pytest.raises(HomeError, match="no name in a home"):
        home.write(name, b"x")


def test_an_address_that_is_no_home() -> None:
    with pytest.raises(HomeError, match="cannot lie at"):
        Home("gs://bucket/x")


def test_a_newer_home_is_refused_saying_how(home: Home) -> None:
    home.write("format.json", b'{"format": 99}')
    with pytest.raises(HomeTooNew, match=r"format 99.*up to 1.*pip install --upgrade packyak-studio"):
        open_home(home.uri)


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b'{"format": "1"}', b'{"format": true}', b'{"format": -1}'])
def test_a_damaged_format_is_said(home: Home, damaged: bytes) -> None:
    home.write("format.json", damaged)
    with pytest.raises(HomeError, match="does not name the home's format"):
        open_home(home.uri)


OLD_LOG = b'{"id": "1-0", "asset": "a", "key": "k", "column": "c", "value": "v", "at": "2020"}\n'


@pytest.mark.parametrize("stamp", [None, b'{"format": 0}'])
def test_an_older_home_is_migrated_with_its_corrections(tmp_path: Path, stamp: bytes | None) -> None:
    old = Home(tmp_path)
    old.write("corrections.jsonl", OLD_LOG)
    if stamp:
        old.write("format.json", stamp)
    migrated = open_home(tmp_path)
    assert json.loads(migrated.read("format.json") or b"") == {"format": FORMAT}
    assert migrated.read("corrections.jsonl") is None
    log = CorrectionLog(migrated)
    assert [one.value for one in log.all()] == ["v"]
    assert log.since(log.position()) == ()


def test_a_migration_that_was_cut_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Home(tmp_path).write("corrections.jsonl", OLD_LOG)
    with monkeypatch.context() as patch:
        patch.setattr(Home, "remove", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            open_home(tmp_path)
    assert len(CorrectionLog(open_home(tmp_path)).all()) == 1


def test_a_full_disk_leaves_the_old_bytes(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write("a", b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HomeFull, match=r"disk is full.*free some space"):
        home.write("a", b"new")
    with pytest.raises(HomeFull):
        home.create("b", b"new")
    monkeypatch.undo()
    assert home.read("a") == b"old"
    assert home.read("b") is None
    assert [path.name for path in Path(home.uri).glob(".packyak-tmp*")] == []


def test_a_really_full_disk(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        home = open_home(small / "home")
        home.write("a", b"old")
        with pytest.raises(HomeFull):
            home.write("a", b"x" * 1_000_000)
        assert home.read("a") == b"old"
        assert [path.name for path in Path(home.uri).glob(".packyak-tmp*")] == []
    finally:
        subprocess.run(["umount", small], check=True)


AS_A_USER = """
import os, sys
from packyak.engine.errors import HomeNotWritable
from packyak.engine.store.corrections import Correction, CorrectionLog
from packyak.engine.store.home import open_home
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
home = open_home(sys.argv[1])
assert home.read("a") == b"old"
correction = Correction("", "a", "k", "c", 1)
for act in (
    lambda: home.write("a", b"new"),
    lambda: home.create("b", b""),
    lambda: home.remove("a"),
    home.require_writable,
    lambda: CorrectionLog(home).append([correction]),
):
    try:
        act()
    except HomeNotWritable as error:
        print(error)
    else:
        sys.exit("it could write")
"""


def test_a_home_that_only_others_may_write(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("shared")
    home = open_home(folder / "home")
    home.write("a", b"old")
    for path in (folder, *folder.parents):
        if path.stat().st_uid == os.getuid() and str(path).startswith("/tmp/"):
            path.chmod(path.stat().st_mode | 0o055)
    Path(home.uri).chmod(0o555)
    done = subprocess.run([sys.executable, "-c", AS_A_USER, home.uri], capture_output=True, text=True)
    Path(home.uri).chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("give your user write access") == 5


KILLED = """
import os, signal, sys
from packyak.engine.store.home import Home
real = os.fsync
def die(handle):
    real(handle)
    os.kill(os.getpid(), signal.SIGKILL)
os.fsync = die
Home(sys.argv[1]).write("a", b"new" * 100000)
"""


def test_a_kill_in_the_middle_of_a_write(home: Home) -> None:
    home.write("a", b"old")
    assert subprocess.run([sys.executable, "-c", KILLED, home.uri]).returncode == -9
    assert home.read("a") == b"old"
    assert home.names(".") == [".gitignore", "a", "format.json"]


def test_opening_is_light() -> None:
    program = (
        "import sys\n"
        "from packyak.engine.store import home, corrections, published, lease, files\n"
        "print([name for name in ('pyarrow', 'lance', 'duckdb', 'numpy', 'boto3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_folder_where_a_file_stands(home: Home) -> None:
    home.write("a", b"")
    with pytest.raises(HomeError, match="no file stands where a folder is needed"):
        home.write("a/b", b"")
    assert not isinstance(_error(home), HomeNotWritable)


def _error(home: Home) -> HomeError:
    with pytest.raises(HomeError) as caught:
        home.write("a/b", b"")
    return caught.value
