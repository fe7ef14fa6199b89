"""Kestrel Coffee's inbox: what customers write, cleaned, filed by topic, counted by day, and searchable.

Run `packyak run`, open `packyak studio`, correct what is wrong: the topics and cities are taught by your corrections.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import Any, Literal

from packyak import Bucket, File, Index, check, function, learned, read_csv, read_jsonl, sql, transform

inbox = Bucket("inbox")  # the folder .packyak/buckets/inbox

OLD_NAMES = {
    "Ticket No": "ticket_id",
    "Cust": "customer_id",
    "Date In": "received",
    "E-Mail": "email",
    "Telephone": "phone",
    "Town": "city",
    "Product Line": "plan",
    "Sum": "amount",
    "Title": "subject",
    "Message": "body",
}
DATE_SHAPES = (
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M",
    "%d %b %Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%a, %d %b %Y %H:%M:%S +0000",
)


@transform(
    inbox.files("tickets*"),
    key="ticket_id",
    personal={"email": "contact", "phone": "contact"},
    subject="customer_id",
    purpose="answer customers",
    keep="3 years",
)
def tickets(file: File) -> Iterator[dict[str, Any]]:
    """Support tickets as they arrived: from the help desk, from the system before it, and by mail."""
    if file.key.endswith(".csv"):
        for row in read_csv(file):
            yield {OLD_NAMES[name]: value or None for name, value in row.items()}
    elif file.key.endswith(".eml"):
        yield from_mail(file)
    else:
        yield from read_jsonl(file)


def from_mail(file: File) -> dict[str, Any]:
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    return {
        "ticket_id": mail["Message-ID"].strip("<>").split("@")[0],
        "customer_id": mail["X-Customer"],
        "received": mail["Date"],
        "email": mail["From"].addresses[0].addr_spec,
        "plan": mail["X-Plan"],
        "city": mail["X-City"],
        "subject": mail["Subject"],
        "body": mail.get_content(),
    }


@dataclass
class Facts:
    received: datetime
    plan: Literal["Taster", "Regular", "Office"] | None
    amount: float | None


@transform(tickets)
def facts(received: str, plan: str | None, amount: str | None) -> Facts:
    """When, which plan, how much: one way of writing for each."""
    return Facts(to_time(received), to_plan(plan), to_number(amount))


def to_time(text: str) -> datetime:
    for shape in DATE_SHAPES:
        try:
            return datetime.strptime(text.strip(), shape).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"no known way of writing a date: {text!r}")


def to_plan(text: str | None) -> Literal["Taster", "Regular", "Office"] | None:
    start = (text or "").strip().lower()[:3]
    plans: dict[str, Literal["Taster", "Regular", "Office"]] = {"tas": "Taster", "reg": "Regular", "off": "Office"}
    return plans.get(start)


def to_number(text: str | None) -> float | None:
    if text is None:
        return None
    return float(text.replace(",", ".").strip("$USD "))


@transform(facts)
def text(subject: str, body: str | None) -> str:
    """Readable text: no HTML, no quoted replies, no broken letters."""
    return strip_html(without_quote(repair_letters(f"{subject.strip()}\n{body or ''}")))


def strip_html(raw: str) -> str:
    plain = re.sub(r"<[^>]+>", "", re.sub(r"<br>\n?|</p>|</div>", "\n", raw)) if "<html>" in raw else raw
    return re.sub(r"[ \xa0]+", " ", html.unescape(plain)).strip()


def without_quote(raw: str) -> str:
    return re.split(r"(?:<br>)?\s*On \w{3}, \d\d \w{3} \d{4} at [\d:]+, .{0,80}wrote:", raw)[0]


def repair_letters(raw: str) -> str:
    """Undo UTF-8 read as Windows-1252; text without broken letters does not survive the way back and stays as it is."""
    try:
        return raw.encode("cp1252").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return raw


@learned(text, abstain_below=0.8, costs={"billing": 3})
def topic(text: str) -> Literal["billing", "delivery", "account", "other"] | None:
    """What the customer writes about. The first rule knows two words; people teach it the rest."""
    if "invoice" in text.lower():
        return "billing"
    if "parcel" in text.lower():
        return "delivery"
    return None


@learned(facts)
def city(city: str) -> str:
    """The customer's city, spelled as everybody spells it."""
    return " ".join(city.split())


search = Index(text, on="text")

topics_per_day = sql("""
    select date_trunc('day', received) as day, topic, count(*) as n, sum(amount) as amount
    from topic
    group by all
""")


@check(topics_per_day, blocking=True)
def every_day_counts(topics_per_day: Any) -> Any:
    """No day without a ticket appears in the counts."""
    return sql("select * from topics_per_day where n < 1")


@function(on=inbox.created("*.pdf"))
async def keep_pdf(file: File) -> None:
    """Keep what customers attach."""
    await Bucket("archive").put(file.key, await inbox.get(file.key))
