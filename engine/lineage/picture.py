"""A trace as a picture: one SVG, or a page that holds it, with nothing to fetch from anywhere.

Assets stand in columns from left (where data comes from) to right; each holds a card for every record, with its values
and who made them. Links run between cards. Colours follow the reader's light or dark setting. Standard library only.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass

from packyak.engine.lineage.chain import Step, StepId, Trace

CARD_WIDTH, CARD_GAP, COLUMN_GAP, MARGIN = 250, 14, 90, 24
LINE, HEAD = 16, 26
SHOWN_VALUES, SHOWN_CARDS, LONGEST = 5, 40, 34

STYLE = """
:root{color-scheme:light dark}
.card{fill:light-dark(#fff,#1d2126);stroke:light-dark(#c9ced6,#3a414b)}
.start{stroke:light-dark(#1f6feb,#6ea8ff);stroke-width:2}
.person{stroke:light-dark(#b3540a,#f0a35c);stroke-width:2}
.old{stroke-dasharray:5 4}
text{font:12px system-ui,sans-serif;fill:light-dark(#1c2128,#e4e8ee)}
.title{font-weight:600}
.faint{fill:light-dark(#59636e,#9aa4b0)}
.word{fill:light-dark(#b3540a,#f0a35c)}
.link{fill:none;stroke:light-dark(#8b95a1,#6b7684);stroke-width:1.3}
.back{fill:light-dark(#f6f8fa,#12151a)}
"""


@dataclass(frozen=True)
class Card:
    """Where a step stands."""

    step: Step
    x: int
    y: int
    lines: tuple[tuple[str, str], ...]

    @property
    def height(self) -> int:
        return HEAD + LINE * len(self.lines) + 8


def page(trace: Trace) -> str:
    """A whole HTML page with the picture."""
    title = _escaped(_title(trace))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><style>body{margin:0;overflow:auto;'
        f"background:light-dark(#f6f8fa,#12151a)}}</style></head><body>{svg(trace)}</body></html>\n"
    )


def svg(trace: Trace) -> str:
    """The picture alone."""
    cards, hidden = _laid_out(trace)
    places = {card.step.id: card for card in cards}
    width = max((card.x + CARD_WIDTH for card in cards), default=0) + MARGIN
    height = max((card.y + card.height for card in cards), default=0) + MARGIN + 24
    drawn = [_link(places, link.above, link.below, link.how) for link in trace.links]
    drawn += [_card(card, card.step.id == trace.start.id) for card in cards]
    notes = [*trace.notes, *([f"{hidden:,} more records are not drawn"] if hidden else [])]
    foot = f'<text class="faint" x="{MARGIN}" y="{height - 14}">{_escaped("; ".join(notes))}</text>' if notes else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}"><title>{_escaped(_title(trace))}</title><style>{STYLE}</style>'
        f'<rect class="back" width="{width}" height="{height}"/>{"".join(drawn)}{foot}</svg>'
    )


def _title(trace: Trace) -> str:
    what = f"{trace.asset} {trace.key}{f', {trace.column}' if trace.column else ''}"
    return f"Where {what} comes from" if trace.direction == "up" else f"What depends on {what}"


def _laid_out(trace: Trace) -> tuple[list[Card], int]:
    """Cards in columns by asset: an asset stands right of all that it reads."""
    ranks = _ranks(trace)
    columns: dict[int, list[Step]] = {}
    for step in trace.steps:
        columns.setdefault(ranks[step.asset], []).append(step)
    cards: list[Card] = []
    hidden = 0
    for place, rank in enumerate(sorted(columns)):
        x, y = MARGIN + place * (CARD_WIDTH + COLUMN_GAP), MARGIN
        mine = columns[rank]
        hidden += max(0, len(mine) - SHOWN_CARDS)
        for step in mine[:SHOWN_CARDS]:
            card = Card(step, x, y, tuple(_lines(step)))
            cards.append(card)
            y += card.height + CARD_GAP
    return cards, hidden


def _ranks(trace: Trace) -> dict[str, int]:
    reads: dict[str, set[str]] = {step.asset: set() for step in trace.steps}
    for link in trace.links:
        if link.above[0] != link.below[0]:
            reads[link.below[0]].add(link.above[0])
    ranks: dict[str, int] = {}

    def rank(asset: str, path: frozenset[str]) -> int:
        if asset not in ranks:
            above = [rank(each, path | {asset}) for each in sorted(reads[asset]) if each not in path]
            ranks[asset] = max(above, default=-1) + 1
        return ranks[asset]

    for asset in reads:
        rank(asset, frozenset())
    return ranks


def _lines(step: Step) -> Iterable[tuple[str, str]]:
    """Style and text of each line of a card."""
    for name in step.columns[:SHOWN_VALUES]:
        if name in step.values:
            yield "", f"{name}: {json.dumps(step.values[name], default=str, ensure_ascii=False)}"
    if len(step.columns) > SHOWN_VALUES:
        yield "faint", f"and {len(step.columns) - SHOWN_VALUES} more"
    for word in step.corrections:
        yield "word", f"{word.by or 'somebody'} corrected {word.column}"
    if step.model is not None:
        yield "faint", f"model {step.model.id[:8]}, {step.model.corrections} corrections"
    if step.records is not None:
        yield "faint", f"all {step.records:,} records"
    if step.function and step.kind != "outside":
        yield "faint", step.function.replace("\\", "/").rpartition("/")[2]
    if step.run:
        yield "faint", f"run {step.run}"


def _card(card: Card, start: bool) -> str:
    step = card.step
    style = " ".join(filter(None, ["card", "start" if start else "", "person" if step.corrections else "", _old(step)]))
    name = f"{step.asset.split(' ', 1)[-1] if step.kind == 'outside' else step.asset} {step.key}".strip()
    drawn = [
        f'<rect class="{style}" x="{card.x}" y="{card.y}" width="{CARD_WIDTH}" height="{card.height}" rx="8"/>',
        _text(card.x + 12, card.y + 18, "title", name),
    ]
    for place, (kind, text) in enumerate(card.lines):
        drawn.append(_text(card.x + 12, card.y + HEAD + 12 + place * LINE, kind, text))
    return f"<g><title>{_escaped(name)}</title>{''.join(drawn)}</g>"


def _old(step: Step) -> str:
    return "" if step.current else "old"


def _text(x: int, y: int, style: str, text: str) -> str:
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return f'<text class="{style}" x="{x}" y="{y}">{_escaped(short)}</text>'


def _escaped(text: str) -> str:
    """Text for XML; letters that it does not admit are marked."""
    return html.escape("".join(letter if letter >= " " and not _is_half(letter) else "�" for letter in text))


def _is_half(letter: str) -> bool:
    return "\ud800" <= letter <= "\udfff" or letter in "\ufffe\uffff"


def _link(places: dict[StepId, Card], above: StepId, below: StepId, how: str) -> str:
    if above not in places or below not in places:
        return ""
    one, other = places[above], places[below]
    x, y = one.x + CARD_WIDTH, one.y + HEAD // 2
    to_x, to_y = other.x, other.y + HEAD // 2
    bend = max(30, (to_x - x) // 2)
    line = f"M{x} {y} C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"
    return f'<path class="link" d="{line}"><title>{_escaped(how)}</title></path>'
