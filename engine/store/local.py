"""Bytes under names in a local folder, whole or not at all.

A write goes to a temporary file beside its target, is flushed to the disk and then renamed over it, so that a crash, a
kill or a full disk leaves the old bytes readable. Temporary files begin with `TEMPORARY` and are never listed.
Standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

from packyak.engine.errors import HomeError, HomeFull, HomeNotWritable

TEMPORARY = ".packyak-tmp-"
_LONGEST_WRITE = 3600.0  # a pid may be another process's by now
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EXDEV}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


class LocalPlace:
    """A folder on this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, name: str) -> bytes | None:
        """The bytes under a name, None where there are none."""
        try:
            return (self.root / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise unreadable(error, self.root / name) from error

    def write(self, name: str, data: bytes, *, secret: bool = False) -> None:
        """Replaces the bytes under a name at once."""
        target = self.root / name
        with self._temporary(target, data, secret) as temporary:
            temporary.replace(target)
            _flush_folder(target.parent)

    def create(self, name: str, data: bytes, *, secret: bool = False) -> bool:
        """Puts the bytes there only if nothing has the name; answers whether it did. Of several processes one
        succeeds."""
        target = self.root / name
        with self._temporary(target, data, secret) as temporary:
            if not _link(temporary, target, data):
                return False
            _flush_folder(target.parent)
        return True

    def names(self, folder: str, suffix: str = "") -> list[str]:
        """The names of the files directly in a folder, sorted; empty where it does not exist."""
        try:
            with os.scandir(self.root / folder) as entries:
                found = [entry.name for entry in entries if entry.name.endswith(suffix) and entry.is_file()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise unreadable(error, self.root / folder) from error
        return sorted(name for name in found if not name.startswith(TEMPORARY))

    def remove(self, name: str) -> None:
        """Takes a file away; one that is not there is no error."""
        try:
            (self.root / name).unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise unwritable(error, self.root / name) from error

    def walk(self, folder: str) -> Iterator[tuple[str, int, int]]:
        """Name, size and time of change of every file below a folder."""
        for path in (self.root / folder).rglob("*"):
            if path.is_file() and not path.name.startswith(TEMPORARY):
                found = path.stat()
                yield path.relative_to(self.root).as_posix(), found.st_size, found.st_mtime_ns

    def sweep(self) -> int:
        """Takes away temporary files whose process is gone."""
        left = [path for path in self.root.rglob(f"{TEMPORARY}*") if path.is_file() and not _writes(path)]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def require_writable(self) -> None:
        """Raises HomeNotWritable where nothing can be written."""
        with self._temporary(self.root / "probe", b"", False):
            return

    @contextlib.contextmanager
    def _temporary(self, target: Path, data: bytes, secret: bool) -> Iterator[Path]:
        temporary = target.parent / f"{TEMPORARY}{os.getpid()}-{os.urandom(6).hex()}"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(
                os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if secret else 0o666), "wb"
            ) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield temporary
        except OSError as error:
            raise unwritable(error, target) from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _writes(temporary: Path) -> bool:
    """Whether the process that began a temporary file may still be at it."""
    pid = temporary.name.removeprefix(TEMPORARY).partition("-")[0]
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except OSError:
        pass
    return time.time() - temporary.stat().st_mtime < _LONGEST_WRITE


def _link(temporary: Path, target: Path, data: bytes) -> bool:
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _create_without_links(target, data)
    return True


def _create_without_links(target: Path, data: bytes) -> bool:
    """For file systems that have no hard links, such as exFAT: exclusive, but a kill may leave part of the bytes."""
    try:
        with target.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        return False
    except OSError:
        target.unlink(missing_ok=True)
        raise
    return True


def _flush_folder(folder: Path) -> None:
    """Makes a rename survive a power cut, where the system lets a folder be opened."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def unwritable(error: OSError, path: Path) -> HomeError:
    """The home's error for a write that the system refused."""
    if error.errno in _FULL:
        return HomeFull(
            f"the disk is full: {path} could not be written, and what was there before is unchanged",
            path=str(path),
            next_step="free some space on the disk, then try again",
        )
    if error.errno in _REFUSED:
        return HomeNotWritable(
            f"{path} cannot be written: {error.strerror}",
            path=str(path),
            next_step="give your user write access to the home, or choose another home with --home or PACKYAK_HOME",
        )
    return HomeError(
        f"{path} cannot be written: {error.strerror or error}",
        path=str(path),
        next_step="check that no file stands where a folder is needed and that the disk is healthy, then try again",
    )


def unreadable(error: OSError, path: Path) -> HomeError:
    """The home's error for a read that the system refused."""
    return HomeError(
        f"{path} cannot be read: {error.strerror or error}",
        path=str(path),
        next_step="give your user read access to the home, or choose another home with --home or PACKYAK_HOME",
    )
