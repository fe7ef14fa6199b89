"""Grants that an author declares (`grants=[S3.get("notes/*")]`), where reading the code cannot tell what it does.

Each names an action and a resource, and is kept as it is until a deployment asks for it. A wildcard stands only at the
end of a resource, and never in an action. Names become ARNs, in which `{region}` and `{account}` stand for where it
runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from packyak.engine.declare.nodes import Origin
from packyak.engine.declare.origin import here
from packyak.engine.errors import DeclarationError

ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+")
WHOLE = (  # what AWS can only allow on everything
    "textract:",
    "comprehend:",
    "comprehendmedical:",
    "cloudwatch:PutMetricData",
    "kms:GenerateRandom",
    "s3:ListAllMyBuckets",
    "dynamodb:ListTables",
    "sqs:ListQueues",
    "sns:ListTopics",
)
_END = re.compile(r"[^*]*\*?")


@dataclass(frozen=True)
class Allow:
    """One action on one resource.

    action: `service:Action`. resource: an ARN, or `bucket:NAME/KEY` for files of a declared bucket; `*` only at its
    end. prefix: for a listing, what it is narrowed to.

    >>> Allow("dynamodb:GetItem", "arn:aws:dynamodb:{region}:{account}:table/orders").action
    'dynamodb:GetItem'
    """

    action: str
    resource: str
    prefix: str | None = None
    origin: Origin = field(default_factory=here, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.action, str) or not ACTION.fullmatch(self.action):
            raise _refused(self, f"{self.action!r} is no action", 'write it like "s3:GetObject", without a wildcard')
        unscoped = self.resource == "*" and self.action.startswith(WHOLE)
        if not isinstance(self.resource, str) or not (
            unscoped or (self.resource.startswith(("arn:", "bucket:")) and _END.fullmatch(self.resource))
        ):
            what = f"{self.resource!r} is no resource for {self.action}"
            raise _refused(self, what, "write an ARN, with `*` at its end at most")
        if self.resource.endswith(":*"):
            raise _refused(self, f"{self.resource!r} is everything of a service", "name one resource, or a part of it")

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


class S3:
    """Grants on S3 buckets: `S3.get("notes/2024/*")` is the objects of bucket `notes` below `2024/`."""

    @staticmethod
    def get(place: str) -> Allow:
        """Reads objects: `bucket/key`, with `*` at the end for all that begin so."""
        return Allow("s3:GetObject", _object(place))

    @staticmethod
    def put(place: str) -> Allow:
        """Writes objects."""
        return Allow("s3:PutObject", _object(place))

    @staticmethod
    def delete(place: str) -> Allow:
        """Deletes objects."""
        return Allow("s3:DeleteObject", _object(place))

    @staticmethod
    def list(place: str) -> Allow:
        """Lists what begins with a prefix: `bucket/prefix*`; `bucket/*` is all of it."""
        bucket, _, prefix = place.partition("/")
        return Allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", None if prefix in ("", "*") else prefix)


class Files:
    """Grants on declared buckets: `Files.put("archive/2024/*")` is the files of `Bucket("archive")` below `2024/`."""

    @staticmethod
    def get(place: str) -> Allow:
        """Reads files."""
        return Allow("s3:GetObject", f"bucket:{_within(place)}")

    @staticmethod
    def put(place: str) -> Allow:
        """Writes files."""
        return Allow("s3:PutObject", f"bucket:{_within(place)}")

    @staticmethod
    def delete(place: str) -> Allow:
        """Deletes files."""
        return Allow("s3:DeleteObject", f"bucket:{_within(place)}")

    @staticmethod
    def list(place: str) -> Allow:
        """Lists the files of a bucket."""
        bucket = place.partition("/")[0]
        return Allow("s3:ListBucket", f"bucket:{bucket}", f"bucket:{bucket}/")


class Dynamo:
    """Grants on tables of DynamoDB, by name."""

    @staticmethod
    def get(table: str) -> Allow:
        """Reads items by key."""
        return _on_table("GetItem", table)

    @staticmethod
    def put(table: str) -> Allow:
        """Writes items."""
        return _on_table("PutItem", table)

    @staticmethod
    def update(table: str) -> Allow:
        """Changes items."""
        return _on_table("UpdateItem", table)

    @staticmethod
    def delete(table: str) -> Allow:
        """Deletes items."""
        return _on_table("DeleteItem", table)

    @staticmethod
    def query(table: str) -> Allow:
        """Queries a table, or `table/index/name`."""
        return _on_table("Query", table)

    @staticmethod
    def scan(table: str) -> Allow:
        """Reads a whole table."""
        return _on_table("Scan", table)


class Queue:
    """Grants on queues of SQS, by name."""

    @staticmethod
    def send(queue: str) -> Allow:
        """Sends messages."""
        return Allow("sqs:SendMessage", _named("sqs", "", queue))

    @staticmethod
    def receive(queue: str) -> Allow:
        """Receives messages."""
        return Allow("sqs:ReceiveMessage", _named("sqs", "", queue))

    @staticmethod
    def delete(queue: str) -> Allow:
        """Deletes messages that were received."""
        return Allow("sqs:DeleteMessage", _named("sqs", "", queue))


class Topic:
    """Grants on topics of SNS, by ARN or name."""

    @staticmethod
    def publish(topic: str) -> Allow:
        """Publishes messages."""
        return Allow("sns:Publish", _named("sns", "", topic))


class Secrets:
    """Grants on secrets of Secrets Manager, by name."""

    @staticmethod
    def get(secret: str) -> Allow:
        """Reads a secret's value."""
        return Allow("secretsmanager:GetSecretValue", _named("secretsmanager", "secret:", f"{secret}-*"))


def _object(place: str) -> str:
    return f"arn:aws:s3:::{_within(place)}"


def _within(place: str) -> str:
    bucket, slash, key = place.partition("/") if isinstance(place, str) else ("", "", "")
    if not bucket or "*" in bucket or not slash or not key:
        origin = here()
        raise DeclarationError(
            f"{place!r} names no objects of a bucket",
            next_step='write bucket and key, like "notes/2024/*"',
            file=origin.file,
            line=origin.line,
        )
    return place


def _on_table(action: str, table: str) -> Allow:
    return Allow(f"dynamodb:{action}", _named("dynamodb", "table/", table))


def _named(service: str, kind: str, name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:{service}:{{region}}:{{account}}:{kind}{name}"


def _refused(grant: Allow, what: str, next_step: str) -> DeclarationError:
    return DeclarationError(what, next_step=next_step, file=grant.origin.file, line=grant.origin.line)


def allowed(grants: Iterable[Allow] | Allow | None) -> tuple[Allow, ...]:
    """What `grants=` says. Raises DeclarationError for anything that is no grant."""
    found = (grants,) if isinstance(grants, Allow) else tuple(grants or ())
    for each in found:
        if not isinstance(each, Allow):
            origin = here()
            raise DeclarationError(
                f"grants= was given {each!r}, which is no grant",
                next_step='write it like grants=[S3.get("notes/*")], with S3 from packyak.grants',
                file=origin.file,
                line=origin.line,
            )
    return found
