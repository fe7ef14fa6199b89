"""The Review page: a deck of the questions most worth a person's minute.

The deck answers keys by itself; here its log is applied, number by number, each number once, and cards are dealt ahead
of need. Nothing is drawn between applying an answer and writing down that it was applied: a newer key press may end
this script at any drawing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st
from packyak.engine.declare.nodes import LearnedNode, TableNode
from packyak.engine.errors import PackyakError
from packyak.engine.run.answers import AssetStatus
from packyak.engine.run.questions import Decided, Decision, Review, Similar
from packyak.studio.components import address
from packyak.studio.components.records import narrowed
from packyak.studio.components.review import teamwork
from packyak.studio.components.review.deck import Hand, Offer, Taken, decided, deck
from packyak.studio.components.shell import calm
from packyak.studio.shell import launch, places
from packyak.studio.shell.asking import ask
from packyak.studio.shell.identity import refused
from packyak.studio.views import pipeline, review, words
from packyak.studio.views.records import Editor, Unfit
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

STATE = "review_desk"
QUEUE = "review_queue"
DEALT = 240
FEW = 60
OFFERED = 50
LEAST_ALIKE = 2
EVERYTHING = "Everything"
LOOKING = "Looking for the questions most worth a minute \N{HORIZONTAL ELLIPSIS}"
NOTHING: Mapping[str, str] = {
    "": "Nothing waits for you.\nQuestions come when records fail, change or are hard to tell.",
    "disagreement": "Nobody differs.\nWhere people say different things of one field, it is asked here.",
    "second": "No second opinion is wanted of you.\nWhat one other person decided is asked here, without the answer.",
}


@dataclass
class Desk:
    """What this window's deck has been dealt and has answered."""

    scope: str = ""
    list: int = 0
    found: Review | None = None
    types: dict[tuple[str, str], Editor] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    deck: str = ""
    saved: dict[tuple[str, int], str] = field(default_factory=dict)
    since_dealt: int = 0
    saved_before: int = 0
    notes: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    like: Similar | None = None
    last: Decision | None = None
    learned: str = ""


def review_page(project: Project) -> None:
    """Draw the page."""
    asset = _header(project)
    if why := project.refusal("decide"):
        with st.container(key="nothing", width=520):
            st.subheader("Reviewers answer here", anchor=False)
            st.text(f"{why}. The role reviewer is enough: `packyak roles` says who gives it.")
        return
    st.fragment(calm(_page))(project, asset)


def _header(project: Project) -> str:
    names = [node.name for node in project.graph.tables if isinstance(node, TableNode)]
    statuses = pipeline.assets(project.graph, project.status())
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="page_header"):
        st.header("Review", anchor=False, width="content")
        named = st.query_params.get("asset", "")
        chosen = st.selectbox(
            "Questions about",
            [EVERYTHING, *names],
            index=names.index(named) + 1 if named in names else 0,
            label_visibility="collapsed",
            width=210,
            key="review_asset",
        )
        picked = narrowed.picked_keys(project)
        if picked is not None:
            narrowed.chip(len(picked))
        asset = "" if chosen == EVERYTHING else str(chosen)
        _queue(project, asset)
        st.space("stretch")
        teamwork.progress_button(project, asset)
        _run(project, statuses)
    if asset:
        st.query_params["asset"] = asset
    else:
        st.query_params.pop("asset", None)
    return asset


def _queue(project: Project, asset: str) -> None:
    """Which questions: the best ones, where people differ, or a second opinion on what others decided."""
    differ = len([each for each in project.disagreements(asset or None) if not each.settled])
    titles = {"": "Best", "disagreement": f"People differ ({words.count(differ)})", "second": "Second opinions"}
    address.given("queue", QUEUE, lambda said: said if said in titles else "")
    chosen = st.segmented_control(
        "Queue", list(titles), format_func=titles.__getitem__, default=None if QUEUE in st.session_state else "",
        key=QUEUE, label_visibility="collapsed", required=True, persist_state="session",
    )  # fmt: skip
    address.note("queue", QUEUE, chosen)


def _learned(project: Project, asset: str) -> str:
    """What was learned so far, in a sentence."""
    lines = review.learned_words([each for each in project.models() if asset in ("", each.asset)])
    return " \N{MIDDLE DOT} ".join(lines[:2])


def _run(project: Project, statuses: tuple[AssetStatus, ...]) -> None:
    waiting = [status for status in statuses if status.state in pipeline.NEEDS_RUN]
    busy = launch.under_way(project) is not None
    if not busy and not waiting:
        return
    label = "A run is under way" if busy else pipeline.run_label(statuses)
    may = refused(project, "run", disabled=busy)
    if st.button(label, icon=":material/play_arrow:", key="run_stale", **may):
        launch.start(project)
        places.go("pipeline")


def _page(project: Project, asset: str) -> None:
    desk: Desk = st.session_state.setdefault(STATE, Desk())
    entries = decided()
    try:
        _take(project, desk, entries)
        _deal(project, desk, asset)
    except PackyakError as error:
        st.error(literal(str(error)))
        return
    assert desk.found is not None
    event = deck(
        Hand(
            project=str(project.root),
            scope=desk.scope,
            list=desk.list,
            cards=[review.card_of(question) for question in desk.found.questions],
            taken=Taken(desk.deck, desk.taken.get(desk.deck, 0)),
            waiting=review.waiting_words(desk.found, len(desk.saved) - desk.saved_before),
            more=False,
            nothing=NOTHING[st.session_state.get(QUEUE) or ""],
            notes=desk.notes,
            again=desk.again,
            offer=_offer(desk.like),
            learned=desk.learned,
        )
    )
    if "spread" in event and desk.like is not None:
        _spread(project, desk, desk.like, [str(key) for key in event.get("keys") or ()])
        st.rerun(scope="fragment")


