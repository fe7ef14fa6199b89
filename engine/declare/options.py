"""What a declaration may say in its parentheses: read, checked at once, and refused with file and line.

Here is checked what one declaration shows by itself; names and columns are checked when a project collects its modules.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict

from packyak.engine.declare.allow import Allow
from packyak.engine.declare.allow import allowed as declared_grants
from packyak.engine.declare.bucket import Bucket, Created, Files
from packyak.engine.declare.declared import DECLARED, Declared, Source, Table, TableFacts, code_of_callable
from packyak.engine.declare.nodes import Marks, Origin
from packyak.engine.declare.origin import here, of_code
from packyak.engine.errors import DeclarationError, nearest

PERIOD = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(second|minute|hour|day|week|month|year)s?\s*")
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}


class TableOptions(TypedDict, total=False):
    """Options of every stored declaration.

    personal: columns with personal data, and of what kind. subject: the column that says whose. purpose: why they are
    kept. keep: how long ("3 years"). owner: who answers for the data. was: the old name, after a rename.
    failures_allowed: how many records may fail before the run does (below 1: a share). retries: how often
    a run calls again what raised. grants: what its code may do in AWS, where that cannot be read from it
    (`packyak.grants`).
    """

    personal: Mapping[str, str]
    subject: str
    purpose: str
    keep: str
    owner: str
    was: str
    failures_allowed: float
    retries: int
    grants: Sequence[Allow]


def refuse(origin: Origin, message: str, next_step: str, choices: Iterable[str] | None = None) -> DeclarationError:
    """The error of a declaration that stands at `origin`."""
    return DeclarationError(message, next_step=next_step, choices=choices, file=origin.file, line=origin.line)


def a_function(decorator: str, thing: object) -> Callable[..., Any]:
    """The function that a decorator was put on. Raises DeclarationError for anything else."""
    if isinstance(thing, Declared):
        raise refuse(
            thing.origin,
            f"`{thing.__name__}` is declared twice: as {thing.kind} and as {decorator}",
            "keep one decorator",
        )
    if isinstance(thing, type) or not callable(thing) or not hasattr(thing, "__name__"):
        raise refuse(
            here(), f"@{decorator} stands on {_described(thing)}, which is no function", f"put @{decorator} on a `def`"
        )
    try:
        origin = of_code(code_of_callable(thing))
    except AttributeError:
        raise refuse(
            here(), f"@{decorator} stands on {_described(thing)}, which has no Python code", "write a `def`"
        ) from None
    if not thing.__name__.isidentifier():
        raise refuse(origin, f"{_described(thing)} has no name, and the name is the {decorator}'s", "write a `def`")
    return thing


def a_source(decorator: str, source: object) -> Source:
    """What a transform reads its records from. Raises DeclarationError for anything else."""
    if isinstance(source, (Files, *Table)):
        return source
    next_step = f"write @{decorator}(tickets), where `tickets` is an asset, transform, sql or a bucket's files"
    if isinstance(source, Bucket):
        raise refuse(
            here(),
            f"@{decorator} was given the bucket `{source.name}`",
            'name its files: `.files("*")` gives them as records',
        )
    kind = getattr(source, "kind", "")
    if isinstance(source, DECLARED):
        raise refuse(
            here(),
            f"@{decorator} was given {'an' if kind[0] in 'aeiou' else 'a'} {kind}, which has no records",
            next_step,
        )
    if callable(source) and getattr(source, "__name__", "") != "":
        name = getattr(source, "__name__", "")
        raise refuse(
            here(),
            f"@{decorator} was given `{name}`, a plain function",
            f"if `{name}` should be the source, declare it first with @asset or @transform; "
            f"if it is what you declare, write @{decorator}(source) above it",
        )
    raise refuse(here(), f"@{decorator} was given {_described(source)} as its source", next_step)


def _own_options(decorator: str) -> list[str]:
    """What the decorator takes by name, beside what every stored declaration takes."""
    from packyak.engine.declare import decorators

    parameters = inspect.signature(getattr(decorators, decorator)).parameters.values()
    return [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]


def table_facts(decorator: str, options: Mapping[str, Any]) -> TableFacts:
    """Reads `TableOptions`. Raises DeclarationError for one that is unknown or wrong."""
    for name in options:
        if name not in TableOptions.__annotations__:
            known = [*_own_options(decorator), *TableOptions.__annotations__]
            meant = nearest(name, known)
            raise refuse(here(), f"{decorator} has no option `{name}`", _did_you_mean(meant, "leave it out"), known)
    keep = options.get("keep")
    if keep is not None and not PERIOD.fullmatch(str(keep)):
        raise refuse(here(), f"keep={keep!r} is no time", 'write it like keep="3 years" or keep="90 days"')
    allowed = options.get("failures_allowed")
    if allowed is not None and (isinstance(allowed, bool) or not isinstance(allowed, int | float) or allowed < 0):
        raise refuse(
            here(), f"failures_allowed={allowed!r} is no number", "give a count, or a share below 1 such as 0.05"
        )
    retries = options.get("retries", 0)
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise refuse(here(), f"retries={retries!r} is no count", "give 0 or more")
    personal = options.get("personal") or {}
    if not isinstance(personal, Mapping):
        raise refuse(here(), f"personal={personal!r} says no kinds", 'write it like personal={"email": "contact"}')
    return TableFacts(
        Marks(
            dict(personal), options.get("subject"), options.get("purpose"), keep, options.get("owner")
        ),
        options.get("was"), None if allowed is None else float(allowed), retries,
        declared_grants(options.get("grants")),
    )  # fmt: skip


def key_names(key: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """Names of key columns, given as one or several."""
    if key is None:
        return None
    names = (key,) if isinstance(key, str) else tuple(key)
    wrong = [name for name in names if not isinstance(name, str) or not name]
    if wrong or not names:
        raise refuse(here(), f"key={key!r} names no column", 'write it like key="id" or key=["country", "id"]')
    return names


def column_sources(columns: Mapping[str, str | Sequence[str]] | None) -> dict[str, tuple[str, ...]]:
    """What columns are said to come from, each as `parameter.column` or `parameter`."""
    found = {
        name: (sources,) if isinstance(sources, str) else tuple(sources) for name, sources in (columns or {}).items()
    }
    for name, sources in found.items():
        if not sources or not all(isinstance(source, str) and source for source in sources):
            what = f"columns= says nothing about where {name!r} comes from"
            raise refuse(here(), what, 'write it like columns={"total": ["orders.amount", "rates"]}')
    return found


def one_name(option: str, name: object) -> str | None:
    """A column's name, or nothing."""
    if name is None or (isinstance(name, str) and name):
        return name
    raise refuse(here(), f"{option}={name!r} names no field", f'write it like {option}="id"')


