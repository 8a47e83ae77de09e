"""The report of the full loop: which pictures and tables, in which order, from what the stages left."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from oxturn.report import driven_run, pictures
from oxturn.report.driven_run import DrivenRun
from oxturn.report.page import Picture, Section, Table, shown
from oxturn.report.page import write as write_page
from oxturn.stages import Stage
from oxturn.verdict import Verdict

NAMES = {"lidar_only": "LIDAR alone", "with_model": "with the delivered model"}
FRAMES_SHOWN = 6
PAGE = "report.html"
PICTURES = "pictures"


def write(out: Path, stages: Mapping[str, Stage], verdict: Verdict) -> Path:
    """The PAGE in `out`; its pictures, which it holds too, as files in PICTURES."""
    runs = [driven_run.load(stages["driven"].folder / key, name) for key, name in NAMES.items()]
    folder = out / PICTURES
    pictures.side_by_side(runs, folder / "both-runs.png")
    sections = [
        Section(
            "One unseen room, twice",
            "The same room, by LIDAR alone and with the model that was just trained and delivered. Its furniture, "
            "small objects and textures are none that training has seen. Red things were hit, green ones spared.",
            _jobs(runs),
            [Picture(pictures.driven_path(run, folder / f"path-{_slug(run)}.png"), _told(run)) for run in runs],
        ),
        Section(
            "What was covered",
            "Swept by the true tool, as the simulator knows it.",
            pictures=[Picture(pictures.coverage(run, folder / f"coverage-{_slug(run)}.png"), run.name) for run in runs],
        ),
        Section("What the robot believed", pictures=_beliefs(runs, folder)),
        Section("What the camera model saw", pictures=_frames(runs[-1])),
        Section("The model", "Measured on rooms of the test part, none of them trained on.", *_model(stages["model"])),
        Section("How long the loop's stages take", pictures=_timings(runs, folder)),
        Section("From seed to robot", "", _steps(stages)),
    ]
    lead = f"Seed {_seed(stages)}: rooms drawn, a model trained on samples of them, signed, delivered, put to work."
    return write_page(out / PAGE, "Oxturn: the whole loop", lead, verdict, sections)


def _jobs(runs: Sequence[DrivenRun]) -> Table:
    def row(run: DrivenRun) -> tuple[str, ...]:
        score = run.score
        return (
            run.name,
            f"{100 * score['coverage_ratio']:.1f} %",
            f"{score['small_objects_hit']} of {score['small_objects']}",
            str(score["collisions"]),
            shown(round(score["duration_s"]), "s"),
            shown(round(score["path_length_m"], 1), "m"),
            f"{100 * score['localisation_error_m']:.1f} cm",
        )

    return Table(("run", "covered", "hit", "collisions", "time", "driven", "pose p95"), [row(run) for run in runs])


def _told(run: DrivenRun) -> str:
    return f"{run.name}: {run.score['small_objects_hit']} of {run.score['small_objects']} small objects hit"


def _beliefs(runs: Sequence[DrivenRun], folder: Path) -> list[Picture]:
    drawn = [(run, pictures.map_over_truth(run, folder / f"map-{_slug(run)}.png")) for run in runs]
    return [Picture(path, f"{run.name}: the robot's walls over the true room") for run, path in drawn if path]


def _timings(runs: Sequence[DrivenRun], folder: Path) -> list[Picture]:
    drawn = [(run, pictures.loop_timings(run, folder / f"timings-{_slug(run)}.png")) for run in runs]
    return [Picture(path, f"{run.name}, on this machine") for run, path in drawn if path]


def _frames(run: DrivenRun) -> list[Picture]:
    frames = sorted((run.folder / "robot" / "detections").glob("*.jpg"))
    spread = frames[:: max(len(frames) // FRAMES_SHOWN, 1)][:FRAMES_SHOWN]
    return [Picture(path, "boxes where the model saw a small object") for path in spread]


def _model(stage: Stage) -> tuple[Table, list[Picture]]:
    facts = stage.facts
    rows = [(name, shown(value) if isinstance(value, int | float) else str(value)) for name, value in facts.items()]
    plain = [(name, value) for name, value in rows if not value.startswith(("{", "["))]
    drawn = sorted(stage.folder.glob("*.png")) + sorted((stage.folder / "plots").glob("*.png"))
    return Table(("figure", "value"), plain), [Picture(path, path.stem.replace("_", " ")) for path in drawn]


def _steps(stages: Mapping[str, Stage]) -> Table:
    def told(facts: Mapping[str, Any]) -> str:
        kept = {name: value for name, value in facts.items() if not isinstance(value, dict | list)}
        return json.dumps(kept)[1:-1].replace('"', "")

    rows = [(stage.name, shown(round(stage.duration_s, 1), "s"), told(stage.facts)[:240]) for stage in stages.values()]
    return Table(("step", "took", "told"), rows)


def _seed(stages: Mapping[str, Stage]) -> str:
    room = json.loads((stages["driven"].folder / "room.json").read_text(encoding="utf-8"))
    return str(room["seed"])


def _slug(run: DrivenRun) -> str:
    return run.name.replace(" ", "-").lower()
