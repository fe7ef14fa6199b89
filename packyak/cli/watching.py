"""`packyak watch`: runs whenever there may be something to do, until it is stopped. Standard library only."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

from packyak.cli.place import Place
from packyak.cli.running import Asked, run, stopped_by_signals
from packyak.cli.say import DONE, note, say_error
from packyak.engine.errors import PackyakError
from packyak.engine.run.due.gate import nothing_to_do
from packyak.engine.run.due.signs import signs_of
from packyak.engine.store.home import Home


@dataclass(frozen=True)
class Watch:
    """How to watch. seconds: between two looks. runs: end after so many, 0 for never."""

    seconds: float
    runs: int = 0
    as_json: bool = False
    verbose: bool = False


def watch(place: Place, how: Watch) -> int:
    """Runs at once, and again after each change. What fails is told and tried again after the next change."""
    note(f"Watching {place.name}: files, code, corrections and the clock (Ctrl-C ends it)")
    home, acted_on, done = Home(place.home), "", 0
    with contextlib.suppress(KeyboardInterrupt), stopped_by_signals():
        while not how.runs or done < how.runs:
            found = signs_of(home, place.root)
            if found is None or found == acted_on:
                time.sleep(how.seconds)
                continue
            acted_on = found  # as it was before the run: what arrives meanwhile shows at the next look
            if done and nothing_to_do(home, place.modules) is not None:
                continue  # such as after what the run itself wrote
            _run(place, how)
            done += 1
    return DONE


def _run(place: Place, how: Watch) -> None:
    try:
        run(place, Asked(wait=True, as_json=how.as_json, verbose=how.verbose))
    except PackyakError as error:
        say_error(error, as_json=how.as_json, verbose=how.verbose)
