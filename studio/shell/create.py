"""Makes a project of a CSV file: its folder, its declarations, the file in its bucket."""

from __future__ import annotations

import json
from pathlib import Path, PurePath

from packyak.studio.shell.projects import MARKER
from packyak.studio.views.from_csv import Looked, pipeline_text


def from_csv(root: Path, found: Looked, data: bytes, asset: str, key: str | None) -> None:
    """Write the project. Raises FileExistsError where there is one already, OSError where nothing can be written."""
    if (root / MARKER).exists() or (root / "pipeline.py").exists():
        raise FileExistsError(f"there is a project in {root} already")
    bucket = root / ".packyak" / "buckets" / "inbox"
    bucket.mkdir(parents=True, exist_ok=True)
    (bucket / f"{PurePath(found.file).stem or 'records'}.csv").write_bytes(data)
    (root / "pipeline.py").write_text(pipeline_text(found, asset, key), encoding="utf-8")
    config = f'name = {json.dumps(root.name, ensure_ascii=False)}\nmodules = ["pipeline"]\n'
    (root / MARKER).write_text(config, encoding="utf-8")
