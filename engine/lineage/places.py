"""Where a home's tables and buckets are, by OpenLineage's naming rules, and back again.

A local table is `file` + its path, one on S3 `s3://bucket` + its key. The same names, found in events of other tools,
mean the same data; `ours` tells which of ours a name is. Standard library only.

Naming rules: https://openlineage.io/docs/spec/naming.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packyak.engine.lineage.asset_event import Read, namespace

TABLES, BUCKETS = "tables", "buckets"
_SUFFIX = ".lance"

Name = tuple[str, str]


@dataclass(frozen=True)
class Places:
    """The names of one home's data. home: its address, a folder or `s3://bucket/prefix`."""

    home: str

    def of(self, read: Read) -> Name:
        """Namespace and name of something an asset reads. The files of a bucket are known by their bucket."""
        return self.table(read.name) if read.kind == "asset" else self.bucket(read.name.split("/", 1)[0])

    def table(self, asset: str) -> Name:
        return self._at(f"{TABLES}/{asset}{_SUFFIX}")

    def bucket(self, name: str) -> Name:
        return self._at(f"{BUCKETS}/{name}")

    def ours(self, place: Name) -> Read | None:
        """What of ours a name means: an asset's table, a bucket or a file in one; None for anything else."""
        space, prefix = self._at("")
        found_space, name = place
        if found_space != space or not name.startswith(prefix):
            return None
        room, _, rest = name.removeprefix(prefix).partition("/")
        if room == TABLES and rest.endswith(_SUFFIX):
            return Read(rest.removesuffix(_SUFFIX))
        return Read(rest.split("/", 1)[0], kind="bucket") if room == BUCKETS and rest else None

    def _at(self, path: str) -> Name:
        home = self.home.rstrip("/")
        if home.startswith("s3://"):
            bucket, _, prefix = home.removeprefix("s3://").partition("/")
            return f"s3://{bucket}", f"{prefix}/{path}".lstrip("/")
        return "file", f"{Path(home).absolute().as_posix()}/{path}"


def logical_name(project: str, asset: str) -> Name:
    """The name of an asset that does not depend on where its home is."""
    return namespace(project), asset
