"""Labelled inputs that are no robot ticks: photos named in a `labels.csv`, or arrays in `train.npz`, `validation.npz`.

    DATA/labels.csv    split,file,label[,group[,provenance]]: files below DATA, labels of the task's head
    DATA/<part>.npz    inputs (N, H, W, bands) uint8 or (N, columns) float32; targets (N,) or (N, H, W);
                       groups (N,) text; provenance: one text

Labels whose provenance the task does not allow (made by clustering, say) are refused, and so is a split that leaks;
only what of the training part lies in another part byte for byte is left out of the lessons instead: sets made by
others have such.
"""

import csv
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foundation.array_file import read_arrays
from foundation.errors import ArrayFileError
from perception import data_processor, provenance
from perception.dataset import PARTS
from perception.errors import EvaluationError, TaskError
from perception.tasks.task import ImageInput, Task

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LabelledArrays:
    """One part of a data set."""

    inputs: NDArray[Any]  # (N, H, W, bands) uint8, or (N, columns) float32
    targets: NDArray[np.int64]  # (N,) or (N, H, W): class of the task's first head
    groups: tuple[str, ...]
    digest: str
    left_out: int = 0  # inputs that lie in another part
    provenances: tuple[str, ...] = ()  # of the labels: each that occurs, sorted

    def __len__(self) -> int:
        return len(self.inputs)


def is_here(data_dir: Path) -> bool:
    """Does the folder hold labelled arrays rather than samples?"""
    return (data_dir / "labels.csv").is_file() or (data_dir / "train.npz").is_file()


def held_out_part(data_dir: Path) -> str:
    """`test` where the folder has one, else `validation`."""
    return "test" if "test" in parts_here(data_dir) else "validation"


def parts_here(data_dir: Path) -> tuple[str, ...]:
    """Those of PARTS that the folder has."""
    table = data_dir / "labels.csv"
    if table.is_file():
        named = {row["split"] for row in _rows(table)}
        return tuple(part for part in PARTS if part in named)
    return tuple(part for part in PARTS if (data_dir / f"{part}.npz").is_file())


def sound_parts(data_dir: Path, task: Task, wanted: Sequence[str]) -> dict[str, LabelledArrays]:
    """Every part that is there, and `wanted`, which must be; the training part without its repeats of the others.

    Raises:
        TaskError: a part that is missing or does not fit the task.
        EvaluationError: a group lies in two parts, or the very same input in validation and test.
    """
    here = parts_here(data_dir)
    parts = {part: load(data_dir, task, part) for part in PARTS if part in here or part in wanted}
    if "train" in parts:
        parts["train"] = without_repeats(parts["train"], *(parts[part] for part in parts if part != "train"))
    refuse_shared_groups(parts)
    return parts


def load(data_dir: Path, task: Task, part: str) -> LabelledArrays:
    """Raises TaskError when there is nothing or it does not fit the task, EvaluationError as `provenance` does."""
    table = data_dir / "labels.csv"
    arrays = _of_table(table, task, part) if table.is_file() else _of_npz(data_dir / f"{part}.npz", task, part)
    _check(arrays, task, data_dir / part)
    return arrays


def refuse_shared_groups(parts: Mapping[str, LabelledArrays]) -> None:
    """Raises EvaluationError when a group, or the very same input, lies in two parts."""
    seen: dict[str, str] = {}
    for part, arrays in parts.items():
        for mark in set(_marks(arrays)) | {f"group {group}" for group in arrays.groups}:
            if seen.setdefault(mark, part) != part:
                what = mark if mark.startswith("group ") else "the same input"
                raise EvaluationError(f"the split leaks, so its figures are refused: {what} in {seen[mark]} and {part}")


def without_repeats(train: LabelledArrays, *held_out: LabelledArrays) -> LabelledArrays:
    """`train` less the inputs that lie in one of `held_out` too, byte for byte. Other lessons, another digest."""
    known = {mark for part in held_out for mark in _marks(part)}
    kept = [index for index, mark in enumerate(_marks(train)) if mark not in known]
    if len(kept) == len(train):
        return train
    left_out = len(train) - len(kept)
    if not kept:
        raise EvaluationError(f"the split leaks: all {left_out} training inputs lie in a held-out part too")
    logger.warning("%d training inputs lie in a held-out part too: left out of the lessons", left_out)
    groups = tuple(train.groups[index] for index in kept)
    digest = hashlib.sha256(f"{train.digest} less all but {kept}".encode()).hexdigest()
    return replace(
        train,
        inputs=train.inputs[kept],
        targets=train.targets[kept],
        groups=groups,
        digest=digest,
        left_out=train.left_out + left_out,
    )


