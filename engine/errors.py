"""Every error that Packyak raises on purpose, as one tree.

    PackyakError
    ├── DeclarationError        a declaration is wrong: file, line
    ├── SettingError            a setting or packyak.toml is wrong
    ├── ProjectNotFound         no project here, or none is active
    ├── MissingExtra            an optional part is not installed: its pip line
    ├── HomeError               the home cannot be used
    │   ├── HomeNotWritable
    │   ├── HomeFull
    │   └── HomeTooNew          written by a newer Packyak
    ├── DataError               data that cannot be read or stored
    │   └── KeyProblem          duplicate or null keys
    ├── QueryError              a query that cannot run
    ├── CorrectionError         a correction that cannot be made
    ├── NotAllowed              the person's role may not do that: person, role, needs, action
    ├── RunBusy                 another run holds the project: holder
    ├── RunCancelled            someone asked the run to stop
    ├── RunFailed               a run ended without bringing everything up to date
    ├── NoWorker                no warm worker can be had: run in this process
    ├── CheckFailed             a blocking check failed
    ├── SynthesisFailed         a plan did not come to stacks: what CDK said
    ├── CloudError              the account refused something, or cannot be reached: service, code
    │   ├── NoCredentials       nothing says who asks
    │   ├── PublishFailed       a stack could not be brought to what was asked: resource, reason
    │   └── NotConfirmed        it would change something that a person has to confirm first
    └── UserCodeError           the user's function raised: asset, key; the original is its __cause__

Each says what is wrong in one sentence, then the valid values where there are some, then the next step.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Self

CHOICES_SHOWN = 30


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that was probably meant, or None."""
    by_folded = {choice.casefold(): choice for choice in choices}
    found = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def listed(words: Iterable[str]) -> str:
    """Words as a person would list them: `a, b and 3 more`."""
    every = list(words)
    if len(every) <= CHOICES_SHOWN:
        return ", ".join(every) or "none"
    return f"{', '.join(every[:CHOICES_SHOWN])} and {len(every) - CHOICES_SHOWN} more"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?", ":", "…")) else f"{text}."


class PackyakError(Exception):
    """Something Packyak can explain.

    message: one sentence. choices: the valid values, told as "Valid: ...". next_step: what to do about it.
    Everything else is kept in `fields` and readable as an attribute (`error.line`).
    """

    def __init__(
        self, message: str, *, next_step: str = "", choices: Iterable[str] | None = None, **fields: Any
    ) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.choices: tuple[str, ...] | None = None if choices is None else tuple(choices)
        self.fields = fields

    def __getattr__(self, name: str) -> Any:
        fields = self.__dict__.get("fields", {})
        if name in fields:
            return fields[name]
        raise AttributeError(f"{type(self).__name__} has no {name!r}")

    def __str__(self) -> str:
        parts = [f"{self.place}{_sentence(self.message)}"]
        if self.choices is not None:
            parts.append(f"Valid: {_sentence(listed(self.choices))}")
        if self.next_step:
            parts.append(f"Next: {_sentence(self.next_step)}")
        return " ".join(parts)

    @property
    def place(self) -> str:
        """`file:line: ` where the error knows it, else nothing."""
        file, line = self.fields.get("file"), self.fields.get("line")
        if not file:
            return ""
        return f"{file}:{line}: " if line else f"{file}: "

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes with all their fields."""
        return _rebuild, (type(self), self.message, self.next_step, self.choices, self.fields)

    def to_json(self) -> dict[str, Any]:
        """The error as plain values, for scripts."""
        plain = {name: value if isinstance(value, _PLAIN) else str(value) for name, value in self.fields.items()}
        answer: dict[str, Any] = {"error": type(self).__name__, "message": self.message, "next_step": self.next_step}
        if self.choices is not None:
            answer["choices"] = list(self.choices)
        return answer | plain

    def with_fields(self, **fields: Any) -> Self:
        """The same error, knowing more; what it already knew stays."""
        self.fields = fields | self.fields
        return self


_PLAIN = (str, int, float, bool, type(None), list, tuple, dict)


def _rebuild(
    kind: type[PackyakError], message: str, next_step: str, choices: tuple[str, ...] | None, fields: dict[str, Any]
) -> PackyakError:
    return kind(message, next_step=next_step, choices=choices, **fields)


class DeclarationError(PackyakError):
    """A declaration is wrong. file, line: where it stands."""


class SettingError(PackyakError):
    """A setting or `packyak.toml` is wrong."""


class ProjectNotFound(PackyakError):
    """There is no project here, or none is active."""


class MissingExtra(PackyakError):
    """An optional part is not installed.

    >>> print(MissingExtra.of("learn", why="to embed texts"))
    The part "learn" is not installed; it is needed to embed texts. Next: pip install "packyak-studio[learn]".
    """

    @classmethod
    def of(cls, extra: str, *, why: str) -> Self:
        return cls(
            f'The part "{extra}" is not installed; it is needed {why}',
            next_step=f'pip install "packyak-studio[{extra}]"',
            extra=extra,
        )


class HomeError(PackyakError):
    """The home cannot be used. home: its path or URI."""


class HomeNotWritable(HomeError):
    """The home cannot be written to."""


class HomeFull(HomeError):
    """There is no room left where the home is."""


class HomeTooNew(HomeError):
    """The home was written by a newer Packyak."""


class DataError(PackyakError):
    """Data that cannot be read or stored."""

    @classmethod
    def unknown(cls, what: str, name: str, choices: Iterable[str], otherwise: str = "name one of these") -> Self:
        """There is nothing of that name. what: what was looked for; otherwise: the next step where none is near."""
        names = list(choices)
        meant = nearest(name, names)
        return cls(
            f"there is no {what} {name!r}",
            choices=names,
            next_step=f"did you mean {meant!r}?" if meant else otherwise,
        )


class KeyProblem(DataError):
    """Duplicate or null keys."""


class QueryError(PackyakError):
    """A query that cannot run."""


class CorrectionError(PackyakError):
    """A correction that cannot be made."""


class NotAllowed(PackyakError):
    """The person's role may not do that. person, role; needs: the least role that may; action."""


class RunBusy(PackyakError):
    """Another run holds the project. holder: who, as plain values."""


class RunCancelled(PackyakError):
    """Someone asked the run to stop. run: its name."""


class NoWorker(PackyakError):
    """No warm worker can be had; the caller does the work in its own process."""


class RunFailed(PackyakError):
    """A run ended without bringing everything up to date."""


class CheckFailed(PackyakError):
    """A blocking check failed."""


class SynthesisFailed(PackyakError):
    """A plan did not come to stacks; it holds the end of what CDK said."""


class CloudError(PackyakError):
    """The account refused something, or cannot be reached. service, code: what AWS called it."""


class NoCredentials(CloudError):
    """Nothing on this machine says in whose name the account is asked."""


class PublishFailed(CloudError):
    """A stack could not be brought to what was asked. stack, resource, reason, place: the first that failed."""


class NotConfirmed(CloudError):
    """It would change something that a person has to confirm, or lose data, which is never done."""


class UserCodeError(PackyakError):
    """The user's function raised. asset, key: on which record; the original error is `__cause__`."""
