"""One node of each declared thing, built after what it reads, so that every rule can be checked with its inputs at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from packyak.engine.declare import parameters as binding
from packyak.engine.declare.bucket import FILE_COLUMNS, Bucket, Files
from packyak.engine.declare.code import code_of
from packyak.engine.declare.columns import STORABLE, hints_of, shown, without_none
from packyak.engine.declare.declared import Asset, Check, Declared, Function, Index, Learned, Sql, Table, Transform
from packyak.engine.declare.found import Declarations, kind_of, unknown
from packyak.engine.declare.learning import learned_facts
from packyak.engine.declare.nodes import (
    AssetNode,
    BucketNode,
    CheckNode,
    Column,
    FilesNode,
    FunctionNode,
    IndexNode,
    LearnedNode,
    Node,
    Parameter,
    SqlNode,
    TableNode,
    TransformNode,
)
from packyak.engine.declare.options import refuse
from packyak.engine.declare.parameters import Owned, Reader, View
from packyak.engine.declare.returns import Returned, WrongReturn, of_asset, of_transform
from packyak.engine.errors import PackyakError, QueryError, nearest

TablesOf = Callable[[str], Sequence[str]]
Keys = tuple[str, ...] | None
SqlKey = Callable[[str, Mapping[str, Keys]], Keys]


class Builder:
    """Builds nodes by name, inputs first. `nodes` is in the order in which they were finished."""

    def __init__(self, found: Declarations, tables_of: TablesOf, sql_key: SqlKey | None, root: str) -> None:
        self.found = found
        self.tables_of = tables_of
        self.sql_key = sql_key
        self.root = root
        self.nodes: dict[str, Node] = {}
        self._views: dict[str, View | None] = {}
        self._path: list[str] = []

    def node(self, name: str) -> Node:
        """The node of a name, with everything above it. Raises DeclarationError on a cycle."""
        if name in self.nodes:
            return self.nodes[name]
        thing = self.found.things[name]
        if name in self._path:
            circle = " -> ".join([*self._path[self._path.index(name) :], name])
            raise refuse(thing.origin, f"`{name}` reads itself in a circle: {circle}", "take one of these inputs away")
        self._path.append(name)
        try:
            node = self._build(name, thing)
        finally:
            self._path.pop()
        self.nodes[name] = node
        return node

    def _build(self, name: str, thing: Any) -> Node:
        if isinstance(thing, Bucket):
            return BucketNode(name, thing.origin, "", thing, ())
        if isinstance(thing, Files):
            bucket = self.node(thing.bucket.name).name
            return FilesNode(name, thing.origin, "", thing, (bucket,), bucket=bucket, pattern=thing.pattern)
        if isinstance(thing, Transform):
            return self._transform(name, thing)
        if isinstance(thing, Asset):
            return self._asset(name, thing)
        if isinstance(thing, Sql):
            return self._sql(name, thing)
        if isinstance(thing, Index):
            return self._index(name, thing)
        if isinstance(thing, Check):
            return self._check(name, thing)
        return self._function(name, thing)

    # -- transforms

    def _transform(self, name: str, thing: Transform[..., Any]) -> TransformNode:
        source = self.found.name_of(thing.source)
        above = self.node(source)
        from_file = isinstance(thing.source, Files)
        reader = self._reader(thing)
        returned = self._returned(reader, from_file)
        self._refuse_keyless(reader, above)
        for word in thing.lookup:
            self._lookup_target(reader, word)
        if from_file:
            if thing.lookup:
                raise refuse(thing.origin, f"{thing.kind} `{name}` looks up by a column, but its records are files", "drop lookup=")
            bound = binding.of_file_transform(reader, self._bucket_name)
        else:
            bound = binding.of_transform(reader, source, self.view(source), thing.lookup, self._bucket_name)
        bound = tuple(self._resolved(parameter) for parameter in bound)
        others = [parameter.of for parameter in bound if parameter.takes in ("lookup", "bucket")]
        facts = dict(
            name=name, origin=thing.origin, doc=_doc(thing), declared=thing, inputs=_distinct([source, *others]),
            columns=returned.columns, marks=thing.table.marks, was=thing.table.was,
            failures_allowed=thing.table.failures_allowed, retries=thing.table.retries, source=source,
            function=thing.function, parameters=bound, many=returned.many, returns=returned.returns,
            return_class=returned.return_class, concurrency=thing.concurrency, key_in_parent=thing.key_in_parent,
            key=self._transform_key(thing, returned, above),
        )  # fmt: skip
        for other in others:
            self.node(other)
        if isinstance(thing, Learned):
            view = None if from_file else self.view(source)
            node: TransformNode = LearnedNode(**facts, **learned_facts(thing, returned, view))  # type: ignore[arg-type]
        else:
            node = TransformNode(**facts)  # type: ignore[arg-type]
        self._check_marks(node)
        self._check_case(node, None if node.many or from_file else self.view(source))
        return node

    def _returned(self, reader: Reader, from_file: bool) -> Returned:
        try:
            return of_transform(reader.name, reader.function, dict(reader.hints), from_file)
        except WrongReturn as problem:
            raise refuse(reader.origin, f"{reader.kind} {problem}", problem.next_step, STORABLE) from None

    def _refuse_keyless(self, reader: Reader, above: Node) -> None:
        unknown_key = isinstance(above, SqlNode) and self.sql_key is None
        if isinstance(above, TableNode) and above.key is None and not unknown_key:
            raise refuse(
                reader.origin,
                f"{reader.kind} `{reader.name}` reads `{above.name}`, which has no key to know its records by "
                f"({above.origin})",
                f'give `{above.name}` a key: `key="id"`',
                [column.name for column in above.columns] if isinstance(above, TableNode) and above.columns else None,
            )

    def _lookup_target(self, reader: Reader, word: str) -> None:
        name = self._known(reader, f"{reader.kind} `{reader.name}` looks up", word, Table)
        above = self.node(name)
        if isinstance(above, TableNode) and above.key is None and not (isinstance(above, SqlNode) and self.sql_key is None):
            raise refuse(
                reader.origin, f"{reader.kind} `{reader.name}` looks up `{name}`, which has no key", f"give `{name}` a key"
            )

    def _transform_key(self, thing: Transform[..., Any], returned: Returned, above: Node) -> Keys:
        """Names of the key columns; () where the key is made of the parent's."""
        name, option = (thing.key, "key") if thing.key else (thing.key_in_parent, "key_in_parent")
        if not returned.many:
            if name:
                raise refuse(
                    thing.origin, f"{thing.kind} `{thing.__name__}` gives one record for one, which keeps its key",
                    f"drop {option}=, or annotate several: `-> Iterator[...]`",
                )  # fmt: skip
            return above.key if isinstance(above, TableNode) else ()
        if name and returned.columns is not None:
            self._must_name(thing, f"{option}={name!r}", name, returned.columns)
        return (thing.key,) if thing.key else ()

    # -- whole tables

    def _asset(self, name: str, thing: Asset[..., Any]) -> AssetNode:
        reader = self._reader(thing)
        try:
            columns = of_asset(name, dict(reader.hints))
        except WrongReturn as problem:
            raise refuse(thing.origin, f"asset {problem}", problem.next_step, STORABLE) from None
        bound = self._things(reader, thing.inputs)
        for key in thing.key or ():
            if columns is not None:
                self._must_name(thing, f"key={key!r}", key, columns)
        inputs = _distinct([*(parameter.of for parameter in bound), *self._reached(thing)])
        self._above(inputs)
        node = AssetNode(
            name, thing.origin, _doc(thing), thing, inputs, key=thing.key, columns=columns, marks=thing.table.marks,
            was=thing.table.was, failures_allowed=thing.table.failures_allowed, retries=thing.table.retries,
            function=thing.function, parameters=bound,
        )  # fmt: skip
        self._check_marks(node)
        return node

    def _things(self, reader: Reader, renamed: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """Binds parameters to declared things by name."""
        names = {parameter.name for parameter in binding.signature(reader)}
        for word in renamed:
            if word not in names:
                raise refuse(
                    reader.origin, f"{reader.kind} `{reader.name}` has no parameter `{word}`, which inputs= names",
                    "name a parameter", sorted(names),
                )  # fmt: skip
        bound = (self._thing(reader, parameter, renamed) for parameter in binding.signature(reader))
        return tuple(parameter for parameter in bound if parameter is not None)

    def _thing(self, reader: Reader, parameter: Any, renamed: Mapping[str, Any]) -> Parameter | None:
        word, required = parameter.name, parameter.default is parameter.empty
        does = f"{reader.kind} `{reader.name}` takes"
        if word in renamed:
            given = renamed[word]
            if not isinstance(given, (Bucket, *Table)):
                raise refuse(reader.origin, f"{does} {given!r} as `{word}`, which is no asset or bucket", "name one in inputs=")
            name = self.found.name_of(given)
        elif not required and self.found.resolve(word) is None:
            return None
        else:
            name = self._known(reader, does, word, (Bucket, *Table))
        is_bucket = isinstance(self.found.things[name], Bucket)
        kind, optional = without_none(reader.hints.get(word, Any))
        if is_bucket != (kind is Bucket) and kind is not Any:
            raise refuse(
                reader.origin, f"{does} `{word}` as `{shown(kind)}`, but it is {_a(self.found.things[name])}",
                f"annotate `{word}: Bucket`" if is_bucket else "annotate it with one of these", binding.FORMS,
            )  # fmt: skip
        form = "" if is_bucket else binding.asset_form(reader, word)
        takes = "bucket" if is_bucket else "asset"
        return Parameter(word, takes, name, form, (), "", optional, required, reader.hints.get(word))  # type: ignore[arg-type]

    def _sql(self, name: str, thing: Sql) -> SqlNode:
        try:
            tables = self.tables_of(thing.query)
        except QueryError as problem:
            raise refuse(thing.origin, f"sql `{name}`: {problem.message}", problem.next_step or "mend the query") from problem
        except PackyakError as problem:
            raise problem.with_fields(file=thing.origin.file, line=thing.origin.line) from None
        reader = Reader("sql", name, thing.origin, lambda: None, {})
        inputs = _distinct(self._known(reader, f"sql `{name}` reads", table, Table) for table in tables)
        self._above(inputs)
        key = thing.key
        if key is None and self.sql_key is not None:
            key = self.sql_key(thing.query, {each: self._key(each) for each in inputs})
        facts = thing.table
        return SqlNode(
            name, thing.origin, "", thing, inputs, key=key, marks=facts.marks, was=facts.was,
            failures_allowed=facts.failures_allowed, retries=facts.retries, query=thing.query,
        )  # fmt: skip

    def _key(self, name: str) -> Keys:
        node = self.node(name)
        return node.key if isinstance(node, TableNode) else None

    # -- the rest

    def _index(self, name: str, thing: Index) -> IndexNode:
        reader = Reader("index", name, thing.origin, lambda: None, {})
        if not isinstance(thing.source, Table):
            raise refuse(thing.origin, f"Index `{name}` is over {thing.source!r}, which is no asset", "write Index(text, on=...)")
        source = self.found.name_of(thing.source)
        self._refuse_keyless(reader, self.node(source))
        view = self.view(source)
        for column in (thing.on, *thing.filters):
            binding.must_have(reader, f"reads `{column}`", column, source, view)
        if view is not None and view[thing.on].column.type != "string":
            texts = [each for each, owned in view.items() if owned.column.type == "string"]
            raise refuse(
                thing.origin, f"Index `{name}` is on `{thing.on}`, which is {view[thing.on].column.type} and no text",
                "choose a column of text", texts,
            )  # fmt: skip
        return IndexNode(name, thing.origin, "", thing, (source,), source=source, on=thing.on, filters=thing.filters)

    def _check(self, name: str, thing: Check[..., Any]) -> CheckNode:
        reader = self._reader(thing)
        bound = self._things(reader, {})
        target = self.found.name_of(thing.target) if thing.target is not None else ""
        tables = [parameter.of for parameter in bound if parameter.takes == "asset"]
        target = target or (tables[0] if len(tables) == 1 else "")
        inputs = _distinct([*([target] if target else []), *(parameter.of for parameter in bound), *self._reached(thing)])
        if not inputs:
            raise refuse(
                thing.origin, f"check `{name}` looks at nothing", f"name what it checks: `@check(asset)` or `def {name}(asset)`"
            )
        self._above(inputs)
        return CheckNode(
            name, thing.origin, _doc(thing), thing, inputs, target=target, function=thing.function, parameters=bound,
            blocking=thing.blocking, severity=thing.severity,
        )  # fmt: skip

    def _function(self, name: str, thing: Function[..., Any]) -> FunctionNode:
        reader = self._reader(thing)
        needed = [each for each in binding.signature(reader) if each.default is each.empty]
        if len(needed) > (1 if thing.on else 0):
            raise refuse(
                thing.origin, f"function `{name}` takes {binding.quoted(each.name for each in needed)}, "
                + ("but its trigger gives one file" if thing.on else "but nothing gives it"),
                "take one `file: File`" if thing.on else 'take none, or give it a trigger: `on=inbox.created("*")`',
            )  # fmt: skip
        on = (thing.on.bucket.name, thing.on.pattern) if thing.on else None
        inputs = _distinct([*([on[0]] if on else []), *self._reached(thing)])
        self._above(inputs)
        return FunctionNode(
            name, thing.origin, _doc(thing), thing, inputs, function=thing.function, on=on, every=thing.every, cron=thing.cron
        )

    # -- what all of them need

    def _reader(self, thing: Declared[..., Any]) -> Reader:
        kind, name = thing.kind, thing.__name__
        try:
            hints = hints_of(thing.function)
        except NameError as problem:
            raise refuse(
                thing.origin, f"{kind} `{name}` has an annotation that names nothing: {problem}",
                "import or define it at the top of the module, not beneath TYPE_CHECKING or inside a function",
            ) from None  # fmt: skip
        except (TypeError, SyntaxError, AttributeError) as problem:
            raise refuse(thing.origin, f"{kind} `{name}` has an annotation that is no type: {problem}", "mend it") from None
        return Reader(kind, name, thing.origin, thing.function, hints)

    def _reached(self, thing: Declared[..., Any]) -> list[str]:
        """Declared things that the body names."""
        reached = code_of(thing.function, self.root).reached
        names = [self.found.name_of(each.declared) for each in reached if not each.called]
        kinds = (Bucket, Index, *Table)
        return [name for name in names if isinstance(self.found.things[name], kinds) and name != thing.__name__]

    def _known(self, reader: Reader, does: str, word: str, kinds: tuple[type, ...]) -> str:
        name = self.found.resolve(word)
        choices = self.found.named(*kinds)
        if name is None:
            raise unknown(reader.origin, does, word, choices)
        if not isinstance(self.found.things[name], kinds):
            raise refuse(reader.origin, f"{does} `{word}`, which is {_a(self.found.things[name])}", "name one of these", choices)
        return name

    def _bucket_name(self, word: str) -> str | None:
        name = self.found.resolve(word)
        return name if name is not None and isinstance(self.found.things[name], Bucket) else None

    def _resolved(self, parameter: Parameter) -> Parameter:
        from dataclasses import replace

        if parameter.takes != "lookup":
            return parameter
        return replace(parameter, of=self.found.resolve(parameter.of) or parameter.of)

    def _above(self, names: Iterable[str]) -> None:
        for name in names:
            self.node(name)

    def _must_name(self, thing: Any, option: str, name: str, columns: Sequence[Column]) -> None:
        names = [column.name for column in columns]
        if name not in names:
            meant = nearest(name, names)
            raise refuse(
                thing.origin, f"{thing.kind} `{thing.__name__}` has {option}, which is none of its fields",
                f"did you mean `{meant}`?" if meant else "name one of its fields", names,
            )  # fmt: skip

    def _check_marks(self, node: TableNode) -> None:
        if node.columns is None:
            return
        view = {column.name for column in node.columns}
        if isinstance(node, TransformNode) and not node.many:
            above = self.view(node.source)
            if above is None:
                return
            view |= set(above)
        marked = [*(("personal=", name) for name in node.marks.personal)]
        marked += [("subject=", node.marks.subject)] if node.marks.subject else []
        for option, name in marked:
            if name not in view:
                meant = nearest(name, view)
                raise refuse(
                    node.origin, f"{option} of `{node.name}` names `{name}`, which is no column of it",
                    f"did you mean `{meant}`?" if meant else "name one of its columns", sorted(view),
                )  # fmt: skip

    def _check_case(self, node: TableNode, view: View | None) -> None:
        folded = {name.casefold(): name for name in view or {}}
        for column in node.columns or ():
            twin = folded.get(column.name.casefold(), column.name)
            if twin != column.name:
                raise refuse(
                    node.origin, f"`{node.name}` writes `{column.name}` beside `{twin}`, which differs by case only",
                    f"rename it, or write `{twin}` to replace that column",
                )  # fmt: skip

    def view(self, name: str) -> View | None:
        """The columns that reading an asset shows, each with its owner; None where only a run shows them."""
        if name not in self._views:
            self._views[name] = self._seen(self.node(name))
        return self._views[name]

    def _seen(self, node: Node) -> View | None:
        if isinstance(node, FilesNode):
            return {name: Owned(Column(name, kind), node.name) for name, kind in FILE_COLUMNS.items()}
        if not isinstance(node, TableNode) or node.columns is None:
            return None
        own = {column.name: Owned(column, node.name) for column in node.columns}
        if not isinstance(node, TransformNode) or node.many or isinstance(self.nodes[node.source], FilesNode):
            return own
        above = self.view(node.source)
        return None if above is None else {**above, **own}


def _doc(thing: Declared[..., Any]) -> str:
    import inspect

    return inspect.cleandoc(thing.function.__doc__ or "")


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _a(thing: object) -> str:
    kind = kind_of(thing)
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
