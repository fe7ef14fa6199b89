"""Writes the stacks of a project as a CDK app of its own: readable, and from then on its owner's.

The app is this folder's own code with its names changed, and the blueprint as files. It needs CDK and nothing of
Packyak, and comes to the same templates, to the byte. What is changed there is not seen by `packyak export`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from packyak.deploy.plan import CloudPlan
from packyak.deploy.stacks.blueprint import Blueprint, write_folder
from packyak.deploy.stacks.drawing import blueprint_of
from packyak.deploy.stacks.profiles import Profile
from packyak.deploy.stacks.running import version_of
from packyak.engine.errors import PackyakError

MODULES = (
    "acknowledging", "beyond", "blueprint", "building", "container", "definition", "filling", "flow", "ground",
    "images", "names", "network", "people", "profiles", "statements", "storage", "studio", "studio_network", "tidying",
    "units", "vpc", "watching",
)  # fmt: skip
LIBRARIES = ("aws-cdk-lib", "cdk-nag", "constructs")
APP = '''"""The stacks of {project} on AWS. README.md says how they are deployed; all of it is yours to change."""

from pathlib import Path

from stacks.acknowledging import Acknowledged
from stacks.blueprint import read_folder
from stacks.building import build

app, stacks = build(read_folder(Path(__file__).parent), Acknowledged())
app.synth()
'''
README = """# {project} on AWS

Written by `packyak eject`, profile `{profile}`, home `{home}`.
From here on it is yours: `packyak export` knows nothing of what you change here.

| | |
|---|---|
| `project.json` | buckets, retention, order, what starts what |
| `units/*.json` | of each unit what it runs on, and its policies: what it may do, with `reaches` saying why where |
| `stacks/*.py` | the stacks: `ground` (data, network, images, the trail), `units`, `flow` |

```sh
python -m venv .venv && . .venv/bin/activate
pip install -r requirements.txt    # and a Node 20 or newer on the PATH
python app.py                      # templates in a temporary folder; fails where a rule pack finds something
npx cdk deploy {ground}
npx cdk deploy --all{parameters}
```

An image's address is `repository@sha256:...`. The first stack makes the repository, and the CodeBuild project
`{build}`, which makes images there from an archive with a Dockerfile in the home (variables
SOURCE, VARIANT, TAG). What runs in an image is `packyak.deploy.entry`.
"""


def eject(plan: CloudPlan, profile: Profile, folder: Path) -> tuple[Path, ...]:
    """Writes the app into a folder that is empty or new; answers its files."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "not empty" if folder.is_dir() else "a file"
        raise PackyakError(f"{folder} is {what}", next_step="name a folder that is new or empty")
    drawn = blueprint_of(plan, profile)
    (folder / "stacks").mkdir(parents=True)
    write_folder(drawn, folder)
    for name in MODULES:
        text = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
        (folder / "stacks" / f"{name}.py").write_text(_own(text), encoding="utf-8")
    (folder / "stacks" / "__init__.py").touch()
    pinned = "".join(f"{name}=={version_of(name)}\n" for name in LIBRARIES)
    (folder / "requirements.txt").write_text(pinned, encoding="utf-8")
    (folder / "cdk.json").write_text(json.dumps({"app": "python app.py"}) + "\n", encoding="utf-8")
    (folder / "app.py").write_text(APP.format(project=drawn.project.replace('"', "'")), encoding="utf-8")
    (folder / "README.md").write_text(_readme(drawn), encoding="utf-8")
    return tuple(sorted(each for each in folder.rglob("*") if each.is_file()))


def _own(text: str) -> str:
    """A module's text with the names that it has in the app."""
    text = re.sub(r"\bpackyak\.deploy\.stacks\b(?=[. ])", "stacks", text)
    return text.replace("deploy/stacks/", "stacks/")


def _readme(drawn: Blueprint) -> str:
    names = drawn.names
    images = sorted({each.image for each in drawn.units})
    stacks = [names.units(number) for number in range(1, len(drawn.stacks) + 1)]
    lines = [f"{stack}:Image{image.capitalize()}=..." for stack in stacks for image in images]
    lines += [f"{names.flow}:ImageSlim=...", *([f"{names.studio}:ImageStudio=..."] if drawn.studio else [])]
    parameters = "".join(f" \\\n  --parameters {line}" for line in lines)
    return README.format(
        project=drawn.project,
        profile=drawn.profile,
        home=drawn.home,
        ground=names.ground,
        build=names.build,
        parameters=parameters,
    )
