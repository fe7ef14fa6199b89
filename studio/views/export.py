"""Publishing as plain data: what would change, what there will be, what it costs, and how a publication stands.

Made from what `packyak export --json` says; nothing here is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from packyak.studio.views import words

PROFILES: Mapping[str, str] = {
    "dev": "to try it out: short retention, no second copy",
    "hipaa": "health data: six years of access records, a second copy",
    "gdpr": "personal data: kept short, so that what is erased is soon gone everywhere",
    "hipaa+gdpr": "both: access records long, everything with a person's data short",
}
SECTIONS = (
    ("refused", "Would lose data: never done", "red", "block"),
    ("widened", "May do more than before", "red", "gpp_maybe"),
    ("added", "New", "green", "add"),
    ("changed", "Changed", "blue", "change_history"),
    ("removed", "Gone", "gray", "remove"),
)
ICONS = {"done": "check_circle", "running": "progress_activity", "failed": "error", "waiting": "radio_button_unchecked"}
TONES = {"done": "green", "running": "blue", "failed": "red", "waiting": "gray"}
EVENTS_SHOWN = 60
StageState = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True)
class ChangeLine:
    """One change in words, and the line of the project that it comes from."""

    words: str
    place: str = ""


@dataclass(frozen=True)
class Section:
    """Changes of one kind."""

    kind: str
    title: str
    tone: str
    icon: str
    changes: tuple[ChangeLine, ...]


@dataclass(frozen=True)
class CostLine:
    what: str
    dollars: float
    how: str


@dataclass(frozen=True)
class Bill:
    """What it costs: by the month when nothing runs, and one whole run."""

    month: float
    once: float
    idle: tuple[CostLine, ...]
    run: tuple[CostLine, ...]
    assumptions: tuple[str, ...]
    prices: str


@dataclass(frozen=True)
class Preview:
    """What publishing would do. own_profile: the one that packyak.toml names; stages: their names and what each is
    about; credentials: where some were seen."""

    sections: tuple[Section, ...]
    first: bool
    digest: str
    profile: str
    own_profile: str
    home: str
    region: str
    units: tuple[Mapping[str, Any], ...]
    bill: Bill
    undecided: tuple[ChangeLine, ...]
    stages: Mapping[str, str]
    credentials: str

    @property
    def changes(self) -> int:
        return sum(len(each.changes) for each in self.sections)

    def section(self, kind: str) -> Section | None:
        return next((each for each in self.sections if each.kind == kind), None)


@dataclass(frozen=True)
class StageLine:
    """A stage as it stands. about: what it is for; line: what it does, or what came of it."""

    name: str
    about: str
    state: StageState
    line: str
    took: str


@dataclass(frozen=True)
class EventLine:
    """What happened to one resource."""

    resource: str
    kind: str
    state: str
    reason: str
    place: str

    @property
    def failed(self) -> bool:
        return self.state.endswith("FAILED")


@dataclass(frozen=True)
class OutputLine:
    name: str
    value: str
    link: str = ""


@dataclass(frozen=True)
class Attempt:
    """A publication: under way, or how it ended. state: running, or the outcome's own, `failed` or `cut off`."""

    state: str
    at: str
    profile: str
    told: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    events: tuple[EventLine, ...] = ()
    sections: tuple[Section, ...] = ()
    outputs: tuple[OutputLine, ...] = ()
    account: str = ""
    region: str = ""
    problem: str = ""
    next_step: str = ""
    error: str = ""

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def widened(self) -> Section | None:
        return next((each for each in self.sections if each.kind == "widened"), None)

    def stages(self, known: Mapping[str, str]) -> tuple[StageLine, ...]:
        """Every stage in turn, those that are still to come too."""
        return tuple(_stage(name, about, self.told.get(name), self.running) for name, about in known.items())


def preview_of(said: Mapping[str, Any]) -> Preview:
    """What a dry run said."""
    plan, diff, cost = said["plan"], said["outcome"]["diff"], said["cost"]
    return Preview(
        sections=sections_of(diff),
        first=bool(diff["first"]),
        digest=str(said["digest"]),
        profile=str(plan["profile"]),
        own_profile=str(plan["own_profile"]),
        home=str(plan["home"]),
        region=str(plan["region"]),
        units=tuple(_unit(each, plan) for each in plan["units"]),
        bill=_bill(cost),
        undecided=tuple(ChangeLine(each["what"], each["place"])
                        for each in plan["undecided"]),
        stages=dict(said["stages"]),
        credentials=str(said["credentials"]),
    )  # fmt: skip


def sections_of(diff: Mapping[str, Any]) -> tuple[Section, ...]:
    """The kinds of changes that there are, the most serious first."""
    return tuple(
        Section(kind, title, tone, icon, tuple(ChangeLine(each["words"], each["place"]) for each in diff[kind]))
        for kind, title, tone, icon in SECTIONS
        if diff[kind]
    )