def _take(project: Project, desk: Desk, entries: list[Mapping[str, Any]]) -> None:
    """Apply what was not applied yet, in order; answers between two undos go to the engine together."""
    fresh = [entry for entry in entries if int(entry["number"]) > desk.taken.get(str(entry["deck"]), 0)]
    if not fresh:
        return
    desk.notes, desk.again, desk.like = (), (), None
    waiting: list[Mapping[str, Any]] = []
    for entry in fresh:
        if entry["action"] == "undo":
            _apply(project, desk, waiting)
            waiting = []
            _undo(project, desk, entry)
        else:
            waiting.append(entry)
    _apply(project, desk, waiting)
    desk.since_dealt += len(fresh)
    if len(fresh) <= LEAST_ALIKE:  # somebody who reads; a quick hand is not held up by a search
        desk.like = _alike(project, desk.last)


def _apply(project: Project, desk: Desk, entries: list[Mapping[str, Any]]) -> None:
    decisions: list[tuple[Mapping[str, Any], Decision]] = []
    for entry in entries:
        try:
            decisions.append((entry, review.decision_of(entry, desk.types)))
        except Unfit as error:
            _refuse(desk, entry, str(error))
    found = project.decide([decision for _, decision in decisions]) if decisions else ()
    for (entry, decision), done in zip(decisions, found, strict=True):
        _note(desk, entry, decision, done)
    for entry in entries:
        desk.deck = str(entry["deck"])
        desk.taken[desk.deck] = int(entry["number"])


def _note(desk: Desk, entry: Mapping[str, Any], decision: Decision, done: Decided) -> None:
    if done.state in ("saved", "already"):
        desk.saved[(str(entry["deck"]), int(entry["number"]))] = done.correction
        desk.last = decision if decision.action == "correct" and decision.column else None
    else:
        _refuse(desk, entry, review.refusal_words(done))


def _refuse(desk: Desk, entry: Mapping[str, Any], why: str) -> None:
    desk.notes = (*desk.notes, why)[-2:]
    desk.again = (*desk.again, "\0".join(str(entry[name]) for name in ("asset", "key", "column")))
    desk.since_dealt = DEALT  # deal anew, with what stands there now


def _undo(project: Project, desk: Desk, entry: Mapping[str, Any]) -> None:
    deck_id, number = str(entry["deck"]), int(entry["number"])
    correction = desk.saved.pop((deck_id, int(entry["of"])), "")
    if correction:
        project.undo(correction)
    else:
        desk.notes = (*desk.notes, f"{words.record(entry['key'])}: undo it in its record")[-2:]
    desk.deck, desk.taken[deck_id] = deck_id, number


def _deal(project: Project, desk: Desk, asset: str) -> None:
    """New cards when they run low, or when another choice of assets is asked for."""
    keys = narrowed.picked_keys(project)
    only = st.session_state.get(QUEUE) or None
    scope = f"{project.root}:{asset}:{'' if keys is None else hash(keys)}:{only or ''}"
    other = desk.found is None or desk.scope != scope
    if not other and desk.since_dealt < DEALT - FEW and not _all_answered(desk):
        return
    learned = any(isinstance(node, LearnedNode) for node in project.graph.nodes.values())
    with st.spinner(LOOKING) if other else nullcontext():  # over a deck in hand nothing may move
        desk.found = ask(project, "review", asset or None, limit=DEALT, keys=keys, only=only, wake=learned)
    desk.learned = _learned(project, asset)
    desk.types.update(review.editors_of(desk.found.questions))
    desk.scope, desk.list = scope, desk.list + 1
    desk.since_dealt, desk.saved_before = 0, len(desk.saved)


def _all_answered(desk: Desk) -> bool:
    """Whether everything dealt was answered, and there had been something."""
    dealt = len(desk.found.questions) if desk.found else 0
    return 0 < dealt <= desk.since_dealt


def _alike(project: Project, last: Decision | None) -> Similar | None:
    """Records that would get the same fix, worth asking about."""
    if last is None:
        return None
    try:
        found = project.similar(last.asset, last.key, last.column, k=OFFERED)
    except PackyakError:
        return None
    return found if len(review.alike(found)) >= LEAST_ALIKE else None


def _offer(like: Similar | None) -> Offer | None:
    if like is None:
        return None
    near = review.alike(like)
    value = words.value(like.value, 30)
    return Offer(f"{like.asset}:{like.key}:{like.column}", review.offer_words(like, len(near)), value, near)


def _spread(project: Project, desk: Desk, like: Similar, wanted: list[str]) -> None:
    keys = [near.key for near in review.alike(like) if near.key in wanted]
    desk.like, desk.since_dealt = None, DEALT
    if not keys:
        return
    done = project.spread(like.asset, like.key, like.column, keys)
    desk.notes = (f"{words.counted(done.count, 'record')} changed alike: `packyak undo {done.id}` takes it back",)
