"""The promise that the bench measures: at no step is a function of the user's called once more than needed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "bench"))

from bench_spine import STEPS, wasted_calls
from spine_job import Job


def test_no_call_is_wasted(tmp_path: Path) -> None:
    job = Job(tmp_path, size=300, calls=tmp_path / "calls", alone=True)
    assert wasted_calls(job) == {step.name: 0 for step in STEPS}
