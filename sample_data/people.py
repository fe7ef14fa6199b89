"""The invented world of the sample: a mail-order coffee roaster, its customers, plans, places and prices.

No person, address or number here belongs to anybody: mail addresses end in example.com or example.org and
telephone numbers lie in 555-0100 to 555-0199, which are kept for examples (RFC 2606; North American Numbering Plan).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from packyak.sample_data.phrases import phrases

CITIES: Final = (
    "Portland",
    "Sacramento",
    "Albuquerque",
    "Minneapolis",
    "Pittsburgh",
    "Cincinnati",
    "Milwaukee",
    "Baltimore",
    "Saint Louis",
    "New Orleans",
    "Philadelphia",
    "San Francisco",
    "Tallahassee",
    "Salt Lake City",
)
AREA_CODES: Final = ("503", "916", "505", "612", "412", "513", "414", "410", "314", "504")
PLANS: Final = ("Taster", "Regular", "Office")
PRODUCTS: Final = (
    "Morning Blend",
    "Night Shift Espresso",
    "Valley Decaf",
    "Kenya Nyeri",
    "House Filter",
    "Kestrel Gold",
)


@dataclass(frozen=True)
class Customer:
    """Somebody who writes; each of their tickets repeats these values, as well or as badly written as systems do."""

    id: str
    first: str
    last: str
    email: str
    area: str
    line: int
    city: str
    plan: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


def customers(rng: Random, count: int) -> list[Customer]:
    """`count` invented customers with distinct ids and addresses."""
    found = []
    for number in range(count):
        first, last = rng.choice(phrases().first_names), rng.choice(phrases().last_names)
        found.append(
            Customer(
                id=f"C-{4000 + number}",
                first=first,
                last=last,
                email=f"{ascii_only(first)}.{ascii_only(last)}{number}@example.{rng.choice(('com', 'org'))}",
                area=rng.choice(AREA_CODES),
                line=100 + rng.randrange(100),
                city=rng.choice(CITIES),
                plan=rng.choices(PLANS, weights=(4, 5, 2))[0],
            )
        )
    return found


def ascii_only(name: str) -> str:
    """A name as it appears in a mail address: `Müller-Voss` -> `muller-voss`."""
    plain = name.lower().translate(str.maketrans("äåéëöøüç", "aaeeoouc"))
    return plain.encode("ascii", "ignore").decode()
