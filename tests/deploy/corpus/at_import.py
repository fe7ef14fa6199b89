"""A module that asks AWS for something while it is imported."""

import boto3

s3 = boto3.client("s3", region_name="us-east-1", endpoint_url="http://127.0.0.1:9")


def settings():
    return {}


SETTINGS = settings() or (lambda: s3.get_object(Bucket="settings", Key="app.json"))
try:
    #: when_imported s3:GetObject settings/app.json
    STARTED = s3.get_object(Bucket="settings", Key="app.json") if SETTINGS is None else None
except OSError:
    STARTED = None


# case: when_imported
def when_imported():
    return STARTED
