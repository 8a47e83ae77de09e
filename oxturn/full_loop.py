"""The whole loop on one page: what `oxturn demo` runs, on one plain computer, with no account, GPU or ROS.

In: a folder, a seed, minutes. Out: a report, and a verdict of figures beside their thresholds. Each step is a resumable
stage (`oxturn.stages`): the same folder given again goes on where the last run ended. What can fail: a step, with one
line that says what; a figure that falls short makes a verdict that has not passed, not an error.
"""

from dataclasses import asdict
from pathlib import Path

from foundation.progress import ProgressFactory
from oxturn import loop_steps as steps
from oxturn.loop_settings import LoopSettings
from oxturn.stages import Stages
from oxturn.verdict import JobFigures, Verdict, judge_loop


def full_loop(out: Path, settings: LoopSettings, progress: ProgressFactory) -> Verdict:
    """Rooms, samples, model, bundle, delivery, two runs in an unseen room, report."""
    told = asdict(settings)
    stages = Stages(out)
    captured = stages.run(
        "1-captured", pick(told, "seed", "rooms", "frames"), lambda to: steps.capture(to, settings, progress)
    )
    cleaned = stages.run("2-cleaned", {}, lambda to: steps.clean(captured.folder, to, progress), after=(captured,))
    split = stages.run(
        "3-split", pick(told, "seed"), lambda to: steps.split(cleaned.folder, to, settings, progress), after=(cleaned,)
    )
    model = stages.run(
        "4-model",
        pick(told, "seed", "train_minutes"),
        lambda to: steps.train(split.folder, to, settings, progress),
        after=(split,),
    )
    published = stages.run("5-published", {}, lambda to: steps.publish(model.folder / "bundle", to), after=(model,))
    robot = stages.run("6-robot", {}, lambda to: steps.deliver(published.folder, to, progress), after=(published,))
    driven = stages.run(
        "7-driven",
        pick(told, "seed", "unseen_rooms", "small_objects"),
        lambda to: steps.drive_twice(robot.folder, to, settings, progress),
        after=(robot,),
    )
    verdict = judge_loop(
        JobFigures.of(driven.facts["lidar_only"]), JobFigures.of(driven.facts["with_model"]), model.facts, driven.facts
    )
    steps.report(out, stages.finished, verdict)
    return verdict


def pick(told: dict[str, object], *names: str) -> dict[str, object]:
    """What a stage depends on."""
    return {name: told[name] for name in names}
