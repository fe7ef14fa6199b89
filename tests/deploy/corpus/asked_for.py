"""Parameters that make a request ask for more, or for something else."""

import enum

import boto3

s3 = boto3.client("s3", region_name="us-east-1")


class SCol(str, enum.Enum):
    RED = "red"


# case: access_point
def access_point():
    #: refused
    s3.get_object(Bucket="arn:aws:s3:us-east-1:123456789012:accesspoint/ap", Key="k")


# case: directory_bucket
def directory_bucket():
    #: refused
    s3.get_object(Bucket="b--use1-az4--x-s3", Key="k")


# case: alias_of_an_access_point
def alias_of_an_access_point():
    #: refused
    s3.get_object(Bucket="my-ap-hrzrlukc5m36ft7okagglf3gmwluquse1b-s3alias", Key="k")


# case: another_partition
def another_partition():
    #: refused
    boto3.client("s3", region_name="cn-north-1").get_object(Bucket="b", Key="k")


# case: kept_for_years
def kept_for_years():
    #: s3:PutObject b/k
    #: s3:PutObjectRetention b/k
    s3.put_object(Bucket="b", Key="k", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=1)


# case: held
def held():
    #: s3:PutObject b/k
    #: s3:PutObjectLegalHold b/k
    s3.put_object(Bucket="b", Key="k", ObjectLockLegalHoldStatus="ON")


# case: granted_to_others
def granted_to_others():
    #: s3:PutObject b/k
    #: s3:PutObjectAcl b/k
    s3.put_object(Bucket="b", Key="k", GrantRead="id=1")


# case: written_if_it_is_the_same
def written_if_it_is_the_same():
    #: s3:GetObject b/k
    #: s3:PutObject b/k
    s3.put_object(Bucket="b", Key="k", IfMatch="x")


# case: version_copied
def version_copied():
    #: s3:GetObjectVersion a/x
    #: s3:PutObject b/k
    s3.copy_object(Bucket="b", Key="k", CopySource={"Bucket": "a", "Key": "x", "VersionId": "1"})


# case: version_in_a_source
def version_in_a_source():
    #: s3:GetObjectVersion a/x
    #: s3:PutObject b/k
    s3.copy_object(Bucket="b", Key="k", CopySource="a/x?versionId=1")


# case: retention_passed_by
def retention_passed_by():
    #: s3:BypassGovernanceRetention b/k
    #: s3:DeleteObjectVersion b/k
    s3.delete_object(Bucket="b", Key="k", BypassGovernanceRetention=True, VersionId="1")


# case: tags_of_a_version
def tags_of_a_version():
    #: s3:GetObjectVersionTagging b/k
    s3.get_object_tagging(Bucket="b", Key="k", VersionId="1")


# case: version_copied_in_parts
def version_copied_in_parts():
    #: s3:GetObjectVersion a/x
    #: s3:PutObject b/k
    s3.copy({"Bucket": "a", "Key": "x", "VersionId": "v"}, "b", "k")


# case: member_that_is_a_string
def member_that_is_a_string():
    #: s3:GetObject SCol.RED/k
    #: s3:GetObject red/k
    s3.get_object(Bucket=SCol.RED, Key="k")
