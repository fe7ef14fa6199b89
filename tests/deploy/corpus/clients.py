"""Clients, sessions, paginators, waiters and transfers, each call with what it needs."""

import boto3
import elsewhere
from boto3.s3.transfer import S3Transfer, TransferConfig

s3 = boto3.client("s3", region_name="us-east-1")
remove = s3.delete_object
pages_of = s3.get_paginator("list_objects_v2")
exists = s3.get_waiter("object_exists")
session = boto3.Session(region_name="us-east-1")
_lazy = None


# case: get_a_constant_key
def get_a_constant_key():
    #: s3:GetObject notes/a.txt
    return s3.get_object(Bucket="notes", Key="a.txt")


# case: client_made_in_the_body
def client_made_in_the_body(body):
    client = boto3.client("s3")
    #: s3:PutObject notes/a.txt
    client.put_object(Bucket="notes", Key="a.txt", Body=body)


# case: head_is_a_read
def head_is_a_read(key):
    #: s3:GetObject notes/*
    return s3.head_object(Bucket="notes", Key=key)["ContentLength"]


# case: a_version_is_another_action
def a_version_is_another_action():
    #: s3:GetObjectVersion notes/a
    s3.get_object(Bucket="notes", Key="a", VersionId="1")


# case: list_with_a_prefix
def list_with_a_prefix():
    #: s3:ListBucket notes [in/]
    return s3.list_objects_v2(Bucket="notes", Prefix="in/")


# case: list_all
def list_all():
    #: s3:ListBucket notes
    return s3.list_objects_v2(Bucket="notes")


# case: old_listing
def old_listing(day):
    #: s3:ListBucket notes [in/*]
    return s3.list_objects(Bucket="notes", Prefix=f"in/{day}/")


# case: delete_many
def delete_many():
    objects = [{"Key": "a"}, {"Key": "b/c"}]
    #: s3:DeleteObject notes/a
    #: s3:DeleteObject notes/b/c
    s3.delete_objects(Bucket="notes", Delete={"Objects": objects})


# case: copy_is_a_read_and_a_write
def copy_is_a_read_and_a_write():
    #: s3:GetObject from/a
    #: s3:PutObject to/b
    s3.copy_object(CopySource="from/a", Bucket="to", Key="b")


# case: managed_copy
def managed_copy(key):
    source = {"Bucket": "from", "Key": f"in/{key}"}
    #: s3:GetObject from/in/*
    #: s3:PutObject to/kept/x
    s3.copy(source, "to", "kept/x")


# case: download_file
def download_file(path):
    #: s3:GetObject notes/a.txt
    s3.download_file("notes", "a.txt", path)


# case: upload_file_in_parts
def upload_file_in_parts(path):
    many = TransferConfig(multipart_threshold=1)
    #: s3:PutObject notes/big.bin
    s3.upload_file(path, "notes", "big.bin", Config=many)


# case: upload_with_tags_and_acl
def upload_with_tags_and_acl(file):
    extra = {"Tagging": "a=b", "ACL": "private"}
    #: s3:PutObject notes/a
    #: s3:PutObjectTagging notes/a
    #: s3:PutObjectAcl notes/a
    s3.upload_fileobj(file, "notes", "a", ExtraArgs=extra)


# case: encrypted_with_a_key
def encrypted_with_a_key():
    key = "arn:aws:kms:eu-west-1:123456789012:key/k1"
    #: s3:PutObject notes/a
    #: kms:GenerateDataKey arn:aws:kms:eu-west-1:123456789012:key/k1
    s3.put_object(Bucket="notes", Key="a", SSEKMSKeyId=key)


# case: paginator
def paginator():
    #: s3:ListBucket notes [in/]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="notes", Prefix="in/"):
        for found in page["Contents"]:
            #: s3:GetObject notes/in/*
            s3.get_object(Bucket="notes", Key=found["Key"])


# case: live_paginator
def live_paginator():
    #: s3:ListBucket notes [p]
    return [page for page in pages_of.paginate(Bucket="notes", Prefix="p")]


# case: waiter
def waiter():
    #: s3:GetObject notes/a
    s3.get_waiter("object_exists").wait(Bucket="notes", Key="a")


