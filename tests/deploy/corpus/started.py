"""A module that calls functions while it is imported, and imports another that does."""

import boto3
import pandas as pd
import started_before

s3 = boto3.client("s3", region_name="us-east-1")
ASKED = False


def load():
    #: called_while_imported s3:GetObject started/model
    #: decorated_while_imported s3:GetObject started/model
    return s3.get_object(Bucket="started", Key="model") if ASKED else None


def noted(function):
    if ASKED:
        #: called_while_imported s3:PutObject started/noted
        #: decorated_while_imported s3:PutObject started/noted
        s3.put_object(Bucket="started", Key="noted", Body=b"")
    return function


MODEL = load()
#: called_while_imported s3:GetObject started/frame.csv
#: decorated_while_imported s3:GetObject started/frame.csv
FRAME = pd.read_csv("s3://started/frame.csv") if ASKED else None


# case: called_while_imported
def called_while_imported():
    return MODEL


# case: decorated_while_imported
@noted
def decorated_while_imported():
    return started_before.STATE
