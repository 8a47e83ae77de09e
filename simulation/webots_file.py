"""Reads Webots' world files: text to nodes, and a checker that refuses what Webots would refuse or silently change.

It knows base nodes only (`webots_nodes.json`: node, field, type of R2025a); a PROTO or a node outside that list is an
error. Errors name the line.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from simulation.errors import SimulationError

HEADER: Final = "#VRML_SIM R2025a utf8"
_NUMBERS: Final = {
    "SFFloat": 1, "SFInt32": 1, "SFVec2f": 2, "SFVec3f": 3, "SFColor": 3, "SFRotation": 4,
    "MFFloat": 1, "MFInt32": 1, "MFVec2f": 2, "MFVec3f": 3, "MFColor": 3, "MFRotation": 4,
}  # fmt: skip
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]|[^\s,{}\[\]"#]+|#[^\n]*|\n')
_NUMBER: Final = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")


class WorldFileError(SimulationError):
    """A world file that Webots would not open as it is meant."""


@dataclass(slots=True)
class WebotsNode:
    """A node with its fields; numbers are lists, nodes and lists of nodes are nested, USE is the DEF's own node."""

    kind: str
    line: int
    def_name: str = ""
    fields: dict[str, Any] = field(default_factory=dict)

    def children(self) -> list["WebotsNode"]:
        """Nodes in any of its fields, in the order written."""
        found: list[WebotsNode] = []
        for value in self.fields.values():
            if isinstance(value, WebotsNode):
                found.append(value)
            elif isinstance(value, list):
                found += [item for item in value if isinstance(item, WebotsNode)]
        return found


def parse(text: str) -> list[WebotsNode]:
    """The root nodes. Raises WorldFileError with the line."""
    if not text.startswith(HEADER):
        raise WorldFileError(f"line 1: the file must begin with {HEADER!r}")
    reader = _Reader(list(_tokens(text)))
    nodes = []
    while not reader.done:
        nodes.append(reader.node())
    _check_names(nodes)
    return nodes


@cache
def known_nodes() -> dict[str, dict[str, str]]:
    """Node to field to type."""
    table: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("webots_nodes.json").read_text("utf-8"))
    return table


def walk(nodes: list[WebotsNode]) -> Iterator[WebotsNode]:
    """Every node, parents first; a USEd node appears wherever it is used."""
    for node in nodes:
        yield node
        yield from walk(node.children())


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == "\n":
            line += 1
        elif not token.startswith("#"):
            yield token, line
            line += token.count("\n")


class _Reader:
    def __init__(self, tokens: list[tuple[str, int]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._defined: dict[str, WebotsNode] = {}

    @property
    def done(self) -> bool:
        return self._at >= len(self._tokens)

    def node(self) -> WebotsNode:
        word, line = self._next()
        if word == "USE":
            name, line = self._next()
            if name not in self._defined:
                raise WorldFileError(f"line {line}: USE {name}: no DEF of that name comes before it")
            return self._defined[name]
        def_name = ""
        if word == "DEF":
            def_name, _ = self._next()
            word, line = self._next()
        if word not in known_nodes():
            raise WorldFileError(f"line {line}: unknown node {word}")
        self._expect("{")
        node = WebotsNode(word, line, def_name)
        while self._peek() != "}":
            name, line = self._next()
            if name not in known_nodes()[word]:
                raise WorldFileError(f"line {line}: {word} has no field {name}")
            if name in node.fields:
                raise WorldFileError(f"line {line}: {word}.{name} is given twice")
            node.fields[name] = self._value(known_nodes()[word][name], f"{word}.{name}")
        self._expect("}")
        if def_name:
            if def_name in self._defined:
                raise WorldFileError(f"line {line}: DEF {def_name} is given twice")
            self._defined[def_name] = node
        return node

    def _value(self, kind: str, where: str) -> Any:
        if kind.startswith("MF"):
            return self._list(kind, where)
        if kind == "SFNode":
            if self._peek() == "NULL":
                self._next()
                return None
            return self.node()
        if kind == "SFString":
            return self._string(where)
        if kind == "SFBool":
            word, line = self._next()
            if word not in ("TRUE", "FALSE"):
                raise WorldFileError(f"line {line}: {where} = {word}: must be TRUE or FALSE")
            return word == "TRUE"
        numbers = self._numbers(_NUMBERS[kind], kind, where)
        return numbers[0] if len(numbers) == 1 else numbers

    def _list(self, kind: str, where: str) -> list[Any]:
        single = "SF" + kind[2:]
        if self._peek() != "[":
            return [self._value(single, where)]
        self._expect("[")
        items = []
        while self._peek() != "]":
            items.append(self._value(single, where))
        self._expect("]")
        return items

    def _numbers(self, count: int, kind: str, where: str) -> list[float]:
        numbers = []
        for _ in range(count):
            word, line = self._next()
            if not _NUMBER.match(word):
                raise WorldFileError(f"line {line}: {where} is a {kind}: {word!r} is no number, {count} are needed")
            if kind.endswith("Int32") and not re.fullmatch(r"[+-]?\d+", word):
                raise WorldFileError(f"line {line}: {where} is a {kind}: {word!r} is no whole number")
            numbers.append(float(word))
        if kind.endswith("Color") and not all(0 <= number <= 1 for number in numbers):
            raise WorldFileError(f"line {self._line()}: {where}: colours lie between 0 and 1, not {numbers}")
        if kind.endswith("Rotation") and not any(numbers[:3]):
            raise WorldFileError(f"line {self._line()}: {where}: the axis of a rotation cannot be 0 0 0")
        return numbers

    def _string(self, where: str) -> str:
        word, line = self._next()
        if not word.startswith('"'):
            raise WorldFileError(f"line {line}: {where} = {word}: must be a string")
        return word[1:-1].replace('\\"', '"').replace("\\\\", "\\")

    def _next(self) -> tuple[str, int]:
        if self.done:
            raise WorldFileError(f"line {self._line()}: the file ends in the middle of a node")
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _peek(self) -> str:
        return "" if self.done else self._tokens[self._at][0]

    def _line(self) -> int:
        return self._tokens[min(self._at, len(self._tokens)) - 1][1] if self._tokens else 1

    def _expect(self, token: str) -> None:
        word, line = self._next()
        if word != token:
            raise WorldFileError(f"line {line}: expected {token}, found {word}")


def _check_names(roots: list[WebotsNode]) -> None:
    """Webots warns of, and renames, siblings of one name: refuse them. A solid's default name counts too."""
    for parent_line, siblings in [(1, roots), *((node.line, node.children()) for node in walk(roots))]:
        seen: set[str] = set()
        for node in siblings:
            if "boundingObject" not in known_nodes()[node.kind]:
                continue
            name = node.fields.get("name", node.kind.lower())
            if name in seen:
                raise WorldFileError(
                    f"line {node.line}: two solids named {name!r} below the node of line {parent_line}"
                )
            seen.add(name)
