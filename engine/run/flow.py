"""A run as Prefect sees it: one flow run `update`, one task run per step, in the order given.

The steps are called here, one after another, in the caller's thread; their states are told to the Prefect API from
another thread, so that a slow or dying server never holds up or fails a run. Without an API the same call is a plain
loop.

The states are written through Prefect's REST API and not by its `@flow` and `@task` engines: both leave the same real
flow and task runs, but measured on a warm server in a warm process (Prefect 3.8.8; CPU s client + server, wall s)

    one step:  engine 0.075 + 0.17, 1.13     REST 0.010 + 0.10, 0.10
    six steps: engine 0.12  + 0.42, 1.14     REST 0.030 + 0.28, 0.35

and the engine needs `import prefect` (2.0 CPU s). Prefect is imported here only to reach an API that is not on this
machine, where its client knows about keys, certificates and proxies.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol
from urllib.parse import urlsplit

from packyak.engine.errors import RunCancelled
from packyak.engine.run.prefect_server import PrefectServer
from packyak.engine.run.runs import RunState, RunStore

if TYPE_CHECKING:
    from packyak.engine.store.home import Home

FLOW = "update"
TIMEOUT_SECONDS = 5.0
LINGER_SECONDS = 3.0
_PREFECT_STATES: Mapping[RunState, str] = {
    "done": "COMPLETED",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
    "crashed": "CRASHED",
}


@dataclass(frozen=True)
class Step:
    """One piece of a run. upstream: the names of the steps it builds on, shown as edges in Prefect."""

    name: str
    call: Callable[[], Any]
    upstream: tuple[str, ...] = ()


class Skip(Exception):
    """Raised by a step that has nothing to do, such as one whose inputs failed: its message says why."""


@dataclass(frozen=True)
class Outcome:
    """How one step ended: `value` is what its call returned, `error` what it raised."""

    name: str
    state: Literal["done", "failed", "skipped", "cancelled"]
    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class FlowResult:
    """How a run ended. warning: what kept it from being told to Prefect, empty when nothing did.

    told: waits until Prefect knows everything, at most so many seconds, and answers the warning as it is then.
    """

    state: Literal["done", "failed", "cancelled"]
    outcomes: tuple[Outcome, ...]
    flow_run_id: str | None = None
    warning: str = ""
    told: Callable[[float], str] = field(default=lambda seconds: "", repr=False, compare=False)


def api_url(home: Home) -> str | None:
    """The Prefect API to report to: the one that `PREFECT_API_URL` names, else the home's server where it answers."""
    return os.environ.get("PREFECT_API_URL") or PrefectServer(home).url()


def run_in_prefect(
    name: str,
    steps: Sequence[Step],
    api_url: str | Callable[[], str | None] | None = None,
    *,
    tags: Iterable[str] = (),
    parameters: Mapping[str, Any] | None = None,
    on_start: Callable[[str], None] | None = None,
    linger: float = LINGER_SECONDS,
) -> FlowResult:
    """Calls the steps in order and shows them in Prefect as a flow run called `name`.

    A step that raises has failed; the next ones are still called, as they know best whether they need it (`Skip`).
    RunCancelled ends the run: the steps left are not called. on_start: told Prefect's id of the run, from another
    thread. linger: how many seconds the end may wait for Prefect to be told everything; later, the result's `told` can.
    api_url: or what answers it (None: there is none), asked in the other thread: a server may still be starting.
    """
    reporter = _Reporter(api_url, name, tuple(tags), dict(parameters or {}), on_start) if api_url else None
    outcomes: list[Outcome] = []
    try:
        for step in steps:
            outcomes.append(_called(step, reporter))
            if outcomes[-1].state == "cancelled":
                break
    except BaseException as error:  # the process is told to end: Prefect must not show the run as running for ever
        if reporter:
            reporter.finish("CANCELLED", _words(error), linger)
        raise
    state = _overall(outcomes)
    if reporter is None:
        return FlowResult(state, tuple(outcomes))
    warning = reporter.finish(_PREFECT_STATES[state], _summary(outcomes), linger)
    return FlowResult(state, tuple(outcomes), reporter.flow_run_id, warning, reporter.wait)


