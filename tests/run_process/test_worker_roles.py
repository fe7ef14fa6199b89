"""A worker does for each person what that person may, whoever started it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packyak.engine.errors import NotAllowed, NoWorker
from packyak.engine.run.process import end
from packyak.engine.run.worker.address import address_file, code_version, read_address
from packyak.engine.run.worker.client import Client, connect_or_start

SOURCE = """
    from packyak import asset, transform

    @asset(key="id")
    def notes(): yield {"id": "n1", "body": "one two"}

    @transform(notes)
    def many(body: str) -> int: return len(body.split())
"""


@pytest.fixture
def client(project_folder: Callable[..., Path]) -> Iterator[Client]:
    folder = project_folder(SOURCE, settings={"worker": "auto", "person": "ana"})
    with (folder / "packyak.toml").open("a") as toml:
        toml.write('\n[roles]\nadmin = ["ana"]\nreviewer = ["rob"]\nviewer = ["vic"]\n')
    home = str(folder / ".packyak")
    for tries in range(5):
        code_version.cache_clear()
        try:
            found = connect_or_start(home, folder, seconds=30)
            break
        except NoWorker:
            if tries == 4:  # the engine may be edited while its tests run: the worker then has newer code than we
                raise
    yield found
    address = read_address(address_file(home))
    if address is not None:
        end(address.pid, address.mark, patience=2)


def test_the_one_who_asks_counts_not_the_one_who_started_it(client: Client) -> None:
    client.person = "vic"
    with pytest.raises(NotAllowed, match="vic is a viewer and may not run"):
        client.run()
    client.person = "ana"
    assert client.run().state == "done"
    client.person = "rob"
    assert client.call("correct", "many", "n1", "many", 3).by == "rob"
    client.person = "vic"
    with pytest.raises(NotAllowed, match="may not correct"):
        client.call("correct", "many", "n1", "many", 4)
    assert client.call("read", "many")["many"].to_pylist() == [3]
    client.person = "nobody"
    with pytest.raises(NotAllowed, match="has no role"):
        client.call("read", "many")
