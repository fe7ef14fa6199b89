"""Whether a project comes to the same here and in the cloud: run whole in a folder, and unit by unit, each under its
own role, on the S3 server of this machine. Compared are records, public versions and lineage of every asset.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packyak.deploy.grants.declared import CloudHome, Declared
from packyak.deploy.grants.grant import document_of
from packyak.deploy.grants.home import first_objects
from packyak.deploy.grants.local_s3 import ADMIN, local_s3
from packyak.deploy.grants.running import Runners
from packyak.engine.errors import PackyakError
from packyak.engine.lineage.log import EventLog
from packyak.engine.project import Project
from packyak.engine.store.files import BucketFolder
from packyak.engine.store.home import open_home

HOME = CloudHome("packyak-parity", "home", "arn:aws:kms:us-east-1:123456789012:key/home")
_OF_THE_MOMENT = frozenset({"_producer", "_schemaURL", "lifecycleStateChange", "storage", "dataSource", "symlinks"})


@dataclass(frozen=True)
class State:
    """What an asset came to: how many records, and names for their content, for its version and for its lineage."""

    asset: str
    rows: int
    content: str
    version: str
    lineage: str


@dataclass(frozen=True)
class Compared:
    """An asset here and there."""

    here: State
    there: State

    @property
    def same(self) -> bool:
        """Whether records, version and lineage are equal."""
        return self.here == self.there


def states_of(project: Project) -> list[State]:
    """Every asset as it stands in a project's home."""
    good = project.published.load().assets
    told = dict(_lineage(project))
    found = []
    for node in project.graph.tables:
        rows = project.read(node.name).to_pylist()
        content = _name_of(sorted(json.dumps(row, sort_keys=True, default=str) for row in rows))
        version = good[node.name].version if node.name in good else ""
        found.append(State(node.name, len(rows), content, version, told.get(node.name, "")))
    return found


def compare(project: Project) -> tuple[Compared, ...]:
    """Runs a project here and under its roles, from the files in its buckets, and compares. Its own home is only read.

    Raises PackyakError where a run did not end well.
    """
    with tempfile.TemporaryDirectory(prefix="packyak-") as folder:
        here = _here(project, Path(folder) / "home")
    there = {each.asset: each for each in _there(project)}
    return tuple(Compared(each, there[each.asset]) for each in here)


def _here(project: Project, home: Path) -> list[State]:
    copied = open_home(home)
    for bucket, key, data in _files(project):
        BucketFolder(copied, bucket).put(key, data)
    with Runners(project.root, str(home)) as runners, runners.under({}) as ask:
        _well("the whole project", ask({"whole": True}))
        return [State(**each) for each in ask({"tell": True})["states"]]


def _there(project: Project) -> list[State]:
    declared = Declared(project.graph, HOME, project.root)
    with local_s3(key=HOME.key) as server, Runners(project.root, HOME.uri) as runners:
        server.make_bucket(HOME.bucket)
        for name, data in first_objects(project.graph):
            server.put(HOME.bucket, HOME.path(name), data)
        for bucket, key, data in _files(project):
            server.put(HOME.bucket, HOME.path(f"buckets/{bucket}/{key}"), data)
        for role in declared.roles():
            access_key = f"AKIA{role.upper()}"
            server.gate.roles[access_key] = document_of(declared.grants([role]))
            with runners.under(server.environment(access_key)) as ask:
                _well(role, ask({"run": role}))
        with runners.under(server.environment(ADMIN)) as ask:
            return [State(**each) for each in ask({"tell": True})["states"]]


def _files(project: Project) -> Iterator[tuple[str, str, bytes]]:
    for name, _, _ in sorted(project.home.walk("buckets")):
        _, bucket, key = name.split("/", 2)
        yield bucket, key, project.home.read(name) or b""


def _well(who: str, outcome: Mapping[str, Any]) -> None:
    if outcome["state"] != "done" or outcome["problem"]:
        raise PackyakError(f"{who} did not end well: {outcome['problem'] or outcome['state']}")


def _lineage(project: Project) -> Iterator[tuple[str, str]]:
    """For each asset a name for what its events say of where it came from, of all but the moment and the place."""
    home = _as_lineage_names_it(project.home.uri)
    for event in EventLog(project.home).read():
        if event.get("eventType") == "COMPLETE" and event.get("outputs"):
            code = event["job"]["facets"].get("sourceCodeLocation", {}).get("version", "")
            yield event["job"]["name"], _name_of([code, _bare(event["inputs"], home), _bare(event["outputs"], home)])


def _as_lineage_names_it(uri: str) -> tuple[str, str]:
    """A home's namespace, and how names in it begin."""
    if not uri.startswith("s3://"):
        return "file", uri
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return f"s3://{bucket}", prefix


def _bare(value: Any, home: tuple[str, str]) -> Any:
    """An event's part without producers, and with places told from the home on."""
    if isinstance(value, dict):
        kept = {name: _bare(each, home) for name, each in value.items() if name not in _OF_THE_MOMENT}
        if kept.get("namespace") == home[0]:
            kept |= {"namespace": "", "name": str(kept["name"]).removeprefix(home[1])}
        return kept
    return [_bare(each, home) for each in value] if isinstance(value, list) else value


def _name_of(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
