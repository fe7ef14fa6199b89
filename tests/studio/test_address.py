"""Where a studio says that it answers."""

from __future__ import annotations

import pytest
from packyak.studio.shell.address import welcome


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"address": "127.0.0.1"}, "http://127.0.0.1:8501/"),
        ({"address": "studio.example.com", "sslCertFile": "a.pem"}, "https://studio.example.com:8501/"),
        ({"address": "::1", "baseUrlPath": "/a/b/"}, "http://[::1]:8501/a/b"),
        ({}, "http://127.0.0.1:8501/, and at every other address of this machine"),
        ({"address": "0.0.0.0"}, "http://127.0.0.1:8501/, and at every other address of this machine"),
    ],
)
def test_a_studio_says_where_it_answers(options: dict[str, str], said: str) -> None:
    found = {"server.port": 8501, **{f"server.{name}": value for name, value in options.items()}}
    assert welcome(found.get) == f"The studio answers at {said}"