def lookups(lookup: Mapping[str, str] | None) -> dict[str, str]:
    """`{"rates": "currency"}`: parameters that get a record of another asset, and the column with its key."""
    plain = isinstance(lookup, Mapping) and all(isinstance(word, str) for pair in lookup.items() for word in pair)
    if lookup is None or plain:
        return dict(lookup or {})
    raise refuse(
        here(), f"lookup={lookup!r} says no columns",
        'write it like lookup={"rates": "currency"}: the record of `rates` whose key is in `currency`',
    )  # fmt: skip


def share(option: str, value: float | None) -> float | None:
    """A number from 0 to 1, or nothing."""
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1):
        return value
    raise refuse(here(), f"{option}={value!r} is no share", "give a number from 0 to 1")


def positive(option: str, value: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise refuse(here(), f"{option}={value!r} is no count", "give 1 or more")


def seconds(every: str | float | timedelta | None) -> float | None:
    """A period in seconds: a number, a timedelta or words ("10 minutes", "day")."""
    if every is None:
        return None
    if isinstance(every, timedelta):
        every = every.total_seconds()
    if isinstance(every, str):
        found = PERIOD.fullmatch(every) or PERIOD.fullmatch(f"1 {every}")
        every = float(found[1]) * SECONDS[found[2]] if found and found[2] in SECONDS else -1
    if isinstance(every, bool) or not isinstance(every, int | float) or every <= 0:
        raise refuse(
            here(), "every= is no time that can be counted", 'write it like every="10 minutes" or every=600 (seconds)'
        )
    return float(every)


def cron_line(cron: str | None) -> str | None:
    """A cron line of five fields, or nothing."""
    if cron is None or (isinstance(cron, str) and re.fullmatch(r"\s*(?:[\w*/,?#-]+\s+){4}[\w*/,?#-]+\s*", cron)):
        return cron
    raise refuse(
        here(), f"cron={cron!r} is no cron line", 'write minute, hour, day, month and weekday, like cron="0 6 * * *"'
    )


def a_trigger(on: object) -> Created | None:
    if on is None or isinstance(on, Created):
        return on
    raise refuse(here(), f"on={_described(on)} is no trigger", 'write it like on=inbox.created("*.pdf")')


def _described(thing: object) -> str:
    if isinstance(thing, Bucket):
        return f"the bucket `{thing.name}`"
    name = getattr(thing, "__name__", None)
    return f"`{name}`" if isinstance(name, str) else f"{type(thing).__name__} {thing!r}"


def _did_you_mean(meant: str | None, otherwise: str) -> str:
    return f"did you mean `{meant}`?" if meant else otherwise
