"""Clients that objects hold: attributes, methods, properties, operators, dataclasses."""

import dataclasses
import functools
import operator

import boto3

s3 = boto3.client("s3", region_name="us-east-1")


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
