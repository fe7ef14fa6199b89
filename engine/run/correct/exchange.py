"""Corrections out to a file and in from one: CSV or JSON lines, one correction a row.

Columns: key, column, value, and where known asset, by, at, why, kind, id. A row that cannot be a correction is told
with its line and reason, and the others are saved, together, with one id that undoes them. Importing a file again
changes nothing. JSON lines keep everything; in CSV an empty value is null, and `""` an empty text.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from packyak.engine.declare.nodes import TableNode
from packyak.engine.errors import CorrectionError
from packyak.engine.run.correct.saving import Said, drafted
from packyak.engine.run.due.fingerprint import digest
from packyak.engine.run.questions import BadRow, Imported
from packyak.engine.run.read.reader import Reader
from packyak.engine.store.corrections import Correction, decode

NEEDED = ("key", "column", "value")
COLUMNS = ("id", "asset", "key", "column", "value", "by", "at", "why", "kind", "group", "origin", "of")
KINDS = ("correct", "accept", "undo", "comment")
AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    """One row of a file. value: as given; text: it is from a CSV file, where everything is text."""

    line: int
    given: Mapping[str, Any]
    text: bool

    def word(self, name: str) -> str:
        """A field as text."""
        return str(self.given.get(name) or "").strip()


def export_file(corrections: Sequence[Correction], path: Path) -> int:
    """Writes corrections, oldest first; answers how many."""
    data = _csv(corrections) if _is_csv(path) else _jsonl(corrections)
    try:
        path.write_text(data, encoding="utf-8", newline="")
    except OSError as error:
        raise CorrectionError(f"{path} cannot be written: {error.strerror}", next_step="name another file") from error
    return len(corrections)


def import_file(reader: Reader, path: Path, *, asset: str | None, by: str, dry_run: bool) -> Imported:
    """Saves the good rows of a file. asset: whose corrections they are where a row does not say. by: who says so, where
    a row does not."""
    every = {each.id: each for each in reader.scope.log.all()}
    known = {each.of for each in every.values()} | set(every)
    bad: list[BadRow] = []
    said: list[tuple[Row, Said | Correction]] = []
    already = 0
    seen: Counter[str] = Counter()
    for row in _rows(path, bad):
        name = _name(row, seen)
        if name in known:
            already += 1
            continue
        try:
            said.append((row, _said(row, asset, by, name)))
        except CorrectionError as error:
            bad.append(BadRow(row.line, str(error.message)))
    good = _checked(reader, said, by, set(every), bad)
    bad.sort(key=lambda each: each.line)
    if dry_run or not good:
        return Imported(len(good), already, tuple(bad), dry_run=dry_run)
    saved = reader.scope.log.append(good)
    groups = {each.group or each.id for each in saved}
    return Imported(len(saved), already, tuple(bad), groups.pop() if len(groups) == 1 else "")


def _name(row: Row, seen: Counter[str]) -> str:
    """A row's identity: its own id, else its content and how often that came before."""
    if row.word("id"):
        return row.word("id")
    name = digest([json.dumps(row.given, sort_keys=True, default=str)])[:16]
    seen[name] += 1
    return f"row-{name}-{seen[name]}"


def _said(row: Row, asset: str | None, by: str, name: str) -> Said | Correction:
    """The row as something said; an undo is a correction already. Raises CorrectionError for what it lacks."""
    of_asset, kind = row.word("asset") or asset or "", row.word("kind") or "correct"
    if kind not in KINDS:
        raise CorrectionError(f"{kind!r} is no kind of correction", choices=KINDS)
    for field in NEEDED:
        if field not in row.given or (field != "value" and not row.word(field) and kind != "comment"):
            raise CorrectionError(f"{field} is missing")
    if not of_asset:
        raise CorrectionError("asset is missing")
    identity = row.word("id")
    one = Correction(
        id=identity,
        asset=of_asset,
        key=str(row.given["key"]),
        column=row.word("column"),
        value=row.given["value"],
        by=row.word("by") or by,
        at=_moment(row.word("at")),
        why=str(row.given.get("why") or ""),
        kind=kind,  # type: ignore[arg-type]
        origin=row.word("origin") if identity else "import",
        of=row.word("of") if identity else name,
        group=row.word("group") if identity else "",
    )
    if kind == "undo":
        return one
    return Said(
        one.asset, one.key, one.column, _value(row), one.why, "comment" if kind == "comment" else "correct", one.by,
        one.at, one.origin, one.of, one.id,
    )  # fmt: skip


def _value(row: Row) -> Any:
    value = row.given["value"]
    if not row.text:
        return value
    return None if value == "" else "" if value == '""' else value


