"""All tasks, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from perception.errors import TaskError
from perception.tasks.floor_surface import FLOOR_SURFACE
from perception.tasks.obstacles import OBSTACLES
from perception.tasks.task import Task

TASKS: Final[Mapping[str, Task]] = MappingProxyType(
    {
        "obstacles": OBSTACLES,
        "floor_surface": FLOOR_SURFACE,
    }
)


def task_named(name: str) -> Task:
    """Raises TaskError that names the known ones."""
    if name not in TASKS:
        raise TaskError(f"{name!r} is no task; known: {', '.join(TASKS)}")
    return TASKS[name]
