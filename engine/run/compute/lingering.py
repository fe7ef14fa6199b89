"""Columns that code, changed since, gives no more: they go, save those that something which failed still shows.

What failed keeps its last good records, with all their columns. Such a column lingers until none of these records has a
value in it: the file is mended or gone, or the code gives the column again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa
from packyak.engine.run.compute.commit import Writer
from packyak.engine.run.read.view import KEY
from packyak.engine.run.scope import Settled


def let_go(
    writer: Writer, was: Settled | None, known: Mapping[str, pa.DataType] | None, given: Collection[str]
) -> tuple[tuple[str, ...], str]:
    """Drops the columns that may go; answers those that linger, and what to say of them.

    known: where all units were computed anew by other code, the columns that it gives. given: those with a value in
    what was computed now.
    """
    stored = writer.types()
    before = was.lingering if was is not None and was.fingerprint == writer.code else ()
    if known is not None and not known:
        return before, ""  # all failed: what the code gives is not known yet
    if known is None:
        left = [name for name in before if name in stored and name not in given]
        known = {name: kind for name, kind in stored.items() if name not in left}
    else:
        left = [name for name in stored if name not in known]
    if not left and known == stored:
        return (), ""
    failed = writer.memo.read([KEY], f"error is not null and code = '{writer.code}'")[KEY]
    shown = writer.types_in(failed) if len(failed) else {}
    writer.take_shape(pa.schema(list({**known, **shown}.items())), only=True)
    lingering = tuple(name for name in left if name in shown)
    return lingering, _said(lingering, writer.table.name) if lingering else ""


def _said(names: tuple[str, ...], asset: str) -> str:
    one = len(names) == 1
    what = f"only what failed has the column{'' if one else 's'} {', '.join(names)} now"
    stays = f"{'it goes' if one else 'they go'} when that is mended or gone"
    return f"{what}; {stays} (`packyak show {asset} --only failed` lists it)"
