"""Where labels come from, held against what a task may learn from and be judged by.

Labels made by clustering may be lessons where the task lists them; no accuracy is ever taken against them.
"""

from collections.abc import Iterable
from typing import Final

from perception.errors import EvaluationError, TaskError
from perception.tasks.task import Task

CLUSTER: Final = "cluster"


def refuse_unfit(provenances: Iterable[str], task: Task, part: str, where: str) -> None:
    """`provenances` are those found in `part`, at `where`.

    Raises:
        TaskError: the task does not learn from one of them.
        EvaluationError: labels made by clustering in a part that figures are taken on.
    """
    for provenance in provenances:
        if provenance not in task.labels.provenances:
            allowed = ", ".join(task.labels.provenances)
            raise TaskError(f"{where}: labels of provenance {provenance!r}; {task.name} learns only from {allowed}")
        if part != "train":
            refuse_clustered(provenance, where)


def refuse_clustered(provenance: str, where: str) -> None:
    """Raises EvaluationError for labels that say nothing about the truth."""
    if provenance == CLUSTER:
        raise EvaluationError(f"{where}: labels made by clustering say nothing about the truth, so no figure is taken")
