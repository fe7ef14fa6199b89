"""The ways in which code takes turns: branches, loops, exceptions, contexts, recursion."""

import contextlib

import boto3

s3 = boto3.client("s3", region_name="us-east-1")
try:
    import a_faster_json as json
except ImportError:
    import json


# case: match
def match(command):
    match command:
        case {"do": "read", "key": key}:
            #: s3:GetObject notes/*
            s3.get_object(Bucket="notes", Key=key)
        case ["drop", *rest]:
            #: s3:DeleteObject notes/a
            s3.delete_object(Bucket="notes", Key="a")
        case str() as name if name:
            #: s3:PutObject notes/b
            s3.put_object(Bucket="notes", Key="b")


# case: try_and_finally
def try_and_finally():
    try:
        client = boto3.client("s3")
        #: s3:GetObject notes/a
        client.get_object(Bucket="notes", Key="a")
    except KeyError as error:
        #: s3:PutObject errors/*
        s3.put_object(Bucket="errors", Key=f"{error}")
    else:
        #: s3:DeleteObject notes/a
        s3.delete_object(Bucket="notes", Key="a")
    finally:
        #: s3:GetObject notes/b
        client.head_object(Bucket="notes", Key="b")


# case: import_that_may_fail
def import_that_may_fail(body):
    #: s3:PutObject notes/a
    s3.put_object(Bucket="notes", Key="a", Body=json.dumps(body))


# case: conditional_client
def conditional_client(far):
    client = boto3.client("s3") if far else None
    if client:
        #: s3:GetObject notes/a
        client.get_object(Bucket="notes", Key="a")


# case: rebound
def rebound():
    key = "a"
    #: s3:GetObject notes/a
    s3.get_object(Bucket="notes", Key=key)
    key = "b"
    #: s3:DeleteObject notes/b
    s3.delete_object(Bucket="notes", Key=key)


# case: branches_join
def branches_join(late):
    if late:
        bucket = "late"
    else:
        bucket = "early"
    #: s3:GetObject late/a
    #: s3:GetObject early/a
    s3.get_object(Bucket=bucket, Key="a")


# case: while_loop
def while_loop():
    token = {}
    while True:
        #: s3:ListBucket notes [in/]
        page = s3.list_objects_v2(Bucket="notes", Prefix="in/")
        token = page.get("NextContinuationToken")
        if not token:
            break
    #: s3:GetObject notes/a
    s3.get_object(Bucket="notes", Key="a")


# case: recursion
def walk(prefix, depth):
    if depth:
        walk(prefix + "/x", depth - 1)
    #: s3:GetObject notes/top*
    s3.get_object(Bucket="notes", Key=prefix)


def recursion(depth):
    walk("top", depth)


# case: endless_recursion
def endless_recursion(n):
    #: s3:GetObject notes/a
    s3.get_object(Bucket="notes", Key="a")
    return endless_recursion(n + 1)


# case: with_statement
@contextlib.contextmanager
def opened(bucket):
    client = boto3.client("s3")
    yield client, bucket
    #: s3:PutObject notes/closed
    client.put_object(Bucket=bucket, Key="closed")


def with_statement():
    with opened("notes") as (client, bucket):
        #: s3:GetObject notes/a
        client.get_object(Bucket=bucket, Key="a")


# case: context_class
class Held:
    def __enter__(self):
        return s3

    def __exit__(self, *error):
        #: s3:DeleteObject notes/lock
        s3.delete_object(Bucket="notes", Key="lock")


def context_class():
    with Held() as client:
        #: s3:PutObject notes/lock
        client.put_object(Bucket="notes", Key="lock")


# case: closing
def closing():
    with contextlib.closing(boto3.client("s3")) as client, contextlib.ExitStack() as stack:
        other_client = stack.enter_context(contextlib.closing(boto3.client("s3")))
        #: s3:GetObject notes/a
        client.get_object(Bucket="notes", Key="a")
        #: s3:GetObject notes/b
        other_client.get_object(Bucket="notes", Key="b")


# case: walrus
def walrus():
    if (client := boto3.client("s3")) and (key := "a"):
        #: s3:GetObject notes/a
        client.get_object(Bucket="notes", Key=key)


# case: nonlocal_client
def nonlocal_client():
    client = None

    def start():
        nonlocal client
        client = boto3.client("s3")

    start()
    #: s3:GetObject notes/a
    client.get_object(Bucket="notes", Key="a")
