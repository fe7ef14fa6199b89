"""Lineage as text for elsewhere: a project's events, or a view of its lineage as a page, a picture or PROV-O."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from packyak.engine.errors import DataError, HomeNotWritable
from packyak.engine.lineage.chain import Direction, Link, Step, Trace
from packyak.engine.lineage.log import EventLog
from packyak.engine.lineage.picture import page, svg
from packyak.engine.lineage.prov import turtle
from packyak.engine.lineage.tellers import tell_corrections
from packyak.engine.run.trace.ground import Ground, ground_now
from packyak.engine.run.trace.steps import Details

if TYPE_CHECKING:
    from packyak.engine.project import Project

FORMATS = ("openlineage", "html", "svg", "prov")


def export_lineage(
    project: Project, asset: str | None, key: str | None, column: str | None, *, form: str | None, direction: Direction
) -> str:
    """The text in one of the formats. Raises DataError for one that there is not."""
    chosen = form or ("openlineage" if asset is None else "html")
    if chosen not in FORMATS:
        raise DataError(f"{chosen!r} is no format of lineage", choices=FORMATS, next_step="take one of them")
    if chosen == "openlineage":
        with suppress(HomeNotWritable):  # who may only look has what the log has; the next run tells the rest
            tell_corrections(project.home, project.name, send=False)
        events = EventLog(project.home).read()
        return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
    if asset is not None and key is not None:
        trace = project.trace(asset, key, column, direction=direction)
    else:
        trace = assets_trace(ground_now(project._reader()), project.name, asset, direction)
    if chosen == "prov":
        return turtle(trace, project.name)
    return page(trace) if chosen == "html" else svg(trace)


def assets_trace(ground: Ground, project: str, asset: str | None, direction: Direction) -> Trace:
    """The assets of a project as a trace: all of them, or those above or below one."""
    graph = ground.graph
    if asset is None:
        names = [name for name in graph.nodes if graph.children(name) or graph[name].inputs]
    else:
        ground.reader.asset(asset)
        names = [asset, *(graph.above(asset) if direction == "up" else graph.below(asset))]
    details = Details(ground)
    steps: list[Step] = [step for name in names if name in graph.nodes for step in details.steps(name, {"": ()})]
    there = {step.asset for step in steps}
    links = tuple(
        Link((above, ""), (name, ""), "whole") for name in there for above in graph[name].inputs if above in there
    )
    if not steps:
        raise DataError("the project has no assets yet", next_step="declare some, then `packyak run`")
    return Trace(asset or project, "", "", direction, tuple(steps), links)
