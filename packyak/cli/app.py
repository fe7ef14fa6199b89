"""The whole command line: its commands, and what happens around each of them (usage, errors, exit codes)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

import typer
from typer.exceptions import Abort, TyperException

from packyak.cli import (  # noqa: F401 (they declare themselves)
    commands_correct,
    commands_data,
    commands_deploy,
    commands_eject,
    commands_find,
    commands_learn,
    commands_lineage,
    commands_map,
    commands_place,
    commands_privacy,
    commands_publish,
    commands_report,
    commands_run,
)
from packyak.cli.options import app, flag
from packyak.cli.say import (
    CANCELLED,
    DONE,
    WRONG,
    not_read,
    note,
    note_variables,
    prepare_streams,
    say,
    say_error,
    say_json,
)

LOOKING = ("status", "show", "find", "sql", "history", "diff", "map", "trace")
CLOUD = ("grants", "prove", "report", "export", "eject", "destroy", "drift", "cost")
TEACHING = ("correct", "corrections", "review", "learn", "models")
ORDER = (
    "init",
    "run",
    "watch",
    "plan",
    *LOOKING,
    *TEACHING,
    "restore",
    "forget",
    "lineage",
    "studio",
    *CLOUD,
    "settings",
    "roles",
    "doctor",
    "stop",
)
TELLING = ("settings", "doctor")  # these tell of variables in their answer
EXIT_CODES = (
    "Exit codes: 0 done, 1 an asset failed or is blocked, 2 it cannot be done as asked, 3 another run is on, "
    "130 cancelled."
)
app.registered_commands.sort(key=lambda each: ORDER.index(each.name or ""))


def run_command(arguments: Sequence[str]) -> int:
    """Does what the arguments say; answers the exit code. Never lets an error through."""
    prepare_streams()
    if next(iter(arguments), "") not in TELLING:
        note_variables()
    as_json, verbose = "--json" in arguments, "--verbose" in arguments
    try:
        code = typer.main.get_command(app).main(list(arguments), prog_name="packyak", standalone_mode=False)
        return code if isinstance(code, int) else DONE
    except BrokenPipeError:
        return not_read()
    except SystemExit as error:  # how typer takes it that nobody reads
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        return not_read()
    except TyperException as error:
        return _usage(error, arguments, as_json)
    except Abort:
        return CANCELLED
    except (Exception, KeyboardInterrupt) as error:
        return say_error(error, as_json=as_json, verbose=verbose)


def _usage(error: TyperException, arguments: Sequence[str], as_json: bool) -> int:
    context = getattr(error, "ctx", None)
    name = context.command_path if context is not None else "packyak"
    message = error.format_message().strip()
    if type(error).__name__ == "NoArgsIsHelpError":
        say(message)
        return DONE
    message = message if message.endswith((".", "?")) else f"{message}."
    step = f"`{name} --help`"
    if context is not None and "unexpected extra argument" in message:
        message += _valueless(arguments, message)
        taken = [each for each in context.command.collect_usage_pieces(context) if each != "[OPTIONS]"]
        step = f"`{' '.join([name, *(each.strip('{}') for each in taken)])}`, and {step}"
    if message.startswith("No such option: -") and not message.startswith("No such option: --"):
        step += "; a word that begins with - stands behind --"
    if as_json:
        say_json({"error": "UsageError", "message": message, "next_step": step, "exit_code": WRONG})
    else:
        note(f"{name}: {message} Next: {step}.")
    return WRONG


def _valueless(arguments: Sequence[str], message: str) -> str:
    """That a switch takes no value, where the word too many stands behind one."""
    words = message.rpartition("(")[2].rstrip(").").split()
    switches = [before for before, word in pairwise(arguments) if word in words and before.startswith("--")]
    return f" {switches[0]} takes no value." if switches else ""


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"packyak {version('packyak-studio')}")
        raise typer.Exit


@app.callback(epilog=EXIT_CODES)
def packyak(
    version: Annotated[bool, flag("--version", "Say which version this is.", callback=_version, is_eager=True)] = False,
) -> Any:
    """Data pipelines as plain Python functions, which people correct and which learn from it."""
