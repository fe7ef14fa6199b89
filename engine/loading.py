"""Imports a project's modules from its folder; what goes wrong there becomes an error that names file and line."""

from __future__ import annotations

import builtins
import importlib
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from packyak.engine.errors import DeclarationError, PackyakError, nearest
from packyak.engine.run.worker.reload import sources_of


def load_modules(root: Path, names: Sequence[str]) -> tuple[ModuleType, ...]:
    """The modules by name, read anew where their files changed. Raises DeclarationError for what the files say
    wrongly.
    """
    sources = sources_of(root)
    if sources.changed():
        sources.purge()
    _make_way(root, names)
    if str(root) in sys.path:
        sys.path.remove(str(root))
    sys.path.insert(0, str(root))
    return tuple(_load(root, name) for name in names)


def source_files(root: Path) -> list[str]:
    """The files of this project that are loaded, and its packyak.toml."""
    return sorted({str(root / "packyak.toml"), *sources_of(root).files()})


def _make_way(root: Path, names: Sequence[str]) -> None:
    """Another project in this process may have a module of the same name."""
    for name in list(sys.modules):
        if name.partition(".")[0] in {each.partition(".")[0] for each in names}:
            path = getattr(sys.modules[name], "__file__", None)
            if not isinstance(path, str) or not Path(path).resolve().is_relative_to(root.resolve()):
                del sys.modules[name]
    importlib.invalidate_caches()


def _load(root: Path, name: str) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    try:
        return importlib.import_module(name)
    except PackyakError:
        raise
    except SyntaxError as error:
        text = (error.text or "").strip()
        raise DeclarationError(
            f"{error.msg} ({text})" if text else error.msg,
            file=error.filename or str(root.joinpath(*name.split("."))) + ".py",
            line=error.lineno,
            next_step="mend the line and save" if text else "mend the file and save",
        ) from error
    except ModuleNotFoundError as error:
        if error.name == name:
            raise DeclarationError(
                f"there is no module {name!r} in {root}",
                file=str(root / "packyak.toml"),
                next_step=_module_meant(root, name),
            ) from error
        raise _failed(root, error, f"install {error.name!r} into this environment, or correct the import") from error
    except SystemExit as error:
        raise _failed(root, error, "declare without ending the process: leave `exit` to a script of its own") from error
    except Exception as error:
        raise _failed(root, error, _name_meant(error)) from error


def _name_meant(error: Exception) -> str:
    """The name that was probably meant by one that there is not."""
    name = getattr(error, "name", None)
    there: list[str] = []
    if isinstance(error, NameError):
        frames = list(traceback.walk_tb(error.__traceback__))
        there = [*frames[-1][0].f_globals, *frames[-1][0].f_locals, *dir(builtins)]
    elif isinstance(error, AttributeError):
        there = dir(error.obj)
    elif isinstance(error, ImportError):
        there = dir(sys.modules.get(error.name or ""))
        name = next(iter(re.findall(r"cannot import name '(\w+)'", str(error))), None)
    meant = nearest(name, [each for each in there if not each.startswith("_")]) if isinstance(name, str) else None
    return f"did you mean {meant!r}?" if meant else "mend it and save"


def _module_meant(root: Path, name: str) -> str:
    there = [path.stem for path in root.glob("*.py")]
    meant = name.removesuffix(".py") if name.endswith(".py") else nearest(name, there)
    if meant in there:
        return f'did you mean modules = ["{meant}"]?'
    return f"create {name}.py there, or name your modules in packyak.toml: modules = [...]"


def _failed(root: Path, error: BaseException, next_step: str) -> DeclarationError:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(root))]
    file, line = (frames[-1].filename, frames[-1].lineno) if frames else ("", None)
    return DeclarationError(f"{type(error).__name__}: {error}", file=file, line=line, next_step=next_step)
