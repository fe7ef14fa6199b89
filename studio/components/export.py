"""The Export page: what changes and what it costs beside what there will be; one button; then the stages as they go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from packyak.studio.components.shell import calm
from packyak.studio.shell import exporting
from packyak.studio.shell.identity import refused
from packyak.studio.views import export, words
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

TICK = 1.0
SHOWN = 12  # changes of a kind before the rest folds away
CONFIRMING = "confirm_widening"
CONNECT = (
    ("Sign in on this machine", "aws sso login", "or `aws configure`, where you have access keys"),
    ("Say which account", "export AWS_PROFILE=name", "only where you have more than one; then start the studio again"),
    ("Say which region", '[cloud]\nregion = "eu-central-1"', "in packyak.toml; else us-east-1"),
)


def export_page(project: Project) -> None:
    """Draw the page; look again while something is under way."""
    attempt = exporting.attempt(project)
    profile = st.session_state.get("export_profile")
    waiting = not exporting.asking(project, profile).over.is_set()
    live = waiting or (attempt is not None and attempt.running)
    st.fragment(calm(_page), run_every=TICK if live else None)(project, live)


def _page(project: Project, live: bool) -> None:
    attempt = exporting.attempt(project)
    asked = exporting.asking(project, st.session_state.get("export_profile"))
    running = attempt is not None and attempt.running
    if live != (running or not asked.over.is_set()):
        st.rerun()
    _header(project, asked.said, attempt)
    if asked.error is not None:
        st.error(literal(str(asked.error)))
        return
    if asked.said is None:
        st.caption("Looking at what would change \N{HORIZONTAL ELLIPSIS}")
        return
    preview = asked.said
    _confirmation(project, preview, attempt)
    near, far = st.columns([0.66, 0.34], gap="medium")
    with near:
        if attempt is not None:
            _attempt(project, attempt, preview)
        if not running:
            _changes(preview)
        _units(preview)
    with far:
        _bill(preview)
        _account(preview, attempt)


def _header(project: Project, preview: export.Preview | None, attempt: export.Attempt | None) -> None:
    running = attempt is not None and attempt.running
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="page_header"):
        st.header("Export", anchor=False, width="content")
        names = list(export.PROFILES)
        chosen = preview.profile if preview else names[0]
        st.selectbox(
            "Profile",
            names,
            index=names.index(chosen) if chosen in names else 0,
            label_visibility="collapsed",
            width=150,
            key="export_profile",
            disabled=running,
            help="; ".join(f"{name}: {why}" for name, why in export.PROFILES.items()),
        )
        st.caption(export.PROFILES[st.session_state["export_profile"]], width="content")
        st.space("stretch")
        if preview is None:
            return
        with st.popover("As a command", icon=":material/terminal:", key="export_command"), st.container(width=460):
            typed = export.command(
                st.session_state["export_profile"], preview.own_profile, preview.section("widened") is not None
            )
            st.code(typed, language="shell")
            st.caption("It shows what changes and asks before it does anything.")
        blocked = running or preview.section("refused") is not None
        may = refused(project, "publish", disabled=blocked)
        if st.button("Export to AWS", type="primary", icon=":material/cloud_upload:", key="export_now", **may):
            if preview.section("widened") is not None:
                st.session_state[CONFIRMING] = True
            else:
                exporting.start(project, preview.profile, preview.digest, widening=False)
            st.rerun()


def _confirmation(project: Project, preview: export.Preview, attempt: export.Attempt | None) -> None:
    """The second look, in red, where somebody may do more than before: the first press came to it, or AWS's templates
    showed more than the plan had."""
    found = preview.section("widened") if st.session_state.get(CONFIRMING) else None
    if found is None and attempt is not None and attempt.state == "unconfirmed":
        found = attempt.widened
    if found is None:
        return
    with st.container(border=True, key="widening", gap="small"):
        st.subheader(":red[:material/gpp_maybe:] Somebody may do more than before", anchor=False)
        _lines(found)
        with st.container(horizontal=True, gap="small"):
            may = refused(project, "publish")
            if st.button("That is meant: export", icon=":material/gpp_maybe:", key="accept_widening", **may):
                st.session_state.pop(CONFIRMING, None)
                exporting.start(project, preview.profile, preview.digest, widening=True)
                st.rerun()
            if st.button("Not now", key="not_now"):
                st.session_state.pop(CONFIRMING, None)
                exporting.dismiss(project)
                st.rerun()


def _lines(section: export.Section) -> None:
    with st.container(gap="xsmall"):  # without a key: what has to be confirmed is shown twice
        for each in section.changes[:SHOWN]:
            _line(each, section)
        rest = section.changes[SHOWN:]
        if rest:
            with st.expander(f"{len(rest)} more"):
                for each in rest:
                    _line(each, section)


def _line(change: export.ChangeLine, section: export.Section) -> None:
    place = f" :gray-badge[{literal(change.place)}]" if change.place and change.place not in change.words else ""
    st.markdown(f":{section.tone}[:material/{section.icon}:] {literal(change.words)}{place}")


def _changes(preview: export.Preview) -> None:
    with st.container(border=True, key="what_changes", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader("What changes", anchor=False, width="content")
            if preview.first:
                st.badge("nothing stands there yet", color="gray")
            elif not preview.sections:
                st.badge("nothing", color="green", icon=":material/check:")
        for section in preview.sections:
            st.markdown(f":{section.tone}-badge[{section.title}]")
            _lines(section)
        if preview.undecided:
            st.markdown(":red-badge[In the way]")
            for each in preview.undecided:
                st.markdown(f":red[:material/help:] {literal(each.words)} :gray-badge[{literal(each.place)}]")


def _units(preview: export.Preview) -> None:
    with st.container(border=True, key="what_there_is", gap="small"):
        st.subheader("What there will be", anchor=False)
        st.caption(
            literal(
                f"{words.counted(len(preview.units), 'role')}, one for each, run by a state machine in this order; "
                f"data in {'a bucket of its own' if preview.first else preview.home}, {preview.region}"
            )
        )
        st.dataframe(list(preview.units), hide_index=True, height="content", alt="Units and their roles")


def _bill(preview: export.Preview) -> None:
    bill = preview.bill
    with st.container(border=True, key="bill", gap="small"):
        st.subheader("What it costs", anchor=False)
        with st.container(horizontal=True, gap="medium"):
            st.metric("a month, nothing running", f"${bill.month:.2f}", width="content")
            st.metric("a whole run", f"${bill.once:.4f}", width="content")
        with st.expander("What it is made of", icon=":material/receipt_long:"):
            st.caption("A month")
            st.dataframe(export.bill_table(bill.idle), hide_index=True, height="content", alt="Costs of a month")
            st.caption("A run")
            st.dataframe(export.bill_table(bill.run), hide_index=True, height="content", alt="Costs of a run")
        with st.expander("Assumed", icon=":material/fact_check:"):
            for line in bill.assumptions:
                st.markdown(f"- {literal(line)}")
            st.caption(literal(bill.prices))


def _account(preview: export.Preview, attempt: export.Attempt | None) -> None:
    """Whose account it goes to; how to connect one where none is seen."""
    refused_by_aws = attempt is not None and attempt.error == "NoCredentials"
    with st.container(border=True, key="account", gap="small"):
        if preview.credentials and not refused_by_aws:
            st.subheader("Account", anchor=False)
            st.text(f"Signed in by {preview.credentials}")
            if attempt is not None and attempt.account:
                st.caption(literal(f"{attempt.account}, {attempt.region}"))
            return
        st.subheader("Connect an AWS account", anchor=False)
        st.text(
            "No credentials were seen on this machine. Everything on this page works without; the button needs one."
        )
        for number, (title, typed, note) in enumerate(CONNECT, start=1):
            st.markdown(f":gray-badge[{number}] **{title}**")
            st.code(typed, language=None)
            st.caption(note)


def _attempt(project: Project, attempt: export.Attempt, preview: export.Preview) -> None:
    """The stages as they go, or how they ended."""
    with st.container(border=True, key="attempt", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader(export.title_of(attempt), anchor=False, width="content")
            st.caption(literal(f"{attempt.profile}, {words.age(attempt.at)}"), width="content")
            st.space("stretch")
            if not attempt.running and st.button("Dismiss", key="dismiss_attempt", icon=":material/close:"):
                exporting.dismiss(project)
                st.rerun()
        if attempt.problem:
            _problem(attempt)
        if attempt.outputs:
            _outputs(attempt)
        for section in attempt.sections if attempt.state in ("refused", "unconfirmed") else ():
            st.markdown(f":{section.tone}-badge[{section.title}]")
            _lines(section)
        if attempt.running or not attempt.outputs:
            _stages(attempt, preview)
        else:
            with st.expander("Stages", icon=":material/checklist:"):
                _stages(attempt, preview)


def _problem(attempt: export.Attempt) -> None:
    st.error(literal(words.sentence(attempt.problem)), icon=":material/error:")
    if attempt.next_step:
        st.text(f"Next: {words.sentence(attempt.next_step)}")
    st.caption("What was done stays. The next export looks at what stands there and goes on from it.")


def _outputs(attempt: export.Attempt) -> None:
    for each in attempt.outputs:
        link = f"[{literal(each.value)}]({each.link})" if each.link.startswith("https://") else f"`{each.value}`"
        st.markdown(f"**{literal(each.name)}** &nbsp; {link}")


def _stages(attempt: export.Attempt, preview: export.Preview) -> None:
    with st.container(gap="xsmall", key="stages"):
        for stage in attempt.stages(preview.stages):
            tone, icon = export.TONES[stage.state], export.ICONS[stage.state]
            took = f" :gray[{stage.took}]" if stage.took else ""
            line = literal(stage.line or stage.about)
            said = line if stage.line and stage.state != "waiting" else f":gray[{line}]"
            st.markdown(f":{tone}[:material/{icon}:] **{stage.name}** &nbsp; {said}{took}")
    failed = [each for each in attempt.events if each.failed]
    for each in failed:
        place = f" :gray-badge[{literal(each.place)}]" if each.place else ""
        st.markdown(
            f":red[:material/error:] {literal(each.resource)}, {literal(each.kind)}: {literal(each.reason)}{place}"
        )
    if attempt.events:
        with st.expander(f"{words.counted(len(attempt.events), 'event')} of resources", icon=":material/list:"):
            rows = [
                {"resource": each.resource, "what": each.kind, "state": each.state.replace("_", " ").lower(),
                 "for": each.place, "why": each.reason}
                for each in reversed(attempt.events)
            ]  # fmt: skip
            st.dataframe(rows, hide_index=True, height=280, alt="Events of resources")
