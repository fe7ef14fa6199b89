"""The commands that are worth a start without typer: `packyak run`, above all when there is nothing to do.

It reads only command lines that it fully understands; any other (--help, a mistake) is left to the whole command line,
which explains. Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence

from packyak.cli.say import prepare_streams, say_error

SWITCHES = {
    "--json": "as_json",
    "--wait": "wait",
    "--retry-failed": "retry_failed",
    "--here": "here",
    "--verbose": "verbose",
}
VALUES = {"--project": "project", "--home": "home"}


def read_run(arguments: Sequence[str]) -> dict[str, object] | None:
    """The arguments of `packyak run` by name; None where there is one that needs more than a look."""
    found: dict[str, object] = {}
    assets: list[str] = []
    rest = iter(arguments)
    for word in rest:
        name, equals, value = word.partition("=")
        if word in SWITCHES:
            found[SWITCHES[word]] = True
        elif name in VALUES and (given := value if equals else next(rest, "")) and not given.startswith("-"):
            found[VALUES[name]] = given
        elif word.startswith("-") or not word:
            return None
        else:
            assets.append(word)
    return {**found, "assets": tuple(assets)}


def run(arguments: Sequence[str]) -> int | None:
    """Does `packyak run` and answers its exit code; None where the whole command line is needed."""
    asked = read_run(arguments)
    if asked is None:
        return None
    prepare_streams()
    try:
        from packyak.cli.place import find_place
        from packyak.cli.running import Asked
        from packyak.cli.running import run as run_asked

        place = find_place(asked.pop("project", None), asked.pop("home", None))  # type: ignore[arg-type]
        return run_asked(place, Asked(**asked))  # type: ignore[arg-type]
    except (Exception, KeyboardInterrupt) as error:
        return say_error(error, as_json=bool(asked.get("as_json")), verbose=bool(asked.get("verbose")))
