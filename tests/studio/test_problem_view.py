"""Errors as a page shows them: the sentence, the file and line in the project, the lines around."""

from __future__ import annotations

from pathlib import Path

import pytest
from packyak.engine.errors import DeclarationError, HomeTooNew
from packyak.studio.views.problem import problem_of


def test_a_declaration_error_shows_its_line(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.py"
    file.write_text("\n".join(f"line {number}" for number in range(1, 30)))
    error = DeclarationError(
        "unknown input 'tex'", file=str(file), line=12, choices=["text"], next_step="did you mean text?"
    )
    problem = problem_of(error, tmp_path)
    assert problem.where == "pipeline.py:12" and problem.title == "The project's code has an error"
    assert problem.message == "unknown input 'tex'. Valid: text." and problem.next_step == "did you mean text?"
    assert ">   12  line 12" in problem.excerpt and len(problem.lines) == 9


def test_a_bare_syntax_error_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.py"
    file.write_text("x = (\n")
    with pytest.raises(SyntaxError) as caught:
        compile(file.read_text(), str(file), "exec")
    problem = problem_of(caught.value, tmp_path)
    assert problem.where == "pipeline.py:1" and problem.message.startswith("Python cannot read this file")


def test_any_error_of_the_users_code_points_into_the_project(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.py"
    file.write_text("def broken():\n    return 1 / 0\n")
    names: dict[str, object] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    with pytest.raises(ZeroDivisionError) as caught:
        names["broken"]()  # type: ignore[operator]
    problem = problem_of(caught.value, tmp_path)
    assert problem.where == "pipeline.py:2" and problem.message == "ZeroDivisionError: division by zero"


def test_an_error_without_a_place_has_no_excerpt(tmp_path: Path) -> None:
    problem = problem_of(HomeTooNew("the home has format 9", next_step="upgrade packyak"), tmp_path)
    assert problem.title == "The project's data cannot be opened" and not problem.where and not problem.excerpt
