"""The Models page: what each learned transform has learned, how well, and who lets which model answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st
from packyak.engine.errors import PackyakError
from packyak.engine.learn.models import Card
from packyak.engine.run.lessons import Judged, Models
from packyak.studio.components.charts import confusion, learning_curve, reliability
from packyak.studio.shell import launch, places
from packyak.studio.shell.identity import refused
from packyak.studio.views import models, words
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

TICK = 1.0
TALL = 300
PRIMARY: Literal["primary"] = "primary"
SECONDARY: Literal["secondary"] = "secondary"
LEAST_JUDGED = 20
WHOLE = st.column_config.NumberColumn(format="localized")
PERCENT = st.column_config.NumberColumn(format="%d%%", width="small")


def models_page(project: Project) -> None:
    """Draw the page for the learned transform that the address names."""
    found = {each.asset: each for each in project.models()}
    if not found:
        st.header("Models", anchor=False)
        st.text("This project has no learned transform. @learned declares one; people teach it by correcting it.")
        return
    named = st.query_params.get("asset", "")
    chosen = named if named in found else next(iter(found))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="page_header"):
        st.header("Models", anchor=False, width="content")
        asset = st.selectbox(
            "Learned transform",
            list(found),
            index=list(found).index(chosen),
            label_visibility="collapsed",
            width=210,
            key="models_asset",
        )
        st.query_params["asset"] = asset
        st.space("stretch")
        _actions(project, found[asset])
    _lesson(project)
    _body(project, found[asset])


def _actions(project: Project, found: Models) -> None:
    candidate = models.candidate(found)
    may = refused(project, "promote")
    back = {"help": "The model before this one answers again.", **may}
    if found.current and st.button("Roll back", icon=":material/undo:", key="roll_back", **back):
        _do(lambda: project.roll_back(found.asset))
    keep = {"help": "It stays in force, whatever is learned, until a person decides otherwise.", **may}
    if found.current and not found.pinned and st.button("Pin", icon=":material/keep:", key="pin", **keep):
        _do(lambda: project.pin(found.asset))
    if found.corrections:
        lesson = launch.lesson()
        learning = lesson is not None and not lesson.over.is_set()
        may = refused(project, "learn", disabled=learning)
        kind = SECONDARY if candidate is not None else PRIMARY
        if st.button("Learn now", type=kind, icon=":material/school:", key="learn", **may):
            launch.learn(project, found.asset)
            st.rerun()
    if candidate is not None:
        _promotion(project, found.asset, candidate)


def _do(act: Callable[[], object]) -> None:
    try:
        act()
    except PackyakError as error:
        st.error(literal(str(error)))
        return
    st.rerun()


def _promotion(project: Project, asset: str, card: Card) -> None:
    """What letting a model answer would change, then the button."""
    popover = st.popover(
        f"Promote {card.id[:8]}", type="primary", icon=":material/upgrade:", key="promote", on_change="rerun"
    )
    with popover:
        if not popover.open:
            return
        with st.container(width=620, gap="small"):
            try:
                flips = project.flips(asset, card.id)
            except PackyakError as error:
                st.error(literal(str(error)))
                return
            st.text(models.flips_words(flips))
            if flips.groups:
                groups = models.groups_table(flips)
                st.dataframe(
                    groups, hide_index=True, height="content", column_config={"records": WHOLE}, alt="What would change"
                )
            if flips.contradictions or flips.examples:
                st.dataframe(
                    models.flips_table(flips), hide_index=True, height=240, alt="Examples of what would change"
                )
            why = st.text_input("Why (optional)", key="promote_why")
            may = refused(project, "promote")
            if st.button("Let it answer", type="primary", key="promote_now", icon=":material/check:", **may):
                _do(lambda: project.promote(asset, card.id, why=why))


def _lesson(project: Project) -> None:
    """A lesson under way, or how it ended."""
    lesson = launch.lesson()
    if lesson is None:
        return
    if lesson.over.is_set():
        if lesson.error:
            st.error(literal(lesson.error))
        elif lesson.words:
            st.success(literal(lesson.words))
        launch.forget_lesson()
        return
    st.progress(0.0, text=f"Learning {literal(lesson.asset)} \N{HORIZONTAL ELLIPSIS}")
    _watch()


@st.fragment(run_every=TICK)
def _watch() -> None:
    lesson = launch.lesson()
    if lesson is not None and lesson.over.is_set():
        st.rerun()


def _body(project: Project, found: Models) -> None:
    with st.container(horizontal=True, gap="large", key="model_facts"):
        for fact in models.facts(found):
            st.metric(fact.label, fact.value, help=fact.hint or None, width="content")
    if found.due:
        st.caption(literal(words.sentence(f"due to learn: {found.due}")))
    waiting = models.waiting_words(found)
    if waiting:
        st.info(literal(waiting), icon=":material/upgrade:")
    if not found.cards:
        _nothing_learned(project, found)
        return
    card = found.card or found.cards[0]
    judged = project.judged(found.asset, card.id)
    near, far = st.columns(2, gap="small")
    with near, st.container(border=True, height=TALL, key="model_curve"):
        _curve(found)
    with far, st.container(border=True, height=TALL, key="model_belief"):
        _calibration(judged)
    _fared(found, card, judged)
    near, far = st.columns(2, gap="small")
    with near:
        _table("Models", models.models_table(found))
    with far:
        _table("Decisions", models.decisions_table(found))
    with st.expander(f"What taught {card.id[:8]}", icon=":material/school:"):
        taught = models.taught_by(card, project.corrections(found.asset))
        st.dataframe(taught, hide_index=True, height=280, alt="Corrections that taught the model")


def _fared(found: Models, card: Card, judged: Sequence[Judged]) -> None:
    """What it confuses, where it chooses among values, and what it got wrong."""
    cells, wrong = models.matrix(card), models.mistakes(judged)
    if not cells:
        with st.container(border=True):
            _mistakes(found.asset, judged, wrong)
        return
    near, far = st.columns(2, gap="small")
    with near, st.container(border=True, height=TALL, key="model_confusion"):
        st.markdown("**What was right, and what it answered**")
        confusion(cells, key="models_confusion")
    with far, st.container(border=True, height=TALL, key="model_wrong"):
        _mistakes(found.asset, judged, wrong)


def _nothing_learned(project: Project, found: Models) -> None:
    """What to do so that there is something to see here."""
    left = max(found.train_after - found.corrections, 0)
    more = f"{words.counted(left, 'more answer')} and it learns" if left else "the next run learns"
    with st.container(key="nothing", width=520):
        st.subheader("Nothing was learned yet", anchor=False)
        st.text(
            f"The first rule answers. {words.sentence(more)} Then this page shows how often it is right, what it "
            "confuses, whether its confidence can be believed, and what each new model would change."
        )
        may = refused(project, "decide")
        kind = SECONDARY if found.corrections else PRIMARY
        if st.button("Answer the best questions", type=kind, icon=":material/rate_review:", key="to_review", **may):
            places.go("review", {"asset": found.asset})


def _table(title: str, rows: list[dict[str, Any]]) -> None:
    st.markdown(f"**{title}**")
    st.dataframe(
        rows, hide_index=True, height="content" if len(rows) < 9 else 320, column_config={"answers": WHOLE}, alt=title
    )


def _curve(found: Models) -> None:
    points = models.curve(found.cards, found.current)
    st.markdown("**How it grew: right on held-out answers**")
    if not points:
        st.caption(models.score_words(found.cards[0].score))
        return
    learning_curve(points, key="models_curve")


def _calibration(judged: Sequence[Judged]) -> None:
    st.markdown("**Whether its confidence can be believed**")
    if len(judged) < LEAST_JUDGED:
        st.caption("Too few held-out answers to tell.")
        return
    reliability(models.reliability(judged), key="models_calibration")


def _mistakes(asset: str, judged: Sequence[Judged], rows: list[dict[str, Any]]) -> None:
    """What it got wrong; one chosen opens its record."""
    st.markdown(f"**What it got wrong: {words.count(len(rows))} of {words.counted(len(judged), 'held-out answer')}**")
    if not rows:
        st.caption("Nothing." if judged else "No answer was held out yet.")
        return
    event = st.dataframe(
        rows, hide_index=True, height="content" if len(rows) < 5 else 180, column_config={"sure": PERCENT},
        alt="Held-out answers that were wrong", on_select="rerun", selection_mode="single-row", key=f"mistakes-{asset}",
    )  # fmt: skip
    chosen = event["selection"]["rows"]
    if not chosen:
        st.caption("Choose one to open or trace its record.")
        return
    key = str(rows[chosen[0]]["record"])
    with st.container(horizontal=True, gap="small"):
        st.page_link(places.records(), label=f"Open {literal(key)}", query_params={"asset": asset, "key": key})
        st.page_link(places.pipeline(), label="Trace it on the graph", query_params={"of": asset, "key": key})
