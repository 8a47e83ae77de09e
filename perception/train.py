"""Training on one page: batch, forward, loss, step, validate, keep the best. What is learnt and how is the learner's.

Equal seeds and settings give equal steps whatever the machine's speed: `minutes` only says how many steps to plan. A
killed run goes on from its checkpoint exactly where it was (bit-equal on one thread); a checkpoint made from other
data, another base or other settings is not taken up.
"""

import copy
import io
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from foundation import atomic_files
from foundation.progress import ProgressFactory
from perception import base_weights
from perception.errors import TrainingError
from perception.tasks.task import Task

CHECKPOINT = "checkpoint.pt"
STEPS_PER_MINUTE_BATCH = 8
STEPS_PER_MINUTE = 960  # of 8 windows, .1 s of processor time each, on two free cores; a plan, not a promise
EMA_DECAY = 0.995
REFINING = 0.1  # of the learning rate: a run that begins from base weights keeps what they know


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How long and how; everything that a run's result depends on besides its data."""

    seed: int = 0
    minutes: float = 3.0
    steps: int | None = None  # instead of minutes
    batch: int = 8  # for the same windows twice the steps of 16
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    validations: int = 4  # spread over the run; the best is kept
    checkpoint_every: int = 100
    threads: int = 2
    base: str = base_weights.SHIPPED  # or SCRATCH, or the path of an earlier run's weights
    false_alarm_share: float = 0.0  # of the windows, around false alarms that the base makes on the training part

    @property
    def planned_steps(self) -> int:
        if self.steps is not None:
            return self.steps
        return max(int(self.minutes * STEPS_PER_MINUTE * STEPS_PER_MINUTE_BATCH / self.batch), 1)


@dataclass(frozen=True, slots=True)
class Epoch:
    """What `on_epoch` is told after each validation."""

    step: int
    loss: float  # mean since the last one
    scores: dict[str, float]
    best: bool


@dataclass(frozen=True, slots=True)
class TrainResult:
    """The best network seen, on the validation set."""

    model: nn.Module
    scores: dict[str, float]
    epochs: tuple[Epoch, ...]
    resumed_at: int


