"""Which IAM actions an operation of AWS asks for, and which of its parameters make the resource. The one table of it.

A line is an operation, an action, a resource and options. In a resource `{Name}` is a parameter, `{A.B[].C}` one within
others, `{Name:form}` one read by a form of `parameters`, `{Name*}` one that may be open at its end. `*` as a resource:
AWS has nothing narrower for the action. `-`: the operation asks for nothing. Options: `if=P`, `unless=P` (a parameter
is given), `prefix=P` (of a listing), `via=SERVICE` (for a key). What has no line here is refused.
"""

S3 = """
GetObject s3:GetObject arn:aws:s3:::{Bucket}/{Key*} unless=VersionId
GetObject s3:GetObjectVersion arn:aws:s3:::{Bucket}/{Key*} if=VersionId
HeadObject s3:GetObject arn:aws:s3:::{Bucket}/{Key*} unless=VersionId
HeadObject s3:GetObjectVersion arn:aws:s3:::{Bucket}/{Key*} if=VersionId
GetObjectAttributes s3:GetObject arn:aws:s3:::{Bucket}/{Key*} unless=VersionId
GetObjectAttributes s3:GetObjectVersion arn:aws:s3:::{Bucket}/{Key*} if=VersionId
GetObjectAttributes s3:GetObjectAttributes arn:aws:s3:::{Bucket}/{Key*} unless=VersionId
GetObjectAttributes s3:GetObjectVersionAttributes arn:aws:s3:::{Bucket}/{Key*} if=VersionId
GetObjectTagging s3:GetObjectTagging arn:aws:s3:::{Bucket}/{Key*} unless=VersionId
GetObjectTagging s3:GetObjectVersionTagging arn:aws:s3:::{Bucket}/{Key*} if=VersionId
GetObjectAcl s3:GetObjectAcl arn:aws:s3:::{Bucket}/{Key*} unless=VersionId
GetObjectAcl s3:GetObjectVersionAcl arn:aws:s3:::{Bucket}/{Key*} if=VersionId
SelectObjectContent s3:GetObject arn:aws:s3:::{Bucket}/{Key*}
RestoreObject s3:RestoreObject arn:aws:s3:::{Bucket}/{Key*}
PutObject s3:PutObject arn:aws:s3:::{Bucket}/{Key*}
PutObject s3:PutObjectTagging arn:aws:s3:::{Bucket}/{Key*} if=Tagging
PutObject s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=ACL
PutObject s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=GrantFullControl
PutObject s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=GrantRead
PutObject s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=GrantReadACP
PutObject s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=GrantWriteACP
PutObject s3:PutObjectRetention arn:aws:s3:::{Bucket}/{Key*} if=ObjectLockMode
PutObject s3:PutObjectLegalHold arn:aws:s3:::{Bucket}/{Key*} if=ObjectLockLegalHoldStatus
PutObject kms:GenerateDataKey {SSEKMSKeyId:key} if=SSEKMSKeyId via=s3
PutObject s3:GetObject arn:aws:s3:::{Bucket}/{Key*} if=IfMatch
PutObjectTagging s3:PutObjectTagging arn:aws:s3:::{Bucket}/{Key*} unless=VersionId
PutObjectTagging s3:PutObjectVersionTagging arn:aws:s3:::{Bucket}/{Key*} if=VersionId
PutObjectAcl s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} unless=VersionId
PutObjectAcl s3:PutObjectVersionAcl arn:aws:s3:::{Bucket}/{Key*} if=VersionId
DeleteObjectTagging s3:DeleteObjectTagging arn:aws:s3:::{Bucket}/{Key*} unless=VersionId
DeleteObjectTagging s3:DeleteObjectVersionTagging arn:aws:s3:::{Bucket}/{Key*} if=VersionId
CreateMultipartUpload s3:PutObject arn:aws:s3:::{Bucket}/{Key*}
CreateMultipartUpload s3:PutObjectTagging arn:aws:s3:::{Bucket}/{Key*} if=Tagging
CreateMultipartUpload s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=ACL
CreateMultipartUpload s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=GrantFullControl
CreateMultipartUpload s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=GrantRead
CreateMultipartUpload s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=GrantReadACP
CreateMultipartUpload s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=GrantWriteACP
CreateMultipartUpload s3:PutObjectRetention arn:aws:s3:::{Bucket}/{Key*} if=ObjectLockMode
CreateMultipartUpload s3:PutObjectLegalHold arn:aws:s3:::{Bucket}/{Key*} if=ObjectLockLegalHoldStatus
CreateMultipartUpload kms:GenerateDataKey {SSEKMSKeyId:key} if=SSEKMSKeyId via=s3
CreateMultipartUpload kms:Decrypt {SSEKMSKeyId:key} if=SSEKMSKeyId via=s3
UploadPart s3:PutObject arn:aws:s3:::{Bucket}/{Key*}
CompleteMultipartUpload s3:PutObject arn:aws:s3:::{Bucket}/{Key*}
CompleteMultipartUpload s3:GetObject arn:aws:s3:::{Bucket}/{Key*} if=IfMatch
AbortMultipartUpload s3:AbortMultipartUpload arn:aws:s3:::{Bucket}/{Key*}
ListParts s3:ListMultipartUploadParts arn:aws:s3:::{Bucket}/{Key*}
UploadPartCopy s3:GetObject arn:aws:s3:::{CopySource*:source} unless=CopySource.VersionId
UploadPartCopy s3:GetObjectVersion arn:aws:s3:::{CopySource*:source} if=CopySource.VersionId
UploadPartCopy s3:PutObject arn:aws:s3:::{Bucket}/{Key*}
CopyObject s3:GetObject arn:aws:s3:::{CopySource*:source} unless=CopySource.VersionId
CopyObject s3:GetObjectVersion arn:aws:s3:::{CopySource*:source} if=CopySource.VersionId
CopyObject s3:PutObject arn:aws:s3:::{Bucket}/{Key*}
CopyObject s3:PutObjectTagging arn:aws:s3:::{Bucket}/{Key*} if=Tagging
CopyObject s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=ACL
CopyObject s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=GrantFullControl
CopyObject s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=GrantRead
CopyObject s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=GrantReadACP
CopyObject s3:PutObjectAcl arn:aws:s3:::{Bucket}/{Key*} if=GrantWriteACP
CopyObject s3:PutObjectRetention arn:aws:s3:::{Bucket}/{Key*} if=ObjectLockMode
CopyObject s3:PutObjectLegalHold arn:aws:s3:::{Bucket}/{Key*} if=ObjectLockLegalHoldStatus
CopyObject kms:GenerateDataKey {SSEKMSKeyId:key} if=SSEKMSKeyId via=s3
DeleteObject s3:DeleteObject arn:aws:s3:::{Bucket}/{Key*} unless=VersionId
DeleteObject s3:DeleteObjectVersion arn:aws:s3:::{Bucket}/{Key*} if=VersionId
DeleteObject s3:BypassGovernanceRetention arn:aws:s3:::{Bucket}/{Key*} if=BypassGovernanceRetention
DeleteObject s3:GetObject arn:aws:s3:::{Bucket}/{Key*} if=IfMatch
DeleteObjects s3:DeleteObject arn:aws:s3:::{Bucket}/{Delete.Objects[].Key*} unless=Delete.Objects[].VersionId
DeleteObjects s3:DeleteObjectVersion arn:aws:s3:::{Bucket}/{Delete.Objects[].Key*} if=Delete.Objects[].VersionId
DeleteObjects s3:BypassGovernanceRetention arn:aws:s3:::{Bucket}/{Delete.Objects[].Key*} if=BypassGovernanceRetention
ListObjects s3:ListBucket arn:aws:s3:::{Bucket} prefix=Prefix
ListObjectsV2 s3:ListBucket arn:aws:s3:::{Bucket} prefix=Prefix
ListObjectVersions s3:ListBucketVersions arn:aws:s3:::{Bucket} prefix=Prefix
ListMultipartUploads s3:ListBucketMultipartUploads arn:aws:s3:::{Bucket}
HeadBucket s3:ListBucket arn:aws:s3:::{Bucket}
GetBucketLocation s3:GetBucketLocation arn:aws:s3:::{Bucket}
ListBuckets s3:ListAllMyBuckets *
"""

