"""Bytes under names in an S3 prefix: the home in the cloud.

Reads and writes go through Arrow's S3 client. An object appears whole or not at all. Arrow cannot write "only if
absent"; where boto3 is installed `create` is S3's conditional put, elsewhere it looks first and then writes, which two
writers at the same moment can both pass. Callers therefore use names that are unique, or read back what they created.
Arrow also looks at an object before it deletes it, and writes one that stands for its folder after: with boto3 a
deletion is one request, which asks for one permission.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from packyak.engine.errors import HomeError, HomeNotWritable


class S3Place:
    """An `s3://bucket/prefix`."""

    def __init__(self, uri: str) -> None:
        self.root = uri.removeprefix("s3://").strip("/")
        self.bucket, _, self.prefix = self.root.partition("/")
        if not self.bucket:
            raise HomeError(f"{uri!r} names no S3 bucket", uri=uri, next_step="use s3://bucket/prefix")

    @cached_property
    def _files(self) -> Any:
        from pyarrow import fs

        options: dict[str, Any] = {"allow_delayed_open": True}  # one request for a small object instead of three
        if endpoint := _endpoint():
            options |= {"endpoint_override": endpoint.split("://")[-1], "scheme": endpoint.split("://")[0]}
        if region := _region():
            options["region"] = region
        return fs.S3FileSystem(**options)

    @cached_property
    def _client(self) -> Any | None:
        try:
            import boto3
        except ImportError:
            return None
        return boto3.client("s3", endpoint_url=_endpoint(), region_name=_region() or "us-east-1")

    def _at(self, name: str) -> str:
        return self.root if name == "." else f"{self.root}/{name}"

    def read(self, name: str) -> bytes | None:
        """The object's bytes, None where there is none."""
        try:
            with self._files.open_input_stream(self._at(name)) as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            return None
        except OSError as error:
            if "ACCESS_DENIED" in str(error) and self._is_absent(name):
                return None
            raise self._refused("read", name, error) from error

    def _is_absent(self, name: str) -> bool:
        """Whether there is no such object, as a listing tells it: to a role that may not list the whole bucket, S3 says
        that an absent object is forbidden. Arrow cannot list one key, so this needs boto3."""
        from importlib.util import find_spec

        if find_spec("boto3") is None:
            return False
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = self._client.list_objects_v2(Bucket=self.bucket, Prefix=self._key(name), MaxKeys=1)  # type: ignore[union-attr]
        except (BotoCoreError, ClientError):
            return False
        return all(each["Key"] != self._key(name) for each in found.get("Contents", ()))

    def _key(self, name: str) -> str:
        return "/".join(part for part in (self.prefix, name) if part)

    def write(self, name: str, data: bytes, *, secret: bool = False) -> None:
        """Replaces an object."""
        try:
            with self._files.open_output_stream(self._at(name)) as stream:
                stream.write(data)
        except OSError as error:
            raise self._refused("write", name, error) from error

    def create(self, name: str, data: bytes, *, secret: bool = False) -> bool:
        """Writes an object that is not there yet."""
        if self._client is not None:
            return self._put_if_absent(name, data)
        if self.read(name) is not None:
            return False
        self.write(name, data)
        return True

    def _put_if_absent(self, name: str, data: bytes) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.put_object(Bucket=self.bucket, Key=self._key(name), Body=data, IfNoneMatch="*")  # type: ignore[union-attr]
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412):
                return False
            raise self._refused("write", name, error) from error
        except BotoCoreError as error:
            raise self._refused("write", name, error) from error
        return True

    def names(self, folder: str, suffix: str = "") -> list[str]:
        """The names of the objects directly under a folder, sorted."""
        from pyarrow import fs

        try:
            found = self._files.get_file_info(fs.FileSelector(self._at(folder), allow_not_found=True))
        except OSError as error:
            raise self._refused("list", folder, error) from error
        return sorted(info.base_name for info in found if info.is_file and info.base_name.endswith(suffix))

    def remove(self, name: str) -> None:
        """Deletes an object; one that is not there is no error."""
        if self._client is not None:
            self._delete(name)
            return
        try:
            self._files.delete_file(self._at(name))
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._refused("delete", name, error) from error

    def _delete(self, name: str) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.delete_object(Bucket=self.bucket, Key=self._key(name))  # type: ignore[union-attr]
        except (BotoCoreError, ClientError) as error:
            raise self._refused("delete", name, error) from error

    def walk(self, folder: str) -> Iterator[tuple[str, int, int]]:
        """Name, size and time of change of every object below a folder, or of the one object with this name."""
        from pyarrow import fs

        try:
            found = self._files.get_file_info(fs.FileSelector(self._at(folder), allow_not_found=True, recursive=True))
            found = found or [self._files.get_file_info(self._at(folder))]
        except OSError as error:
            raise self._refused("list", folder, error) from error
        for info in found:
            if info.is_file:
                yield info.path.removeprefix(f"{self.root}/"), info.size, info.mtime_ns

    def sweep(self) -> int:
        """A write that is cut short leaves no object."""
        return 0

    def require_writable(self) -> None:
        """Nothing is tried: a probe would need the right to delete it again."""

    def _refused(self, verb: str, name: str, error: Exception) -> HomeError:
        kind = HomeNotWritable if verb in ("write", "delete") else HomeError
        return kind(
            f"S3 refused to {verb} s3://{self._at(name)}: {error}",
            path=f"s3://{self._at(name)}",
            next_step="check the bucket's name, the region and the credentials (AWS_PROFILE or AWS_ACCESS_KEY_ID)",
        )


def storage_options() -> dict[str, str]:
    """What the table library is told beside its own reading of the AWS variables."""
    options: dict[str, str] = {}
    if endpoint := _endpoint():
        options |= {"aws_endpoint": endpoint, "aws_virtual_hosted_style_request": "false"}
        if endpoint.startswith("http://"):
            options["allow_http"] = "true"
    if region := _region():
        options["region"] = region
    return options


def _endpoint() -> str | None:
    found = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return found.rstrip("/") if found else None


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
