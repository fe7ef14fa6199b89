"""The commands about a project as a place: init, settings, roles, doctor, studio, stop."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, Any

import typer

from packyak.cli.options import HomeUri, Json, ProjectFolder, command, flag
from packyak.cli.place import Place, find_place
from packyak.cli.say import DONE, NOT_UP_TO_DATE, note, say, say_json
from packyak.cli.tables import show_table
from packyak.engine.errors import NoWorker, ProjectNotFound, SettingError
from packyak.engine.roles import ANYBODY, people_of, refuse, role_of
from packyak.engine.settings import SETTINGS, resolve, strange_variables


@command(
    "init",
    ("packyak init", "make a project in this folder"),
    ("packyak init support", "make one in the folder support"),
    ("packyak init --sample coffee", "make the sample project: 1,500 invented customer messages"),
)
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where; it is made if need be.", show_default=False)
    ] = Path(),
    sample: Annotated[bool, flag("--sample", "The sample project, with its data.")] = False,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What to call it; default: as the folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a project: packyak.toml, pipeline.py and a bucket."""
    from packyak.cli import new_project

    if sample:
        from packyak import sample_data

        new_project.refuse_existing(folder)
        sample_data.create(folder)
        files = [folder / "packyak.toml", folder / "pipeline.py"]
    else:
        files = new_project.create(folder, name)
    if as_json:
        say_json({"folder": str(folder.resolve()), "files": [str(each) for each in files]})
        return
    for each in files:
        say(f"wrote {each}")
    step = "" if folder == Path() else f"cd {folder} && "
    say(f"Next: {step}packyak run")


@command(
    "settings",
    ("packyak settings", "every setting, its value, and where that comes from"),
    ("packyak settings home", "one of them"),
    ("packyak settings --json", "the same for a script"),
)
def settings(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Only these.", show_default=False)] = None,
    project: ProjectFolder = None,
    home: HomeUri = None,
    as_json: Json = False,
) -> None:
    """List the settings: argument, environment (PACKYAK_*), packyak.toml or default."""
    place: Place | None = None
    try:
        place = find_place(project, home)
        resolved = place.settings
    except ProjectNotFound:
        if project is not None:
            raise
        resolved = resolve(None, {"home": home})
    found = [resolved.explain(name) for name in names or [each.name for each in SETTINGS]]
    if as_json:
        say_json({"project": str(place.root) if place else None, "settings": [_setting(each) for each in found],
                  "notes": strange_variables()})  # fmt: skip
        return
    rows = [(each.setting.name, each.value, each.source, each.setting.variable, each.setting.help) for each in found]
    show_table(("setting", "value", "from", "variable", "meaning"), rows)
    if place is None:
        say("There is no project here: these are the values without a packyak.toml")
    for sentence in strange_variables():
        say(sentence)


def _setting(each: Any) -> dict[str, Any]:
    return {
        "name": each.setting.name,
        "value": each.value,
        "source": each.source,
        "place": each.place,
        "variable": each.setting.variable,
        "default": each.setting.default,
        "help": each.setting.help,
    }


@command(
    "roles",
    ("packyak roles", "who may do what here, and which role is yours"),
    ("packyak roles --json", "the same for a script"),
)
def roles(project: ProjectFolder = None, as_json: Json = False) -> None:
    """Say who has which role. They are written in the table `roles` of packyak.toml; without it all are admins."""
    place = find_place(project, None)
    person = str(place.settings["person"])
    mine = role_of(place.roles, person)
    found = people_of(place.roles)
    if as_json:
        say_json({"person": person, "role": mine, "roles": found})
        return
    others = {ANYBODY: "everybody else" if place.roles else "everybody"}
    rows = [(each.role, ", ".join(others.get(name, name) for name in each.people), each.may) for each in found]
    show_table(("role", "who", "may, beside what stands above it"), rows)
    note(f"You are {person}: {mine or 'no role here'}")


@command(
    "doctor",
    ("packyak doctor", "look at everything that Packyak stands on"),
    ("packyak doctor --json", "the same for a script"),
)
def doctor(project: ProjectFolder = None, home: HomeUri = None, as_json: Json = False) -> int:
    """Look at Python, packages, home, worker, Prefect server and browser, and say what to do."""
    from packyak.cli.doctor import examine

    found = examine(project, home)
    if as_json:
        say_json({"findings": found})
    else:
        rows = [(each.state, each.name, each.message, each.next_step) for each in found]
        show_table(("state", "what", "finding", "next"), rows, state="state")
    return NOT_UP_TO_DATE if any(each.state == "fail" for each in found) else DONE


