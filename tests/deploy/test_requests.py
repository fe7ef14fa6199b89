"""From HTTP to IAM: every row of the table of operations, and what is refused for want of one."""

from __future__ import annotations

import pytest
from packyak.deploy.grants.requests import Call, call_of, operation_of, requests_of

pytest.importorskip("botocore")


@pytest.mark.parametrize(
    ("method", "path", "query", "operation", "wanted"),
    [
        ("GET", "/b/k", {}, "GetObject", ["s3:GetObject on arn:aws:s3:::b/k"]),
        ("GET", "/b/k", {"versionId": "1"}, "GetObject", ["s3:GetObjectVersion on arn:aws:s3:::b/k"]),
        ("HEAD", "/b/k/l", {}, "HeadObject", ["s3:GetObject on arn:aws:s3:::b/k/l"]),
        ("PUT", "/b/k", {}, "PutObject", ["s3:PutObject on arn:aws:s3:::b/k"]),
        ("PUT", "/b/k", {"x-id": "PutObject"}, "PutObject", ["s3:PutObject on arn:aws:s3:::b/k"]),
        ("POST", "/b/k", {"uploads": ""}, "CreateMultipartUpload", ["s3:PutObject on arn:aws:s3:::b/k"]),
        ("PUT", "/b/k", {"partNumber": "1", "uploadId": "u"}, "UploadPart", ["s3:PutObject on arn:aws:s3:::b/k"]),
        ("POST", "/b/k", {"uploadId": "u"}, "CompleteMultipartUpload", ["s3:PutObject on arn:aws:s3:::b/k"]),
        ("DELETE", "/b/k", {"uploadId": "u"}, "AbortMultipartUpload", ["s3:AbortMultipartUpload on arn:aws:s3:::b/k"]),
        ("GET", "/b/k", {"uploadId": "u"}, "ListParts", ["s3:ListMultipartUploadParts on arn:aws:s3:::b/k"]),
        ("DELETE", "/b/k", {}, "DeleteObject", ["s3:DeleteObject on arn:aws:s3:::b/k"]),
        ("DELETE", "/b/k", {"versionId": "1"}, "DeleteObject", ["s3:DeleteObjectVersion on arn:aws:s3:::b/k"]),
        ("GET", "/b/k", {"tagging": ""}, "GetObjectTagging", ["s3:GetObjectTagging on arn:aws:s3:::b/k"]),
        ("PUT", "/b/k", {"tagging": ""}, "PutObjectTagging", ["s3:PutObjectTagging on arn:aws:s3:::b/k"]),
        ("GET", "/b/k", {"acl": ""}, "GetObjectAcl", ["s3:GetObjectAcl on arn:aws:s3:::b/k"]),
        ("PUT", "/b/k", {"acl": ""}, "PutObjectAcl", ["s3:PutObjectAcl on arn:aws:s3:::b/k"]),
        ("HEAD", "/b", {}, "HeadBucket", ["s3:ListBucket on arn:aws:s3:::b"]),
        ("GET", "/b", {}, "ListObjects", ["s3:ListBucket on arn:aws:s3:::b"]),
        ("GET", "/b/", {"prefix": "p"}, "ListObjects", ["s3:ListBucket on arn:aws:s3:::b (s3:prefix=p)"]),
        ("GET", "/b", {"list-type": "2", "prefix": "p", "delimiter": "/", "max-keys": "1"}, "ListObjectsV2",
         ["s3:ListBucket on arn:aws:s3:::b (s3:prefix=p, s3:delimiter=/, s3:max-keys=1)"]),
        ("GET", "/b", {"versions": ""}, "ListObjectVersions", ["s3:ListBucketVersions on arn:aws:s3:::b"]),
        ("GET", "/b", {"uploads": ""}, "ListMultipartUploads", ["s3:ListBucketMultipartUploads on arn:aws:s3:::b"]),
        ("GET", "/b", {"location": ""}, "GetBucketLocation", ["s3:GetBucketLocation on arn:aws:s3:::b"]),
        ("GET", "/b", {"policy": ""}, "GetBucketPolicy", ["s3:GetBucketPolicy on arn:aws:s3:::b"]),
        ("PUT", "/b", {"policy": ""}, "PutBucketPolicy", ["s3:PutBucketPolicy on arn:aws:s3:::b"]),
        ("DELETE", "/b", {}, "DeleteBucket", ["s3:DeleteBucket on arn:aws:s3:::b"]),
        ("GET", "/", {}, "ListBuckets", []),
        ("PUT", "/b", {}, "CreateBucket", []),
        ("POST", "/b/k", {"select": "", "select-type": "2"}, "SelectObjectContent", []),
        ("GET", "/b/k", {"attributes": ""}, "", []),
        ("PATCH", "/b/k", {}, "", []),
    ],
)  # fmt: skip
def test_an_operation_and_its_actions(
    method: str, path: str, query: dict[str, str], operation: str, wanted: list[str]
) -> None:
    found, requests = requests_of(Call(method, path, query, {}))
    assert found == operation
    assert [str(each) for each in requests] == wanted