DYNAMODB = """
GetItem dynamodb:GetItem {TableName:table}
PutItem dynamodb:PutItem {TableName:table}
UpdateItem dynamodb:UpdateItem {TableName:table}
DeleteItem dynamodb:DeleteItem {TableName:table}
Query dynamodb:Query {TableName:table} unless=IndexName
Query dynamodb:Query {TableName:table}/index/{IndexName} if=IndexName
Scan dynamodb:Scan {TableName:table} unless=IndexName
Scan dynamodb:Scan {TableName:table}/index/{IndexName} if=IndexName
BatchGetItem dynamodb:BatchGetItem {RequestItems{}:table}
BatchWriteItem dynamodb:BatchWriteItem {RequestItems{}:table}
TransactGetItems dynamodb:GetItem {TransactItems[].Get.TableName:table}
TransactWriteItems dynamodb:PutItem {TransactItems[].Put.TableName:table} if=TransactItems[].Put
TransactWriteItems dynamodb:UpdateItem {TransactItems[].Update.TableName:table} if=TransactItems[].Update
TransactWriteItems dynamodb:DeleteItem {TransactItems[].Delete.TableName:table} if=TransactItems[].Delete
TransactWriteItems dynamodb:ConditionCheckItem {TransactItems[].ConditionCheck.TableName:table} if=TransactItems[].ConditionCheck
DescribeTable dynamodb:DescribeTable {TableName:table}
DescribeTimeToLive dynamodb:DescribeTimeToLive {TableName:table}
ListTables dynamodb:ListTables *
"""

