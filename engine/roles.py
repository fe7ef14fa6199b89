"""Who may do what in a project, checked at its doors, whoever knocks: a script, the command line, the studio.

    [roles]
    admin = ["ana"]
    engineer = ["bo@example.com"]
    viewer = ["*"]              # everybody else

stands in `packyak.toml`. Without that section everybody who can open the project is its admin; with it, a person whom
neither a name nor `*` means may not even look. Each role may do what those before it may:

    viewer      look: status, records, traces, queries, files
    reviewer    correct, review, undo
    engineer    run, cancel, learn, promote, restore, bring in files and corrections
    admin       export to AWS, erase people's data, speak for others

A method of `Project` that the table below does not name needs an admin. Roles guard what Packyak does; whoever can
write the home's files needs no door.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Self, TypeVar

from packyak.engine.errors import NotAllowed
from packyak.engine.settings import ROLES, Role, Settings

ANYBODY = "*"
WORDS: Mapping[Role, str] = {
    "viewer": "look: status, records, traces, queries, files",
    "reviewer": "correct, review, undo",
    "engineer": "run, cancel, learn, promote, restore, bring in files and corrections",
    "admin": "export to AWS, erase people's data, speak for others",
}
_LOOKING = (
    "agreement", "check_results", "corrections", "diff", "disagreements", "export_corrections", "export_lineage",
    "failures", "find", "flips", "get_bytes", "graph_at", "judged", "leftovers", "list_keys", "map", "models",
    "outside", "page", "plan", "read", "record", "review", "running", "runs", "scope", "similar", "source_files", "sql",
    "status", "trace", "versions",
)  # fmt: skip
_TEACHING = (
    "accept",
    "comment",
    "correct",
    "correct_many",
    "correct_where",
    "decide",
    "redo",
    "settle",
    "spread",
    "undo",
)
_MAKING = (
    "cancel", "delete_key", "import_corrections", "import_lineage", "learn", "pin", "promote", "put_bytes", "restore",
    "roll_back", "run", "secret_value", "send_lineage",
)  # fmt: skip
NEEDS: Mapping[str, Role] = {
    **dict.fromkeys(_LOOKING, "viewer"),
    **dict.fromkeys(_TEACHING, "reviewer"),
    **dict.fromkeys(_MAKING, "engineer"),
    "arun": "engineer",
    "erasures": "engineer",
    "forget": "admin",
    "learn_due": "viewer",  # the project does it by itself once enough was said: nobody decides anything
    "publish": "admin",
    "speak_for_others": "admin",
}
"""The least role that each method of `Project` needs, and what else is asked for by name: to publish, which is done
elsewhere, and to speak for others."""
FREE = frozenset({"acting", "may", "open", "people", "refusal", "require"})
"""Methods that tell about roles, or come before there is a project."""
_DOES: Mapping[str, str] = {
    "arun": "run", "put_bytes": "change files", "delete_key": "delete files",
    "import_corrections": "import corrections", "import_lineage": "import lineage", "send_lineage": "send lineage",
    "roll_back": "go back to an earlier model", "pin": "keep a model", "promote": "promote a model",
    "restore": "restore a version", "cancel": "cancel a run", "decide": "answer questions",
    "settle": "settle a disagreement", "publish": "export to AWS", "secret_value": "read secrets",
    "speak_for_others": "speak for somebody else", "correct_many": "correct",
    "forget": "erase people's data", "erasures": "look at what was erased",
    "correct_where": "correct", "spread": "correct", "comment": "comment",
}  # fmt: skip


@dataclass(frozen=True)
class Granted:
    """Who has a role, and what it may do. people: names as they stand in `packyak.toml`; `*` is everybody else."""

    role: Role
    people: tuple[str, ...]
    may: str


def role_of(roles: Mapping[Role, tuple[str, ...]], person: str) -> Role | None:
    """A person's role, the highest that names them; None for nobody. Names are compared without case."""
    if not roles:
        return "admin"
    wanted = person.casefold()
    named = [role for role in ROLES if wanted in {name.casefold() for name in roles.get(role, ())}]
    others = [role for role in ROLES if ANYBODY in roles.get(role, ())]
    found = named or others
    return found[-1] if found else None


def allows(role: Role | None, action: str) -> bool:
    """Whether a role may do it."""
    return role is not None and ROLES.index(role) >= ROLES.index(NEEDS.get(action, "admin"))


