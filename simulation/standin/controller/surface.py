"""What Webots R2025a's `controller` package offers, and the honest answer for what the stand-in lacks."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
TABLE = Path(__file__).with_name("webots_api.json")


@cache
def methods(class_name: str) -> dict[str, str]:
    """Names and signatures of a class's own methods in Webots R2025a."""
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    found: dict[str, str] = table[class_name]
    return found


def complete(class_name: str) -> Callable[[type[T]], type[T]]:
    """Adds every method that Webots' class has and this one lacks; calling it says so."""

    def add(kind: type[T]) -> type[T]:
        for name in methods(class_name):
            if not hasattr(kind, name):
                setattr(kind, name, _lacking(class_name, name))
        return kind

    return add


def _lacking(class_name: str, name: str) -> Callable[..., Any]:
    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        raise NotImplementedError(f"{class_name}.{name}: Webots has it, the stand-in does not")

    method.__name__ = name
    return method
