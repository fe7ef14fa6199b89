"""Homes, a served object in a real worker process, and one real Prefect server for the whole session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packyak.engine.errors import NoWorker
from packyak.engine.run.prefect_server import PrefectServer
from packyak.engine.run.process import end
from packyak.engine.run.worker.address import address_file, code_version, read_address
from packyak.engine.run.worker.client import Client, connect_or_start
from packyak.engine.store.home import Home, open_home

HERE = Path(__file__).parent


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project folder with one module of the user's."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "rules.py").write_text("def answer():\n    return 1\n")
    return folder


@pytest.fixture
def start(home: Home, root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Client]]:
    """Starts the worker of the test's home, or finds it; it is ended after the test."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(HERE)]))

    def call(**options: object) -> Client:
        for tries in range(5):
            code_version.cache_clear()
            try:
                return connect_or_start(home.uri, root, seconds=30, serve="served:Served", **options)  # type: ignore[arg-type]
            except NoWorker:
                if tries == 4:  # the engine may be edited while its tests run: the worker then has newer code than we
                    raise
        raise AssertionError

    yield call
    address = read_address(address_file(home.uri))
    if address is not None:
        end(address.pid, address.mark, patience=2)


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, str]]:
    """A home with a Prefect server that answers, and the address of its API."""
    home = open_home(tmp_path_factory.mktemp("prefect") / "home")
    server = PrefectServer(home)
    server.ensure(background=False)
    url = server.url()
    assert url, server.log.read_text()
    yield home, url
    assert server.stop()
