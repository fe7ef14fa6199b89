"""A user's modules are read anew when, and only when, their content changed."""

from __future__ import annotations

import importlib
import os
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.run.worker.reload import Sources


@pytest.fixture
def sources(root: Path) -> Iterator[Sources]:
    hooks, modules = list(sys.path_hooks), set(sys.modules)
    sys.path.insert(0, str(root))
    found = Sources(root)
    found.install()
    yield found
    sys.path.remove(str(root))
    sys.path_hooks[:] = hooks
    sys.path_importer_cache.clear()
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def load(sources: Sources) -> Any:
    if sources.changed():
        sources.purge()
    return importlib.import_module("rules")


def write(path: Path, text: str, at: float | None = None) -> None:
    path.write_text(text)
    if at is not None:
        os.utime(path, (at, at))


def test_nothing_changed_nothing_loaded(sources: Sources, root: Path) -> None:
    first = load(sources)
    assert not sources.changed()
    assert load(sources) is first
    write(root / "rules.py", (root / "rules.py").read_text())
    assert load(sources) is first, "written again with the same content"
    assert not (root / "__pycache__").exists()


def test_an_edit_of_the_same_second_and_size_is_seen(sources: Sources, root: Path) -> None:
    """Python's own bytecode would be taken for the new source: its stamp has seconds and a size."""
    write(root / "rules.py", "def answer():\n    return 1\n", at=1_700_000_000.25)
    py_compile.compile(str(root / "rules.py"))
    assert load(sources).answer() == 1
    write(root / "rules.py", "def answer():\n    return 2\n", at=1_700_000_000.75)
    assert load(sources).answer() == 2


def test_an_edit_whose_stamp_is_the_same_is_seen_while_fresh(sources: Sources, root: Path) -> None:
    write(root / "rules.py", "def answer():\n    return 1\n")
    stat = (root / "rules.py").stat()
    assert load(sources).answer() == 1
    (root / "rules.py").write_text("def answer():\n    return 2\n")
    os.utime(root / "rules.py", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert load(sources).answer() == 2


def test_modules_that_modules_import(sources: Sources, root: Path) -> None:
    (root / "deep").mkdir()
    (root / "deep" / "__init__.py").write_text("")
    (root / "deep" / "words.py").write_text("WORD = 'one'\n")
    (root / "rules.py").write_text("from deep.words import WORD\ndef answer():\n    return WORD\n")
    assert load(sources).answer() == "one"
    (root / "deep" / "words.py").write_text("WORD = 'two'\n")
    assert load(sources).answer() == "two"
    (root / "deep" / "words.py").unlink()
    with pytest.raises(ModuleNotFoundError):
        load(sources)


def test_a_syntax_error_and_its_repair(sources: Sources, root: Path) -> None:
    assert load(sources).answer() == 1
    (root / "rules.py").write_text("def answer(:\n")
    with pytest.raises(SyntaxError):
        load(sources)
    (root / "rules.py").write_text("def answer():\n    return 3\n")
    assert load(sources).answer() == 3


def test_the_settings_file_is_watched(sources: Sources, root: Path) -> None:
    load(sources)
    (root / "packyak.toml").write_text('name = "x"\n')
    assert sources.changed()
    sources.purge()
    assert not sources.changed()


def test_libraries_within_the_project_and_packyak_itself_stay(sources: Sources, root: Path) -> None:
    library = root / ".venv" / "lib" / "site-packages"
    library.mkdir(parents=True)
    (library / "somelib.py").write_text("N = 1\n")
    sys.path.insert(0, str(library))
    try:
        somelib = importlib.import_module("somelib")
        load(sources)
        (library / "somelib.py").write_text("N = 22\n")
        assert not sources.changed()
        sources.purge()
        assert sys.modules["somelib"] is somelib
    finally:
        sys.path.remove(str(library))
    assert "packyak.engine.run.worker.reload" in sys.modules


def test_line_numbers_and_sources_for_tracebacks_are_the_new_ones(sources: Sources, root: Path) -> None:
    import inspect

    assert "return 1" in inspect.getsource(load(sources).answer)
    (root / "rules.py").write_text("# moved\n\ndef answer():\n    return 4\n")
    assert "return 4" in inspect.getsource(load(sources).answer)
