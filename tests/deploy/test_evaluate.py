"""The evaluator against IAM's rules, case by case."""

from __future__ import annotations

from typing import Any

import pytest
from packyak.deploy.grants.evaluate import Request, decide, like
from packyak.engine.errors import PackyakError

BUCKET, KEY = "arn:aws:s3:::b", "arn:aws:s3:::b/shop/tables/t.lance/data/x"


def says(condition: dict[str, Any] | None = None, **elements: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **elements}
    if condition is not None:
        statement["Condition"] = condition
    return {"Statement": [statement]}


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("*", "", True),
        ("a*c", "abbc", True),
        ("a*c", "abbd", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a.c", "abc", False),
        ("shop/tables/t.lance/*", "shop/tables/t.lance/a/b", True),
        ("shop/tables/t.lance/*", "shop/tables/t2.lance/a", False),
        ("shop/tables/t.lance/*", "shop/tables/t.lance", False),
        ("[a]*", "[a]b", True),
    ],
)
def test_wildcards(pattern: str, value: str, expected: bool) -> None:
    assert like(pattern, value) is expected


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        (says(), True),
        (says(Action="S3:getobject"), True),
        (says(Action="s3:Get*"), True),
        (says(Action=["s3:PutObject", "s3:DeleteObject"]), False),
        (says(Resource=BUCKET), False),
        (says(Resource=f"{BUCKET}/shop/tables/t.lance/*"), True),
        (says(Resource=f"{BUCKET}/SHOP/*"), False),
        (says(Effect="Deny"), False),
        ({"Statement": []}, False),
        ({"Statement": says()["Statement"][0]}, True),
        ({"Statement": [*says()["Statement"], *says(Effect="Deny", Action="s3:*")["Statement"]]}, False),
        ({"Statement": [*says(Effect="Deny", Action="s3:Put*")["Statement"], *says()["Statement"]]}, True),
        ({"Statement": [{"Effect": "Allow", "NotAction": "s3:PutObject", "Resource": "*"}]}, True),
        ({"Statement": [{"Effect": "Allow", "Action": "s3:*", "NotResource": f"{BUCKET}/shop/*"}]}, False),
    ],
)
def test_actions_and_resources(policy: dict[str, Any], allowed: bool) -> None:
    assert decide([policy], Request("s3:GetObject", KEY)).allowed is allowed


def test_several_policies_count_together() -> None:
    deny = says(Effect="Deny", Resource=f"{BUCKET}/shop/memo/*")
    assert decide([says(), deny], Request("s3:GetObject", KEY)).allowed
    assert not decide([says(), deny], Request("s3:GetObject", f"{BUCKET}/shop/memo/x")).allowed


