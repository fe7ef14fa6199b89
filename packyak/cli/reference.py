"""The page docs/commands.md, written from the commands' help: `python -m packyak.cli.reference > docs/commands.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from packyak.cli.app import EXIT_CODES, ORDER
from packyak.cli.options import EXAMPLES, app

OPENING = """# Commands

`packyak` and `yak` are the same command. A project is found from the current folder upwards by its `packyak.toml`.
Answers go to standard output and errors to standard error, each as one text with its next step; with `--json` there is
exactly one JSON document on standard output (of `watch`, one a run), an error included. On a terminal answers are
drawn, in a pipe they are plain text; `NO_COLOR` is respected. This page is written from the commands' help:
`python -m packyak.cli.reference`.
"""


def page() -> str:
    """The whole page."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return "\n".join([OPENING, f"{EXIT_CODES}\n", *(_section(name, commands[name]) for name in ORDER)])


def _section(name: str, command: Any) -> str:
    examples = "\n".join(f"# {meaning}\n{line}" for line, meaning in EXAMPLES[name])
    table = "\n".join(["| | |", "|---|---|", *_parameters(command)])
    return f"## {name}\n\n{command.help}\n\n```sh\n{examples}\n```\n\n{table}\n"


def _parameters(command: Any) -> Iterator[str]:
    for each in command.params:
        if each.param_type_name == "argument":
            name = each.metavar or each.name.upper()
            shown = f"{name}..." if each.nargs == -1 else name
        else:
            shown = " ".join(filter(None, [", ".join(each.opts), each.metavar or _kind(each)]))
        yield f"| `{shown}` | {(each.help or '').replace('|', '/')}{_default(each)} |"


def _kind(option: Any) -> str:
    return "" if option.is_flag or option.metavar == "" else "NUMBER"


def _default(parameter: Any) -> str:
    given = parameter.default
    return f" Default: {given}." if isinstance(given, int) and not isinstance(given, bool) else ""


if __name__ == "__main__":
    print(page(), end="")
