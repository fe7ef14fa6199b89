"""Every page on an empty, a small and a broken project, without a browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import packyak.studio
import pytest
import streamlit as st
from packyak.engine.project import Project
from packyak.studio.views.runs import RunSheet
from streamlit.testing.v1 import AppTest

STUDIO = Path(packyak.studio.__path__[0])
NOTES = "\n".join(
    json.dumps({"id": f"n{number:03}", "body": f"**note** <b>{number}</b>", "size": number}) for number in range(120)
)
SOURCE = """
    from collections.abc import Iterator
    from typing import Literal
    from packyak import Bucket, File, read_jsonl, sql, transform

    inbox = Bucket("inbox")

    @transform(inbox.files("*.jsonl"), key="id")
    def notes(file: File) -> Iterator[dict]:
        yield from read_jsonl(file)

    @transform(notes)
    def kind(size: int) -> Literal["small", "large"]:
        if size == 7:
            raise ValueError("seven is refused")
        return "large" if size > 60 else "small"

    counts = sql("select kind, count(*) as n from kind group by all")
"""


@pytest.fixture(autouse=True)
def _no_kept_project() -> Iterator[None]:
    yield
    st.cache_resource.clear()


@pytest.fixture
def small(project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = project_folder(SOURCE, files={"inbox/notes.jsonl": NOTES})
    Project.open(folder).run()
    monkeypatch.setenv("PACKYAK_PROJECT", str(folder))
    return folder


def shown(page: str = "", **params: str) -> AppTest:
    """The studio at a page of it."""
    app = AppTest.from_file(str(STUDIO / "shell" / "main.py"), default_timeout=60)
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    if page:
        app.switch_page(f"../pages/{page}.py")
        for name, value in params.items():
            app.query_params[name] = value
        app.run()
    assert not app.exception, [error.value for error in app.exception]
    return app


def words_of(app: AppTest) -> str:
    found: list[Any] = [*app.header, *app.subheader, *app.markdown, *app.text, *app.caption, *app.error, *app.title]
    hands = [app.session_state["grid_hand"]] if "grid_hand" in app.session_state else []
    said = [hand.shown.said for hand in hands if hand.shown is not None]
    return "\n".join([*said, *(str(element.value) for element in found)])


def buttons(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_without_a_project_home_teaches(tmp_path: Path) -> None:
    app = shown()
    assert "Create the sample project" in buttons(app)
    app.text_input(key="open_folder").input(str(tmp_path)).run()
    app.button(key="open_project").click().run()
    assert "holds no packyak" in app.error[0].value


def test_a_project_without_assets_says_what_to_add(
    project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACKYAK_PROJECT", str(project_folder("")))
    assert buttons(shown()) == []  # the graph shows how to write one; there is nothing to run
    assert "declares no assets yet" in words_of(shown("records"))
    assert "no learned transform" in words_of(shown("models"))
    for page in ("review", "runs", "home"):
        shown(page)


def test_the_pipeline_page_of_a_project_that_never_ran(
    project_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project_folder(SOURCE, files={"inbox/notes.jsonl": NOTES})
    monkeypatch.setenv("PACKYAK_PROJECT", str(folder))
    assert "Run all 3 assets" in buttons(shown())
    assert "kind has no records yet" in words_of(shown("records", asset="kind"))
    for page in ("review", "runs"):
        shown(page)


def test_the_side_panel_of_an_asset(small: Path) -> None:
    app = shown(asset="kind")
    said = words_of(app)
    assert "What it is" not in said and "Versions" in said
    assert "Retry 1 failed" in buttons(app)
    assert [metric.value for metric in app.metric][:1] == ["119"]


def test_an_unknown_asset_in_the_address_is_no_error(small: Path) -> None:
    shown(asset="nonsense")
    app = shown("records", asset="nonsense")
    assert app.selectbox(key="records_asset").value == "counts"


def test_records_are_paged_and_searched(small: Path) -> None:
    app = shown("records", asset="kind")
    assert "1 to 50 of 120 records" in words_of(app)
    app.text_input(key="text-kind").input("<b>11").run()
    assert "11 records" in words_of(app)
    app.text_input(key="text-kind").input("nowhere to be found").run()
    assert "No record matches" in words_of(app)


def test_a_view_is_its_address(small: Path) -> None:
    app = shown("records", asset="kind", text="<b>11", sort="size", down="1", filter='[["kind", "=", "large"]]')
    assert "11 records" not in words_of(app) and "10 records" in words_of(app)
    shown_grid = app.session_state["grid_hand"].shown
    assert (shown_grid.sort, shown_grid.descending) == ("size", True)
    assert shown_grid.page.rows["size"].to_pylist()[:2] == [119, 118]
    app = shown("records", asset="kind", only="failed")
    assert "1 record" in words_of(app) and app.query_params["only"] in ("failed", ["failed"])
    assert "declares" not in words_of(shown("records", asset="kind", where="size > 200 and kind is null"))


def test_columns_and_queries_are_views_too(small: Path) -> None:
    assert "4 columns of 120 records" in words_of(shown("records", asset="kind", view="columns"))
    app = shown("records", asset="kind", view="sql", q="select kind, count(*) as n from kind group by all")
    assert any(caption.value.startswith("3 rows in") for caption in app.caption)
    assert "kin" in shown("records", asset="kind", view="sql", q="select kin from kind").error[0].value


def test_many_records_are_changed_at_once_and_back(small: Path) -> None:
    project = Project.open(small)
    done = project.correct_where("kind", "kind", "small", where="size > 100")
    assert done.count == 19
    app = shown("records", asset="kind", only="corrected")
    assert "19 records" in words_of(app)
    project.undo(done.id)
    assert "No record matches" in words_of(shown("records", asset="kind", only="corrected"))


def test_an_error_nobody_foresaw_is_a_page_too(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Project, "runs", lambda *_: 1 / 0)
    app = shown("runs")
    assert "ZeroDivisionError" in words_of(app)


def test_a_record_is_shown_and_corrected_in_its_panel(small: Path) -> None:
    app = shown("records", asset="kind", key="n003")
    assert "n003" in words_of(app)
    app.selectbox(key="fix-kind-n003-column").select("kind").run()
    app.selectbox(key="fix-kind-n003-kind").select("large")
    app.text_input(key="fix-kind-n003-kind-why").input("looked at it")
    next(button for button in app.button if button.label == "Save correction").click().run()
    assert not app.exception
    field = next(field for field in Project.open(small).record("kind", "n003").fields if field.column == "kind")
    assert (field.value, field.why) == ("large", "looked at it")


def test_a_record_that_is_not_there_says_so(small: Path) -> None:
    words = words_of(shown("records", asset="kind", key="gone"))
    assert "kind has no record 'gone'. It was deleted or erased since" in words and "packyak show" not in words


def test_a_version_that_is_not_kept_is_told_and_the_present_shown(small: Path) -> None:
    words = words_of(shown("records", asset="kind", version="0123456789ab"))
    assert "that version is not kept any more: this is now" in words
    assert "not kept" not in words_of(shown("records", asset="kind"))
    past = shown("", at="20260101-000000-000000-abcd").warning[0].value.replace("\\", "")
    assert "after the run 20260101-000000-000000-abcd is not kept. The present is shown." in past


@pytest.mark.parametrize("page", ["", "records", "review", "runs", "models"])
def test_a_broken_file_is_a_page_and_mending_it_is_enough(small: Path, page: str) -> None:
    file = small / "pipeline.py"
    good = file.read_text()
    file.write_text(good.replace("def kind(size: int)", "def kind(size: int"))
    app = shown(page)
    assert "The project's code has an error" in words_of(app)
    assert any("pipeline" in badge and ":" in badge for badge in words_of(app).split("\n"))
    file.write_text(good)
    app.run()
    assert not app.exception and "The project's code has an error" not in words_of(app)


def test_a_wrong_declaration_names_what_was_meant(small: Path) -> None:
    file = small / "pipeline.py"
    file.write_text(file.read_text().replace("from kind group", "from kinds group"))
    said = words_of(shown())
    assert "The project's code has an error" in said and "reads `kinds`" in said and "Valid:" in said


def with_roles(folder: Path, monkeypatch: pytest.MonkeyPatch, person: str) -> None:
    with (folder / "packyak.toml").open("a") as toml:
        toml.write('\n[roles]\nadmin = ["ana"]\nviewer = ["vic"]\n')
    monkeypatch.setenv("PACKYAK_PERSON", person)


def test_who_may_erase_is_shown_how_and_nobody_else(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command names the asset that has the record, and takes its key as it stands there."""
    for key, said in (("n003", "packyak forget notes n003"), ("not there", "packyak forget notes 'not there'")):
        app = shown("records", asset="kind", key=key)
        assert said in [code.value for code in app.code] and "First take it out of the file" in words_of(app)
    with_roles(small, monkeypatch, "vic")
    app = shown("records", asset="kind", key="n003")
    assert "n003" in words_of(app) and not [code for code in app.code if "forget" in code.value]


