"""What a deployment costs when nothing happens, and what one run costs, from a dated price table and the last run here.

An estimate with its assumptions beside it: what is not known before it runs in the account is assumed in the open, on
the high side, and free tiers are left out. Prices are of one region and day, which both are named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from packyak.deploy.plan import CloudPlan, Unit
from packyak.deploy.publish.image import STUDIO, images_of, searches
from packyak.engine.run.runs import RunRecord

FILE = Path(__file__).with_name("prices.json")
GB = 10**9
HOURS = 730  # a month
IMAGE = {"slim": 0.35, "full": 1.1, "studio": 0.45}  # GB as the registry keeps it, compressed
EMBEDS = 0.75  # what embedding texts adds to the studio's
IMAGES_KEPT = 10  # in the repository; of one kind at most half of them, as where there are two
START = {"slim": 6.0, "full": 12.0}  # seconds before a function that slept does its work
TASK_START = 60.0
ADDRESSES = 3  # public ones: the load balancer's in two zones, and the studio's own
UNKNOWN_SECONDS = 5.0
READS, WRITES = 20, 12  # requests that one asset's run makes of S3, as the proof's gate counts them
LOG_BYTES = 20_000
AUDIT_BYTES = 1_500  # what a recorded data event weighs in the log bucket
TRANSITIONS = 4  # of a unit and its share of what stands around it
IDLE: Mapping[str, tuple[str, float]] = {  # what a resource costs by standing there: a price, and how often a month
    "AWS::KMS::Key": ("kms_key_month", 1),
    "AWS::KMS::ReplicaKey": ("kms_key_month", 1),
    "AWS::CloudWatch::Alarm": ("alarm_month", 1),
    "AWS::SecretsManager::Secret": ("secret_month", 1),
    "AWS::EC2::NatGateway": ("nat_hour", HOURS),
}
PLAINLY = {
    "AWS::KMS::Key": "keys",
    "AWS::KMS::ReplicaKey": "keys of the replica",
    "AWS::CloudWatch::Alarm": "alarms",
    "AWS::SecretsManager::Secret": "secrets",
    "AWS::EC2::NatGateway": "NAT gateways",
    "AWS::EC2::VPCEndpoint": "interface endpoints",
}
Template: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """One line of the estimate. dollars: what it comes to; how: the sum in words."""

    what: str
    dollars: float
    how: str


@dataclass(frozen=True)
class Cost:
    """The estimate. idle: by the month; run: of one whole run; open: by the hour in which the studio in the account is
    open. as_of, region, source: of the prices."""

    idle: tuple[Item, ...]
    run: tuple[Item, ...]
    assumptions: tuple[str, ...]
    as_of: str
    region: str
    source: str
    open: tuple[Item, ...] = ()

    @property
    def hour(self) -> float:
        """What an hour costs in which the studio in the account is open."""
        return sum(each.dollars for each in self.open)

    @property
    def month(self) -> float:
        """What a month costs in which nothing runs."""
        return sum(each.dollars for each in self.idle)

    @property
    def once(self) -> float:
        """What one whole run costs."""
        return sum(each.dollars for each in self.run)


@cache
def _table() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def price(name: str) -> float:
    """One price of the table, in dollars."""
    return float(_table()["prices"][name][0])


def cost_of(
    plan: CloudPlan, *, run: RunRecord | None = None, stored: int = 0, templates: Sequence[Template] = ()
) -> Cost:
    """The estimate for a plan. run: the last whole run here; stored: bytes in the home; templates: of its stacks, so
    that every resource with a price of its own is counted; without them one key is assumed."""
    table = _table()
    seconds = {each.asset: each.seconds for each in run.assets} if run else {}
    return Cost(
        idle=tuple(_idle(plan, stored, templates)),
        run=tuple(_run(plan, seconds)),
        assumptions=tuple(_assumptions(plan, run, seconds, stored, templates)),
        as_of=table["as_of"],
        region=table["region"],
        source=table["source"],
        open=tuple(an_hour_open(plan)),
    )


def _idle(plan: CloudPlan, stored: int, templates: Sequence[Template]) -> Iterator[Item]:
    counts = _resources(templates) if templates else {"AWS::KMS::Key": 1}
    for kind, (name, times) in IDLE.items():
        number = counts.get(kind, 0)
        if number:
            yield Item(PLAINLY[kind], number * price(name) * times, f"{number} x ${price(name) * times:.2f}")
    endpoints = counts.get("interface endpoint", 0)
    if endpoints:
        yield Item(
            "interface endpoints",
            endpoints * price("endpoint_hour") * HOURS,
            f"{endpoints} in one zone x ${price('endpoint_hour')} x {HOURS} h",
        )
    images = sum(_image(plan, kind) for kind in images_of(plan)) * _kept(plan)
    yield Item("container images", images * price("ecr_gb_month"), f"{images:.2f} GB x ${price('ecr_gb_month')}")
    kept = stored / GB
    yield Item("what the home holds", kept * price("s3_gb_month"), f"{kept:.3f} GB x ${price('s3_gb_month')}")


def _image(plan: CloudPlan, kind: str) -> float:
    return IMAGE[kind] + (EMBEDS if kind == STUDIO and searches(plan) else 0)


def _kept(plan: CloudPlan) -> int:
    """How many images of each kind."""
    return IMAGES_KEPT // max(2, len(images_of(plan)))


def an_hour_open(plan: CloudPlan) -> Iterator[Item]:
    """What is paid while the studio in the account is open; closed, none of it is there."""
    if plan.studio is None:
        return
    cpu, memory = plan.studio.cpu / 1024, plan.studio.memory_mb / 1024
    balancer = price("load_balancer_hour") + price("lcu_hour")
    yield Item("the studio's load balancer", balancer, f"${price('load_balancer_hour')} and one unit of capacity")
    yield Item("its public addresses", ADDRESSES * price("address_hour"), f"{ADDRESSES} x ${price('address_hour')}")
    task = cpu * price("fargate_vcpu_hour") + memory * price("fargate_gb_hour")
    yield Item("the studio on Fargate", task, f"{cpu:g} vCPU, {memory:g} GB")


def _resources(templates: Sequence[Template]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for template in templates:
        for each in template.get("Resources", {}).values():
            kind, properties = each["Type"], each.get("Properties", {})
            if kind == "AWS::EC2::VPCEndpoint":
                if properties.get("VpcEndpointType") == "Interface":
                    zones = len(properties.get("SubnetIds", ())) or 1
                    counts["interface endpoint"] = counts.get("interface endpoint", 0) + zones
            else:
                counts[kind] = counts.get(kind, 0) + 1
    return counts


def _run(plan: CloudPlan, seconds: Mapping[str, float]) -> Iterator[Item]:
    units = [unit for unit in plan.units if unit.kind != "function"]
    calls = [unit for unit in units if unit.size.runs_on == "lambda"]
    worked = sum(_memory(unit) * (_seconds(unit, seconds) + START[unit.image]) for unit in calls)
    yield Item(
        "functions", worked * price("lambda_gb_second") + len(calls) * price("lambda_request"), f"{worked:.0f} GB-s"
    )
    tasks = [unit for unit in units if unit.size.runs_on == "fargate"]
    if tasks:
        yield Item("tasks on Fargate", sum(_task(unit, seconds) for unit in tasks), f"{len(tasks)} tasks")
    steps = len(units) * TRANSITIONS
    yield Item("state machine", steps * price("transition"), f"{steps} transitions")
    reads, writes = len(units) * READS, len(units) * WRITES
    asked = reads * price("s3_read") + writes * price("s3_write")
    yield Item("requests to S3", asked, f"{reads} reads, {writes} writes")
    yield Item("requests to KMS", (reads + writes) * price("kms_request"), f"{reads + writes} requests, no bucket key")
    recorded = (reads + writes) * (price("data_event") + AUDIT_BYTES / GB * price("s3_gb_month"))
    yield Item("records of access", recorded, f"{reads + writes} data events")
    logged = len(units) * LOG_BYTES / GB
    yield Item("logs", logged * price("log_gb"), f"{len(units) * LOG_BYTES // 1000} kB")


def _memory(unit: Unit) -> float:
    return unit.size.memory_mb / 1024


def _task(unit: Unit, seconds: Mapping[str, float]) -> float:
    hours = max(_seconds(unit, seconds) + TASK_START, 60) / 3600  # a task is billed for a minute at least
    return hours * (unit.size.cpu / 1024 * price("fargate_vcpu_hour") + _memory(unit) * price("fargate_gb_hour"))


def _seconds(unit: Unit, seconds: Mapping[str, float]) -> float:
    return seconds.get(unit.name) or UNKNOWN_SECONDS


def _assumptions(
    plan: CloudPlan, run: RunRecord | None, seconds: Mapping[str, float], stored: int, templates: Sequence[Template]
) -> Iterator[str]:
    known = [unit.name for unit in plan.units if seconds.get(unit.name)]
    if run is not None and known:
        whole = sum(seconds[name] for name in known)
        yield f"each function computes as long as here in the run {run.id}: {whole:.1f} s together"
    guessed = [unit.name for unit in plan.units if unit.kind != "function" and unit.name not in known]
    if guessed:
        yield f"{UNKNOWN_SECONDS:.0f} s each for what no run here measured: {', '.join(guessed)}"
    starts = f"{START['slim']:.0f} s to start, {START['full']:.0f} s where texts are embedded"
    yield f"every function sleeps before a run: {starts}"
    sizes = sorted({unit.size.memory_mb for unit in plan.units})
    yield f"{', '.join(f'{each:,}' for each in sizes)} MB of memory, as the plan has it"
    images = " and ".join(f"{_image(plan, kind):g}" for kind in images_of(plan))
    yield f"images of {images} GB, {_kept(plan)} of each kept"
    yield f"{READS} reads and {WRITES} writes of S3 in each asset's run, every one recorded and decrypted"
    yield f"{stored / GB:.3f} GB in the home, as here; earlier versions and a replica come on top"
    if not templates:
        yield "one KMS key; with templates made, keys, alarms and endpoints are counted"
    if plan.studio:
        yield "the studio in the account is closed: no load balancer and no task; its client's secret is another $0.40"
    yield "no free tier, no tax, no data leaving the region"