def _moment(text: str) -> str:
    """A time as the log has it. Raises CorrectionError for what is none, or lies ahead."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CorrectionError(f"{text!r} is no time; write it like 2026-03-01T09:30:00+00:00") from None
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > datetime.now(UTC) + AHEAD:
        raise CorrectionError(f"{text} lies ahead")
    return moment.isoformat(timespec="microseconds")


def _checked(
    reader: Reader, said: Sequence[tuple[Row, Said | Correction]], by: str, known: set[str], bad: list[BadRow]
) -> list[Correction]:
    """The corrections that can be saved; the others go to `bad`."""
    types = _types(reader, {one.asset for _, one in said})
    typed = [(row, _nested(types, row, one)) for row, one in said if isinstance(one, Said)]
    drafts = drafted(reader, [one for _, one in typed], by)
    good: list[Correction] = []
    for (row, one), draft in zip(typed, drafts, strict=True):
        whole = _whole(row, one)
        if isinstance(draft, Correction):
            good.append(_as_told(row, draft, whole))
        elif whole is not None and not _is_there(reader, one):
            good.append(whole)
        else:
            bad.append(BadRow(row.line, str(draft.message)))
    known = known | {each.id for each in good} | {one.id for _, one in said if isinstance(one, Correction)}
    for row, undo in said:
        if isinstance(undo, Correction):
            if str(undo.value) in known:
                good.append(undo)
            else:
                bad.append(BadRow(row.line, f"it undoes {undo.value}, which is not here"))
    return good


def _types(reader: Reader, assets: Iterable[str]) -> dict[tuple[str, str], str]:
    """The Arrow type of every column of these assets' views, by name."""
    snapshot = reader.snapshot()
    known = [asset for asset in assets if isinstance(reader.graph.nodes.get(asset), TableNode)]
    return {(asset, name): str(kind) for asset in known for name, kind in snapshot.types(asset).items()}


def _nested(types: Mapping[tuple[str, str], str], row: Row, one: Said) -> Said:
    """Lists and structures are JSON in a CSV field."""
    if (
        row.text
        and isinstance(one.value, str)
        and types.get((one.asset, one.column), "").startswith(("list", "struct"))
    ):
        with suppress(ValueError):
            return replace(one, value=json.loads(one.value))
    return one


def _as_told(row: Row, draft: Correction, whole: Correction | None) -> Correction:
    """What an export remembers of the moment holds before what is there now."""
    if row.word("kind") == "accept":
        draft = replace(draft, kind="accept")
    if whole is not None:
        draft = replace(draft, seen_hash=whole.seen_hash, seen=whole.seen, computed=whole.computed)
    return replace(draft, group=row.word("group")) if row.word("id") else draft


def _whole(row: Row, one: Said) -> Correction | None:
    """The correction as an export in JSON lines tells it, in full; None where the row is not from one."""
    if row.text or not row.word("id") or "seen_hash" not in row.given:
        return None
    known = {field.name for field in fields(Correction)}
    told = Correction(**{name: value for name, value in row.given.items() if name in known})
    return replace(told, at=one.at, by=one.by)


def _is_there(reader: Reader, one: Said) -> bool:
    """Whether the record is there now. One that is gone takes its corrections up again when it comes back."""
    if one.asset not in reader.graph.nodes:
        return False
    inner = reader.snapshot().select(one.asset, ())
    return bool(reader.scope.query.run(f"select 1 from ({inner.sql}) where _key = ?", inner.tables, [one.key]).num_rows)


# Reading and writing files


def _is_csv(path: Path) -> bool:
    if path.suffix.lower() not in (".csv", ".jsonl", ".ndjson"):
        raise CorrectionError(
            f"{path.name} says by its ending neither CSV nor JSON lines", next_step="name it .csv or .jsonl"
        )
    return path.suffix.lower() == ".csv"


def _rows(path: Path, bad: list[BadRow]) -> Iterator[Row]:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise CorrectionError(f"{path} is not UTF-8", next_step="save it as UTF-8") from None
    except OSError as error:
        raise CorrectionError(f"{path} cannot be read: {error.strerror}", next_step="name another file") from error
    yield from _csv_rows(path, text, bad) if _is_csv(path) else _json_rows(text, bad)


def _csv_rows(path: Path, text: str, bad: list[BadRow]) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise CorrectionError(
            f"{path.name} has no column {missing[0]!r}", choices=COLUMNS, next_step="name its columns in the first line"
        )
    line = reader.line_num + 1
    try:
        for cells in reader:
            if len(cells) > len(header):
                bad.append(BadRow(line, f"it has {len(cells)} fields, the first line {len(header)}"))
            elif cells:
                yield Row(line, dict(zip(header, cells, strict=False)), True)
            line = reader.line_num + 1
    except csv.Error as error:
        bad.append(BadRow(line, f"it cannot be read as CSV: {error}"))


def _json_rows(text: str, bad: list[BadRow]) -> Iterator[Row]:
    for line, raw in enumerate(text.split("\n"), 1):
        if not raw.strip():
            continue
        try:
            given = json.loads(raw)
        except ValueError as error:
            bad.append(BadRow(line, f"it is no JSON: {error}"))
            continue
        if isinstance(given, dict):
            yield Row(line, given, False)
        else:
            bad.append(BadRow(line, "it is no JSON object"))


def _csv(corrections: Sequence[Correction]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in corrections:
        writer.writerow([_cell(one.value) if name == "value" else getattr(one, name) for name in COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> str:
    """An encoded value as a CSV field that reads back as the same value of its column's type."""
    if isinstance(value, dict) and set(value) == {"$", "v"} and isinstance(value["v"], str):
        return value["v"]
    if isinstance(value, list | dict):
        return json.dumps(decode(value), ensure_ascii=False, default=str)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else '""' if value == "" else str(value)


def _jsonl(corrections: Sequence[Correction]) -> str:
    names = [field.name for field in fields(Correction)]
    return "".join(
        json.dumps({name: getattr(one, name) for name in names}, ensure_ascii=False) + "\n" for one in corrections
    )
