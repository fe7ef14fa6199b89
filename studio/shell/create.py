"""Makes a project of a CSV file: its folder, its declarations, the file in its bucket."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePath

from packyak.studio.shell.projects import MARKER
from packyak.studio.views.from_csv import Looked, pipeline_text


def from_csv(root: Path, found: Looked, asset: str, key: str | None) -> None:
    """Write the project. Raises FileExistsError where there is one already, OSError where nothing can be written; what
    was written before is taken back then, so that another try finds the folder as it was."""
    if (root / MARKER).exists() or (root / "pipeline.py").exists():
        raise FileExistsError(f"there is a project in {root} already")
    config = f'name = {json.dumps(root.name, ensure_ascii=False)}\nmodules = ["pipeline"]\n'
    name = re.sub(r"[^\w .-]", "_", PurePath(found.file).stem).strip(" .") or "records"
    file = root / ".packyak" / "buckets" / "inbox" / f"{name}.csv"
    written = {
        file: found.data,
        root / "pipeline.py": pipeline_text(found, asset, key).encode(),
        root / MARKER: config.encode(),  # last: what has one is a project
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        for path, data in written.items():
            path.write_bytes(data)
    except OSError:
        for path in written:
            path.unlink(missing_ok=True)
        raise
