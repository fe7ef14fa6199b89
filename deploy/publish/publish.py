"""The project brought into the account: stage after stage, each with a record of what it did, nothing twice.

1. plan, 2. templates, 3. preflight: nothing is made yet. 4. differences: in words, from what stands there to what is
wanted; here a dry run ends, and here a person confirms, a widening apart. 5. store: a bucket for templates and sources.
6. foundation: the stack with buckets, keys and the image builder. 7. image: built in the account, unless it is there.
8. stacks: one change set each, looked through once more for data that would be lost, then executed. 9. home: what every
run reads is put there, empty. 10. outputs: where everything is, kept in the project's home.

Whatever fails, the next call starts at the top and goes on from what AWS says stands there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from packyak.deploy.grants.home import first_objects
from packyak.deploy.grants.seen import place_of
from packyak.deploy.plan import CloudPlan
from packyak.deploy.publish import door
from packyak.deploy.publish.account import Account, absent, asking
from packyak.deploy.publish.bucket import Bucket
from packyak.deploy.publish.diff import gained, plan_diff
from packyak.deploy.publish.image import EXTRAS, Builder, Images, Source, images_of
from packyak.deploy.publish.kept import NAME, Published, digest_of, keep, last_published, read, written
from packyak.deploy.publish.preflight import Caller, caller_of, look, stopping
from packyak.deploy.publish.records import Change, Diff, Event, Looked, Outcome, Output, Stage
from packyak.deploy.publish.stack import TAG, Stacks, Wanted
from packyak.deploy.publish.template_diff import Explained, places_of, template_diff, units_of
from packyak.deploy.stacks.names import Names
from packyak.deploy.stacks.synthesis import StackTemplate
from packyak.engine.declare.nodes import Graph
from packyak.engine.errors import PackyakError, PublishFailed
from packyak.engine.store.home import Home

IMAGE_BUILDER = "AWS::CodeBuild::Project"
REPOSITORY = "AWS::ECR::Repository"
Tell = Callable[[Stage | Event], None]


@dataclass(frozen=True)
class Asked:
    """How to publish. confirm: asked with what changes, answers whether to go on; accept_widening: asked apart where
    somebody may do more than before."""

    profile: str = "dev"
    dry_run: bool = False
    accept_widening: Callable[[Diff], bool] = lambda diff: False
    confirm: Callable[[Diff], bool] = lambda diff: True


@dataclass(frozen=True)
class Made:
    """What is published, made before AWS is asked anything. templates: of the plan under a profile, in order;
    source: makes the archive for the images."""

    plan: CloudPlan
    graph: Graph
    home: Home
    templates: Callable[[], Sequence[StackTemplate]]
    source: Callable[[], Source]


@dataclass
class _Run:
    """One publication under way."""

    made: Made
    account: Account
    caller: Caller
    asked: Asked
    tell: Tell
    seconds: dict[str, float] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stacks = Stacks(self.account, self.tell)
        self.bucket = Bucket(self.account, self.caller.account)
        self.units = {unit.name: unit.place for unit in self.made.plan.units}
        self.bodies: dict[str, Mapping[str, Any]] = {}
        self.changed = False

    @cached_property
    def source(self) -> Source:
        """The archive for the images, made once."""
        return self.made.source()

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[str], None]]:
        """One stage: told when it begins, when it says something, and how it ends."""
        began, said = time.monotonic(), [""]

        def say(line: str) -> None:
            said[0] = line
            self.tell(Stage(name, "running", line, round(time.monotonic() - began, 2)))

        say("")
        try:
            yield say
        except BaseException as error:
            line = error.message if isinstance(error, PackyakError) else f"{type(error).__name__}: {error}"
            self.tell(Stage(name, "failed", line, round(time.monotonic() - began, 2)))
            raise
        self.seconds[name] = round(time.monotonic() - began, 2)
        self.tell(Stage(name, "done", said[0], self.seconds[name]))


def preview(plan: CloudPlan, home: Home) -> Outcome:
    """What publishing would change, by the last publication that is known here: no account, no CDK, no time."""
    last = last_published(home)
    diff = plan_diff(last.plan if last else None, plan)
    return Outcome("previewed", diff, plan.hash, last.profile if last else "", last.account if last else "")


def publish(made: Made, account: Account, asked: Asked, tell: Tell = lambda told: None) -> Outcome:
    """Brings the project into the account. Raises CloudError where something is in the way or failed; what was done
    until then stays and the next call goes on from it."""
    run = _Run(made, account, caller_of(account), asked, tell)
    with run.stage("templates") as say:
        stacks = tuple(made.templates())
        run.bodies = {each.name: json.loads(Path(each.path).read_text("utf-8")) for each in stacks}
        say(f"{len(stacks)} stacks, {sum(len(each.get('Resources', {})) for each in run.bodies.values())} resources")
    with run.stage("preflight") as say:
        looked = look(account, run.caller, made.plan, run.bodies)
        say(f"account {run.caller.account}, {account.region}")
        problem = stopping(looked)
        if problem is not None:
            raise problem
    with run.stage("differences") as say:
        diff = _diff(run, stacks)
        say(_summary(diff))
    if asked.dry_run:
        return _outcome(run, "previewed", diff, looked)
    if diff.refused:
        return _outcome(run, "refused", diff, looked)
    if not asked.confirm(diff) or (diff.widened and not asked.accept_widening(diff)):
        return _outcome(run, "unconfirmed", diff, looked)
    _do(run, stacks)
    with run.stage("outputs") as say:
        outputs = tuple(_outputs(run, stacks))
        _keep(run, _published(run, stacks, outputs))
        say(f"{len(outputs)} places")
    return _outcome(run, "published" if run.changed or diff else "unchanged", diff, looked, outputs)


def _do(run: _Run, stacks: Sequence[StackTemplate]) -> None:
    """Everything that makes something."""
    with run.stage("store") as say:
        new = run.bucket.make()
        urls = {each.name: run.bucket.put(_key(run, each), Path(each.path).read_bytes()) for each in stacks}
        say(f"{run.bucket.name}{', new' if new else ''}")
    ground = [each for each in stacks if _kinds(run.bodies[each.name], IMAGE_BUILDER)]
    rest = [each for each in stacks if each not in ground]
    with run.stage("foundation") as say:
        say(_told([_bring(run, each, urls, say) for each in ground]))
    with run.stage("image") as say:
        run.values.update(_images(run, ground, stacks, say))
    with run.stage("stacks") as say:
        say(_told([*(_bring(run, each, urls, say) for each in rest), *_without_studio(run)]))
    with run.stage("home") as say:
        say(_ready_home(run, stacks))


def _key(run: _Run, stack: StackTemplate) -> str:
    return f"templates/{run.made.plan.project}/{stack.name}-{stack.sha256[:16]}.json"


def _kinds(template: Mapping[str, Any], kind: str) -> list[str]:
    return [name for name, each in template.get("Resources", {}).items() if each.get("Type") == kind]


def _bring(run: _Run, stack: StackTemplate, urls: Mapping[str, str], say: Callable[[str], None]) -> str:
    """One stack to its template; answers what came of it in words."""
    template = run.bodies[stack.name]
    wanted = Wanted(
        stack.name, run.made.plan.project, urls[stack.name], stack.sha256, template, run.values,
        places_of(template, run.units),
    )  # fmt: skip
    run.stacks.settle(wanted)
    prepared = run.stacks.prepare(wanted)
    if prepared is None:
        run.stacks.protect(wanted)
        return f"{stack.name} stands as it should"
    say(f"{stack.name}: the change set is ready, {len(prepared.changes)} resources")
    run.changed = True
    run.stacks.execute(prepared)
    run.values.update(run.stacks.outputs(stack.name))
    return f"{stack.name}: {len(prepared.changes)} resources"


def _without_studio(run: _Run) -> Iterator[str]:
    """The studio's stack goes where none is asked for any more; nothing lies in it."""
    plan = run.made.plan
    name = Names(plan.project, plan.home.bucket).studio
    tags = {each["Key"]: each["Value"] for each in run.stacks.described(name).get("Tags") or ()}
    if plan.studio is None and tags.get(TAG) == plan.project:
        run.stacks.delete(name)
        run.changed = True
        yield f"{name} is taken away"


