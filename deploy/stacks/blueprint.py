"""What the stacks are built from: plain records, everything decided, nothing left to look up.

A blueprint is drawn from a plan (`drawing.py`) and is all that the CDK code reads, here and in an ejected app, where it
lies as `project.json` and `units/*.json`. Standard library only.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from packyak.deploy.stacks.names import Names
from packyak.deploy.stacks.profiles import Retention


@dataclass(frozen=True)
class Reach:
    """A resource with a wildcard in a unit's policy, and why it must have one; place: `file:line` where it is known."""

    resource: str
    why: str
    place: str


@dataclass(frozen=True)
class UnitDrawing:
    """A unit as it is deployed. policies: documents that fit into a managed policy each. reaches: their wildcards."""

    name: str
    kind: str
    doc: str
    place: str
    image: str
    runs_on: str
    memory_mb: int
    minutes: int
    disk_mb: int
    cpu: int
    policies: tuple[dict[str, Any], ...]
    reaches: tuple[Reach, ...]


@dataclass(frozen=True)
class RoleDrawing:
    """A role that no unit has: its policies and their wildcards."""

    name: str
    policies: tuple[dict[str, Any], ...]
    reaches: tuple[Reach, ...]


@dataclass(frozen=True)
class StudioDrawing:
    """The studio in the account: where people see it, who signs them in, its policies and their wildcards. secret: its
    name in Secrets Manager; zone: of the domain, "" where it is pointed by hand; reach: from where it is reached."""

    domain: str
    certificate: str
    issuer: str
    client_id: str
    secret: str
    zone: str
    reach: tuple[str, ...]
    memory_mb: int
    cpu: int
    policies: tuple[dict[str, Any], ...]
    reaches: tuple[Reach, ...]


@dataclass(frozen=True)
class Start:
    """What starts a unit, or everything ("" as unit): a key pattern of new objects, or a schedule of EventBridge."""

    name: str
    unit: str
    doc: str
    keys: tuple[str, ...] = ()
    schedule: str = ""


@dataclass(frozen=True)
class Blueprint:
    """A project's deployment. folder: where in the bucket the home lies. stacks: units by the stack that has them, the
    first is number 1. levels: units of the flow that may run at the same time, in turn."""

    project: str
    profile: str
    region: str
    bucket: str
    folder: str
    budget: int
    notify: str
    retention: Retention
    units: tuple[UnitDrawing, ...]
    stacks: tuple[tuple[str, ...], ...]
    levels: tuple[tuple[str, ...], ...]
    starts: tuple[Start, ...]
    people: tuple[RoleDrawing, ...] = ()
    upkeep: tuple[RoleDrawing, ...] = ()
    studio: StudioDrawing | None = None

    @property
    def names(self) -> Names:
        return Names(self.project, self.bucket)

    @property
    def home(self) -> str:
        return f"s3://{self.bucket}/{self.folder}".rstrip("/")

    @property
    def on_fargate(self) -> bool:
        return any(each.runs_on == "fargate" for each in self.units)

    def unit(self, name: str) -> UnitDrawing:
        return next(each for each in self.units if each.name == name)

    def to_json(self) -> str:
        """As text, always the same for the same blueprint."""
        return _text(asdict(self))


def read_blueprint(text: str) -> Blueprint:
    """The blueprint that `to_json` wrote, or that a person edited."""
    return _blueprint(json.loads(text))


def write_folder(drawn: Blueprint, folder: Path) -> None:
    """The blueprint as files to edit: `project.json`, and one for each unit below `units`."""
    (folder / "units").mkdir()
    data = asdict(drawn)
    for unit in data.pop("units"):
        (folder / "units" / f"{unit['name']}.json").write_text(_text(unit), encoding="utf-8")
    (folder / "project.json").write_text(_text(data), encoding="utf-8")


def read_folder(folder: Path) -> Blueprint:
    """What `write_folder` wrote. Units come in the order of the stacks that they are in."""
    data = json.loads((folder / "project.json").read_text(encoding="utf-8"))
    names = [name for stack in data["stacks"] for name in stack]
    read = [(folder / "units" / f"{name}.json").read_text(encoding="utf-8") for name in names]
    return _blueprint({**data, "units": [json.loads(each) for each in read]})


def _text(data: Any) -> str:
    return json.dumps(data, indent=2, sort_keys=True) + "\n"


def _blueprint(data: dict[str, Any]) -> Blueprint:
    return Blueprint(
        **{
            **data,
            "retention": Retention(**data["retention"]),
            "units": tuple(UnitDrawing(**_with_policies(unit)) for unit in data["units"]),
            "people": tuple(RoleDrawing(**_with_policies(each)) for each in data["people"]),
            "upkeep": tuple(RoleDrawing(**_with_policies(each)) for each in data["upkeep"]),
            "studio": _studio(data.get("studio")),
            "stacks": tuple(tuple(each) for each in data["stacks"]),
            "levels": tuple(tuple(each) for each in data["levels"]),
            "starts": tuple(Start(**{**each, "keys": tuple(each["keys"])}) for each in data["starts"]),
        }
    )


def _studio(facts: dict[str, Any] | None) -> StudioDrawing | None:
    return None if facts is None else StudioDrawing(**{**_with_policies(facts), "reach": tuple(facts["reach"])})


def _with_policies(facts: dict[str, Any]) -> dict[str, Any]:
    reaches = tuple(Reach(**each) for each in facts["reaches"])
    return {**facts, "policies": tuple(facts["policies"]), "reaches": reaches}
