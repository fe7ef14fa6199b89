"""The studio in a space of SageMaker Studio: a lifecycle script, what it installs, and what the space's role may do.

The script does what it has to once: it fetches the project and Packyak from the home, makes an environment with pinned
packages, and starts the studio below the path at which the space's JupyterLab hands it on. A space allows it five
minutes, so all of that goes on behind it; at the next start it finds the environment there and starts the studio alone.
"""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packyak.deploy.grants.reviewer import REVIEWER
from packyak.deploy.plan import HOME_KEY, CloudPlan
from packyak.deploy.publish.image import Source
from packyak.deploy.stacks.names import Names, slug
from packyak.deploy.stacks.statements import allow, paged
from packyak.engine.errors import PackyakError

LIMIT = 16_384  # characters of a lifecycle script in base64 (SageMaker, CreateStudioLifecycleConfig)
FOLDER = "sagemaker"  # of the home
SCRIPT = r"""#!/bin/bash
# The studio of @project@ in a space of SageMaker Studio. Written by `packyak eject --sagemaker`; a lifecycle
# configuration of JupyterLab spaces. Everything it makes is below ~/.packyak/@name@; `log` there says how it goes.
set -euo pipefail

own="$HOME/.packyak/"@name@
mkdir -p "$own"
chmod 700 "$own"
cat > "$own/studio.sh" <<'STUDIO'
#!/bin/bash
set -euo pipefail
own="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$own"

# One at a time: the studio itself holds the lock for as long as it runs.
exec 9> lock
if ! flock -n 9; then
  echo "the studio runs already"
  exit 0
fi

port="${PACKYAK_STUDIO_PORT:-8501}"
base="${PACKYAK_STUDIO_BASE_PATH:-/${SAGEMAKER_APP_TYPE_LOWERCASE:-jupyterlab}/default/proxy/$port}"
here="$own/"@tag@

if [ ! -e "$here/ready" ]; then
  echo "installing into $here"
  rm -rf "$here"
  mkdir "$here"
  aws s3 cp --only-show-errors --region @region@ @archive@ "$here/studio.zip"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
  python3 -m zipfile -e "$here/studio.zip" "$here"
  python3 -m venv "$here/venv"
  "$here/venv/bin/python" -m pip install --quiet --no-deps --disable-pip-version-check \
    -r "$here/requirements-studio.txt" "$here"/wheel-studio/*.whl
  rm "$here/studio.zip"
  touch "$here/ready"
  for old in "$own"/????????????????; do
    [ "$old" = "$here" ] || rm -rf "$old"
  done
fi

# The address stays the same from start to start, so that it can be kept.
umask 077
[ -s token ] || python3 -c 'import secrets; print(secrets.token_urlsafe(24))' > token
PACKYAK_STUDIO_TOKEN="$(cat token)"
export PACKYAK_STUDIO_TOKEN
echo "https://THE-HOST-OF-THIS-SPACE$base/?token=$PACKYAK_STUDIO_TOKEN" > "$HOME/packyak-"@name@.txt

# Corrections bear the name of the space's owner, where SageMaker tells it.
person='import json; f = json.load(open("/opt/ml/metadata/resource-metadata.json"))'
person="$person; print(f.get('UserProfileName') or f.get('SpaceName') or '')"
PACKYAK_PERSON="${PACKYAK_PERSON:-$(python3 -c "$person" 2> /dev/null || true)}"
export PACKYAK_PERSON

export AWS_REGION="${AWS_REGION:-"@region@"}" PACKYAK_WORKER=off PACKYAK_PREFECT=off DO_NOT_TRACK=1 HF_HUB_OFFLINE=1
exec "$here/venv/bin/python" -m packyak studio --no-browser --project "$here/project" --home @home@ \
  --port "$port" --base-path "$base" --host '*.studio.'@region@'.sagemaker.aws'
STUDIO
chmod 700 "$own/studio.sh"
nohup setsid "$own/studio.sh" >> "$own/log" 2>&1 < /dev/null &
"""
README = """# The studio of {project} in SageMaker Studio

1. Put the archive into the home: `aws s3 cp studio.zip {archive}`
2. Let the space's execution role do what people who review may: attach {policies} to it. `packyak export` made the same
   as the managed policy `{managed}-1`; the last statement here is the archive's.
3. Make the lifecycle configuration, and attach it to the domain, a user profile or a space:

   ```sh
   aws sagemaker create-studio-lifecycle-config --studio-lifecycle-config-name {name} \\
     --studio-lifecycle-config-app-type JupyterLab \\
     --studio-lifecycle-config-content "$(base64 < on-start.sh | tr -d '\\n')"
   ```

4. Start the space. Installing goes on behind its start for some minutes; `~/.packyak/{name}/log` tells. Then
   `~/packyak-{name}.txt` holds the studio's address: put the host of your space into it
   (`....studio.{region}.sagemaker.aws`).

The space has to reach a package index, or `PIP_INDEX_URL` has to name one that it reaches. JupyterLab hands on
`/jupyterlab/default/proxy/8501/` by jupyter-server-proxy, which SageMaker's image has. For Code Editor no such path is
documented: where yours has one, set `PACKYAK_STUDIO_BASE_PATH` for `studio.sh`. The token in the address lets people
in; corrections are made under the space's role, in the name of its owner (`PACKYAK_PERSON`), who needs a role where the
project has `[roles]`. Where it has an index, searching by meaning needs a build of torch for CPUs: name an index of
packages that has one in `PIP_EXTRA_INDEX_URL`.

None of this has been run in SageMaker. The script, the proxy's path and the role are each tested on one machine.
"""


