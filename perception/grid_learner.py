"""How the obstacle grid is learnt: windows around things, losses per head, a score on whole frames.

Windows lie on the grid of cells, so that targets are slices. Half of them look for a class drawn evenly, so that rare
things are seen as often as common ones.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from foundation.progress import ProgressFactory
from perception import augment, grid_cache, preprocessing
from perception.cnn_model import GridNet
from perception.errors import TrainingError
from perception.obstacle_targets import IGNORED, UNKNOWN
from perception.tasks.obstacles import STRIDE_PX
from perception.tasks.task import ImageInput, Task

WINDOW_CELLS = 24  # 192 x 192 px: a near thing and what stands around it, at half of a frame's cost
EVEN_CLASS_SHARE = 0.4
ANY_THING_SHARE = 0.2  # the rest lies anywhere
PRIOR = 0.01  # an untrained network finds nothing
ALARM_SCORE = 0.45  # a cell told at this score, with no thing beside it, is a false alarm worth learning from
ALARM_BLOCK = 4  # cells: one place a block, so that no frame is all there is to learn
WANTED_PRECISION = 0.92  # of cells: a thing is looked at in many frames, a false alarm shuts off floor

Targets = dict[str, Tensor]
_Window = tuple[NDArray[Any], dict[str, NDArray[Any]], NDArray[np.float32]]  # image, targets, look of the frame


class GridLearner:
    """Batches, loss and score of one grid task."""

    def __init__(
        self, task: Task, train_dir: Path, validation_dir: Path, cache: Path, progress: ProgressFactory
    ) -> None:
        assert isinstance(task.input, ImageInput)
        self._task, self._standardised = task, task.input.standardised
        self._train = grid_cache.build(train_dir, cache / "train", task.input, progress=progress, painted=True)
        self._validation = grid_cache.build(validation_dir, cache / "validation", task.input, progress=progress)
        frames, rows, columns = np.nonzero(np.asarray(self._train.thing) == 1)
        if not len(frames):
            raise TrainingError(f"{train_dir}: none of {len(self._train)} samples shows a thing near enough to learn")
        self._cells = np.stack([frames, rows, columns], axis=1)  # (T, 3)
        self._looks = preprocessing.looks(self._train.images)  # (N, 2)
        kinds = np.asarray(self._train.kind)[frames, rows, columns]
        self._cells_of = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
        self._alarms, self._alarm_share = np.zeros((0, 3), np.int64), 0.0
        self._fingerprint = "; ".join(f"{part}: {grid_cache.mark_of(cache / part)}" for part in ("train", "validation"))

    @property
    def size(self) -> int:
        """Training samples."""
        return len(self._train)

    @property
    def fingerprint(self) -> str:
        """Of both parts. Places of false alarms follow from these, the settings and the base."""
        return self._fingerprint

    def model(self) -> nn.Module:
        model = GridNet(3, {head.name: head.channels for head in self._task.heads}, self._task.width)
        for name in ("thing", "mask"):
            nn.init.constant_(model.heads[name].bias, float(np.log(PRIOR / (1 - PRIOR))))  # type: ignore[arg-type]
            nn.init.normal_(model.heads[name].weight, std=0.001)  # type: ignore[arg-type]
        return model

    def batch(self, step_seed: tuple[int, int], size: int) -> tuple[Tensor, Targets]:
        """(B, 3, h, w) images of one window each and their targets, all drawn from the seed."""
        rng = np.random.default_rng(step_seed)
        windows = [self._window(rng) for _ in range(size)]
        images = np.stack([window[0] for window in windows])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        inputs = preprocessing.floats(torch.from_numpy(images))
        if self._standardised:  # by the look of the whole frame, as on the robot
            looks = torch.from_numpy(np.stack([window[2] for window in windows]))
            inputs = preprocessing.standardised(inputs, looks[:, 0], looks[:, 1])
        inputs = augment.photometric(inputs, generator)
        names = ("thing", "mask", "kind", "box", "floor")
        return inputs, {name: torch.from_numpy(np.stack([w[1][name] for w in windows])) for name in names}

    def look_for_false_alarms(self, model: nn.Module, share: float, progress: ProgressFactory) -> int:
        """From now on `share` of the windows lie around places where `model` tells a thing and none is near.

        Returns how many places there are; without any, nothing changes.
        """
        places = []
        with (
            torch.inference_mode(),
            progress("look for false alarms", total=len(self._train), unit="frames") as advance,
        ):
            for start in range(0, len(self._train), 16):
                told = model(self.preprocess(torch.from_numpy(np.array(self._train.images[start : start + 16]))))
                scores = torch.sigmoid(_cell_logits(told)).numpy()
                things = np.array(self._train.thing[start : start + 16]) != 0
                near = functional.max_pool2d(torch.from_numpy(things)[:, None].float(), 3, 1, 1)[:, 0].numpy() > 0
                frames, rows, columns = np.nonzero((scores >= ALARM_SCORE) & ~near)
                places.append(np.stack([frames + start, rows, columns], axis=1))
                advance(len(things))
        found = np.concatenate(places)
        blocks = np.stack([found[:, 0], found[:, 1] // ALARM_BLOCK, found[:, 2] // ALARM_BLOCK], axis=1)
        self._alarms = found[np.unique(blocks, axis=0, return_index=True)[1]]
        self._alarm_share = share if len(self._alarms) else 0.0
        return len(self._alarms)

    def _window(self, rng: np.random.Generator) -> _Window:
        rows, columns = self._train.thing.shape[1:]
        if self._alarm_share and rng.random() < self._alarm_share:
            frame, row, column = (int(value) for value in self._alarms[rng.integers(len(self._alarms))])
            return self._cut_around(frame, row, column, rng)
        draw = rng.random()
        if draw < EVEN_CLASS_SHARE + ANY_THING_SHARE:
            pool = self._cells_of[rng.integers(len(self._cells_of))] if draw < EVEN_CLASS_SHARE else None
            index = rng.integers(len(self._cells)) if pool is None else pool[rng.integers(len(pool))]
            frame, row, column = (int(value) for value in self._cells[index])
            return self._cut_around(frame, row, column, rng)
        frame = int(rng.integers(len(self._train)))
        return self._cut_at(frame, int(rng.integers(rows)), int(rng.integers(columns)), rng)

    def _cut_around(self, frame: int, row: int, column: int, rng: np.random.Generator) -> _Window:
        """A window with that cell anywhere in it."""
        row, column = row - int(rng.integers(WINDOW_CELLS)), column - int(rng.integers(WINDOW_CELLS))
        return self._cut_at(frame, row, column, rng)

    def _cut_at(self, frame: int, row: int, column: int, rng: np.random.Generator) -> _Window:
        rows, columns = self._train.thing.shape[1:]
        row, column = min(max(row, 0), rows - WINDOW_CELLS), min(max(column, 0), columns - WINDOW_CELLS)
        image, targets = _cut(self._train, frame, row, column, mirrored=bool(rng.random() < 0.5))
        return image, targets, self._looks[frame]

    def preprocess(self, raw: Tensor) -> Tensor:
        return preprocessing.preprocessed(raw, self._task.input)

    def loss(self, answers: dict[str, Tensor], targets: Targets) -> Tensor:
        """Sum of the heads' losses, each by the number of cells it is about."""
        weights = {head.name: head.weight for head in self._task.heads}
        things = targets["thing"] == 1
        count = things.sum().clamp(min=1)
        kind = functional.cross_entropy(
            answers["kind"], targets["kind"].long(), ignore_index=IGNORED, reduction="sum", label_smoothing=0.02
        )
        apart = functional.smooth_l1_loss(answers["box"], targets["box"], beta=0.1, reduction="none")
        box = (apart * things[:, None] * (targets["box"] >= UNKNOWN / 2)).sum()
        floor = functional.cross_entropy(answers["floor"], targets["floor"].long(), ignore_index=IGNORED)
        focal = focal_loss(answers["thing"][:, 0], targets["thing"])
        dense = focal_loss(answers["mask"][:, 0], targets["mask"]) / (targets["mask"] == 1).sum().clamp(min=1)
        return (
            weights["thing"] * focal / count
            + weights["mask"] * dense
            + weights["kind"] * kind / count
            + weights["box"] * box / count
            + weights["floor"] * floor
        )

    def score(self, answers: Callable[[Tensor], dict[str, Tensor]]) -> dict[str, float]:
        """On whole validation frames: best F1 of contact cells, the threshold for the job, how well floors are told."""
        logits, truth, floor_right, floor_count = [], [], 0, 0
        for start in range(0, len(self._validation), 16):
            stop = min(start + 16, len(self._validation))
            told = answers(torch.from_numpy(np.array(self._validation.images[start:stop])))
            thing = np.array(self._validation.thing[start:stop])
            logits.append(_cell_logits(told).numpy()[thing != IGNORED])
            truth.append(thing[thing != IGNORED] == 1)
            floor = np.array(self._validation.floor[start:stop])
            floor_right += int((told["floor"].argmax(1).numpy() == floor)[floor != IGNORED].sum())
            floor_count += int((floor != IGNORED).sum())
        score, _ = best_f1(np.concatenate(logits), np.concatenate(truth))
        at = logit_of_precision(np.concatenate(logits), np.concatenate(truth), WANTED_PRECISION)
        return {
            "score": score,
            "cell_f1": score,
            "threshold_logit": at,
            "floor_accuracy": floor_right / max(floor_count, 1),
        }


