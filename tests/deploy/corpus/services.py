"""Services beside S3, and how their parameters become resources."""

import boto3

REGION = "us-east-1"
dynamodb = boto3.client("dynamodb", region_name=REGION)
sqs = boto3.client("sqs", region_name=REGION)
sns = boto3.client("sns", region_name=REGION)
secrets = boto3.client("secretsmanager", region_name=REGION)
ssm = boto3.client("ssm", region_name=REGION)
kms = boto3.client("kms", region_name=REGION)
bedrock = boto3.client("bedrock-runtime", region_name=REGION)
textract = boto3.client("textract", region_name=REGION)
medical = boto3.client("comprehendmedical", region_name=REGION)
lambdas = boto3.client("lambda", region_name=REGION)
events = boto3.client("events", region_name=REGION)
steps = boto3.client("stepfunctions", region_name=REGION)


# case: items
def items(key):
    #: dynamodb:GetItem table/orders
    dynamodb.get_item(TableName="orders", Key=key)
    #: dynamodb:Query table/orders/index/by_day
    dynamodb.query(TableName="orders", IndexName="by_day")


# case: several_tables
def several_tables(keys):
    #: dynamodb:BatchGetItem table/orders
    #: dynamodb:BatchGetItem table/people
    dynamodb.batch_get_item(RequestItems={"orders": keys, "people": keys})


# case: transaction
def transaction(item):
    #: dynamodb:PutItem table/orders
    #: dynamodb:DeleteItem table/people
    dynamodb.transact_write_items(
        TransactItems=[{"Put": {"TableName": "orders", "Item": item}}, {"Delete": {"TableName": "people", "Key": item}}]
    )


# case: queue_by_url
def queue_by_url():
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/jobs"
    #: sqs:SendMessage arn:aws:sqs:us-east-1:123456789012:jobs
    sqs.send_message(QueueUrl=url, MessageBody="m")
    #: sqs:ReceiveMessage arn:aws:sqs:us-east-1:123456789012:jobs
    for message in sqs.receive_message(QueueUrl=url).get("Messages", []):
        #: sqs:DeleteMessage arn:aws:sqs:us-east-1:123456789012:jobs
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


# case: queue_asked_for_its_url
def queue_asked_for_its_url():
    #: sqs:GetQueueUrl arn:aws:sqs:us-east-1:{account}:jobs
    url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
    #: sqs:SendMessage arn:aws:sqs:us-east-1:{account}:jobs
    sqs.send_message(QueueUrl=url, MessageBody="m")


# case: publish
def publish():
    #: sns:Publish arn:aws:sns:us-east-1:123456789012:news
    sns.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:news", Message="m")


# case: secret
def secret():
    #: secretsmanager:GetSecretValue arn:aws:secretsmanager:us-east-1:{account}:secret:app/db-??????
    return secrets.get_secret_value(SecretId="app/db")


# case: parameters
def parameters(stage):
    #: ssm:GetParameter arn:aws:ssm:us-east-1:{account}:parameter/app/token
    ssm.get_parameter(Name="/app/token")
    #: ssm:GetParameters arn:aws:ssm:us-east-1:{account}:parameter/plain
    #: ssm:GetParameters arn:aws:ssm:us-east-1:{account}:parameter/app/*
    ssm.get_parameters(Names=["plain", f"/app/{stage}/x"])


# case: keys
def keys(data):
    #: kms:Encrypt arn:aws:kms:us-east-1:{account}:key/1234-abcd
    kms.encrypt(KeyId="1234-abcd", Plaintext=data)
    #: kms:Decrypt arn:aws:kms:eu-west-1:123456789012:key/k
    kms.decrypt(KeyId="arn:aws:kms:eu-west-1:123456789012:key/k", CiphertextBlob=data)


# case: language_model
def language_model(prompt):
    model = "anthropic.claude-3-haiku-20240307-v1:0"
    #: bedrock:InvokeModel arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0
    bedrock.converse(modelId=model, messages=prompt)
    #: bedrock:InvokeModelWithResponseStream arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0
    bedrock.invoke_model_with_response_stream(modelId=model, body=prompt)


# case: document_in_s3
def document_in_s3(page):
    #: textract:DetectDocumentText *
    #: s3:GetObject scans/in/*
    textract.detect_document_text(Document={"S3Object": {"Bucket": "scans", "Name": f"in/{page}"}})


# case: document_at_hand
def document_at_hand(data):
    #: textract:AnalyzeDocument *
    textract.analyze_document(Document={"Bytes": data}, FeatureTypes=["TABLES"])
    #: comprehendmedical:DetectEntitiesV2 *
    medical.detect_entities_v2(Text="x")


# case: invoke
def invoke():
    #: lambda:InvokeFunction arn:aws:lambda:us-east-1:{account}:function:resize
    lambdas.invoke(FunctionName="resize")
    #: lambda:InvokeFunction arn:aws:lambda:us-east-1:{account}:function:resize:live
    lambdas.invoke(FunctionName="resize", Qualifier="live")


# case: tell
def tell(detail):
    #: events:PutEvents arn:aws:events:us-east-1:{account}:event-bus/default
    events.put_events(Entries=[{"Source": "app", "Detail": detail}])
    #: events:PutEvents arn:aws:events:us-east-1:{account}:event-bus/own
    events.put_events(Entries=[{"Source": "app", "EventBusName": "own"}])


# case: start
def start():
    #: states:StartExecution arn:aws:states:us-east-1:123456789012:stateMachine:m
    steps.start_execution(stateMachineArn="arn:aws:states:us-east-1:123456789012:stateMachine:m")


# case: who_am_i
def who_am_i():
    return boto3.client("sts").get_caller_identity()["Account"]