def _told(lines: Sequence[str]) -> str:
    return "; ".join(lines) or "nothing to do"


def _images(
    run: _Run, ground: Sequence[StackTemplate], stacks: Sequence[StackTemplate], say: Callable[[str], None]
) -> dict[str, str]:
    """The images' digests, by the parameters that ask for them; built where they are not there yet."""
    asked = {name: _kind_of(name) for stack in stacks for name in stack.parameters if _kind_of(name)}
    if not ground or not asked:
        say("no image is needed")
        return {}
    kinds = sorted({*images_of(run.made.plan), *asked.values()})
    source = run.source
    builder, address = _builder(run, ground)
    images = Images(run.account, builder, source.tag, say)
    found = images.digests(kinds)
    wanting = [kind for kind in kinds if kind not in found]
    if wanting:
        home = run.made.plan.home
        key = home.path(f"build/{source.tag}.zip")
        with asking("the source archive was put there"):
            run.account.client("s3").put_object(Bucket=home.bucket, Key=key, Body=source.data)
        for kind in wanting:
            say(f"building the image {kind} in the account")
            images.build(kind, key)
        found = images.digests(kinds)
    lost = [kind for kind in kinds if kind not in found]
    if lost:
        raise PublishFailed(f"the build ended well, but there is no image {', '.join(lost)}", resource=builder.project)
    say(f"{', '.join(kinds)}: {source.tag}{'' if wanting else ', already there'}")
    return {name: f"{address}@{found[kind]}" for name, kind in asked.items()}


