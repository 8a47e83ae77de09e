"""Typed sections of a user's file, and errors that name the key, the value and what is wrong with it, in one line."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from foundation.errors import ConfigError

_SHOWN: Final = 80  # characters of a refused value


class Section(BaseModel):
    """Frozen, and refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Checked = TypeVar("Checked", bound=Section)


def text_of(path: Path) -> str:
    """A user's file; raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def checked(model: type[Checked], values: Mapping[str, Any], origin: str) -> Checked:
    """Raises ConfigError with every key, value and limit that is wrong; `origin` names the text in the message."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [_line(model, item["type"], item["loc"], item["input"], item["msg"]) for item in error.errors()]
        raise ConfigError(f"{origin}: {'; '.join(lines)}") from error


def _line(model: type[Section], kind: str, location: Sequence[int | str], given: object, says: str) -> str:
    name = ".".join(str(part) for part in location)
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(location[-1]), _names_beside(model, location), n=1, cutoff=0.0)
        return f"unknown key {name}" + (f", the nearest known one is {near[0]}" if near else "")
    if kind == "missing":
        return f"key {name} is missing"
    shown = repr(given)
    shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "..."
    return f"{name} = {shown}: {says.removeprefix('Value error, ')}" if name else says.removeprefix("Value error, ")


def _names_beside(model: type[Section], location: Sequence[int | str]) -> list[str]:
    """The keys of the section that the last part of the location would be one of."""
    section: type[BaseModel] = model
    for part in location[:-1]:
        field = section.model_fields.get(str(part))
        if field is None:
            continue  # a place in a list
        inner = [field.annotation, *get_args(field.annotation)]
        section = next((one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)), section)
    return list(section.model_fields)
