"""The command `packyak` (and `yak`, and `python -m packyak`).

`packyak run` and `packyak correct` start without the rest of the command line, which costs more than their work.
"""

import atexit
import os
import sys


def main() -> None:
    """Does what the arguments say and ends the process with the exit code."""
    atexit.register(_end_quietly)
    arguments = sys.argv[1:]
    if arguments and arguments[0] in ("run", "correct"):
        from packyak.cli.light import attempt

        code = attempt(arguments[0], arguments[1:])
        if code is not None:
            sys.exit(code)
    from packyak.cli.app import run_command

    sys.exit(run_command(arguments))


def _end_quietly() -> None:
    """The command has said all. DuckDB's binding would still list as leaked what a thread of Prefect's holds when the
    process ends."""
    if "duckdb" in sys.modules:
        sys.stderr.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


if __name__ == "__main__":
    main()
