"""The one object that command line, studio and deployment hold: a project's declarations, its data, and what can be
done with them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import pyarrow as pa
from packyak.engine.declare.active import activate
from packyak.engine.declare.collect import collect
from packyak.engine.declare.nodes import CheckNode, Graph
from packyak.engine.errors import DataError, ProjectNotFound
from packyak.engine.forgetting import Forgetting
from packyak.engine.learning import Learning
from packyak.engine.lineage.tellers import corrections_saved
from packyak.engine.loading import load_modules, source_files
from packyak.engine.roles import Roles, guarded
from packyak.engine.run.answers import AssetStatus, CheckResult, Failure, Filter, Page, Plan, RecordDetail
from packyak.engine.run.compute.limits import limits_of
from packyak.engine.run.due.fingerprint import Codes, codes_of
from packyak.engine.run.due.plan import plan_of
from packyak.engine.run.due.schedule import check_lines
from packyak.engine.run.due.status import status_of
from packyak.engine.run.read.pages import Wanted, failures_of, page_of
from packyak.engine.run.read.reader import Reader
from packyak.engine.run.runs import RunRecord, RunStore
from packyak.engine.run.scope import Scope, load_candidates
from packyak.engine.settings import Config, Settings, find_config, load_config, resolve
from packyak.engine.store.corrections import CorrectionLog
from packyak.engine.store.files import BucketFolder
from packyak.engine.store.home import Home, open_home
from packyak.engine.store.published import Published
from packyak.engine.store.query import Query
from packyak.engine.store.secret import secret_value
from packyak.engine.store.shelf import Shelf
from packyak.engine.store.sql import tables_of
from packyak.engine.store.sql_keys import query_key
from packyak.engine.teaching import Teaching
from packyak.engine.tracing import Tracing

if TYPE_CHECKING:
    from packyak.engine.run.maps import Map

Listener = Callable[[RunRecord], None]


@guarded
class Project(Roles, Teaching, Learning, Tracing, Forgetting):
    """A project: modules of declarations, and the home where its data lives.

    modules: imported modules that declare it. home: a folder or `s3://` URI (default: `.packyak` beside the first
    module). settings: values that win over environment and packyak.toml.

        with Project.open() as project:
            project.run()
            project.read("topic", limit=5)
    """

    def __init__(
        self,
        *modules: ModuleType,
        home: str | Path | None = None,
        root: str | Path | None = None,
        name: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.root = (Path(root) if root is not None else _folder_of(modules)).resolve()
        config = load_config(self.root) if (self.root / "packyak.toml").is_file() else Config(self.root, self.root.name)
        self.settings: Settings = resolve(config, {**(settings or {}), "home": None if home is None else str(home)})
        self.roles = config.roles
        self.name = name or config.name
        self.modules = modules
        self.graph: Graph = collect(modules, tables_of=tables_of, sql_key=query_key, root=str(self.root))
        check_lines(self.graph)
        self.home: Home = open_home(_home_uri(self.root, str(self.settings["home"])))
        self._active: list[Any] = []

    @classmethod
    def open(cls, path: str | Path | None = None, *, home: str | Path | None = None) -> Self:
        """The project in a folder: the nearest one with a packyak.toml, from `path` (default: here) upwards.

        Raises ProjectNotFound where there is none and DeclarationError for what its files say wrongly.
        """
        file = find_config(path or Path.cwd())
        if file is None:
            raise ProjectNotFound(
                f"there is no packyak.toml in {Path(path or Path.cwd()).resolve()} or above it",
                next_step="`packyak init` makes a project here",
            )
        config = load_config(file)
        modules = load_modules(config.root, config.modules or ("pipeline",))
        project = cls(*modules, home=home, root=config.root, name=config.name)
        project.module_names = tuple(config.modules or ("pipeline",))
        return project

    module_names: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        block = activate(self)
        block.__enter__()
        self._active.append(block)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._active.pop().__exit__(kind, error, trace)

    # What everything works with

    @cached_property
    def query(self) -> Query:
        threads = self.settings["threads"]
        return Query(threads=None if threads == "auto" else int(threads))

    @cached_property
    def log(self) -> CorrectionLog:
        return CorrectionLog(self.home, lambda: corrections_saved(self.home, self.root, self.name))

    @cached_property
    def published(self) -> Published:
        return Published(self.home)

    @cached_property
    def run_store(self) -> RunStore:
        return RunStore(self.home)

    @cached_property
    def shelf(self) -> Shelf:
        return Shelf()

    @cached_property
    def codes(self) -> Codes:
        return codes_of(self.graph.nodes, str(self.root))

    def scope(self) -> Scope:
        """The project as it stands at this moment."""
        candidates = load_candidates(self.home)
        return Scope(
            self.graph, self.home, self.codes, self.query, self.log, candidates, self.rule,
            learns=self.settings["learn"] == "auto", promotes=self.settings["promote"] == "auto",
            limits=limits_of(self.settings),
        )  # fmt: skip

    def _reader(self) -> Reader:
        return Reader(self.scope(), self.published, self.shelf)

    # Looking

    def status(self) -> tuple[AssetStatus, ...]:
        """Every node of the graph as it stands now, inputs first, with the reason in words."""
        return status_of(self.scope(), self.published, self.run_store)

    def plan(self, assets: Sequence[str] | None = None, *, retry_failed: bool = False) -> Plan:
        """What `run` would do now, with causes, counts and an estimate from past runs. Computes nothing."""
        return plan_of(self.scope(), self._asked(assets), retry=retry_failed)

    def check_results(self) -> tuple[CheckResult, ...]:
        """The last outcome of every check."""
        return tuple(result for status in self.status() for result in status.checks)

    def read(
        self,
        asset: str,
        columns: Sequence[str] | None = None,
        *,
        version: str | None = None,
        where: str | None = None,
        limit: int | None = None,
    ) -> pa.Table:
        """An asset's records: good values, corrections included at once.

        columns: default all of the view. version: a name or its beginning, or a run. where: an SQL condition.
        """
        return self._reader().read(asset, columns, version, where, limit)

    def page(
        self,
        asset: str,
        *,
        offset: int = 0,
        limit: int = 50,
        sort: str | None = None,
        descending: bool = False,
        filters: Sequence[Filter] = (),
        text: str | None = None,
        version: str | None = None,
        only: str | None = None,
        where: str | None = None,
        columns: Sequence[str] | None = None,
        keys: Sequence[str] | None = None,
    ) -> Page:
        """Some records of an asset, `_key` first.

        text: words searched in every text column. only: "corrected" or "failed". where: an SQL condition. columns:
        default all. keys: only these records, in this order where `sort` names no other.
        """
        chosen, among = (None if names is None else tuple(names) for names in (columns, keys))
        return page_of(
            self._reader(),
            Wanted(asset, offset, limit, sort, descending, tuple(filters), text, version, only, where, chosen, among),
        )

    def failures(self, asset: str, limit: int = 50) -> tuple[Failure, ...]:
        """The files or records of an asset whose last computation failed, and why; they keep their last good values."""
        return failures_of(self._reader(), asset, limit)

    def record(self, asset: str, key: str) -> RecordDetail:
        """One record, with how each of its fields came to be."""
        return self._reader().record(asset, key)

    def sql(self, query: str) -> pa.Table:
        """A query over the project's assets by name."""
        return self._reader().sql(query)

    def find(
        self,
        index: str | None,
        text: str = "",
        k: int = 5,
        where: str | None = None,
        *,
        how: Literal["hybrid", "vector", "text"] = "hybrid",
        like: str | None = None,
    ) -> pa.Table:
        """The k records of an index (None: the first one) nearest to a text, best first, with `_score`.

        where: an SQL condition on the index's filter columns. how: by meaning ("vector"), by words ("text"), or both
        rankings fused. like: the key of a record, instead of a text: what is nearest to it.
        """
        from packyak.engine.run.indexes import Sought, search

        return search(self._reader(), Sought(index, text, k, where, how, like))

    def map(
        self,
        index: str | None = None,
        *,
        asset: str | None = None,
        color: str | None = None,
        way: str = "neighbours",
        inside: str | None = None,
    ) -> Map:
        """An index's records in two dimensions, alike ones near one another; computed once for each of its versions.

        index: default the first one. asset: whose values are shown, default what is indexed. color: a column of it, as
        `value`. way: "neighbours" or "directions". inside: only what lies in a shape, such as "0,0 0.5,0 0.5,0.5".
        """
        from packyak.engine.run.maps import map_of

        return map_of(self._reader(), index, asset=asset, way=way, color=color, inside=inside)

    # Running

    def run(
        self,
        assets: Sequence[str] | None = None,
        *,
        wait: bool | float = False,
        retry_failed: bool = False,
        on_progress: Listener | None = None,
        here: bool = True,
        alone: bool = False,
    ) -> RunRecord:
        """Brings assets (default: all) and what they depend on up to date.

        wait: for a run that is under way, for ever or so many seconds; otherwise it is refused with RunBusy.
        retry_failed: compute failed records again. here: False hands it to the warm worker where one can be had.
        alone: these assets only, as what they read stands now, in this process and without deleting anything.
        """
        if not here and not alone:
            from packyak.engine.run.worker.remote import run_in_worker

            done = run_in_worker(self, assets, wait=wait, retry_failed=retry_failed, on_progress=on_progress)
            if done is not None:
                return done
        from packyak.engine.run.launch import run_project

        with self:
            return run_project(
                self, self._asked(assets), wait=wait, retry=retry_failed, on_progress=on_progress, alone=alone
            )

    async def arun(self, assets: Sequence[str] | None = None, **options: Any) -> RunRecord:
        """`run`, from async code."""
        return await asyncio.to_thread(self.run, assets, **options)

    def cancel(self, run_id: str | None = None) -> RunRecord | None:
        """Asks a run (default: the one under way) to stop."""
        from packyak.engine.run.launch import cancel_run

        return cancel_run(self, run_id)

    def runs(self, limit: int = 50, *, named: str = "") -> tuple[RunRecord, ...]:
        """The newest runs, newest first. named: only the run of that name, however old."""
        if named:
            return tuple(filter(None, [self.run_store.get(named)]))
        return self.run_store.list(limit)

    def running(self) -> RunRecord | None:
        """The run under way, if there is one."""
        self.run_store.sweep()
        found = self.run_store.open()
        return found[0] if found else None

    def _asked(self, assets: Sequence[str] | None) -> tuple[str, ...]:
        for name in assets or ():
            if name not in self.graph.nodes:
                names = [each.name for each in self.graph.nodes.values() if not isinstance(each, CheckNode)]
                raise DataError.unknown("asset or function", name, names)
        return tuple(assets or ())

    def source_files(self) -> list[str]:
        """The files that declare the project."""
        return source_files(self.root)

    # Buckets, for the verbs of the active project

    def put_bytes(self, bucket: str, key: str, data: bytes) -> None:
        BucketFolder(self.home, bucket).put(key, data)

    def get_bytes(self, bucket: str, key: str) -> bytes:
        return BucketFolder(self.home, bucket).get(key)

    def list_keys(self, bucket: str) -> list[str]:
        return BucketFolder(self.home, bucket).list()

    def delete_key(self, bucket: str, key: str) -> None:
        BucketFolder(self.home, bucket).delete(key)

    def secret_value(self, name: str) -> str:
        return secret_value(self.home, name)


def _folder_of(modules: Sequence[ModuleType]) -> Path:
    file = next((module.__file__ for module in modules if getattr(module, "__file__", None)), None)
    if file is None:
        raise ProjectNotFound(
            "a project needs at least one module from a file", next_step="Project(my_module) or Project.open(folder)"
        )
    return Path(file).resolve().parent


def _home_uri(root: Path, home: str) -> str:
    return home if "://" in home else str(root / home)


def to_json(record: Any) -> str:
    """Any answer as JSON text."""
    return json.dumps(asdict(record), default=str)
