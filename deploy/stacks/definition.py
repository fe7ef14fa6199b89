"""The state machine: units in the order of the graph, those of a level side by side, as Amazon States Language.

A unit that fails does not stop the others: what is below it keeps its last good version, as in a run on one machine.
At the end the execution fails if any did, naming them. That a run is already under way is waited for: the lock is the
project's. Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from packyak.deploy.stacks.blueprint import Blueprint, UnitDrawing
from packyak.deploy.stacks.names import Names, fitting
from packyak.deploy.stacks.statements import function_arn

LIMIT = 1_000_000  # characters of a definition; AWS allows 1 MB
BUSY = {
    "ErrorEquals": ["RunBusy", "Lambda.TooManyRequestsException"],
    "IntervalSeconds": 5,
    "BackoffRate": 1.5,
    "MaxDelaySeconds": 60,
    "MaxAttempts": 60,
    "JitterStrategy": "FULL",
}
PASSING = {
    "ErrorEquals": ["Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"],
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxAttempts": 6,
    "JitterStrategy": "FULL",
}


def definition(drawn: Blueprint) -> str:
    """The state machine of a project. `${...}` in it stands for what CloudFormation fills in."""
    states: dict[str, Any] = {
        "Begin": {"Type": "Pass", "Result": {}, "Next": "Level 1" if drawn.levels else "Look back"}
    }
    for number, level in enumerate(drawn.levels, start=1):
        states[f"Level {number}"] = {
            "Type": "Parallel",
            "Branches": [_branch(drawn, drawn.unit(name)) for name in level],
            "ResultPath": f"$.level_{number}",
            "Next": f"Level {number + 1}" if number < len(drawn.levels) else "Look back",
        }
    states |= {
        "Look back": {"Type": "Pass", "Parameters": {"failed.$": "$..failed_unit"}, "Next": "All well?"},
        "All well?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.failed[0]", "IsPresent": True, "Next": "Some failed"}],
            "Default": "Up to date",
        },
        "Some failed": {
            "Type": "Fail",
            "Error": "UnitsFailed",
            "CausePath": "States.Format('Failed: {}', States.JsonToString($.failed))",
        },
        "Up to date": {"Type": "Succeed"},
    }
    made = {"Comment": f"Brings {drawn.project} up to date", "StartAt": "Begin", "States": states}
    return json.dumps(made, separators=(",", ":"))


def _branch(drawn: Blueprint, unit: UnitDrawing) -> dict[str, Any]:
    gone = f"{unit.name} failed"
    task = _on_fargate(drawn, unit) if unit.runs_on == "fargate" else _on_lambda(drawn.names, unit)
    task |= {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": gone}], "End": True}
    failed = {"Type": "Pass", "Result": {"failed_unit": unit.name}, "End": True}
    return {"StartAt": unit.name, "States": {unit.name: task, gone: failed}}


def _on_lambda(names: Names, unit: UnitDrawing) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:${AWS::Partition}:states:::lambda:invoke",
        "Parameters": {"FunctionName": function_arn(names.of(unit.name)), "Payload": {"run": unit.name}},
        "ResultSelector": {"done.$": "$.Payload"},
        "TimeoutSeconds": unit.minutes * 60 + 30,
        "Retry": [BUSY, PASSING],
    }


def _on_fargate(drawn: Blueprint, unit: UnitDrawing) -> dict[str, Any]:
    """Waits for the task's end; the task itself waits for the lock."""
    return {
        "Type": "Task",
        "Resource": "arn:${AWS::Partition}:states:::ecs:runTask.sync",
        "Parameters": {
            "Cluster": cluster_arn(drawn.names),
            "TaskDefinition": drawn.names.of(unit.name),
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {
                "AwsvpcConfiguration": {
                    "Subnets": "${Subnets}",
                    "SecurityGroups": ["${Group}"],
                    "AssignPublicIp": "DISABLED",
                }
            },
        },
        "ResultSelector": {"done.$": "$.StopCode"},
        "TimeoutSeconds": unit.minutes * 60 + 300,
    }


def cluster_arn(names: Names) -> str:
    return f"arn:${{AWS::Partition}}:ecs:${{AWS::Region}}:${{AWS::AccountId}}:cluster/{names.prefix}"


def task_arn(names: Names, unit: str) -> str:
    return f"arn:${{AWS::Partition}}:ecs:${{AWS::Region}}:${{AWS::AccountId}}:task-definition/{names.of(unit)}"


def starting_role(names: Names, unit: str) -> str:
    """Under which ECS starts a unit's task."""
    return fitting(f"{names.prefix}-start-{unit}")


def read_states(written: str) -> Mapping[str, Any]:
    """The states by name, for whoever looks at them."""
    return dict(json.loads(written)["States"])
