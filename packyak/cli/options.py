"""What many commands take, and how a command is declared: with examples, which its help and the documentation show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand


def flag(name: str, meaning: str, **more: Any) -> Any:
    """A switch that is on or off."""
    return typer.Option(name, help=meaning, metavar="", **more)


Json = Annotated[bool, flag("--json", "Answer with one JSON document, errors included.")]
ProjectFolder = Annotated[
    str | None, typer.Option("--project", metavar="FOLDER", help="The project's folder; default: here or above.")
]
HomeUri = Annotated[
    str | None, typer.Option("--home", metavar="URI", help="Where the data lies, instead of the setting `home`.")
]
Verbose = Annotated[bool, flag("--verbose", "After an error in your code, show its traceback.")]
Asset = Annotated[str, typer.Argument(metavar="ASSET", help="An asset by name.", show_default=False)]

Example = tuple[str, str]
EXAMPLES: dict[str, Sequence[Example]] = {}
Command = Callable[..., Any]

app = typer.Typer(
    name="packyak",
    help="Data pipelines as plain Python functions, which people correct and which learn from it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class ExampleCommand(TyperCommand):
    """A command whose help ends with its examples."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False)
        console.print("[bold]Examples[/bold]")
        for line, meaning in EXAMPLES[self.name or ""]:
            console.print(Text(f"  # {meaning}", style="dim"), soft_wrap=True)
            console.print(Text(f"  {line}", style="cyan"), soft_wrap=True)


def command(name: str, *examples: Example) -> Callable[[Command], Command]:
    """Declares a command. examples: command lines with what they do."""
    EXAMPLES[name] = examples
    return app.command(name, cls=ExampleCommand)