def test_a_copy_reads_and_writes() -> None:
    call = Call("PUT", "/b/k", {}, {"x-amz-copy-source": "/other/a%20b?versionId=1"})
    operation, requests = requests_of(call)
    assert operation == "CopyObject"
    assert [str(each) for each in requests] == [
        "s3:GetObjectVersion on arn:aws:s3:::other/a b",
        "s3:PutObject on arn:aws:s3:::b/k",
    ]


def test_the_key_that_is_copied_may_have_a_question_mark() -> None:
    call = Call("PUT", "/b/k", {}, {"x-amz-copy-source": "/other/secret%3Fa"})
    assert requests_of(call)[1][0].resource == "arn:aws:s3:::other/secret?a"


def test_a_copy_of_an_access_point_is_not_known() -> None:
    source = "arn:aws:s3:us-east-1:1:accesspoint/a/object/k"
    assert requests_of(Call("PUT", "/b/k", {}, {"x-amz-copy-source": source})) == ("CopyObject", ())


@pytest.mark.parametrize(
    ("headers", "beside"),
    [
        ({"x-amz-tagging": "a=b"}, ["s3:PutObjectTagging"]),
        ({"x-amz-acl": "private", "x-amz-grant-read": "id=1"}, ["s3:PutObjectAcl"]),
        ({"x-amz-object-lock-mode": "GOVERNANCE"}, ["s3:PutObjectRetention"]),
        ({"x-amz-object-lock-legal-hold": "ON"}, ["s3:PutObjectLegalHold"]),
        ({"if-match": "x"}, ["s3:GetObject"]),
        ({"if-none-match": "*", "x-amz-meta-a": "b"}, []),
    ],
)
def test_headers_ask_for_more(headers: dict[str, str], beside: list[str]) -> None:
    _, requests = requests_of(Call("PUT", "/b/k", {}, headers))
    assert [each.action for each in requests] == ["s3:PutObject", *beside]


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:9000", True),
        ("localhost:9000", True),
        ("s3.eu-west-1.amazonaws.com", True),
        ("[::1]:9000", True),
        ("secret.s3.amazonaws.com", False),
        ("secret.localhost:9000", False),
        ("secret.127.0.0.1.nip.io", False),
    ],
)
def test_a_bucket_in_the_name_of_the_host_is_not_known(host: str, known: bool) -> None:
    _, requests = requests_of(Call("GET", "/b/k", {}, {"host": host}))
    assert bool(requests) is known


def test_what_is_said_twice_is_not_known() -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/b", "QUERY_STRING": "prefix=mine%2F&prefix="}
    assert requests_of(call_of(environ)) == ("ListObjects", ())


def test_many_deletions_are_each_asked_for() -> None:
    body = b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a</Key></Object>' + (
        b"<Object><Key>b/c</Key><VersionId>1</VersionId></Object></Delete>"
    )
    call = Call("POST", "/b", {"delete": ""}, {}, body)
    assert operation_of(call) == "DeleteObjects"
    assert [str(each) for each in requests_of(call)[1]] == [
        "s3:DeleteObject on arn:aws:s3:::b/a",
        "s3:DeleteObjectVersion on arn:aws:s3:::b/b/c",
    ]


@pytest.mark.parametrize(
    ("headers", "query", "signer"),
    [
        ({"authorization": "AWS4-HMAC-SHA256 Credential=AKIAX/20260101/us-east-1/s3/aws4_request, Sig"}, {}, "AKIAX"),
        ({}, {"X-Amz-Credential": "AKIAY/20260101/us-east-1/s3/aws4_request"}, "AKIAY"),
        ({}, {}, ""),
    ],
)
def test_who_signed(headers: dict[str, str], query: dict[str, str], signer: str) -> None:
    assert Call("GET", "/b/k", query, headers).access_key == signer
