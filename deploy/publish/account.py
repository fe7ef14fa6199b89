"""The account that is published to: who asks, where, and AWS's errors in our words. Alone in loading boto3.

Nothing is asked of AWS before a client is used. What AWS refuses is raised as a CloudError that says what was being
done and which code came back; a network that is not there says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from packyak.engine.errors import CloudError, MissingExtra, NoCredentials

SIGN_IN = "sign in with `aws sso login` or `aws configure`, or set AWS_PROFILE, then try again"
DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
EXPIRED = (
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
)
ABSENT = ("404", "NoSuchBucket", "NotFound", "NoSuchKey", "NoSuchEntity", "ResourceNotFoundException")


class Account(Protocol):
    """Who asks and where. pause: seconds between two looks at something that takes time."""

    region: str
    pause: float

    def client(self, service: str) -> Any:
        """The client of a service, as boto3 has it."""
        ...


class AwsAccount:
    """The account of this machine's credentials."""

    def __init__(self, region: str | None = None) -> None:
        try:
            import boto3
            from botocore.config import Config
        except ImportError as error:
            raise MissingExtra.of("aws", why="to ask AWS anything") from error
        self._session = boto3.Session(region_name=region)
        self._config = Config(retries={"mode": "standard", "max_attempts": 6}, connect_timeout=10, read_timeout=60)
        self._clients: dict[str, Any] = {}
        if not self._session.region_name:
            raise CloudError(
                "nothing says in which region", next_step="give --region eu-west-1, or set AWS_REGION", service="sts"
            )
        if self._session.get_credentials() is None:
            raise NoCredentials("there are no AWS credentials on this machine", next_step=SIGN_IN)
        self.region: str = self._session.region_name
        self.pause = 0.1 if "127.0.0.1" in os.environ.get("AWS_ENDPOINT_URL", "") else 3.0

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service, config=self._config)
        return self._clients[service]


def credentials_seen() -> str:
    """Where credentials seem to come from, "" where none are seen; looks at variables and files and asks nobody."""
    if os.environ.get("AWS_PROFILE"):
        return f"the profile {os.environ['AWS_PROFILE']}"
    if any(os.environ.get(name) for name in VARIABLES):
        return "variables of the environment"
    config = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or Path.home() / ".aws" / "credentials")
    if config.is_file() or (Path.home() / ".aws" / "config").is_file():
        return "the AWS files of this user"
    return ""


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turns what boto3 raises in the block into a CloudError. what: what was being done, as in `the stack was read`."""
    from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except NoCredentialsError as error:
        raise NoCredentials("there are no AWS credentials on this machine", next_step=SIGN_IN, service="sts") from error
    except EndpointConnectionError as error:
        raise CloudError(
            f"AWS cannot be reached while {what}", next_step="look at the network, then try again: it goes on from here"
        ) from error
    except ClientError as error:
        raise _refused(what, error) from error
    except (BotoCoreError, ResponseParserError) as error:
        raise CloudError(
            f"while {what}: {str(error).splitlines()[0][:300]}", next_step="try again: it goes on from here"
        ) from error


def _refused(what: str, error: Any) -> CloudError:
    code, message = code_of(error), str(error.response.get("Error", {}).get("Message", ""))
    operation = getattr(error, "operation_name", "")
    if code in EXPIRED:
        return NoCredentials(f"AWS does not take these credentials ({code})", next_step=SIGN_IN, code=code)
    if code in DENIED:
        return CloudError(
            f"{operation} is not allowed to you, while {what}: {message}",
            next_step="ask whoever runs the account for it; `packyak export --dry-run` lists what is needed",
            code=code,
        )
    return CloudError(f"while {what}: {code}: {message}", next_step="try again: it goes on from here", code=code)


def code_of(error: BaseException) -> str:
    """What AWS calls an error; "" for what is none of its."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def absent(error: BaseException) -> bool:
    """Whether AWS says that something is not there."""
    return code_of(error) in ABSENT or "does not exist" in str(error)


def pages(call: Callable[..., Any], key: str, **asked: Any) -> Iterator[Any]:
    """Everything of a listing that comes in pages."""
    token: str | None = None
    while True:
        answer = call(**asked, **({"NextToken": token} if token else {}))
        yield from answer.get(key) or ()
        token = answer.get("NextToken")
        if not token:
            return