@pytest.mark.parametrize("page", ["", "records", "review", "runs", "models", "map"])
def test_who_has_no_role_is_told_whom_to_ask(small: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    with_roles(small, monkeypatch, "stranger")
    said = words_of(shown(page))
    assert "Your role does not allow this" in said and "stranger has no role" in said and "ana" in said


@pytest.mark.parametrize("page", ["", "records", "review", "runs", "models", "map"])
def test_a_viewer_sees_every_page_and_can_change_nothing(
    small: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    with_roles(small, monkeypatch, "vic")
    app = shown(page, asset="kind")
    doing = ("Run", "Retry", "Save", "Change many", "Cancel", "Learn", "Promote", "Everything is fresh")
    able = [button.label for button in app.button if button.label.startswith(doing) and not button.disabled]
    assert not able
    assert not any("role does not allow" in word for word in words_of(app).split("\n"))


def sheet_of(app: AppTest) -> RunSheet:
    """The run that the page shows in full."""
    sheet: RunSheet = app.session_state["known_sheet"][1]
    return sheet


def test_a_run_tells_what_fails_of_it(small: Path) -> None:
    (small / ".packyak" / "buckets" / "inbox" / "odd.jsonl").write_text("no json")
    Project.open(small).run()
    app = shown("runs")
    sheet = sheet_of(app)
    assert sheet.failed == "1 file and 1 record" and "Retry 1 file and 1 record" in buttons(app)
    assert [(each.title, each.listed, each.command) for each in sheet.failing] == [
        ("1 file of notes", "", "packyak show notes --only failed"),
        ("1 record of kind", "kind", "packyak show kind --only failed"),
    ]
    oldest = Project.open(small).runs()[-1].id
    assert "tried again" not in sheet.failing[1].since  # nobody tried it again: it failed in the first run
    assert sheet_of(shown("runs", run=oldest)).failing[1].since == ""


def test_a_thousand_runs_are_listed_as_far_as_somebody_looks(small: Path) -> None:
    (real,), folder = Project.open(small).runs(), small / ".packyak" / "runs"
    names = [f"2020{number:04}-000000-000000-0000" for number in range(1000)]
    for name in names:
        (folder / f"{name}.json").write_text(json.dumps(replace(real, id=name).to_json()))
    (folder / "20190101-000000-000000-0000.json").write_text("cut o")
    app = shown("runs")
    assert not app.exception and sheet_of(app).id == real.id
    app = shown("runs", run=names[3])
    assert sheet_of(app).id == names[3] and not sheet_of(app).note
    app = shown("runs", run="20190101-000000-000000-0000")
    assert sheet_of(app).id == real.id and sheet_of(app).note.startswith("There is no run 2019")
