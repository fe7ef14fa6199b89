"""Roles: every door of a project, tried by each of them; who has which; who may speak for whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from packyak.engine.errors import NotAllowed, PackyakError, SettingError
from packyak.engine.project import Project
from packyak.engine.roles import FREE, NEEDS, allows, doors, role_of
from packyak.engine.run.correct.saving import Said
from packyak.engine.settings import ROLES

SOURCE = """
    from typing import Literal
    from packyak import Bucket, Index, asset, learned

    inbox = Bucket("inbox")

    @asset(key="id")
    def notes(): yield from ({"id": f"n{n}", "body": f"note {n}"} for n in range(6))

    @learned(notes)
    def kind(body: str) -> Literal["a", "b"] | None: return None
"""
TEAM = """
[roles]
admin = ["ana"]
engineer = ["Eve@Example.com"]
reviewer = ["rob"]
viewer = ["vic"]
"""
PEOPLE = {"viewer": "vic", "reviewer": "rob", "engineer": "eve@example.com", "admin": "ana"}
# What each door is knocked at with. A door that is not named here is called with nothing: the check comes first.
GIVEN: Mapping[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "correct": (("kind", "n1", "kind", "a"), {}), "accept": (("kind", "n1", "kind"), {}),
    "comment": (("kind", "n1", "look again"), {}), "correct_many": (([Said("kind", "n2", "kind", "b")],), {}),
    "correct_where": (("kind", "kind", "a"), {"where": "true", "preview": True}), "run": (([],), {}),
    "put_bytes": (("inbox", "a.txt", b"a"), {}), "list_keys": (("inbox",), {}), "read": (("notes",), {}),
    "page": (("notes",), {}), "record": (("notes", "n1"), {}), "sql": (("from notes",), {}), "decide": (([],), {}),
    "trace": (("notes", "n1"), {}), "versions": (("notes",), {}), "import_lineage": ((b"[]",), {}),
}  # fmt: skip


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("team")
    import textwrap

    (folder / "pipeline.py").write_text(textwrap.dedent(SOURCE))
    settings = '\n[settings]\nprefect = "off"\nworker = "off"\n'
    (folder / "packyak.toml").write_text(f'name = "team"\nmodules = ["pipeline"]\n{settings}')
    Project.open(folder).run()
    (folder / "packyak.toml").write_text(f'name = "team"\nmodules = ["pipeline"]\n{settings}{TEAM}')
    return folder


@pytest.fixture
def project(ran: Path) -> Project:
    return Project.open(ran).acting("nobody at all")


NO_METHODS = {"publish", "speak_for_others"}


def test_every_door_has_a_rule_and_every_rule_a_door() -> None:
    assert set(doors(Project)) == set(NEEDS) - NO_METHODS
    assert FREE.isdisjoint(NEEDS) and all(hasattr(Project, name) for name in FREE)


@pytest.mark.parametrize("action", sorted(set(NEEDS) - {"arun", *NO_METHODS}))
def test_a_door_lets_in_who_may_and_names_them_to_others(project: Project, action: str) -> None:
    for role in (None, *ROLES):
        mine = project.acting(PEOPLE[role] if role else "nobody at all")
        assert mine.role == role and mine.may(action) == allows(role, action) == (not mine.refusal(action))
        given, named = GIVEN.get(action, ((), {}))
        if mine.may(action):
            try:
                getattr(mine, action)(*given, **named)
            except (PackyakError, TypeError) as error:  # called with too little: but it was let in
                assert not isinstance(error, NotAllowed)
        else:
            with pytest.raises(NotAllowed) as refused:
                getattr(mine, action)(*given, **named)
            assert refused.value.person == mine.person and "ask one who may" in refused.value.next_step
            assert "ana" in refused.value.next_step and refused.value.needs == NEEDS[action]


def test_what_was_refused_left_nothing(project: Project) -> None:
    before = len(project.acting("ana").corrections())
    with pytest.raises(NotAllowed, match="vic is a viewer and may not correct"):
        project.acting("vic").correct("kind", "n3", "kind", "a")
    with pytest.raises(NotAllowed, match="nobody at all has no role in this project and may not look at it") as refused:
        project.read("notes")
    assert refused.value.next_step == "ask one who may: ana"  # a stranger is not told who else is here
    with pytest.raises(NotAllowed, match="rob is a reviewer and may not run"):
        project.acting("rob").run()
    assert len(project.acting("ana").corrections()) == before


def test_the_person_asking_is_the_one_who_said_it(project: Project) -> None:
    said = project.acting("rob").correct("kind", "n4", "kind", "b")
    assert said.by == "rob" and project.acting("ana").undo(said.id).by == "ana"
    assert project.acting("eve@example.com").run(["kind"]).by == "eve@example.com"


def test_only_an_admin_speaks_for_others(project: Project) -> None:
    rob = project.acting("rob")
    assert rob.correct("kind", "n5", "kind", "a", by="Rob").by == "Rob"
    for attempt in (
        lambda: rob.correct("kind", "n5", "kind", "b", by="ana"),
        lambda: rob.correct_many([Said("kind", "n5", "kind", "b", by="ana")]),
        lambda: rob.undo("0", by="ana"),
    ):
        with pytest.raises(NotAllowed, match="may not speak for somebody else"):
            attempt()
    assert project.acting("ana").correct("kind", "n5", "kind", "b", by="rob").by == "rob"


def test_another_person_shares_what_is_open(project: Project) -> None:
    ana = project.acting("ana")
    assert ana.query is project.query and ana.log is project.log and ana.acting("ana") is ana
    with ana:
        pass
    assert project.person == "nobody at all"


def test_without_roles_everybody_is_an_admin(project_folder: Callable[..., Path]) -> None:
    project = Project.open(project_folder(SOURCE))
    assert project.role == "admin" and project.acting("whoever").role == "admin"
    project.run()
    assert project.correct("kind", "n1", "kind", "a", by="somebody else").by == "somebody else"


@pytest.mark.parametrize(
    ("roles", "person", "role"),
    [
        ({"admin": ("ana",)}, "ANA", "admin"), ({"admin": ("ana",)}, "bo", None),
        ({"admin": ("ana",), "viewer": ("*",)}, "bo", "viewer"),
        ({"admin": ("*",), "viewer": ("bo",)}, "bo", "viewer"),
        ({"admin": ("bo",), "viewer": ("bo",)}, "bo", "admin"),
    ],
)  # fmt: skip
def test_whose_role_is_which(roles: Any, person: str, role: str | None) -> None:
    assert role_of(roles, person) == role


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('[roles]\nadmn = ["a"]', "did you mean `admin`"), ('[roles]\nadmin = "a"', "no list of names"),
        ("[roles]\nadmin = []", "names no admin"), ('[roles]\nviewer = ["*"]', "names no admin"),
        ('roles = "ana"', "no table"), ("[roles]\nadmin = [1]", "no list of names"),
    ],
)  # fmt: skip
def test_roles_that_make_no_sense_are_refused(project_folder: Callable[..., Path], written: str, told: str) -> None:
    folder = project_folder("")
    file = folder / "packyak.toml"
    file.write_text(f'{written}\nname = "x"\n' if written.startswith("roles") else f'name = "x"\n{written}\n')
    with pytest.raises(SettingError) as refused:
        Project.open(folder)
    assert told in str(refused.value) and str(file) in str(refused.value)
