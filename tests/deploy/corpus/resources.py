"""Resource objects of boto3: actions, collections, identifiers, waiters, attributes that are fetched."""

import boto3

s3 = boto3.resource("s3")
bucket = s3.Bucket("notes")
table = boto3.resource("dynamodb", region_name="us-east-1").Table("orders")


# case: object_get
def object_get():
    #: s3:GetObject notes/a
    return s3.Object("notes", "a").get()["Body"].read()


# case: object_of_a_bucket
def object_of_a_bucket(body):
    #: s3:PutObject notes/a
    bucket.Object("a").put(Body=body)


# case: bucket_action
def bucket_action(body):
    #: s3:PutObject notes/a
    made = bucket.put_object(Key="a", Body=body)
    #: s3:DeleteObject notes/a
    made.delete()


# case: collection
def collection():
    #: s3:ListBucket notes [in/]
    return [each.key for each in bucket.objects.filter(Prefix="in/")]


# case: collection_narrowed_twice
def collection_narrowed_twice():
    #: s3:ListBucket notes [in/]
    for each in bucket.objects.all().filter(Prefix="in/").limit(5):
        #: s3:DeleteObject notes/in/*
        each.delete()


# case: collection_never_gone_over
def collection_never_gone_over():
    return str(bucket.objects.all() is None)


# case: collection_of_all
def collection_of_all():
    #: s3:ListBucket notes
    return sum(each.size for each in bucket.objects.all())


# case: delete_a_collection
def delete_a_collection():
    #: s3:ListBucket notes [old/]
    #: s3:DeleteObject notes/old/*
    bucket.objects.filter(Prefix="old/").delete()


# case: fetched_attribute
def fetched_attribute():
    #: s3:GetObject notes/a
    return s3.Object("notes", "a").content_length


# case: loaded_summary
def loaded_summary():
    summary = s3.ObjectSummary("notes", "a")
    #: s3:GetObject notes/a
    summary.load()
    return summary.key


# case: upload_through_a_bucket
def upload_through_a_bucket(path):
    #: s3:PutObject notes/a
    bucket.upload_file(path, "a")
    #: s3:GetObject notes/b
    bucket.download_file("b", path)


# case: upload_through_an_object
def upload_through_an_object(file):
    #: s3:PutObject notes/a
    s3.Object("notes", "a").upload_fileobj(file)


# case: copy_from
def copy_from():
    #: s3:GetObject from/a
    #: s3:PutObject to/b
    s3.Object("to", "b").copy_from(CopySource="from/a")


# case: copy_through_a_bucket
def copy_through_a_bucket():
    #: s3:GetObject from/a
    #: s3:PutObject notes/b
    bucket.copy({"Bucket": "from", "Key": "a"}, "b")


# case: wait_until_exists
def wait_until_exists():
    #: s3:GetObject notes/a
    s3.Object("notes", "a").wait_until_exists()


# case: client_of_a_resource
def client_of_a_resource():
    #: s3:GetObject notes/a
    s3.meta.client.get_object(Bucket="notes", Key="a")


# case: table_actions
def table_actions(key):
    #: dynamodb:GetItem table/orders
    table.get_item(Key=key)
    #: dynamodb:PutItem table/orders
    table.put_item(Item={})
    #: dynamodb:UpdateItem table/orders
    table.update_item(Key=key)
    #: dynamodb:DeleteItem table/orders
    table.delete_item(Key=key)


# case: table_query
def table_query():
    from boto3.dynamodb.conditions import Key

    #: dynamodb:Query table/orders
    table.query(KeyConditionExpression=Key("id").eq("1"))
    #: dynamodb:Query table/orders/index/by_day
    table.query(IndexName="by_day", KeyConditionExpression=Key("day").eq("1"))
    #: dynamodb:Scan table/orders
    table.scan()


# case: batch_writer
def batch_writer(items):
    #: dynamodb:BatchWriteItem table/orders
    with table.batch_writer() as batch:
        for item in items:
            batch.put_item(Item=item)


# case: table_attribute
def table_attribute():
    #: dynamodb:DescribeTable table/orders
    return table.item_count, table.name


# case: queue_by_name
def queue_by_name():
    #: sqs:GetQueueUrl arn:aws:sqs:us-east-1:{account}:jobs
    queue = boto3.resource("sqs", region_name="us-east-1").get_queue_by_name(QueueName="jobs")
    #: sqs:SendMessage arn:aws:sqs:us-east-1:{account}:jobs
    queue.send_message(MessageBody="go")


# case: topic
def topic():
    #: sns:Publish arn:aws:sns:us-east-1:123456789012:news
    boto3.resource("sns").Topic("arn:aws:sns:us-east-1:123456789012:news").publish(Message="m")


# case: tables_made_by_name
def tables_made_by_name():
    dynamodb = boto3.resource("dynamodb", region_name="us-east-1")
    #: dynamodb:Scan table/a
    #: dynamodb:Scan table/b
    return {name: dynamodb.Table(name).scan() for name in ("a", "b")}
