"""Functions on a clock are called by the run that finds them due: once, whatever was missed, failed or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from packyak.engine.errors import DeclarationError
from packyak.engine.project import Project
from packyak.engine.run.due import gate, schedule

PIPELINE = """
from packyak import Bucket, function

log = Bucket("log")

def note(name: str) -> None:
    log.put_sync(f"{name}-{len(log.list_sync())}", "called")

@function(every="10 minutes")
async def ticking() -> None:
    note("ticking")

@function(cron="0 6 * * *")
def morning() -> None:
    note("morning")
    raise ValueError("no coffee")

@function
def by_hand() -> None:
    note("by_hand")
"""
START = datetime(2026, 3, 1, 5, 30, tzinfo=UTC)


class Clock:
    """The present moment as the tests set it."""

    now = START

    def __call__(self) -> datetime:
        return self.now

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr(schedule, "utc_now", made)
    yield made


@pytest.fixture
def project(project_folder: Callable[..., Path], clock: Clock) -> Project:
    return Project.open(project_folder(PIPELINE))


def calls(project: Project) -> list[str]:
    return sorted(project.list_keys("log"))


def test_time_counts_from_the_run_that_first_sees_a_function(project: Project, clock: Clock) -> None:
    assert project.run().state == "done" and calls(project) == []
    clock.later(minutes=9)
    assert project.run().assets == ()
    clock.later(minutes=1)
    assert [each.asset for each in project.run().assets] == ["ticking"]
    assert project.run().assets == () and calls(project) == ["ticking-0"]


def test_times_missed_are_made_up_for_by_one_call(project: Project, clock: Clock) -> None:
    project.run()
    clock.later(days=3)
    project.run(["ticking"])
    assert calls(project) == ["ticking-0"]
    clock.later(minutes=10)
    project.run(["ticking"])
    assert calls(project) == ["ticking-0", "ticking-1"]


def test_a_call_that_failed_has_had_its_turn(project: Project, clock: Clock) -> None:
    project.run()
    clock.later(minutes=31)
    record = project.run(["morning"])
    assert record.state == "failed" and "no coffee" in record.error
    assert project.run(["ticking"]).state == "done"
    clock.later(hours=23)
    assert "morning" not in [each.asset for each in project.run().assets]
    clock.later(hours=1)
    assert "morning" in [each.asset for each in project.run().assets]
    assert "which failed: ValueError: no coffee" in status(project, "morning")
    assert next(each.state for each in project.status() if each.name == "morning") == "failed"


def status(project: Project, name: str) -> str:
    return next(each.reason for each in project.status() if each.name == name)


def test_a_function_without_trigger_is_called_when_it_is_asked_for(project: Project) -> None:
    assert project.run().assets == ()
    assert status(project, "by_hand") == "called by hand: `packyak run by_hand`"
    assert project.plan().steps == ()
    (step,) = project.plan(["by_hand"]).steps
    assert (step.action, step.causes[0].category) == ("call", "asked")
    assert project.run(["by_hand"]).state == project.run(["by_hand"]).state == "done"
    assert calls(project) == ["by_hand-0", "by_hand-1"]


def test_status_says_when_a_function_is_called_next(project: Project, clock: Clock) -> None:
    assert status(project, "morning") == "its clock starts with the next run"
    assert project.plan().steps == ()
    project.run()
    assert status(project, "morning") == "next 2026-03-01 06:00 UTC"
    clock.later(hours=1)
    assert status(project, "morning") == "due since 2026-03-01 06:00 UTC"


def test_the_first_gate_opens_when_a_function_is_due(
    project: Project, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate.time, "time", lambda: clock.now.timestamp())
    project.run()
    assert gate.nothing_to_do(project.home, project.module_names) is not None
    clock.later(minutes=10)
    assert gate.nothing_to_do(project.home, project.module_names) is None


def test_a_function_that_had_another_trigger_before_starts_its_clock_anew(
    project_folder: Callable[..., Path], clock: Clock
) -> None:
    text = PIPELINE.replace('every="10 minutes"', 'on=log.created("*.txt")')
    text = text.replace("def ticking()", "def ticking(file)")
    folder = project_folder(text, files={"log/a.txt": "x"})
    assert Project.open(folder).run().state == "done"
    (folder / "pipeline.py").write_text(PIPELINE)
    project = Project.open(folder)
    project.run()
    clock.later(minutes=10)
    assert [each.asset for each in project.run().assets] == ["ticking"]


def test_a_cron_line_that_names_no_time_is_refused_with_its_place(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(PIPELINE.replace("0 6 * * *", "61 6 * * *"))
    with pytest.raises(DeclarationError, match=r"morning.*61 6.*bad minute.*0 6 \* \* \*") as raised:
        Project.open(folder)
    assert raised.value.line