SQS = """
SendMessage sqs:SendMessage {QueueUrl:queue}
SendMessageBatch sqs:SendMessage {QueueUrl:queue}
ReceiveMessage sqs:ReceiveMessage {QueueUrl:queue}
DeleteMessage sqs:DeleteMessage {QueueUrl:queue}
DeleteMessageBatch sqs:DeleteMessage {QueueUrl:queue}
ChangeMessageVisibility sqs:ChangeMessageVisibility {QueueUrl:queue}
ChangeMessageVisibilityBatch sqs:ChangeMessageVisibility {QueueUrl:queue}
GetQueueAttributes sqs:GetQueueAttributes {QueueUrl:queue}
GetQueueUrl sqs:GetQueueUrl arn:aws:sqs:{region}:{account}:{QueueName}
PurgeQueue sqs:PurgeQueue {QueueUrl:queue}
ListQueues sqs:ListQueues *
"""

SNS = """
Publish sns:Publish {TopicArn:arn} if=TopicArn
Publish sns:Publish {TargetArn:arn} if=TargetArn
Publish sns:Publish {PhoneNumber:phone} if=PhoneNumber
PublishBatch sns:Publish {TopicArn:arn}
Subscribe sns:Subscribe {TopicArn:arn}
GetTopicAttributes sns:GetTopicAttributes {TopicArn:arn}
ListSubscriptionsByTopic sns:ListSubscriptionsByTopic {TopicArn:arn}
ListTopics sns:ListTopics *
"""

SECRETSMANAGER = """
GetSecretValue secretsmanager:GetSecretValue {SecretId*:secret}
DescribeSecret secretsmanager:DescribeSecret {SecretId*:secret}
PutSecretValue secretsmanager:PutSecretValue {SecretId*:secret}
"""

SSM = """
GetParameter ssm:GetParameter {Name*:parameter}
GetParameters ssm:GetParameters {Names[]*:parameter}
GetParametersByPath ssm:GetParametersByPath {Path*:parameter}
GetParameterHistory ssm:GetParameterHistory {Name*:parameter}
PutParameter ssm:PutParameter {Name*:parameter}
DeleteParameter ssm:DeleteParameter {Name*:parameter}
"""

KMS = """
Encrypt kms:Encrypt {KeyId:key}
Decrypt kms:Decrypt {KeyId:key}
GenerateDataKey kms:GenerateDataKey {KeyId:key}
GenerateDataKeyWithoutPlaintext kms:GenerateDataKeyWithoutPlaintext {KeyId:key}
GenerateMac kms:GenerateMac {KeyId:key}
VerifyMac kms:VerifyMac {KeyId:key}
Sign kms:Sign {KeyId:key}
Verify kms:Verify {KeyId:key}
GetPublicKey kms:GetPublicKey {KeyId:key}
DescribeKey kms:DescribeKey {KeyId:key}
GenerateRandom kms:GenerateRandom *
"""

