"""What an asset's values depend on besides its inputs: code, declaration, libraries, model.

Two fingerprints with one `id` compute the same from the same inputs. The parts are kept apart so that a change can be
named: the text of the code is stored once under its hash, and a difference is shown as a diff of it.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from packyak.engine.declare.code import Code, code_of, distribution_versions
from packyak.engine.declare.nodes import AssetNode, CheckNode, Node, SqlNode, TableNode, TransformNode
from packyak.engine.store.home import Home


@dataclass(frozen=True)
class Fingerprint:
    """Hashes of the parts; `id` is the hash of all."""

    code: str
    declared: str
    libraries: str
    model: str = ""

    @property
    def id(self) -> str:
        return digest([self.code, self.declared, self.libraries, self.model])


def digest(parts: list[str]) -> str:
    """A hash of parts that cannot run together: each goes in with its length."""
    state = hashlib.blake2b(digest_size=8)
    for part in parts:
        state.update(f"{len(part)}:{part}".encode())
    return state.hexdigest()


@dataclass(frozen=True)
class Codes:
    """The code behind a project's nodes, read once per load of its modules."""

    root: str
    texts: Mapping[str, str]
    fingerprints: Mapping[str, Fingerprint]

    def save(self, home: Home, names: Iterable[str]) -> None:
        """Keeps the text of these nodes' code, so that a later change can be shown as a diff."""
        for code in dict.fromkeys(self.fingerprints[name].code for name in names if name in self.fingerprints):
            home.create(f"code/{code}.txt", self.texts[code].encode())


def codes_of(nodes: Mapping[str, Node], root: str) -> Codes:
    """The fingerprints of all nodes that compute something."""
    texts: dict[str, str] = {}
    fingerprints: dict[str, Fingerprint] = {}
    for name, node in nodes.items():
        text, libraries = _code_text(node, root)
        code = digest([text])
        texts[code] = text
        fingerprints[name] = Fingerprint(code, digest([_declared(node)]), libraries)
    return Codes(root, texts, fingerprints)


def _code_text(node: Node, root: str) -> tuple[str, str]:
    if isinstance(node, SqlNode):
        return node.query, ""
    function = getattr(node, "function", None)
    if function is None:
        return "", ""
    code: Code = code_of(function, root)
    text = "\n".join(_shown(part.name, part.text) for part in code.parts)
    return f"{text}\n", digest(
        [f"{name}={version}" for name, version in sorted(distribution_versions(code.distributions).items())]
    )


def _shown(name: str, text: str) -> str:
    """One part as it would stand in a file: functions and classes as they are, values behind their name."""
    is_block = text.lstrip().startswith(("def ", "async def ", "class ", "@"))
    return f"# {name}\n{text}" if is_block else f"{name} = {text}"


def _declared(node: Node) -> str:
    """What a declaration says that changes the values computed, as text."""
    facts: dict[str, Any] = {}
    if isinstance(node, TableNode):
        facts |= {"key": node.key, "columns": [(c.name, c.type, c.choices) for c in node.columns or ()]}
    if isinstance(node, TransformNode):
        facts |= {
            "source": node.source,
            "many": node.many,
            "key_in_parent": node.key_in_parent,
            "returns": node.returns,
        }
        facts |= {"settings": dict(node.settings)}
    if isinstance(node, AssetNode | TransformNode | CheckNode):
        bound = [(p.name, p.takes, p.of, p.form, p.fields, p.by) for p in node.parameters]
        facts |= {"parameters": bound}
    return json.dumps(facts, sort_keys=True, default=repr)


def code_diff(home: Home, before: str, now: str, texts: Mapping[str, str]) -> str:
    """A unified diff of two codes by their hashes, without the file header; "" where the old text is not kept."""
    old = home.read(f"code/{before}.txt")
    if old is None or now not in texts:
        return ""
    lines = difflib.unified_diff(old.decode().splitlines(), texts[now].splitlines(), "before", "now", lineterm="", n=1)
    return "\n".join(list(lines)[2:])


def as_json(fingerprint: Fingerprint) -> dict[str, str]:
    return asdict(fingerprint)
