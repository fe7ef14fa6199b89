"""The studio in a space of SageMaker Studio: the script by itself and run twice, and what the space's role may do."""

from __future__ import annotations

import base64
import io
import json
import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from packyak.deploy.plan import CloudPlan, plan_project
from packyak.deploy.publish.image import Source
from packyak.deploy.publish.project import studio_source
from packyak.deploy.publish.space import LIMIT, archive, policies, script, write_space
from packyak.deploy.stacks.statements import POLICY_LIMIT
from packyak.engine.errors import PackyakError
from packyak.engine.project import Project
from test_stacks import SOURCE, allowed

KEY = "arn:aws:kms:us-east-1:*:key/*"
WHEEL = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
OF_SPACES = ("SAGEMAKER_APP_TYPE_LOWERCASE", "PACKYAK_STUDIO_BASE_PATH", "PACKYAK_PERSON", "PYTHONPATH")


@pytest.fixture
def plan(project_folder: Callable[..., Path]) -> CloudPlan:
    return plan_project(Project.open(project_folder(SOURCE)), "s3://lake/shop")


SMALL = Source(b"archive", "0123456789abcdef")


def test_the_space_may_what_people_may_and_fetch_the_archive(plan: CloudPlan) -> None:
    pages = list(policies(plan, SMALL))
    reviewer = plan.role("reviewer")
    assert reviewer is not None
    assert all(len(json.dumps(each, separators=(",", ":"))) <= POLICY_LIMIT for each in pages)
    theirs = {(action, resource) for action, resource, _ in allowed([reviewer.policy])}
    own = {(action, resource) for action, resource, _ in allowed(pages)}
    fetched = ("s3:GetObject", "arn:aws:s3:::lake/shop/sagemaker/0123456789abcdef.zip")
    assert own - {fetched} == {(action, KEY if resource == "${HomeKey}" else resource) for action, resource in theirs}
    for statement in (each for page in pages for each in page["Statement"] if "kms" in str(each["Action"])):
        assert statement["Condition"]["ForAnyValue:StringEquals"] == {"kms:ResourceAliases": "alias/packyak-demo"}
        assert statement["Condition"]["StringEquals"] == {"kms:ViaService": "s3.us-east-1.amazonaws.com"}


def test_the_script_fits_and_a_linter_of_shells_has_nothing_to_say(plan: CloudPlan, tmp_path: Path) -> None:
    written = write_space(plan, SMALL, tmp_path / "space")
    assert [each.name for each in written] == ["README.md", "on-start.sh", "policy.json", "studio.zip"]
    text = (tmp_path / "space" / "on-start.sh").read_text()
    assert len(base64.b64encode(text.encode())) < LIMIT
    inner = text.partition("<<'STUDIO'\n")[2].partition("\nSTUDIO\n")[0]
    (tmp_path / "studio.sh").write_text(inner + "\n")
    linter = Path(sys.executable).with_name("shellcheck")
    for file in (tmp_path / "space" / "on-start.sh", tmp_path / "studio.sh"):
        subprocess.run([linter, file], check=True)
    assert archive(plan, SMALL) in (tmp_path / "space" / "README.md").read_text()
    with pytest.raises(PackyakError, match="is not empty"):
        write_space(plan, SMALL, tmp_path / "space")


def test_names_with_signs_of_a_shell_are_only_names(plan: CloudPlan) -> None:
    home = replace(plan.home, prefix="it's $(touch owned) `x`")
    lines = script(replace(plan, home=home, project="a $(touch owned)"), SMALL).replace("\\\n", " ").splitlines()
    (starts,) = [shlex.split(line) for line in lines if line.startswith("exec ") and "--home" in line]
    assert starts[starts.index("--home") + 1] == f"s3://lake/{home.prefix}"
    (fetches,) = [shlex.split(line) for line in lines if "aws s3 cp" in line]
    assert f"s3://lake/{home.prefix}/sagemaker/{SMALL.tag}.zip" in fetches
    assert "touch owned" not in "".join(line for line in lines if "own=" in line)


