"""Plain documents become CloudFormation: `${AWS::Region}` and the like are left to it, other names are given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from packyak.deploy.stacks.names import Names

NAME = re.compile(r"\$\{(\w+)\}")


def filled(document: Any, given: Mapping[str, Any] | None = None) -> Any:
    """The document with every text that has a `${name}` in it as what CloudFormation makes of it. given: for texts that
    are one name and nothing else, what stands for them."""
    if isinstance(document, Mapping):
        return {key: filled(value, given) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [filled(each, given) for each in document]
    if isinstance(document, str) and "${" in document:
        whole = NAME.fullmatch(document)
        if whole and given and whole[1] in given:
            return given[whole[1]]
        return {"Fn::Sub": document}
    return document


def text(written: str) -> str:
    """One text, where a text is asked for."""
    return cdk.Fn.sub(written) if "${" in written else written


def handed_over(names: Names, what: str) -> str:
    """What the ground exports."""
    return cdk.Fn.import_value(names.export(what))


def hand_over(stack: cdk.Stack, names: Names, what: str, value: str, meaning: str) -> None:
    """Exports something of the ground for the other stacks, and shows it among the outputs."""
    logical = "".join(word.capitalize() for word in what.split("-"))
    cdk.CfnOutput(stack, f"{logical}Out", value=value, export_name=names.export(what), description=meaning)


def said(words: str, longest: int = 250) -> str:
    """A description as services take it: one line of plain letters."""
    plain = words.encode("ascii", "replace").decode().replace("\n", " ")
    return re.sub(r"[<>\"`{}$]", "'", plain)[:longest]
