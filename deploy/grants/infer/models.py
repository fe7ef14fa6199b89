"""What AWS's own service models say: which operation a method calls, what resources, collections, paginators and
waiters there are. Read from the data files of botocore and boto3; no session, no credentials, no region.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

# Methods that boto3 writes by hand. Each: operations with the parameters that make them, by position.
TRANSFERS: Mapping[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    ("", "upload_file"): (("Filename", "Bucket", "Key", "ExtraArgs", "Callback", "Config"), ("PutObject",)),
    ("", "upload_fileobj"): (("Fileobj", "Bucket", "Key", "ExtraArgs", "Callback", "Config"), ("PutObject",)),
    ("", "download_file"): (
        ("Bucket", "Key", "Filename", "ExtraArgs", "Callback", "Config"),
        ("HeadObject", "GetObject"),
    ),
    ("", "download_fileobj"): (
        ("Bucket", "Key", "Fileobj", "ExtraArgs", "Callback", "Config"),
        ("HeadObject", "GetObject"),
    ),
    ("", "copy"): (
        ("CopySource", "Bucket", "Key", "ExtraArgs", "Callback", "SourceClient", "Config"),
        ("CopyObject",),
    ),
    ("Bucket", "upload_file"): (("Filename", "Key", "ExtraArgs", "Callback", "Config"), ("PutObject",)),
    ("Bucket", "upload_fileobj"): (("Fileobj", "Key", "ExtraArgs", "Callback", "Config"), ("PutObject",)),
    ("Bucket", "download_file"): (("Key", "Filename", "ExtraArgs", "Callback", "Config"), ("HeadObject", "GetObject")),
    ("Bucket", "download_fileobj"): (
        ("Key", "Fileobj", "ExtraArgs", "Callback", "Config"),
        ("HeadObject", "GetObject"),
    ),
    ("Bucket", "copy"): (("CopySource", "Key", "ExtraArgs", "Callback", "SourceClient", "Config"), ("CopyObject",)),
    ("Object", "upload_file"): (("Filename", "ExtraArgs", "Callback", "Config"), ("PutObject",)),
    ("Object", "upload_fileobj"): (("Fileobj", "ExtraArgs", "Callback", "Config"), ("PutObject",)),
    ("Object", "download_file"): (("Filename", "ExtraArgs", "Callback", "Config"), ("HeadObject", "GetObject")),
    ("Object", "download_fileobj"): (("Fileobj", "ExtraArgs", "Callback", "Config"), ("HeadObject", "GetObject")),
    ("Object", "copy"): (("CopySource", "ExtraArgs", "Callback", "SourceClient", "Config"), ("CopyObject",)),
}


@cache
def _loader() -> Any:
    import boto3
    from botocore.loaders import Loader

    return Loader(extra_search_paths=[str(Path(boto3.__file__).parent / "data")])


@cache
def services() -> frozenset[str]:
    """Every service that botocore knows."""
    return frozenset(_loader().list_available_services("service-2"))


@cache
def methods_of(service: str) -> Mapping[str, str]:
    """Operations of a client, by the name of the method."""
    from botocore import xform_name

    model = _loader().load_service_model(service, "service-2")
    return {xform_name(name): name for name in model["operations"]}


@cache
def waiters_of(service: str) -> Mapping[str, str]:
    """The operation that a waiter calls, by its name."""
    from botocore import xform_name
    from botocore.exceptions import UnknownServiceError

    try:
        model = _loader().load_service_model(service, "waiters-2")
    except UnknownServiceError:
        return {}
    return {xform_name(name): each["operation"] for name, each in model["waiters"].items()}


@cache
def _resources(service: str) -> Mapping[str, Any]:
    model: Mapping[str, Any] = _loader().load_service_model(service, "resources-1")
    return model


@cache
def resource_model(service: str, type_name: str) -> Any:
    """What a resource can do (boto3's own reading of its model), or None where the service has no such."""
    from boto3.resources.model import ResourceModel
    from botocore.exceptions import DataNotFoundError
    from botocore.model import ServiceModel

    try:
        data = _resources(service)
    except DataNotFoundError:
        return None
    definition = data["service"] if not type_name else data["resources"].get(type_name)
    if definition is None:
        return None
    model = ResourceModel(type_name or service, definition, data["resources"])
    shapes = ServiceModel(_loader().load_service_model(service, "service-2"), service_name=service)
    model.load_rename_map(shapes.shape_for(model.shape) if model.shape else None)
    return model


@cache
def attributes_of(service: str, type_name: str) -> frozenset[str]:
    """The attributes of a resource that are fetched when they are asked for."""
    from botocore.model import ServiceModel

    model = resource_model(service, type_name)
    if model is None or not model.shape:
        return frozenset()
    shapes = ServiceModel(_loader().load_service_model(service, "service-2"), service_name=service)
    return frozenset(model.get_attributes(shapes.shape_for(model.shape)))
