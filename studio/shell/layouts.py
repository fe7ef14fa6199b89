"""Maps: laid out in the background where they are not yet, read once, and told record by record to who points at one.

Laying out loads libraries that have no place in this process, so a process of the command line does it; it asks the
project's worker where one runs. All windows wait for the same one. Where the home takes no map from whoever this is,
what it says is kept in this process.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from packyak.engine.errors import PackyakError
from packyak.engine.run import maps
from packyak.engine.run.indexes import index_of
from packyak.engine.run.maps import Map
from packyak.studio.shell.launch import named
from packyak.studio.views import map as view
from packyak.studio.views.map import Cloud
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from packyak.engine.project import Project

PATH = "/packyak/map"
KEPT = 12
Wanted = tuple[str, str, str | None, str, str]


@dataclass
class Layout:
    """One map in the making."""

    index: str
    way: str
    error: str = ""
    process: subprocess.Popen[str] | None = None
    over: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def go(self, project: Project) -> None:
        command = [sys.executable, "-P", "-m", "packyak", "map", self.index, "--way", self.way, "--json"]
        try:
            before = _version(project, self.index)
            self.process = subprocess.Popen(
                command,
                cwd=project.root,
                env=named(project),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            said, noted = self.process.communicate()
            if self.process.returncode:
                self.error = _why(said) or " ".join(noted.strip().splitlines()[-3:]) or "the map could not be laid out"
            elif not is_laid(project, self.index, self.way):
                self._remember(project, before, json.loads(said))
        except (OSError, ValueError, PackyakError) as error:  # shown on the page; a thread has nobody else to tell
            self.error = str(error)
        finally:
            self.over.set()

    def _remember(self, project: Project, version: str, said: dict[str, Any]) -> None:
        """The places that a process told which could not keep them."""
        if version != _version(project, self.index):
            return
        rows = said["rows"]
        places = pa.table({name: [row[name] for row in rows] for name in ("_key", "x", "y")})
        maps.remember(project.home, self.index, self.way, version, places, int(said["total"]))

    def cancel(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


_lock = threading.Lock()
_layouts: dict[tuple[str, str, str], Layout] = {}
_maps: OrderedDict[Wanted, tuple[object, Map, Cloud]] = OrderedDict()
_names: dict[Wanted, str] = {}
_told: dict[str, Wanted] = {}


def is_laid(project: Project, index: str, way: str) -> bool:
    """Whether the home keeps the places of the index as it is now."""
    reader = project._reader()
    return maps.kept_places(reader, index_of(reader, index), way) is not None


def is_kept(project: Project, index: str, way: str) -> bool:
    """Whether the next studio finds the map too: the home has it."""
    return not maps.is_remembered(project.home, index, way)


def _version(project: Project, index: str) -> str:
    return maps.version_of(project.home, index_of(project._reader(), index))


def _why(said: str) -> str:
    """The sentence of an error that a command told as JSON."""
    try:
        told = json.loads(said)
    except ValueError:
        return ""
    words = [str(told.get(name) or "") for name in ("message", "next_step")] if isinstance(told, dict) else []
    return ". Next: ".join(filter(None, words))


def lay_out(project: Project, index: str, way: str) -> Layout:
    """The map in the making; begun where it is not yet."""
    name = (project.home.uri, index, way)
    with _lock:
        found = _layouts.get(name)
        if found is None:
            found = _layouts[name] = Layout(index, way)
            threading.Thread(target=found.go, args=(project,), daemon=True).start()
    return found


def forget(project: Project, layout: Layout) -> None:
    """Its end was shown: the next one begins anew."""
    with _lock:
        _layouts.pop((project.home.uri, layout.index, layout.way), None)


def read(project: Project, index: str, asset: str, color: str | None, way: str) -> tuple[Map, Cloud, str]:
    """The whole map, as it is drawn, and the path at which its records are told. Read again only when something
    happened: a lasso or a turn of the wheel costs neither queries nor colours."""
    wanted = (project.home.uri, index, color, way, asset)
    places = maps.version_of(project.home, index_of(project._reader(), index))
    seen = (project.published.seq(), project.log.position(), project.graph[asset], places)
    with _lock:
        kept = _maps.get(wanted)
    if kept is None or kept[0] != seen:
        found = project.map(index, asset=asset, color=color, way=way)
        kept = (seen, found, view.cloud(found))
    with _lock:
        _maps[wanted] = kept
        _maps.move_to_end(wanted)
        while len(_maps) > KEPT:
            _maps.popitem(last=False)
        name = _names.setdefault(wanted, secrets.token_urlsafe(16))
        _told[name] = wanted
    return kept[1], kept[2], f"{PATH}/{name}"


def answer(request: Request) -> JSONResponse:
    """What one record says. A map's name cannot be guessed, and is told only to who may look at it."""
    with _lock:
        kept = _maps.get(_told.get(request.path_params["name"], ("", "", None, "", "")))
    row = request.path_params["row"]
    if kept is None or not 0 <= row < kept[1].rows.num_rows:
        return JSONResponse({}, 404)
    return JSONResponse(view.hint(kept[1], row))


ROUTE = Route(PATH + "/{name}/{row:int}", answer)
