"""The access report as one HTML file: no script, nothing loaded from elsewhere, light and dark, fit to be printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from packyak.deploy.reports.access import (
    COLUMNS,
    NOT_COVERED,
    TITLE,
    WHAT_IT_IS,
    AccessReport,
    RoleAccess,
    Wildcard,
)
from packyak.deploy.reports.style import STYLE

SIGN = {"proven": "●", "unneeded": "✕", "unobserved": "○", "not tried": "◌"}
LEGEND = (
    ("proven", "taken away, and the run broke"),
    ("unneeded", "taken away, and the run came to the same"),
    ("unobserved", "no run was seen to use it"),
    ("not tried", "not taken away"),
)
VERBS = ("list", "get", "put", "delete")


def page(report: AccessReport) -> str:
    """The whole file."""
    parts = [each(report) for each in _SECTIONS]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{TITLE}: {escape(report.project)}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{''.join(parts)}</main>\n</body>\n</html>\n"
    )


def _first(report: AccessReport) -> str:
    proven, tried = report.count("proven"), report.count("proven") + report.count("survived")
    probes, denied = sum(each.tried for each in report.tried), sum(each.denied for each in report.tried)
    figures = [
        (f"{len(report.roles)}", "roles", f"{report.count('grants'):,} grants"),
        (f"{proven:,} of {tried:,}" if report.proven_at else "none", "grants taken away broke the run", _rest(report)),
        (f"{denied:,} of {probes:,}" if report.proven_at else "none", "foreign accesses denied", ""),
        (f"{len(report.wildcards):,}", "grants that end in a wildcard", "each below one place"),
    ]
    shown = "".join(
        f"<li><b>{escape(number)}</b><span>{escape(what)}</span><small>{escape(more)}</small></li>"
        for number, what, more in figures
    )
    facts = [
        ("Project", report.project),
        ("Home", f"{report.home}{', encrypted with a key of its own' if report.encrypted else ''}"),
        ("Profile", report.profile),
        ("Plan", report.plan),
        ("Proof", f"run on {report.proven_at}" if report.proven_at else "none: `packyak prove` makes one"),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    return (
        f'<header><h1>{TITLE}</h1><p class="lead">{escape(WHAT_IT_IS)}</p><dl>{listed}</dl>'
        f'<ul class="figures">{shown}</ul>{_verdict(report)}</header>'
    )


def _rest(report: AccessReport) -> str:
    counts = ((report.count("unobserved"), "used by no run"), (report.count("not_tried"), "not tried"))
    said = [f"{count:,} {words}" for count, words in counts if count]
    return ", ".join(said)


def _verdict(report: AccessReport) -> str:
    """What a reader must not overlook."""
    open_ends = [
        (len(report.allowed), "foreign accesses that got through"),
        (report.count("survived"), "grants that are there in vain"),
        (len(report.wanted), "things that runs wanted and nothing grants"),
        (len(report.undecided), "things that code does and that could not be decided; nothing is granted for them"),
        (len(report.findings), "findings of the rule packs that nobody acknowledged"),
    ]
    said = "".join(f"<li>{escape(what)}: {count:,}</li>" for count, what in open_ends if count)
    if not report.proven_at:
        return '<p class="warn">Nothing below was tried: there is no proof of this project yet.</p>'
    return f'<div class="warn"><p>Open:</p><ul>{said}</ul></div>' if said else '<p class="well">Nothing is open.</p>'


def _roles(report: AccessReport) -> str:
    legend = " ".join(f'<span class="{_slug(name)}">{SIGN[name]}</span> {escape(words)}' for name, words in LEGEND)
    body = "".join(_role(each) for each in report.roles)
    return f'<section><h2>1. Who may do what, and why</h2><p class="legend">{legend}</p>{body}</section>'


def _role(role: RoleAccess) -> str:
    seen = [name for name in COLUMNS if any(_column(verb) == name for each in role.access for verb, _ in each.verbs)]
    head = "".join(f"<th>{name}</th>" for name in seen)
    rows = []
    for each in role.access:
        cells = "".join(f"<td class='sign'>{_signs(each.verbs, name)}</td>" for name in seen)
        why = "<br>".join(f"{escape(why)} <code>{escape(place)}</code>" for why, place in each.why)
        rows.append(f"<tr><td><code>{escape(each.place)}</code></td>{cells}<td class='why'>{why}</td></tr>")
    about = " · ".join(filter(None, (role.kind, role.declared)))
    personal = f" Personal data: {escape(', '.join(role.personal))}." if role.personal else ""
    score = f"{role.grants} grants, {role.proven} proven"
    score += f", {role.unobserved} unobserved" if role.unobserved else ""
    return (
        f"<article><h3>{escape(role.role)} <small>{escape(about)}</small></h3>"
        f"<p>{escape(_sentence(role.purpose))}{personal} <span class='score'>{score}</span></p>"
        f"<table><thead><tr><th>place</th>{head}<th>why, and where</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></article>"
    )


def _sentence(text: str) -> str:
    first = text.strip().split("\n")[0]
    return first if not first or first.endswith((".", "!", "?")) else f"{first}."


def _column(verb: str) -> str:
    return verb if verb in COLUMNS else "other"


def _signs(verbs: Sequence[tuple[str, str]], column: str) -> str:
    return " ".join(
        f'<span class="{_slug(verdict)}" title="{escape(verdict)}">{SIGN[verdict]}</span>'
        + (f" <code>{escape(verb)}</code>" if column == "other" else "")
        for verb, verdict in verbs
        if _column(verb) == column
    )


def _slug(verdict: str) -> str:
    return verdict.replace(" ", "-")


def _denials(report: AccessReport) -> str:
    kinds = list(dict.fromkeys(each.on for each in report.tried))
    by = {(each.role, each.on, each.verb): each for each in report.tried}
    rows = []
    for role in dict.fromkeys(each.role for each in report.tried):
        cells = []
        for kind in kinds:
            found = [each for (who, on, _), each in by.items() if (who, on) == (role, kind)]
            found.sort(key=lambda each: (VERBS.index(each.verb) if each.verb in VERBS else len(VERBS), each.verb))
            tried, denied = sum(each.tried for each in found), sum(each.denied for each in found)
            verbs = " ".join(each.verb for each in found)
            wrong = " class='wrong'" if tried != denied else ""
            cells.append(f"<td{wrong}>{denied} of {tried}<br><small>{verbs}</small></td>" if tried else "<td></td>")
        rows.append(f"<tr><td>{escape(role)}</td>{''.join(cells)}</tr>")
    head = "".join(f"<th>{escape(kind)}</th>" for kind in kinds)
    got = _list("Got through", report.allowed)
    text = "What each role must not be able to do, by rules that do not look at its grants. Denied of tried:"
    table = f"<table><thead><tr><th>role</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return _section("2. What was denied", (f"<p>{text}</p>{table}" if rows else "<p>Nothing was tried yet.</p>") + got)


def _mutations(report: AccessReport) -> str:
    text = (
        "Each grant is one action on one resource, or one prefix that may be listed. Without it in the policy, "
        "the same run was tried again from the same moment: it must fail, or come to something else."
    )
    names = ("grants", "proven", "survived", "unobserved", "not_tried")
    rows = [(each.role, *(f"{getattr(each, name):,}" for name in names)) for each in report.roles]
    head = ("role", "grants", "broke the run", "survived", "used by no run", "not tried")
    return _section("3. Grants taken away, one by one", f"<p>{text}</p>{_table(head, rows)}")


def _wildcards(report: AccessReport) -> str:
    together: dict[tuple[str, str], list[Wildcard]] = {}
    for each in report.wildcards:
        together.setdefault((each.role, each.place), []).append(each)
    rows = [
        (role, ", ".join(dict.fromkeys(each.action for each in mine)), place,
         "; ".join(dict.fromkeys(each.reason for each in mine)), ", ".join(dict.fromkeys(each.where for each in mine)))
        for (role, place), mine in together.items()
    ]  # fmt: skip
    text = "No action has a wildcard, and no resource but at its end or as the pattern of a declaration:"
    return _section("4. Wildcards that are left", f"<p>{text}</p>{_table(('role', 'may', 'on', 'why', 'where'), rows)}")


def _findings(report: AccessReport) -> str:
    if not report.synthesized:
        return _section("5. Findings of the rule packs", "<p>No stacks were made of this plan yet.</p>")
    found = _table(("rule", "resource", "finding"), report.findings) if report.findings else "<p>None is open.</p>"
    stands = _table(("rule", "resource", "reason", "rests on"), report.acknowledged)
    return _section("5. Findings of the rule packs", f"{found}<h3>Acknowledged, with the reason</h3>{stands}")


def _changes(report: AccessReport) -> str:
    since = report.since
    if not since.before:
        return _section("6. Since the last report", "<p>This is the first report.</p>")
    if not (since.gained or since.lost):
        text = f"<p>Nobody may do more or less than under plan <code>{escape(since.before)}</code>.</p>"
        return _section("6. Since the last report", text)
    text = f"<p>Compared with plan <code>{escape(since.before)}</code>.</p>"
    return _section("6. Since the last report", text + _list("More", since.gained) + _list("Less", since.lost))


def _left_open(report: AccessReport) -> str:
    undecided = [f"{role}: {what} ({place})" for role, what, place in report.undecided]
    wanted = [f"{role}: {what}" for role, what in report.wanted]
    body = _list("Could not be decided from the code; nothing is granted for it", undecided)
    body += _list("Wanted by a run, and granted by nothing", wanted) + _list("No part of the proof", NOT_COVERED)
    return _section("7. What this does not show", body)


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    made = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    named = "".join(f"<th>{escape(each)}</th>" for each in head)
    return f"<table><thead><tr>{named}</tr></thead><tbody>{made}</tbody></table>"


def _list(title: str, items: Sequence[str]) -> str:
    listed = "".join(f"<li>{escape(each)}</li>" for each in items)
    return f"<h3>{escape(title)}</h3><ul>{listed}</ul>" if items else ""


_SECTIONS: tuple[Callable[[AccessReport], str], ...] = (
    _first,
    _roles,
    _denials,
    _mutations,
    _wildcards,
    _findings,
    _changes,
    _left_open,
)
