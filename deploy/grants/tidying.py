"""The role of tidying, the only one that deletes: it brings tables into few pieces, and lets go of versions, claims and
loose files that nothing needs any more. It reads no file of a bucket and no model.

It goes over every asset, so its places are the home's folders and not one table each.
"""

from __future__ import annotations

from collections.abc import Iterator

from packyak.deploy.grants.declared import Declared
from packyak.deploy.grants.grant import LIST, Grant, merged
from packyak.deploy.grants.requests import DELETE, READ, WRITE

TIDYING = "tidying"
_PLACES: tuple[tuple[str, str, str], ...] = (
    (READ, "format.json", "the home's format"),
    (READ, "candidates.json", "what the last runs left"),
    (WRITE, "candidates.json", "which version of an asset is the tidied one"),
    (LIST, "leases/run/", "the lock of the project"),
    (READ, "leases/run/*", "the lock of the project"),
    (WRITE, "leases/run/*", "the lock of the project"),
    (DELETE, "leases/run/*", "claims on the lock that are long over"),
    (LIST, "published/", "which versions are kept"),
    (READ, "published/*", "which versions are kept"),
    (WRITE, "published/*", "the good versions after it"),
    (DELETE, "published/*", "publications beyond those that are kept"),
    (LIST, "corrections/", "what people said"),
    (READ, "corrections/*", "what people said, to bring many files into one"),
    (WRITE, "corrections/*", "what people said, in one file"),
    (DELETE, "corrections/*", "files that one file now holds"),
    (LIST, "lineage/", "the event log"),
    (READ, "lineage/*", "the event log, to pack many files into one"),
    (WRITE, "lineage/*", "the event log, packed"),
    (DELETE, "lineage/*", "files of the event log that are packed"),
)
_TABLES: tuple[tuple[str, str], ...] = (("tables", "records"), ("memo", "bookkeeping"))


def tidying_grants(declared: Declared) -> tuple[Grant, ...]:
    """The grants of tidying."""
    return merged(_all(declared))


def _all(declared: Declared) -> Iterator[Grant]:
    for action, path, why in _PLACES:
        yield declared.of_engine(TIDYING, action, path, why)
    for folder, what in _TABLES:
        yield declared.of_engine(TIDYING, LIST, f"{folder}/*", f"pieces and versions of {what}")
        yield declared.of_engine(TIDYING, READ, f"{folder}/*", f"pieces and versions of {what}")
        yield declared.of_engine(TIDYING, WRITE, f"{folder}/*", f"{what} in few pieces")
        yield declared.of_engine(TIDYING, DELETE, f"{folder}/*", f"pieces and versions of {what} that nothing needs")
    yield from declared.of_key(TIDYING)
