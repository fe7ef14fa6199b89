"""What the job does to one record: the same functions for Packyak and for the pandas script."""

import hashlib
import re
import unicodedata

SPACES = re.compile(r"\s+")
LINKS = re.compile(r"https?://\S+|[^\w\s.,!?'-]")
SHORT = 20  # the step "classify edited" makes it 23
RULES = (
    ("billing", ("invoice", "charge", "refund", "payment")),
    ("delivery", ("parcel", "courier", "shipping", "late")),
    ("account", ("password", "login", "profile", "address")),
)


def to_clean(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).lower()
    return SPACES.sub(" ", LINKS.sub(" ", text)).strip()


def to_features(clean: str) -> tuple[int, str]:
    return len(clean.split()), hashlib.md5(clean.encode()).hexdigest()


def to_label(clean: str, words: int) -> str:
    for label, keys in RULES:
        if any(key in clean for key in keys):
            return label
    return "short" if words < SHORT else "other"
