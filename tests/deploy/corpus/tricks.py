"""Code that tries to get past the analysis: found, or refused, but never silent."""

import contextlib
import copy
import functools
import types
import weakref
from string import Template

import boto3
from patched import really

s3 = boto3.client("s3", region_name="us-east-1")
hidden = [s3]
nested = {"clients": {"s3": s3, "list": [s3]}}
box = types.SimpleNamespace(client=s3, inner=types.SimpleNamespace(remove=s3.delete_object))


# case: shadowed_by_a_parameter
def shadowed_by_a_parameter(s3):
    #: refused
    s3.get_object(Bucket="notes", Key="a")


# case: shadowed_in_a_comprehension
def shadowed_in_a_comprehension(names):
    found = [s3 for s3 in names]
    #: s3:GetObject notes/a
    s3.get_object(Bucket="notes", Key="a")
    return found


# case: rebound_in_a_branch
def rebound_in_a_branch(safe):
    client = boto3.client("s3")
    if safe:
        client = None
    #: s3:DeleteObject notes/a
    client.delete_object(Bucket="notes", Key="a")


# case: two_kinds_of_clients
def two_kinds_of_clients(far):
    client = boto3.client("s3") if far else boto3.client("sqs", region_name="us-east-1")
    #: s3:GetObject notes/a
    #: refused
    client.get_object(Bucket="notes", Key="a")


# case: deep_in_containers
def deep_in_containers(which):
    #: s3:GetObject notes/a
    nested["clients"]["list"][0].get_object(Bucket="notes", Key="a")
    #: s3:GetObject notes/b
    hidden[-1].get_object(Bucket="notes", Key="b")
    #: s3:DeleteObject notes/c
    box.inner.remove(Bucket="notes", Key="c")


# case: appended
def appended():
    steps = []
    steps.append(s3.get_object)
    steps.extend([s3.delete_object])
    for step in steps:
        #: s3:GetObject notes/a
        #: s3:DeleteObject notes/a
        step(Bucket="notes", Key="a")


# case: unpacked
def unpacked():
    first, *others = (s3.get_object, s3.delete_object, s3.head_object)
    #: s3:GetObject notes/a
    first(Bucket="notes", Key="a")
    #: s3:DeleteObject notes/b
    #: s3:GetObject notes/b
    others[0](Bucket="notes", Key="b")


# case: through_an_exception
class Stop(Exception):
    def __init__(self, client):
        super().__init__("stop")
        self.client = client


def through_an_exception():
    try:
        raise Stop(s3)
    except Stop as stop:
        #: s3:DeleteObject notes/a
        stop.client.delete_object(Bucket="notes", Key="a")


# case: through_a_generator_send
def waits():
    client = yield
    #: refused
    client.get_object(Bucket="notes", Key="a")


def through_a_generator_send():
    generator = waits()
    next(generator)
    generator.send(s3)


# case: through_a_weak_reference
def through_a_weak_reference():
    reference = weakref.ref(s3)
    #: s3:GetObject notes/a
    reference().get_object(Bucket="notes", Key="a")


# case: copied
def copied():
    #: s3:GetObject notes/a
    copy.copy(nested)["clients"]["s3"].get_object(Bucket="notes", Key="a")


# case: template_of_a_key
def template_of_a_key(day):
    #: s3:GetObject notes/*
    s3.get_object(Bucket="notes", Key=Template("in/$day").substitute(day=day))


# case: bucket_by_arithmetic
def bucket_by_arithmetic():
    #: s3:GetObject notes-3/a
    s3.get_object(Bucket=f"notes-{1 + 2}", Key="a")


# case: mutual_recursion
def even(n, key):
    #: s3:GetObject notes/a
    s3.get_object(Bucket="notes", Key=key)
    return odd(n - 1, key) if n else None


def odd(n, key):
    #: s3:DeleteObject notes/a
    s3.delete_object(Bucket="notes", Key=key)
    return even(n - 1, key) if n else None


def mutual_recursion(n):
    even(n, "a")


# case: function_that_returns_itself_changed
def compose(*functions):
    return functools.reduce(lambda f, g: lambda x: g(f(x)), functions)


def read_one(key):
    #: s3:GetObject notes/*
    #: read_only_mapping s3:GetObject notes/a
    return s3.get_object(Bucket="notes", Key=key)


def function_that_returns_itself_changed():
    compose(str.strip, read_one)(" a ")


# case: exit_callback
def exit_callback():
    with contextlib.ExitStack() as stack:
        #: s3:DeleteObject notes/a
        stack.callback(s3.delete_object, Bucket="notes", Key="a")


# case: at_exit
def at_exit():
    import atexit

    #: refused
    atexit.register(s3.delete_object, Bucket="notes", Key="a")