BEDROCK = """
InvokeModel bedrock:InvokeModel {modelId:model}
InvokeModelWithResponseStream bedrock:InvokeModelWithResponseStream {modelId:model}
Converse bedrock:InvokeModel {modelId:model}
ConverseStream bedrock:InvokeModelWithResponseStream {modelId:model}
"""

_DOCUMENT = "s3:GetObject arn:aws:s3:::{Document.S3Object.Bucket}/{Document.S3Object.Name*} if=Document.S3Object"
_LOCATION = "s3:GetObject arn:aws:s3:::{DocumentLocation.S3Object.Bucket}/{DocumentLocation.S3Object.Name*}"
TEXTRACT = f"""
DetectDocumentText textract:DetectDocumentText *
DetectDocumentText {_DOCUMENT}
AnalyzeDocument textract:AnalyzeDocument *
AnalyzeDocument {_DOCUMENT}
AnalyzeExpense textract:AnalyzeExpense *
AnalyzeExpense {_DOCUMENT}
StartDocumentTextDetection textract:StartDocumentTextDetection *
StartDocumentTextDetection {_LOCATION}
GetDocumentTextDetection textract:GetDocumentTextDetection *
StartDocumentAnalysis textract:StartDocumentAnalysis *
StartDocumentAnalysis {_LOCATION}
GetDocumentAnalysis textract:GetDocumentAnalysis *
"""

COMPREHENDMEDICAL = """
DetectEntities comprehendmedical:DetectEntities *
DetectEntitiesV2 comprehendmedical:DetectEntitiesV2 *
DetectPHI comprehendmedical:DetectPHI *
InferICD10CM comprehendmedical:InferICD10CM *
InferRxNorm comprehendmedical:InferRxNorm *
InferSNOMEDCT comprehendmedical:InferSNOMEDCT *
"""

COMPREHEND = """
DetectEntities comprehend:DetectEntities *
DetectSentiment comprehend:DetectSentiment *
DetectKeyPhrases comprehend:DetectKeyPhrases *
DetectDominantLanguage comprehend:DetectDominantLanguage *
DetectPiiEntities comprehend:DetectPiiEntities *
"""

LAMBDA = """
Invoke lambda:InvokeFunction {FunctionName:function}:{Qualifier} if=Qualifier
Invoke lambda:InvokeFunction {FunctionName:function} unless=Qualifier
InvokeAsync lambda:InvokeFunction {FunctionName:function}
"""

EVENTS = """
PutEvents events:PutEvents {Entries[].EventBusName:bus}
"""

STATES = """
StartExecution states:StartExecution {stateMachineArn:arn}
StartSyncExecution states:StartSyncExecution {stateMachineArn:arn}
DescribeStateMachine states:DescribeStateMachine {stateMachineArn:arn}
ListExecutions states:ListExecutions {stateMachineArn:arn}
StopExecution states:StopExecution {executionArn*:arn}
DescribeExecution states:DescribeExecution {executionArn*:arn}
GetExecutionHistory states:GetExecutionHistory {executionArn*:arn}
"""

KINESIS = """
PutRecord kinesis:PutRecord arn:aws:kinesis:{region}:{account}:stream/{StreamName}
PutRecords kinesis:PutRecords arn:aws:kinesis:{region}:{account}:stream/{StreamName}
"""

FIREHOSE = """
PutRecord firehose:PutRecord arn:aws:firehose:{region}:{account}:deliverystream/{DeliveryStreamName}
PutRecordBatch firehose:PutRecordBatch arn:aws:firehose:{region}:{account}:deliverystream/{DeliveryStreamName}
"""

CLOUDWATCH = """
PutMetricData cloudwatch:PutMetricData *
"""

STS = """
GetCallerIdentity - -
"""

SERVICES = {
    "s3": S3,
    "dynamodb": DYNAMODB,
    "sqs": SQS,
    "sns": SNS,
    "secretsmanager": SECRETSMANAGER,
    "ssm": SSM,
    "kms": KMS,
    "bedrock-runtime": BEDROCK,
    "textract": TEXTRACT,
    "comprehendmedical": COMPREHENDMEDICAL,
    "comprehend": COMPREHEND,
    "lambda": LAMBDA,
    "events": EVENTS,
    "stepfunctions": STATES,
    "kinesis": KINESIS,
    "firehose": FIREHOSE,
    "cloudwatch": CLOUDWATCH,
    "sts": STS,
}
