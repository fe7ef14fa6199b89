"""How a parameter becomes (part of) an ARN: names, URLs and ARNs are all accepted, as AWS does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from packyak.deploy.grants.infer.atoms import Hole, Text
from packyak.deploy.grants.infer.found import NotKnown
from packyak.deploy.grants.infer.texts import text

Form = Callable[[Text, str], Text]
_QUEUE = re.compile(r"https://(?:sqs\.)?([\w{}-]+?)(?:\.queue)?\.amazonaws\.com(?:\.cn)?/([\w{}]+)/([\w.-]+)")
_PROFILES = ("us.", "eu.", "apac.", "us-gov.", "global.", "jp.", "au.")


def _start(given: Text) -> str:
    return given.parts[0] if given.parts and isinstance(given.parts[0], str) else ""


def _is_arn(given: Text) -> bool:
    return _start(given).startswith("arn:")


def _arn(service: str, region: str, what: str, given: Text) -> Text:
    place = region or "{region}"
    return text(f"arn:aws:{service}:{place}:{{account}}:{what}", *given.parts)


def _table(given: Text, region: str) -> Text:
    return given if _is_arn(given) else _arn("dynamodb", region, "table/", given)


def _queue(given: Text, region: str) -> Text:
    found = _QUEUE.fullmatch(given.known or "")
    if found is None:
        raise NotKnown("its QueueUrl is no address of a queue", "QueueUrl")
    return text(f"arn:aws:sqs:{found[1]}:{found[2]}:{found[3]}")


def _plain_arn(given: Text, region: str) -> Text:
    if not _is_arn(given) and not any(isinstance(part, Hole) for part in given.parts):
        raise NotKnown(f"{given.known!r} is no ARN", "")
    return given


def _phone(given: Text, region: str) -> Text:
    raise NotKnown("to publish to a phone number AWS wants to be allowed everything", "PhoneNumber")


def _secret(given: Text, region: str) -> Text:
    """AWS ends a secret's ARN with six random signs after a dash."""
    if _is_arn(given):
        known = given.known or ""
        return given if re.search(r"-\w{6}$", known) or not known else text(f"{known}-??????")
    named = _arn("secretsmanager", region, "secret:", given)
    return text(*named.parts, "-??????") if given.known is not None else named


def _parameter(given: Text, region: str) -> Text:
    if _is_arn(given):
        return given
    slash = "" if _start(given).startswith("/") else "/"
    return _arn("ssm", region, f"parameter{slash}", given)


def _key(given: Text, region: str) -> Text:
    if _start(given).startswith("alias/") or ":alias/" in _start(given):
        raise NotKnown(f"{given.known!r} is an alias, and a policy names keys", "KeyId")
    return given if _is_arn(given) else _arn("kms", region, "key/", given)


def _model(given: Text, region: str) -> Text:
    if _is_arn(given):
        return given
    if _start(given).startswith(_PROFILES):
        raise NotKnown(f"{given.known!r} is an inference profile over several regions", "modelId")
    return text(f"arn:aws:bedrock:{region or '{region}'}::foundation-model/", *given.parts)


def _function(given: Text, region: str) -> Text:
    if _is_arn(given):
        return given
    known = given.known or ""
    if ":function:" in known:
        account, _, name = known.partition(":function:")
        return text(f"arn:aws:lambda:{region or '{region}'}:{account}:function:{name}")
    return _arn("lambda", region, "function:", given)


def _bus(given: Text, region: str) -> Text:
    return given if _is_arn(given) else _arn("events", region, "event-bus/", given)


def _source(given: Text, region: str) -> Text:
    """`bucket/key`, with an optional slash before and a version after it."""
    start = _start(given).removeprefix("/")
    known = given.known
    if known is not None:
        return text(known.removeprefix("/").partition("?versionId=")[0])
    return text(start, *given.parts[1:])


FORMS: Mapping[str, Form] = {
    "table": _table,
    "queue": _queue,
    "arn": _plain_arn,
    "phone": _phone,
    "secret": _secret,
    "parameter": _parameter,
    "key": _key,
    "model": _model,
    "function": _function,
    "bus": _bus,
    "source": _source,
}
