"""`make prove`: the proof of grants on the sample project and on random ones, with what it came to.

The sample (with few tickets: what a role needs does not depend on how many) always in full: every grant that a run
used is taken away; and it is run here and under its roles, and compared. Of each random project `--share` of the
grants, drawn by its seed; what was not tried is said. Foreign accesses are never sampled. `--resume FILE` keeps what is
done, so that a long proof (`--share 1`) can be cut off and go on. Cut off, it ends the processes that it started.
"""

from __future__ import annotations

import _thread
import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from random_projects import RandomProject

TICKETS = 40
VERDICTS = ("proven", "unneeded", "unobserved", "not tried")
SAMPLE, PARITY = "sample", "parity"
PATIENCE = 10.0  # seconds in which a process may put away what it made


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    known = argparse.ArgumentParser(prog="make prove", description=__doc__)
    known.add_argument("--projects", type=int, default=25, help="how many random projects (25)")
    known.add_argument("--first", type=int, default=1, help="the seed of the first (1)")
    known.add_argument("--share", type=float, default=0.2, help="of the grants of random projects (0.2; 1: all)")
    known.add_argument("--no-sample", action="store_true", help="without the sample project")
    known.add_argument("--at-once", type=int, default=2, help="projects at the same time (2)")
    known.add_argument("--resume", type=Path, help="a file with what is done already, and where more is written")
    return known.parse_args(given)


def found_out(name: str, share: float) -> dict[str, Any]:
    """What one task comes to, as plain figures."""
    return compared() if name == PARITY else proven(name, share)


def compared() -> dict[str, Any]:
    """The sample here and under its roles: by asset, in words, what is equal and what is not."""
    from packyak.deploy.grants.parity import compare
    from packyak.engine.project import Project
    from packyak.sample_data import create

    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = compare(Project.open(create(Path(folder) / SAMPLE, tickets=TICKETS)))
    differing = {
        each.here.asset: [
            part
            for part, same in (
                ("records", (each.here.rows, each.here.content) == (each.there.rows, each.there.content)),
                ("version", each.here.version == each.there.version),
                ("lineage", each.here.lineage == each.there.lineage),
            )
            if not same
        ]
        for each in found
    }
    return {
        "records": {each.here.asset: each.here.rows for each in found},
        "differing": differing,
        "seconds": round(time.monotonic() - began, 1),
        "wrong": [f"{asset}: {each} differ" for asset, parts in differing.items() for each in parts],
    }


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
    names = [] if given.no_sample else [PARITY, SAMPLE]
    names += [str(seed) for seed in range(given.first, given.first + given.projects)]
    keys = {name: name if name in (SAMPLE, PARITY) else f"{name} share {given.share:g}" for name in names}
    waiting = [name for name in names if keys[name] not in done]
    began = time.monotonic()
    end_at_once_when_cut_off(given.resume)
    with ProcessPoolExecutor(
        given.at_once, get_context("spawn"), initializer=ends_with, initargs=(os.getpid(),), max_tasks_per_child=1
    ) as pool:
        tasks = {pool.submit(found_out, name, given.share): name for name in waiting}
        for task in as_completed(tasks):
            name = tasks[task]
            try:
                done[keys[name]] = task.result()
            except Exception as error:
                done[keys[name]] = {"wrong": [f"{type(error).__name__}: {error}"]}
            say(name, done[keys[name]])
            if given.resume is not None:
                given.resume.write_text(json.dumps(done, indent=1))
    return summed({name: done[keys[name]] for name in names}, time.monotonic() - began)


def end_at_once_when_cut_off(kept: Path | None) -> None:
    """Asked to stop, this process ends without waiting for its proofs; they end because it is gone (`ends_with`)."""

    def stop(number: int, frame: object) -> None:
        print(
            f"cut off; what is done is in {kept}" if kept else "cut off; --resume FILE keeps what is done", flush=True
        )
        os._exit(128 + number)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)


def ends_with(parent: int) -> None:
    """In a process that proves: it ends when the one that started it has, whatever that one died of."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        _thread.interrupt_main()
        time.sleep(PATIENCE)
        os._exit(1)

    threading.Thread(target=watch, name="ends-with-its-parent", daemon=True).start()


def say(name: str, found: dict[str, Any]) -> None:
    if name == PARITY:
        for asset, rows in found.get("records", {}).items():
            differing = found["differing"][asset]
            equal = f"{', '.join(differing)} differ" if differing else "records, version and lineage equal"
            print(f"here and under its role: {asset}, {rows} records: {equal}", flush=True)
    else:
        called = "sample project" if name == SAMPLE else f"random project {name}"
        print(
            f"{called}: {found.get('units', 0)} roles, {found.get('proven', 0)} of {tried(found)} killed, "
            f"{found.get('not tried', 0)} not tried, {found.get('unobserved', 0)} never used, "
            f"{found.get('denied', 0):,} of {found.get('probes', 0):,} denied, {found.get('seconds', 0):.0f} s",
            flush=True,
        )
    for each in [*found["wrong"], *(f"never used: {each}" for each in found.get("unobserved_grants", ()))]:
        print(f"  {each}", flush=True)


def tried(found: dict[str, Any]) -> int:
    return int(found.get("proven", 0)) + int(found.get("unneeded", 0))


def summed(found: dict[str, dict[str, Any]], seconds: float) -> int:
    proofs = [each for name, each in found.items() if name != PARITY]

    def total(what: str) -> int:
        return sum(each.get(what, 0) for each in proofs)

    killed, all_tried = total("proven"), sum(map(tried, proofs))
    probes, denied = total("probes"), total("denied")
    broken = sum(bool(each["wrong"]) for each in proofs)
    rows = [
        ("grants taken away that broke the run", "100 %", _share(killed, all_tried), killed == all_tried > 0),
        ("foreign accesses denied", "100 %", _share(denied, probes), denied == probes > 0),
        ("grants that no run used", "0", f"{total('unobserved'):,}", not total("unobserved")),
        ("uses that could not be decided", "0", f"{total('undecided'):,}", not total("undecided")),
        ("projects with something wrong", "0", f"{broken:,} of {len(proofs):,}", not broken),
    ]
    if PARITY in found:
        parity = found[PARITY]
        same = sum(not each for each in parity.get("differing", {}).values())
        told = f"equal ({same} assets)" if not parity["wrong"] else f"{len(parity['wrong'])} differences"
        rows.append(("the sample here and under its roles", "equal", told, not parity["wrong"] and same > 0))
    print(f"\n{len(proofs)} projects, {total('units'):,} roles, {total('grants'):,} grants")
    print(f"{'':40} {'target':>8}  measured")
    for what, target, measured, met in rows:
        print(f"{what:40} {target:>8}  {measured}{'' if met else '   MISSED'}")
    print(f"not tried, because sampled out: {total('not tried'):,}")
    print(f"{total('cpu') / max(total('mutants'), 1):.2f} CPU seconds a mutant; {seconds:.0f} s in this call")
    holds = all(met for *_, met in rows)
    print("the proof holds" if holds else "the proof does not hold")
    return 0 if holds else 1


def _share(part: int, whole: int) -> str:
    return f"{part / max(whole, 1):.2%} ({part:,} of {whole:,})"


if __name__ == "__main__":
    sys.exit(main(arguments()))