def with_wheels(source: Source, folder: Path) -> Path:
    """The archive, but for its pins, which no index is asked for here: a package from a folder leads to what is
    installed for these tests."""
    outside = io.BytesIO()
    site = next(each for each in sys.path if each.endswith("site-packages"))
    with zipfile.ZipFile(outside, "w") as wheel:
        wheel.writestr("outside.pth", site + "\n")
        wheel.writestr("outside-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n")
        wheel.writestr("outside-1.0.dist-info/WHEEL", WHEEL)
        wheel.writestr("outside-1.0.dist-info/RECORD", "")
    (folder / "wheels").mkdir()
    (folder / "wheels" / "outside-1.0-py3-none-any.whl").write_bytes(outside.getvalue())
    with zipfile.ZipFile(io.BytesIO(source.data)) as given, zipfile.ZipFile(folder / "studio.zip", "w") as made:
        for name in given.namelist():
            made.writestr(name, b"outside==1.0\n" if name == "requirements-studio.txt" else given.read(name))
    return folder / "studio.zip"


def mine(folder: Path) -> Iterator[psutil.Process]:
    """The processes that were started below a folder."""
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder) in word for word in process.info["cmdline"] or ()):
            yield process


def tools(folder: Path, archive: Path) -> Path:
    """What the script finds on its path: this Python, and an `aws` that has the archive and notes what it was asked."""
    (folder / "bin").mkdir()
    (folder / "bin" / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    aws = folder / "bin" / "aws"
    aws.write_text(f'#!/bin/bash\necho "$@" >> "{folder}/asked"\ncp "{archive}" "${{@: -1}}"\n')
    aws.chmod(0o755)
    return folder / "bin"


def until(met: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + 200
    while not met():
        if time.monotonic() > end:
            pytest.fail(f"it did not come to that:\n{log.read_text() if log.exists() else 'no log'}")
        time.sleep(0.3)


@pytest.mark.slow
def test_it_installs_once_starts_once_and_starts_again(project_folder: Callable[..., Path], tmp_path: Path) -> None:
    project = Project.open(project_folder(SOURCE))
    plan = plan_project(project, "s3://lake/shop")
    source = studio_source(project, plan)
    bin_ = tools(tmp_path, with_wheels(source, tmp_path))
    (tmp_path / "on-start.sh").write_text(script(plan, source))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if name not in OF_SPACES},
        "HOME": str(home), "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}", "PACKYAK_STUDIO_PORT": str(port),
        "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels"),
    }  # fmt: skip
    own = home / ".packyak" / "demo"
    base = f"http://127.0.0.1:{port}/jupyterlab/default/proxy/{port}"

    def start() -> None:
        subprocess.run(["bash", "on-start.sh"], cwd=tmp_path, env=environment, check=True, timeout=60)

    def answers() -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{base}/_stcore/health", timeout=2):
            return True
        return False

    try:
        start()
        until(answers, own / "log")
        address = (home / "packyak-demo.txt").read_text().strip()
        assert address.startswith(f"https://THE-HOST-OF-THIS-SPACE/jupyterlab/default/proxy/{port}/?token=")
        assert (home / "packyak-demo.txt").stat().st_mode & 0o077 == 0 and own.stat().st_mode & 0o077 == 0
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{base}/records", timeout=20)
        visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with visitor.open(f"{base}/?{address.partition('?')[2]}", timeout=20) as answer:
            assert answer.status == 200
        (started,) = [each for each in mine(tmp_path) if "studio" in each.cmdline() and "packyak" in each.cmdline()]
        assert "s3://lake/shop" in started.cmdline() and "*.studio.us-east-1.sagemaker.aws" in started.cmdline()

        start()  # a second time while it runs
        until(lambda: "the studio runs already" in (own / "log").read_text(), own / "log")
        assert [each.pid for each in mine(tmp_path) if "packyak" in each.cmdline()] == [started.pid]

        started.terminate()
        started.wait(60)
        until(lambda: not answers(), own / "log")
        start()  # as the next start of the space
        until(answers, own / "log")
        assert (tmp_path / "asked").read_text().count("s3 cp") == 1
        assert (own / "log").read_text().count("installing") == 1
        assert (home / "packyak-demo.txt").read_text().strip() == address
    finally:
        for process in list(mine(tmp_path)):
            with suppress(psutil.NoSuchProcess):
                process.terminate()
                process.wait(60)
