"""What goes over items, calls for them, or shows them on the way."""

import asyncio
import collections
import contextlib
import copy
import functools
import heapq
import io
import itertools
import logging
import operator
import sys
from collections import UserDict
from concurrent.futures import ThreadPoolExecutor, as_completed

import attrs
import boto3
import pydantic
from tqdm import tqdm

s3 = boto3.client("s3", region_name="us-east-1")
res = boto3.resource("s3", region_name="us-east-1")
log = logging.getLogger("packyak.corpus")


class S3Handler(logging.Handler):
    def emit(self, record):
        #: handler_of_a_log s3:PutObject logs/x
        s3.put_object(Bucket="logs", Key="x", Body=b"")


log.addHandler(S3Handler())


class Writer:
    def write(self, text):
        #: printed_to_an_object s3:PutObject w/k
        s3.put_object(Bucket="w", Key="k", Body=text)


class HA:
    @property
    def p(self):
        #: asked_whether_there_is s3:GetObject b/k
        return s3.get_object(Bucket="b", Key="k")


class Cp:
    def __deepcopy__(self, memo):
        #: copied_by_itself s3:GetObject b/k
        s3.get_object(Bucket="b", Key="k")


class Plugin:
    def run(self): ...


class P1(Plugin):
    def run(self):
        #: every_subclass s3:DeleteObject b/p1
        s3.delete_object(Bucket="b", Key="p1")


class Model(pydantic.BaseModel):
    key: str

    def model_post_init(self, ctx):
        #: validated s3:GetObject b/post
        s3.get_object(Bucket="b", Key="post")

    @pydantic.field_validator("key")
    @classmethod
    def v(cls, x):
        #: validated s3:GetObject b/val
        s3.head_object(Bucket="b", Key="val")
        return x


@attrs.define
class At:
    #: made_by_attrs s3:GetObject b/fac
    x: int = attrs.field(factory=lambda: s3.head_object(Bucket="b", Key="fac"))

    def __attrs_post_init__(self):
        #: made_by_attrs s3:GetObject b/apost
        s3.get_object(Bucket="b", Key="apost")


class Dd(dict):
    def __missing__(self, k):
        #: missing_key s3:GetObject b/miss
        return s3.get_object(Bucket="b", Key="miss")


class Sub:
    def __init_subclass__(cls, bucket="x", **k):
        #: told_of_a_subclass s3:DeleteObject zz/is
        s3.delete_object(Bucket=bucket, Key="is")


class CM(contextlib.ContextDecorator):
    def __enter__(self):
        #: context_as_a_decorator s3:PutObject b/enter
        #: stack_of_contexts s3:PutObject b/enter
        s3.put_object(Bucket="b", Key="enter")
        return self

    def __exit__(self, *a):
        #: context_as_a_decorator s3:DeleteObject b/exit
        #: stack_of_contexts s3:DeleteObject b/exit
        s3.delete_object(Bucket="b", Key="exit")


class Par:
    _inst = None

    def __new__(cls):
        if cls._inst is None:
            cls._inst = super().__new__(cls)
            cls._inst.c = boto3.client("s3")
        return cls._inst


# case: shown_on_the_way
def shown_on_the_way():
    #: s3:ListBucket b
    for o in tqdm(res.Bucket("b").objects.all()):
        #: s3:DeleteObject b/*
        o.delete()


# case: taken_while
def taken_while():
    #: s3:ListBucket b
    for o in itertools.takewhile(lambda o: o.size > 0, res.Bucket("b").objects.all()):
        #: s3:DeleteObject b/*
        o.delete()


# case: grouped
def grouped():
    #: s3:ListBucket b
    for k, os_ in itertools.groupby(res.Bucket("b").objects.all(), key=lambda o: o.key[:3]):
        for o in os_:
            #: s3:DeleteObject b/*
            o.delete()


# case: largest
def largest():
    #: s3:ListBucket b
    for o in heapq.nlargest(3, res.Bucket("b").objects.all(), key=lambda o: o.size):
        #: s3:DeleteObject b/*
        o.delete()


# case: twice
def twice():
    #: s3:ListBucket b
    a, b = itertools.tee(res.Bucket("b").objects.all())
    for o in a:
        #: s3:DeleteObject b/*
        o.delete()


# case: pairs
def pairs():
    #: s3:ListBucket b
    for a, b in itertools.pairwise(res.Bucket("b").objects.all()):
        #: s3:DeleteObject b/*
        b.delete()


# case: items_for_foreign_code
def items_for_foreign_code():
    #: refused
    #: s3:ListBucket b
    return collections.Counter(res.Bucket("b").objects.all())


