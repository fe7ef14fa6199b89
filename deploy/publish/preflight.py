"""What is looked at before anything is made: who asks, where, what is in the way, and whether it is allowed.

Everything known to fail fails here, with what to do about it. A look that is itself not allowed is told as unsure, and
stops nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packyak.deploy.plan import CloudPlan
from packyak.deploy.publish.account import Account, absent, asking, code_of
from packyak.deploy.publish.bucket import Bucket
from packyak.deploy.publish.records import Looked
from packyak.deploy.publish.schemas import permissions
from packyak.deploy.publish.stack import STORES, TAG, Stacks
from packyak.deploy.served import Served
from packyak.engine.errors import CloudError

OURS = (
    "cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet", "cloudformation:ExecuteChangeSet",
    "cloudformation:DeleteChangeSet", "cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents",
    "cloudformation:ListStackResources", "cloudformation:GetTemplate", "cloudformation:SetStackPolicy",
    "s3:CreateBucket", "s3:PutObject", "s3:GetObject", "codebuild:StartBuild", "codebuild:BatchGetBuilds",
    "ecr:DescribeImages",
)  # fmt: skip
AT_ONCE = 90  # actions in one question about permissions
FREE_LEFT = 100  # what Lambda keeps unreserved of an account's concurrency


@dataclass(frozen=True)
class Caller:
    """Who asks. arn: as AWS names it; role: what its permissions belong to, "" for the root user."""

    account: str
    arn: str

    @property
    def role(self) -> str:
        """An assumed role's own ARN; a user's as it is."""
        head, _, name = self.arn.partition(":assumed-role/")
        if name:
            return f"{head.replace(':sts:', ':iam:')}:role/{name.partition('/')[0]}"
        return "" if self.arn.endswith(":root") else self.arn


def caller_of(account: Account) -> Caller:
    """Who the credentials of this machine belong to. Raises NoCredentials where they belong to nobody."""
    with asking("AWS was asked who you are"):
        found = account.client("sts").get_caller_identity()
    return Caller(found["Account"], found["Arn"])


def look(
    account: Account, caller: Caller, plan: CloudPlan, stacks: Mapping[str, Mapping[str, Any]]
) -> tuple[Looked, ...]:
    """Everything that is looked at. stacks: the templates by their stack's name."""
    found = [Looked("credentials", "ok", f"{caller.arn} in account {caller.account}")]
    found.append(_region(account))
    found += _names(account, caller, plan, stacks)
    found += _quotas(account, stacks)
    found.append(_allowed(account, caller, stacks))
    if plan.studio is not None:
        found += _of_the_studio(account, plan.studio)
    found += [
        Looked("grants", "wrong", f"{each.place} in {each.what.rstrip('.')}", "`packyak grants` shows it by role")
        for each in plan.undecided
    ]
    return tuple(found)


def stopping(found: Iterable[Looked]) -> CloudError | None:
    """The error that a look comes to, None where nothing is in the way."""
    wrong = [each for each in found if each.state == "wrong"]
    if not wrong:
        return None
    return CloudError(
        "; ".join(each.line for each in wrong), next_step="; ".join(dict.fromkeys(each.next_step for each in wrong))
    )


def _unsure(what: str, error: BaseException) -> Looked:
    return Looked(what, "unsure", f"it could not be looked at ({code_of(error) or type(error).__name__})")


def _region(account: Account) -> Looked:
    try:
        answer = account.client("ec2").describe_regions(RegionNames=[account.region], AllRegions=True)
        status = answer["Regions"][0].get("OptInStatus", "")
    except Exception as error:
        return _unsure("region", error)
    if status == "not-opted-in":
        return Looked(
            "region", "wrong", f"the account does not use {account.region}", "enable the region, or give --region"
        )
    return Looked("region", "ok", account.region)


def _names(
    account: Account, caller: Caller, plan: CloudPlan, stacks: Mapping[str, Mapping[str, Any]]
) -> Iterator[Looked]:
    """Whether what there will be has a name that somebody else has."""
    there = False
    for name in stacks:
        stack = Stacks(account).described(name)
        there = there or bool(stack)
        tags = {each["Key"]: each["Value"] for each in stack.get("Tags") or ()}
        if stack and tags.get(TAG, plan.project) != plan.project:
            yield Looked(
                "names", "wrong", f"the stack {name} belongs to the project {tags[TAG]}",
                "give this project another name in packyak.toml",
            )  # fmt: skip
    Bucket(account, caller.account).there()
    try:
        account.client("s3").head_bucket(Bucket=plan.home.bucket, ExpectedBucketOwner=caller.account)
    except Exception as error:
        if code_of(error) in ("403", "AccessDenied"):
            yield Looked(
                "names", "wrong", f"the bucket {plan.home.bucket} belongs to somebody else",
                "give another home: --home s3://another-bucket/home",
            )  # fmt: skip
        elif not absent(error):
            yield _unsure("names", error)
        else:
            yield Looked("names", "ok", f"the bucket {plan.home.bucket} is free")
        return
    whose = "is this project's" if there else "is there already and is taken over with all that lies in it"
    yield Looked("names", "ok" if there else "unsure", f"the bucket {plan.home.bucket} {whose}")


