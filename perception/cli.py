"""The verbs of `perception`; heavy imports stay inside them."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, no bar.")]
DataDir = Annotated[Path, typer.Option("--data", help="Folder of samples, split or not.")]
OutDir = Annotated[Path, typer.Option("--out", help="Folder to write.")]
BundleDir = Annotated[Path, typer.Option("--bundle", help="Folder of the trained bundle.")]
RANGE_MAX_M = 1.2


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    app.command("train")(train)
    app.command("tune")(tune)
    app.command("predict")(predict)
    app.command("serve")(serve)
    data = typer.Typer(help="Samples: clean, check, split, export.", no_args_is_help=True)
    data.command("clean")(clean)
    data.command("check")(check)
    data.command("split")(split)
    data.command("export")(export)
    app.add_typer(data, name="data")


def train(
    task: Annotated[str, typer.Argument(help="obstacles, floor_surface")],
    data: DataDir,
    out: OutDir,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.01, help="Steps are planned for this long on two plain cores; else the task says."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Exactly so many steps, instead of minutes.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Everything is drawn from it.")] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    learning_rate: Annotated[float | None, typer.Option(min=1e-6, help="A tenth of it on base weights.")] = None,
    weight_decay: Annotated[float | None, typer.Option(min=0, help="Of AdamW; else the task says.")] = None,
    base: Annotated[
        str, typer.Option(help="Begin from 'shipped' weights, from 'scratch', or an earlier run's file.")
    ] = ("shipped"),
    false_alarms: Annotated[
        float, typer.Option(min=0, max=0.9, help="Share of windows around false alarms of the base; frames only.")
    ] = 0.0,
    tracking_uri: Annotated[str | None, typer.Option(help="MLflow server; default is OUT/mlflow.db.")] = None,
    artifacts: Annotated[
        str | None,
        typer.Option(help="URI for MLflow's files, such as s3://bucket/folder; default is beside its database."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train a task's network; the bundle is OUT/bundle. Started again, a killed run goes on."""
    from foundation import progress
    from perception import tracked_training
    from perception.tasks.registry import task_named
    from perception.train import settings_of

    settings = settings_of(
        task_named(task), seed=seed, minutes=minutes, steps=steps, threads=threads, learning_rate=learning_rate,
        weight_decay=weight_decay, base=base, false_alarm_share=false_alarms,
    )  # fmt: skip
    bars = progress.silent if as_json else progress.bars
    report = tracked_training.run(
        task, data, out, settings, tracking_uri=tracking_uri, artifacts=artifacts, progress=bars
    )
    told = {
        "bundle": str(report.bundle.folder),
        "precision": report.precision,
        "size_bytes": report.size_bytes,
        "steps": report.steps,
        "resumed_at": report.resumed_at,
        "duration_s": round(report.duration_s, 1),
        "scores": dict(report.scores),
    }
    if as_json:
        print(json.dumps(told))
        return
    if report.resumed_at:
        print(f"resumed at step {report.resumed_at} of {report.steps}")
    print(f"{report.bundle.folder}: {report.precision}, {report.size_bytes / 1e3:.0f} kB, {report.duration_s:.0f} s")
    print("  ".join(f"{name} {value:.4f}" for name, value in sorted(report.scores.items())))


def tune(
    task: Annotated[str, typer.Argument(help="obstacles, floor_surface")],
    data: DataDir,
    out: OutDir,
    trials: Annotated[
        int, typer.Option(min=1, help="Altogether; those of an earlier call on the same data, steps and seed count.")
    ] = 20,
    steps: Annotated[int, typer.Option(min=1, help="Of each trial.")] = 150,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    as_json: AsJson = False,
) -> None:
    """Search learning rate and weight decay as `train` would run the task; OUT/tune.db keeps all trials."""
    import dataclasses

    from foundation import progress
    from perception import tune as search
    from perception.tasks.registry import task_named
    from perception.train import settings_of

    settings = settings_of(task_named(task), seed=seed, steps=steps, threads=threads)
    bars = progress.silent if as_json else progress.bars
    found = search.tune(task, data, out, settings, trials=trials, progress=bars)
    told = dataclasses.asdict(found)
    if as_json:
        print(json.dumps(told))
        return
    print("\n".join(f"{name}: {value}" for name, value in told.items()))
    best = found.settings
    print(f"oxturn train {task} --learning-rate {best.learning_rate:g} --weight-decay {best.weight_decay:g} ...")


def predict(
    bundle: BundleDir,
    paths: Annotated[list[Path], typer.Argument(help="Images.")],
    min_score: Annotated[float | None, typer.Option(min=0, max=1)] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a bundle about images: one line each."""
    from perception.prediction import predictor

    ask = predictor(bundle, min_score=min_score, range_max_m=RANGE_MAX_M)
    for path in paths:
        answer = ask(path)
        print(json.dumps(answer) if as_json else f"{answer.pop('path')}: {json.dumps(answer)}")


def serve(
    bundle: BundleDir,
    host: Annotated[str, typer.Option(help="Loopback unless you know who can reach it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8077,
    min_score: Annotated[float | None, typer.Option(min=0, max=1)] = None,
) -> None:
    """REST inference of a bundle: /predict, /health, /metrics, /docs."""
    from perception import serve as service

    print(f"http://{host}:{port}/docs", flush=True)
    service.serve(bundle, host=host, port=port, min_score=min_score, range_max_m=RANGE_MAX_M)


def clean(data: DataDir, out: OutDir, as_json: AsJson = False) -> None:
    """Keep sound samples; the others go to OUT's quarantine with the reason."""
    import dataclasses

    from foundation import progress
    from perception import quality

    report = quality.clean(data, out, progress=progress.silent if as_json else progress.bars)
    told = dataclasses.asdict(report)
    print(json.dumps(told) if as_json else "\n".join(f"{name}: {value}" for name, value in told.items()))


def check(data: DataDir, as_json: AsJson = False) -> None:
    """Hold a folder of samples against docs/data_format.md."""
    from perception import sample_format
    from perception.errors import SampleError

    problems = sample_format.check(data)
    if as_json:
        print(json.dumps({"data": str(data), "problems": problems}))
    elif not problems:
        print(f"{data}: sound")
    if problems:
        raise SampleError("; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else ""))


def split(
    data: DataDir,
    out: OutDir,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    validation: Annotated[float, typer.Option(min=0, max=1, help="Share of the groups.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=1, help="Share of the groups.")] = 0.1,
    as_json: AsJson = False,
) -> None:
    """Cut samples into train, validation and test by whole groups."""
    import dataclasses

    from foundation import progress
    from perception import dataset

    fractions = (1 - validation - test, validation, test)
    bars = progress.silent if as_json else progress.bars
    report = dataset.split(data, out, seed=seed, fractions=fractions, progress=bars)
    told = dataclasses.asdict(report)
    print(json.dumps(told) if as_json else f"{out}: {told['samples']} samples, {told['groups']} groups")


def export(
    data: DataDir,
    out: OutDir,
    kind: Annotated[Literal["coco", "yolo", "csv"], typer.Option("--format", help="csv holds the LIDAR's turns.")],
    as_json: AsJson = False,
) -> None:
    """Write samples in a format that other tools open."""
    from foundation import progress
    from perception import exports

    count = exports.export(data, out, kind, progress=progress.silent if as_json else progress.bars)
    told = {"samples": count, "format": kind, "out": str(out)}
    print(json.dumps(told) if as_json else f"{count} samples as {kind} in {out}")
