"""Bucket files: keys stay inside, patterns mean what they say, ten thousand files are quick."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packyak.engine.errors import DataError, HomeError
from packyak.engine.store.files import BucketFolder, FileStat, invalid, matcher
from packyak.engine.store.home import Home


@pytest.fixture
def bucket(home: Home) -> BucketFolder:
    return BucketFolder(home, "inbox")


def root(home: Home) -> Path:
    assert home.local is not None
    return home.local / "buckets" / "inbox"


def test_put_get_list_delete(bucket: BucketFolder, home: Home) -> None:
    assert bucket.list() == []
    assert bucket.scan() == []
    bucket.put("a/b/c.txt", b"1")
    bucket.put("a/b/c.txt", b"22")
    bucket.put("d.txt", b"")
    assert bucket.get("a/b/c.txt") == b"22"
    assert bucket.get("d.txt") == b""
    assert bucket.list() == ["a/b/c.txt", "d.txt"]
    assert bucket.list("a/") == ["a/b/c.txt"]
    assert bucket.exists("d.txt")
    assert not bucket.exists("a/b")
    assert bucket.path("d.txt") == f"{home.uri}/buckets/inbox/d.txt"
    bucket.delete("a/b/c.txt")
    bucket.delete("a/b/c.txt")
    assert bucket.list() == ["d.txt"]
    assert not (root(home) / "a").exists()
    assert root(home).exists()


def test_a_missing_file_names_the_nearest(bucket: BucketFolder) -> None:
    bucket.put("january.csv", b"")
    with pytest.raises(DataError, match=r"inbox has no file 'januray.csv'.*did you mean 'january.csv'"):
        bucket.get("januray.csv")
    with pytest.raises(DataError, match="has no file"):
        bucket.etag("nowhere/else")
    assert bucket.stat("nowhere/else") is None


def test_stat_and_etag(bucket: BucketFolder, home: Home) -> None:
    bucket.put("a.txt", b"hello")
    (stat,) = bucket.scan()
    assert stat == bucket.stat("a.txt") == FileStat("a.txt", 5, (root(home) / "a.txt").stat().st_mtime_ns)
    before = bucket.etag("a.txt")
    os.utime(root(home) / "a.txt", ns=(1, 1))
    assert bucket.stat("a.txt") != stat
    assert bucket.etag("a.txt") == before
    bucket.put("a.txt", b"hellO")
    assert bucket.etag("a.txt") != before
    assert len(before) == 32


BAD_KEYS = [
    "", "/etc/passwd", "../x", "a/../../x", "a/..", "..", ".", "./a", "a//b", "a/", "a\\b", "..\\x", "C:/x", "C:\\x",
    "a\0b", "a\nb",
    "x" * 1025, "y" * 300, "\udc80", ".packyak-tmp-1", "a/.packyak-tmp-1",
]  # fmt: skip


@pytest.mark.parametrize("key", BAD_KEYS)
def test_keys_stay_inside(bucket: BucketFolder, home: Home, key: str) -> None:
    for act in (
        lambda: bucket.put(key, b""),
        lambda: bucket.get(key),
        lambda: bucket.delete(key),
        lambda: bucket.etag(key),
    ):
        with pytest.raises(DataError, match="cannot be a key in the bucket inbox"):
            act()
    assert home.names(".") == [".gitignore", "format.json"]


@pytest.mark.parametrize(
    "key", ["ü/é.txt", "a b.txt", "a'b", '"', "..a", "a..b/c", "...", ".hidden", "~", "$HOME", "a:b", "-rf"]
)
def test_odd_keys_work(bucket: BucketFolder, key: str) -> None:
    bucket.put(key, b"x")
    assert bucket.get(key) == b"x"
    assert bucket.list() == [key]
    bucket.delete(key)
    assert bucket.list() == []


@given(st.text(max_size=12))
def test_no_text_leads_out(key: str) -> None:
    if not invalid(key):
        joined = os.path.normpath(f"/bucket/{key}")
        assert joined.startswith("/bucket/")
        assert joined == f"/bucket/{key}"


@pytest.mark.parametrize("name", ["", "..", "a/b", ".x", "a..b", "x" * 64, "a b"])
def test_bucket_names(home: Home, name: str) -> None:
    with pytest.raises(DataError, match="cannot name a bucket"):
        BucketFolder(home, name)


def test_links_do_not_lead_out(bucket: BucketFolder, home: Home, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_bytes(b"secret")
    bucket.put("real.txt", b"real")
    (root(home) / "out.txt").symlink_to(outside / "secret.txt")
    (root(home) / "folder").symlink_to(outside)
    (root(home) / "in.txt").symlink_to("real.txt")
    (root(home) / "dead.txt").symlink_to("nothing")
    (root(home) / "loop").symlink_to(".")
    refused: dict[str, str] = {}
    assert [stat.key for stat in bucket.scan("*", refused.__setitem__)] == ["in.txt", "real.txt"]
    assert refused == {
        "out.txt": "it is a link that leaves the bucket",
        "folder": "it is a link that leaves the bucket",
        "dead.txt": "it is a link to nothing",
        "loop": "it is a link to a folder",
    }
    for key in ("out.txt", "folder/secret.txt", "folder/new.txt"):
        for act in (lambda: bucket.get(key), lambda: bucket.put(key, b"x"), lambda: bucket.delete(key)):  # noqa: B023
            with pytest.raises(DataError, match="link that leaves the bucket"):
                act()
    assert bucket.get("in.txt") == b"real"
    assert sorted(path.name for path in outside.iterdir()) == ["secret.txt"]


def test_names_that_are_no_keys_are_told(bucket: BucketFolder, home: Home) -> None:
    bucket.put("a.txt", b"")
    (root(home) / "back\\slash.txt").write_bytes(b"")
    Path(os.fsdecode(os.fsencode(root(home)) + b"/\xff.txt")).write_bytes(b"")
    os.mkfifo(root(home) / "pipe.txt")
    refused: dict[str, str] = {}
    assert [stat.key for stat in bucket.scan("*.txt", refused.__setitem__)] == ["a.txt"]
    assert sorted(refused.values()) == ["it has a backslash", "it is no ordinary file", "it is not valid Unicode"]


def test_a_bucket_may_itself_be_a_link(home: Home, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_bytes(b"x")
    (tmp_path / "home" / "buckets").mkdir()
    (tmp_path / "home" / "buckets" / "inbox").symlink_to(tmp_path / "data")
    bucket = BucketFolder(home, "inbox")
    assert bucket.list() == ["a.txt"]
    assert bucket.get("a.txt") == b"x"


def test_a_file_where_a_folder_is_needed(bucket: BucketFolder) -> None:
    bucket.put("a", b"")
    with pytest.raises(HomeError, match="no file stands where a folder is needed"):
        bucket.put("a/b", b"")
    with pytest.raises(DataError, match="has no file"):
        bucket.get("a/b")


@pytest.mark.parametrize(
    ("pattern", "fits", "not_fits"),
    [
        ("*", ["a", "a/b", "a.b/c d", "a\\b"], [".a", "a/.b", ".a/b"]),
        ("*.csv", ["a.csv", "x/y/a.csv"], ["a.csv.gz", "acsv", ".csv"]),
        ("x/*.csv", ["x/a.csv", "x/y/a.csv"], ["a.csv", "z/x/a.csv"]),
        ("*/a.csv", ["x/a.csv", "x/y/a.csv"], ["a.csv"]),
        ("20??/*.csv", ["2024/a.csv"], ["202/a.csv"]),
        ("[ab].csv", ["[ab].csv"], ["a.csv"]),
        ("a+(b).csv", ["a+(b).csv"], ["aab.csv"]),
        ("a.csv", ["a.csv"], ["x/a.csv", "b.csv", "abcsv"]),
        (".*", [".hidden", ".git/config"], ["hidden"]),
        ("", [], ["a"]),
    ],
)
def test_patterns(pattern: str, fits: list[str], not_fits: list[str]) -> None:
    matches = matcher(pattern)
    assert [key for key in fits if not matches(key)] == []
    assert [key for key in not_fits if matches(key)] == []


def test_ten_thousand_files(bucket: BucketFolder, home: Home) -> None:
    for folder in range(100):
        (root(home) / f"{folder}").mkdir(parents=True)
        for number in range(100):
            (root(home) / f"{folder}" / f"{number}.jsonl").touch()
    assert len(bucket.scan("*.jsonl")) == 10_000
    assert len(bucket.scan("7/*.jsonl")) == 100
