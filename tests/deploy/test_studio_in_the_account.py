"""The studio in the account, as far as it needs no CDK: what is asked for, its role, what is told, what it costs."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import moto
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from packyak.deploy.grants.seen import LastProof
from packyak.deploy.plan import CloudPlan, plan_project
from packyak.deploy.publish import door
from packyak.deploy.publish.account import AwsAccount
from packyak.deploy.publish.cost import cost_of
from packyak.deploy.publish.diff import plan_diff
from packyak.deploy.publish.image import images_of, source_of
from packyak.deploy.publish.kept import plan_from
from packyak.deploy.publish.preflight import _of_the_studio
from packyak.deploy.publish.stack import Wanted, _parameters
from packyak.deploy.reports.access import access_report
from packyak.deploy.stacks import statements
from packyak.deploy.stacks.blueprint import read_blueprint
from packyak.deploy.stacks.container import PLACE, USER, command, variable_of
from packyak.deploy.stacks.drawing import blueprint_of
from packyak.deploy.stacks.names import Names
from packyak.deploy.wanted import STUDIO, read_wanted
from packyak.engine.errors import SettingError
from packyak.engine.project import Project
from packyak.engine.store.secret import variable_of as engine_variable_of
from test_stacks import SOURCE, allowed

ASKED: dict[str, Any] = {
    "domain": "studio.example.com",
    "certificate": "arn:aws:acm:us-east-1:123456789012:certificate/0123abcd",
    "issuer": "https://login.example.com/tenant/v2.0/",
    "client_id": "packyak",
    "client_secret": "studio/oidc",
}
TOML = "\n".join(["", "[roles]", 'admin = ["ana@example.com"]', "", "[cloud.studio]",
                  *(f"{word} = {json.dumps(value)}" for word, value in ASKED.items()), ""])  # fmt: skip
Write = Callable[..., Path]


@pytest.fixture
def folder(project_folder: Write) -> Path:
    made = project_folder(SOURCE)
    with (made / "packyak.toml").open("a") as file:
        file.write(TOML)
    return made


@pytest.fixture
def plan(folder: Path) -> CloudPlan:
    return plan_project(Project.open(folder), "s3://lake/shop")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"issuer": ""}, "does not say issuer"),
        ({"certificate": "", "domain": ""}, "domain: the host name of the studio.*certificate: the ARN"),
        ({"domian": "x"}, "did you mean `domain`"),
        ({"runs_on": "fargate"}, "about the studio in the account"),
        ({"domain": "https://studio.example.com"}, '"studio.example.com"'),
        ({"issuer": "http://login.example.com"}, "https://login.example.com"),
        ({"certificate": ASKED["certificate"].replace("us-east-1", "eu-west-1")}, "is in eu-west-1.*is in us-east-1"),
        ({"certificate": "mine"}, "arn:aws:acm:us-east-1"),
        ({"reach": ["everywhere"]}, "203.0.113.0/24"),
        ({"reach": []}, "nothing is listed"),
        ({"memory_mb": 512}, "1,024 to 122,880"),
        ({"zone": "example.com"}, "Z0123456789"),
        ({"client_secret": "../secret"}, "client_secret"),
    ],
)
def test_what_would_not_work_or_stand_open_is_told(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingError) as told:
        read_wanted({"studio": {**ASKED, **changes}}, ["rows"], has_roles=True)
    assert re.search(says, str(told.value)), told.value


def test_without_roles_there_is_no_studio() -> None:
    with pytest.raises(SettingError, match="whoever the provider knows would be an admin"):
        read_wanted({"studio": ASKED}, ["rows"])
    assert read_wanted({}, ["rows"]).studio is None


def test_figures_fit_what_fargate_offers() -> None:
    found = read_wanted({"studio": {**ASKED, "memory_mb": 5000, "reach": "10.1.0.0/16"}}, [], has_roles=True).studio
    assert found is not None
    assert (found.memory_mb, found.cpu, found.reach) == (5120, 1024, ("10.1.0.0/16",))
    assert found.issuer == "https://login.example.com/tenant/v2.0"


def test_its_role_may_what_people_may_and_is_shown_wherever_theirs_is(plan: CloudPlan) -> None:
    studio, reviewer = plan.role(STUDIO), plan.role("reviewer")
    assert studio is not None and reviewer is not None
    assert studio.policy == reviewer.policy and {each.role for each in studio.grants} == {STUDIO}
    assert not [each for each in studio.grants if "Delete" in each.action]
    report = access_report(plan, LastProof())
    assert {each.role for each in report.roles} >= {STUDIO, "reviewer"}
    drawn = blueprint_of(plan, "dev")
    assert [each.name for each in drawn.people] == ["reviewer"]
    assert drawn.studio is not None and allowed(drawn.studio.policies) == allowed([studio.policy])
    assert read_blueprint(drawn.to_json()) == drawn


def test_every_grant_of_it_is_within_its_boundary_and_nothing_there_deletes(plan: CloudPlan) -> None:
    studio = plan.role(STUDIO)
    boundary = statements.of_the_studio("lake", "shop", "${HomeKey}", "${ToS3}")
    most = allowed([{"Statement": [each for each in boundary if each["Effect"] == "Allow"]}])
    within = {(action, resource.replace("${AWS::Partition}", "aws")) for action, resource, _ in most}
    assert studio is not None

    def covers(wide: str, resource: str) -> bool:
        return resource == wide or (wide.endswith("*") and resource.startswith(wide[:-1]))

    for grant in studio.grants:
        assert any(grant.action == action and covers(wide, grant.resource) for action, wide in within), grant
    assert {action for action, _ in within} == {
        "s3:GetObject", "s3:PutObject", "s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey",
    }  # fmt: skip


def test_the_secret_is_looked_for_where_ecs_puts_it(plan: CloudPlan) -> None:
    drawn = blueprint_of(plan, "dev")
    assert drawn.studio is not None
    assert variable_of("studio/oidc.2") == engine_variable_of("studio/oidc.2")
    words = command(drawn.studio, drawn.home)
    assert "made up" not in " ".join(words)
    assert words[words.index("--site") + 1] == "https://studio.example.com"
    assert words[words.index("--home") + 1] == "s3://lake/shop"


def test_what_is_kept_of_it_comes_back(plan: CloudPlan) -> None:
    assert plan_from(json.loads(plan.to_json())) == plan
    assert plan_from(json.loads(replace(plan, studio=None).to_json())).studio is None


def words_of(changes: Any) -> str:
    return "\n".join(each.words for each in changes)


def test_opening_the_home_to_people_is_a_widening(plan: CloudPlan, folder: Path) -> None:
    without = replace(plan, studio=None, people=plan.people[:1])
    assert "studio can be opened at https://studio.example.com" in words_of(plan_diff(None, plan).added)
    found = plan_diff(without, plan)
    assert "reached from everywhere" in words_of(found.widened) and "costs nothing then" in words_of(found.widened)
    assert "an hour" in words_of(found.widened) and not plan_diff(plan, plan)
    assert "studio in the account goes" in words_of(plan_diff(plan, without).changed)
    assert plan.studio is not None
    for changes, widens in (
        ({"issuer": "https://other.example.com"}, True), ({"reach": ("10.0.0.0/8",)}, False), ({"zone": "Z1"}, False),
        ({"domain": "x.example.com"}, True),
    ):  # fmt: skip
        found = plan_diff(plan, replace(plan, studio=replace(plan.studio, **changes)))
        assert bool(found.widened) is widens and bool(found.changed) is not widens, changes
    narrow = replace(plan, studio=replace(plan.studio, reach=("10.0.0.0/8",)))
    assert plan_diff(narrow, plan).widened


def test_closed_it_costs_an_image_and_open_by_the_hour(plan: CloudPlan) -> None:
    without = replace(plan, studio=None)
    closed, none = cost_of(plan), cost_of(without)
    assert 0 < closed.month - none.month < 0.3 and closed.month < 2.0
    assert closed.once == none.once and none.open == ()
    assert closed.hour == pytest.approx(0.0225 + 0.008 + 3 * 0.005 + 0.5 * 0.04048 + 4 * 0.004445)
    assert any("another $0.40" in each for each in closed.assumptions)


def test_how_it_is_opened_is_said_and_publishing_leaves_it_as_it_is(plan: CloudPlan) -> None:
    named = Names(plan.project, plan.home.bucket).studio
    outputs = {each.name for each in door.outputs(plan, ["other", named])}
    assert outputs == {"studio in the account", "open the studio", "close the studio"} and f" {named} " in door.command(
        "no", plan
    )
    opened = door.command("yes", plan)
    assert "ParameterKey=Open,ParameterValue=yes" in opened and "--use-previous-template" in opened
    assert not list(door.outputs(replace(plan, studio=None), [named]))
    template = {"Parameters": {"Open": {"Default": "no"}, "ImageStudio": {}}}
    wanted = Wanted("s", "shop", "url", "hash", template, {"ImageStudio": "new"}, {})
    image = {"ParameterKey": "ImageStudio", "ParameterValue": "new"}
    assert list(_parameters(wanted, True, set())) == [image]
    assert list(_parameters(wanted, False, set())) == [image]
    assert list(_parameters(wanted, False, {"Open", "ImageStudio"})) == [
        {"ParameterKey": "Open", "UsePreviousValue": True}, image,
    ]  # fmt: skip


def test_only_its_own_image_has_the_studio(plan: CloudPlan, folder: Path) -> None:
    assert images_of(plan) == ["slim", "studio"]
    source = source_of(folder, [folder / "pipeline.py"], images_of(plan))
    with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    wheels = {name.partition("/")[0]: set(zipfile.ZipFile(io.BytesIO(data)).namelist())
              for name, data in files.items() if name.endswith(".whl")}  # fmt: skip
    own = {"packyak/studio/streamlit_app.py", "packyak/studio/.streamlit/config.toml", "packyak/cli/team.py"}
    assert own <= wheels["wheel-studio"] and not own & wheels["wheel-slim"]
    pinned = {kind: files[f"requirements-{kind}.txt"].decode() for kind in ("slim", "studio")}
    assert "streamlit==" in pinned["studio"] and "authlib==" in pinned["studio"] and "torch==" not in pinned["studio"]
    assert "streamlit==" not in pinned["slim"]
    docker = files["Dockerfile"].decode()
    assert f"chown {USER} {PLACE}" in docker and f'VOLUME ["{PLACE}"]' in docker
    assert docker.splitlines()[0] == "ARG VARIANT" and docker.splitlines()[-1] == "FROM ${VARIANT}"
    stages = [line.split()[-1] for line in docker.splitlines() if line.startswith("FROM ") and " AS " in line]
    assert stages == ["shared", "slim", "full", "studio"]


def certified(domain: str) -> dict[str, bytes]:
    """A certificate of one's own for a domain, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=9)).sign(key, SHA256())
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {"Certificate": made.public_bytes(Encoding.PEM), "PrivateKey": written}


def test_what_the_organisation_gives_is_looked_for_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    asked = read_wanted({"studio": ASKED}, [], has_roles=True).studio
    assert asked is not None
    with moto.mock_aws():
        account = AwsAccount("us-east-1")

        def looked(**changes: str) -> dict[str, str]:
            return {each.state: each.line for each in _of_the_studio(account, replace(asked, **changes))}

        assert "there is no certificate" in looked()["wrong"]
        assert "there is no secret studio/oidc" in looked()["unsure"]
        mine = account.client("acm").import_certificate(**certified("other.example.com"))["CertificateArn"]
        assert "for other.example.com and not for studio" in looked(certificate=mine)["wrong"]
        mine = account.client("acm").import_certificate(**certified("studio.example.com"))["CertificateArn"]
        account.client("secretsmanager").create_secret(Name="studio/oidc", SecretString="made up")
        assert looked(certificate=mine) == {"ok": "there is a certificate for studio.example.com"}
