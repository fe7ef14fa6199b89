"""The S3 server in memory answers as moto does: to what a real run asked, and to what programs may ask beside."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from packyak.deploy.grants.local_s3 import ADMIN, local_s3
from packyak.deploy.grants.memory_s3 import MemoryS3
from packyak.engine.project import Project

pytest.importorskip("moto")
werkzeug = pytest.importorskip("werkzeug.test")

SOURCE = """
from collections.abc import Iterator
from packyak import Bucket, File, read_csv, transform

inbox = Bucket("inbox")

@transform(inbox.files("*.csv"), key="id")
def rows(file: File) -> Iterator[dict]:
    yield from read_csv(file)

@transform(rows)
def size(word: str) -> int:
    return len(word)
"""
SIGNED = {"Authorization": f"AWS4-HMAC-SHA256 Credential={ADMIN}/20260101/us-east-1/s3/aws4_request, Signature=x"}


class Recorder:
    """Keeps what is asked, in order."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.asked: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH")
        body = environ["wsgi.input"].read(int(length)) if length else b""
        environ["wsgi.input"] = BytesIO(body)
        self.asked.append({
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"].encode("latin-1").decode(),
            "query_string": environ["QUERY_STRING"],
            "headers": {n[5:].replace("_", "-"): v for n, v in environ.items() if n.startswith("HTTP_X_AMZ")
                        or n in ("HTTP_RANGE", "HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH")},
            "data": body,
        })  # fmt: skip
        answered: Iterable[bytes] = self.inner(environ, start)
        return answered


def ask(app: Any, **request: Any) -> Any:
    headers = {**request.pop("headers", {}), **SIGNED}
    return werkzeug.Client(app).open(base_url="http://127.0.0.1", headers=headers, **request)


def told(answer: Any) -> tuple[int, Any]:
    """What an answer says, without what no two servers say alike: dates, names of uploads, words of errors."""
    if answer.status_code >= 400:
        return answer.status_code, re.findall(r"<Code>(\w+)</Code>", answer.text)
    if answer.data.startswith(b"<"):
        wanted = "Key|Prefix|Size|ETag|IsTruncated|KeyCount|EncodingType"
        found = re.findall(rf"<({wanted})>([^<]*)</", answer.text)
        return answer.status_code, sorted(
            (name, text.replace("&#34;", "&quot;").strip()) for name, text in found if text
        )
    return answer.status_code, (answer.data, answer.headers.get("ETag"), answer.headers.get("Content-Range"))


def moto() -> Any:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    app = DomainDispatcherApplication(create_backend_app)
    werkzeug.Client(app).post("/moto-api/reset", base_url="http://127.0.0.1")
    ask(app, method="PUT", path="/bucket")
    return app


def upload_of(answer: Any) -> str:
    return str(re.findall(r"<UploadId>(.+?)</UploadId>", answer.text)[0])


def test_what_a_real_run_asks_is_answered_alike(
    project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project_folder(SOURCE, files={"inbox/a.csv": "id,word\n1,one\n2,three\n"})
    recorder = Recorder(MemoryS3())
    with local_s3(inner=recorder) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        server.make_bucket("bucket")
        server.put("bucket", "home/buckets/inbox/a.csv", b"id,word\n1,one\n2,three\n")
        project = Project.open(folder, home="s3://bucket/home")
        assert project.run().state == "done"
        project.correct("size", project.page("size").rows.to_pylist()[0]["_key"], "size", 9, by="a person")
        assert project.run().state == "done"
    assert len(recorder.asked) > 150
    assert {each["method"] for each in recorder.asked} >= {"GET", "HEAD", "PUT", "DELETE"}
    ours, theirs = MemoryS3(), moto()
    uploads: dict[str, tuple[str, str]] = {}
    for number, request in enumerate(recorder.asked):
        answers = []
        for side, app in enumerate((ours, theirs)):
            query = re.sub(r"(?<=uploadId=)[^&]+", lambda found: uploads[found[0]][side], request["query_string"])  # noqa: B023
            answers.append(ask(app, **{**request, "query_string": query}))
        if request["query_string"] == "uploads":
            name = f"upload-{1 + sum(each['query_string'] == 'uploads' for each in recorder.asked[:number])}"
            uploads[name] = upload_of(answers[0]), upload_of(answers[1])
        one, other = map(told, answers)
        if request["method"] == "HEAD" and one[0] >= 400:
            one, other = (one[0], []), (other[0], [])
        assert one == other, (request["method"], request["path"], request["query_string"])


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "GET", "path": "/bucket/a/1", "headers": {"Range": "bytes=1-2"}},
        {"method": "GET", "path": "/bucket/a/1", "headers": {"Range": "bytes=-2"}},
        {"method": "GET", "path": "/bucket/a/1", "headers": {"Range": "bytes=3-900"}},
        {"method": "GET", "path": "/bucket/a/1", "headers": {"Range": "bytes=90-"}},
        {"method": "GET", "path": "/bucket/absent"},
        {"method": "GET", "path": "/elsewhere/a"},
        {"method": "GET", "path": "/bucket", "query_string": "list-type=2"},
        {"method": "GET", "path": "/bucket", "query_string": "list-type=2&prefix=a/&delimiter=/"},
        {"method": "GET", "path": "/bucket", "query_string": "list-type=2&delimiter=/&max-keys=2"},
        {"method": "GET", "path": "/bucket", "query_string": "list-type=2&start-after=a/1"},
        {"method": "GET", "path": "/bucket", "query_string": "list-type=2&prefix=sp&encoding-type=url"},
        {"method": "GET", "path": "/bucket", "query_string": "prefix=a/&delimiter=/"},
        {"method": "PUT", "path": "/bucket/a/1", "data": b"new", "headers": {"If-None-Match": "*"}},
        {"method": "PUT", "path": "/bucket/fresh", "data": b"new", "headers": {"If-None-Match": "*"}},
        {"method": "PUT", "path": "/bucket/copy", "headers": {"x-amz-copy-source": "bucket/a/1"}},
        {"method": "PUT", "path": "/bucket/copy", "headers": {"x-amz-copy-source": "bucket/absent"}},
        {"method": "DELETE", "path": "/bucket/a/1"},
        {"method": "DELETE", "path": "/bucket/absent"},
        {"method": "POST", "path": "/bucket", "query_string": "delete",
         "data": b"<Delete><Object><Key>a/1</Key></Object><Object><Key>b</Key></Object></Delete>"},
    ],
    ids=str,
)  # fmt: skip
def test_what_may_be_asked_beside_is_answered_alike(request_: dict[str, Any]) -> None:
    answers = []
    for app in (MemoryS3(), moto()):
        ask(app, method="PUT", path="/bucket")
        for key in ("a/1", "a/2", "a/deep/3", "b", "sp ace"):
            ask(app, method="PUT", path=f"/bucket/{key}", data=key.encode() * 3)
        first = ask(app, **request_)
        after = ask(app, method="GET", path="/bucket", query_string="list-type=2")
        answers.append((told(first), told(after)))
    assert answers[0] == answers[1]


def test_what_is_not_known_is_refused() -> None:
    app = MemoryS3()
    assert ask(app, method="PUT", path="/bucket").status_code == 200
    assert ask(app, method="GET", path="/bucket", query_string="policy").status_code == 501