@command(
    "studio",
    ("packyak studio", "open this project's studio in the browser"),
    ("packyak studio --no-browser --port 8600", "only serve it, on that port"),
    ("packyak studio --home s3://bucket/prefix", "on a home in the cloud"),
    ("packyak studio --base-path /jupyterlab/default/proxy/8501", "behind a proxy that has it below that path"),
    ("packyak studio --site https://studio.example.com --issuer https://login.example.com "
     "--client-id packyak --client-secret oidc", "for a team that signs in; TLS ends at a proxy before it"),
)  # fmt: skip
def studio(
    project: ProjectFolder = None,
    home: HomeUri = None,
    port: Annotated[
        int | None, typer.Option("--port", help="The port; default: 8501, or a free one where that is taken.")
    ] = None,
    no_browser: Annotated[bool, flag("--no-browser", "Do not open the browser.")] = False,
    base_path: Annotated[
        str, typer.Option("--base-path", metavar="PATH", help="The path that a proxy has it below.", show_default=False)
    ] = "",
    hosts: Annotated[
        list[str] | None,
        typer.Option("--host", metavar="NAME", help="A name of the proxy before it, or *.NAME; any number of them."),
    ] = None,
    site: Annotated[
        str | None, typer.Option("--site", metavar="URL", help="Serve a team, which signs in, at this address.")
    ] = None,
    issuer: Annotated[str | None, typer.Option("--issuer", metavar="URL", help="The team's OpenID provider.")] = None,
    client_id: Annotated[
        str | None, typer.Option("--client-id", metavar="ID", help="What the provider calls this studio.")
    ] = None,
    client_secret: Annotated[
        str | None, typer.Option("--client-secret", metavar="NAME", help="The Secret with what it shares with it.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Open the studio on 127.0.0.1, or serve it to a team. Ctrl-C ends it."""
    from packyak.cli.studio import serve
    from packyak.cli.team import team_of

    place: Place | None = None
    with contextlib.suppress(ProjectNotFound):
        place = find_place(project, home)
    if place is None and project is not None:
        find_place(project, home)  # a project that was named must be there
    team = team_of(site, issuer, client_id, client_secret) if site else None
    if team is not None and place is None:
        find_place(project, home)  # a team is served one project
    if team is None and (issuer or client_id or client_secret):
        raise SettingError("signing in is for a studio with an address", next_step="give --site https://...")
    base = f"/{base_path.strip('/')}" if base_path.strip("/") else ""

    def ready(url: str, pid: int) -> None:
        if as_json:
            say_json({"url": url, "pid": pid, "project": str(place.root) if place else None})
        else:
            say(f"The studio of {place.name if place else 'all projects'} is at {url} (Ctrl-C ends it)")

    return serve(place, port, not no_browser and team is None, ready, base=base, hosts=hosts or (), team=team)


@command(
    "stop",
    ("packyak stop", "end this project's worker and its Prefect server"),
    ("packyak stop --force", "also when a run is on"),
)
def stop(
    force: Annotated[bool, flag("--force", "End the worker even when a run is on.")] = False,
    project: ProjectFolder = None,
    home: HomeUri = None,
    as_json: Json = False,
) -> None:
    """End the project's warm worker and its Prefect server. The next run starts them again."""
    from packyak.engine.run.prefect_server import PrefectServer

    place, problem = _place_to_stop(project, home)
    refuse(place.roles, str(place.settings["person"]), "cancel")
    worker = _stop_worker(place, force)
    server = PrefectServer(place.home)
    was_there = server.status().pid
    gone = server.stop()
    if as_json:
        wrong = {"home": place.home, "problem": problem.to_json()} if problem else {}
        say_json({"worker": worker, "prefect_server": was_there if gone else None, **wrong})
        return
    say(f"Ended the worker, process {worker}" if worker else "No worker was running")
    say(f"Ended the Prefect server, process {was_there}" if was_there and gone else "No Prefect server was running")
    if problem:
        note(f"Looked in the home {place.home} only, for this is wrong: {problem}")


def _place_to_stop(project: str | None, home: str | None) -> tuple[Place, SettingError | None]:
    """The project, and what is wrong with its settings: that holds nobody back from ending what runs there."""
    from packyak.cli.broken_place import place_anyway

    try:
        return find_place(project, home), None
    except SettingError as error:
        found = place_anyway(project, home)
        if found is None:
            raise
        return found, error


def _stop_worker(place: Place, force: bool) -> int | None:
    """Ends the worker of the home, also one of another version; answers its process. Raises RunBusy."""
    from packyak.engine.run.process import end
    from packyak.engine.run.worker.address import address_file, read_address
    from packyak.engine.run.worker.client import Client

    address = read_address(address_file(place.home))
    if address is None or not address.alive:
        return None
    if not force:
        with contextlib.suppress(NoWorker):
            Client(address).stop()
    end(address.pid, address.mark)
    return address.pid