def refusal_of(roles: Mapping[Role, tuple[str, ...]], person: str, action: str) -> str:
    """Why a person may not do something, in one sentence; empty where they may."""
    role = role_of(roles, person)
    if allows(role, action):
        return ""
    are = f"{person} is {'an' if role[0] in 'ae' else 'a'} {role}" if role else f"{person} has no role in this project"
    what = _DOES.get(action) or ("look at it" if NEEDS.get(action) == "viewer" else action.replace("_", " "))
    return f"{are} and may not {what}"


def who_may(roles: Mapping[Role, tuple[str, ...]], action: str) -> tuple[str, ...]:
    """Those named in `packyak.toml` who may do it, lowest role first."""
    enough = ROLES[ROLES.index(NEEDS.get(action, "admin")) :]
    return tuple(name for role in enough for name in roles.get(role, ()) if name != ANYBODY)


def people_of(roles: Mapping[Role, tuple[str, ...]]) -> tuple[Granted, ...]:
    """Every role with those who have it; without [roles] in packyak.toml everybody is an admin."""
    given = roles or {"admin": (ANYBODY,)}
    return tuple(Granted(role, given.get(role, ()), WORDS[role]) for role in ROLES)


def refuse(roles: Mapping[Role, tuple[str, ...]], person: str, action: str) -> None:
    """Raises NotAllowed, naming who may, unless the person may do it."""
    said = refusal_of(roles, person, action)
    if not said:
        return
    # A stranger is not told who else is here, only who can let them in.
    asked = ", ".join((who_may(roles, action) if role_of(roles, person) else who_may(roles, "roles"))[:5])
    raise NotAllowed(
        said,
        next_step=f"ask one who may: {asked}" if asked else "ask for it in [roles] of packyak.toml",
        person=person,
        role=role_of(roles, person),
        needs=NEEDS.get(action, "admin"),
        action=action,
    )


class Roles:
    """The part of a project that knows who is asking."""

    settings: Settings
    roles: Mapping[Role, tuple[str, ...]]
    _person: str | None = None

    @property
    def person(self) -> str:
        """Who is asking, and makes corrections where nobody is named: who `acting` named, else the setting `person`."""
        return self._person or str(self.settings["person"])

    @property
    def role(self) -> Role | None:
        """The role of who is asking; None for none."""
        return role_of(self.roles, self.person)

    def acting(self, person: str) -> Self:
        """The same project with another person asking. It shares all that is open and read already."""
        if person == self.person:
            return self
        for kind in type(self).__mro__:  # made now, so that both have the same ones
            for name, each in vars(kind).items():
                if isinstance(each, cached_property):
                    getattr(self, name)
        other = copy.copy(self)
        vars(other).update(_person=person, _active=[])
        return other

    def may(self, action: str) -> bool:
        """Whether who is asking may do something: the name of a method."""
        return allows(self.role, action)

    def refusal(self, action: str) -> str:
        """Why who is asking may not do something; empty where they may."""
        return refusal_of(self.roles, self.person, action)

    def require(self, action: str) -> None:
        """Raises NotAllowed, naming who may, unless who is asking may do it."""
        refuse(self.roles, self.person, action)

    def people(self) -> tuple[Granted, ...]:
        """Every role with those who have it; without [roles] in packyak.toml everybody is an admin."""
        return people_of(self.roles)

    def _speaks_for(self, *people: str | None) -> None:
        """Putting words into others' mouths is an admin's."""
        if any(each and each.casefold() != self.person.casefold() for each in people):
            self.require("speak_for_others")


Kind = TypeVar("Kind", bound=type)


def doors(kind: type) -> list[str]:
    """The public methods of a class, those it inherits included."""
    found = (name for name in dir(kind) if not name.startswith("_") and name not in FREE)
    return [name for name in found if callable(getattr(kind, name))]


def guarded(kind: Kind) -> Kind:
    """Puts the check of roles before every public method of a project."""
    for name in doors(kind):
        setattr(kind, name, _checked(name, getattr(kind, name)))
    return kind


def _checked(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def asked(self: Any, *given: Any, **named: Any) -> Any:
        if self.roles:
            self.require(name)
            self._speaks_for(named.get("by"))
        return method(self, *given, **named)

    return asked