def _called(step: Step, reporter: _Reporter | None) -> Outcome:
    if reporter:
        reporter.step_started(step)
    try:
        outcome = Outcome(step.name, "done", step.call())
    except Skip as error:
        outcome = Outcome(step.name, "skipped", error=error)
    except RunCancelled as error:
        outcome = Outcome(step.name, "cancelled", error=error)
    except Exception as error:
        outcome = Outcome(step.name, "failed", error=error)
    except BaseException as error:
        if reporter:
            reporter.step_ended(Outcome(step.name, "cancelled", error=error))
        raise
    if reporter:
        reporter.step_ended(outcome)
    return outcome


def _overall(outcomes: Sequence[Outcome]) -> Literal["done", "failed", "cancelled"]:
    states = {outcome.state for outcome in outcomes}
    if "cancelled" in states:
        return "cancelled"
    return "failed" if "failed" in states else "done"


def _words(error: BaseException | None) -> str:
    return "" if error is None else (str(error) or type(error).__name__)[:2000]


def _summary(outcomes: Sequence[Outcome]) -> str:
    failed = [outcome.name for outcome in outcomes if outcome.state == "failed"]
    return f"Failed: {', '.join(failed)}" if failed else ""


class _Reporter:
    """Tells Prefect about one run from its own thread; after the first problem it stays silent and keeps a warning."""

    def __init__(
        self,
        api_url: str | Callable[[], str | None],
        name: str,
        tags: tuple[str, ...],
        parameters: dict[str, Any],
        on_start: Callable[[str], None] | None,
    ) -> None:
        self.flow_run_id: str | None = None
        self.warning = ""
        self._api_url = api_url
        self._tasks: dict[str, str] = {}
        self._queue: queue.SimpleQueue[Callable[[Api], None] | None] = queue.SimpleQueue()
        self._put(lambda api: self._create_flow_run(api, name, tags, parameters, on_start))
        self._thread = threading.Thread(target=self._work, name="packyak-prefect", daemon=True)
        self._thread.start()

    def step_started(self, step: Step) -> None:
        task_run = self._tasks[step.name] = str(uuid.uuid4())
        upstream = [
            {"input_type": "task_run", "id": self._tasks[each]} for each in step.upstream if each in self._tasks
        ]
        body = {
            "id": task_run,
            "name": step.name,
            "task_key": step.name,
            "dynamic_key": "0",
            "task_inputs": {"upstream": upstream} if upstream else {},
            "state": {"type": "RUNNING", "name": "Running"},
        }
        self._put(lambda api: _ignored(api.post("/task_runs/", body | {"flow_run_id": self.flow_run_id})))

    def step_ended(self, outcome: Outcome) -> None:
        task_run = self._tasks[outcome.name]
        kind = {"skipped": "COMPLETED"}.get(outcome.state) or _PREFECT_STATES[outcome.state]  # type: ignore[index]
        name = "Skipped" if outcome.state == "skipped" else kind.capitalize()
        self._put(lambda api: _set_state(api, "task_runs", task_run, kind, name, _words(outcome.error)))

    def finish(self, kind: str, message: str, linger: float) -> str:
        self._put(lambda api: _set_state(api, "flow_runs", str(self.flow_run_id), kind, kind.capitalize(), message))
        self._queue.put(None)
        return self.wait(linger) if linger else self.warning

    def wait(self, seconds: float) -> str:
        self._thread.join(seconds)
        if self._thread.is_alive() and not self.warning:
            return "Prefect has not answered in time: this run may be late or missing in its history."
        return self.warning

    def _put(self, report: Callable[[Api], None]) -> None:
        self._queue.put(report)

    def _create_flow_run(
        self,
        api: Api,
        name: str,
        tags: tuple[str, ...],
        parameters: dict[str, Any],
        on_start: Callable[[str], None] | None,
    ) -> None:
        body = {
            "flow_id": _flow_id(api),
            "name": name,
            "idempotency_key": name,  # a request sent twice, after a lost connection, makes one run
            "tags": list(tags),
            "parameters": parameters,
            "state": {"type": "RUNNING", "name": "Running"},
        }
        self.flow_run_id = str(api.post("/flow_runs/", body)["id"])
        if on_start:
            on_start(self.flow_run_id)

    def _work(self) -> None:
        url = ""
        try:
            url = (self._api_url if isinstance(self._api_url, str) else self._api_url()) or ""
            if not url:
                self.warning = "No Prefect server answers, so this run is not in its history."
                return
            with contextlib.closing(connect(url)) as api:
                while (report := self._queue.get()) is not None:
                    report(api)
        except Exception as error:  # whatever Prefect does, the run goes on
            self.warning = f"Prefect at {url} could not be told about this run: {_words(error)}"


