"""A backend that is down, slow or broken loses no event and costs a run nothing; they arrive in order, ids the same."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from openlineage_schemas import problems
from packyak.engine.errors import SettingError
from packyak.engine.lineage.events_send import as_object, send_all
from packyak.engine.lineage.log import EventLog
from packyak.engine.lineage.outbox import Outbox, OutboxState, is_configured, wait_for_senders
from packyak.engine.project import Project
from packyak.engine.store.home import Home

SOURCE = """
    from typing import Iterator
    from packyak import Bucket, File, check, read_jsonl, sql, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.jsonl"), key="id", owner="ops", personal={"name": "contact"}, purpose="testing")
    def rows(file: File) -> Iterator[dict]:
        yield from read_jsonl(file)

    @transform(rows)
    def double(x: int) -> int:
        return x * 2
"""


class Receiver:
    """A backend on this machine. answer: what it does with each post: a status, or seconds to wait before 200."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.asked = 0
        self.answers: list[int | float] = []
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    def start(self) -> None:
        receiver = self

        class Post(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.asked += 1
                answer = receiver.answers.pop(0) if receiver.answers else 200
                if isinstance(answer, float):
                    time.sleep(answer)
                    answer = 200
                if answer == 200:
                    receiver.taken.append(json.loads(body))
                self.send_response(int(answer))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Post)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def folder(project_folder: Callable[..., Path]) -> Path:
    return project_folder(SOURCE, files={"inbox/a.jsonl": '{"id": "1", "x": 1, "name": "Bo"}\n'})


