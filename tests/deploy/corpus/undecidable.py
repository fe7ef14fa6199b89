"""What cannot be told, each refused at the line that is marked."""

import contextvars
import ctypes
import functools
import importlib
import json
import os
import pickle
import subprocess

import boto3
import pandas as pd

from packyak import Bucket

s3 = boto3.client("s3", region_name="us-east-1")
inbox = Bucket("inbox")
BUCKET = os.environ.get("A_BUCKET_OF_THE_CLOUD", "notes")
_client = None
current = contextvars.ContextVar("current", default=s3)


# case: getattr_computed
def getattr_computed(verb):
    #: refused
    return getattr(s3, verb)(Bucket="notes", Key="a")


# case: getattr_known_in_part
def getattr_known_in_part(what):
    #: refused
    return getattr(s3, f"get_{what}")(Bucket="notes", Key="a")


# case: exec_text
def exec_text():
    #: refused
    exec("s3.delete_object(Bucket='notes', Key='a')")


# case: eval_text
def eval_text(text):
    #: refused
    return eval(text)


# case: bucket_from_outside
def bucket_from_outside(bucket):
    #: refused
    s3.get_object(Bucket=bucket, Key="a")


# case: bucket_from_an_event
def bucket_from_an_event(event):
    record = event["Records"][0]["s3"]
    #: refused
    s3.get_object(Bucket=record["bucket"]["name"], Key=record["object"]["key"])


# case: bucket_from_the_environment
def bucket_from_the_environment():
    #: refused
    s3.get_object(Bucket=os.environ["NOTES"], Key="a")


# case: setting_read_at_import
def setting_read_at_import():
    #: refused
    s3.get_object(Bucket=BUCKET, Key="a")


# case: bucket_known_in_part
def bucket_known_in_part(stage):
    #: refused
    s3.get_object(Bucket=f"notes-{stage}", Key="a")


# case: client_from_outside
def client_from_outside(client):
    #: refused
    client.delete_object(Bucket="notes", Key="a")


# case: table_from_outside
def table_from_outside(table):
    #: refused
    table.scan(FilterExpression="x")


# case: client_of_another_module
def client_of_another_module():
    from somewhere_else import storage

    #: refused
    storage.put_object(Bucket="notes", Key="a")


# case: service_computed
def service_computed(service):
    #: refused
    boto3.client(service).list_tables()


# case: client_to_foreign_code
def client_to_foreign_code():
    #: refused
    return json.dumps({"client": s3}, default=id)


# case: client_in_a_pickle
def client_in_a_pickle(file):
    #: refused
    pickle.dump(s3, file)


# case: client_out_of_a_pickle
def client_out_of_a_pickle(file):
    #: refused
    pickle.load(file).delete_object(Bucket="notes", Key="a")


# case: set_on_foreign_objects
def set_on_foreign_objects(request):
    #: refused
    request.client = s3


# case: module_computed
def module_computed(name):
    #: refused
    importlib.import_module(name).run()


# case: program
def program():
    #: refused
    subprocess.run(["aws", "s3", "rm", "s3://notes/a"])


# case: no_python
def no_python():
    #: refused
    ctypes.CDLL("libc.so.6")


# case: pandas_on_an_unknown_path
def pandas_on_an_unknown_path(path):
    #: refused
    return pd.read_parquet(path)


# case: folder_of_files
def folder_of_files():
    #: refused
    return pd.read_parquet("s3://lake/in/")


# case: query_on_files
def query_on_files():
    import duckdb

    #: refused
    return duckdb.sql("select * from 's3://lake/in/a.parquet'")


# case: operation_without_a_row
def operation_without_a_row():
    #: refused
    s3.put_bucket_policy(Bucket="notes", Policy="{}")


# case: other_credentials
def other_credentials(key, secret):
    #: refused
    boto3.client("s3", aws_access_key_id=key, aws_secret_access_key=secret).list_buckets()


# case: parameters_not_known
def parameters_not_known(**more):
    #: refused
    s3.put_object(Bucket="notes", Key="a", **more)


# case: prefix_from_outside
def prefix_from_outside(prefix):
    #: refused
    s3.list_objects_v2(Bucket="notes", Prefix=prefix)


# case: wildcard_in_a_key
def wildcard_in_a_key():
    #: refused
    s3.get_object(Bucket="notes", Key="a*b")


# case: callback_from_outside
def callback_from_outside(callback):
    #: refused
    callback("a")


# case: set_by_code_not_reached
def connect():
    global _client
    _client = boto3.client("s3")


def set_by_code_not_reached():
    #: refused
    _client.get_object(Bucket="notes", Key="a")


# case: key_alias
def key_alias(data):
    #: refused
    boto3.client("kms").encrypt(KeyId="alias/notes", Plaintext=data)


# case: queue_from_outside
def queue_from_outside(url):
    #: refused
    boto3.client("sqs").send_message(QueueUrl=url, MessageBody="m")


# case: which_bucket
def which_bucket(name):
    #: refused
    Bucket(name).put_sync("a", b"")


# case: verb_of_a_bucket_computed
def verb_of_a_bucket_computed(verb):
    #: refused
    getattr(inbox, verb)("a")


# case: bucket_to_foreign_code
def bucket_to_foreign_code():
    #: refused
    return functools.reduce(json.dumps, [inbox])


# case: phone_number
def phone_number():
    #: refused
    boto3.client("sns").publish(PhoneNumber="+4100000000", Message="m")


# case: all_names_of_the_module
def all_names_of_the_module(name):
    #: refused
    globals()[name].get_object(Bucket="notes", Key="a")


# case: frames
def frames():
    import inspect

    #: refused
    inspect.currentframe().f_globals["s3"].delete_object(Bucket="notes", Key="a")


# case: changed_client
def changed_client():
    #: refused
    s3.put_object = print
    #: s3:PutObject notes/a
    s3.put_object(Bucket="notes", Key="a")


# case: context_variable_set_elsewhere
def context_variable_set_elsewhere():
    #: refused
    #: s3:GetObject notes/a
    current.get().get_object(Bucket="notes", Key="a")


# case: package_that_uses_aws
def package_that_uses_aws():
    from moto.core import models

    #: refused
    models.patch_client(None)
