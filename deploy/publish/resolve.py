"""What a template's references come to in the account, as far as that can be told without asking every resource.

A part that is not known stands as `\\0`, which compares with anything: an unknown name is never taken for a difference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from packyak.deploy.publish.account import Account, asking
from packyak.deploy.publish.stack import Stacks

UNKNOWN = "\0"
ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{name}",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{name}:*",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::ECR::Repository": "arn:aws:ecr:{region}:{account}:repository/{name}",
}
NAMES = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True)
class Known:
    """What is known of an account's stacks. resources: type and physical name by logical name, of each stack;
    exports: values by name; stack: the one that references are read in."""

    account: str
    region: str
    resources: Mapping[str, Mapping[str, tuple[str, str]]]
    exports: Mapping[str, str] = field(default_factory=dict)
    stack: str = ""

    @classmethod
    def of(cls, account: Account, stacks: Stacks, templates: Mapping[str, Any]) -> Known:
        """By asking for the resources and exports of these stacks."""
        with asking("AWS was asked who you are"):
            number = account.client("sts").get_caller_identity()["Account"]
        known = cls(number, account.region, {name: stacks.resources(name) for name in templates})
        exports: dict[str, str] = {}
        for name, template in templates.items():
            within = replace(known, stack=name)
            for each in template.get("Outputs", {}).values():
                exported = each.get("Export", {}).get("Name")
                if exported is not None:
                    exports[_text(resolved(exported, within))] = _text(resolved(each["Value"], within))
        return replace(known, exports=exports)

    def within(self, stack: str) -> Known:
        """The same, for the references of one stack."""
        return replace(self, stack=stack)

    def ref(self, name: str) -> str:
        """What `Ref` comes to."""
        own = {"AWS::AccountId": self.account, "AWS::Region": self.region, "AWS::Partition": "aws",
               "AWS::URLSuffix": "amazonaws.com", "AWS::StackName": self.stack}  # fmt: skip
        if name in own:
            return own[name]
        return self.resources.get(self.stack, {}).get(name, ("", UNKNOWN))[1] or UNKNOWN

    def attribute(self, name: str, attribute: str) -> str:
        """What `Fn::GetAtt` comes to."""
        kind, physical = self.resources.get(self.stack, {}).get(name, ("", ""))
        if attribute != "Arn" or not physical:
            return UNKNOWN
        if physical.startswith("arn:"):
            return physical
        return ARNS.get(kind, UNKNOWN).format(name=physical, region=self.region, account=self.account)


def resolved(value: Any, known: Known) -> Any:
    """A value of a template with its references replaced."""
    if isinstance(value, list):
        return [resolved(each, known) for each in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        word, of = next(iter(value.items()))
        if word == "Ref":
            return known.ref(str(of))
        if word.startswith("Fn::"):
            return _function(word, of, known)
    return {name: resolved(each, known) for name, each in value.items()}


def _function(word: str, of: Any, known: Known) -> str:
    if word == "Fn::GetAtt":
        name, attribute = of if isinstance(of, list) else str(of).split(".", 1)
        return known.attribute(str(name), str(attribute))
    if word == "Fn::Join":
        return str(of[0]).join(_text(resolved(each, known)) for each in of[1])
    if word == "Fn::ImportValue":
        return known.exports.get(_text(resolved(of, known)), UNKNOWN)
    if word == "Fn::Sub":
        text, given = (of[0], of[1]) if isinstance(of, list) else (of, {})
        return NAMES.sub(lambda found: _named(found[1], given, known), str(text))
    return UNKNOWN


def _named(name: str, given: Mapping[str, Any], known: Known) -> str:
    if name in given:
        return _text(resolved(given[name], known))
    head, dot, attribute = name.partition(".")
    return known.attribute(head, attribute) if dot else known.ref(name)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else UNKNOWN
