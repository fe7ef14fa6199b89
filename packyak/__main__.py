"""The command `packyak` (and `yak`, and `python -m packyak`).

`packyak run` and `packyak correct` start without the rest of the command line, which costs more than their work.
"""

import sys


def main() -> None:
    """Does what the arguments say and ends the process with the exit code."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in ("run", "correct"):
        from packyak.cli.light import attempt

        code = attempt(arguments[0], arguments[1:])
        if code is not None:
            sys.exit(code)
    from packyak.cli.app import run_command

    sys.exit(run_command(arguments))


if __name__ == "__main__":
    main()