# case: live_waiter
def live_waiter():
    #: s3:GetObject notes/a
    exists.wait(Bucket="notes", Key="a", WaiterConfig={"Delay": 1})


# case: alias_in_the_body
def alias_in_the_body():
    fetch = s3.get_object
    #: s3:GetObject notes/a
    fetch(Bucket="notes", Key="a")


# case: alias_in_the_module
def alias_in_the_module():
    #: s3:DeleteObject notes/a
    remove(Bucket="notes", Key="a")


# case: session_in_the_body
def session_in_the_body():
    own = boto3.session.Session()
    #: s3:GetObject notes/a
    own.client("s3").get_object(Bucket="notes", Key="a")


# case: session_in_the_module
def session_in_the_module():
    #: sqs:PurgeQueue arn:aws:sqs:eu-west-1:123456789012:q
    session.client("sqs").purge_queue(QueueUrl="https://sqs.eu-west-1.amazonaws.com/123456789012/q")


# case: import_in_the_body
def import_in_the_body():
    from boto3 import client as make

    #: s3:GetObject notes/a
    make("s3").get_object(Bucket="notes", Key="a")


# case: signed_address
def signed_address(key):
    given = {"Bucket": "notes", "Key": f"out/{key}"}
    #: s3:GetObject notes/out/*
    return s3.generate_presigned_url("get_object", Params=given)


# case: signed_form
def signed_form():
    #: s3:PutObject notes/in/upload
    return s3.generate_presigned_post("notes", "in/upload")


# case: own_transfer
def own_transfer(path):
    #: s3:PutObject notes/a
    S3Transfer(s3).upload_file(path, "notes", "a")


# case: by_the_call_beneath
def by_the_call_beneath():
    #: s3:DeleteObject notes/a
    s3._make_api_call("DeleteObject", {"Bucket": "notes", "Key": "a"})


# case: made_when_first_needed
def lazily():
    global _lazy
    if _lazy is None:
        _lazy = boto3.client("s3")
    return _lazy


def made_when_first_needed():
    #: s3:GetObject notes/a
    lazily().get_object(Bucket="notes", Key="a")


# case: parameters_as_a_dict
def parameters_as_a_dict():
    where = {"Bucket": "notes", "Key": "a"}
    #: s3:GetObject notes/a
    s3.get_object(**where)


# case: perhaps_a_version
def perhaps_a_version(version):
    more = {}
    if version:
        more["VersionId"] = version
    #: s3:GetObject notes/a
    #: s3:GetObjectVersion notes/a
    s3.get_object(Bucket="notes", Key="a", **more)


# case: in_another_module
def in_another_module():
    elsewhere.save("a")


# case: two_modules_away
def two_modules_away():
    elsewhere.Shelf("notes").fetch("a")


# case: nothing_of_aws
def nothing_of_aws(a, b):
    words = {"get_it": a}
    return sorted(words.values()), "-".join([b, "x"])


# case: several_lines
def several_lines(body):
    (
        boto3.client("s3")
        #: s3:PutObject notes/a
        .put_object(Bucket="notes", Key="a", Body=body)
        .get("ETag")
    )


# case: explicit_region
def explicit_region():
    client = boto3.client("dynamodb", region_name="eu-west-1")
    #: dynamodb:GetItem arn:aws:dynamodb:eu-west-1:{account}:table/orders
    client.get_item(TableName="orders", Key={})


# case: batch_of_keys_listed
def batch_of_keys_listed():
    #: s3:ListBucket notes [old/]
    listed = s3.list_objects_v2(Bucket="notes", Prefix="old/")
    gone = [{"Key": each["Key"]} for each in listed.get("Contents", [])]
    #: s3:DeleteObject notes/old/*
    s3.delete_objects(Bucket="notes", Delete={"Objects": gone})


# case: parts_by_hand
def parts_by_hand(body):
    #: s3:PutObject notes/a
    begun = s3.create_multipart_upload(Bucket="notes", Key="a")
    #: s3:PutObject notes/a
    s3.upload_part(Bucket="notes", Key="a", UploadId=begun["UploadId"], PartNumber=1, Body=body)
    #: s3:AbortMultipartUpload notes/a
    s3.abort_multipart_upload(Bucket="notes", Key="a", UploadId=begun["UploadId"])
