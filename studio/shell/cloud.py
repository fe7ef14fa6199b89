"""What the command line says of the cloud, asked in a process of its own: the studio does not load what deploys."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.studio.shell import projects
from packyak.studio.shell.launch import named

if TYPE_CHECKING:
    from packyak.engine.project import Project

KNOWN = "grants_said"
SECONDS = 60


def grants(project: Project) -> dict[str, Any]:
    """The plan of grants, as `packyak grants --json` has it; asked again when the project's files change."""
    seen = (str(project.root), project.home.uri, projects.stamp(project.root))
    known = st.session_state.get(KNOWN)
    if known is None or known[0] != seen:
        known = (seen, _asked(project))
        st.session_state[KNOWN] = known
    said: dict[str, Any] = known[1]
    return said


def _asked(project: Project) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "packyak", "grants", "--json", "--home", project.home.uri]
    try:
        done = subprocess.run(
            command,
            cwd=project.root,
            env=named(project),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        said: dict[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise PackyakError("the grants could not be told", next_step="`packyak grants` says why") from error
    if "plan" not in said:
        raise PackyakError(str(said.get("error") or "the grants could not be told"))
    return said
