"""The toolbar of the Records page: search, corrected or failed only, filters, version. Answers a `Query`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st
from packyak.engine.run.answers import Filter
from packyak.studio.components import address
from packyak.studio.components.records import narrowed
from packyak.studio.components.records.record_past import index_for
from packyak.studio.views import records, words
from packyak.studio.views.records import Editor
from packyak.studio.views.share import Wanted
from packyak.studio.views.words import literal

if TYPE_CHECKING:
    from packyak.engine.project import Project

ONLY: dict[str, Literal["corrected", "failed"] | None] = {"All": None, "Corrected": "corrected", "Failed": "failed"}
VERSIONS = 30
NOT_KEPT = "version_not_kept"  # of which asset the version that was asked for is gone
CONTAINS = "contains"
HOW = {CONTAINS: "Contains", "text": "Words", "vector": "Meaning", "hybrid": "Words and meaning"}
HOW_HELP = (
    "Contains: these letters, in any text column. Words: the best matches of a search engine. "
    "Meaning: texts that say something alike. The last three look into the index of the asset."
)


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
    where: str | None = None
    since: str | None = None
    how: str = CONTAINS
    like: str = ""
    index: str = ""

    @property
    def digest(self) -> str:
        return hashlib.blake2s(repr(self).encode(), digest_size=6).hexdigest()

    @property
    def page_key(self) -> str:
        """The number of the page is kept for each query apart: a new search starts on page one."""
        return f"page-{self.asset}-{self.digest}"

    @property
    def narrowed(self) -> bool:
        return bool(self.text or self.only or self.filters or self.where or self.since or self.like)

    @property
    def searched(self) -> bool:
        """Whether an index is asked, rather than the columns themselves."""
        return bool(self.like or (self.text and self.how != CONTAINS))

    @property
    def wanted(self) -> Wanted:
        """The view to take along."""
        how = "like" if self.like else self.how if self.searched else ""
        return Wanted(
            self.asset, self.text, self.only, self.filters, self.where, self.sort, self.descending, self.version,
            how, self.like, self.index,
        )  # fmt: skip

    def arguments(self) -> dict[str, Any]:
        """As `Project.page` takes it."""
        return {
            "text": None if self.searched else self.text or None,
            "only": self.only,
            "filters": self.filters,
            "sort": self.sort,
            "descending": self.descending,
            "version": self.version,
            "where": self.where,
        }


def asked(project: Project, asset: str) -> Query:
    """What is asked for, as the address and the toolbar say; drawn later, so that the records can come first."""
    index = index_for(project.graph, asset)
    text, how = _text(asset), CONTAINS if index is None else _how(asset)
    only = _only(asset)
    if not project.versions(asset):
        return Query(asset)
    columns = _columns(project, asset)
    kept, where = _filters(asset, columns)
    sort, descending = _sort(asset, columns)
    version, since = _version(project, asset)
    keys = narrowed.picked_keys(project)
    if keys is not None:
        where = narrowed.condition(keys) + (f" and ({where})" if where else "")
    like, name = ("", "") if index is None else (st.query_params.get("like", ""), index.name)
    return Query(asset, text, only, tuple(kept), sort, descending, version, where, since, how, like, name)


def toolbar(project: Project, query: Query) -> None:
    """Draw what narrows the view."""
    asset = query.asset
    _draw_text(asset)
    if query.index:
        _draw_how(asset)
    _draw_only(asset)
    if not project.versions(asset):
        return
    _draw_filters(asset, _columns(project, asset))
    _draw_version(project, asset)
    keys = narrowed.picked_keys(project)
    if keys is not None:
        narrowed.chip(len(keys))
    if query.like:
        _draw_like(query.like)


def _how(asset: str) -> str:
    """How the text is looked for; only where an index covers the asset's records."""
    key = f"how-{asset}"
    address.given("how", key, lambda said: said if said in HOW else CONTAINS)
    how = str(st.session_state.get(key) or CONTAINS)
    address.note("how", key, how if how != CONTAINS else None)
    return how


def _draw_how(asset: str) -> None:
    key = f"how-{asset}"
    st.session_state.setdefault(key, CONTAINS)  # an index of None would let it be emptied
    st.selectbox(
        "How to search",
        list(HOW),
        format_func=HOW.__getitem__,
        key=key,
        help=HOW_HELP,
        label_visibility="collapsed",
        width=168,
        persist_state="session",
    )


def _draw_like(like: str) -> None:
    """The record that those shown are like; a press takes it back."""
    if st.button(literal(f"Like {like}"), icon=":material/close:", key="unlike", help="Show all records again"):
        st.query_params.pop("like", None)
        st.rerun()


def widen(asset: str) -> None:
    """For a callback: take back everything that narrows the view."""
    wide = {"text": "", "how": CONTAINS, "only": "All", "where": "", "version": None, "since": False}
    for name, value in wide.items():
        if f"{name}-{asset}" in st.session_state:  # set, not dropped: the browser would keep what it shows
            st.session_state[f"{name}-{asset}"] = value
    st.session_state.get("filters", {}).pop(asset, None)
    st.query_params.from_dict({"asset": asset})


def _text(asset: str) -> str:
    key = f"text-{asset}"
    address.given("text", key)
    said = str(st.session_state.get(key) or "").strip()
    address.note("text", key, said)
    return said


