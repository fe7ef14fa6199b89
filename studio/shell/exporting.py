"""Publishing started from a page: `packyak export` in a process of its own, which goes on without page and studio.

What it tells, a JSON document a line, goes into a file in the project's folder; pages read it there, so that a reload,
a second window and a studio started anew see the same. The studio loads nothing that deploys.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packyak.engine.errors import PackyakError
from packyak.engine.run.process import is_running, start_mark
from packyak.studio.shell import projects
from packyak.studio.shell.launch import named
from packyak.studio.views import export

if TYPE_CHECKING:
    from packyak.engine.project import Project

FILE = Path(".packyak") / "cloud" / "export.jsonl"
SECONDS = 90
_started: dict[str, subprocess.Popen[bytes]] = {}  # so that what ended is not kept as a zombie
_asked: dict[tuple[object, ...], Asking] = {}
KEPT = 8


@dataclass
class Asking:
    """What would change, on its way: asked beside the page, which says so until it is there."""

    said: export.Preview | None = None
    error: PackyakError | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def go(self, root: Path, profile: str | None, environment: dict[str, str]) -> None:
        try:
            self.said = export.preview_of(_dry_run(root, profile, environment))
        except PackyakError as error:
            self.error = error
        except Exception as error:  # a thread has nobody else to tell
            self.error = PackyakError(f"what would change could not be told: {error}")
        finally:
            self.over.set()


def asking(project: Project, profile: str | None) -> Asking:
    """What publishing would change; asked anew when the code or the last publication changed."""
    published = project.root / ".packyak" / "cloud" / "published.json"
    last = published.stat().st_mtime_ns if published.is_file() else 0
    key = (str(project.root), projects.stamp(project.root), last, profile)
    if key not in _asked:
        for old in list(_asked)[: max(len(_asked) - KEPT, 0)]:
            del _asked[old]
        _asked[key] = Asking()
        threading.Thread(target=_asked[key].go, args=(project.root, profile, named(project)), daemon=True).start()
    return _asked[key]


def _dry_run(root: Path, profile: str | None, environment: dict[str, str]) -> dict[str, Any]:
    command = [*_program(), "--dry-run", "--json", *(["--profile", profile] if profile else [])]
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError) as error:
        raise PackyakError("what would change could not be told", next_step="`packyak export --dry-run`") from error
    if "preview" not in said:
        problem = said.get("error", {})
        raise PackyakError(str(problem.get("message", "")), next_step=str(problem.get("next_step", "")))
    preview: dict[str, Any] = said["preview"]
    return preview


def _program() -> list[str]:
    return [sys.executable, "-P", "-m", "packyak", "export"]


def start(project: Project, profile: str, digest: str, *, widening: bool) -> None:
    """Publish what was looked at. digest: of the changes that were shown; widening: that it was confirmed apart."""
    project.require("publish")
    command = [*_program(), "--yes", "--json", "--profile", profile]
    command += ["--confirmed", digest] if digest else []
    command += ["--accept-widening"] if widening else []
    file = project.root / FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as lines:
        process = subprocess.Popen(
            command,
            cwd=project.root,
            env=named(project),
            stdout=lines,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _started[str(project.root)] = process
    begun = {"pid": process.pid, "mark": start_mark(process.pid) or "", "at": datetime.now(UTC).isoformat(),
             "profile": profile}  # fmt: skip
    file.with_suffix(".json").write_text(json.dumps(begun), encoding="utf-8")


def attempt(project: Project) -> export.Attempt | None:
    """The publication under way, or how the last one ended; None where there was none or it was dismissed."""
    file = project.root / FILE
    try:
        begun = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    process = _started.get(str(project.root))
    if process is not None and process.pid == begun["pid"]:
        running = process.poll() is None
    else:
        running = is_running(int(begun["pid"]), str(begun["mark"]))
    return export.attempt_of(lines, running=running, at=str(begun["at"]), profile=str(begun["profile"]))


def dismiss(project: Project) -> None:
    """The last publication is not shown any more."""
    (project.root / FILE).with_suffix(".json").unlink(missing_ok=True)