@pytest.mark.parametrize(
    ("condition", "prefix", "allowed"),
    [
        ({"StringLike": {"s3:prefix": "home/a/*"}}, "home/a/b", True),
        ({"StringLike": {"s3:prefix": ["x", "home/a/*"]}}, "home/a/b", True),
        ({"StringLike": {"s3:prefix": "home/a/*"}}, "home/b", False),
        ({"StringLike": {"s3:prefix": "home/a/*"}}, None, False),
        ({"StringLikeIfExists": {"s3:prefix": "home/a/*"}}, None, True),
        ({"StringEquals": {"S3:Prefix": "home/"}}, "home/", True),
        ({"StringEquals": {"s3:prefix": "home/"}}, "HOME/", False),
        ({"StringEqualsIgnoreCase": {"s3:prefix": "home/"}}, "HOME/", True),
        ({"StringNotEquals": {"s3:prefix": ["a", "b"]}}, "c", True),
        ({"StringNotEquals": {"s3:prefix": ["a", "b"]}}, "b", False),
        ({"StringNotLike": {"s3:prefix": "a*"}}, None, True),
        ({"Null": {"s3:prefix": "true"}}, None, True),
        ({"Null": {"s3:prefix": "false"}}, None, False),
        ({"Null": {"s3:prefix": False}}, "x", True),
        ({"StringLike": {"s3:prefix": "a"}, "StringEquals": {"s3:prefix": "b"}}, "a", False),
        ({"ForAnyValue:StringLike": {"s3:prefix": "a*"}}, None, False),
        ({"ForAllValues:StringLike": {"s3:prefix": "a*"}}, None, True),
        ({"ForAnyValue:StringNotLike": {"s3:prefix": "a*"}}, None, False),
        ({"ForAnyValue:StringLikeIfExists": {"s3:prefix": "a*"}}, None, True),
        ({"StringNotLikeIfExists": {"s3:prefix": "a*"}}, "ab", False),
        ({"StringEquals": {"s3:prefix": "a*"}}, "ab", False),
        ({"StringEquals": {"s3:prefix": "a*"}}, "a*", True),
        ({"NumericLessThan": {"s3:prefix": "10"}}, "a", False),
        ({"NumericNotEquals": {"s3:prefix": "10"}}, "a", True),
        ({"Null": {"s3:prefix": ["true", "false"]}}, "x", True),
    ],
)
def test_conditions_on_a_prefix(condition: dict[str, Any], prefix: str | None, allowed: bool) -> None:
    policy = says(condition, Action="s3:ListBucket", Resource=BUCKET)
    context = {} if prefix is None else {"s3:prefix": (prefix,)}
    assert decide([policy], Request("s3:ListBucket", BUCKET, context)).allowed is allowed


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"Bool": {"aws:securetransport": "true"}}, True),
        ({"Bool": {"aws:securetransport": True}}, True),
        ({"Bool": {"aws:securetransport": "false"}}, False),
        ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, True),
        ({"NumericLessThan": {"s3:max-keys": 10}}, False),
        ({"ArnLike": {"aws:sourcearn": "arn:aws:lambda:*:1:function:x"}}, True),
        ({"ArnLike": {"aws:sourcearn": "arn:aws:*:function:x"}}, False),
        ({"ForAllValues:StringEquals": {"aws:tagkeys": ["a", "b", "c"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:tagkeys": ["a"]}}, False),
        ({"ForAnyValue:StringEquals": {"aws:tagkeys": ["a"]}}, True),
        ({"ForAnyValue:StringNotEquals": {"aws:tagkeys": ["a"]}}, True),
        ({"ForAllValues:StringNotEquals": {"aws:tagkeys": ["a"]}}, False),
        ({"ForAllValues:StringNotEquals": {"aws:tagkeys": ["c"]}}, True),
    ],
)
def test_other_conditions(condition: dict[str, Any], allowed: bool) -> None:
    context = {
        "aws:securetransport": ("true",),
        "s3:max-keys": ("10",),
        "aws:sourcearn": ("arn:aws:lambda:eu-west-1:1:function:x",),
        "aws:tagkeys": ("a", "b"),
    }
    assert decide([says(condition)], Request("s3:GetObject", KEY, context)).allowed is allowed


@pytest.mark.parametrize(
    "policy",
    [
        says({"IpAddress": {"aws:sourceip": "10.0.0.0/8"}}),
        says(Resource="arn:aws:s3:::b/${aws:username}/*"),
        says({"StringEquals": {"aws:sourceip": "${aws:username}"}}),
        says({"stringequals": {"aws:sourceip": "10.0.0.1"}}),
        says({"NullIfExists": {"aws:sourceip": "true"}}),
        says({"ForAnyValue:Null": {"aws:sourceip": "true"}}),
        says({"Null": {"aws:sourceip": "perhaps"}}),
        says({"NumericEquals": {"aws:sourceip": "ten"}}),
        says(Effect="deny"),
        says(Principal="*"),
    ],
)
def test_what_is_not_known_is_never_passed_over(policy: dict[str, Any]) -> None:
    with pytest.raises(PackyakError, match="not known"):
        decide([policy], Request("s3:GetObject", KEY, {"aws:sourceip": ("10.0.0.1",)}))


@pytest.mark.parametrize("without", [says(NotAction="s3:PutObject"), {"Statement": {"Effect": "Allow", "Action": "*"}}])
def test_a_statement_says_in_one_way_what_it_is_about(without: dict[str, Any]) -> None:
    with pytest.raises(PackyakError, match="needs one of"):
        decide([without], Request("s3:GetObject", KEY))


def test_a_key_of_a_condition_is_found_however_it_is_written() -> None:
    policy = says({"StringEquals": {"AWS:SourceAccount": "1"}})
    assert decide([policy], Request("s3:GetObject", KEY, {"aws:SourceAccount": ("1",)})).allowed
