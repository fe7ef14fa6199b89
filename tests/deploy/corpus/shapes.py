"""The ways in which Python reaches a call: closures, methods, partials, decorators, containers, defaults, control flow."""

import functools
import itertools
from concurrent.futures import ThreadPoolExecutor

import boto3

s3 = boto3.client("s3", region_name="us-east-1")
WAYS = {"get": s3.get_object, "head": s3.head_object}


# case: closure
def make(bucket):
    client = boto3.client("s3")

    def inner(key):
        #: s3:GetObject notes/a
        return client.get_object(Bucket=bucket, Key=key)

    return inner


fetch = make("notes")


def closure():
    return fetch("a")


# case: closure_in_the_body
def closure_in_the_body():
    where = "notes"

    def save(key):
        #: s3:PutObject notes/a
        #: s3:PutObject notes/b
        s3.put_object(Bucket=where, Key=key)

    save("a")
    save("b")


# case: default_argument
def with_default(key, client=s3, bucket="notes"):
    #: s3:GetObject notes/a
    client.get_object(Bucket=bucket, Key=key)


def default_argument():
    with_default("a")


# case: partial
put = functools.partial(s3.put_object, Bucket="notes")


def partial():
    #: s3:PutObject notes/a
    put(Key="a")


# case: nested_partials
def nested_partials():
    first = functools.partial(s3.put_object, Bucket="notes")
    second = functools.partial(first, Key="a")
    #: s3:PutObject notes/a
    second(Body=b"")


# case: decorated
def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        #: decorated s3:PutObject logs/decorated
        s3.put_object(Bucket="logs", Key=function.__name__)
        return function(*args, **kwargs)

    return wrapper


@logged
def decorated(key="a"):
    #: s3:GetObject notes/*
    return s3.get_object(Bucket="notes", Key=key)


# case: cached
@functools.lru_cache
def client_for(service):
    return boto3.client(service, region_name="us-east-1")


def cached():
    #: s3:GetObject notes/a
    client_for("s3").get_object(Bucket="notes", Key="a")
    #: sns:Publish arn:aws:sns:us-east-1:123456789012:t
    client_for("sns").publish(TopicArn="arn:aws:sns:us-east-1:123456789012:t", Message="m")


# case: dispatch_by_dict
def dispatch_by_dict(way):
    #: s3:GetObject notes/a
    return WAYS[way](Bucket="notes", Key="a")


# case: dispatch_in_the_body
def dispatch_in_the_body(way):
    ways = {"read": s3.get_object, "drop": s3.delete_object}
    #: s3:GetObject notes/a
    #: s3:DeleteObject notes/a
    return ways[way](Bucket="notes", Key="a")


# case: dispatch_by_a_known_key
def dispatch_by_a_known_key():
    ways = {"read": s3.get_object, "drop": s3.delete_object}
    #: s3:GetObject notes/a
    return ways["read"](Bucket="notes", Key="a")


# case: list_of_functions
def list_of_functions():
    for step in [s3.get_object, s3.delete_object]:
        #: s3:GetObject notes/a
        #: s3:DeleteObject notes/a
        step(Bucket="notes", Key="a")


# case: pairs_stay_pairs
def pairs_stay_pairs():
    for bucket, key in (("one", "a"), ("two", "b")):
        #: s3:GetObject one/a
        #: s3:GetObject two/b
        s3.get_object(Bucket=bucket, Key=key)


# case: comprehension
def comprehension():
    #: s3:GetObject notes/a
    #: s3:GetObject notes/b
    return [s3.get_object(Bucket="notes", Key=key) for key in ("a", "b")]


# case: dict_comprehension
def dict_comprehension(keys):
    #: s3:GetObject notes/in/*
    return {key: s3.head_object(Bucket="notes", Key=f"in/{key}") for key in keys if key}


# case: generator
def names():
    yield "a"
    yield from ("b", "c")


def generator():
    for name in names():
        #: s3:GetObject notes/a
        #: s3:GetObject notes/b
        #: s3:GetObject notes/c
        s3.get_object(Bucket="notes", Key=name)


# case: generator_that_calls
def rows():
    for key in ("a", "b"):
        #: s3:GetObject notes/a
        #: s3:GetObject notes/b
        yield s3.get_object(Bucket="notes", Key=key)


def generator_that_calls():
    return list(rows())


# case: lambda_in_map
def lambda_in_map(keys):
    #: s3:GetObject notes/in/*
    return list(map(lambda key: s3.get_object(Bucket="notes", Key="in/" + key), keys))


# case: sorted_by_a_call
def sorted_by_a_call(keys):
    #: s3:GetObject notes/*
    return sorted(keys, key=lambda key: s3.head_object(Bucket="notes", Key=key)["ContentLength"])


# case: pool
def pool():
    with ThreadPoolExecutor() as executor:
        #: s3:GetObject notes/a
        executor.submit(s3.get_object, Bucket="notes", Key="a")
        list(executor.map(drop, ["b"]))


def drop(key):
    #: s3:DeleteObject notes/b
    s3.delete_object(Bucket="notes", Key=key)


# case: starred
def starred():
    given = ("notes", "a", "to")
    #: s3:GetObject notes/a
    s3.download_file(*given)


# case: passed_through_stars
def through(function, *args, **kwargs):
    #: passed_through_stars s3:GetObject notes/a
    return function(*args, **kwargs)


def passed_through_stars():
    through(s3.get_object, Bucket="notes", Key="a")


# case: chained_iterators
def chained_iterators():
    for key in itertools.chain(["a"], ("b",)):
        #: s3:GetObject notes/a
        #: s3:GetObject notes/b
        s3.get_object(Bucket="notes", Key=key)


# case: single_dispatch
@functools.singledispatch
def handle(thing):
    return None


@handle.register
def _(thing: int):
    #: s3:DeleteObject notes/number
    s3.delete_object(Bucket="notes", Key="number")


def single_dispatch(thing):
    handle(thing)


# case: callback_of_foreign_code
def callback_of_foreign_code(text):
    import re

    #: s3:GetObject notes/a
    return re.sub("x", lambda found: str(s3.get_object(Bucket="notes", Key="a")), text)
