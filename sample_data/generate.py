"""Makes the sample's tickets and writes them as three systems would have left them: same seed, same bytes, everywhere.

The help desk exports one JSON-lines file a month. The system before it left one CSV file with other column names; some
of its tickets were moved over and are in both (the newer file is right). A few messages arrived as plain mail. What is
really true of each ticket is kept apart, in `truth.csv`, for measuring what the project finds out by itself.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from random import Random
from typing import Any, Final, cast

from packyak.sample_data import dirt, people
from packyak.sample_data.people import Customer
from packyak.sample_data.phrases import TOPICS, Topic, phrases

SEED: Final = 7
TICKETS: Final = 1500
FIRST_DAY: Final = datetime(2026, 6, 1)
DAYS: Final = 165
DESK_FROM: Final = datetime(2026, 7, 15)  # the day on which the help desk replaced the old system
MOVED: Final = 45  # tickets of the old system that are in both
REOPENED: Final = 25  # tickets that a later month's file has again
AMBIGUOUS_AT: Final = 777
OLD_NAMES: Final = {
    "ticket_id": "Ticket No",
    "customer_id": "Cust",
    "received": "Date In",
    "email": "E-Mail",
    "phone": "Telephone",
    "city": "Town",
    "plan": "Product Line",
    "amount": "Sum",
    "subject": "Title",
    "body": "Message",
}
MONTHS: Final = ("January", "March", "May", "June", "July", "September")
DAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True)
class Ticket:
    """One message with what is really true of it."""

    id: str
    customer: Customer
    received: datetime
    subject: str
    body: str | None
    topic: Topic
    plan: str
    amount: float | None
    language: str = "en"
    ambiguous: bool = False


@dataclass(frozen=True)
class SampleFile:
    """A file of the sample: where it goes, what is in it, and when it was last changed."""

    name: str
    data: bytes
    modified: datetime


def tickets(seed: int = SEED, count: int = TICKETS) -> list[Ticket]:
    """`count` tickets in the order in which they arrived. The same seed gives the same tickets."""
    rng = Random(seed)
    known = people.customers(rng, max(count // 3, 1))
    moments = sorted(FIRST_DAY + timedelta(seconds=rng.randrange(DAYS * 86400)) for _ in range(count))
    return [_ticket(rng, number, rng.choice(known), when.replace(second=0)) for number, when in enumerate(moments)]


def files(found: list[Ticket], seed: int = SEED) -> Iterator[SampleFile]:
    """The same tickets as the files of the bucket `inbox`, with the dirt of the systems that wrote them."""
    rng = Random(seed + 1)
    old = [ticket for ticket in found if ticket.received < DESK_FROM]
    mails = [ticket for ticket in found if ticket.received >= DESK_FROM and int(ticket.id[2:]) % 25 == 0]
    desk = [ticket for ticket in found if ticket.received >= DESK_FROM and ticket not in mails]
    moved = rng.sample(old, min(MOVED, len(old)))
    yield SampleFile("tickets-old-desk.csv", _old_desk_csv(old, rng), DESK_FROM)
    for month in sorted({f"{ticket.received:%Y-%m}" for ticket in desk}):
        of_month = [ticket for ticket in desk if f"{ticket.received:%Y-%m}" == month]
        again = moved if month == "2026-07" else _reopened(desk, month, rng)
        rows = [_desk_row(ticket, rng) for ticket in of_month] + [_updated(_desk_row(ticket, rng)) for ticket in again]
        yield SampleFile(f"tickets-{month}.jsonl", _jsonl(rows), of_month[-1].received + timedelta(hours=1))
    for ticket in mails:
        yield SampleFile(f"tickets-mail-{ticket.id}.eml", _mail(ticket, rng), ticket.received)
    for ticket in desk[:3]:
        yield SampleFile(f"invoice-{ticket.id}.pdf", _pdf(f"Invoice for {ticket.customer.name}"), ticket.received)


def truth(found: list[Ticket]) -> bytes:
    """What is really true of each ticket, as CSV."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(("ticket_id", "topic", "city", "plan", "received", "amount", "language", "ambiguous"))
    for ticket in found:
        when, amount = f"{ticket.received:%Y-%m-%dT%H:%M:%SZ}", "" if ticket.amount is None else f"{ticket.amount:.2f}"
        place, flag = ticket.customer.city, int(ticket.ambiguous)
        lines.writerow((ticket.id, ticket.topic, place, ticket.plan, when, amount, ticket.language, flag))
    return out.getvalue().encode()


def _ticket(rng: Random, number: int, customer: Customer, received: datetime) -> Ticket:
    topic = rng.choices(TOPICS, weights=(34, 30, 21, 15))[0]
    amount = round(rng.choice((9.9, 14.5, 19.0, 27.4, 38.0, 49.9, 112.0)) + rng.randrange(0, 300) / 100, 2)
    slots = _slots(rng, customer, amount)
    language, ambiguous = "en", number == AMBIGUOUS_AT
    subject, body = rng.choice(phrases().subjects[topic]), _message(rng, topic)
    if rng.random() < 0.025:
        found = rng.choice(phrases().foreign)
        language, topic, subject, body = found.language, found.topic, found.subject, found.body
    if ambiguous:
        language, topic, (subject, body) = "en", "billing", phrases().ambiguous
    text: str | None = body.format(**slots)
    if language == "en" and text is not None:
        text = dirt.typos(text, rng, 0.05)
    return Ticket(
        id=f"T-{10001 + number}",
        customer=customer,
        received=received,
        subject=subject.format(**slots),
        body=None if rng.random() < 0.006 and not ambiguous else text,
        topic=topic,
        plan=customer.plan,
        amount=amount if "{amount}" in body or rng.random() < 0.4 else None,
        language=language,
        ambiguous=ambiguous,
    )


