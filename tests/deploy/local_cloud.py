"""A whole account on this machine: moto's server, with what it lacks answered here, for the demonstration and its test.

Four things are not as in AWS, and only here. `moto_compat` changes templates as CloudFormation reads them, because
moto stops at three things that are right and passes over a fourth. A CodeBuild build is answered as done, and puts an
image of no content into moto's registry. Whoever asks is allowed everything. And moto makes no bucket policies, trails,
pipes, alarms or budgets: it lists some and does nothing.
"""

from __future__ import annotations

import copy
import json
import logging
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ACCOUNT = "123456789012"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAADMIN",
    "AWS_SECRET_ACCESS_KEY": "unused-on-this-machine",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
PROTECTED = """<UpdateTerminationProtectionResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
<UpdateTerminationProtectionResult><StackId>{name}</StackId></UpdateTerminationProtectionResult>
</UpdateTerminationProtectionResponse>"""

SIMULATED = """<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>{}</EvaluationResults>
</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"""
UNABLE = ("AWS::EC2::FlowLog",)
ALLOWED = "<member><EvalActionName>{}</EvalActionName><EvalDecision>allowed</EvalDecision></member>"


def moto_compat(template: dict[str, Any]) -> dict[str, Any]:
    """A template that moto can make: keys without tags, no flow log, a state machine's ARN asked for by Ref, and
    policies that name their roles, as moto attaches none that a role names."""
    made = copy.deepcopy(template)
    machines = {name for name, each in made["Resources"].items() if each["Type"] == "AWS::StepFunctions::StateMachine"}
    for name, each in list(made["Resources"].items()):
        if each["Type"] in UNABLE:
            del made["Resources"][name]
        elif each["Type"] == "AWS::KMS::Key":
            each["Properties"].pop("Tags", None)
    for name, each in made["Resources"].items():
        for attached in each["Properties"].pop("ManagedPolicyArns", ()) if each["Type"] == "AWS::IAM::Role" else ():
            made["Resources"][attached["Ref"]]["Properties"].setdefault("Roles", []).append({"Ref": name})
    referred: dict[str, Any] = _referred(made, machines)
    return referred


def _referred(value: Any, machines: set[str]) -> Any:
    if isinstance(value, dict):
        found = value.get("Fn::GetAtt")
        if found in ([name, "Arn"] for name in machines):
            return {"Ref": found[0]}
        return {name: _referred(each, machines) for name, each in value.items()}
    return [_referred(each, machines) for each in value] if isinstance(value, list) else value


class LocalCloud:
    """The server. url: its address; builds: tags of what was built."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.builds: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        """The variables under which a process uses it."""
        return {**ENVIRONMENT, "AWS_ENDPOINT_URL": self.url}


class _Lacking:
    """Answers what moto does not, before it is asked. A WSGI application around another."""

    def __init__(self, inner: WSGIApplication) -> None:
        self.inner = inner
        self.cloud: LocalCloud | None = None
        self._builds: dict[str, str] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith("CodeBuild_20161006."):
            body = self._body(environ)
            return self._answer(start_response, self._build(target.partition(".")[2], json.loads(body)))
        if environ["REQUEST_METHOD"] == "POST" and "urlencoded" in environ.get("CONTENT_TYPE", ""):
            asked = parse_qs(self._body(environ).decode())
            if asked.get("Action") == ["UpdateTerminationProtection"]:
                return self._text(start_response, PROTECTED.format(name=asked["StackName"][0]), "text/xml")
            if asked.get("Action") == ["SimulatePrincipalPolicy"]:
                names = [value for key, values in asked.items() if key.startswith("ActionNames.") for value in values]
                return self._text(start_response, SIMULATED.format("".join(map(ALLOWED.format, names))), "text/xml")
        if environ["REQUEST_METHOD"] == "PUT" and environ.get("QUERY_STRING") == "policy":
            self._body(environ)  # moto would deny everything: it knows no conditions
            return self._text(start_response, "", "text/xml")
        return self.inner(environ, start_response)

    @staticmethod
    def _body(environ: WSGIEnvironment) -> bytes:
        from io import BytesIO

        body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        return body

    def _build(self, verb: str, asked: dict[str, Any]) -> Any:
        if verb == "StartBuild":
            values = {each["name"]: each["value"] for each in asked["environmentVariablesOverride"]}
            assert self.cloud is not None
            self.cloud.builds.append(values["TAG"])
            _push(asked["projectName"], values["TAG"])
            return {"build": {"id": f"build:{values['TAG']}", "buildStatus": "IN_PROGRESS"}}
        return {"builds": [{"id": each, "buildStatus": "SUCCEEDED"} for each in asked["ids"]]}

    def _answer(self, start_response: StartResponse, answer: Any) -> Iterable[bytes]:
        return self._text(start_response, json.dumps(answer), "application/x-amz-json-1.1")

    @staticmethod
    def _text(start_response: StartResponse, text: str, kind: str) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(text.encode())))])
        return [text.encode()]


def _push(project: str, tag: str) -> None:
    """An image of no content, in the repository that belongs to a builder's project."""
    from moto.ecr.models import ecr_backends

    backend = ecr_backends[ACCOUNT]["us-east-1"]
    name = f"packyak/{project.removeprefix('packyak-').removesuffix('-image')}"
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 1,
            "digest": "sha256:" + "0" * 64,
        },
        "layers": [],
        "annotations": {"tag": tag},
    }
    backend.put_image(name, json.dumps(manifest), tag, None, None)


@contextmanager
def local_cloud() -> Iterator[LocalCloud]:
    """The account, empty, for as long as the block runs."""
    from moto.cloudformation import models, responses
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_request(self, *arguments: Any, **more: Any) -> None:
            return

    for name in ("werkzeug", "moto"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="Tried to parse AWS::")
    read, get = responses.get_stack_from_s3_url, responses.CloudFormationResponse.get_template
    execute = models.CloudFormationBackend.execute_change_set
    originals: dict[str, str] = {}

    def reading(url: str, **more: Any) -> str:
        text = read(url, **more)
        changed = json.dumps(moto_compat(json.loads(text)))
        originals[changed] = text
        return changed

    def getting(self: Any) -> Any:
        answer = get(self)
        body = answer.result.get("TemplateBody") if hasattr(answer, "result") else None
        if isinstance(body, str) and body in originals:
            answer.result["TemplateBody"] = originals[body]
        return answer

    def executing(self: Any, change_set_name: str, stack_name: str | None = None) -> None:
        """moto hands on nothing that a change set made, and to no stack that one makes."""
        stack = next(each for each in self.stacks.values() if each.name == stack_name)
        stack.resource_map.cross_stack_resources = self.exports
        execute(self, change_set_name, stack_name)
        stack._parse_template()
        stack.output_map = stack._create_output_map()
        self.exports.update({each.name: each for each in stack.exports})

    lacking = _Lacking(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, lacking, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    with (
        mock.patch.object(responses, "get_stack_from_s3_url", reading),
        mock.patch.object(responses.CloudFormationResponse, "get_template", getting),
        mock.patch.object(models.CloudFormationBackend, "execute_change_set", executing),
    ):
        thread.start()
        lacking.cloud = LocalCloud(f"http://127.0.0.1:{server.server_port}")
        try:
            yield lacking.cloud
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