def _draw_text(asset: str) -> None:
    st.text_input(
        "Search",
        key=f"text-{asset}",
        placeholder="Search in text",
        icon=":material/search:",
        type="search",
        live="400ms",
        label_visibility="collapsed",
        width=172,
        persist_state="session",
    )


def _only(asset: str) -> Literal["corrected", "failed"] | None:
    key = f"only-{asset}"
    address.given("only", key, lambda said: {"corrected": "Corrected", "failed": "Failed"}[said])
    only = ONLY[st.session_state.get(key) or "All"]
    address.note("only", key, only)
    return only


def _draw_only(asset: str) -> None:
    key = f"only-{asset}"
    default = None if key in st.session_state else "All"
    st.segmented_control(
        "Show", list(ONLY), default=default, key=key, label_visibility="collapsed", persist_state="session"
    )


def _columns(project: Project, asset: str) -> tuple[Editor, ...]:
    """The asset's columns; asked again only when something was published."""
    seen = (str(project.root), asset, project.published.seq())
    known = st.session_state.get("toolbar_columns")
    if known is None or known[0] != seen:
        known = (seen, records.editors(project.page(asset, limit=0)))
        st.session_state["toolbar_columns"] = known
    found: tuple[Editor, ...] = known[1]
    return found


def _filters(asset: str, columns: tuple[Editor, ...]) -> tuple[list[Filter], str | None]:
    kept: list[Filter] = st.session_state.setdefault("filters", {}).setdefault(asset, [])
    _from_address(asset, kept)
    kept[:] = [each for each in kept if any(column.column == each.column for column in columns)]
    where_key = f"where-{asset}"
    address.given("where", where_key)
    said = str(st.session_state.get(where_key) or "").strip()
    address.note("where", where_key, said)
    _to_address(asset, kept)
    return kept, said or None


def _draw_filters(asset: str, columns: tuple[Editor, ...]) -> None:
    kept, where = _filters(asset, columns)
    number = len(kept) + bool(where)
    with st.popover(f"Filter ({number})" if number else "Filter", icon=":material/filter_alt:", key=f"filter-{asset}"):
        for position, each in enumerate(list(kept)):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width=380):
                st.text(records.filter_words(each.column, each.op, each.value), width="stretch")
                if st.button(
                    "", icon=":material/close:", key=f"drop-{asset}-{position}", type="tertiary", help="Remove"
                ):
                    kept.pop(position)
                    _to_address(asset, kept)
                    st.rerun()
        _new_filter(asset, columns, kept)
        st.text_input(
            "Or an SQL condition",
            key=f"where-{asset}",
            placeholder="amount > 20 and city is null",
            persist_state="session",
        )


def _from_address(asset: str, kept: list[Filter]) -> None:
    key = f"filters-{asset}"
    address.given("filter", key, json.loads)
    plain = st.session_state.pop(key, None)
    if plain is not None:
        kept[:] = [Filter(str(column), str(op), value) for column, op, value in plain]


def _to_address(asset: str, kept: list[Filter]) -> None:
    plain = [[each.column, each.op, each.value] for each in kept]
    try:
        address.note("filter", f"filters-{asset}", json.dumps(plain) if plain else None)
    except TypeError:  # a date: such a filter stays in this window
        address.note("filter", f"filters-{asset}", None)


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
    """The order, as the address says; the grid's heads change it there."""
    key, down = f"sort-{asset}", f"sort-down-{asset}"
    address.given("sort", key)
    address.given("down", down, lambda said: said == "1")
    if st.session_state.get(key) not in [column.column for column in columns]:
        st.session_state[key] = None
    column, descending = st.session_state[key], bool(st.session_state.get(down))
    address.note("sort", key, column)
    address.note("down", down, "1" if descending and column else None)
    return column, descending


def _version(project: Project, asset: str) -> tuple[str | None, str | None]:
    """The earlier version to show, or the one since which changed records are shown; neither for the current one."""
    older = [each.version for each in project.versions(asset)[1:VERSIONS]]
    key, way = f"version-{asset}", f"since-{asset}"
    address.given("version", key)
    address.given("since", way, lambda said: said == "1")
    if st.session_state.get(key) not in (None, *older):
        del st.session_state[key]
        st.session_state[NOT_KEPT] = asset
    elif st.session_state.get(key):
        st.session_state.pop(NOT_KEPT, None)
    version, changed = st.session_state.get(key), bool(st.session_state.get(way))
    address.note("version", key, version)
    address.note("since", way, "1" if changed and version else None)
    return (None, version) if changed else (version, None)


def _draw_version(project: Project, asset: str) -> None:
    found = project.versions(asset)[:VERSIONS]
    if len(found) < 2:
        return
    labels = {each.version: f"{words.age(each.at)} · {words.counted(each.rows, 'row')}" for each in found}
    key, way = f"version-{asset}", f"since-{asset}"
    chosen, since = st.session_state.get(key), bool(st.session_state.get(way))
    label = "Versions" if not chosen else f"{'Since' if since else 'As of'} {labels[chosen].partition(' · ')[0]}"
    with st.popover(label, icon=":material/history:", key=f"versions-{asset}"), st.container(width=320):
        st.selectbox(
            "Version",
            [each.version for each in found[1:]],
            index=None,
            placeholder="The current one",
            format_func=lambda each: labels[each],
            key=key,
            persist_state="session",
        )
        st.toggle("Only what changed since", key=way, disabled=not chosen, persist_state="session")
