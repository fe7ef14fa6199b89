"""What is another where the code will run, or at another time: the value that a module has here tells nothing."""

import datetime
import os
import random
import time
import types
import uuid
from dataclasses import dataclass, field
from os import environ as settings

import boto3
import stages
from stages import BUCKET as IMPORTED

s3 = boto3.client("s3", region_name="us-east-1")
STAGE = os.environ.get("STAGE", "dev")
BUCKET = f"data-{STAGE}"
TODAY = datetime.date.today().isoformat()
RUN = uuid.uuid4().hex
BASE = stages.base()
SUFFIX = random.choice("ab")
NOW = time.strftime("%Y")
CONFIG = {"bucket": os.environ.get("B", "dev"), "fixed": "fixed"}
ALI = settings.get("B", "dev")
SESS = boto3.Session(region_name="eu-west-1")
REGION = os.environ.get("AWS_REGION", "us-east-1")


@dataclass
class Cfg:
    bucket: str = os.environ.get("B", "dev")
    other: str = field(default_factory=lambda: os.environ.get("B", "dev"))


CFG = Cfg()


def _load():
    return types.SimpleNamespace(bucket=os.environ.get("B", "dev"))


LOADED = _load()


# case: name_put_together_of_a_setting
def name_put_together_of_a_setting():
    #: refused
    s3.get_object(Bucket=BUCKET, Key="a")


# case: setting_of_another_module
def setting_of_another_module():
    #: refused
    s3.get_object(Bucket=IMPORTED, Key="a")


# case: setting_asked_of_a_module
def setting_asked_of_a_module():
    #: refused
    s3.get_object(Bucket=stages.BUCKET, Key="a")


# case: setting_made_by_a_function
def setting_made_by_a_function():
    #: refused
    s3.get_object(Bucket=BASE, Key="a")


# case: day_of_the_import
def day_of_the_import():
    #: s3:PutObject b/d/*
    s3.put_object(Bucket="b", Key=f"d/{TODAY}", Body=b"")


# case: number_of_the_import
def number_of_the_import():
    #: s3:PutObject b/r/*
    s3.put_object(Bucket="b", Key=f"r/{RUN}", Body=b"")


# case: letter_of_the_import
def letter_of_the_import():
    #: s3:PutObject b/r/*
    s3.put_object(Bucket="b", Key=f"r/{SUFFIX}", Body=b"")


# case: year_of_the_import
def year_of_the_import():
    #: s3:PutObject b/y/*
    s3.put_object(Bucket="b", Key="y/" + NOW, Body=b"")


# case: setting_in_a_dict
def setting_in_a_dict():
    #: refused
    s3.get_object(Bucket=CONFIG["bucket"], Key="k")


# case: beside_a_setting_in_a_dict
def beside_a_setting_in_a_dict():
    #: s3:GetObject fixed/k
    s3.get_object(Bucket=CONFIG["fixed"], Key="k")


# case: setting_in_a_dataclass
def setting_in_a_dataclass():
    #: refused
    s3.get_object(Bucket=CFG.bucket, Key="k")


# case: setting_by_a_factory
def setting_by_a_factory():
    #: refused
    s3.get_object(Bucket=CFG.other, Key="k")


# case: setting_of_a_new_object
def setting_of_a_new_object():
    #: refused
    s3.get_object(Bucket=Cfg().bucket, Key="k")


# case: setting_in_a_namespace
def setting_in_a_namespace():
    #: refused
    s3.get_object(Bucket=LOADED.bucket, Key="k")


# case: environment_under_another_name
def environment_under_another_name():
    #: refused
    s3.get_object(Bucket=ALI, Key="k")


# case: region_of_the_environment
def region_of_the_environment():
    #: dynamodb:PutItem arn:aws:dynamodb:{region}:{account}:table/t
    boto3.client("dynamodb", region_name=os.environ["AWS_REGION"]).put_item(TableName="t", Item={})


# case: region_of_a_module
def region_of_a_module():
    #: dynamodb:PutItem arn:aws:dynamodb:{region}:{account}:table/t
    boto3.client("dynamodb", region_name=REGION).put_item(TableName="t", Item={})


# case: region_from_outside
def region_from_outside(region):
    #: dynamodb:PutItem arn:aws:dynamodb:{region}:{account}:table/t
    #: refused
    boto3.client("dynamodb", region_name=region).put_item(TableName="t", Item={})


# case: default_that_is_a_setting
def default_that_is_a_setting(bucket=BUCKET):
    #: refused
    s3.get_object(Bucket=bucket, Key="k")


# case: region_of_a_session
def region_of_a_session():
    #: dynamodb:PutItem arn:aws:dynamodb:eu-west-1:{account}:table/t
    boto3.Session(region_name="eu-west-1").client("dynamodb").put_item(TableName="t", Item={})


# case: region_of_a_live_session
def region_of_a_live_session():
    #: dynamodb:PutItem arn:aws:dynamodb:eu-west-1:{account}:table/t
    SESS.client("dynamodb").put_item(TableName="t", Item={})


# case: region_by_another_name
def region_by_another_name():
    #: dynamodb:PutItem arn:aws:dynamodb:{region}:{account}:table/t
    #: refused
    boto3.client("dynamodb", region_name=os.environ["R"]).put_item(TableName="t", Item={})