# case: signal_of_a_loop
async def signal_of_a_loop():
    import asyncio

    #: s3:DeleteObject notes/a
    asyncio.get_running_loop().call_later(1, lambda: s3.delete_object(Bucket="notes", Key="a"))


# case: star_import_of_a_client
def star_import_of_a_client(args):
    names = {**nested["clients"]}
    #: s3:GetObject notes/a
    names["s3"].get_object(**dict(Bucket="notes", Key="a"))


# case: late_binding_of_a_loop
def late_binding_of_a_loop():
    calls = []
    for method in (s3.get_object, s3.delete_object):
        #: s3:GetObject notes/a
        #: s3:DeleteObject notes/a
        calls.append(lambda key, method=method: method(Bucket="notes", Key=key))
    for each in calls:
        each("a")


# case: while_with_a_changing_client
def while_with_a_changing_client(n):
    client = s3
    while n:
        #: s3:GetObject notes/a
        #: refused
        client.get_object(Bucket="notes", Key="a")
        client = boto3.client("sqs", region_name="us-east-1")
        n -= 1


# case: bucket_changed_in_a_loop
def bucket_changed_in_a_loop(n):
    bucket = "one"
    while n:
        #: s3:GetObject one/a
        #: s3:GetObject two/a
        s3.get_object(Bucket=bucket, Key="a")
        bucket = "two"


# case: exception_inside_try
def exception_inside_try():
    key = "a"
    try:
        key = "b"
        int("x")
        key = "c"
    except ValueError:
        #: s3:GetObject notes/a
        #: s3:GetObject notes/b
        #: s3:GetObject notes/c
        s3.get_object(Bucket="notes", Key=key)


# case: returned_from_finally
def returned_from_finally():
    try:
        return 1
    finally:
        #: s3:GetObject notes/a
        s3.get_object(Bucket="notes", Key="a")


# case: given_by_keyword_only
def only_named(*, client, bucket="notes"):
    #: s3:GetObject notes/a
    client.get_object(Bucket=bucket, Key="a")


def given_by_keyword_only():
    only_named(**{"client": s3})


# case: threading_local
def threading_local():
    import threading

    local = threading.local()
    local.client = boto3.client("s3")
    #: s3:GetObject notes/a
    local.client.get_object(Bucket="notes", Key="a")


# case: read_only_mapping
WAYS = types.MappingProxyType({"read": read_one, "drop": really})


def read_only_mapping(way):
    WAYS[way]("a")


# case: client_of_an_unknown_thing
def client_of_an_unknown_thing(context):
    #: refused
    context.clients.storage.delete_object(Bucket="notes", Key="a")


# case: client_of_a_response
def client_of_a_response(request):
    found = request.state["aws"].pop()
    #: refused
    found.put_object(Bucket="notes", Key="a")


# case: foreign_object_with_our_functions
class Router:
    pass


router = contextlib.ExitStack()
router.callback(really)


def foreign_object_with_our_functions():
    router.close()


# case: bucket_given_from_outside
async def bucket_given_from_outside(bucket):
    #: refused
    await bucket.put("a", b"")


# case: many_in_a_list
#: many_in_a_list s3:GetObject notes/a
many = [lambda: s3.get_object(Bucket="notes", Key="a")] * 600


def many_in_a_list():
    for each in many:
        #: refused
        each()


# case: stored_in_a_foreign_place
def stored_in_a_foreign_place(app):
    app.handlers["remove"] = really


# case: lambda_default
def lambda_default():
    #: s3:GetObject notes/a
    (lambda client=s3: client.get_object(Bucket="notes", Key="a"))()


# case: nested_functions
def nested_functions():
    def one():
        def two():
            def three():
                #: s3:GetObject notes/a
                return s3.get_object(Bucket="notes", Key="a")

            return three

        return two

    one()()()


# case: assigned_twice_in_a_tuple
def assigned_twice_in_a_tuple():
    first, second = s3.get_object, s3.delete_object
    first, second = second, first
    #: s3:DeleteObject notes/a
    first(Bucket="notes", Key="a")


# case: conditional_expression_of_methods
def conditional_expression_of_methods(write):
    #: s3:GetObject notes/a
    #: s3:PutObject notes/a
    (s3.put_object if write else s3.get_object)(Bucket="notes", Key="a")


# case: or_default
def or_default(client=None):
    client = client or s3
    #: s3:GetObject notes/a
    #: refused
    client.get_object(Bucket="notes", Key="a")


# case: session_of_its_own
def session_of_its_own(name):
    #: refused
    boto3.Session(profile_name=name).client("s3").get_object(Bucket="notes", Key="a")


# case: assumed_role
def assumed_role(arn):
    #: refused
    boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="x")
