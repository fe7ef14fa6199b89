"""What other cases call: a module beside theirs."""

import boto3

s3 = boto3.client("s3", region_name="us-east-1")


def save(key):
    #: in_another_module s3:PutObject notes/saved/a
    s3.put_object(Bucket="notes", Key=f"saved/{key}")


class Shelf:
    def __init__(self, bucket):
        self.bucket = bucket
        self.client = s3

    def fetch(self, key):
        return self._fetch(key)

    def _fetch(self, key):
        #: two_modules_away s3:GetObject notes/a
        return self.client.get_object(Bucket=self.bucket, Key=key)