def _cell_logits(answers: dict[str, Tensor]) -> Tensor:
    """(B, R, C): a cell counts by the weaker of its contact and of what is seen in it or beside it, as on the robot."""
    seen = functional.max_pool2d(answers["mask"], 3, 1, 1)[:, 0]
    return torch.minimum(answers["thing"][:, 0], seen)


def _cut(
    arrays: grid_cache.GridArrays, frame: int, row: int, column: int, *, mirrored: bool
) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    top, left, side = row * STRIDE_PX, column * STRIDE_PX, WINDOW_CELLS * STRIDE_PX
    rows, columns = slice(row, row + WINDOW_CELLS), slice(column, column + WINDOW_CELLS)
    image = arrays.images[frame, top : top + side, left : left + side]
    targets: dict[str, NDArray[Any]] = {
        "thing": arrays.thing[frame, rows, columns],
        "kind": arrays.kind[frame, rows, columns],
        "box": arrays.box[frame, :, rows, columns],
        "floor": arrays.floor[frame, rows, columns],
        "mask": arrays.mask[frame, rows, columns],
    }
    if mirrored:
        image = image[:, ::-1]
        targets = {name: values[..., ::-1].copy() for name, values in targets.items()}
        targets["box"][0] = 1 - targets["box"][0]
    return np.ascontiguousarray(image), targets


def focal_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Summed over cells that are not IGNORED; easy cells weigh little (RetinaNet, gamma 2)."""
    truth = (targets == 1).float()
    known = (targets != IGNORED).float()
    plain = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    right = torch.exp(-plain)
    return ((1 - right) ** 2 * plain * known).sum()


def logit_of_precision(logits: NDArray[Any], truth: NDArray[Any], wanted: float) -> float:
    """The lowest logit from which on at least `wanted` of the cells told are right; the highest when none is."""
    order = np.argsort(-logits, kind="stable")
    right = np.cumsum(truth[order])
    enough = np.flatnonzero(right >= wanted * np.arange(1, len(order) + 1))
    return float(logits[order][enough[-1] if len(enough) else 0])


def best_f1(logits: NDArray[Any], truth: NDArray[Any]) -> tuple[float, float]:
    """Highest F1 over all thresholds, and the logit where it is reached."""
    order = np.argsort(-logits, kind="stable")
    right = np.cumsum(truth[order])
    told = np.arange(1, len(order) + 1)
    f1 = 2 * right / (told + max(int(truth.sum()), 1))
    best = int(f1.argmax())
    return float(f1[best]), float(logits[order][best])