class Api(Protocol):
    """The Prefect REST API."""

    url: str

    def post(self, path: str, body: Any) -> Any:
        """Posts plain values and answers the plain values that come back."""

    def close(self) -> None:
        """Lets go of the connection."""


def connect(url: str) -> Api:
    """The API at an address: by the standard library on this machine, by Prefect's own client elsewhere."""
    parts = urlsplit(url)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1") and parts.scheme == "http"
    return LocalApi(url) if here else ClientApi(url)


class LocalApi:
    """The API of a server on this machine, over one kept connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self._path = parts.path.rstrip("/")
        self._connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=TIMEOUT_SECONDS)

    def post(self, path: str, body: Any) -> Any:
        data = json.dumps(body, default=str).encode()
        try:
            return self._send(path, data)
        except (http.client.HTTPException, ConnectionError):
            self._connection.close()  # the server lets go of a connection unused for 5 s; a second try opens a new one
            return self._send(path, data)

    def _send(self, path: str, data: bytes) -> Any:
        self._connection.request("POST", self._path + path, data, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        answer = response.read()
        if response.status >= 400:
            raise RuntimeError(f"{path} answered {response.status}: {answer[:300].decode(errors='replace')}")
        return json.loads(answer) if answer else None

    def close(self) -> None:
        self._connection.close()


class ClientApi:
    """The API through Prefect's own client, with the user's Prefect settings and profile."""

    def __init__(self, url: str) -> None:
        from prefect.client.orchestration import get_client
        from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

        self.url = url
        self._stack = contextlib.ExitStack()
        self._stack.enter_context(temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 2}))
        self._client = self._stack.enter_context(get_client(sync_client=True))

    def post(self, path: str, body: Any) -> Any:
        response = self._client.request("POST", path, json=json.loads(json.dumps(body, default=str)))  # type: ignore[arg-type]
        return response.json() if response.content else None

    def close(self) -> None:
        self._stack.close()


_flow_ids: dict[str, str] = {}


def _flow_id(api: Api) -> str:
    if api.url not in _flow_ids:
        _flow_ids[api.url] = str(api.post("/flows/", {"name": FLOW})["id"])
    return _flow_ids[api.url]


def _set_state(api: Api, kind: str, run_id: str, state: str, name: str, message: str) -> None:
    body = {"state": {"type": state, "name": name, "message": message or None}, "force": True}
    api.post(f"/{kind}/{run_id}/set_state", body)


def _ignored(_: Any) -> None:
    """What the API answers to a new task run is known already."""


def settle(api_url: str, flow_run_id: str, state: RunState, message: str = "") -> None:
    """Writes the end of a run into Prefect, for a process that could not do it itself. Problems are passed over."""
    kind = _PREFECT_STATES[state]
    with contextlib.suppress(Exception), contextlib.closing(connect(api_url)) as api:
        body = {"flow_runs": {"id": {"any_": [flow_run_id]}}, "task_runs": {"state": {"type": {"any_": ["RUNNING"]}}}}
        for task_run in api.post("/task_runs/filter", body):
            _set_state(api, "task_runs", task_run["id"], kind, kind.capitalize(), message)
        _set_state(api, "flow_runs", flow_run_id, kind, kind.capitalize(), message)


def sweep(home: Home, api_url: str | None = None) -> list[str]:
    """Ends what has ended: runs whose process has gone, and what Prefect still shows as running of them.

    Answers the names of the runs set to crashed.
    """
    store = RunStore(home)
    crashed = [record.id for record in store.sweep()]
    if api_url:
        with contextlib.suppress(Exception), contextlib.closing(connect(api_url)) as api:
            for flow_run in _still_running(api):
                record = store.get(flow_run["name"])
                if record is not None and not record.is_open:
                    settle(api_url, flow_run["id"], record.state, record.error)
    return crashed


def _still_running(api: Api) -> list[dict[str, Any]]:
    body = {
        "flows": {"name": {"any_": [FLOW]}},
        "flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING"]}}},
        "limit": 200,
    }
    found: list[dict[str, Any]] = api.post("/flow_runs/filter", body)
    return found
