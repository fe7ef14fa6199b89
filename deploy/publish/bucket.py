"""The one bucket that must be there before the first stack: templates and source archives lie in it for a month.

It is Packyak's own, one for each account and region, closed to the public and to plain HTTP; nothing of the data ever
lies in it. Making it again changes nothing.
"""

from __future__ import annotations

import json
from typing import Any

from packyak.deploy.publish.account import Account, absent, asking, code_of
from packyak.engine.errors import CloudError

KEPT_DAYS = 30


def bucket_name(account: str, region: str) -> str:
    """What the bucket is called."""
    return f"packyak-{account}-{region}"


class Bucket:
    """The bucket of an account. owner: the account that it must belong to."""

    def __init__(self, account: Account, owner: str) -> None:
        self.account = account
        self.owner = owner
        self.name = bucket_name(owner, account.region)

    @property
    def _s3(self) -> Any:
        return self.account.client("s3")

    def there(self) -> bool:
        """Whether it is there. Raises where somebody else has that name."""
        with asking(f"the bucket {self.name} was looked for"):
            try:
                self._s3.head_bucket(Bucket=self.name, ExpectedBucketOwner=self.owner)
            except Exception as error:
                if absent(error):
                    return False
                if code_of(error) in ("403", "AccessDenied"):
                    raise CloudError(
                        f"the bucket {self.name} belongs to another account, or is closed to you",
                        next_step="use another region, or ask whoever runs the account",
                        code="403",
                    ) from error
                raise
        return True

    def make(self) -> bool:
        """Makes it, or sees to it that it is closed; answers whether it is new."""
        new = not self.there()
        where = {} if self.account.region == "us-east-1" else {"LocationConstraint": self.account.region}
        with asking(f"the bucket {self.name} was made"):
            if new:
                self._s3.create_bucket(Bucket=self.name, **({"CreateBucketConfiguration": where} if where else {}))
            self._close()
        return new

    def _close(self) -> None:
        rules = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        encrypted = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        arn = f"arn:aws:s3:::{self.name}"
        tls = {
            "Sid": "OnlyTls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }  # fmt: skip
        expires = {
            "ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": KEPT_DAYS},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }  # fmt: skip
        mine = {"Bucket": self.name}
        self._s3.put_public_access_block(**mine, PublicAccessBlockConfiguration=rules)
        self._s3.put_bucket_encryption(**mine, ServerSideEncryptionConfiguration={"Rules": encrypted})
        self._s3.put_bucket_lifecycle_configuration(**mine, LifecycleConfiguration={"Rules": [expires]})
        self._s3.put_bucket_policy(**mine, Policy=json.dumps({"Version": "2012-10-17", "Statement": [tls]}))

    def put(self, key: str, data: bytes) -> str:
        """Puts an object there; answers its address for CloudFormation."""
        with asking(f"{key} was put into {self.name}"):
            self._s3.put_object(Bucket=self.name, Key=key, Body=data, ExpectedBucketOwner=self.owner)
        return f"https://{self.name}.s3.{self.account.region}.amazonaws.com/{key}"
