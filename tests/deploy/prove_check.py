"""`make prove`: the proof of grants on the sample project and on random ones, with what it came to.

The sample (with few tickets: what a role needs does not depend on how many) always in full: every grant that a run
used is taken away. Of each random project `--share` of them, drawn by its seed; what was not tried is said. Foreign
accesses are never sampled. `--resume FILE` keeps what is done, so that a long proof (`--share 1`) can be cut off and go
on.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from random_projects import RandomProject

TICKETS = 40
VERDICTS = ("proven", "unneeded", "unobserved", "not tried")
SAMPLE = "sample"


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    known = argparse.ArgumentParser(prog="make prove", description=__doc__)
    known.add_argument("--projects", type=int, default=25, help="how many random projects (25)")
    known.add_argument("--first", type=int, default=1, help="the seed of the first (1)")
    known.add_argument("--share", type=float, default=0.2, help="of the grants of random projects (0.2; 1: all)")
    known.add_argument("--no-sample", action="store_true", help="without the sample project")
    known.add_argument("--at-once", type=int, default=2, help="projects at the same time (2)")
    known.add_argument("--resume", type=Path, help="a file with what is done already, and where more is written")
    return known.parse_args(given)


def proven(name: str, share: float) -> dict[str, Any]:
    """One project's proof, as plain figures."""
    from packyak.deploy.grants.prove import prove
    from packyak.engine.project import Project
    from packyak.sample_data import create

    with tempfile.TemporaryDirectory() as folder:
        if name == SAMPLE:
            made = create(Path(folder) / name, tickets=TICKETS)
        else:
            made = RandomProject(int(name)).create(Path(folder) / f"project{name}")
        proof = prove(
            Project.open(made), share=1.0 if name == SAMPLE else share, seed=0 if name == SAMPLE else int(name)
        )
    wrong = [f"{role.role}: {each}" for role in proof.roles for each in (*role.problems, *role.denied)]
    wrong += [f"{role.role}: survived: {each.grant}" for role in proof.roles for each in role.judged
              if each.verdict == "unneeded"]  # fmt: skip
    wrong += [f"{each.role} could {each.what}" for each in proof.allowed]
    return {
        "units": len(proof.roles),
        "grants": sum(len(role.judged) for role in proof.roles),
        **{verdict: proof.count(verdict) for verdict in VERDICTS},
        "mutants": proof.mutants,
        "probes": len(proof.probes),
        "denied": len(proof.probes) - len(proof.allowed),
        "undecided": len(proof.undecided),
        "cpu": proof.cpu,
        "seconds": proof.seconds,
        "wrong": wrong,
        "unobserved_grants": [f"{role.role}: {each.grant}" for role in proof.roles for each in role.judged
                              if each.verdict == "unobserved"],
    }  # fmt: skip


def main(given: argparse.Namespace) -> int:
    done: dict[str, Any] = {}
    if given.resume is not None and given.resume.exists():
        done = json.loads(given.resume.read_text())
    names = [] if given.no_sample else [SAMPLE]
    names += [str(seed) for seed in range(given.first, given.first + given.projects)]
    keys = {name: name if name == SAMPLE else f"{name} share {given.share:g}" for name in names}
    waiting = [name for name in names if keys[name] not in done]
    began = time.monotonic()
    with ProcessPoolExecutor(given.at_once, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        tasks = {pool.submit(proven, name, given.share): name for name in waiting}
        for task in as_completed(tasks):
            name = tasks[task]
            try:
                done[keys[name]] = task.result()
            except Exception as error:
                done[keys[name]] = {"wrong": [f"{type(error).__name__}: {error}"]}
            say(name, done[keys[name]])
            if given.resume is not None:
                given.resume.write_text(json.dumps(done, indent=1))
    return summed([done[keys[name]] for name in names], given, time.monotonic() - began)


def say(name: str, found: dict[str, Any]) -> None:
    called = "sample project" if name == SAMPLE else f"random project {name}"
    print(
        f"{called}: {found.get('units', 0)} units, {found.get('proven', 0)} of {tried(found)} killed, "
        f"{found.get('not tried', 0)} not tried, {found.get('unobserved', 0)} never used, "
        f"{found.get('denied', 0):,} of {found.get('probes', 0):,} denied, {found.get('seconds', 0):.0f} s",
        flush=True,
    )
    for each in found["wrong"]:
        print(f"  {each}", flush=True)


def tried(found: dict[str, Any]) -> int:
    return int(found.get("proven", 0)) + int(found.get("unneeded", 0))


def summed(found: list[dict[str, Any]], given: argparse.Namespace, seconds: float) -> int:
    def total(what: str) -> int:
        return sum(each.get(what, 0) for each in found)

    killed, all_tried = total("proven"), sum(map(tried, found))
    print(f"{len(found)} projects, {total('units')} roles, {total('grants'):,} grants")
    print(f"grants taken away: {all_tried:,}; killed {killed:,} ({killed / max(all_tried, 1):.2%})")
    print(f"not tried (sampled out): {total('not tried'):,}; used by no run: {total('unobserved'):,}")
    print(f"uses of buckets that nothing was granted for, because they could not be decided: {total('undecided')}")
    print(f"foreign accesses: {total('probes'):,}; denied {total('denied'):,}")
    print(f"{total('cpu') / max(total('mutants'), 1):.2f} CPU seconds a mutant; {seconds:.0f} s in this call")
    wrong = sum(len(each["wrong"]) for each in found)
    print("the proof holds" if not wrong else f"the proof does not hold: {wrong} findings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(arguments()))
