"""The walls around the tests hold: folders, settings, and sockets in this process and in those that it starts."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# 192.0.2.0/24 is kept for documentation (RFC 5737): nobody has these addresses.
OUTSIDE = ("192.0.2.1", 80)
PROBE = "import socket; s = socket.socket(); s.settimeout(1); s.connect(('192.0.2.1', 80))"


@pytest.mark.attempts_outside
def test_a_connection_to_another_machine_is_refused() -> None:
    with socket.socket() as probe, pytest.raises(OSError, match="nothing may leave this machine"):
        probe.connect(OUTSIDE)


@pytest.mark.attempts_outside
def test_names_of_other_machines_are_not_looked_up() -> None:
    with pytest.raises(OSError, match="nothing may leave this machine"):
        socket.getaddrinfo("packyak.invalid", 443)


@pytest.mark.attempts_outside
def test_processes_that_a_test_starts_are_held_too() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "nothing may leave this machine" in done.stderr
    assert "192.0.2.1" in Path(os.environ["TEST_ATTEMPTS_OUTSIDE"]).read_text()


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_home_and_working_folder_are_the_tests_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    own = tmp_path_factory.getbasetemp().resolve()
    assert Path.home().resolve().is_relative_to(own)
    assert Path.cwd().resolve().is_relative_to(own)
    assert not list(Path.home().iterdir())


def test_settings_from_outside_are_not_seen() -> None:
    assert [name for name in os.environ if name.startswith(("PACKYAK_", "PREFECT_", "AWS_"))] == [
        "AWS_EC2_METADATA_DISABLED"
    ]


def test_a_project_is_written_from_source_text(project_folder: Callable[..., Path]) -> None:
    folder = project_folder(
        """
        from packyak import Bucket
        """,
        files={"inbox/a.jsonl": "{}\n"},
    )
    assert (folder / "pipeline.py").read_text().startswith("\nfrom packyak")
    assert 'modules = ["pipeline"]' in (folder / "packyak.toml").read_text()
    assert (folder / ".packyak/buckets/inbox/a.jsonl").read_text() == "{}\n"
