"""How the review goes: how accuracy grew with every model, who answered how much, and how far people agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from packyak.studio.components.charts import learning_curve
from packyak.studio.views import models, review, words
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project


def progress_button(project: Project, asset: str) -> None:
    """Opens it; everything is asked then."""
    popover = st.popover("Progress", icon=":material/monitoring:", key="review_progress", on_change="rerun")
    with popover:
        if popover.open:
            with st.container(width=560, gap="small"):
                _learned(project, asset)
                _people(project, asset)


def _learned(project: Project, asset: str) -> None:
    for each in project.models():
        if asset not in ("", each.asset) or not each.corrections:
            continue
        (line,) = review.learned_words([each])
        st.text(line)
        points = models.curve(each.cards, each.current)
        if len(points) > 1:
            learning_curve(points, key=f"progress-{each.asset}", height=170)


def _people(project: Project, asset: str) -> None:
    said = project.corrections(asset or None)
    rows = review.people_table(said)
    if not rows:
        st.text("Nobody has answered anything yet.")
        return
    st.markdown("**Who answered**")
    st.dataframe(rows, hide_index=True, height="content", alt="Answers by person")
    pairs = review.agreement_table(project.agreement(asset or None))
    st.markdown("**How far people agree**")
    if not pairs:
        st.caption("No field was decided by two people yet: the queue of second opinions asks for that.")
        return
    st.dataframe(pairs, hide_index=True, height="content", alt="Agreement between people")
    open_ = [each for each in project.disagreements(asset or None) if not each.settled]
    if open_:
        st.caption(literal(f"{words.counted(len(open_), 'field')} wait for somebody to settle what people differ on."))
