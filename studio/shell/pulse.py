"""Whether something happened to a project elsewhere, asked by open pages every few seconds, beside Streamlit.

A page that ran its script on a timer instead could be drawn half: a tick of the page just left ends the script of the
one just opened. Each open project has a name that cannot be guessed; nothing else is told here.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING

from packyak.engine.lineage.outside import FOLDER, GRAPH
from packyak.studio.views import desk
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from packyak.engine.project import Project

PATH = "/packyak/pulse"
PAGE = "page of the studio"  # no address of a page has such a word
_names: dict[str, str] = {}
_projects: dict[str, Project] = {}


def watch(project: Project) -> str:
    """The path at which a page asks about this project."""
    name = _names.setdefault(f"{project.root} {project.home.uri}", secrets.token_urlsafe(16))
    _projects[name] = project
    return f"{PATH}/{name}"


def beat(project: Project) -> str:
    """What differs once something happened: a publication, a correction, an import of other tools' events, the begin or
    end of a run."""
    run, imports = project.running(), len(project.home.names(FOLDER, GRAPH))
    return f"{project.published.seq()} {project.log.position()} {imports} {run.id if run else ''}"


def answer(request: Request) -> JSONResponse:
    """The beat now, and what the status bar says: of the run, and of the view that the page's address asks for."""
    project = _projects.get(request.path_params["name"])
    if project is None:
        return JSONResponse({}, 404)
    params = dict(request.query_params)
    return JSONResponse(
        {
            "beat": beat(project),
            "run": asdict(desk.run_fact(project.running())),
            "command": desk.command(params.pop(PAGE, ""), params),
            "selection": desk.selection(params),
        }
    )


ROUTE = Route(PATH + "/{name}", answer)
