"""What leaves the code that is read: programs, code by its name, credentials, events of botocore."""

import importlib.metadata
import importlib.util
import inspect
import operator
import os
import pickle
import pkgutil
import pydoc
import runpy
import shlex
import subprocess
import sys
import timeit
import types
import marshal
import builtins
import asyncio

import boto3
import requests

s3 = boto3.client("s3", region_name="us-east-1")
live_ev = boto3.client("s3", region_name="us-east-1")


def _change(params, **kw):
    params["Bucket"] = "other"


live_ev.meta.events.register("before-parameter-build.s3.GetObject", _change)
MC = operator.methodcaller("delete_object", Bucket="b", Key="k")


def _task_a():
    s3.delete_object(Bucket="b", Key="t")


# case: members_of_a_module
def members_of_a_module():
    #: refused
    for n, f in inspect.getmembers(sys.modules[__name__], inspect.isfunction):
        if n.startswith("_task_"):
            f()


# case: entry_points
def entry_points():
    #: refused
    for e in importlib.metadata.entry_points(group="x"):
        e.load()()


# case: file_run
def file_run():
    #: refused
    runpy.run_path("/tmp/x.py")


# case: file_imported
def file_imported():
    #: refused
    spec = importlib.util.spec_from_file_location("m", "/tmp/x.py")
    #: refused
    m = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(m)
    m.main()


# case: function_by_its_name
def function_by_its_name():
    #: refused
    pkgutil.resolve_name("a2:_task_a")()


# case: function_located
def function_located():
    #: refused
    pydoc.locate("a2._task_a")()


# case: text_timed
def text_timed():
    #: refused
    timeit.timeit("s3.delete_object(Bucket='b',Key='k')", globals=globals(), number=1)


# case: code_unmarshalled
def code_unmarshalled(b):
    #: refused
    types.FunctionType(marshal.loads(b), globals())()


# case: unpickled_and_called
def unpickled_and_called(b):
    #: refused
    pickle.loads(b)()


# case: eval_out_of_a_dict
def eval_out_of_a_dict():
    #: refused
    vars(builtins)["eval"]("_task_a()")


# case: program_instead
def program_instead():
    #: refused
    os.execvp("aws", ["aws", "s3", "rm", "s3://b/k"])


# case: program_spawned
def program_spawned():
    #: refused
    os.posix_spawn("/usr/bin/aws", ["aws"], os.environ)


# case: program_behind_a_pipe
def program_behind_a_pipe():
    #: refused
    subprocess.run("cat x | aws s3 cp - s3://b/k", shell=True)


# case: program_by_another
def program_by_another():
    #: refused
    subprocess.run(["timeout", "10", "aws", "s3", "ls"])


# case: program_that_may_be_anything
def program_that_may_be_anything():
    #: refused
    subprocess.run(["make", "upload"])


# case: another_python
def another_python():
    #: refused
    subprocess.run(["python3.11", "up.py"])


# case: program_in_a_shell
async def program_in_a_shell():
    #: refused
    p = await asyncio.create_subprocess_shell("cat a | aws s3 cp - s3://x/y")


# case: program_of_this_machine
def program_of_this_machine(a):
    subprocess.run(["ffmpeg", "-i", a, "out.wav"], check=True)


# case: credentials_of_a_session
def credentials_of_a_session():
    #: refused
    c = boto3.Session().get_credentials().get_frozen_credentials()
    requests.put("https://b.s3.amazonaws.com/k", headers={"x": c.secret_key})


# case: credentials_of_the_environment
def credentials_of_the_environment():
    #: refused
    return requests.get("https://b.s3.amazonaws.com/k", headers={"x": os.environ["AWS_SECRET_ACCESS_KEY"]})


# case: credentials_of_the_machine
def credentials_of_the_machine():
    #: refused
    return requests.get("http://169.254.169.254/latest/meta-data/iam/security-credentials/role").json()


# case: event_that_changes_a_key
def event_that_changes_a_key():
    c = boto3.client("s3")

    def change(params, **kw):
        params["Key"] = "other/" + params["Key"]

    #: refused
    c.meta.events.register("before-parameter-build.s3", change)
    #: s3:GetObject b/k
    c.get_object(Bucket="b", Key="k")


# case: event_registered_before
def event_registered_before():
    #: refused
    #: s3:GetObject b/k
    live_ev.get_object(Bucket="b", Key="k")


# case: caller_of_a_method
def caller_of_a_method():
    #: refused
    MC(s3)
