"""Lineage for elsewhere: PROV-O that any RDF library reads, and pictures that need nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from packyak.engine.errors import DataError
from packyak.engine.lineage.chain import Link, Model, Step, Trace, Word
from packyak.engine.lineage.picture import page, svg
from packyak.engine.lineage.prov import turtle
from packyak.engine.project import Project

STRANGE = 'a "quoted" \\ <b>&amp; \n line\u2028, ünïcode, 😀 and \ud800 half'
WORD = Word("c1", "x", 5, 3, "Ana & Bo", "2026-10-01T10:00:00+00:00", STRANGE)
TRACE = Trace(
    "topic", STRANGE, "", "up",
    (
        Step("topic", STRANGE, "learned", ("x",), {"x": STRANGE}, "v1", "/p/pipeline.py:3", "c0de", False, "person",
             0.9, Model("m1", 12, ("Ana & Bo",), 0.91, "m0"), (WORD,), "", "run-1", "2026-10-01T10:00:00.100+00:00"),
        Step("rows", "k|1", "transform", ("a", "b"), {"a": None, "b": [1, {"c": 2}]}, "v2", "/p/pipeline.py:1"),
        Step("rates", "", "sql", version="v3", records=1200),
        Step("inbox/*.jsonl", "a b/ü.jsonl", "file", version="etag"),
        Step("job airflow x.y", "", "outside"),
    ),
    (
        Link(("rows", "k|1"), ("topic", STRANGE), "same record", ("a",)),
        Link(("rates", ""), ("topic", STRANGE), "whole"),
        Link(("inbox/*.jsonl", "a b/ü.jsonl"), ("rows", "k|1"), "file"),
        Link(("job airflow x.y", ""), ("inbox/*.jsonl", "a b/ü.jsonl"), "outside"),
    ),
    2, ("rates: read whole",),
)  # fmt: skip

ASKED = """
    prefix prov: <http://www.w3.org/ns/prov#>
    prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#>
    select ?label where { <%s> (prov:wasDerivedFrom|prov:wasRevisionOf)+ ?above . ?above rdfs:label ?label }
"""


def test_prov_is_read_and_asked_by_an_rdf_library() -> None:
    rdflib = pytest.importorskip("rdflib")
    graph = rdflib.Graph().parse(data=turtle(TRACE, "my shop"), format="turtle")
    prov = rdflib.Namespace("http://www.w3.org/ns/prov#")
    start = next(thing for thing in graph.subjects(rdflib.RDF.type, prov.Entity) if "record/topic" in str(thing))
    above = {str(row.label) for row in graph.query(ASKED % start)}
    assert above == {"rows k|1", "rates", "inbox/*.jsonl a b/ü.jsonl", "job airflow x.y"}
    (value,) = graph.objects(start, prov.value)
    assert json.loads(str(value))["x"].startswith('a "quoted" \\ <b>&amp; \n line')
    (person,) = graph.subjects(rdflib.RDF.type, prov.Person)
    assert str(next(graph.objects(person, rdflib.RDFS.label))) == "Ana & Bo"
    made = set(graph.objects(start, prov.wasGeneratedBy))
    (said,) = {each for each in made if (each, prov.wasAssociatedWith, person) in graph}
    assert str(next(graph.objects(said, rdflib.RDFS.comment))).startswith('a "quoted"')
    (computed,) = made - {said}
    ended = next(graph.objects(computed, prov.endedAtTime))
    assert ended.datatype == rdflib.XSD.dateTime
    assert ended.toPython().year == 2026
    used = {str(each) for each in graph.objects(computed, prov.used)}
    assert any("/model/topic/m1" in each for each in used)
    assert len(list(graph.subjects(rdflib.RDF.type, prov.Activity))) == 4


def test_a_picture_is_whole_and_names_nothing_elsewhere() -> None:
    drawn = svg(TRACE)
    root = ElementTree.fromstring(drawn)
    space = {"s": "http://www.w3.org/2000/svg"}
    assert len(root.findall(".//s:path", space)) == len(TRACE.links)
    assert len(root.findall(".//s:g", space)) == len(TRACE.steps)
    texts = [text.text or "" for text in root.findall(".//s:text", space)]
    assert "Ana & Bo corrected x" in texts
    assert "rates: read whole" in texts
    whole = page(TRACE)
    assert not re.search(r"(?:src|href|@import|url\()", whole)
    assert set(re.findall(r"https?://[^\"' <]+", whole)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in whole


def test_cards_stand_right_of_what_they_come_from() -> None:
    root = ElementTree.fromstring(svg(TRACE))
    space = {"s": "http://www.w3.org/2000/svg"}
    places = {
        (group.findtext("s:title", namespaces=space) or "").split(" ")[0]: float(group.find("s:rect", space).get("x"))  # type: ignore[union-attr, arg-type]
        for group in root.findall(".//s:g", space)
    }
    assert places["airflow"] < places["inbox/*.jsonl"] < places["rows"] < places["topic"]
    assert places["rates"] < places["topic"]


def test_many_records_are_drawn_up_to_a_limit() -> None:
    steps = [Step("per", "x", "sql"), *(Step("rows", str(n), "transform") for n in range(500))]
    links = [Link(("rows", str(n)), ("per", "x"), "query") for n in range(500)]
    drawn = svg(Trace("per", "x", "", "up", tuple(steps), tuple(links)))
    assert "460 more records are not drawn" in drawn
    assert drawn.count("<path") == 40


def test_a_project_is_exported_in_every_form(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(
        """
        from typing import Iterator
        from packyak import Bucket, File, read_jsonl, sql, transform
        inbox = Bucket("inbox")
        @transform(inbox.files("*.jsonl"), key="id")
        def rows(file: File) -> Iterator[dict]:
            yield from read_jsonl(file)
        per = sql("select x, count(*) as n from rows group by all")
        """,
        files={"inbox/a.jsonl": '{"id": "1", "x": 1}\n'},
    )
    project = Project.open(folder)
    project.run()
    events = [json.loads(line) for line in project.export_lineage().splitlines()]
    assert [event["eventType"] for event in events if event["job"]["name"] == "update"] == ["START", "COMPLETE"]
    assert "inbox/*.jsonl" in project.export_lineage(form="svg")
    assert "per 1" in project.export_lineage("per", "1")
    assert "prov:wasDerivedFrom" in project.export_lineage("per", "1", form="prov")
    assert "What depends on rows" in project.export_lineage("rows", form="html", direction="down")
    with pytest.raises(DataError, match="no format"):
        project.export_lineage(form="pdf")


def test_lineage_check_ends_well() -> None:
    script = Path(__file__).parent / "lineage_check.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all as it should be" in done.stdout