def configure(folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """By the client's own file in the project's folder. Nothing is tried again inside the client, so that tests are
    quick."""
    transport = {"type": "http", "url": receiver.url, "timeout": 2, "retry": {"total": 0}, **more}
    (folder / "openlineage.yml").write_text(json.dumps({"transport": transport}))  # JSON is YAML
    monkeypatch.chdir(folder)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process of its own sends: the test does."""
    monkeypatch.setattr("packyak.engine.lineage.tellers.start_sender", lambda *_: None)


def stored(folder: Path) -> list[dict[str, Any]]:
    return EventLog(Home(folder / ".packyak")).read()


def send(folder: Path, patience: float = 0.0) -> Any:
    return send_all(Home(folder / ".packyak"), "demo", patience)


def test_a_run_is_told_in_order_and_as_stored(
    folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    configure(folder, receiver, monkeypatch)
    Project.open(folder).run()
    assert receiver.asked == 0  # the run itself asks nobody
    done = send(folder)
    assert (done.sent, done.refused) == (6, 0)
    assert [(each["job"]["name"], each["eventType"]) for each in receiver.taken] == [
        ("update", "START"), ("rows", "START"), ("rows", "COMPLETE"), ("double", "START"), ("double", "COMPLETE"),
        ("update", "COMPLETE"),
    ]  # fmt: skip
    assert [problems(each) for each in receiver.taken] == [[]] * 6
    assert receiver.taken == stored(folder)
    assert Outbox(Home(folder / ".packyak")).names() == []


@pytest.mark.parametrize("trouble", ["down", 500, 503, 429, 401, 3.0])
def test_trouble_loses_no_event(
    trouble: Any, folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    configure(folder, receiver, monkeypatch)
    if trouble == "down":
        receiver.stop()
    else:
        receiver.answers = [200, 200, trouble]
    first = Project.open(folder).run()
    assert first.state == "done"
    assert first.notes == ()
    assert send(folder).sent != 6
    (folder / ".packyak/buckets/inbox/b.jsonl").write_text('{"id": "2", "x": 2, "name": "Cy"}\n')
    Project.open(folder).run()
    if trouble == "down":
        receiver.start()
    send(folder, patience=5.0)
    taken = [json.dumps(each, sort_keys=True) for each in receiver.taken]
    every = [json.dumps(each, sort_keys=True) for each in stored(folder)]
    assert list(dict.fromkeys(taken)) == every  # all of them, in order; a slow answer may make one arrive twice
    assert len(taken) - len(every) in ((0, 1) if trouble == 3.0 else (0,))
    ids = {(each["run"]["runId"], each["eventType"], each["eventTime"]) for each in receiver.taken}
    assert len(ids) == len(every)


def test_why_events_wait_is_told_until_they_are_gone(
    folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    configure(folder, receiver, monkeypatch)
    receiver.stop()
    project = Project.open(folder)
    project.run()
    state = project.send_lineage()
    assert (state.waiting, "Connection" in state.problem) == (6, True)
    receiver.start()
    assert project.send_lineage() == OutboxState(0, 0, True)
    project.correct("double", "1", "double", 7)
    project.run()
    state = Outbox(project.home).state(folder)
    assert (state.waiting > 0, state.problem) == (True, "")


@pytest.mark.parametrize(
    "text",
    [
        '{"transprt": {"type": "http"}}',
        '{"transport": {"type": "htpp"}}',
        "transport: [",
        '{"transport": {"type": "http"}}',
    ],
)
def test_a_wrong_configuration_is_refused_and_loses_no_event(
    text: str, folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    configure(folder, receiver, monkeypatch)
    (folder / "openlineage.yml").write_text(text)
    project = Project.open(folder)
    project.run()
    with pytest.raises(SettingError, match=r"the OpenLineage client .*Next: correct openlineage.yml"):
        project.send_lineage()
    configure(folder, receiver, monkeypatch)
    assert project.send_lineage().waiting == 0
    assert receiver.taken == stored(folder)


def test_a_sender_that_is_at_it_takes_over_a_mended_configuration(
    folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    configure(folder, receiver, monkeypatch, url="http://127.0.0.1:1")
    Project.open(folder).run()
    sending = threading.Thread(target=send, args=(folder, 30.0))
    sending.start()
    wait_until(lambda: Outbox(Home(folder / ".packyak")).state(folder).problem != "")
    configure(folder, receiver, monkeypatch)
    sending.join()
    assert receiver.taken == stored(folder)


def test_what_is_refused_for_good_is_laid_aside_with_the_reason(
    folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    configure(folder, receiver, monkeypatch)
    receiver.answers = [200, 422]
    Project.open(folder).run()
    done = send(folder)
    assert (done.sent, done.refused, len(receiver.taken)) == (5, 1, 5)
    state = Outbox(Home(folder / ".packyak")).state(folder)
    assert (state.waiting, state.refused, state.configured) == (0, 1, True)
    (refused,) = (folder / ".packyak/lineage/refused").iterdir()
    assert "422" in json.loads(refused.read_text())["reason"]


def test_corrections_are_told_without_a_run(
    folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    Project.open(folder).run()
    configure(folder, receiver, monkeypatch)
    project = Project.open(folder)
    said = project.correct("double", "1", "double", 5, by="ana", why="Bo said so")
    project.undo(said.id, by="bo")
    assert send(folder).sent == 2
    (one, other) = receiver.taken
    assert problems(one) == problems(other) == []
    facet = one["dataset"]["facets"]["packyak_correction"]
    assert (facet["people"], facet["corrections"][0]["id"]) == (["ana"], said.id)
    assert "Bo" not in json.dumps(receiver.taken)
    assert other["dataset"]["facets"]["packyak_correction"]["corrections"][0]["kind"] == "undo"
    versions = [each["dataset"]["facets"]["version"]["datasetVersion"] for each in receiver.taken]
    assert len(set(versions)) == 2
    assert send(folder).sent == 0  # told once


def test_a_process_of_its_own_sends(folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(folder, receiver, monkeypatch)
    project = Project.open(folder)
    project.run()
    wait_until(lambda: len(receiver.taken) == 6)
    project.correct("double", "1", "double", 5, by="ana")
    wait_until(lambda: len(receiver.taken) == 7)
    assert wait_for_senders(60)
    assert Outbox(Home(folder / ".packyak")).names() == []


def wait_until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_file_transport_by_the_clients_variables(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    assert not is_configured(folder)
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "file")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", str(tmp_path / "events.jsonl"))
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__APPEND", "true")
    assert is_configured(folder)
    Project.open(folder).run()
    send(folder)
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == stored(folder)


def test_without_a_transport_nothing_waits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Project.open(folder).run()
    assert Outbox(Home(folder / ".packyak")).names() == []
    assert len(stored(folder)) == 6
    monkeypatch.setenv("OPENLINEAGE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    assert not is_configured(folder)


def test_kafka_would_keep_a_runs_events_together(folder: Path) -> None:
    kafka = pytest.importorskip("openlineage.client.transport.kafka")
    Project.open(folder).run()
    transport = kafka.KafkaTransport.__new__(kafka.KafkaTransport)
    keys = {transport._get_message_key(as_object(event)) for event in stored(folder)}
    assert keys == {"run:packyak://demo/update"}


def test_nothing_is_known_of_a_secret_in_the_log(
    folder: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, by_hand: None
) -> None:
    configure(folder, receiver, monkeypatch, auth={"type": "api_key", "apiKey": "s3cret"})
    Project.open(folder).run()
    send(folder)
    for path in (folder / ".packyak").rglob("*"):
        assert not path.is_file() or b"s3cret" not in path.read_bytes()
    assert os.environ.get("OPENLINEAGE_API_KEY") is None
