"""What the bench promises: at no step is a user's function called once more than needed; and the parts it tells."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "bench"))

from bench_spine import STEPS, full_parts, told_parts, wasted_calls
from spine_job import Job
from spine_parts import PARTS


def test_no_call_is_wasted(tmp_path: Path) -> None:
    job = Job(tmp_path, size=300, calls=tmp_path / "calls", alone=True)
    assert wasted_calls(job) == {step.name: 0 for step in STEPS}


def test_the_parts_of_a_full_run_are_told(tmp_path: Path) -> None:
    parts = full_parts(Job(tmp_path, size=300, alone=True))
    assert tuple(parts) == PARTS and min(parts.values()) >= 0
    assert all(parts[name] > 0 for name in ("the user's functions", "SQL and hashes", "writing tables", "the rest"))
    assert "the user's functions 0." in told_parts(parts)
