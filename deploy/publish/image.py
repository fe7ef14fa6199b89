"""Container images without Docker: one archive of the project and of Packyak itself, built by CodeBuild in the account.

The archive holds what the images need and nothing else: the project's declaring files and what they import from beside
them, a wheel of the installed Packyak, and the versions that are installed here, pinned. The same code and versions
give the same archive, whose hash is the tag of the images: one that is there already is never built again.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packyak.deploy.plan import CloudPlan
from packyak.deploy.publish.account import Account, absent, asking
from packyak.deploy.stacks.container import PLACE, USER
from packyak.engine.errors import PublishFailed

DISTRIBUTION = "packyak-studio"
STUDIO = "studio"
EXTRAS = {"slim": (), "full": ("learn",), STUDIO: ("studio", "team")}
BESIDE = ("boto3",)  # a home on S3 wants it
ROOMS = ("packyak", "packyak.engine", "packyak.deploy")
LEFT_OUT = ("__pycache__",)
NOT_OF_UNITS = ("cli/studio.py", "cli/team.py")
NOT_IN_THE_CLOUD = ("nvidia-", "triton", "cuda-", "aws-cdk", "jsii")
THEN = (1980, 1, 1, 0, 0, 0)
ENTRY = "packyak.deploy.entry.run"
# Every image is one stage on what they share. The studio's makes the one folder that it may write to: what stands there
# when the volume is named is what the volume begins with, its owner too.
DOCKERFILE = """\
ARG VARIANT
FROM public.ecr.aws/lambda/python:{python} AS shared
ARG VARIANT
COPY requirements-${{VARIANT}}.txt wheel-${{VARIANT}}/ /build/
RUN pip install --no-cache-dir --no-deps {index}-r /build/requirements-${{VARIANT}}.txt \\
    && pip install --no-cache-dir --no-deps /build/*.whl
COPY project/ ${{LAMBDA_TASK_ROOT}}/
ENV PACKYAK_PROJECT=${{LAMBDA_TASK_ROOT}} HF_HUB_OFFLINE=1 DO_NOT_TRACK=1
CMD ["{entry}"]

FROM shared AS slim
FROM shared AS full
FROM shared AS studio
RUN mkdir {place} && chown {user} {place}
VOLUME ["{place}"]
ENV HOME={place} TMPDIR={place} PACKYAK_PREFECT=off PACKYAK_WORKER=off

FROM ${{VARIANT}}
"""
TELL_EVERY = 15.0


@dataclass(frozen=True)
class Source:
    """The archive. tag: its hash, which the images are called by."""

    data: bytes
    tag: str


@dataclass(frozen=True)
class Builder:
    """What the account builds images with: a CodeBuild project and the repository that it pushes to."""

    project: str
    repository: str


def source_of(
    root: Path, modules: Iterable[Path], kinds: Iterable[str], index: str = "", *, learns: bool = False
) -> Source:
    """The archive for a project. modules: its declaring files; kinds: which images are needed; index: one more index
    of packages, such as one of builds of torch for CPUs; learns: whether the studio's searches by meaning."""
    files = dict(_files(root, modules))
    extra = f"--extra-index-url {index} " if index else ""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    content: dict[str, bytes] = {
        "Dockerfile": DOCKERFILE.format(python=python, entry=ENTRY, index=extra, place=PLACE, user=USER).encode(),
    }
    imported = sorted(set(_distributions(files)))
    for kind in sorted(kinds):
        extras = EXTRAS[kind] + (EXTRAS["full"] if kind == STUDIO and learns else ())
        content[f"requirements-{kind}.txt"] = "\n".join(pins(imported, extras)).encode() + b"\n"
        content[f"wheel-{kind}/{_wheel_name()}"] = wheel(studio=kind == STUDIO)
    content |= {f"project/{name}": path.read_bytes() for name, path in files.items()}
    data = _zipped(content)
    return Source(data, hashlib.sha256(data).hexdigest()[:16])


def images_of(plan: CloudPlan) -> list[str]:
    """Which images a plan needs."""
    return sorted({unit.image for unit in plan.units} | ({STUDIO} if plan.studio else set()))


def searches(plan: CloudPlan) -> bool:
    """Whether there is an index, so that a studio embeds what people look for."""
    return any(unit.kind == "index" for unit in plan.units)


def _files(root: Path, modules: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """The declaring files, what they import that lies in the project, and its packyak.toml; by their place in it."""
    waiting, seen = [path.resolve() for path in modules], set[Path]()
    base = root.resolve()
    while waiting:
        path = waiting.pop()
        if path in seen or not path.is_relative_to(base):
            continue
        seen.add(path)
        yield path.relative_to(base).as_posix(), path
        for name in _imports(path):
            waiting += _beside(base, path.parent, name)
    if (base / "packyak.toml").is_file():
        yield "packyak.toml", base / "packyak.toml"


def _beside(base: Path, folder: Path, name: str) -> Iterator[Path]:
    """The files of a module that lies in the project, and of the packages around it."""
    parts = name.split(".")
    for start in dict.fromkeys((base, folder)):
        for depth in range(1, len(parts) + 1):
            at = start.joinpath(*parts[:depth])
            yield from (each for each in (at.with_suffix(".py"), at / "__init__.py") if each.is_file())


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            yield start
            yield from (f"{start}.{alias.name}".lstrip(".") for alias in node.names)


def _distributions(files: Mapping[str, Path]) -> Iterator[str]:
    """What the project imports that is installed here."""
    installed = metadata.packages_distributions()
    for name, path in files.items():
        if name.endswith(".py"):
            for module in _imports(path):
                yield from installed.get(module.partition(".")[0], ())


def pins(names: Iterable[str], extras: Iterable[str] = ()) -> list[str]:
    """`name==version` of everything that these, and Packyak with these extras, need; as it is installed here."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    waiting: list[tuple[str, frozenset[str]]] = [(DISTRIBUTION, frozenset(extras))]
    waiting += [(name, frozenset()) for name in (*names, *BESIDE)]
    seen: set[tuple[str, frozenset[str]]] = set()
    found: dict[str, str] = {}
    while waiting:
        name, wanted = waiting.pop()
        name = canonicalize_name(name)
        if (name, wanted) in seen or name.startswith(NOT_IN_THE_CLOUD):
            continue
        seen.add((name, wanted))
        try:
            here = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # for another system, or an extra that is not used here
            continue
        if name != canonicalize_name(DISTRIBUTION):
            found[name] = here.version.partition("+")[0]
        for line in here.requires or ():
            needed = Requirement(line)
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in (wanted or {""})):
                waiting.append((needed.name, frozenset(needed.extras)))
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _wheel_name() -> str:
    return f"packyak_studio-{metadata.version(DISTRIBUTION)}-py3-none-any.whl"


def wheel(*, studio: bool = False) -> bytes:
    """A wheel of Packyak as it is installed here; the studio is left out where it is not served."""
    content = dict(_packages(studio))
    info = _wheel_name().removesuffix("-py3-none-any.whl") + ".dist-info"
    here = metadata.distribution(DISTRIBUTION)
    content[f"{info}/METADATA"] = (here.read_text("METADATA") or here.read_text("PKG-INFO") or "").encode()
    content[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: packyak\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in sorted(content.items())]
    content[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()
    return _zipped(content)


def _packages(studio: bool) -> Iterator[tuple[str, bytes]]:
    from importlib import import_module

    left_out = LEFT_OUT if studio else (*LEFT_OUT, *NOT_OF_UNITS)
    for room in (*ROOMS, "packyak.studio") if studio else ROOMS:
        for place in map(Path, import_module(room).__path__):
            for path in sorted(place.rglob("*")):
                name = path.relative_to(place).as_posix()
                if path.is_file() and not any(each in name for each in left_out):
                    yield f"{room.replace('.', '/')}/{name}", path.read_bytes()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _zipped(content: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(content.items()):
            info = zipfile.ZipInfo(name, THEN)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()


class Images:
    """The images of a project in the account's registry."""

    def __init__(self, account: Account, builder: Builder, tag: str, tell: Callable[[str], None]) -> None:
        self.account = account
        self.builder = builder
        self.tag = tag
        self.tell = tell

    def digests(self, kinds: Iterable[str]) -> dict[str, str]:
        """The digest of each image that is there, by kind."""
        found = {}
        for kind in kinds:
            digest = self._digest(f"{kind}-{self.tag}")
            if digest:
                found[kind] = digest
        return found

    def _digest(self, tag: str) -> str:
        with asking(f"the image {tag} was looked for"):
            try:
                answer = self.account.client("ecr").describe_images(
                    repositoryName=self.builder.repository, imageIds=[{"imageTag": tag}]
                )
            except Exception as error:
                if absent(error) or "ImageNotFound" in type(error).__name__ or "ImageNotFound" in str(error):
                    return ""
                raise
        return str(answer["imageDetails"][0]["imageDigest"]) if answer.get("imageDetails") else ""

    def build(self, kind: str, source: str) -> None:
        """Builds one from the archive at a place in the home's bucket, and waits."""
        variables = {"SOURCE": source, "VARIANT": kind, "TAG": f"{kind}-{self.tag}"}
        with asking("the build was started"):
            build = self.account.client("codebuild").start_build(
                projectName=self.builder.project,
                environmentVariablesOverride=[{"name": name, "value": value} for name, value in variables.items()],
            )["build"]
        self._wait(build["id"])

    def _wait(self, name: str) -> None:
        began = told = time.monotonic()
        while True:
            with asking("the build was looked at"):
                build = self.account.client("codebuild").batch_get_builds(ids=[name])["builds"][0]
            if build["buildStatus"] != "IN_PROGRESS":
                break
            if time.monotonic() - told > TELL_EVERY:
                told = time.monotonic()
                self.tell(f"{build.get('currentPhase', 'building').lower()}, {told - began:.0f} s so far")
            time.sleep(self.account.pause)
        if build["buildStatus"] != "SUCCEEDED":
            raise PublishFailed(
                f"the images were not built: {build['buildStatus'].lower()}: {_why(build)}",
                next_step=f"its log is {build.get('logs', {}).get('deepLink', 'in CodeBuild')}; mend and export again",
                resource=self.builder.project,
            )


def _why(build: Mapping[str, Any]) -> str:
    for phase in build.get("phases", ()):
        for context in phase.get("contexts", ()):
            if context.get("message"):
                return f"{phase['phaseType'].lower()}: {context['message']}"
    return "no reason given"
