"""What every test runs in: its own home and working folder, no settings from outside, no way out of this machine.

Fixtures for all rooms: `project_folder` writes a project from source text, `sample_folder` the sample project,
`browser_path` finds a browser.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).parent.parent
GUARD = ROOT / "tests" / "guard"
FOREIGN_SETTINGS = (
    "PACKYAK_",
    "PREFECT_",
    "AWS_",
    "OPENLINEAGE_",
    "STREAMLIT_",
    "LANCE_",
    "FORCE_COLOR",
    "CLICOLOR",
    "COLUMNS",
)
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "NO_COLOR": "1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "TOKENIZERS_PARALLELISM": "false",
}

hypothesis.settings.register_profile(
    "packyak",
    deadline=None,  # a busy machine is no failure
    derandomize="CI" in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("packyak")


def pytest_configure(config: pytest.Config) -> None:
    """Before anything is collected: fixtures of a whole session see the clean environment too."""
    for name in [name for name in os.environ if name.startswith(FOREIGN_SETTINGS)]:
        del os.environ[name]
    os.environ.update(QUIET)
    os.environ["PYTHONPATH"] = str(GUARD)
    sys.path.insert(0, str(GUARD))
    sys.modules.pop("sitecustomize", None)  # an installed Python may have its own
    import sitecustomize  # noqa: F401


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has its own HOME and working folder, so that nothing of the person who runs it is read or written."""
    outside = tmp_path_factory.mktemp("own")
    for name in ("home", "work"):
        (outside / name).mkdir()
    monkeypatch.setenv("HOME", str(outside / "home"))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(outside / "home" / name.lower()))
    monkeypatch.chdir(outside / "work")
    yield


@pytest.fixture(autouse=True)
def nothing_leaves(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fails a test in which anything tried to reach another machine, even where the error was swallowed."""
    note = tmp_path_factory.mktemp("attempts") / "attempts"
    monkeypatch.setenv("TEST_ATTEMPTS_OUTSIDE", str(note))
    yield
    if note.exists() and request.node.get_closest_marker("attempts_outside") is None:
        pytest.fail(f"this tried to leave the machine:\n{note.read_text()}", pytrace=False)


@pytest.fixture
def project_folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a project and returns its folder: `project_folder(source, files={"inbox/a.jsonl": "..."})`.

    `source` becomes `pipeline.py`, `modules` more such files; `files` go into the buckets of the local home by
    `bucket/key`; `settings` into `packyak.toml`. Unless these say otherwise, all runs in the calling process, with
    neither worker nor Prefect server.
    """

    def write(
        source: str,
        *,
        name: str = "demo",
        files: Mapping[str, str | bytes] | None = None,
        modules: Mapping[str, str] | None = None,
        settings: Mapping[str, str | int | float] | None = None,
    ) -> Path:
        folder = tmp_path / name
        sources = {"pipeline": source, **(modules or {})}
        for module, text in sources.items():
            _write(folder / f"{module}.py", textwrap.dedent(text))
        listed = ", ".join(f'"{module}"' for module in sources)
        _write(folder / "packyak.toml", f'name = "{name}"\nmodules = [{listed}]\n{_settings(settings)}')
        for key, content in (files or {}).items():
            _write(folder / ".packyak" / "buckets" / key, content)
        return folder

    return write


def _settings(given: Mapping[str, str | int | float] | None) -> str:
    values = {"prefect": "off", "worker": "off", **(given or {})}
    return "\n[settings]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def sample_folder(tmp_path: Path) -> Path:
    """The sample project, whole, run in the calling process."""
    from packyak.sample_data import create

    folder = create(tmp_path / "sample")
    with (folder / "packyak.toml").open("a", encoding="utf-8") as toml:
        toml.write(_settings(None))
    return folder


@pytest.fixture(scope="session")
def browser_path() -> str:
    """A browser's program file. Tests that ask for it are skipped where there is none, and say how to get one."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("no browser found; to run this test: apt-get install chromium")
