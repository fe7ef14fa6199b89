"""The line to paste where something is refused: as much of it as is known, to be filled in by a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from packyak.deploy.grants.infer.rows import SERVICES
from packyak.deploy.grants.infer.table import Row, rows_of
from packyak.deploy.grants.infer.texts import texts_of

if TYPE_CHECKING:
    from packyak.deploy.grants.infer.atoms import Value
    from packyak.deploy.grants.infer.machine import Machine

_VERBS = {"s3:GetObject": "get", "s3:PutObject": "put", "s3:DeleteObject": "delete", "s3:ListBucket": "list"}
_EXAMPLES = {
    "s3": 'S3.get("my-bucket/*")',
    "bucket": 'Files.get("my-bucket/*")',
    "dynamodb": 'Dynamo.get("my-table")',
    "sqs": 'Queue.send("my-queue")',
    "sns": 'Topic.publish("arn:aws:sns:us-east-1:123456789012:my-topic")',
    "secretsmanager": 'Secrets.get("my-secret")',
}


def line_for(services: Iterable[str]) -> str:
    """A line for something of which only the services are known."""
    found = [each for each in services if each in SERVICES or each in _EXAMPLES]
    if not found:
        return _EXAMPLES["s3"]
    return ", ".join(_EXAMPLES.get(each) or _generic(each, next(iter(rows_of(each)))) for each in found)


def line_of(method: str) -> str:
    """A line for a method of which the service is not known."""
    from packyak.deploy.grants.infer.aws import services_with
    from packyak.deploy.grants.infer.models import TRANSFERS, methods_of

    if method.endswith("_sync"):
        return f'Files.{method.removesuffix("_sync")}("my-bucket/*")'
    for (_, name), (_, operations) in TRANSFERS.items():
        if name == method:
            return line_for_operation("s3", operations[0])
    for service in services_with(method):
        return line_for_operation(service, methods_of(service)[method])
    return line_for(())


def line_for_operation(
    service: str, operation: str, machine: Machine | None = None, given: Mapping[str, Value] | None = None
) -> str:
    """A line for an operation, with what is known of its parameters."""
    every = rows_of(service).get(operation, ())
    rows = [each for each in every if "if" not in each.options] or list(every)
    if not rows:
        return f'Allow("{_prefix(service)}:{operation}", "arn:aws:{_prefix(service)}:{{region}}:{{account}}:NAME")'
    bucket = _known(given, "Bucket", "my-bucket")
    return ", ".join(dict.fromkeys(_line(service, operation, each, bucket) for each in rows))


def _line(service: str, operation: str, row: Row, bucket: str) -> str:
    if service == "s3" and row.action in _VERBS:
        return f'S3.{_VERBS[row.action]}("{bucket}/*")'
    return _generic(service, operation, row.action, row.resource)


def _known(given: Mapping[str, Value] | None, name: str, otherwise: str) -> str:
    texts = texts_of(given[name]) if given and name in given else None
    found = [each.known for each in texts or () if each.known]
    return found[0] if len(found) == 1 and re.fullmatch(r"[\w.-]+", found[0] or "") else otherwise


def _generic(service: str, operation: str, action: str = "", resource: str = "") -> str:
    if not action:
        row = rows_of(service)[operation][0]
        action, resource = row.action, row.resource
    if action == "-":
        return line_for(())
    if resource == "*":
        return f'Allow("{action}", "*")'
    place = re.sub(r"\{[^}]*\}\}?(?::\w+\})?", "NAME", re.sub(r"\{(region|account)\}", r"<\1>", resource))
    place = place.replace("<", "{").replace(">", "}")
    if not place.startswith("arn:"):
        place = f"arn:aws:{_prefix(service)}:{{region}}:{{account}}:{place}"
    return f'Allow("{action}", "{place}")'


def _prefix(service: str) -> str:
    return {"bedrock-runtime": "bedrock", "stepfunctions": "states"}.get(service, service)
