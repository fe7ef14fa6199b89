"""Everyday code, as it is written."""

import abc
import asyncio
import functools
import json
import logging
import os

import boto3

s3 = boto3.client("s3", region_name="us-east-1")
log = logging.getLogger(__name__)


class Base(abc.ABC):
    @abc.abstractmethod
    def bucket(self): ...
    def run(self, key):
        #: overridden_method s3:GetObject aa/k
        #: overridden_method s3:GetObject bb/k
        return s3.get_object(Bucket=self.bucket(), Key=key)


class A(Base):
    def bucket(self):
        return "aa"


class B(Base):
    def bucket(self):
        return "bb"


# case: overridden_method
def overridden_method(which):
    thing: Base = A() if which else B()
    return thing.run("k")


# case: unknown_object
def unknown_object(store):
    store.save("x")


# case: client_in_kwargs
def client_in_kwargs(**kw):
    #: refused
    kw["client"].get_object(Bucket="b", Key="k")


# case: client_in_a_log
def client_in_a_log():
    log.info("client %s", s3)
    print(s3)
    #: s3:GetObject b/k
    s3.get_object(Bucket="b", Key="k")


# case: checked_type
def checked_type(x):
    if isinstance(x, str):
        x = x.strip()
    #: s3:GetObject b/*
    s3.get_object(Bucket="b", Key=x)


# case: sliced_list
def sliced_list(key):
    parts = key.split("/")
    #: s3:GetObject b/*
    s3.get_object(Bucket="b", Key="/".join(["in"] + parts[1:]))


# case: prefix_from_the_environment
def prefix_from_the_environment():
    p = os.environ.get("PREFIX", "in")
    #: s3:GetObject b/*
    s3.get_object(Bucket="b", Key=f"{p}/x")


# case: numbered_keys
def numbered_keys(x: "dict[str, str]", n: int = 3):
    for i in range(n):
        #: s3:PutObject b/part-*
        s3.put_object(Bucket="b", Key=f"part-{i:03d}")


# case: bucket_by_lookup
def bucket_by_lookup(d):
    b = {"x": "one"}[d]
    #: s3:GetObject one/k
    s3.get_object(Bucket=b, Key="k")


# case: nested_try
def nested_try():
    try:
        try:
            c = boto3.client("s3")
        except Exception as e:
            raise RuntimeError from e
        #: s3:GetObject b/k
        return c.get_object(Bucket="b", Key="k")["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None


# case: generator_expression
def generator_expression():
    #: s3:GetObject b/a
    #: s3:GetObject b/b
    return any(s3.head_object(Bucket="b", Key=k) for k in ("a", "b"))


# case: updated_dict
def updated_dict():
    params = dict(Bucket="b")
    params.update(Key="k")
    #: s3:GetObject b/k
    s3.get_object(**params)


# case: merged_dict
def merged_dict():
    base = {"Bucket": "b"}
    #: s3:GetObject b/k
    s3.get_object(**(base | {"Key": "k"}))


# case: filtered_kwargs
def filtered_kwargs(**kw):
    #: refused
    s3.get_object(Bucket="b", Key="k", **{k: v for k, v in kw.items() if v})


# case: client_with_a_config
def client_with_a_config():
    from botocore.config import Config

    #: s3:GetObject b/k
    boto3.client("s3", config=Config(retries={"max_attempts": 3})).get_object(Bucket="b", Key="k")


# case: key_from_a_document
def key_from_a_document():
    #: s3:GetObject b/k
    data = json.loads(s3.get_object(Bucket="b", Key="k")["Body"].read())
    #: s3:PutObject b/*
    s3.put_object(Bucket="b", Key=data["key"], Body=json.dumps(data).encode())


# case: retried
def retried():
    for attempt in range(3):
        try:
            #: s3:GetObject b/k
            return s3.get_object(Bucket="b", Key="k")
        except s3.exceptions.ClientError as e:
            if e.response["Error"]["Code"] != "SlowDown":
                raise
    raise RuntimeError


# case: temporary_file
def temporary_file():
    import tempfile

    with tempfile.NamedTemporaryFile() as f:
        #: s3:GetObject b/k
        s3.download_fileobj("b", "k", f)
        f.seek(0)
        #: s3:PutObject b/k2
        s3.upload_fileobj(f, "b", "k2")


# case: sorted_pages
def sorted_pages():
    #: s3:ListBucket b [p/]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="b", Prefix="p/")
    keys = sorted((o["Key"] for page in pages for o in page.get("Contents", [])), reverse=True)
    for k in keys[:10]:
        #: s3:DeleteObject b/p/*
        s3.delete_object(Bucket="b", Key=k)


# case: dated_key
def dated_key():
    from datetime import datetime

    #: s3:PutObject b/*
    s3.put_object(Bucket="b", Key=datetime.now().strftime("in/%Y.csv"))
    #: s3:PutObject b/in/*
    s3.put_object(Bucket="b", Key=f"in/{datetime.now():%Y-%m-%d}.csv")


# case: random_key
def random_key():
    import uuid

    #: s3:PutObject b/up/*
    s3.put_object(Bucket="b", Key="up/" + str(uuid.uuid4()))


# case: name_of_a_path
def name_of_a_path(p):
    from pathlib import Path

    #: s3:PutObject b/up/*
    s3.upload_file(str(p), "b", f"up/{Path(p).name}")


# case: limited_concurrency
async def limited_concurrency():
    lim = asyncio.Semaphore(3)

    async def one(k):
        async with lim:
            #: s3:GetObject b/a
            #: s3:GetObject b/b
            return await asyncio.to_thread(s3.get_object, Bucket="b", Key=k)

    return await asyncio.gather(*[one(k) for k in ("a", "b")])


# case: object_of_an_event
def object_of_an_event(event, context=None):
    for r in event["Records"]:
        #: s3:GetObject b/*
        s3.get_object(Bucket="b", Key=r["s3"]["object"]["key"])


@functools.singledispatch
def sd(x):
    #: dispatched_default s3:GetObject b/k
    s3.get_object(Bucket="b", Key="k")


# case: dispatched_default
def dispatched_default(x):
    sd(x)


# case: futures_in_a_dict
def futures_in_a_dict():
    from concurrent.futures import ThreadPoolExecutor, as_completed

    with ThreadPoolExecutor(4) as ex:
        #: s3:GetObject b/a
        #: s3:GetObject b/b
        futs = {ex.submit(s3.get_object, Bucket="b", Key=k): k for k in ("a", "b")}
        for f in as_completed(futs):
            k = futs[f]
            #: s3:PutObject o/a
            #: s3:PutObject o/b
            s3.put_object(Bucket="o", Key=k, Body=f.result()["Body"].read())
