"""What CDK's own process runs: the stacks of a blueprint, checked by three rule packs, beside one made to be wrong.

`python -m packyak.deploy.stacks.app BLUEPRINT FOLDER` writes templates, `validation-report.json`, `stacks.json` and
`acknowledgements.json` into a folder. It is started with a Node on its path.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from packyak.deploy.stacks.acknowledging import Acknowledged
from packyak.deploy.stacks.blueprint import read_blueprint
from packyak.deploy.stacks.building import build
from packyak.deploy.stacks.control import Control

FOUND = 3  # the exit code where a pack found something that nobody acknowledged
REPORT = "validation-report.json"


def main(blueprint: str, folder: str, *options: str) -> int:
    """Writes everything. --unacknowledged: what the packs find when nothing is explained to them."""
    acknowledged = Acknowledged(off="--unacknowledged" in options)
    app, stacks = build(read_blueprint(Path(blueprint).read_text(encoding="utf-8")), acknowledged, folder)
    Control(app)
    after = {each.stack_name: sorted(other.stack_name for other in each.dependencies) for each in stacks}
    for name, content in (("acknowledgements.json", acknowledged.made), ("stacks.json", after)):
        Path(folder, name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    try:
        app.synth()
    except RuntimeError:
        if not Path(folder, REPORT).is_file():  # it is written last, so nothing else went wrong
            raise
        return FOUND
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
