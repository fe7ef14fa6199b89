"""Who sits before the studio: the user of this machine; where a team signs in (OIDC), whose e-mail address that is.

Signing in is on as soon as Streamlit's secrets have an [auth] section. Which role the person has, and what it may do,
the engine decides; here is only asked, to say so before somebody tries.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.errors import MissingExtra

if TYPE_CHECKING:
    from packyak.engine.project import Project


@cache
def signs_in() -> bool:
    """Whether people sign in here. Asked once: what the secrets say holds for as long as the studio runs."""
    files = st.get_option("secrets.files") or []
    return any(Path(file).is_file() for file in files) and "auth" in st.secrets


def must_sign_in() -> bool:
    """Whether whoever looks has to sign in first."""
    return signs_in() and not st.user.get("is_logged_in", False)


def person() -> str | None:
    """Who is signed in; None where nobody signs in here. An address that its provider does not vouch for counts as
    none."""
    if not signs_in():
        return None
    if not st.user.get("is_logged_in", False) or st.user.get("email_verified") is False:
        return ""
    return str(st.user.get("email") or "")


def for_person(project: Project) -> Project:
    """The project, asked by whoever sits here."""
    name = person()
    return project if name is None else project.acting(name or "somebody without an e-mail address")


def sign_in() -> None:
    """The page before all others, where people sign in."""
    if find_spec("authlib") is None:
        raise MissingExtra.of("team", why="to sign in")
    with st.container(key="nothing", width=460, gap="small"):
        st.subheader("Sign in to see this project", anchor=False)
        if st.button("Sign in", type="primary", icon=":material/login:", key="sign_in"):
            st.login()


def no_project() -> None:
    """Where people sign in and no project is served: choosing one is not theirs."""
    with st.container(key="nothing", width=520, gap="small"):
        st.subheader("No project is served here", anchor=False)
        st.text("Whoever starts this studio names one: PACKYAK_PROJECT, or the folder that it is started in.")


def refused(project: Project, action: str, **own: Any) -> dict[str, Any]:
    """For a control that does something: disabled, with the reason, where the person's role may not do it."""
    why = project.refusal(action)
    return {"disabled": True, "help": f"{why}."} if why else own
