"""What a deployment consists of, as one frozen record: the same project always gives the same plan, byte for byte.

A plan says what there will be and why, and does nothing: assets, indexes and functions with what they read, the order
in which they run, the triggers, the buckets, and for each role its grants with their evidence. Its hash names it;
stacks, reports and differences are made from it and from nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from packyak.deploy.grants.declared import CloudHome, Declared, Undecided, cloud_home
from packyak.deploy.grants.grant import Grant, document_of
from packyak.deploy.grants.reviewer import REVIEWER, reviewer_grants
from packyak.deploy.grants.tidying import TIDYING, tidying_grants
from packyak.deploy.served import Served
from packyak.deploy.stacks.names import slug
from packyak.deploy.stacks.profiles import Profile
from packyak.deploy.wanted import STUDIO, Size, Wanted, read_wanted
from packyak.engine.declare.nodes import (
    BucketNode,
    FilesNode,
    FunctionNode,
    Graph,
    IndexNode,
    Node,
    TableNode,
)
from packyak.engine.run.due.status import kind_of
from packyak.engine.settings import CONFIG_FILE, load_config

if TYPE_CHECKING:
    from packyak.engine.project import Project

FORMAT = 2
HEAVY = ("learned", "index")  # these load the embedding model
HOME_KEY = "${HomeKey}"  # stands for the key that encrypts the home, until the stack that makes it is there


@dataclass(frozen=True)
class Unit:
    """Something that runs under a role of its own. reads: what it depends on; code: a name for its source text;
    image: "full" where it embeds texts, else "slim"; keep: how long its records may be kept."""

    name: str
    kind: str
    place: str
    doc: str
    reads: tuple[str, ...]
    code: str
    image: Literal["slim", "full"]
    size: Size = field(default_factory=Size)
    personal: tuple[str, ...] = ()
    subject: str = ""
    purpose: str = ""
    keep: str = ""


@dataclass(frozen=True)
class Trigger:
    """What starts a unit: a new file (of: `bucket/pattern`), an interval (of: seconds) or a schedule (of: cron).
    starts: its name, "" for everything in turn."""

    kind: Literal["file", "every", "cron"]
    of: str
    starts: str
    place: str


@dataclass(frozen=True)
class PlannedBucket:
    """A bucket, and where in the home its files lie."""

    name: str
    place: str
    prefix: str


@dataclass(frozen=True)
class Role:
    """A role: who has it, its grants, and the policy that is made of them."""

    name: str
    grants: tuple[Grant, ...]
    policy: dict[str, Any]


@dataclass(frozen=True)
class Outside:
    """Something beside the home that units reach: a secret, a queue, a table, another bucket. roles: whose code."""

    service: str
    resource: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class CloudPlan:
    """The whole plan. order: units that can run at the same time, in turn. profile: how long what is kept. budget: US
    dollars a month at which notify (an address, "" for nobody) is told. people: roles that no unit has, but who looks
    and corrects. upkeep: the role under which the home is tidied. outside: what units reach beside the home. studio:
    where people sign in, in the account; its role is among people's. hash: of everything else."""

    project: str
    home: CloudHome
    units: tuple[Unit, ...]
    order: tuple[tuple[str, ...], ...]
    triggers: tuple[Trigger, ...]
    buckets: tuple[PlannedBucket, ...]
    roles: tuple[Role, ...]
    undecided: tuple[Undecided, ...]
    profile: Profile = "dev"
    budget: int = 20
    notify: str = ""
    people: tuple[Role, ...] = ()
    upkeep: tuple[Role, ...] = ()
    outside: tuple[Outside, ...] = ()
    studio: Served | None = None
    hash: str = ""

    @property
    def every_role(self) -> tuple[Role, ...]:
        """The roles of units, of people and of upkeep."""
        return (*self.roles, *self.people, *self.upkeep)

    def role(self, name: str) -> Role | None:
        """The role of a unit, of people, or of upkeep."""
        return next((each for each in self.every_role if each.name == name), None)

    def to_json(self) -> str:
        """The plan as text, always the same for the same plan."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True, indent=1) + "\n"


def plan_of(
    project: str,
    graph: Graph,
    home: CloudHome,
    *,
    root: str | Path = "",
    codes: dict[str, str] | None = None,
    wanted: Wanted | None = None,
) -> CloudPlan:
    """The plan of a project. root: its folder, for places relative to it. codes: names of each unit's source text.
    wanted: what its packyak.toml asks of the cloud."""
    wanted = wanted or Wanted()
    declared = Declared(graph, home, root)
    names = declared.roles()
    grants: dict[str, list[Grant]] = {name: [] for name in names}
    for grant in declared.grants():
        grants[grant.role].append(grant)
    made = CloudPlan(
        project=project,
        home=home,
        units=tuple(_unit(graph, declared, name, (codes or {}).get(name, ""), wanted) for name in names),
        order=tuple(_order(graph, names)),
        triggers=tuple(_triggers(graph, declared, wanted)),
        buckets=tuple(
            PlannedBucket(node.name, declared.place(node), home.path(f"buckets/{node.name}/"))
            for node in graph.nodes.values()
            if isinstance(node, BucketNode)
        ),
        roles=tuple(_role(name, tuple(mine)) for name, mine in grants.items()),
        undecided=declared.undecided(),
        profile=wanted.profile,
        budget=wanted.budget,
        notify=wanted.notify,
        people=tuple(_of_people(declared, wanted.studio)),
        upkeep=(_role(TIDYING, tidying_grants(declared)),),
        outside=tuple(_outside(home, grants)),
        studio=wanted.studio,
    )
    digest = hashlib.sha256(made.to_json().encode()).hexdigest()
    return CloudPlan(**{**made.__dict__, "hash": digest})


def _outside(home: CloudHome, grants: Mapping[str, Iterable[Grant]]) -> Iterable[Outside]:
    bucket = f"arn:aws:s3:::{home.bucket}"
    found: dict[str, dict[str, None]] = {}
    for role, mine in grants.items():
        for each in mine:
            if each.resource not in (bucket, home.key) and not each.resource.startswith(f"{bucket}/"):
                found.setdefault(each.resource, {})[role] = None
    for resource, roles in sorted(found.items()):
        yield Outside(resource.split(":")[2] if ":" in resource else "", resource, tuple(roles))


def _of_people(declared: Declared, studio: Served | None) -> Iterable[Role]:
    """Who looks and corrects; and the studio in the account, which does it for them and has the very same grants."""
    grants = reviewer_grants(declared)
    yield _role(REVIEWER, grants)
    if studio is not None:
        yield _role(STUDIO, tuple(replace(each, role=STUDIO) for each in grants))


def _role(name: str, grants: tuple[Grant, ...]) -> Role:
    return Role(name, grants, document_of(grants))


def plan_project(project: Project, home: str = "", *, profile: Profile | None = None) -> CloudPlan:
    """The plan of an opened project, as it is deployed. home: `s3://bucket/prefix`; "" for its own, or where that is a
    folder for a bucket named as the project. profile: instead of what its packyak.toml says."""
    wanted = wanted_by(project)
    if profile is not None:
        wanted = replace(wanted, profile=profile)
    own = project.home.uri if project.home.uri.startswith("s3://") else f"s3://{slug(project.name)}-home/home"
    return plan_of(
        project.name,
        project.graph,
        cloud_home(home or own, key=HOME_KEY, region=wanted.region),
        root=project.root,
        codes={name: each.code for name, each in project.codes.fingerprints.items()},
        wanted=wanted,
    )


def wanted_by(project: Project) -> Wanted:
    """What a project's packyak.toml asks of the cloud."""
    file = project.root / CONFIG_FILE
    if not file.is_file():
        return Wanted()
    config, units = load_config(file), Declared(project.graph, cloud_home("s3://any")).roles()
    return read_wanted(config.cloud, units, str(file), has_roles=bool(config.roles))