def _kind_of(parameter: str) -> str:
    """Which image a parameter asks for, "" for none."""
    name = parameter.lower()
    return next((kind for kind in EXTRAS if kind in name), "")


def _builder(run: _Run, ground: Sequence[StackTemplate]) -> tuple[Builder, str]:
    """What builds images, and the repository's address."""
    found = {kind: name for stack in ground for kind, name in run.stacks.resources(stack.name).values()}
    for stack in ground:  # a name that the template gives is as good
        for each in run.bodies[stack.name]["Resources"].values():
            given = each.get("Properties", {}).get(
                {IMAGE_BUILDER: "Name", REPOSITORY: "RepositoryName"}.get(each["Type"])
            )
            if isinstance(given, str):
                found[each["Type"]] = given
    builder = Builder(found.get(IMAGE_BUILDER, ""), found.get(REPOSITORY, ""))
    if not builder.project or not builder.repository:
        raise PublishFailed("the foundation has no image builder", next_step="see its stack in the console")
    with asking("the repository was looked at"):
        answer = run.account.client("ecr").describe_repositories(repositoryNames=[builder.repository])
    return builder, str(answer["repositories"][0]["repositoryUri"])


def _ready_home(run: _Run, stacks: Sequence[StackTemplate]) -> str:
    """What every run reads is there, empty at first; the network of the account's default group is closed."""
    s3, home = run.account.client("s3"), run.made.plan.home
    made = 0
    with asking("the home was made ready"):
        for name, data in first_objects(run.made.graph):
            try:
                s3.head_object(Bucket=home.bucket, Key=home.path(name))
            except Exception as error:
                if not absent(error):
                    raise
                s3.put_object(Bucket=home.bucket, Key=home.path(name), Body=data)
                made += 1
    closed = sum(_close_groups(run, stack) for stack in stacks)
    return f"{home.uri}: {made} objects new{f', {closed} rules of default groups taken away' if closed else ''}"


def _close_groups(run: _Run, stack: StackTemplate) -> int:
    """The default security group of each network lets nothing in or out, which no template can say."""
    networks = [name for kind, name in run.stacks.resources(stack.name).values() if kind == "AWS::EC2::VPC"]
    if not networks:
        return 0
    ec2, closed = run.account.client("ec2"), 0
    with asking("the network's default group was closed"):
        filters = [{"Name": "vpc-id", "Values": networks}, {"Name": "group-name", "Values": ["default"]}]
        for group in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]:
            if group.get("IpPermissions"):
                ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
            if group.get("IpPermissionsEgress"):
                ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
            closed += len(group.get("IpPermissions", ())) + len(group.get("IpPermissionsEgress", ()))
    return closed


