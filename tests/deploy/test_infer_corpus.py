"""Reading functions: every case of the corpus is decided exactly, or refused where it cannot be told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from infer_corpus import REFUSED, Case, cases, found, read
from packyak.deploy.grants.infer.paste import line_for_operation
from packyak.deploy.grants.infer.rows import SERVICES
from packyak.deploy.grants.infer.table import rows_of
from packyak.engine.declare.allow import Allow

import packyak.grants

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.module}.{case.name}")
def test_what_it_does_is_found_to_the_line(case: Case) -> None:
    assert found(read(case)) == case.expected


def test_the_corpus_is_broad_enough() -> None:
    refused = [case for case in CASES if not case.decidable]
    assert len(CASES) >= 100 and len(refused) >= 20
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [case for case in CASES if not case.decidable], ids=lambda case: case.name)
def test_a_refusal_says_where_and_what_to_do(case: Case) -> None:
    for refusal in read(case).refusals:
        assert (refusal.file, refusal.line, REFUSED, "", None) in case.expected
        said = str(refusal)
        assert said.startswith(f"{refusal.file}:{refusal.line} in function {case.name}: ")
        assert said.endswith(f" Write grants=[{refusal.grant}] on what is declared, or narrow the code.")
        assert pasted(refusal.grant)


def pasted(grant: str) -> list[Allow]:
    """What a line comes to where it is pasted."""
    found: list[Allow] = eval(f"[{grant}]", dict(vars(packyak.grants)))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_has_a_line_that_can_be_pasted(service: str) -> None:
    for operation, rows in rows_of(service).items():
        grants = pasted(line_for_operation(service, operation))
        asked = {row.action for row in rows} - {"-"}
        assert not asked or {each.action for each in grants} & asked, operation


def test_nothing_that_was_not_written_out_is_granted_everywhere() -> None:
    for case in CASES:
        for action in read(case).actions:
            if action.need.resource == "*":
                assert action.need.action.startswith(("textract:", "comprehendmedical:", "s3:ListAllMyBuckets"))
            assert "*" not in action.need.action


@pytest.mark.slow
def test_what_functions_were_seen_to_do_was_read(tmp_path: Path) -> None:
    """The functions run for real, and botocore tells what it was asked and from which line."""
    program = Path(__file__).parent / "infer_executed.py"
    done = subprocess.run([sys.executable, str(program)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["missed"] == []
    assert len(found["functions"]) >= 100 and found["calls"] >= 200
