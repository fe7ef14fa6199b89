"""When something runs, as EventBridge writes it: `rate(5 minutes)`, `cron(0 6 * * ? *)`.

EventBridge's cron lines differ from everybody's: six fields, Sunday is 1, and one of day and weekday must be `?`. A
line that names both (which means either, elsewhere) becomes two. Rates are whole minutes there: a shorter interval
becomes one minute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from packyak.deploy.plan import Trigger

WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")  # 7 is Sunday too


def expressions(trigger: Trigger) -> Iterator[str]:
    """The schedule expressions of a trigger."""
    if trigger.kind == "every":
        minutes = max(1, round(float(trigger.of) / 60))
        yield f"rate({minutes} minute{'s' if minutes > 1 else ''})"
        return
    minute, hour, day, month, weekday = trigger.of.split()
    times = f"{_steps(minute, 0)} {_steps(hour, 0)}"
    if day != "*" or weekday == "*":
        yield f"cron({times} {_steps(day, 1)} {_steps(month, 1)} ? *)"
    if weekday != "*":
        yield f"cron({times} ? {_steps(month, 1)} {_named(weekday)} *)"


def _steps(field: str, first: int) -> str:
    """`*/5` is written `0/5` there."""
    return re.sub(r"\*/", f"{first}/", field).upper()


def _named(field: str) -> str:
    """Weekdays by name, so that nobody has to know where the count begins. A step keeps its figure."""
    days, _, step = field.partition("/")
    written = re.sub(r"\d+", lambda found: WEEKDAYS[int(found[0])], days.upper()).replace("*", "SUN-SAT")
    return f"{written}/{step}" if step else written
