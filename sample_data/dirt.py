"""How clean values get dirty on their way through people and systems.

Each function takes a clean value and the run's random numbers, and returns it as a real export has it: typing errors,
letters broken by a wrong encoding, mail-program HTML, quoted replies, dates and telephone numbers in many shapes.
"""

from __future__ import annotations

import html
from datetime import datetime
from random import Random
from typing import Final

KEYS_BESIDE: Final = dict(zip("abcdefghiklmnoprstuvwy", "svxfrghjolknmpotaribeu", strict=True))
PLAN_NAMES: Final = {
    "Taster": ("Taster", "taster", "TASTER", "Taster plan", "taster "),
    "Regular": ("Regular", "regular", "REGULAR", "Reg.", " Regular plan"),
    "Office": ("Office", "office", "OFFICE", "Office (annual)", "office plan"),
}
CITY_NAMES: Final = {
    "Saint Louis": ("St. Louis", "St Louis", "ST LOUIS"),
    "San Francisco": ("SF", "S. Francisco", "San Fransisco"),
    "Philadelphia": ("Phila", "Philadephia"),
    "Salt Lake City": ("SLC", "Salt Lake"),
    "New Orleans": ("N. Orleans", "New Orleans, LA"),
}
REPLY: Final = """

On {when}, Kestrel Coffee <support@example.com> wrote:
> Hello {first},
> thank you for your message about invoice, parcel or account.
> We will answer within two working days."""


def typo(word: str, rng: Random) -> str:
    """One slip of the fingers: a letter left out, doubled, swapped with its neighbour, or the next key."""
    if len(word) < 4:
        return word
    at = rng.randrange(1, len(word) - 1)
    before, letter, after = word[:at], word[at], word[at + 1 :]
    slips = (
        before + after,
        before + letter + letter + after,
        before + after[0] + letter + after[1:],
        before + KEYS_BESIDE.get(letter, letter) + after,
    )
    return rng.choice(slips)


def typos(text: str, rng: Random, rate: float) -> str:
    """`text` with about `rate` of its longer words mistyped; words with digits, such as orders, stay readable."""
    words = text.split(" ")
    return " ".join(
        typo(word, rng) if word.isalpha() and len(word) > 4 and rng.random() < rate else word for word in words
    )


def mojibake(text: str) -> str:
    """UTF-8 read as Windows-1252, as a badly configured export does it: `é` -> `Ã©`."""
    try:
        return text.encode().decode("cp1252")
    except UnicodeDecodeError:  # a few bytes mean nothing in Windows-1252: that export would have failed
        return text


def as_html(body: str) -> str:
    """What a mail program makes of a plain message."""
    lines = html.escape(body).split("\n")
    return "<html><body><div dir='ltr'>" + "<br>\n".join(lines).replace("  ", "&nbsp; ") + "</div></body></html>"


def with_quote(body: str, first: str, when: datetime) -> str:
    """The message above the quoted mail that it answers. The quote names every topic, so reading it misleads."""
    return body + REPLY.format(when=f"{when:%a, %d %b %Y at %H:%M}", first=first)


def phone(area: str, line: int, rng: Random) -> str:
    shapes = ("({0}) 555-0{1}", "{0}-555-0{1}", "{0}.555.0{1}", "+1 {0} 555 0{1}", "{0}5550{1}", "1-{0}-555-0{1}")
    return rng.choice(shapes).format(area, line)


def plan(name: str, rng: Random) -> str:
    return rng.choice(PLAN_NAMES[name])


def city(name: str, rng: Random) -> str:
    """The name right in about eight of ten; else shortened, mistyped, shouted or padded."""
    chance = rng.random()
    if chance < 0.78:
        return name
    if chance < 0.84:
        return rng.choice((name.upper(), name.lower(), f" {name} "))
    return rng.choice(CITY_NAMES.get(name, (typo(name, rng),))) if chance < 0.92 else typo(name, rng)


def amount(value: float, rng: Random) -> str:
    """A sum as text: with and without currency, with a decimal comma, and now and then in words."""
    chance = rng.random()
    if chance < 0.70:
        return f"{value:.2f}"
    if chance < 0.80:
        return f"{value:.2f}".replace(".", ",")
    if chance < 0.90:
        return f"${value:.2f}"
    return f"USD {value:.2f} "


def date(when: datetime, rng: Random) -> str:
    """The help desk writes ISO times, its importers three more shapes. All are UTC, and none can be read two ways."""
    chance = rng.random()
    if chance < 0.80:
        return f"{when:%Y-%m-%dT%H:%M:%SZ}"
    if chance < 0.88:
        return f"{when:%Y-%m-%d %H:%M}"
    return f"{when:%d %b %Y %H:%M}" if chance < 0.95 else f"{when:%m/%d/%Y %I:%M %p}"
