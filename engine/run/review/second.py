"""Second opinions: fields that one other person decided, asked again of somebody who has not seen the answer.

They show how far people agree, which no number of answers by one person can. In an order that has nothing to do with
what was said, and the same for everybody.
"""

from __future__ import annotations

from collections.abc import Sequence

from packyak.engine.run.due.fingerprint import digest
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.review.looks import Look


def second_opinions(reader: Reader, assets: Sequence[str], person: str) -> list[Look]:
    """The fields on which this person's word would be the second."""
    found = []
    for (asset, key, column), words in reader.scope.words.items():
        people = {each.by for each in words}
        if asset in assets and len(people) == 1 and person not in people and column:
            said = f"{next(iter(people)) or 'somebody'} decided this: what do you say, without knowing what it was?"
            found.append(Look(asset, key, column, "second", said))
    return sorted(found, key=lambda look: digest([look.asset, look.key, look.column]))
