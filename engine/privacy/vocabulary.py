"""Words that say nothing of a record, since Packyak or the project writes them of itself: names of assets and columns,
states, fields of its notes, words of the code, the people who work in it, the folder it lies in.

A ticket about a "table" is not recognised by that word: it stands in every manifest. To strike it out would break the
notes that the project lives by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import packyak.engine
from packyak.engine.privacy.history import words_of_its_own
from packyak.engine.run.scope import Scope
from packyak.engine.run.types import type_name

_WORD = re.compile(r"[^\W\d]{3,}")
_OF_LANCE = "binary boolean dictionary fixed_size double float halffloat large_string string struct timestamp uint"


def own_words(scope: Scope, people: Iterable[str] = ()) -> str:
    """All of them, one a line. people: who acts in the project."""
    said = [*scope.codes.texts.values(), *(f"{node.doc} {node.origin}" for node in scope.graph.nodes.values())]
    words = {word for text in said for word in _WORD.findall(text)}
    stored = [scope.table(node.name) for node in scope.graph.tables]
    fields = {field for table in stored if table.exists() for field in table.schema()}
    names = {*scope.graph.nodes, *(field.name for field in fields), *(type_name(field.type) for field in fields)}
    parts = [*names, *words, *people, scope.home.uri, words_of_its_own(scope.home), _OF_LANCE, _of_packyak()]
    return "\n".join(sorted(set(parts)))


@cache
def _of_packyak() -> str:
    """The words of its code, and of the schemas of its events."""
    folder = Path(packyak.engine.__path__[0])
    files = (*folder.rglob("*.py"), *folder.rglob("*.json"))
    words = {word for file in files for word in _WORD.findall(file.read_text(encoding="utf-8"))}
    return "\n".join(sorted(words))
