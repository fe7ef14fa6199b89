"""The commands worth a start without typer (0.2 CPU s): run, above all when there is nothing to do, and correct.

It reads only command lines that it fully understands; any other (--help, a mistake) is left to the whole command line,
which explains. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packyak.cli.say import not_read, note_variables, prepare_streams, say_error


@dataclass(frozen=True)
class Grammar:
    """What a command takes: switches and options by the name of what they set, and at most so many words."""

    switches: Mapping[str, str]
    values: Mapping[str, str]
    words: int = 1_000_000


_PLACE = {"--project": "project", "--home": "home"}
_EVERYWHERE = {"--json": "as_json", "--verbose": "verbose"}
GRAMMARS = {
    "run": Grammar({**_EVERYWHERE, "--wait": "wait", "--retry-failed": "retry_failed", "--here": "here"}, _PLACE),
    "correct": Grammar(
        {**_EVERYWHERE, "--accept": "accept", "--null": "null"},
        {**_PLACE, "--why": "why", "--by": "by", "--undo": "undo"},
        4,
    ),
}


def read(name: str, arguments: Sequence[str]) -> dict[str, object] | None:
    """A command's arguments by name; None where there is one that needs more than a look."""
    grammar = GRAMMARS[name]
    found: dict[str, object] = {}
    words: list[str] = []
    rest = iter(arguments)
    for word in rest:
        option, equals, value = word.partition("=")
        if word in grammar.switches:
            found[grammar.switches[word]] = True
        elif option in grammar.values and (given := value if equals else next(rest, "")) and not given.startswith("-"):
            found[grammar.values[option]] = given
        elif word and (word[0] != "-" or _is_number(word)):
            words.append(word)
        else:
            return None
    return {**found, "words": tuple(words)} if len(words) <= grammar.words else None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def attempt(name: str, arguments: Sequence[str]) -> int | None:
    """Does the command and answers its exit code; None where the whole command line is needed."""
    asked = read(name, arguments)
    if asked is None:
        return None
    prepare_streams()
    note_variables()
    try:
        return _run(asked) if name == "run" else _correct(asked)
    except BrokenPipeError:
        return not_read()
    except (Exception, KeyboardInterrupt) as error:
        return say_error(error, as_json=bool(asked.get("as_json")), verbose=bool(asked.get("verbose")))


def _run(asked: dict[str, object]) -> int:
    from packyak.cli.place import find_place
    from packyak.cli.running import Asked, run

    named = {name: value for name, value in asked.items() if name not in ("project", "home", "words")}
    place = find_place(asked.get("project"), asked.get("home"))  # type: ignore[arg-type]
    return run(place, Asked(assets=asked["words"], **named))  # type: ignore[arg-type]


def _correct(asked: dict[str, object]) -> int:
    from packyak.cli.asking import Desk
    from packyak.cli.correcting import Said, save
    from packyak.cli.place import find_place

    named = {name: value for name, value in asked.items() if name not in ("project", "home")}
    place = find_place(asked.get("project"), asked.get("home"))  # type: ignore[arg-type]
    return save(Desk(place), Said(**named))  # type: ignore[arg-type]
