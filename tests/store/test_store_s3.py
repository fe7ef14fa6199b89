"""The home on S3, against a local server: the same promises as in a folder."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from local_s3 import KEYS, local_s3
from packyak.engine.errors import DataError, HomeError, RunBusy
from packyak.engine.store.corrections import Correction, CorrectionLog
from packyak.engine.store.files import BucketFolder
from packyak.engine.store.home import Home, open_home
from packyak.engine.store.lease import Lease
from packyak.engine.store.published import AssetVersion, Published, Vector
from packyak.engine.store.query import Query, hash_sum
from packyak.engine.store.s3 import S3Place
from packyak.engine.store.tables import Table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    pytest.importorskip("moto")
    with local_s3() as url:
        yield url


@pytest.fixture
def home(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Home:
    for name, value in (KEYS | {"AWS_ENDPOINT_URL": server}).items():
        monkeypatch.setenv(name, value)
    return open_home(f"s3://home-bucket/{request.node.name}/home")


def test_bytes(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.local is None
    assert open_home(home.uri).read("format.json") == b'{"format": 1}'
    assert home.read("a/b") is None
    home.write("a/b.json", b"1")
    home.write("a/b.json", b"2")
    home.write("a/deep/c.json", b"")
    assert home.read("a/b.json") == b"2"
    assert home.names("a", ".json") == ["b.json"]
    assert home.names("nowhere") == []
    assert home.create("a/x", b"1")
    assert not home.create("a/x", b"2")
    monkeypatch.setattr(S3Place, "_client", None)
    assert home.create("a/y", b"1")
    assert not home.create("a/y", b"2")
    home.remove("a/x")
    home.remove("a/x")
    assert home.names("a") == ["b.json", "y"]


def test_what_goes_wrong_is_said(home: Home) -> None:
    with pytest.raises(HomeError, match="S3 refused to"):
        open_home("s3://no-such-bucket/home")
    with pytest.raises(HomeError, match="names no S3 bucket"):
        Home("s3://")


def test_tables_and_sql(home: Home) -> None:
    table = Table(home, "tables", "t")
    assert not table.exists()
    table.create(pa.table({"_key": ["a", "b"], "n": [1, 2]}))
    assert not table.upsert(pa.table({"_key": ["a"], "n": [1]}))
    assert table.upsert(pa.table({"_key": ["a", "c"], "n": [5, 6]})).version == table.version() == 2
    assert table.delete(["b"]) == 1
    assert sorted(table.changed_since(1)["_key"].to_pylist()) == ["a", "c"]
    assert Query().run("select sum(n) as s from t", {"t": table.dataset()}).to_pylist() == [{"s": 11}]
    assert hash_sum(table.dataset()) == hash_sum(pa.table({"_key": ["c", "a"], "n": [6, 5]}))
    assert table.count(1) == 2
    with pytest.raises(DataError, match="no version 9"):
        table.read(version=9)


def test_files(home: Home) -> None:
    bucket = BucketFolder(home, "inbox")
    assert bucket.scan() == []
    bucket.put("a/b.txt", b"1")
    bucket.put("c.jsonl", b"{}")
    assert bucket.list() == ["a/b.txt", "c.jsonl"]
    assert [(stat.key, stat.size) for stat in bucket.scan("*.jsonl")] == [("c.jsonl", 2)]
    assert bucket.stat("c.jsonl") == bucket.scan("*.jsonl")[0]
    assert bucket.stat("a") is None
    assert bucket.get("a/b.txt") == b"1"
    assert len(bucket.etag("a/b.txt")) == 32
    bucket.delete("a/b.txt")
    with pytest.raises(DataError, match="has no file"):
        bucket.get("a/b.txt")


def test_corrections_publications_and_the_lease(home: Home) -> None:
    log = CorrectionLog(home)
    saved = log.append([Correction("", "a", "k", "c", 1)])
    assert CorrectionLog(home).all() == saved
    published = Published(home)
    published.publish(Vector(assets={"a": AssetVersion(1)}))
    assert Published(home).load().assets["a"].table == 1
    with Lease(home, "run") as lease:
        lease.check()
        with pytest.raises(RunBusy):
            Lease(home, "run").acquire()
    with Lease(home, "run"):
        pass
