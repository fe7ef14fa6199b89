"""Settings: where each value comes from, and what is refused."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from packyak.engine import errors
from packyak.engine.errors import DeclarationError, MissingExtra, PackyakError, SettingError, nearest
from packyak.engine.settings import SETTINGS, find_config, load_config, resolve, strange_variables


def written(folder: Path, text: str) -> Path:
    file = folder / "packyak.toml"
    file.write_text(text)
    return file


def test_an_argument_wins_over_environment_file_and_default(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, 'name = "x"\nmodules = ["pipeline"]\n[settings]\nbatch_rows = 10\n'))
    environment = {"PACKYAK_BATCH_ROWS": "20"}
    for arguments, variables, given, value, source in (
        ({"batch_rows": 30}, environment, config, 30, "argument"),
        ({"batch_rows": None}, environment, config, 20, "environment"),
        ({}, {}, config, 10, "packyak.toml"),
        ({}, {}, None, 10_000, "default"),
    ):
        settings = resolve(given, arguments, variables)
        assert (settings["batch_rows"], settings.source("batch_rows")) == (value, source)


def test_every_default_is_a_value_of_its_type() -> None:
    settings = resolve(environment={})
    again = resolve(arguments={setting.name: settings[setting.name] for setting in SETTINGS}, environment={})
    assert all(settings[setting.name] == again[setting.name] for setting in SETTINGS)
    assert settings["person"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_rows", "0"), ("batch_rows", "many"), ("batch_rows", 1.5), ("prefect", "ftp://x"), ("worker", "on"),
        ("threads", "-1"), ("retries", True), ("lock_ttl_seconds", "nan"), ("home", ""), ("retries", -1),
    ],
)  # fmt: skip
def test_wrong_values_are_refused(name: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"no value for the argument {name}.*Next: give"):
        resolve(arguments={name: value}, environment={})


def test_unknown_settings_are_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="did you mean `batch_rows`"):
        resolve(arguments={"batchrows": 1}, environment={})
    with pytest.raises(SettingError, match=r"packyak.toml: There is no setting `hom`.*did you mean `home`"):
        load_config(written(tmp_path, "[settings]\nhom = 1\n"))


def test_a_variable_that_is_no_setting_is_told_with_the_nearest_and_others_of_ours_are_not() -> None:
    ours = {setting.variable: "1" for setting in SETTINGS} | dict.fromkeys(
        ("PACKYAK_PROJECT", "PACKYAK_UNIT", "PACKYAK_STUDIO_PORT", "PACKYAK_SECRET_KEY", "PACKYAK_BENCH_DATA", "HOME"),
        "1",
    )
    assert strange_variables(ours) == []
    first, second, third = strange_variables({**ours, "PACKYAK_WORKR": "off", "packyak_home": "x", "PACKYAK_ZZZ": "1"})
    assert "PACKYAK_WORKR is no setting" in first and first.endswith("did you mean PACKYAK_WORKER?")
    assert "PACKYAK_ZZZ" in second and "`packyak settings` lists them" in second
    assert third.endswith("did you mean PACKYAK_HOME?")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = ", "no TOML"), ("modules = 'pipeline'", "is no list"), ("name = 3", "is no name"),
        ("modles = []", "did you mean `modules`"), ("home = 'x'", "beneath"), ("settings = 3", "is no table"),
    ],
)  # fmt: skip
def test_wrong_files_are_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingError, match=says) as caught:
        load_config(written(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path / "packyak.toml"))


def test_the_nearest_file_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_config(inner) is None
    file = written(tmp_path, 'modules = ["pipeline"]')
    assert find_config(inner) == file
    config = load_config(tmp_path)
    assert (config.root, config.name, config.modules) == (tmp_path, tmp_path.name, ("pipeline",))
    with pytest.raises(SettingError, match="packyak init"):
        load_config(inner)


def test_errors_say_the_place_the_choices_and_the_next_step() -> None:
    error = DeclarationError("It is wrong", file="a.py", line=3, choices=["x", "y"], next_step="mend it")
    assert str(error) == "a.py:3: It is wrong. Valid: x, y. Next: mend it."
    assert error.to_json() == {
        "error": "DeclarationError", "message": "It is wrong", "next_step": "mend it", "choices": ["x", "y"], 
        "file": "a.py", "line": 3,
    }  # fmt: skip
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.line, type(again)) == (str(error), 3, DeclarationError)
    assert 'pip install "packyak-studio[learn]"' in str(MissingExtra.of("learn", why="to embed texts"))
    assert nearest("Bdy", ["body", "subject"]) == "body" and nearest("zzz", ["body"]) is None


def test_every_error_is_in_the_tree_drawn_at_the_top() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
    assert all(issubclass(kind, PackyakError) and kind.__name__ in (errors.__doc__ or "") for kind in kinds)
