"""Clients behind classes that answer for others: found, or refused, but never silent."""

import collections
import enum
import functools
from dataclasses import dataclass, field

import boto3

s3 = boto3.client("s3", region_name="us-east-1")


# case: method_taken_from_a_class
class Store:
    def wipe(self, key):
        #: s3:DeleteObject notes/a
        s3.delete_object(Bucket="notes", Key=key)


def method_taken_from_a_class():
    Store.wipe(Store(), "a")


# case: client_factory_with_a_cache
class Factory:
    def __init__(self):
        self._made = {}

    def get(self, service):
        if service not in self._made:
            self._made[service] = boto3.client(service, region_name="us-east-1")
        return self._made[service]


factory = Factory()


def client_factory_with_a_cache():
    #: s3:GetObject notes/a
    factory.get("s3").get_object(Bucket="notes", Key="a")


# case: default_factory_field
@dataclass
class Holder:
    client: object = field(default_factory=lambda: boto3.client("s3"))
    more: dict = field(default_factory=dict)


def default_factory_field():
    holder = Holder()
    #: s3:GetObject notes/a
    holder.client.get_object(Bucket="notes", Key="a")


# case: replaced_field
def replaced_field():
    from dataclasses import replace

    holder = replace(Holder(client=None), client=s3)
    #: s3:PutObject notes/a
    holder.client.put_object(Bucket="notes", Key="a")


# case: through_getattr_method
class Proxy:
    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)


def through_getattr_method():
    #: s3:DeleteObject notes/a
    Proxy(s3).delete_object(Bucket="notes", Key="a")


# case: through_a_descriptor
class Client:
    def __get__(self, owner, kind):
        return boto3.client("s3")


class WithDescriptor:
    client = Client()


def through_a_descriptor():
    #: s3:GetObject notes/a
    WithDescriptor().client.get_object(Bucket="notes", Key="a")


# case: through_a_named_tuple
Pair = collections.namedtuple("Pair", "client bucket")
pair = Pair(s3, "notes")


def through_a_named_tuple():
    #: s3:GetObject notes/a
    pair.client.get_object(Bucket=pair.bucket, Key="a")
    client, bucket = Pair(s3, "made")
    #: s3:GetObject made/a
    client.get_object(Bucket=bucket, Key="a")


# case: enum_members
class Place(enum.Enum):
    NOTES = "notes"
    LOGS = "logs"


def enum_members():
    for place in Place:
        #: s3:GetObject logs/a
        #: s3:GetObject notes/a
        s3.get_object(Bucket=place.value, Key="a")


# case: decorator_with_arguments
def retrying(times):
    def wrap(function):
        @functools.wraps(function)
        def again(*args, **kwargs):
            for _ in range(times):
                try:
                    return function(*args, **kwargs)
                except OSError:
                    #: s3:PutObject failures/x
                    s3.put_object(Bucket="failures", Key="x")
            return None

        return again

    return wrap


@retrying(3)
def fetch_often(key):
    #: decorator_with_arguments s3:GetObject notes/a
    return s3.get_object(Bucket="notes", Key=key)


def decorator_with_arguments():
    fetch_often("a")


# case: class_decorator
def with_client(kind):
    kind.client = s3
    return kind


@with_client
class Decorated:
    def read(self):
        #: s3:GetObject notes/a
        return self.client.get_object(Bucket="notes", Key="a")


def class_decorator():
    Decorated().read()


# case: instance_as_a_decorator
class Traced:
    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, *args):
        #: s3:PutObject traces/t
        s3.put_object(Bucket="traces", Key="t")
        return self.function(*args)


@Traced
def traced(key):
    #: s3:GetObject notes/a
    return s3.get_object(Bucket="notes", Key=key)


def instance_as_a_decorator():
    traced("a")


# case: finaliser
class Cleaner:
    def __del__(self):
        #: s3:DeleteObject notes/tmp
        s3.delete_object(Bucket="notes", Key="tmp")


def finaliser():
    cleaner = Cleaner()
    del cleaner


# case: operator_overloading
class Path:
    def __init__(self, key):
        self.key = key

    def __truediv__(self, other):
        return Path(f"{self.key}/{other}")

    def read(self):
        #: s3:GetObject notes/in/a
        return s3.get_object(Bucket="notes", Key=self.key)


def operator_overloading():
    (Path("in") / "a").read()


# case: class_of_a_class_in_a_body
def class_of_a_class_in_a_body():
    class First:
        def __init__(self, client):
            self.client = client

        def go(self):
            return self.step()

        def step(self):
            return None

    class Second(First):
        def step(self):
            #: s3:GetObject notes/a
            return self.client.get_object(Bucket="notes", Key="a")

    Second(s3).go()


# case: namedtuple_method
class Named(collections.namedtuple("Named", "client")):
    def read(self):
        #: s3:GetObject notes/a
        return self.client.get_object(Bucket="notes", Key="a")


def namedtuple_method():
    Named(s3).read()


# case: inherited_from_foreign_code
class Log(collections.UserDict):
    def __setitem__(self, key, value):
        #: s3:PutObject logs/*
        s3.put_object(Bucket="logs", Key=key, Body=value)
        super().__setitem__(key, value)


def inherited_from_foreign_code(values):
    log = Log()
    log.update(values)
