"""Loading a user's modules anew when their files changed, in a process that stays.

Python itself keeps modules for the life of a process, and its cached bytecode tells two edits within the same second
apart only by size. So modules below the project's root are compiled from their source each time, what was read is
remembered, and a change is a change of content. Standard library only.
"""

from __future__ import annotations

import hashlib
import importlib
import linecache
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.abc import PathEntryFinder
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

OWN = ("packyak", "packyak.engine", "packyak.studio", "packyak.deploy", "packyak.cli", "packyak.integrations")
UNCERTAIN_SECONDS = 2.0  # a file changed this shortly before it was read may change again without its stamp showing it


@dataclass(frozen=True)
class _Seen:
    """A file as it was when it was read."""

    stamp: tuple[int, int, int] | None
    digest: bytes
    at: float

    @classmethod
    def of(cls, path: str, data: bytes | None = None) -> _Seen:
        stamp = _stamp(path)
        if data is None:
            try:
                data = Path(path).read_bytes()
            except OSError:
                data = b""
        return cls(stamp, hashlib.sha256(data).digest(), time.time())

    def still(self, path: str) -> bool:
        stamp = _stamp(path)
        if stamp == self.stamp and (stamp is None or self.at - stamp[0] / 1e9 > UNCERTAIN_SECONDS):
            return True
        return stamp is not None and self.stamp is not None and _Seen.of(path).digest == self.digest


@lru_cache(maxsize=10_000)
def _real(path: str) -> str:
    """A path without links. Modules do not move while they are loaded, and there are thousands to look at each time."""
    return os.path.realpath(path)


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        stat = os.stat(path)  # noqa: PTH116 (called often: a Path each time would cost more than the call)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


class Sources:
    """The source files below a project's root that this process has loaded, and `packyak.toml`."""

    def __init__(self, root: Path) -> None:
        self.root = os.path.realpath(root)
        self._seen: dict[str, _Seen] = {}
        self._foreign: dict[str, object] = {}  # modules by name that are not of this project
        self._settings = str(Path(self.root) / "packyak.toml")

    def install(self) -> None:
        """From now on modules below the root are compiled from their source."""
        sys.path_hooks.insert(0, self._finder)
        for entry in [entry for entry in sys.path_importer_cache if self._holds(entry)]:
            del sys.path_importer_cache[entry]

    def changed(self) -> bool:
        """Whether a file that was loaded has changed since."""
        self._seen.setdefault(self._settings, _Seen.of(self._settings))
        for _, path in self._modules():
            self._seen.setdefault(path, _Seen.of(path))  # loaded past our loader: remembered as it is now
        return not all(seen.still(path) for path, seen in self._seen.items())

    def purge(self) -> None:
        """Forgets the loaded modules, so that the next import reads them again."""
        for name, path in list(self._modules()):
            sys.modules.pop(name, None)
            linecache.cache.pop(path, None)
        for path in self._seen:
            linecache.cache.pop(path, None)  # sources are read through it, and it may hold one older than the module
        self._seen.clear()
        importlib.invalidate_caches()
        self._seen[self._settings] = _Seen.of(self._settings)

    def read(self, path: str, data: bytes) -> None:
        """Told by the loader what it compiles."""
        self._seen[os.path.realpath(path)] = _Seen.of(path, data)

    def _modules(self) -> Iterator[tuple[str, str]]:
        for name, module in list(sys.modules.items()):
            if self._foreign.get(name) is module:
                continue  # thousands are loaded, and asked at every look
            path = _source_of(module)
            if path and name != "__main__" and not _is_own(name) and self._holds(path):
                yield name, _real(path)
            else:
                self._foreign[name] = module

    def files(self) -> list[str]:
        """The source files of this project that are loaded."""
        return sorted({path for _, path in self._modules()})

    def _holds(self, path: str) -> bool:
        """Whether a path lies in the project and not in an environment of libraries within it."""
        real = _real(path)
        inside = real == self.root or real.startswith(self.root + os.sep)
        return inside and "site-packages" not in Path(real[len(self.root) :]).parts

    def _finder(self, path: str) -> PathEntryFinder:
        if not Path(path).is_dir() or not self._holds(path):
            raise ImportError("not below the project", path=path)
        return FileFinder(path, *_other_loaders(), (self._loader, SOURCE_SUFFIXES))  # type: ignore[arg-type]

    def _loader(self, fullname: str, path: str) -> SourceFileLoader:
        return _FreshLoader(fullname, path, self)


def _other_loaders() -> list[tuple[Any, list[str]]]:
    from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader

    return [(ExtensionFileLoader, EXTENSION_SUFFIXES)]


def _source_of(module: ModuleType) -> str | None:
    path = getattr(module, "__dict__", {}).get("__file__")  # asking a lazy module itself would load it
    return path if isinstance(path, str) and path.endswith(".py") else None


def _is_own(name: str) -> bool:
    return name == "packyak" or any(name == own or name.startswith(f"{own}.") for own in OWN[1:])


_known: dict[str, Sources] = {}


def sources_of(root: Path) -> Sources:
    """What this process has loaded from a project's folder: one for all who ask, watching from the first time on."""
    key = os.path.realpath(root)
    if key not in _known:
        _known[key] = Sources(root)
        _known[key].install()
    return _known[key]


class _FreshLoader(SourceFileLoader):
    """Compiles from source, whatever bytecode lies beside it, and says what it read."""

    def __init__(self, fullname: str, path: str, sources: Sources) -> None:
        super().__init__(fullname, path)
        self._sources = sources

    def path_stats(self, path: Any) -> Any:
        raise OSError("cached bytecode is not used")  # the documented way to have none read and none written

    def get_data(self, path: Any) -> bytes:
        data = super().get_data(path)
        self._sources.read(str(path), data)
        return data
