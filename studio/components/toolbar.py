"""The toolbar of the Records page: search, corrected or failed only, filters, sorting, version. Answers a `Query`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st
from packyak.engine.run.answers import Filter
from packyak.studio.views import records, words
from packyak.studio.views.records import Editor
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

ONLY: dict[str, Literal["corrected", "failed"] | None] = {"All": None, "Corrected": "corrected", "Failed": "failed"}
VERSIONS = 30


@dataclass(frozen=True)
class Query:
    """Which records of an asset are wanted, and in which order."""

    asset: str
    text: str = ""
    only: Literal["corrected", "failed"] | None = None
    filters: tuple[Filter, ...] = ()
    sort: str | None = None
    descending: bool = False
    version: str | None = None

    @property
    def digest(self) -> str:
        return hashlib.blake2s(repr(self).encode(), digest_size=6).hexdigest()

    @property
    def page_key(self) -> str:
        """The number of the page is kept for each query apart: a new search starts on page one."""
        return f"page-{self.asset}-{self.digest}"

    @property
    def narrowed(self) -> bool:
        return bool(self.text or self.only or self.filters)

    def arguments(self) -> dict[str, Any]:
        """As `Project.page` takes it."""
        return {
            "text": self.text or None,
            "only": self.only,
            "filters": self.filters,
            "sort": self.sort,
            "descending": self.descending,
            "version": self.version,
        }


def toolbar(project: Project, asset: str) -> Query:
    """Draw the toolbar of an asset."""
    ready = project.versions(asset)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="records_toolbar"):
        text = st.text_input(
            "Search",
            key=f"text-{asset}",
            placeholder="Search in text",
            icon=":material/search:",
            type="search",
            live="400ms",
            label_visibility="collapsed",
            width=230,
            persist_state="session",
        )
        only = st.segmented_control(
            "Show",
            list(ONLY),
            default="All",
            required=True,
            key=f"only-{asset}",
            label_visibility="collapsed",
            persist_state="session",
        )
        if not ready:
            return Query(asset)
        columns = _columns(project, asset)
        filters = _filters(asset, columns)
        sort, descending = _sort(asset, columns)
        version = _version(project, asset)
    return Query(asset, (text or "").strip(), ONLY[only or "All"], filters, sort, descending, version)


def _columns(project: Project, asset: str) -> tuple[Editor, ...]:
    return records.editors(project.page(asset, limit=0))


def _filters(asset: str, columns: tuple[Editor, ...]) -> tuple[Filter, ...]:
    kept: list[Filter] = st.session_state.setdefault("filters", {}).setdefault(asset, [])
    kept[:] = [each for each in kept if any(column.column == each.column for column in columns)]
    label = f"Filter ({len(kept)})" if kept else "Filter"
    with st.popover(label, icon=":material/filter_alt:", key=f"filter-{asset}"):
        for position, each in enumerate(list(kept)):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width=380):
                st.text(records.filter_words(each.column, each.op, each.value), width="stretch")
                if st.button(
                    "", icon=":material/close:", key=f"drop-{asset}-{position}", type="tertiary", help="Remove"
                ):
                    kept.pop(position)
                    st.rerun()
        _new_filter(asset, columns, kept)
    return tuple(kept)


def _new_filter(asset: str, columns: tuple[Editor, ...], kept: list[Filter]) -> None:
    by_name = {column.column: column for column in columns}
    with st.container(width=380, gap="xsmall"):
        name = st.selectbox("Column", list(by_name), key=f"filter-column-{asset}")
        if name is None:
            return
        column = by_name[name]
        op = st.selectbox(
            "Comparison",
            records.comparisons(column),
            format_func=lambda op: records.COMPARISON_WORDS[op],
            key=f"filter-op-{asset}-{name}",
        )
        value = None if op in ("empty", "filled") else _value(asset, column)
        if st.button("Add filter", key=f"filter-add-{asset}", type="primary", width="stretch"):
            try:
                wanted = str(value) if op == "contains" else records.typed(value, column)
            except records.Unfit as error:
                st.error(literal(error))
                return
            if wanted is None and op not in ("empty", "filled"):
                st.error("Give a value to compare with.")
                return
            kept.append(Filter(name, str(op), wanted))
            st.rerun()


def _value(asset: str, column: Editor) -> Any:
    key = f"filter-value-{asset}-{column.column}"
    if column.kind == "choice":
        return st.selectbox("Value", column.choices, key=key)
    if column.kind == "flag":
        return st.selectbox("Value", [True, False], key=key)
    if column.kind in ("integer", "number"):
        return st.number_input("Value", value=None, step=1 if column.kind == "integer" else None, key=key)
    if column.kind == "date":
        return st.date_input("Value", value=None, key=key)
    if column.kind == "moment":
        return st.datetime_input("Value", value=None, key=key)
    return st.text_input("Value", key=key)


def _sort(asset: str, columns: tuple[Editor, ...]) -> tuple[str | None, bool]:
    names = [column.column for column in columns]
    key, down = f"sort-{asset}", f"sort-down-{asset}"
    chosen = st.session_state.get(key)
    arrow = "\N{DOWNWARDS ARROW}" if st.session_state.get(down) else "\N{UPWARDS ARROW}"
    label = f"Sort: {literal(chosen)} {arrow}" if chosen else "Sort"
    with st.popover(label, icon=":material/swap_vert:", key=f"sorting-{asset}"), st.container(width=280):
        column = st.selectbox("Sort by", names, index=None, placeholder="By key", key=key, persist_state="session")
        descending = st.toggle("Largest first", key=down, persist_state="session")
    return column, bool(descending)


def _version(project: Project, asset: str) -> str | None:
    found = project.versions(asset)[:VERSIONS]
    if len(found) < 2:
        return None
    labels = {each.version: f"{words.age(each.at)} · {words.counted(each.rows, 'row')}" for each in found}
    chosen = st.selectbox(
        "Version",
        [each.version for each in found],
        format_func=lambda version: f"Current · {labels[version]}" if version == found[0].version else labels[version],
        key=f"version-{asset}",
        label_visibility="collapsed",
        width=250,
        persist_state="session",
    )
    return None if chosen == found[0].version else chosen
