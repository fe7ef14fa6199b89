"""Keys that are known in part: what is put together, and what becomes of it."""

import os.path
import posixpath
from pathlib import PurePosixPath

import boto3

s3 = boto3.client("s3", region_name="us-east-1")
PREFIX = "reports"
LAYOUT = {"bucket": "notes", "folder": "2024"}


# case: f_string
def f_string(day):
    #: s3:GetObject notes/reports/*
    s3.get_object(Bucket="notes", Key=f"reports/{day}.csv")


# case: f_string_of_constants
def f_string_of_constants():
    number = 7
    #: s3:GetObject notes/reports/007.csv
    s3.get_object(Bucket="notes", Key=f"{PREFIX}/{number:03d}.csv")


# case: added
def added(day):
    #: s3:GetObject notes/reports/*
    s3.get_object(Bucket="notes", Key="reports/" + day + ".csv")


# case: percent
def percent(day):
    #: s3:GetObject notes/reports/*
    s3.get_object(Bucket="notes", Key="reports/%s/%02d.csv" % (day, 1))
    #: s3:GetObject notes/r/x-3
    s3.head_object(Bucket="notes", Key="r/%s-%d" % ("x", 3))


# case: formatted
def formatted(day):
    #: s3:GetObject notes/reports/*
    s3.get_object(Bucket="notes", Key="{}/{day}.csv".format(PREFIX, day=day))


# case: joined
def joined(day):
    #: s3:GetObject notes/reports/daily/*
    s3.get_object(Bucket="notes", Key="/".join([PREFIX, "daily", day]))


# case: path_joined
def path_joined():
    #: s3:GetObject notes/reports/a.csv
    s3.get_object(Bucket="notes", Key=posixpath.join(PREFIX, "a.csv"))
    #: s3:GetObject notes/x/b.csv
    s3.get_object(Bucket="notes", Key=os.path.join("x", "b.csv"))


# case: path_joined_with_what_may_begin_anew
def path_joined_with_what_may_begin_anew(day):
    #: s3:GetObject notes/reports/d*
    s3.get_object(Bucket="notes", Key=posixpath.join(PREFIX, f"d{day}"))


# case: pure_path
def pure_path():
    #: s3:GetObject notes/reports/a/b.csv
    s3.get_object(Bucket="notes", Key=str(PurePosixPath(PREFIX) / "a" / "b.csv"))


# case: lowered
def lowered():
    #: s3:GetObject notes/a.txt
    s3.get_object(Bucket="Notes".lower(), Key="a.TXT".replace("TXT", "txt"))


# case: from_a_live_dict
def from_a_live_dict(name):
    #: s3:GetObject notes/2024/*
    s3.get_object(Bucket=LAYOUT["bucket"], Key=f"{LAYOUT['folder']}/{name}")


# case: nothing_known
def nothing_known(key):
    #: s3:GetObject notes/*
    s3.get_object(Bucket="notes", Key=key)


# case: grown_in_a_loop
def grown_in_a_loop(parts):
    key = "in"
    for part in parts:
        key += "/" + part
    #: s3:GetObject notes/in*
    s3.get_object(Bucket="notes", Key=key)


# case: chosen
def chosen(kind):
    name = {"a": "alpha", "b": "beta"}.get(kind, "other")
    #: s3:GetObject notes/alpha
    #: s3:GetObject notes/beta
    #: s3:GetObject notes/other
    s3.get_object(Bucket="notes", Key=name)


# case: prefix_of_a_listing
def prefix_of_a_listing(day):
    #: s3:ListBucket notes [in/*]
    s3.list_objects_v2(Bucket="notes", Prefix="in/" + day)


# case: made_by_a_function
def key_of(kind, day):
    return f"{kind}/{day}"


def made_by_a_function(day):
    #: s3:GetObject notes/in/*
    s3.get_object(Bucket="notes", Key=key_of("in", day))
