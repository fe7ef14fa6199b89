"""The gate, before a server that has one object."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from packyak.deploy.grants.gate import Gate
from packyak.deploy.grants.grant import Grant, document_of

pytest.importorskip("botocore")
werkzeug = pytest.importorskip("werkzeug.test")

BUCKET = "arn:aws:s3:::bucket"
KEY = "arn:aws:kms:us-east-1:1:key/k"
Start = Callable[..., Any]


def inner(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    there = environ["PATH_INFO"] in ("/bucket/in/x", "/bucket", "/bucket/") or environ["REQUEST_METHOD"] != "GET"
    start("200 OK" if there else "404 Not Found", [("Content-Type", "text/plain")])
    return [b"content"]


def gate(*grants: Grant, key: str = "") -> Gate:
    return Gate(inner, {"AKIAROLE": document_of(grants)}, frozenset({"AKIAADMIN"}), key)


def ask(made: Gate, method: str, path: str, who: str = "AKIAROLE", **more: Any) -> int:
    signed = f"AWS4-HMAC-SHA256 Credential={who}/20260101/us-east-1/s3/aws4_request, Signature=x"
    headers = {"Authorization": signed} if who else {}
    return int(werkzeug.Client(made).open(path, method=method, headers=headers, **more).status_code)


READS = Grant("role", "s3:GetObject", f"{BUCKET}/in/*")
WRITES = Grant("role", "s3:PutObject", f"{BUCKET}/out/*")
LISTS = Grant("role", "s3:ListBucket", BUCKET, prefix="in/")


def test_what_the_role_may_passes_and_nothing_else() -> None:
    made = gate(READS, WRITES, LISTS)
    assert ask(made, "GET", "/bucket/in/x") == 200
    assert ask(made, "PUT", "/bucket/out/y", data=b"1") == 200
    assert ask(made, "PUT", "/bucket/in/x", data=b"1") == 403
    assert ask(made, "DELETE", "/bucket/out/y") == 403
    assert ask(made, "GET", "/bucket?list-type=2&prefix=in/") == 200
    assert ask(made, "GET", "/bucket?list-type=2&prefix=in") == 403
    assert ask(made, "GET", "/bucket?list-type=2") == 403
    assert ask(made, "GET", "/other/in/x") == 403
    assert [(each.request.action, each.allowed) for each in made.take()][:3] == [
        ("s3:GetObject", True),
        ("s3:PutObject", True),
        ("s3:PutObject", False),
    ]


def test_who_is_not_known_may_nothing() -> None:
    made = gate(READS)
    assert ask(made, "GET", "/bucket/in/x", who="") == 403
    assert ask(made, "GET", "/bucket/in/x", who="AKIAOTHER") == 403
    assert ask(made, "GET", "/bucket/in/x", who="AKIAADMIN") == 200
    assert {each.role for each in made.take()} == {"", "AKIAOTHER"}


def test_an_operation_without_a_known_action_is_refused() -> None:
    made = gate(Grant("role", "s3:*", "*"))
    assert ask(made, "GET", "/bucket/in/x?torrent") == 403
    assert ask(made, "GET", "/") == 403


def test_a_role_that_may_not_list_the_bucket_is_not_told_what_is_absent() -> None:
    assert ask(gate(READS), "GET", "/bucket/in/absent") == 403
    made = gate(READS, LISTS)
    assert ask(made, "GET", "/bucket/in/absent") == 403  # one prefix is not the bucket
    assert made.take()[-1].hidden
    assert ask(gate(READS, Grant("role", "s3:ListBucket", BUCKET)), "GET", "/bucket/in/absent") == 404


def test_encryption_asks_for_its_key() -> None:
    via = "s3.us-east-1.amazonaws.com"
    decrypts, encrypts = (Grant("role", f"kms:{name}", KEY, via=via) for name in ("Decrypt", "GenerateDataKey"))
    assert ask(gate(READS, key=KEY), "GET", "/bucket/in/x") == 403
    assert ask(gate(READS, decrypts, key=KEY), "GET", "/bucket/in/x") == 200
    assert ask(gate(WRITES, encrypts, key=KEY), "PUT", "/bucket/out/y", data=b"1") == 200
    assert ask(gate(WRITES, encrypts, key=KEY), "POST", "/bucket/out/y?uploads") == 403
    assert ask(gate(WRITES, encrypts, decrypts, key=KEY), "POST", "/bucket/out/y?uploads") == 200


def test_a_policy_can_be_another_for_a_while() -> None:
    made = gate(READS)
    with made.under("AKIAROLE", document_of([])):
        assert ask(made, "GET", "/bucket/in/x") == 403
    assert ask(made, "GET", "/bucket/in/x") == 200


def test_deletions_in_a_body_are_looked_at_one_by_one() -> None:
    made = gate(Grant("role", "s3:DeleteObject", f"{BUCKET}/out/*"))
    body = "<Delete><Object><Key>{}</Key></Object><Object><Key>out/b</Key></Object></Delete>"
    assert ask(made, "POST", "/bucket?delete", data=body.format("out/a").encode()) == 200
    assert ask(made, "POST", "/bucket?delete", data=body.format("in/a").encode()) == 403
