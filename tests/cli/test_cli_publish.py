"""The commands about the account on the command line, without an account."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import Call

SOURCE = """
    from collections.abc import Iterator
    from packyak import Bucket, File, read_csv, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.csv"), key="id")
    def patients(file: File) -> Iterator[dict]:
        yield from read_csv(file)

    @transform(patients)
    def age(born: int) -> int:
        return 2026 - born
"""


@pytest.fixture(autouse=True)
def folder(project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    made = project_folder(SOURCE, files={"inbox/a.csv": "id,born\n1,1950\n"})
    monkeypatch.chdir(made)
    return made


def test_a_dry_run_says_what_there_will_be_and_what_it_costs(packyak: Call) -> None:
    ended = packyak("export", "--dry-run")
    assert ended.code == 0
    assert "Nothing of this project stands there yet" in ended.out
    assert "+ age is new: a transform that reads patients" in ended.out
    assert "a month when nothing runs" in ended.out


def test_a_dry_run_for_a_script_names_its_changes(packyak: Call) -> None:
    said = packyak("export", "--dry-run", "--json", "--profile", "gdpr").json["preview"]
    assert said["outcome"]["state"] == "previewed" and said["outcome"]["diff"]["first"]
    assert (said["plan"]["profile"], said["plan"]["own_profile"]) == ("gdpr", "dev")
    assert len(said["digest"]) == 16 and said["credentials"] == ""
    assert said["digest"] == packyak("export", "--dry-run", "--json").json["preview"]["digest"]


def test_without_credentials_the_next_step_is_told(packyak: Call) -> None:
    ended = packyak("export")
    assert ended.code == 2 and "aws sso login" in ended.err
    ended = packyak("export", "--yes", "--json")
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert lines[0]["stage"]["stage"] == "plan"
    assert lines[-1]["error"]["error"] == "NoCredentials"
    for command in ("destroy", "drift"):
        assert "aws sso login" in packyak(command).err


def test_a_profile_that_is_none_is_told(packyak: Call) -> None:
    ended = packyak("export", "--dry-run", "--profile", "hippa")
    assert ended.code == 2 and "did you mean hipaa?" in ended.err


def test_who_is_no_admin_may_not_publish(packyak: Call, folder: Path) -> None:
    with (folder / "packyak.toml").open("a") as file:
        file.write('\n[roles]\nviewer = ["*"]\nadmin = ["ana"]\n')
    assert "may not export to AWS" in packyak("export", "--yes").err
    assert "may not export to AWS" in packyak("destroy", "--yes").err
    assert packyak("export", "--dry-run").code == 0


def test_the_cost_adds_up(packyak: Call) -> None:
    found = packyak("cost", "--json").json
    assert found["month"] == pytest.approx(sum(each["dollars"] for each in found["idle"]), abs=1e-3)
    assert found["assumptions"] and found["as_of"] and found["source"]
    assert "assumed: " in packyak("cost").err


def test_eject_for_a_space_of_sagemaker(folder: Path, packyak: Call, tmp_path: Path) -> None:
    done = packyak("eject", str(tmp_path / "space"), "--sagemaker", "--to", "s3://lake/home", "--json")
    assert done.code == 0, done.err
    assert done.json["files"] == ["README.md", "on-start.sh", "policy.json", "studio.zip"]
    assert "--home s3://lake/home" in (tmp_path / "space" / "on-start.sh").read_text()
    again = packyak("eject", str(tmp_path / "space"), "--sagemaker")
    assert again.code == 2 and "is not empty" in again.err


def test_eject_and_a_policy_tell_what_could_not_be_decided(folder: Path, packyak: Call, tmp_path: Path) -> None:
    text = (folder / "pipeline.py").read_text()
    more = "@function\ndef program():\n    __import__('os').system('aws s3 ls')\n"
    (folder / "pipeline.py").write_text(f"from packyak import function\n{text}\n\n{more}")
    told = "starts a program that may use AWS"
    policy = packyak("grants", "program", "--policy")
    assert policy.code == 1 and told in policy.err and "program" in policy.json
    done = packyak("eject", str(tmp_path / "app"))
    assert done.code == 0 and told in done.err and "nothing is granted" in done.err
    onto = packyak("eject", str(folder / "pipeline.py"))
    assert onto.code == 2 and "is a file" in onto.err