def _unit(unit: Mapping[str, Any], plan: Mapping[str, Any]) -> Mapping[str, Any]:
    levels = {name: number for number, level in enumerate(plan["order"], start=1) for name in level}
    starts = [_starts(each) for each in plan["triggers"] if each["starts"] == unit["name"]]
    return {
        "step": str(levels.get(unit["name"], "")),  # a function is no step of the state machine
        "name": unit["name"],
        "kind": unit["kind"],
        "reads": ", ".join(unit["reads"]),
        "starts": ", ".join(starts) or ("with what it reads" if unit["reads"] else ""),
        "runs on": f"{'Fargate' if unit['runs_on'] == 'fargate' else 'Lambda'}, {unit['memory_mb'] / 1024:g} GB",
        "grants": unit["grants"],
        "declared": unit["place"],
    }


def _starts(trigger: Mapping[str, Any]) -> str:
    told = {"file": "new files {}", "every": "every {} s", "cron": "at {}"}
    return told.get(trigger["kind"], "{}").format(trigger["of"])


def _bill(cost: Mapping[str, Any]) -> Bill:
    idle, run = (
        tuple(CostLine(each["what"], each["dollars"], each["how"]) for each in cost[part]) for part in ("idle", "run")
    )
    prices = f"Prices of {cost['region']}, {cost['as_of']}: {cost['source']}."
    return Bill(cost["month"], cost["once"], idle, run, tuple(cost["assumptions"]), prices)


def bill_table(lines: Sequence[CostLine]) -> list[dict[str, Any]]:
    """What a sum is made of, the dearest first."""
    return [
        {
            "what": each.what,
            "$": f"{each.dollars:.4f}" if each.dollars < 0.1 else f"{each.dollars:.2f}",
            "how": each.how,
        }
        for each in sorted(lines, key=lambda line: -line.dollars)
    ]


def attempt_of(lines: Sequence[str], *, running: bool, at: str, profile: str) -> Attempt:
    """How a publication stands, by what it told so far; a last line cut off in the middle is left out."""
    told: dict[str, Mapping[str, Any]] = {}
    events: list[EventLine] = []
    ended: Mapping[str, Any] = {}
    for text in lines:
        try:
            each = json.loads(text)
        except ValueError:
            continue
        if "stage" in each:
            told[each["stage"]["stage"]] = each["stage"]
        elif "event" in each:
            events.append(_event(each["event"]))
        else:
            ended = each
    known = Attempt("running" if running else "cut off", at, profile, told, tuple(events[-EVENTS_SHOWN:]))
    return _ended(known, ended) if ended and not running else known


def _event(event: Mapping[str, Any]) -> EventLine:
    kind = str(event["type"]).partition("::")[2].replace("::", " ")
    return EventLine(event["resource"], kind, event["state"], event["reason"], event["place"])


def _ended(known: Attempt, ended: Mapping[str, Any]) -> Attempt:
    if "error" in ended:
        error = ended["error"]
        problem = {"problem": error["message"], "next_step": error["next_step"], "error": error["error"]}
        return Attempt(**{**known.__dict__, "state": "failed", **problem})
    outcome = ended["outcome"]
    outputs = tuple(OutputLine(each["name"], each["value"], each["link"]) for each in outcome["outputs"])
    found = {"sections": sections_of(outcome["diff"]), "outputs": outputs, "account": outcome["account"],
             "region": outcome["region"]}  # fmt: skip
    return Attempt(**{**known.__dict__, "state": outcome["state"], **found})


def _stage(name: str, about: str, told: Mapping[str, Any] | None, running: bool) -> StageLine:
    if told is None:
        return StageLine(name, about, "waiting", "", "")
    state: StageState = told["state"] if told["state"] in ("running", "done", "failed") else "done"
    if state == "running" and not running:  # it ended in the middle of this
        state = "failed"
    return StageLine(name, about, state, told["line"], words.duration(told["seconds"]) if told["seconds"] else "")


def title_of(attempt: Attempt) -> str:
    """How a publication ended, as a heading."""
    titles = {
        "running": "Publishing",
        "published": "Published",
        "unchanged": "Everything stands as it should",
        "unconfirmed": "Nothing was made yet: look at this first",
        "refused": "Nothing was made: data would be lost",
        "failed": "It did not get through",
        "cut off": "It was cut off",
    }
    return titles.get(attempt.state, attempt.state)


def command(profile: str, own: str, widened: bool) -> str:
    """What the button does, as a person types it. own: the profile that packyak.toml names."""
    parts = ["packyak export"]
    parts += [f"--profile {profile}"] if profile != own else []
    parts += ["--accept-widening"] if widened else []
    return " ".join(parts)
