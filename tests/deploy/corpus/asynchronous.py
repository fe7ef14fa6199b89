"""Async code, threads and queues of work."""

import asyncio
import contextvars
import queue
import threading

import boto3

s3 = boto3.client("s3", region_name="us-east-1")
current = contextvars.ContextVar("current", default=s3)


# case: awaited
async def awaited():
    return await fetch("a")


async def fetch(key):
    #: awaited s3:GetObject notes/a
    #: gathered s3:GetObject notes/x
    #: gathered s3:GetObject notes/y
    #: as_a_task s3:GetObject notes/t
    #: run s3:GetObject notes/r
    return await asyncio.to_thread(s3.get_object, Bucket="notes", Key=key)


# case: gathered
async def gathered():
    await asyncio.gather(*(fetch(key) for key in ("x", "y")))


# case: as_a_task
async def as_a_task():
    task = asyncio.create_task(fetch("t"))
    await task


# case: run
def run():
    asyncio.run(fetch("r"))


# case: to_thread
async def to_thread():
    await asyncio.to_thread(store, "a", body=b"")


def store(key, body):
    #: s3:PutObject notes/a
    s3.put_object(Bucket="notes", Key=key, Body=body)


# case: in_an_executor
async def in_an_executor():
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, drop, "a")


def drop(key):
    #: in_an_executor s3:DeleteObject notes/a
    #: thread s3:DeleteObject notes/b
    s3.delete_object(Bucket="notes", Key=key)


# case: thread
def thread():
    worker = threading.Thread(target=drop, args=("b",))
    worker.start()
    worker.join()


# case: thread_class
class Worker(threading.Thread):
    def __init__(self, key):
        super().__init__()
        self.key = key

    def run(self):
        #: s3:GetObject notes/w
        s3.get_object(Bucket="notes", Key=self.key)


def thread_class():
    Worker("w").start()


# case: async_generator
async def keys():
    for key in ("a", "b"):
        yield key


async def async_generator():
    async for key in keys():
        #: s3:GetObject notes/a
        #: s3:GetObject notes/b
        s3.head_object(Bucket="notes", Key=key)


# case: context_variable
def context_variable():
    current.set(boto3.client("s3"))
    #: s3:GetObject notes/a
    current.get().get_object(Bucket="notes", Key="a")


# case: through_a_queue
def through_a_queue():
    work = queue.Queue()
    work.put("a")
    #: s3:GetObject notes/a
    s3.get_object(Bucket="notes", Key=work.get())


# case: async_with
class Opened:
    async def __aenter__(self):
        return s3

    async def __aexit__(self, *error):
        return None


async def async_with():
    async with Opened() as client:
        #: s3:GetObject notes/a
        client.get_object(Bucket="notes", Key="a")
