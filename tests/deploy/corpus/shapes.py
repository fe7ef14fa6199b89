"""The ways in which Python reaches a call: closures, methods, partials, decorators, containers, defaults, control flow."""

import contextlib
import dataclasses
import functools
import itertools
import operator
from concurrent.futures import ThreadPoolExecutor

import boto3

s3 = boto3.client("s3", region_name="us-east-1")
BUCKET = "notes"
WAYS = {"get": s3.get_object, "head": s3.head_object}
try:
    import a_faster_json as json
except ImportError:
    import json


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


# case: method
class Store:
    bucket = "notes"

    def __init__(self):
        self.client = boto3.client("s3")

    def put(self, key):
        #: s3:PutObject notes/a
        self.client.put_object(Bucket=self.bucket, Key=key)


def method():
    Store().put("a")


# case: live_instance
class Other:
    def __init__(self, bucket):
        self.client = s3
        self.bucket = bucket

    def put(self, key):
        #: s3:PutObject other/a
        self.client.put_object(Bucket=self.bucket, Key=key)


other = Other("other")


def live_instance():
    other.put("a")


# case: set_by_another_method
class Late:
    client = None

    def connect(self):
        self.client = boto3.client("s3")

    def read(self):
        #: s3:GetObject notes/a
        return self.client.get_object(Bucket="notes", Key="a")


def set_by_another_method():
    late = Late()
    late.connect()
    return late.read()


# case: class_attribute
class Shared:
    client = s3
    place = {"Bucket": "notes"}

    @classmethod
    def read(cls):
        #: s3:GetObject notes/a
        return cls.client.get_object(**cls.place, Key="a")


def class_attribute():
    return Shared.read()


# case: inherited
class Parent:
    def __init__(self, bucket):
        self.bucket = bucket

    def run(self):
        return self.step("a")

    def step(self, key):
        #: super_call s3:GetObject notes/loud/a
        return s3.get_object(Bucket=self.bucket, Key=key)


class Child(Parent):
    def __init__(self):
        super().__init__("notes")

    def step(self, key):
        #: s3:DeleteObject notes/a
        return s3.delete_object(Bucket=self.bucket, Key=key)


def inherited():
    return Child().run()


# case: super_call
class Noisy(Parent):
    def step(self, key):
        return super().step(f"loud/{key}")


class Plain(Parent):
    def step(self, key):
        return s3.head_object(Bucket=self.bucket, Key=key)


def super_call():
    return Noisy("notes").run()


# case: static_method
class Tools:
    @staticmethod
    def wipe(key):
        #: s3:DeleteObject notes/a
        s3.delete_object(Bucket="notes", Key=key)


def static_method():
    Tools.wipe("a")


# case: property_returning_a_client
class Lazy:
    @property
    def client(self):
        return boto3.client("s3")

    @functools.cached_property
    def table(self):
        return boto3.resource("dynamodb", region_name="us-east-1").Table("orders")


def property_returning_a_client():
    lazy = Lazy()
    #: s3:GetObject notes/a
    lazy.client.get_object(Bucket="notes", Key="a")
    #: dynamodb:GetItem arn:aws:dynamodb:us-east-1:{account}:table/orders
    lazy.table.get_item(Key={"id": 1})


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


# case: dataclass_field
@dataclasses.dataclass
class Reader:
    client: object
    bucket: str = "notes"

    def read(self, key):
        #: s3:GetObject notes/a
        return self.client.get_object(Bucket=self.bucket, Key=key)


def dataclass_field():
    return Reader(s3).read("a")


# case: callable_object
class Keeper:
    def __call__(self, key):
        #: s3:PutObject notes/a
        s3.put_object(Bucket="notes", Key=key)


def callable_object():
    Keeper()("a")


# case: operators
class Shelf:
    def __getitem__(self, key):
        #: s3:GetObject notes/a
        return s3.get_object(Bucket="notes", Key=key)

    def __setitem__(self, key, value):
        #: s3:PutObject notes/b
        s3.put_object(Bucket="notes", Key=key, Body=value)

    def __contains__(self, key):
        #: s3:GetObject notes/c
        return bool(s3.head_object(Bucket="notes", Key=key))

    def __iter__(self):
        #: s3:ListBucket notes [d/]
        yield from s3.list_objects_v2(Bucket="notes", Prefix="d/")


def operators():
    shelf = Shelf()
    shelf["b"] = shelf["a"]
    return "c" in shelf, list(shelf)


# case: method_by_name
def method_by_name():
    #: s3:GetObject notes/a
    return operator.methodcaller("get_object", Bucket="notes", Key="a")(s3)


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


# case: attribute_by_a_pattern
class Steps:
    def step_one(self):
        #: s3:GetObject notes/1
        s3.get_object(Bucket="notes", Key="1")

    def step_two(self):
        #: s3:GetObject notes/2
        s3.get_object(Bucket="notes", Key="2")

    def other(self):
        s3.delete_object(Bucket="notes", Key="3")


def attribute_by_a_pattern(which):
    getattr(Steps(), f"step_{which}")()


# case: getattr_with_a_constant
def getattr_with_a_constant():
    #: s3:GetObject notes/a
    getattr(s3, "get_" + "object")(Bucket="notes", Key="a")


# case: class_in_the_body
def class_in_the_body():
    class Local:
        bucket = "notes"

        def read(self):
            #: s3:GetObject notes/a
            return s3.get_object(Bucket=self.bucket, Key="a")

    return Local().read()


# case: walrus
def walrus():
    if (client := boto3.client("s3")) and (key := "a"):
        #: s3:GetObject notes/a
        client.get_object(Bucket="notes", Key=key)


# case: callback_of_foreign_code
def callback_of_foreign_code(text):
    import re

    #: s3:GetObject notes/a
    return re.sub("x", lambda found: str(s3.get_object(Bucket="notes", Key="a")), text)


# case: nonlocal_client
def nonlocal_client():
    client = None

    def start():
        nonlocal client
        client = boto3.client("s3")

    start()
    #: s3:GetObject notes/a
    client.get_object(Bucket="notes", Key="a")
