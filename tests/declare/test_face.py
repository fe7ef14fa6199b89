"""The face: small, importable, light; verbs act on the active project."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from packyak.engine.declare.active import activate, current
from packyak.engine.declare.bucket import key_matches
from packyak.engine.declare.nodes import Graph, IndexNode, Origin
from packyak.engine.errors import DeclarationError, ProjectNotFound

import packyak
from packyak import Bucket, File, Index, read_csv, sql

HEAVY = [
    "prefect",
    "lance",
    "lancedb",
    "duckdb",
    "pyarrow",
    "pandas",
    "numpy",
    "streamlit",
    "torch",
    "sentence_transformers",
    "boto3",
    "aws_cdk",
    "sqlglot",
    "typer",
    "rich",
    "asyncio",
]


def test_the_face_is_small_sorted_and_importable() -> None:
    assert len(packyak.__all__) < 20
    assert packyak.__all__ == sorted(packyak.__all__)
    assert all(getattr(packyak, name) is not None for name in packyak.__all__)
    with pytest.raises(AttributeError, match="it has Bucket"):
        _ = packyak.nothing  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "code",
    ["import packyak", "from packyak import Bucket, File, Index, asset, check, function, learned, read_csv, sql"],
)
def test_importing_the_face_is_light(code: str) -> None:
    told = f"{code}; import sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


class Folder:
    """A project of files in memory."""

    def __init__(self, *nodes: IndexNode) -> None:
        self.files: dict[tuple[str, str], bytes] = {}
        self.graph = Graph({node.name: node for node in nodes})

    def put_bytes(self, bucket: str, key: str, data: bytes) -> None:
        self.files[bucket, key] = data

    def get_bytes(self, bucket: str, key: str) -> bytes:
        return self.files[bucket, key]

    def list_keys(self, bucket: str) -> list[str]:
        return [key for name, key in self.files if name == bucket]

    def delete_key(self, bucket: str, key: str) -> None:
        self.files.pop((bucket, key), None)

    def find(self, index: str, text: str, k: int, where: str | None, *, how: str, like: str | None) -> list[object]:
        return [index, text, k, where, how, like]


def test_verbs_act_on_the_active_project() -> None:
    inbox = Bucket("inbox")

    async def use() -> tuple[bytes, list[str]]:
        await inbox.put("b/2.txt", "zwei")
        await inbox.put("a.txt", b"one")
        found = await inbox.get("b/2.txt"), await inbox.list("*.txt")
        await inbox.delete("a.txt")
        return found

    with activate(Folder()):
        assert asyncio.run(use()) == (b"zwei", ["a.txt", "b/2.txt"])
        assert inbox.list_sync() == ["b/2.txt"]
        assert File("b/2.txt", "inbox").text() == "zwei"
        assert File("b/2.txt", "inbox").path.read_bytes() == b"zwei"
        assert list(read_csv(File("b/2.txt", "inbox"))) == []
    with pytest.raises(ProjectNotFound, match=r"No project is active.*Next: "):
        inbox.put_sync("a", "b")
    with pytest.raises(ProjectNotFound):
        current()


def test_an_index_finds_by_its_name_in_the_active_project() -> None:
    search = Index(sql("select 1"), on="text")
    with activate(Folder(IndexNode("search", Origin("a.py", 1), "", search, ()))):
        assert search.find("late fee", k=2) == ["search", "late fee", 2, None, "hybrid", None]
        assert search.find(like="T-1", how="vector") == ["search", "", 5, None, "vector", "T-1"]
    with activate(Folder()), pytest.raises(DeclarationError, match="not part of the active project"):
        search.find("late fee")


def test_buckets_are_data() -> None:
    assert Bucket("a") == Bucket("a") != Bucket("b")
    assert len({Bucket("a"), Bucket("a")}) == 1
    assert Bucket("a").files("*.csv") == Bucket("a").files("*.csv")


@pytest.mark.parametrize(
    ("pattern", "key", "matches"),
    [
        ("*", "a/b.csv", True), ("*.csv", "a/b.csv", True), ("*.csv", "a.CSV", False), ("a?.csv", "ab.csv", True),
        ("a?.csv", "a.csv", False), ("[a].csv", "a.csv", False), ("[a].csv", "[a].csv", True),
        ("a.csv", "a.csvx", False), ("in/*/x", "in/b/c/x", True),
    ],
)  # fmt: skip
def test_patterns(pattern: str, key: str, matches: bool) -> None:
    assert key_matches(key, pattern) is matches


def test_a_file_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hé")
    file = File.at(tmp_path / "a.txt")
    assert (file.key, file.size, file.text(), file.path) == ("a.txt", 3, "hé", tmp_path / "a.txt")
    with file.open() as stream:
        assert stream.read() == "hé".encode()
