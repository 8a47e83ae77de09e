"""Progress of long work: a stage says how much there is and how much is done; who shows it is passed in.

Work takes a `ProgressFactory` and never knows a terminal:

    with progress("capture", total=samples, unit="samples") as advance:
        ...
        advance(1)
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]


class ProgressFactory(Protocol):
    """Opens one stage of known size."""

    def __call__(self, what: str, *, total: int, unit: str) -> AbstractContextManager[Advance]: ...


@contextmanager
def silent(what: str, *, total: int, unit: str) -> Iterator[Advance]:
    """Shows nothing: tests, DAGs, `--json` in scripts."""
    yield lambda count: None


@contextmanager
def bars(what: str, *, total: int, unit: str) -> Iterator[Advance]:
    """One bar on standard error: what is done, the rate and the time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import ProgressColumn as Column
    from rich.text import Text

    class Rate(Column):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.1f} {unit}/s" if speed else f"- {unit}/s")

    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=4) as display:
        task = display.add_task(what, total=total)
        yield lambda count: display.update(task, advance=count)
