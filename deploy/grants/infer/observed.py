"""What code was seen to ask AWS for: a hook in botocore notes each call with the line of the project that made it.

`with watching() as seen:` around a run; clients made before and within are heard. Nothing is changed in what is sent.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from packyak.deploy.grants.evaluate import like
from packyak.deploy.grants.infer.atoms import Text
from packyak.deploy.grants.infer.found import Action, Inference, Need, NotKnown
from packyak.deploy.grants.infer.live import is_followed
from packyak.deploy.grants.infer.paste import line_for_operation
from packyak.deploy.grants.infer.table import Parameters, needs_of
from packyak.deploy.grants.infer.texts import text

State = Literal["proven", "unobserved", "undeclared"]
_ID = "packyak-watching"


@dataclass(frozen=True)
class Observed:
    """One call that was made. file and line: the nearest of the project's own code, "" and 0 where there is none."""

    service: str
    operation: str
    params: Mapping[str, Any] = field(hash=False)
    region: str = ""
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def needs(self) -> tuple[Need, ...]:
        """What it asks for. Raises NotKnown for an operation without a line in the table."""
        return needs_of_call(self.service, self.operation, self.params, self.region)


@dataclass(frozen=True)
class Stand:
    """A need, and how reading and running agree on it: `proven` (read and seen), `unobserved` (read, never seen) or
    `undeclared` (seen, not granted: an error). grant: for those, the line to paste."""

    state: State
    need: Need
    place: str
    grant: str = ""


@contextmanager
def watching() -> Iterator[list[Observed]]:
    """Notes every call that botocore sends from this process while the block runs."""
    seen: list[Observed] = []
    lock = threading.Lock()

    def built(params: Mapping[str, Any], model: Any, context: dict[str, Any], **more: Any) -> None:
        file, line = _caller()
        region = str(context.get("client_region") or "")
        context[_ID] = Observed(model.service_model.service_name, model.name, dict(params), region, file, line)

    def sent(context: dict[str, Any], **more: Any) -> None:
        call = context.pop(_ID, None)
        if call is not None:
            with lock:
                seen.append(call)

    with hooked({"before-parameter-build": built, "before-call": sent}):
        yield seen


@contextmanager
def hooked(events: Mapping[str, Callable[..., Any]], *, last: bool = False) -> Iterator[None]:
    """Hears events of every client of botocore, made before or within the block, before (or after) everybody else."""
    from botocore import handlers

    emitters = _emitters()
    for event, hear in events.items():
        handlers.BUILTIN_HANDLERS.insert(len(handlers.BUILTIN_HANDLERS) if last else 0, (event, hear))
        for each in emitters:
            (each.register_last if last else each.register_first)(event, hear)
    try:
        yield
    finally:
        for event, hear in events.items():
            handlers.BUILTIN_HANDLERS.remove((event, hear))
            for each in _emitters():  # those that were made within the block, too
                each.unregister(event, hear)


def _emitters() -> list[Any]:
    """Where the clients and sessions that there are tell what they do; a new session hears of `BUILTIN_HANDLERS`."""
    from botocore.client import BaseClient
    from botocore.session import Session

    gc.unfreeze()  # what was set aside from the search for garbage is not listed
    found = []
    for each in gc.get_objects():
        if issubclass(type(each), BaseClient):  # isinstance would ask dead proxies
            found.append(each.meta.events)
        elif issubclass(type(each), Session):
            found.append(each.get_component("event_emitter"))
    return found


def _caller() -> tuple[str, int]:
    frame = sys._getframe(2)
    while frame is not None:
        if is_followed(frame.f_code.co_filename):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return "", 0


def needs_of_call(service: str, operation: str, params: Mapping[str, Any], region: str = "") -> tuple[Need, ...]:
    """What a call with plain parameters asks for. Raises NotKnown where the table cannot tell."""
    return needs_of(
        service, operation, Parameters(lambda path: _texts(params, path), lambda path: _given(params, path), region)
    )


def _values(params: Mapping[str, Any], path: str) -> list[Any]:
    found: list[Any] = [params]
    for step in path.replace("[]", ".[]").replace("{}", ".{}").split("."):
        if step == "[]":
            found = [each for held in found if isinstance(held, list | tuple) for each in held]
        elif step == "{}":
            found = [each for held in found if isinstance(held, Mapping) for each in held]
        else:
            found = [held[step] for held in found if isinstance(held, Mapping) and step in held]
    return found


def _texts(params: Mapping[str, Any], path: str) -> list[Text] | None:
    found = _values(params, path)
    if path == "CopySource" and found and isinstance(found[0], Mapping):
        found = [f"{found[0].get('Bucket', '')}/{found[0].get('Key', '')}"]
    return (
        [text(each) for each in found if isinstance(each, str)]
        if all(isinstance(each, str) for each in found)
        else None
    )


def _given(params: Mapping[str, Any], path: str) -> bool:
    source = params.get("CopySource")
    if path == "CopySource.VersionId" and isinstance(source, str):
        return "?versionId=" in source
    return bool(_values(params, path))


def stands(read: Inference, seen: list[Observed], granted: tuple[Need, ...] = ()) -> tuple[Stand, ...]:
    """How what was read agrees with what was seen. granted: beside it, by declaration."""
    met: set[Action] = set()
    found: dict[Stand, None] = {}
    for call in seen:
        try:
            needs = call.needs
        except NotKnown as problem:
            line = line_for_operation(call.service, call.operation)
            what = Need(f"{call.service}:{call.operation}", problem.what)
            found[Stand("undeclared", what, call.place, line)] = None
            continue
        for need in needs:
            fitting = [each for each in read.actions if covers(each.need, need)]
            met.update(fitting)
            if not fitting and not any(covers(each, need) for each in granted):
                line = line_for_operation(call.service, call.operation)
                found[Stand("undeclared", need, call.place, line)] = None
    for action in read.actions:
        found[Stand("proven" if action in met else "unobserved", action.need, action.place)] = None
    return tuple(found)


def covers(granted: Need, wanted: Need) -> bool:
    """Whether one need allows another."""
    if granted.action != wanted.action:
        return False
    if granted.prefix is not None and not like(granted.prefix, wanted.prefix or ""):
        return False
    return like(_anywhere(granted.resource), wanted.resource) or granted.resource == wanted.resource


def _anywhere(resource: str) -> str:
    """`{region}` and `{account}` are where it runs, wherever that is."""
    return resource.replace("{region}", "*").replace("{account}", "*")