def write_space(plan: CloudPlan, source: Source, folder: Path) -> tuple[Path, ...]:
    """Writes everything into a folder that is empty or new; answers its files."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "not empty" if folder.is_dir() else "a file"
        raise PackyakError(f"{folder} is {what}", next_step="name a folder that is new or empty")
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, bytes] = {"studio.zip": source.data, "on-start.sh": script(plan, source).encode()}
    pages = list(policies(plan, source))
    names = [f"policy{f'-{number}' if number > 1 else ''}.json" for number in range(1, len(pages) + 1)]
    for name, page in zip(names, pages, strict=True):
        files[name] = (json.dumps(page, indent=2) + "\n").encode()
    files["README.md"] = README.format(
        project=plan.project,
        name=slug(plan.project),
        region=plan.home.region,
        archive=archive(plan, source),
        policies=", ".join(f"`{each}`" for each in names),
        managed=Names(plan.project, plan.home.bucket).own(f"people-{REVIEWER}"),
    ).encode()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return tuple(sorted(folder / name for name in files))


def archive(plan: CloudPlan, source: Source) -> str:
    """Where the archive lies in the home."""
    return f"s3://{plan.home.bucket}/{plan.home.path(f'{FOLDER}/{source.tag}.zip')}"


def script(plan: CloudPlan, source: Source) -> str:
    """The lifecycle script. Raises PackyakError where it is longer than SageMaker takes."""
    words = {
        "project": slug(plan.project),
        "name": slug(plan.project),
        "tag": source.tag,
        "region": plan.home.region,
        "archive": archive(plan, source),
        "home": plan.home.uri,
    }
    text = SCRIPT
    for word, value in words.items():
        text = text.replace(f"@{word}@", shlex.quote(value))
    if len(base64.b64encode(text.encode())) > LIMIT:
        raise PackyakError(f"the lifecycle script is over {LIMIT:,} characters", next_step="shorten the home's name")
    return text


def policies(plan: CloudPlan, source: Source) -> Iterator[Mapping[str, Any]]:
    """What people who review may, and reading the archive, in as few documents as fit. The home's key is the one that
    has the project's alias: its own name is known only where it was made."""
    role = plan.role(REVIEWER)
    alias = f"alias/{Names(plan.project, plan.home.bucket).prefix}"
    statements = [_with_the_key(each, plan.home.region, alias) for each in (role.policy["Statement"] if role else ())]
    yield from paged([*statements, allow("s3:GetObject", archive(plan, source).replace("s3://", "arn:aws:s3:::"))])


def _with_the_key(statement: Mapping[str, Any], region: str, alias: str) -> Mapping[str, Any]:
    if HOME_KEY not in statement["Resource"]:
        return statement
    condition = {**statement.get("Condition", {}), "ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}
    return {**statement, "Resource": [f"arn:aws:kms:{region}:*:key/*"], "Condition": condition}
