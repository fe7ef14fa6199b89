"""The shell around every page: theme, logo, navigation, the open project. Runs at each rerun, so it stays light."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from packyak.studio.components.home import welcome
from packyak.studio.components.shell import around, tell_problem
from packyak.studio.shell import identity, places, projects, quick

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"


def main() -> None:
    st.set_page_config("Packyak", STATIC / "favicon.png", layout="wide")
    tone = "dark" if st.context.theme.type == "dark" else "light"
    logo = str(STATIC / f"logo-{tone}.svg")
    page = st.navigation(places.every(), position="hidden")  # the desk draws them: for a quarter of the time
    if identity.must_sign_in():
        _alone(logo, identity.sign_in)
        return
    root = projects.current_root()
    if root is None:
        _alone(logo, identity.no_project if identity.signs_in() else welcome)
        return
    if around(places.name_of(page), tone):
        return  # on the way to another page
    try:
        page.run()
    except Exception as error:  # told in our words; Streamlit's own would name neither file nor next step
        tell_problem(error)
    quick.settle()


def _alone(logo: str, draw: Callable[[], None]) -> None:
    """A page without a project around it: no list of pages, in the middle of the window."""
    with st.container(key="alone", width=980, gap="large"):
        st.image(logo, width=132)
        draw()


main()