def _slots(rng: Random, customer: Customer, amount: float) -> dict[str, str]:
    """What the blanks of the phrases are filled with, one set for each message."""
    product = rng.choice(people.PRODUCTS)
    return {
        "name": customer.name,
        "first": customer.first,
        "email": customer.email,
        "customer": customer.id,
        "order": f"#{rng.randrange(50000, 60000)}" if rng.random() < 0.6 else f"order {rng.randrange(50000, 60000)}",
        "invoice": f"INV-{rng.randrange(2000, 4000)}",
        "amount": rng.choice((f"${amount:.2f}", f"{amount:.2f} USD", f"{amount:.2f}")),
        "product": rng.choice((product, product, product.lower(), product.upper())),
        "plan": rng.choice(people.PLANS),
        "city": customer.city,
        "day": rng.choice(DAY_NAMES),
        "month": rng.choice(MONTHS),
        "digits": f"{rng.randrange(1000, 9999)}",
        "other": f"{rng.choice(phrases().first_names)} {rng.choice(phrases().last_names)}",
    }


def _message(rng: Random, topic: Topic) -> str:
    """An unfilled message: an opening, what the matter is, now and then a second matter or a detail, a closing."""
    matter = rng.choice(phrases().matters[topic])
    if rng.random() < 0.2:
        matter += " " + rng.choice(phrases().matters[topic])
    if rng.random() < 0.45:
        matter += " " + rng.choice(phrases().details[topic])
    if rng.random() < 0.3:
        matter = matter.lower()
    return "\n".join(part for part in (rng.choice(phrases().openings), matter, rng.choice(phrases().closings)) if part)


def _dirty_body(ticket: Ticket, rng: Random) -> str | None:
    body = ticket.body
    if body is None:
        return None
    if rng.random() < 0.2:
        body = dirt.with_quote(body, ticket.customer.first, ticket.received - timedelta(hours=rng.randrange(2, 70)))
    if rng.random() < 0.25:
        body = dirt.as_html(body)
    if rng.random() < 0.15:
        body = dirt.mojibake(body)
    return body + rng.choice(("", "", "", " ", "\n\n"))


def _desk_row(ticket: Ticket, rng: Random) -> dict[str, Any]:
    """A ticket as the help desk exports it. Fields that nobody filled in are null, or not there at all."""
    customer = ticket.customer
    row: dict[str, Any] = {
        "ticket_id": ticket.id,
        "customer_id": customer.id,
        "received": dirt.date(ticket.received, rng),
        "email": rng.choice((customer.email, customer.email, customer.email.upper(), f"{customer.email} ")),
        "phone": dirt.phone(customer.area, customer.line, rng),
        "city": dirt.city(customer.city, rng),
        "plan": dirt.plan(ticket.plan, rng),
        "amount": None if ticket.amount is None else _stated_amount(ticket, rng),
        "subject": ticket.subject + rng.choice(("", "", "", "  ")),
        "body": _dirty_body(ticket, rng),
    }
    for name, rate in (("phone", 0.2), ("plan", 0.04), ("city", 0.03)):
        if rng.random() < rate:
            if rng.random() < 0.5:
                row[name] = None
            else:
                del row[name]
    return row


def _stated_amount(ticket: Ticket, rng: Random) -> str:
    """The sum as text; a few tickets say it in words that no rule reads."""
    if int(ticket.id[2:]) % 100 == 7:
        return rng.choice(("about fifty", "see invoice", "??"))
    return dirt.amount(cast(float, ticket.amount), rng)


def _reopened(desk: list[Ticket], month: str, rng: Random) -> list[Ticket]:
    """Tickets of the months before that were opened again: the later file has the newer state."""
    before = [ticket for ticket in desk if f"{ticket.received:%Y-%m}" < month]
    return rng.sample(before, min(REOPENED // 4, len(before)))


def _updated(row: dict[str, Any]) -> dict[str, Any]:
    """The newer state of a ticket that an older file also has: the customer has written again."""
    return row if row["body"] is None else {**row, "body": row["body"].rstrip() + "\nAny news on this?"}


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _old_desk_csv(old: list[Ticket], rng: Random) -> bytes:
    """The old system's export: other column names, a spreadsheet's byte order mark, line breaks inside fields."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\r\n")
    lines.writerow(OLD_NAMES.values())
    for ticket in old:
        row = _desk_row(ticket, rng)
        lines.writerow(["" if row.get(name) is None else row[name] for name in OLD_NAMES])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _mail(ticket: Ticket, rng: Random) -> bytes:
    """A ticket as the plain mail that it arrived as."""
    mail = EmailMessage()
    mail["From"] = f"{people.ascii_only(ticket.customer.first).title()} <{ticket.customer.email}>"
    mail["To"] = "support@example.com"
    mail["Date"] = f"{ticket.received:%a, %d %b %Y %H:%M:%S} +0000"
    mail["Message-ID"] = f"<{ticket.id}@example.com>"
    mail["Subject"] = ticket.subject
    mail["X-Customer"] = ticket.customer.id
    mail["X-Plan"] = dirt.plan(ticket.plan, rng).strip()
    mail["X-City"] = dirt.city(ticket.customer.city, rng).strip()
    mail.set_content(ticket.body or "", cte="quoted-printable")
    return mail.as_bytes()


def _pdf(line: str) -> bytes:
    """The smallest file that a viewer shows as a page with one line of text."""
    text = f"BT /F1 14 Tf 60 760 Td ({people.ascii_only(line)}) Tj ET".encode()
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out, starts = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, start=1):
        starts.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    end = b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return out + b"xref\n0 6\n0000000000 65535 f \n" + table + end
