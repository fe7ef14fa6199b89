"""A trace as PROV-O, the W3C's vocabulary for where things come from, in Turtle.

Records, files and models are entities; what computed a record in a run is an activity, with its function as plan; a
correction is an activity of a person. A corrected value is a revision. Standard library only: Turtle is text.

Vocabulary: https://www.w3.org/TR/prov-o/; Turtle: https://www.w3.org/TR/turtle/.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

from packyak.engine.lineage.asset_event import PRODUCER, namespace
from packyak.engine.lineage.chain import Link, Step, StepId, Trace, Word

PREFIXES = {
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "yak": f"{PRODUCER}/ns#",
}


def turtle(trace: Trace, project: str) -> str:
    """The trace as a Turtle document."""
    lines = [f"@prefix {name}: <{address}> ." for name, address in PREFIXES.items()]
    lines.append("")
    links: dict[StepId, list[Link]] = {}
    for link in trace.links:
        links.setdefault(link.below, []).append(link)
    people: dict[str, None] = {}
    models: dict[str, str] = {}
    for step in trace.steps:
        lines += _step(step, links.get(step.id, []), project)
        for word in step.corrections:
            people[word.by or "somebody"] = None
            lines += _word(step, word, project)
        if step.model is not None:
            people |= dict.fromkeys(step.model.people)
            models.setdefault(_model(project, step.asset, step.model.id), "\n".join(_taught(step, project)))
    lines += models.values()
    lines += [f"{_person(project, name)} a prov:Person ; rdfs:label {_text(name)} ." for name in people]
    return "\n".join(lines) + "\n"


def _step(step: Step, above: list[Link], project: str) -> Iterator[str]:
    said: list[tuple[str, str]] = [("a", "prov:Entity"), ("rdfs:label", _text(_label(step)))]
    said += [("yak:kind", _text(step.kind))]
    if step.version:
        said.append(("yak:version", _text(step.version)))
    if step.values:
        said.append(("prov:value", _text(json.dumps(dict(step.values), default=str, sort_keys=True))))
    said += [("prov:wasDerivedFrom", _record(project, link.above)) for link in above]
    if step.kind not in ("file", "bucket", "outside", "index"):
        activity = _activity(project, step)
        said.append(("prov:wasGeneratedBy", activity))
        yield _statement(_record(project, step.id), said)
        yield _statement(activity, list(_computation(step, above, project)))
        return
    yield _statement(_record(project, step.id), said)


def _computation(step: Step, above: list[Link], project: str) -> Iterator[tuple[str, str]]:
    yield "a", "prov:Activity"
    yield "rdfs:label", _text(f"{step.asset} in run {step.run}")
    if step.at:
        yield "prov:endedAtTime", f"{_text(step.at)}^^xsd:dateTime"
    yield from (("prov:used", _record(project, link.above)) for link in above)
    if step.function:
        yield "yak:function", _text(step.function)
    if step.code:
        yield "yak:code", _text(step.code)
    if step.model is not None:
        yield "prov:used", _model(project, step.asset, step.model.id)


def _word(step: Step, word: Word, project: str) -> Iterator[str]:
    act = _name(project, "correction", word.id)
    said = [("a", "prov:Activity"), ("rdfs:label", _text(f"{word.kind} {word.column}"))]
    said += [("prov:wasAssociatedWith", _person(project, word.by or "somebody"))]
    said += [("prov:endedAtTime", f"{_text(word.at)}^^xsd:dateTime")] if word.at else []
    said += [("rdfs:comment", _text(word.why))] if word.why else []
    yield _statement(act, said)
    computed = _name(project, "computed", step.asset, step.key, word.column)
    yield _statement(computed, [("a", "prov:Entity"), ("prov:value", _text(json.dumps(word.computed, default=str)))])
    revised = [("prov:wasRevisionOf", computed), ("prov:wasGeneratedBy", act)]
    yield _statement(_record(project, step.id), revised)


def _taught(step: Step, project: str) -> Iterator[str]:
    assert step.model is not None
    said = [("a", "prov:Entity"), ("rdfs:label", _text(f"model {step.model.id} of {step.asset}"))]
    said += [("yak:corrections", str(step.model.corrections))]
    said += [("prov:wasAttributedTo", _person(project, name)) for name in step.model.people]
    yield _statement(_model(project, step.asset, step.model.id), said)


def _label(step: Step) -> str:
    return f"{step.asset} {step.key}".strip()


def _statement(subject: str, said: list[tuple[str, str]]) -> str:
    return f"{subject} {' ; '.join(f'{verb} {thing}' for verb, thing in said)} ."


def _record(project: str, step: StepId) -> str:
    return _name(project, "record", *step)


def _activity(project: str, step: Step) -> str:
    return _name(project, "computation", step.asset, step.key, step.run)


def _model(project: str, asset: str, model: str) -> str:
    return _name(project, "model", asset, model)


def _person(project: str, name: str) -> str:
    return _name(project, "person", name)


def _name(project: str, *parts: str) -> str:
    return f"<{namespace(quote(project, safe=''))}/{'/'.join(quote(_whole(part), safe='') for part in parts)}>"


def _text(text: str) -> str:
    """A Turtle string: JSON's escapes are Turtle's too."""
    return json.dumps(_whole(text), ensure_ascii=False)


def _whole(text: str) -> str:
    """Text without halves of letters, which no encoding has."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