class Learner(Protocol):
    """One kind of task: its batches, loss and score (the higher `score` the better)."""

    @property
    def size(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...  # of all that is learnt from and scored on: other data, another one
    def model(self) -> nn.Module: ...
    def batch(self, step_seed: tuple[int, int], size: int) -> tuple[Tensor, dict[str, Tensor]]: ...
    def loss(self, answers: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor: ...
    def preprocess(self, raw: Tensor) -> Tensor: ...
    def score(self, answers: Callable[[Tensor], dict[str, Tensor]]) -> dict[str, float]: ...


def fit(
    learner: Learner,
    work_dir: Path,
    settings: TrainSettings,
    *,
    progress: ProgressFactory,
    on_epoch: Callable[[Epoch], None],
    base: Path | None = None,
) -> TrainResult:
    """The loop, from the weights in `base` or from nothing. Its checkpoint stays until `forget`.

    Raises:
        TrainingError: the loss is no number, or `base` holds another network's weights.
    """
    torch.set_num_threads(settings.threads)
    run = _Run.start(learner, settings, base)
    resumed_at = run.resume(work_dir / CHECKPOINT)
    steps = settings.planned_steps
    every = max(steps // settings.validations, 1)
    if base is not None and not resumed_at:
        on_epoch(run.validate(learner, 0))  # what the base knows already is delivered when no step betters it
    with progress("train", total=steps, unit="steps") as advance:
        advance(resumed_at)
        for step in range(resumed_at, steps):
            inputs, targets = learner.batch((settings.seed, step), settings.batch)
            loss = learner.loss(run.model(inputs), targets)
            run.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            run.step(step, steps, float(loss.detach()))
            if (step + 1) % every == 0 or step + 1 == steps:
                on_epoch(run.validate(learner, step + 1))
            if (step + 1) % settings.checkpoint_every == 0:
                run.save(work_dir / CHECKPOINT, step + 1)
            advance(1)
    return TrainResult(run.best_model(), run.best_scores, tuple(run.epochs), resumed_at)


def forget(work_dir: Path) -> None:
    """What came of the run is delivered: the next one in this folder begins anew."""
    (work_dir / CHECKPOINT).unlink(missing_ok=True)


def rate_at(step: int, steps: int, peak: float) -> float:
    """Learning rate: a short rise, then half a cosine to nearly nothing."""
    rise = max(min(steps // 20, 100), 1)
    if step < rise:
        return peak * (step + 1) / rise
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(steps - rise, 1))))


class _Run:
    """Everything that changes during training and must survive a kill."""

    def __init__(self, model: nn.Module, settings: TrainSettings, peak_rate: float, made_from: dict[str, Any]) -> None:
        self.settings = settings
        self.made_from = made_from
        self.peak_rate = peak_rate
        self.model = model
        self.average = copy.deepcopy(model).eval()
        decayed = [p for p in model.parameters() if p.ndim > 1]
        plain = [p for p in model.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": plain, "weight_decay": 0.0}],
            lr=peak_rate,
        )
        self.best: dict[str, Tensor] = {}
        self.best_scores: dict[str, float] = {"score": -math.inf}
        self.epochs: list[Epoch] = []
        self.losses: list[float] = []

    @staticmethod
    def start(learner: Learner, settings: TrainSettings, base: Path | None) -> "_Run":
        torch.manual_seed(settings.seed)
        model = learner.model()
        if base is not None:
            base_weights.begin(model, base_weights.read(base), str(base))
        peak_rate = settings.learning_rate * (1.0 if base is None else REFINING)
        made_from = {
            "settings": asdict(settings),
            "data": learner.fingerprint,
            "base": base_weights.digest(base),
        }
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return _Run(model.train(), settings, peak_rate, made_from)

    def step(self, step: int, steps: int, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingError(f"loss is {loss} at step {step} of {steps}; lower --learning-rate or look at the data")
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(step, steps, self.peak_rate)
        nn.utils.clip_grad_norm_(self.model.parameters(), 10.0)
        self.optimiser.step()
        self.losses.append(loss)
        decay = min(EMA_DECAY, (step + 1) / (step + 10))
        with torch.no_grad():
            for averaged, value in zip(self.average.state_dict().values(), self.model.state_dict().values()):
                if averaged.is_floating_point():
                    averaged.lerp_(value, 1 - decay)
                else:
                    averaged.copy_(value)

    def validate(self, learner: Learner, step: int) -> Epoch:
        with torch.inference_mode():
            scores = learner.score(lambda raw: self.average(learner.preprocess(raw)))
        better = scores["score"] > self.best_scores["score"]
        if better:
            self.best = {name: value.clone() for name, value in self.average.state_dict().items()}
            self.best_scores = scores
        epoch = Epoch(step, sum(self.losses) / max(len(self.losses), 1), scores, better)
        self.epochs.append(epoch)
        self.losses = []
        return epoch

    def best_model(self) -> nn.Module:
        model = copy.deepcopy(self.average)
        model.load_state_dict(self.best)
        return model.eval()

    def save(self, path: Path, step: int) -> None:
        state = {
            "step": step,
            "made_from": self.made_from,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "best": self.best,
            "best_scores": self.best_scores,
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "losses": self.losses,
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        atomic_files.write_bytes(path, buffer.getvalue())

    def resume(self, path: Path) -> int:
        """Step to go on with; 0 when there is no checkpoint of these very settings, data and base."""
        if not path.exists():
            return 0
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True)
        except Exception as error:  # torch raises whatever pickle and zip do
            raise TrainingError(f"{path}: not a checkpoint ({error}); remove it to start anew") from error
        if state.get("made_from") != self.made_from:
            return 0
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.best, self.best_scores, self.losses = state["best"], state["best_scores"], state["losses"]
        self.epochs = [Epoch(**epoch) for epoch in state["epochs"]]
        return int(state["step"])


def settings_of(task: Task, **said: Any) -> TrainSettings:
    """What is said, None being nothing; for the rest what the task asks for, then the defaults."""
    known = {name: value for name, value in said.items() if value is not None}
    asked = asdict(task.schedule) if task.schedule is not None else {}
    if "minutes" in known:
        asked.pop("steps", None)
    return TrainSettings(**{**asked, **known})


def task_settings(task: Task, settings: TrainSettings) -> dict[str, Any]:
    """What a tracker and the bundle's manifest should remember."""
    return {"task": task.name, "width": task.width, **asdict(settings)}