def fingerprint(arrays: LabelledArrays) -> str:
    """Of inputs and targets as they are learnt: unlike `digest`, another one where a label differs."""
    held = hashlib.sha256()
    for values in (arrays.inputs, arrays.targets):
        held.update(f"{values.dtype}{values.shape}".encode())
        held.update(np.ascontiguousarray(values).data)
    return held.hexdigest()


def _marks(arrays: LabelledArrays) -> list[str]:
    return [hashlib.sha256(np.ascontiguousarray(one).tobytes()).hexdigest() for one in arrays.inputs]


def _of_table(table: Path, task: Task, part: str) -> LabelledArrays:
    assert isinstance(task.input, ImageInput)
    classes, size, digest = task.heads[0].classes, task.input, hashlib.sha256()
    images, targets, groups = [], [], []
    made_by: set[str] = set()
    for number, row in enumerate(_rows(table), start=2):
        if row["split"] != part:
            continue
        if row["label"] not in classes:
            raise TaskError(f"{table}:{number}: unknown label {row['label']!r}; known: {', '.join(classes)}")
        labeller = row.get("provenance") or "human"
        provenance.refuse_unfit([labeller], task, part, f"{table}:{number}")
        made_by.add(labeller)
        path = table.parent / row["file"]
        image = data_processor.read_photo(path)
        digest.update(path.read_bytes())
        images.append(data_processor.resized(image, size.width_px, size.height_px))
        targets.append(classes.index(row["label"]))
        groups.append(row.get("group") or f"{part}/{row['file']}")
    if not images:
        raise TaskError(f"{table}: has no row of split {part!r}")
    found = tuple(sorted(made_by))
    return LabelledArrays(
        np.stack(images), np.array(targets, np.int64), tuple(groups), digest.hexdigest(), provenances=found
    )


def _rows(table: Path) -> Sequence[dict[str, str]]:
    try:
        with table.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = {"split", "file", "label"} - set(reader.fieldnames or ())
            if missing:
                raise TaskError(f"{table}: lacks the columns {', '.join(sorted(missing))}")
            rows = list(reader)
    except UnicodeDecodeError as error:
        raise TaskError(f"{table}: must be UTF-8: {error}") from error
    except csv.Error as error:
        raise TaskError(f"{table}: not a table: {error}") from error
    for number, row in enumerate(rows, start=2):
        if None in (row["split"], row["file"], row["label"]):
            raise TaskError(f"{table}:{number}: has fewer cells than columns")
    return rows


def _of_npz(path: Path, task: Task, part: str) -> LabelledArrays:
    try:
        arrays = read_arrays(path)
        made_by = str(arrays["provenance"])
        provenance.refuse_unfit([made_by], task, part, str(path))
        return LabelledArrays(
            arrays["inputs"],
            arrays["targets"].astype(np.int64),
            tuple(str(group) for group in arrays["groups"]),
            hashlib.sha256(path.read_bytes()).hexdigest(),
            provenances=(made_by,),
        )
    except ArrayFileError as error:
        raise TaskError(str(error)) from error
    except OSError as error:
        raise TaskError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise TaskError(f"{path}: not labelled arrays: {error}") from error


def _check(arrays: LabelledArrays, task: Task, where: Path) -> None:
    if isinstance(task.input, ImageInput):
        wanted: tuple[int, ...] = (task.input.height_px, task.input.width_px, task.input.bands)
        kind: type = np.uint8
    else:
        wanted, kind = (len(task.input.columns),), np.float32
    if arrays.inputs.shape[1:] != wanted or arrays.inputs.dtype != kind:
        raise TaskError(f"{where}: inputs {arrays.inputs.dtype}{arrays.inputs.shape[1:]}, want {kind.__name__}{wanted}")
    dense = task.view == "dense"
    if arrays.targets.shape != (arrays.inputs.shape[:3] if dense else arrays.inputs.shape[:1]):
        raise TaskError(f"{where}: targets {arrays.targets.shape} for inputs {arrays.inputs.shape}")
    if len(arrays) and not 0 <= arrays.targets.min() <= arrays.targets.max() < task.heads[0].channels:
        raise TaskError(f"{where}: targets {arrays.targets.min()}..{arrays.targets.max()} of {task.heads[0].channels}")
    if len(arrays.groups) != len(arrays):
        raise TaskError(f"{where}: {len(arrays.groups)} groups for {len(arrays)} inputs")