def _unit(graph: Graph, declared: Declared, name: str, code: str, wanted: Wanted) -> Unit:
    node = graph[name]
    kind = kind_of(node)
    image: Literal["slim", "full"] = "full" if kind in HEAVY else "slim"
    marks = node.marks if isinstance(node, TableNode) else None
    return Unit(
        name=name,
        kind=kind,
        place=declared.place(node),
        doc=node.doc,
        reads=node.inputs,
        code=code,
        image=image,
        size=wanted.size(name, image),
        personal=tuple(sorted(marks.personal)) if marks else (),
        subject=(marks.subject or "") if marks else "",
        purpose=(marks.purpose or "") if marks else "",
        keep=(marks.keep or "") if marks else "",
    )


def _order(graph: Graph, names: Iterable[str]) -> Iterable[tuple[str, ...]]:
    """Levels: each unit one after the last that it depends on."""
    depth: dict[str, int] = {}
    for name in names:  # the graph has inputs first
        above = [depth[each] for each in graph.above(name) if each in depth]
        depth[name] = 1 + max(above, default=0) if not isinstance(graph[name], FunctionNode) else 0
    for level in range(1, max(depth.values(), default=0) + 1):
        yield tuple(name for name, each in depth.items() if each == level)


def _triggers(graph: Graph, declared: Declared, wanted: Wanted) -> Iterable[Trigger]:
    if wanted.cron:
        yield Trigger("cron", wanted.cron, "", "packyak.toml")
    for node in graph.nodes.values():
        place = declared.place(node)
        if isinstance(node, FunctionNode):
            if node.on is not None:
                yield Trigger("file", "/".join(node.on), node.name, place)
            if node.every is not None:
                yield Trigger("every", f"{node.every:g}", node.name, place)
            if node.cron is not None:
                yield Trigger("cron", node.cron, node.name, place)
        elif isinstance(node, TableNode | IndexNode):
            for each in _files_read(graph, node):
                yield Trigger("file", f"{each.bucket}/{each.pattern}", node.name, place)


def _files_read(graph: Graph, node: Node) -> list[FilesNode]:
    found = (graph.nodes.get(name) for name in node.inputs)
    return [each for each in found if isinstance(each, FilesNode)]