def _diff(run: _Run, stacks: Sequence[StackTemplate]) -> Diff:
    """From plan to plan, and from each template that stands to the one that is wanted. Where stacks stand and nobody
    knows their plan, every statement of theirs is compared and nothing counts as explained."""
    plan = run.made.plan
    before = {each.name: run.stacks.template(each.name) for each in stacks}
    stands = any(before.values())
    last = _known(run) if stands else None
    known = last.plan if last else None
    there = {unit for each in before.values() if each for unit in units_of(each["Resources"], run.units).values()}
    old = {unit.name for unit in known.units} if known else there
    grants = gained(known, plan) if known or not stands else ()
    allowed = frozenset((grant.action, place_of(grant, plan.home)) for grant in grants)
    explained = Explained(run.units, frozenset(run.units) - old, allowed)
    found = plan_diff(known, plan) if known or not stands else Diff()
    for each in stacks:
        found += template_diff(each.name, before[each.name], run.bodies[each.name], explained)
    if last is not None and last.image not in ("", run.source.tag):
        found += Diff(changed=(Change("the images are made anew: files of the project, Packyak or a version changed"),))
    return replace(found, first=not stands)


def _known(run: _Run) -> Published | None:
    """What was published last: as the cloud's home says, else as this machine remembers."""
    try:
        answer = run.account.client("s3").get_object(
            Bucket=run.made.plan.home.bucket, Key=run.made.plan.home.path(NAME)
        )
        found = read(answer["Body"].read())
    except Exception as error:
        if not absent(error):
            with asking("what was published last was read"):
                raise
        found = None
    last = found or last_published(run.made.home)
    return last if last and (last.account, last.region) == (run.caller.account, run.account.region) else None


def _summary(diff: Diff) -> str:
    counts = {
        "new": len(diff.added), "gone": len(diff.removed), "changed": len(diff.changed),
        "widened": len(diff.widened), "refused": len(diff.refused),
    }  # fmt: skip
    told = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    return told or "nothing changes"


def _outputs(run: _Run, stacks: Sequence[StackTemplate]) -> Iterator[Output]:
    region, home = run.account.region, run.made.plan.home
    console = f"https://{region}.console.aws.amazon.com"
    yield Output("home", home.uri, f"https://s3.console.aws.amazon.com/s3/buckets/{home.bucket}?prefix={home.prefix}/")
    for stack in stacks:
        for kind, name in run.stacks.resources(stack.name).values():
            if kind == "AWS::StepFunctions::StateMachine":
                yield Output("state machine", name, f"{console}/states/home?region={region}#/statemachines/view/{name}")
            elif kind == "AWS::CloudWatch::Dashboard":
                yield Output("dashboard", name, f"{console}/cloudwatch/home?region={region}#dashboards:name={name}")
    for stack in stacks:
        yield Output(
            f"stack {stack.name}", run.stacks.state(stack.name),
            f"{console}/cloudformation/home?region={region}#/stacks?filteringText={stack.name}",
        )  # fmt: skip
    yield Output("studio", f"packyak studio --home {home.uri}")
    yield from door.outputs(run.made.plan, [each.name for each in stacks])


def _keep(run: _Run, made: Published) -> None:
    """In the project's home, and in the cloud's for whoever publishes from elsewhere."""
    keep(made, run.made.home)
    home = run.made.plan.home
    with asking("what was published was noted in the home"):
        run.account.client("s3").put_object(Bucket=home.bucket, Key=home.path(NAME), Body=written(made))


def _published(run: _Run, stacks: Sequence[StackTemplate], outputs: tuple[Output, ...]) -> Published:
    return Published(
        plan=run.made.plan,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        account=run.caller.account,
        region=run.account.region,
        profile=run.asked.profile,
        stacks=tuple(each.name for each in stacks),
        outputs=outputs,
        templates={each.name: digest_of(run.bodies[each.name]) for each in stacks},
        image=run.source.tag,
    )


def _outcome(
    run: _Run, state: Any, diff: Diff, looked: tuple[Looked, ...], outputs: tuple[Output, ...] = ()
) -> Outcome:
    return Outcome(
        state, diff, run.made.plan.hash, run.asked.profile, run.caller.account, run.account.region, looked, outputs,
        dict(run.seconds),
    )  # fmt: skip