def _of_the_studio(account: Account, studio: Served) -> Iterator[Looked]:
    """Whether what the organisation gives for the studio is there."""
    try:
        told = account.client("acm").describe_certificate(CertificateArn=studio.certificate)["Certificate"]
    except Exception as error:
        if absent(error):
            yield Looked(
                "studio", "wrong", f"there is no certificate {studio.certificate}", "name another in [cloud.studio]"
            )
        else:
            yield _unsure("studio", error)
    else:
        names = {str(told.get("DomainName", "")), *told.get("SubjectAlternativeNames", ())}
        wide = f"*.{studio.domain.partition('.')[2]}"
        if not names & {studio.domain, wide}:
            yield Looked(
                "studio", "wrong", f"the certificate is for {', '.join(sorted(names))} and not for {studio.domain}",
                "name another in [cloud.studio]",
            )  # fmt: skip
        elif told.get("Status") != "ISSUED":
            yield Looked("studio", "unsure", f"the certificate for {studio.domain} is {told.get('Status')}, not ISSUED")
        else:
            yield Looked("studio", "ok", f"there is a certificate for {studio.domain}")
    try:
        account.client("secretsmanager").describe_secret(SecretId=studio.client_secret)
    except Exception as error:
        if absent(error):
            create = f"aws secretsmanager create-secret --name {studio.client_secret} --secret-string ..."
            yield Looked(
                "studio", "unsure", f"there is no secret {studio.client_secret} yet; it does not start without", create
            )
        else:
            yield _unsure("studio", error)


def _quotas(account: Account, stacks: Mapping[str, Mapping[str, Any]]) -> Iterator[Looked]:
    reserved = sum(
        int(each.get("Properties", {}).get("ReservedConcurrentExecutions", 0) or 0)
        for template in stacks.values()
        for each in template.get("Resources", {}).values()
        if each.get("Type") == "AWS::Lambda::Function"
    )
    try:
        limits = account.client("lambda").get_account_settings()["AccountLimit"]
        free = int(limits["UnreservedConcurrentExecutions"])
    except Exception as error:
        yield _unsure("quotas", error)
        return
    if reserved and free - reserved < FREE_LEFT:
        yield Looked(
            "quotas", "wrong", f"{reserved} calls at once would be reserved, and Lambda has {free} in this account",
            "ask AWS for a higher limit of concurrent executions, or publish with --profile dev",
        )  # fmt: skip
    else:
        yield Looked("quotas", "ok", f"Lambda has room for {free} calls at once, {reserved} of them reserved")
    for name, template in stacks.items():
        number = len(template.get("Resources", {}))
        if number > 500:
            yield Looked("quotas", "wrong", f"the stack {name} would have {number} resources, 500 are allowed")


def _allowed(account: Account, caller: Caller, stacks: Mapping[str, Mapping[str, Any]]) -> Looked:
    """Whether the caller may do it all, as far as AWS's own simulation knows."""
    if not caller.role:
        return Looked("permissions", "unsure", "you are the account's root user, which may do everything", "use a role")
    kinds = {each["Type"] for template in stacks.values() for each in template.get("Resources", {}).values()}
    needed = sorted({*OURS, *permissions(kinds)})
    denied: list[str] = []
    try:
        for start in range(0, len(needed), AT_ONCE):
            answer = account.client("iam").simulate_principal_policy(
                PolicySourceArn=caller.role, ActionNames=needed[start : start + AT_ONCE]
            )
            denied += [
                each["EvalActionName"] for each in answer["EvaluationResults"] if each["EvalDecision"] != "allowed"
            ]
    except Exception as error:
        return _unsure("permissions", error)
    ours = [each for each in denied if each in OURS]
    if ours:
        return Looked(
            "permissions", "wrong", f"you may not {_short(ours)}", "ask whoever runs the account for these permissions"
        )
    if denied:
        return Looked(
            "permissions", "unsure", f"{len(denied)} of {len(needed)} permissions may be missing: {_short(denied)}"
        )
    return Looked("permissions", "ok", f"all {len(needed)} that it may need, by AWS's own simulation")


def _short(words: Sequence[str], limit: int = 6) -> str:
    more = f" and {len(words) - limit} more" if len(words) > limit else ""
    return f"{', '.join(words[:limit])}{more}"


def data_resources(stacks: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The resources in which data lies, of all stacks."""
    return tuple(
        name
        for template in stacks.values()
        for name, each in template.get("Resources", {}).items()
        if each["Type"] in STORES
    )
