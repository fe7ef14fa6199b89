"""The studio for a team: what it takes, and what would leave it open is refused before it starts."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import Call
from packyak.engine.errors import SettingError

from packyak.cli import studio
from packyak.cli.place import find_place
from packyak.cli.team import Team, team_of, told

pytest.importorskip("authlib", reason='to run these tests: pip install "packyak-studio[team]"')
SITE, ISSUER = "https://studio.example.com", "https://login.example.com/tenant/"
ROLES = '\n[roles]\nadmin = ["ana@example.com"]\n'
SOURCE = "from packyak import asset\n\n@asset(key='id')\ndef things() -> list[dict]:\n    return [{'id': '1'}]\n"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((SITE, None, "id", "name"), "--issuer is missing"),
        ((SITE, ISSUER, "", ""), "--client-id, --client-secret are missing"),
        (("http://studio.example.com", ISSUER, "id", "name"), "http is for this machine alone"),
        ((SITE, "http://login.example.com", "id", "name"), "--issuer"),
        ((f"{SITE}/below", ISSUER, "id", "name"), "host name of its own"),
        (("studio.example.com", ISSUER, "id", "name"), "--site"),
        ((f"{SITE}?x=1", ISSUER, "id", "name"), "--site"),
    ],
)
def test_what_cannot_work_or_would_be_open_is_told(given: Any, says: str) -> None:
    with pytest.raises(SettingError, match=says):
        team_of(*given)


def test_it_answers_beyond_this_machine_only_for_a_site_beyond_it() -> None:
    assert team_of(f"{SITE}/", ISSUER, "id", "name") == Team(SITE, ISSUER.rstrip("/"), "id", "name")
    assert team_of(SITE, ISSUER, "id", "name").address == "0.0.0.0"
    assert team_of("http://127.0.0.1:8501", "http://localhost:1", "id", "name").address == "127.0.0.1"


def test_what_streamlit_is_told_lies_in_a_file_of_its_owner_for_as_long_as_it_runs(
    project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project_folder(SOURCE)
    (folder / "packyak.toml").write_text((folder / "packyak.toml").read_text() + ROLES)
    secret = 'with "quotes", a \\ and ü'
    monkeypatch.setenv("PACKYAK_SECRET_STUDIO_OIDC", secret)
    team = Team(SITE, ISSUER.rstrip("/"), "id", "studio/oidc")
    assert team.variable == "PACKYAK_SECRET_STUDIO_OIDC"
    with told(team, find_place(folder)) as file:
        facts = tomllib.loads(file.read_text(encoding="utf-8"))["auth"]
        assert file.parent.stat().st_mode & 0o077 == 0
    assert not file.exists()
    assert facts["client_secret"] == secret and facts["redirect_uri"] == f"{SITE}/oauth2callback"
    assert facts["server_metadata_url"] == "https://login.example.com/tenant/.well-known/openid-configuration"
    assert len(facts["cookie_secret"]) == 64 and secret not in facts["cookie_secret"]
    monkeypatch.setenv("PACKYAK_SECRET_STUDIO_OIDC", "another")
    with told(team, find_place(folder)) as file:
        assert tomllib.loads(file.read_text())["auth"]["cookie_secret"] != facts["cookie_secret"]


def test_without_roles_or_a_secret_nothing_starts(
    packyak: Call, project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio.subprocess, "Popen", lambda *given, **more: pytest.fail("something started"))
    folder = project_folder(SOURCE)
    asked = ["studio", "--project", str(folder), "--site", SITE, "--issuer", ISSUER, "--client-id", "id"]
    done = packyak(*asked, "--client-secret", "studio/oidc")
    assert done.code == 2 and "would be its admin" in done.err
    (folder / "packyak.toml").write_text((folder / "packyak.toml").read_text() + ROLES)
    done = packyak(*asked, "--client-secret", "studio/oidc")
    assert done.code == 2 and "PACKYAK_SECRET_STUDIO_OIDC" in done.err
    done = packyak(*asked)
    assert done.code == 2 and "--client-secret is missing" in done.err
    done = packyak("studio", "--project", str(folder), "--issuer", ISSUER)
    assert done.code == 2 and "--site" in done.err
