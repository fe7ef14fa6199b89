"""What learning reaches, beside its targets: `python bench/bench_learn.py NAME...` (no name: everything; exit 1 when
one is short).

Set OMP_NUM_THREADS to the cores you may use. The data folder is `PACKYAK_BENCH_DATA`, else `../shared/data` beside the
project.
"""

from __future__ import annotations

import argparse
import importlib
import sys

PARTS = {
    "repair": "bench_learn_repair:repair",
    "repair-scale": "bench_learn_repair:repair_scale",
    "classify": "bench_learn_text:classify",
    "numbers": "bench_learn_numbers:numbers",
    "queue": "bench_learn_text:queue",
    "calibration": "bench_learn_text:calibration",
    "gate": "bench_learn_gate:gate",
    "noise": "bench_learn_noise:noise",
    "embed": "bench_learn_embed:embed",
    "speed": "bench_learn_speed:speed",
    "curve": "bench_learn_curve:curve",
    "propagate": "bench_learn_propagate:propagate",
    "sample": "bench_learn_sample:sample",
}


def main() -> int:
    """Run the named parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="NAME", help=f"one of {', '.join(PARTS)}")
    wanted = parser.parse_args().parts or list(PARTS)
    unknown = [part for part in wanted if part not in PARTS]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    short = [part for part in wanted if not _run(part)]
    print(f"\nshort of a target: {', '.join(short)}" if short else "\nall targets met")
    return 1 if short else 0


def _run(part: str) -> bool:
    module, function = PARTS[part].split(":")
    return bool(getattr(importlib.import_module(module), function)())


if __name__ == "__main__":
    sys.exit(main())
