"""Runs started from a page: handed over in the background, followed from disk, never waited for.

Reaching the worker can take seconds when it has to start first; until the run is on disk the page says "starting".
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st
from packyak.engine.errors import RunFailed
from packyak.engine.run.runs import RunRecord
from packyak.engine.run.worker.remote import run_in_worker

if TYPE_CHECKING:
    from packyak.engine.project import Project

PENDING = "launch"
FOLLOWED = "followed_run"
ENDED = "ended_run"


def named(project: Project) -> dict[str, str]:
    """The environment of a command that the person before the studio gives."""
    return {**os.environ, "PACKYAK_PERSON": project.person}


def run_in_process(project: Project, assets: Sequence[str], retry_failed: bool) -> None:
    """Without a worker: a process of the command line. Never in this one, which must not load the run's libraries."""
    command = [sys.executable, "-P", "-m", "packyak", "run", *assets, "--json"]
    command += ["--retry-failed"] if retry_failed else []
    done = subprocess.run(command, cwd=project.root, env=named(project), capture_output=True, text=True, check=False)
    if done.returncode and not project.runs(limit=1):
        raise RunFailed("the run could not be started", output=done.stderr[-2000:])


@dataclass
class Launch:
    """One request to run, on its way to the worker."""

    asked: tuple[str, ...]
    error: Exception | None = None
    record: RunRecord | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def go(self, project: Project, retry_failed: bool) -> None:
        try:
            self.record = run_in_worker(
                project, self.asked or None, wait=False, retry_failed=retry_failed, on_progress=None
            )
            if self.record is None:
                run_in_process(project, self.asked, retry_failed)
        except Exception as error:  # shown on the page; a thread has nobody else to tell
            self.error = error
        finally:
            self.over.set()


def start(project: Project, assets: Sequence[str] = (), *, retry_failed: bool = False) -> None:
    """Ask for a run of these assets, of everything where none is named."""
    launch = Launch(tuple(assets))
    st.session_state[PENDING] = launch
    st.session_state.pop(ENDED, None)
    threading.Thread(target=launch.go, args=(project, retry_failed), daemon=True).start()


def under_way(project: Project) -> RunRecord | None:
    """The run to show as going on: one on disk, or the one just asked for."""
    record = project.running()
    if record is not None:
        st.session_state[FOLLOWED] = record.id
        return record
    launch: Launch | None = st.session_state.get(PENDING)
    if launch is not None and not launch.over.is_set():
        return RunRecord(id="", state="starting", asked=launch.asked)
    return None


def finish(project: Project) -> RunRecord | None:
    """The run that this page followed to its end, once; its summary stays until dismissed or the next start."""
    launch: Launch | None = st.session_state.pop(PENDING, None)
    followed = st.session_state.pop(FOLLOWED, None)
    if launch is not None and launch.error is not None:
        ended: RunRecord | None = RunRecord(id="", state="failed", asked=launch.asked, error=str(launch.error))
    else:
        name = followed or (launch.record.id if launch is not None and launch.record is not None else None)
        ended = next((run for run in project.runs(limit=20) if run.id == name), None) if name else None
    if ended is not None:
        st.session_state[ENDED] = ended
    return ended


def follows() -> bool:
    """Whether this page has a run whose end it has not shown yet."""
    return PENDING in st.session_state or FOLLOWED in st.session_state


def summary() -> RunRecord | None:
    """The run that ended last while this page watched."""
    ended: RunRecord | None = st.session_state.get(ENDED)
    return ended


def dismiss() -> None:
    st.session_state.pop(ENDED, None)


@dataclass
class Lesson:
    """A lesson under way, in a process of its own: learning loads libraries that have no place here."""

    asset: str
    words: str = ""
    error: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def go(self, project: Project) -> None:
        command = [sys.executable, "-P", "-m", "packyak", "learn", self.asset]
        try:
            done = subprocess.run(
                command, cwd=project.root, env=named(project), capture_output=True, text=True, check=False
            )
            lines = (done.stdout if not done.returncode else done.stderr).strip().splitlines()
            if done.returncode:
                self.error = " ".join(lines[-3:]) or "learning failed"
            else:
                self.words = " ".join(lines[:2])
        except OSError as error:  # shown on the page; a thread has nobody else to tell
            self.error = str(error)
        finally:
            self.over.set()


LESSON = "lesson"


def learn(project: Project, asset: str) -> None:
    """Learn from what people said of one asset, in the background."""
    lesson = Lesson(asset)
    st.session_state[LESSON] = lesson
    threading.Thread(target=lesson.go, args=(project,), daemon=True).start()


def lesson() -> Lesson | None:
    """The lesson under way, or the one that ended and was not told yet."""
    found: Lesson | None = st.session_state.get(LESSON)
    return found


def forget_lesson() -> None:
    st.session_state.pop(LESSON, None)
