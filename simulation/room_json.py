"""Frozen dataclasses to JSON and back; what does not fit is named by its path: `furniture[2].parts[0].size_m`."""

import dataclasses
import json
import math
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from simulation.errors import RoomError

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Dataclasses to dicts, tuples to lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    return value


def read_json(path: Path, kind: type[T]) -> T:
    """Raises RoomError naming the file, the field and why."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RoomError(f"{path}: cannot be read: {error}") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise RoomError(f"{path}: not JSON: {error}") from error
    try:
        return from_plain(plain, kind)
    except RoomError as error:
        raise RoomError(f"{path}: {error}") from error


def from_plain(plain: Any, kind: type[T]) -> T:
    """The value of type `kind` that `to_plain` gave."""
    value: T = _build(plain, kind, "")
    return value


def _build(plain: Any, kind: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(plain, kind, where)
    origin = typing.get_origin(kind)
    if origin is tuple:
        return _tuple(plain, typing.get_args(kind), where)
    if origin is typing.Literal:
        if plain not in typing.get_args(kind) or isinstance(plain, bool):
            raise RoomError(f"{where} = {plain!r}: must be one of {', '.join(map(str, typing.get_args(kind)))}")
        return plain
    if origin in (types.UnionType, typing.Union):
        if plain is None:
            return None
        return _build(plain, next(arg for arg in typing.get_args(kind) if arg is not type(None)), where)
    return _scalar(plain, kind, where)


def _scalar(plain: Any, kind: Any, where: str) -> Any:
    if kind is float:
        if isinstance(plain, bool) or not isinstance(plain, int | float) or not math.isfinite(plain):
            raise RoomError(f"{where} = {plain!r}: must be a finite number")
        return float(plain)
    if not isinstance(plain, kind) or (kind is int and isinstance(plain, bool)):
        raise RoomError(f"{where} = {plain!r}: must be of type {kind.__name__}")
    return plain


def _dataclass(plain: Any, kind: Any, where: str) -> Any:
    if not isinstance(plain, dict):
        raise RoomError(f"{where or 'the document'}: must be an object with the fields of {kind.__name__}")
    hints = typing.get_type_hints(kind)
    known = {item.name: item for item in dataclasses.fields(kind)}
    dot = f"{where}." if where else ""
    for name in plain:
        if name not in known:
            raise RoomError(f"{dot}{name}: unknown field, {kind.__name__} has {', '.join(known)}")
    values = {}
    for name, item in known.items():
        if name in plain:
            values[name] = _build(plain[name], hints[name], f"{dot}{name}")
        elif item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
            raise RoomError(f"{dot}{name}: is missing")
    try:
        return kind(**values)
    except RoomError as error:
        raise RoomError(f"{where}: {error}" if where else str(error)) from error


def _tuple(plain: Any, kinds: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise RoomError(f"{where} = {plain!r}: must be a list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_build(item, kinds[0], f"{where}[{index}]") for index, item in enumerate(plain))
    if len(plain) != len(kinds):
        raise RoomError(f"{where}: has {len(plain)} values, must have {len(kinds)}")
    return tuple(
        _build(item, kind, f"{where}[{index}]") for index, (item, kind) in enumerate(zip(plain, kinds, strict=True))
    )
