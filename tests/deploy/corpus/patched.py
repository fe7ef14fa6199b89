"""Code that changes other code or its names while it runs: found, or refused, but never silent."""

import builtins
import sys
from dataclasses import dataclass

import boto3

s3 = boto3.client("s3", region_name="us-east-1")
registry = {}


# case: put_into_a_live_dict
def put_into_a_live_dict():
    registry["remove"] = s3.delete_object
    later()


def later():
    #: s3:DeleteObject notes/a
    registry["remove"](Bucket="notes", Key="a")


# case: patched_method
class Patched:
    def go(self):
        return None


def patch(self):
    #: s3:DeleteObject notes/a
    s3.delete_object(Bucket="notes", Key="a")


def patched_method():
    Patched.go = patch
    thing = Patched()
    thing.go()


# case: patched_function
def harmless():
    return None


def patched_function():
    module = sys.modules[__name__]
    module.harmless = really
    harmless()


def really():
    #: patched_function s3:DeleteObject notes/a
    #: patched_through_globals s3:DeleteObject notes/a
    #: read_only_mapping s3:DeleteObject notes/a
    #: foreign_object_with_our_functions s3:DeleteObject notes/a
    #: stored_in_a_foreign_place s3:DeleteObject notes/a
    s3.delete_object(Bucket="notes", Key="a")


# case: patched_through_globals
def innocent():
    return None


def patched_through_globals():
    globals()["innocent"] = really
    innocent()


# case: builtin_under_another_name
def builtin_under_another_name(name):
    look = getattr
    #: refused
    look(s3, name)(Bucket="notes", Key="a")


# case: builtin_by_name
def builtin_by_name(code):
    #: refused
    getattr(builtins, "ev" + "al")(code)


# case: builtins_dict
def builtins_dict(code):
    #: refused
    __builtins__["exec"](code)


# case: attribute_on_a_function
def counter():
    return None


counter.client = s3


def attribute_on_a_function():
    #: s3:GetObject notes/a
    counter.client.get_object(Bucket="notes", Key="a")


# case: setattr_by_name
class Empty:
    pass


def setattr_by_name():
    thing = Empty()
    setattr(thing, "cli" + "ent", s3)
    #: s3:GetObject notes/a
    thing.client.get_object(Bucket="notes", Key="a")


# case: setattr_computed
def setattr_computed(name):
    #: refused
    setattr(Empty(), name, s3)


# case: dict_of_an_object
def dict_of_an_object():
    thing = Empty()
    thing.__dict__["client"] = s3
    #: refused
    thing.client.get_object(Bucket="notes", Key="a")


# case: class_made_by_type
def class_made_by_type():
    #: refused
    kind = type("Kind", (), {"go": lambda self: s3.delete_object(Bucket="notes", Key="a")})
    kind().go()


# case: special_method_made_by_exec
made: dict = {"s3": s3}
exec("class Made:\n    def __eq__(self, other):\n        return s3.delete_object(Bucket='notes', Key='a')\n", made)


def special_method_made_by_exec():
    #: refused
    return made["Made"]() == 1


# case: generated_special_methods
@dataclass(order=True, frozen=True)
class Point:
    x: int = 0


def generated_special_methods(points):
    #: s3:GetObject notes/a
    return s3.get_object(Bucket="notes", Key="a") if Point(1) == Point(2) or sorted([Point(1)]) else None
