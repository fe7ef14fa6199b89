"""The services beside S3 on this machine: moto's answers, for what code reaches outside the home.

What code asks for is there: a queue, a topic, a secret, a parameter, a stream or a bus that nobody made is made when
somebody who may first asks for it (a queue with one message), and so is a table of DynamoDB, empty, with the key that
is asked for. Whoever needs more prepares it. Everything can be put back to an earlier moment.
"""

from __future__ import annotations

import copy
import copyreg
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from packyak.deploy.grants.requests import ACCOUNT
from packyak.deploy.grants.services import Asked
from packyak.engine.errors import MissingExtra

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MADE = "made-for-the-proof"
_ADDRESS = "http://127.0.0.1"
_SIGNED = "AWS4-HMAC-SHA256 Credential=AKIAADMIN/20260101/{0}/{1}/aws4_request, SignedHeaders=host, Signature=none"
_NAME = re.compile(r"(?<![:\w.-])#?[A-Za-z_][\w.-]*")
_WORDS = frozenset({"and", "between", "begins_with"})
Said = tuple[str, Mapping[str, Any]]


class Beyond:
    """moto as a WSGI application, with a way back. One at a time in a process: moto keeps what there is globally."""

    def __init__(self) -> None:
        from werkzeug.test import Client

        self._app = _moto()
        self._client = Client(self._app)
        self._lock = threading.Lock()
        self._services: set[str] = set()
        self._made: set[tuple[str, str, str]] = set()
        self._kept: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._kept_made: set[tuple[str, str, str]] = set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            return list(self._app(environ, start_response))

    def ready(self, asked: Asked) -> None:
        """Makes what a request is about, where nobody has."""
        with self._lock:
            self.uses(asked.service)
            for name, said in _wanted(asked):
                place = asked.service, asked.region, name
                if place not in self._made:
                    self._made.add(place)
                    for target, given in said:
                        self._say(asked.service, asked.region, target, given)

    def uses(self, service: str) -> None:
        """From here on what a service keeps is kept at a mark."""
        self._services.add(service)

    def mark(self) -> None:
        """From here on it can be gone back to this moment."""
        with self._lock:
            self._kept = {place: copy.deepcopy(vars(each), {id(each): each}) for place, each in self._backends()}
            self._kept_made = set(self._made)

    def back(self) -> None:
        """Everything is as it was at the mark."""
        with self._lock:
            self._made = set(self._kept_made)
            for place, each in self._backends():
                kept = self._kept.get(place)
                if kept is None:
                    each.reset()
                else:
                    vars(each).clear()
                    vars(each).update(copy.deepcopy(kept, {id(each): each}))

    def _backends(self) -> Iterator[tuple[tuple[str, str, str], Any]]:
        """All that moto keeps of the services in use: by service, account and region."""
        from moto.backends import get_backend

        for service in sorted(self._services):
            for account, region, each in get_backend(service).iter_backends():  # type: ignore[call-overload]
                yield (service, account, region), each

    def _say(self, service: str, region: str, target: str, given: Mapping[str, Any]) -> None:
        """One request of our own. What is there already stays."""
        headers = {"Authorization": _SIGNED.format(region or "us-east-1", service)}
        if service == "sns":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode({"Action": target, **given})
        else:
            headers |= {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
            body = json.dumps(given)
        self._client.post("/", data=body, base_url=_ADDRESS, headers=headers).close()


def _moto() -> WSGIApplication:
    try:
        from moto.core.base_backend import BackendDict
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from moto.ssm.models import ParameterDict
    except ImportError as error:
        raise MissingExtra(
            "code reaches services beside S3, and what answers for them on this machine is not installed",
            next_step="pip install 'packyak-studio[prove]'",
        ) from error
    copyreg.pickle(type(threading.RLock()), lambda lock: (threading.RLock, ()))
    copyreg.pickle(threading.Condition, lambda condition: (threading.Condition, ()))
    copyreg.pickle(ParameterDict, _copied)
    BackendDict.reset()
    app: WSGIApplication = DomainDispatcherApplication(create_backend_app)
    return app


def _copied(given: Any) -> tuple[Any, ...]:
    """ssm's parameters must be told where they are, which copying alone does not."""
    return type(given), (given.account_id, given.region_name), vars(given), None, iter(given.items())


def _wanted(asked: Asked) -> Iterator[tuple[str, list[Said]]]:
    """The names that a request is about, with the requests that make them."""
    params = asked.params
    if asked.service == "dynamodb":
        for table, key, index in _tables(params):
            yield table, [_table(table, key, index)]
    elif asked.service == "sqs":
        name = str(params.get("QueueName") or str(params.get("QueueUrl", "")).rpartition("/")[2])
        yield name, list(_queue(name))
    elif asked.service == "sns":
        name = str(params.get("TopicArn") or params.get("TargetArn") or "").rpartition(":")[2]
        yield name, [("CreateTopic", {"Name": name})]
    elif asked.service == "secretsmanager":
        name = str(params.get("SecretId", ""))
        token = "00000000-0000-0000-0000-000000000000"
        said = {"Name": name, "SecretString": MADE, "ClientRequestToken": token}
        yield name, [("secretsmanager.CreateSecret", said)]
    elif asked.service == "ssm" and asked.operation.startswith("GetParameter"):
        for name in (*params.get("Names", ()), *filter(None, [params.get("Name")])):
            yield name, [("AmazonSSM.PutParameter", {"Name": name, "Value": MADE, "Type": "String"})]
    elif asked.service == "kinesis":
        name = str(params.get("StreamName", ""))
        yield name, [("Kinesis_20131202.CreateStream", {"StreamName": name, "ShardCount": 1})]
    elif asked.service == "events":
        for name in dict.fromkeys(str(each.get("EventBusName", "default")) for each in params.get("Entries", ())):
            if name != "default":
                yield name, [("AWSEvents.CreateEventBus", {"Name": name.rpartition("/")[2]})]


def _queue(name: str) -> Iterator[Said]:
    """A queue with one message."""
    address = f"{_ADDRESS}/{ACCOUNT}/{name}"
    if name.endswith(".fifo"):
        yield "AmazonSQS.CreateQueue", {"QueueName": name, "Attributes": {"FifoQueue": "true"}}
        once = {"MessageGroupId": "proof", "MessageDeduplicationId": "proof"}
        yield "AmazonSQS.SendMessage", {"QueueUrl": address, "MessageBody": "{}", **once}
    else:
        yield "AmazonSQS.CreateQueue", {"QueueName": name}
        yield "AmazonSQS.SendMessage", {"QueueUrl": address, "MessageBody": "{}"}


def _table(name: str, key: Mapping[str, str], index: str) -> Said:
    schema = [{"AttributeName": each, "KeyType": kind} for each, kind in zip(key, ("HASH", "RANGE"), strict=False)]
    made: dict[str, Any] = {
        "TableName": name.rpartition("/")[2],
        "KeySchema": schema,
        "AttributeDefinitions": [
            {"AttributeName": each["AttributeName"], "AttributeType": key[each["AttributeName"]]} for each in schema
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }
    if index:
        made["GlobalSecondaryIndexes"] = [
            {"IndexName": index, "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}
        ]
    return "DynamoDB_20120810.CreateTable", made


def _tables(params: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str], str]]:
    """Table, key attributes with their types, and index, of all that a request to DynamoDB is about."""
    for name, asked in params.get("RequestItems", {}).items():
        parts = [{"Key": each} for each in asked["Keys"]] if isinstance(asked, Mapping) else asked
        for part in parts[:1]:
            yield name, _key(part.get("PutRequest") or part.get("DeleteRequest") or part), ""
    for item in params.get("TransactItems", ()):
        for part in item.values():
            yield part["TableName"], _key(part), ""
    if "TableName" in params:
        yield params["TableName"], _key(params), str(params.get("IndexName", ""))


def _key(params: Mapping[str, Any]) -> Mapping[str, str]:
    """The key as a request tells it: outright, in a condition, or (of a whole item) its first attribute."""
    if "Key" in params:
        return {name: next(iter(value)) for name, value in params["Key"].items()}
    if condition := params.get("KeyConditionExpression"):
        called, given = params.get("ExpressionAttributeNames", {}), params.get("ExpressionAttributeValues", {})
        names = [each for each in _NAME.findall(condition) if each.lower() not in _WORDS]
        kinds = [next(iter(given.get(each, {"S": ""}))) for each in re.findall(r":\w+", condition)]
        return {called.get(name, name): kind for name, kind in zip(names, kinds, strict=False)}
    if item := params.get("Item"):
        name, value = next(iter(item.items()))
        return {name: next(iter(value))}
    return {"id": "S"}