# case: until_a_sign
def until_a_sign():
    #: s3:GetObject b/k
    for x in iter(lambda: s3.get_object(Bucket="b", Key="k")["Body"].read(), b""):
        print(x)


# case: partial_until_none
def partial_until_none():
    #: s3:GetObject b/k
    for x in iter(functools.partial(s3.get_object, Bucket="b", Key="k"), None):
        print(x)


# case: accumulated
def accumulated():
    #: s3:PutObject b/a
    #: s3:PutObject b/b
    return list(itertools.accumulate(["a", "b"], lambda x, k: s3.put_object(Bucket="b", Key=k)))


# case: handler_of_a_log
def handler_of_a_log():
    log.info("x")


# case: printed_to_an_object
def printed_to_an_object():
    print("x", file=Writer())


# case: asked_whether_there_is
def asked_whether_there_is():
    return hasattr(HA(), "p")


# case: copied_by_itself
def copied_by_itself():
    return copy.deepcopy(Cp())


# case: every_subclass
def every_subclass():
    for c in Plugin.__subclasses__():
        c().run()


# case: validated
def validated():
    return Model(key="x")


# case: made_by_attrs
def made_by_attrs():
    return At()


# case: missing_key
def missing_key():
    return Dd()["x"]


# case: told_of_a_subclass
def told_of_a_subclass():
    class A(Sub, bucket="zz"):
        pass


# case: returned_by_a_generator
def returned_by_a_generator():
    def make():
        yield 1
        return res.Bucket("b")

    def go():
        bk = yield from make()
        #: s3:ListBucket b
        for o in bk.objects.all():
            #: s3:DeleteObject b/*
            o.delete()

    list(go())


# case: context_as_a_decorator
@CM()
def context_as_a_decorator():
    return 1


# case: stack_of_contexts
def stack_of_contexts():
    with contextlib.ExitStack() as st:
        st.enter_context(CM())
        #: s3:DeleteObject b/cb
        st.callback(s3.delete_object, Bucket="b", Key="cb")


# case: messages_of_a_queue
def messages_of_a_queue():
    #: sqs:GetQueueUrl arn:aws:sqs:us-east-1:{account}:q
    q = boto3.resource("sqs", region_name="us-east-1").get_queue_by_name(QueueName="q")
    #: sqs:ReceiveMessage arn:aws:sqs:us-east-1:{account}:q
    for m in q.receive_messages():
        #: sqs:DeleteMessage arn:aws:sqs:us-east-1:{account}:q
        m.delete()


# case: one_for_all
def one_for_all():
    #: s3:DeleteObject b/k
    Par().c.delete_object(Bucket="b", Key="k")


# case: added_in_place
def added_in_place():
    class D:
        def __iadd__(self, o):
            #: s3:PutObject b/i
            s3.put_object(Bucket="b", Key="i")
            return self

    d = D()
    d += 1


# case: matched_by_position
def matched_by_position():
    class D:
        __match_args__ = ("p",)

        @property
        def p(self):
            #: s3:PutObject b/i
            s3.put_object(Bucket="b", Key="i")

    match D():
        case D(1):
            pass


# case: asked_for_its_truth
def asked_for_its_truth():
    class D:
        def __bool__(self):
            #: s3:PutObject b/i
            s3.put_object(Bucket="b", Key="i")
            return True

    return any([D()])


# case: lock_in_a_generator
def lock_in_a_generator():
    @contextlib.contextmanager
    def tx():
        try:
            yield s3
        finally:
            #: s3:DeleteObject b/lock
            s3.delete_object(Bucket="b", Key="lock")

    with tx() as c:
        #: s3:PutObject b/k
        c.put_object(Bucket="b", Key="k")


# case: kept_for_later
def kept_for_later():
    todo = []
    todo.append((s3.delete_object, {"Bucket": "b", "Key": "k"}))
    for f, kw in todo:
        #: s3:DeleteObject b/k
        f(**kw)


# case: built_step_by_step
def built_step_by_step():
    Bld().bucket("b").key("k").go()


# case: searched_pages
def searched_pages():
    #: s3:ListBucket b [p/]
    for k in s3.get_paginator("list_objects_v2").paginate(Bucket="b", Prefix="p/").search("Contents[].Key"):
        #: s3:DeleteObject b/*
        s3.delete_object(Bucket="b", Key=k)


# case: futures_as_they_come
def futures_as_they_come():
    with ThreadPoolExecutor() as ex:
        #: s3:GetObject b/a
        #: s3:GetObject b/b
        fs = {ex.submit(s3.get_object, Bucket="b", Key=k): k for k in ("a", "b")}
        for f in as_completed(fs):
            f.result()["Body"].read()
