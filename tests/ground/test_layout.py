"""Who may import whom, what things may be called, how long a file may be: rules checked on the syntax trees."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from layout import ROOT, Source, is_within, sources

# From the bottom up. A room imports from itself and from rooms before it.
ROOMS = (
    "packyak.engine.errors",
    "packyak.engine.declare",
    "packyak.engine.settings",
    "packyak.engine.store",
    "packyak.engine.lineage",
    "packyak.engine.learn",
    "packyak.engine.run",
    "packyak.engine.privacy",
    "packyak.engine.project",
)
TOPS = ("packyak.studio", "packyak.deploy", "packyak.cli", "packyak.integrations", "packyak.sample_data")
# The only file that imports a heavy library, or the tree whose only it is.
OWNERS = {
    "lance": ("engine/store/tables.py",),
    "duckdb": ("engine/store/query.py",),
    "sqlglot": ("engine/store/sql.py", "engine/store/sql_"),
    "openlineage": ("engine/lineage/events",),
    "prefect": ("engine/run/flow.py", "engine/run/prefect_server.py"),
    "sentence_transformers": ("engine/learn/embed.py",),
    "torch": ("engine/learn/embed.py",),
    "loky": ("engine/run/compute/crew.py",),
    "streamlit": ("studio/",),
    "aws_cdk": ("deploy/",),
}
HEAVY = (
    "prefect", "lance", "lancedb", "duckdb", "pyarrow", "pandas", "numpy", "streamlit", "torch",
    "sentence_transformers", "boto3", "aws_cdk", "sqlglot", "typer", "rich", "openlineage", "sklearn",
)  # fmt: skip
FORBIDDEN = {
    "concept",
    "feedback",
    "dataset",
    "policy",
    "manager",
    "handler",
    "helper",
    "helpers",
    "util",
    "utils",
    "common",
    "core",
    "base",
}
# Lance calls an opened table a dataset, and its owner file hands out exactly that.
ALLOWED = {("engine/store/tables.py", "dataset")}
LONGEST = 450
PLACES = re.compile(
    r"(?<!~)/work/|/root/|/home/(?!ana/)\w+/|/opt/(?!homebrew|ml/)|pypi\.org|files\.pythonhosted|download\.pytorch|huggingface\.co",
    re.IGNORECASE,
)


def room_of(module: str) -> str | None:
    return next((room for room in (*ROOMS, *TOPS) if is_within(module, room)), None)


def may_import(room: str, other: str) -> bool:
    """The arrows: down only. The tops use the engine; of one another only those that the table below names."""
    if room == other:
        return True
    if room in ROOMS:
        return other in ROOMS and ROOMS.index(other) < ROOMS.index(room)
    beside = {
        "packyak.cli": ("packyak.sample_data", "packyak.integrations", "packyak.deploy"),
        "packyak.studio": ("packyak.sample_data",),
    }
    return other in ROOMS or other in beside.get(room, ())


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.path)
def test_arrows_point_down(source: Source) -> None:
    room = room_of(source.module)
    if room is None:  # the face itself and packyak.__main__
        return
    wrong = [
        f"{source.path}:{found.line} imports {found.module}"
        for found in source.imports()
        if not found.typing_only and (other := room_of(found.module)) and not may_import(room, other)
    ]
    assert not wrong


def test_studio_and_deploy_never_meet() -> None:
    for source in sources():
        for one, other in (("studio", "deploy"), ("deploy", "studio")):
            if source.path.startswith(f"{one}/"):
                assert not [found for found in source.imports() if is_within(found.module, f"packyak.{other}")], (
                    source.path
                )


@pytest.mark.parametrize("library", OWNERS)
def test_a_heavy_library_has_one_owner(library: str) -> None:
    users = {source.path for source in sources() if any(is_within(found.module, library) for found in source.imports())}
    strangers = {path for path in users if not path.startswith(OWNERS[library])}
    assert not strangers, f"{library} belongs to {', '.join(OWNERS[library])}"


def test_declare_needs_the_standard_library_only() -> None:
    outside = [
        f"{source.path}:{found.line} imports {found.module}"
        for source in sources()
        if source.path.startswith("engine/declare/") or source.path in ("engine/errors.py", "engine/settings.py")
        for found in source.imports()
        if found.module.split(".")[0] not in sys.stdlib_module_names | {"packyak", "__future__"}
        and not found.typing_only
        and not found.late
    ]
    assert not outside


def test_files_are_short() -> None:
    long = {source.path: lines for source in sources() if (lines := source.text.count("\n")) > LONGEST}
    assert not long, "which noun inside wants its own file?"


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.path)
def test_forbidden_names(source: Source) -> None:
    named = [(Path(source.path).stem, 1)] + [
        (node.name, node.lineno)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    wrong = [
        f"{source.path}:{line} {name}"
        for name, line in named
        if FORBIDDEN & set(words(name)) and (source.path, name) not in ALLOWED
    ]
    assert not wrong


def words(name: str) -> list[str]:
    """`RunManager` and `run_manager` -> run, manager."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")


def test_no_file_of_the_studio_is_named_like_a_library() -> None:
    """`streamlit run studio` puts that folder first on sys.path: a `studio/rich.py` would hide the real one."""
    ours = {
        path.stem if path.is_file() else path.name for path in (ROOT / "studio").iterdir() if path.suffix in ("", ".py")
    }
    libraries = set(packages_distributions()) | sys.stdlib_module_names
    assert not {name for name in ours if not name.startswith((".", "__"))} & libraries - {"streamlit_app", "packyak"}


def test_importing_the_face_is_light() -> None:
    code = f"import sys, packyak; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_names_a_machine_or_a_registry() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    wrong = []
    for name in listed:
        path = ROOT / name
        if path.suffix in (".woff2", ".png", ".ico") or name == "tests/ground/test_layout.py" or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if PLACES.search(line):
                wrong.append(f"{name}:{number}: {line.strip()[:100]}")
    assert not wrong


def test_every_third_party_import_is_declared() -> None:
    """A library that happens to be installed is not a dependency until pyproject.toml says so."""
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for name in ("learn", "studio", "aws", "prove") for line in extras[name])]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    of = packages_distributions()
    missing = {
        f"{found.module.split('.')[0]} ({source.path}:{found.line})"
        for source in sources()
        for found in source.imports()
        if not found.typing_only
        and (top := found.module.split(".")[0]) not in sys.stdlib_module_names | {"packyak", "__future__"}
        and not {canonicalize_name(name) for name in of.get(top, ())} & declared
    }
    # These come with what is declared (boto3, moto, streamlit, scikit-learn, prefect) and are used only where that is.
    implied = ("botocore ", "numpy ", "pandas ", "pydantic ", "scipy ", "starlette ", "threadpoolctl ", "werkzeug ")
    assert not {name for name in missing if not name.startswith(implied)}
