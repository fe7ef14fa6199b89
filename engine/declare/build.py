"""One node of each declared thing, built after what it reads: every rule is checked with its inputs at hand."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from packyak.engine.declare import parameters as binding
from packyak.engine.declare import rules
from packyak.engine.declare.bucket import FILE_COLUMNS, Bucket, Files
from packyak.engine.declare.code import code_of
from packyak.engine.declare.columns import STORABLE, hints_of
from packyak.engine.declare.declared import Asset, Check, Declared, Function, Index, Learned, Sql, Table, Transform
from packyak.engine.declare.found import Declarations, a_kind, unknown
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
from packyak.engine.errors import PackyakError, QueryError

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

    def _build(self, name: str, thing: Any) -> Node:
        if isinstance(thing, Bucket):
            return BucketNode(name, thing.origin, "", thing, ())
        if isinstance(thing, Files):
            bucket = self.node(thing.bucket.name).name
            return FilesNode(name, thing.origin, "", thing, (bucket,), bucket=bucket, pattern=thing.pattern)
        kinds: dict[type, Callable[[str, Any], Node]] = {
            Transform: self._transform,
            Asset: self._asset,
            Sql: self._sql,
            Index: self._index,
            Check: self._check,
        }
        for kind, build in kinds.items():
            if isinstance(thing, kind):
                return build(name, thing)
        return self._function(name, thing)

    # -- transforms

    def _transform(self, name: str, thing: Transform[..., Any]) -> TransformNode:
        source = self.found.name_of(thing.source)
        above = self.node(source)
        reader = self._reader(thing)
        returned = self._returned(reader, isinstance(above, FilesNode))
        rules.keyed(reader, "reads", above, self.sql_key is not None)
        bound = self._columns(reader, thing, above)
        others = [parameter.of for parameter in bound if parameter.takes in ("lookup", "bucket")]
        for other in others:
            self.node(other)
        plain = TransformNode(
            **self._facts(name, thing, [source, *others]),
            key=self._transform_key(thing, returned, above),
            columns=returned.columns,
            source=source,
            function=thing.function,
            parameters=bound,
            many=returned.many,
            key_in_parent=thing.key_in_parent,
            returns=returned.returns,
            return_class=returned.return_class,
            concurrency=thing.concurrency,
        )
        self._check_columns(plain, above)
        if not isinstance(thing, Learned):
            return plain
        view = None if isinstance(above, FilesNode) else self.view(source)
        return LearnedNode(**vars(plain), **learned_facts(thing, returned, view))

    def _columns(self, reader: Reader, thing: Transform[..., Any], above: Node) -> tuple[Parameter, ...]:
        """Binds a transform's parameters, and makes sure of what it looks up."""
        if isinstance(above, FilesNode):
            if thing.lookup:
                what = f"{thing.kind} `{reader.name}` looks up by a column, but its records are files"
                raise refuse(thing.origin, what, "look up in a transform over what it yields")
            return binding.of_file_transform(reader, self._bucket_name)
        places = {word: self._looked_up(reader, word) for word in thing.lookup}
        records = binding.Records(above.name, self.view(above.name), self._bucket_name)
        bound = binding.of_transform(reader, records, thing.lookup)
        return tuple(replace(each, of=places[each.of]) if each.takes == "lookup" else each for each in bound)

    def _looked_up(self, reader: Reader, word: str) -> str:
        name = self._known(reader, f"{reader.kind} `{reader.name}` looks up", word, Table)
        rules.keyed(reader, "looks up", self.node(name), self.sql_key is not None)
        return name

    def _returned(self, reader: Reader, from_file: bool) -> Returned:
        try:
            return of_transform(reader.name, reader.function, dict(reader.hints), from_file)
        except WrongReturn as problem:
            raise refuse(reader.origin, f"{reader.kind} {problem}", problem.next_step, STORABLE) from None

    def _transform_key(self, thing: Transform[..., Any], returned: Returned, above: Node) -> Keys:
        """Names of the key columns; () where the key is made of the parent's."""
        name, option = (thing.key, "key") if thing.key else (thing.key_in_parent, "key_in_parent")
        if not returned.many:
            if name:
                what = f"{thing.kind} `{thing.__name__}` gives one record for one, which keeps its key"
                raise refuse(thing.origin, what, f"drop {option}=, or annotate several: `-> Iterator[...]`")
            return above.key if isinstance(above, TableNode) else ()
        if name and returned.columns is not None:
            rules.names_field(thing, option, name, returned.columns)
        return (thing.key,) if thing.key else ()

    def _check_columns(self, node: TransformNode, above: Node) -> None:
        view: View | None = {}
        if not node.many and not isinstance(above, FilesNode):
            view = self.view(above.name)
        if node.columns is not None and view is not None:
            rules.no_twins(node, view)
            rules.marks_name_columns(node, {*view, *(column.name for column in node.columns)})

    # -- whole tables

    def _asset(self, name: str, thing: Asset[..., Any]) -> AssetNode:
        reader = self._reader(thing)
        try:
            columns = of_asset(name, dict(reader.hints))
        except WrongReturn as problem:
            raise refuse(thing.origin, f"asset {problem}", problem.next_step, STORABLE) from None
        bound = self._things(reader, thing.inputs)
        inputs = self._above([*(parameter.of for parameter in bound), *self._reached(thing)])
        facts = self._facts(name, thing, inputs)
        sources = {column: tuple(self._said_source(thing, bound, each) for each in said)
                   for column, said in thing.sources.items()}  # fmt: skip
        node = AssetNode(
            **facts, key=thing.key, columns=columns, function=thing.function, parameters=bound, sources=sources
        )
        if columns is not None:
            for key in thing.key or ():
                rules.names_field(thing, "key", key, columns)
            rules.marks_name_columns(node, (column.name for column in columns))
        return node

    def _said_source(self, thing: Asset[..., Any], bound: Sequence[Parameter], said: str) -> tuple[str, str]:
        """A source that columns= names: a parameter, or a column of one."""
        word, _, column = said.partition(".")
        of = {parameter.name: parameter.of for parameter in bound}
        if word not in of:
            what = f"columns= of asset `{thing.__name__}` names `{said}`, and it has no parameter `{word}`"
            raise refuse(thing.origin, what, rules.meant_or(word, list(of), "name a parameter"), sorted(of))
        view = self.view(of[word])
        if column and view is not None and column not in view:
            what = f"columns= of asset `{thing.__name__}` names `{said}`, and `{of[word]}` has no column `{column}`"
            raise refuse(
                thing.origin, what, rules.meant_or(column, list(view), "name one of its columns"), sorted(view)
            )
        return of[word], column

    def _things(self, reader: Reader, renamed: Mapping[str, Any]) -> tuple[Parameter, ...]:
        """Binds parameters to declared things by name."""
        signature = binding.signature(reader)
        names = sorted(parameter.name for parameter in signature)
        for word in renamed:
            if word not in names:
                what = f"{reader.kind} `{reader.name}` has no parameter `{word}`, which inputs= names"
                raise refuse(reader.origin, what, rules.meant_or(word, names, "name a parameter"), names)
        bound = (self._thing(reader, parameter, renamed) for parameter in signature)
        return tuple(parameter for parameter in bound if parameter is not None)

    def _thing(self, reader: Reader, parameter: inspect.Parameter, renamed: Mapping[str, Any]) -> Parameter | None:
        word, does = parameter.name, f"{reader.kind} `{reader.name}` takes"
        if word in renamed:
            given = renamed[word]
            if not isinstance(given, (Bucket, *Table)):
                raise refuse(reader.origin, f"{does} {given!r} as `{word}`", "give an asset or a bucket in inputs=")
            name = self.found.name_of(given)
        elif parameter.default is not parameter.empty and self.found.resolve(word) is None:
            return None
        else:
            name = self._known(reader, does, word, (Bucket, *Table))
        return binding.to_thing(reader, parameter, name, self.found.things[name])

    def _sql(self, name: str, thing: Sql) -> SqlNode:
        try:
            tables = self.tables_of(thing.query)
        except QueryError as problem:
            raise refuse(
                thing.origin, f"sql `{name}`: {problem.message}", problem.next_step or "mend the query"
            ) from problem
        except PackyakError as problem:
            raise problem.with_fields(file=thing.origin.file, line=thing.origin.line) from None
        reader = Reader("sql", name, thing.origin, lambda: None, {})
        inputs = self._above(self._known(reader, f"sql `{name}` reads", table, Table) for table in tables)
        key = thing.key
        if key is None and self.sql_key is not None:
            nodes = {each: self.node(each) for each in inputs}
            keys = {each: node.key if isinstance(node, TableNode) else None for each, node in nodes.items()}
            key = self.sql_key(thing.query, keys)
        return SqlNode(**self._facts(name, thing, inputs), key=key, query=thing.query)

    # -- the rest

    def _index(self, name: str, thing: Index) -> IndexNode:
        reader = Reader("index", name, thing.origin, lambda: None, {})
        if not isinstance(thing.source, Table):
            what = f"index `{name}` is over {thing.source!r}, which is no asset"
            raise refuse(thing.origin, what, 'write Index(text, on="text"), where `text` is an asset or transform')
        source = self.found.name_of(thing.source)
        rules.keyed(reader, "is over", self.node(source), self.sql_key is not None)
        view = self.view(source)
        for column in (thing.on, *thing.filters):
            binding.must_have(reader, f"reads `{column}`", column, source, view)
        if view is not None and view[thing.on].column.type != "string":
            texts = [each for each, owned in view.items() if owned.column.type == "string"]
            what = f"index `{name}` is on `{thing.on}`, which is {view[thing.on].column.type} and no text"
            raise refuse(thing.origin, what, "choose a column of text", texts)
        return IndexNode(name, thing.origin, "", thing, (source,), source=source, on=thing.on, filters=thing.filters)

    def _check(self, name: str, thing: Check[..., Any]) -> CheckNode:
        bound = self._things(self._reader(thing), {})
        target = self.found.name_of(thing.target) if thing.target is not None else ""
        tables = [parameter.of for parameter in bound if parameter.takes == "asset"]
        target = target or (tables[0] if len(tables) == 1 else "")
        named = [*([target] if target else []), *(parameter.of for parameter in bound), *self._reached(thing)]
        if not named:
            next_step = f"name what it checks: `@check(asset)` or `def {name}(asset)`"
            raise refuse(thing.origin, f"check `{name}` looks at nothing", next_step)
        return CheckNode(
            name,
            thing.origin,
            _doc(thing),
            thing,
            self._above(named),
            target=target,
            function=thing.function,
            parameters=bound,
            blocking=thing.blocking,
            severity=thing.severity,
        )

    def _function(self, name: str, thing: Function[..., Any]) -> FunctionNode:
        signature = binding.signature(self._reader(thing))
        needed = [f"`{each.name}`" for each in signature if each.default is each.empty]
        if len(needed) > (1 if thing.on else 0):
            what = f"function `{name}` takes {', '.join(needed)}, but "
            what += "its trigger gives one file" if thing.on else "nothing gives it any"
            next_step = "take one `file: File`" if thing.on else 'take none, or add a trigger: on=inbox.created("*")'
            raise refuse(thing.origin, what, next_step)
        on = (thing.on.bucket.name, thing.on.pattern) if thing.on else None
        inputs = self._above([*([on[0]] if on else []), *self._reached(thing)])
        times = {"every": thing.every, "cron": thing.cron}
        return FunctionNode(name, thing.origin, _doc(thing), thing, inputs, function=thing.function, on=on, **times)  # type: ignore[arg-type]

    # -- what all of them need

    def _facts(self, name: str, thing: Any, inputs: Iterable[str]) -> dict[str, Any]:
        """The fields that every stored node has."""
        table = thing.table
        return {
            "name": name,
            "origin": thing.origin,
            "doc": _doc(thing),
            "declared": thing,
            "inputs": tuple(dict.fromkeys(inputs)),
            "marks": table.marks,
            "was": table.was,
            "failures_allowed": table.failures_allowed,
            "retries": table.retries,
        }

    def _reader(self, thing: Declared[..., Any]) -> Reader:
        kind, name = thing.kind, thing.__name__
        try:
            hints = hints_of(thing.function)
        except NameError as problem:
            raise refuse(
                thing.origin,
                f"{kind} `{name}` has an annotation that names nothing: {problem}",
                "import or define it at the top of the module, not beneath TYPE_CHECKING or inside a function",
            ) from None
        except (TypeError, SyntaxError, AttributeError) as problem:
            what = f"{kind} `{name}` has an annotation that is no type: {problem}"
            raise refuse(thing.origin, what, "mend the annotation") from None
        return Reader(kind, name, thing.origin, thing.function, hints)

    def _reached(self, thing: Declared[..., Any]) -> list[str]:
        """Declared things that the body names."""
        reached = code_of(thing.function, self.root).reached
        names = [self.found.name_of(each.declared) for each in reached if not each.called]
        kinds = (Bucket, Index, *Table)
        return [name for name in names if isinstance(self.found.things[name], kinds) and name != thing.__name__]

    def _known(self, reader: Reader, does: str, word: str, kinds: tuple[type, ...]) -> str:
        """The name of the thing that a word means. Raises DeclarationError when it means none of these kinds."""
        name = self.found.resolve(word)
        choices = [each for each in self.found.named(*kinds) if each != reader.name]
        if name is None:
            raise unknown(reader.origin, does, word, choices)
        if not isinstance(self.found.things[name], kinds):
            what = f"{does} `{word}`, which is {a_kind(self.found.things[name])}"
            raise refuse(reader.origin, what, "name one of these", choices)
        return name

    def _bucket_name(self, word: str) -> str | None:
        name = self.found.resolve(word)
        return name if name is not None and isinstance(self.found.things[name], Bucket) else None

    def _above(self, names: Iterable[str]) -> tuple[str, ...]:
        """Builds what comes before; the names, each once."""
        every = tuple(dict.fromkeys(names))
        for name in every:
            self.node(name)
        return every


def _doc(thing: Any) -> str:
    return inspect.cleandoc(getattr(getattr(thing, "function", None), "__doc__", None) or "")
