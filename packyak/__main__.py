"""The command `packyak` (and `yak`, and `python -m packyak`).

`packyak run` starts without the rest of the command line: most of the time there is nothing to do, and saying so should
cost next to nothing.
"""

import sys


def main() -> None:
    """Does what the arguments say and ends the process with the exit code."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] == "run":
        from packyak.cli.light import run

        code = run(arguments[1:])
        if code is not None:
            sys.exit(code)
    from packyak.cli.app import run_command

    sys.exit(run_command(arguments))


if __name__ == "__main__":
    main()
