"""Weights that a training may begin from: those shipped here, or those of an earlier run.

A file holds every array of the network by name, kernels as float16 and the rest as float32, in a plain `.npz`: no code
is loaded from it. The shipped ones were trained from nothing on simulated rooms alone; docs/decisions tell how, so
that anyone can make them again. They are a beginning, not an answer: a run still learns from its own data.
"""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from foundation import atomic_files
from perception.errors import TrainingError
from perception.tasks.task import Task

SHIPPED: Final = "shipped"  # by the package, when it has some for the task
SCRATCH: Final = "scratch"  # none: random ones
FILE_NAME: Final = "weights.npz"  # beside the bundle of every run
_FOLDER: Final = Path(__file__).parent / "weights"

Weights = dict[str, Tensor]


def find(choice: str, task_name: str) -> Path | None:
    """The file meant by `SHIPPED`, `SCRATCH` or a path; None begins from nothing."""
    if choice == SCRATCH:
        return None
    if choice == SHIPPED:
        path = _FOLDER / f"{task_name}.npz"
        return path if path.exists() else None
    return Path(choice)


def trunk(choice: str, task: Task) -> Path | None:
    """Shipped weights of another task whose trunk `task` begins from, when it has none of its own."""
    if choice != SHIPPED or not task.trunk_of or find(SHIPPED, task.name) is not None:
        return None
    return find(SHIPPED, task.trunk_of)


def begin_trunk(model: nn.Module, weights: Weights, named: str) -> None:
    """Puts the trunk of another task's network into a new one. Raises TrainingError when it is of another shape."""
    inner: nn.Module = model.trunk  # type: ignore[assignment]
    begin(inner, {name.removeprefix("trunk."): value for name, value in weights.items()}, named)


def write(path: Path, model: nn.Module) -> None:
    """Appears whole or not at all."""
    arrays = {
        name: value.detach().numpy().astype(np.float16 if value.ndim > 1 else np.float32)
        for name, value in model.state_dict().items()
        if value.is_floating_point()
    }
    held = io.BytesIO()
    np.savez(held, allow_pickle=False, **arrays)
    atomic_files.write_bytes(path, held.getvalue())


def read(path: Path) -> Weights:
    """Raises TrainingError for a file that is missing or no such archive."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            return {name: torch.from_numpy(held[name].astype(np.float32)) for name in held.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"{path}: not a file of base weights ({error}); use one that a run left as {FILE_NAME}"
        ) from error


def digest(path: Path | None) -> str:
    """Of the file's bytes; nothing for none. Raises TrainingError for a file that is missing."""
    if path is None:
        return ""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise TrainingError(f"{path}: base weights cannot be read: {error.strerror or error}") from error


def begin(model: nn.Module, weights: Weights, named: str) -> None:
    """Puts them into a new network. Raises TrainingError when they are another network's."""
    own = {name: value for name, value in model.state_dict().items() if value.is_floating_point()}
    for name, value in own.items():
        if name not in weights or weights[name].shape != value.shape:
            told = tuple(weights[name].shape) if name in weights else "missing"
            raise TrainingError(f"{named}: {name} is {told}, this network wants {tuple(value.shape)}")
    model.load_state_dict({name: weights[name] for name in own}, strict=False)
