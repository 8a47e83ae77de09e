"""The robot's daemon: composes the loop with a host, the delivered model, metrics, recording and updates.

Host-agnostic: `serve` drives whatever RobotIO it is given (the Pi's, a simulator's) with whatever Background. `main` is
the Pi's program. However it ends, the motors are told to stop first.
"""

import logging
import os
import platform
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry

from deploy import ota_updater, software_watch
from deploy.clock import MachineClock
from deploy.live_trial import daemon_on
from deploy.model_runner import Answer, Model, ModelRunner, run_guarded
from deploy.robot_home import on_this_machine
from deploy.software_watch import SoftwareWatch
from deploy.systemd_notify import notify
from deploy.trial_watch import Loader, ModelInUse, TrialWatch, in_use
from deploy.update_rules import UpdateState
from deploy.warm_up import warm_up
from foundation.errors import OxturnError
from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig, load
from foundation.settled_memory import settled_memory
from foundation.thread_switches import quick_switches
from monitoring.live_state import FloorObject
from monitoring.metrics_server import MetricsServer, serve_metrics
from monitoring.prometheus_metrics import RobotMetrics
from monitoring.robot_watch import RobotWatch, watching
from monitoring.run_folder import RunFolder, plain
from monitoring.run_log import RunLog, RunLogSettings
from monitoring.stage_times import StageTimes
from navigation.background import Background, ThreadBackground
from navigation.job import Job
from navigation.job import load as load_job
from navigation.robot_io import RobotIO
from navigation.robot_loop import TickReport, run
from navigation.stages import Stages, build
from perception.labels import SMALL_OBJECTS
from perception.observation import Frame, Observation

logger = logging.getLogger(__name__)

LINGER_STEP_S: Final = 0.5  # well within the unit's WatchdogSec
EVERY_SECOND: Final = 10  # ticks
TOKEN_VARIABLE: Final = "OXTURN_MONITORING_TOKEN"  # for metrics and live page beyond loopback
UPDATE_NAMES: Final = {  # an outcome -> its name in the metrics
    "confirmed": "installed",
    "failed": "failed",
    "rolled_back": "rolled_back",
    "rollback_failed": "rollback_failed",
}
BackgroundFactory = Callable[[str], Background]


@dataclass(frozen=True, slots=True)
class Folders:
    """`home` holds updates (None: LIDAR alone), `state` what a job resumes from, `out` what a run leaves behind."""

    home: Path | None
    state: Path
    out: Path


@dataclass(frozen=True, slots=True)
class ServeSummary:
    """How a run ended; `software_changed`: to be started again, from the slot that an update switched to."""

    ticks: int
    model_fault: str | None
    stopped_from_outside: bool
    software_changed: bool = False


def serve(
    robot: RobotIO,
    config: RobotConfig,
    folders: Folders,
    *,
    background: BackgroundFactory,
    load_model: Loader,
    stop: threading.Event,
    on_tick: Callable[[TickReport], None] = lambda report: None,
    epoch_s: float = 0.0,
    first_model: Model | None = None,
    job: Job | None = None,
    called_home: threading.Event | None = None,
    linger_s: float = 0.0,
) -> ServeSummary:
    """Drives until the job is done, the host ends the run, or `stop` is set.

    `first_model` is for measuring without a home; with one the delivered bundle is what runs. Without a `job` the
    unfinished one is gone on with, or the whole floor covered. `called_home`: leave the rest, drive back and end.
    `linger_s`: how long the metrics may outlive a run that ended well, with everything else closed.
    """
    left = RunFolder(folders.out)

    def on_event(text: str) -> None:
        logger.info(text)
        left.on_event(text)

    stages = build(config, background=background, state_dir=folders.state, job=job, on_event=on_event)
    metrics = RobotMetrics(registry := CollectorRegistry())
    token = os.environ.get(TOKEN_VARIABLE)
    times, ticks = StageTimes(metrics.on_stage), 0
    metrics.on_job(True)  # from the first scrape on: a daemon that dies early was at work
    with ExitStack() as listening, ExitStack() as stack:
        found = _state(folders.home)
        first, told = (first_model, None) if first_model is not None else _first_model(folders.home, load_model)
        if told is not None:
            metrics.on_model(told.version, told.sha256)
        runner = ModelRunner(first, background("detector"), background("shadow"), _guarded)
        watch = _watch(stack, folders.home, runner, load_model, background, config, found)
        software = _software_watch(folders.home, background, config, metrics)
        server = listening.enter_context(
            serve_metrics(registry, config.monitoring.host, config.monitoring.port, token=token)
        )
        left.announce(server.url)
        page = stack.enter_context(
            watching(
                config,
                metrics,
                folders.state / "feedback",
                background("feedback"),
                name=platform.node(),
                reference={} if told is None else told.reference,
                view_port=config.monitoring.view_port,
                token=token,
                epoch_s=epoch_s,
            )
        )
        if watch is not None:
            watch.on_update = lambda ended: metrics.on_update(UPDATE_NAMES[ended.outcome.result], ended.took_s)
            watch.on_model = lambda model: _another_model(model, metrics, page)
        log_folder, settings = folders.out / "log", RunLogSettings()
        if stages.keeper is not None:
            keeper = stages.keeper
            stack.callback(lambda: keeper.end(stages.planner.report().over))
        log = stack.enter_context(RunLog(log_folder, config.lidar, config.camera, settings, epoch_s=epoch_s))

        def report(tick: TickReport) -> None:
            nonlocal ticks
            ticks += 1
            metrics.on_tick(tick)
            log.on_tick(tick)
            left.on_tick(tick)
            page.on_tick(tick)
            if stages.keeper is not None:
                stages.keeper.on_tick(tick.estimate)
            if called_home is not None and called_home.is_set():
                stages.planner.return_to_start()
            if ticks % EVERY_SECOND == 0:
                _tell(stages, metrics, log, page)
            if watch is not None:
                watch.tick()
            if software is not None:
                software.tick()
                if software.restart_wanted:
                    stop.set()
            notify("WATCHDOG=1")
            on_tick(tick)

        stack.enter_context(settled_memory())
        stack.enter_context(quick_switches())
        notify("READY=1")
        run(
            _Stoppable(robot, stop),
            times.localiser(stages.localiser),
            times.detector(runner),
            times.room(stages.room),
            times.planner(stages.planner),
            times.limiter(stages.limit),
            times.on_tick(report),
        )
        metrics.on_job(False)
        if stop.is_set():
            notify("STOPPING=1")
        else:
            listening.callback(_linger, server, stop, linger_s)  # once all else is closed and the home is free
        if software is not None and not stop.is_set():
            software.ended_well()
    changed = software is not None and software.restart_wanted
    summary = ServeSummary(ticks, runner.fault, stop.is_set(), changed)
    status = _status(summary, stages, runner)
    left.finish(times.summary_json(), status, list(stages.room.objects()), stages.localiser.static_map)
    return summary


def _linger(server: MetricsServer, stop: threading.Event, linger_s: float) -> None:
    """Lets one more scrape see that no job is active: a robot that ends in the middle of one pages. Wheels stand still.

    Where nobody ever scraped, nobody is waited for.
    """
    before, left_s = server.scrapes, linger_s
    while before and left_s > 0 and not stop.is_set():
        notify("WATCHDOG=1")
        if server.scraped_after(before, min(left_s, LINGER_STEP_S)):
            break
        left_s -= LINGER_STEP_S
    notify("STOPPING=1")


def _status(summary: ServeSummary, stages: Stages, runner: ModelRunner) -> dict[str, Any]:
    """What status.json tells of a run that has ended."""
    covering = stages.planner.report()
    return {
        **plain(summary),
        "finished": covering.over,
        "coverage_ratio": stages.room.coverage_ratio(),
        "covering": plain(covering),
        "has_model": runner.has_model,
    }


def _tell(stages: Stages, metrics: RobotMetrics, log: RunLog, page: RobotWatch) -> None:
    """What changes slowly, once a second."""
    room, still = stages.room, stages.localiser.static_map
    ratio, covered, route = room.coverage_ratio(), room.covered(), stages.planner.route_ahead
    metrics.on_coverage(ratio, float(covered.sum()) * still.geometry.cell_m**2)
    log.on_map(still.cells, still.geometry)
    log.on_plan([Pose2D(x_m, y_m, 0.0) for x_m, y_m in route.tolist()])
    page.on_second(
        cells=still.cells,
        geometry=still.geometry,
        covered=covered,
        route=route,
        objects=[FloorObject(one.x_m, one.y_m, one.radius_m, _class_name(one.class_id)) for one in room.objects()],
        coverage_ratio=ratio,
    )


def _class_name(class_id: int) -> str:
    return SMALL_OBJECTS[class_id] if 0 <= class_id < len(SMALL_OBJECTS) else "unknown"


def _another_model(model: ModelInUse, metrics: RobotMetrics, page: RobotWatch) -> None:
    metrics.on_model(model.version, model.sha256)
    page.on_model(model.reference)


def main(config_path: Path | None, home: Path | None = None, job_path: Path | None = None) -> None:
    """The Pi's program: `oxturn robotd --config robot.toml --job job.toml`."""
    from deploy.hardware_robot import HardwareRobot

    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    config = load(config_path)
    job = None if job_path is None else load_job(job_path)
    folder = home or config.updates.home
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    called_home = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: called_home.set())
    warm_up(config)  # before the wheels are powered and the watchdog counts
    with HardwareRobot(config) as robot:
        ended = serve(
            robot,
            config,
            Folders(folder, folder / "job", folder / "run"),
            background=ThreadBackground,
            load_model=detector_loader(config),
            stop=stop,
            epoch_s=time.time() - time.monotonic(),
            job=job,
            called_home=called_home,
            linger_s=config.monitoring.linger_s,
        )
    if ended.software_changed:
        raise SystemExit(software_watch.RESTART_EXIT)  # the job is unfinished: the next start goes on with it


def detector_loader(config: RobotConfig) -> Loader:
    """Loads a bundle as the robot's detector."""

    def load_bundle(bundle_dir: Path) -> Model:
        from perception.obstacle_detector import ObstacleDetector

        return ObstacleDetector(
            bundle_dir,
            min_score=config.detector.min_score,
            camera=config.camera.pinhole(),
            range_max_m=config.detector.range_max_m,
        )

    return load_bundle


class _Stoppable:
    """Ends the run at the next tick once `stop` is set; the loop then stops the motors before anything else."""

    def __init__(self, robot: RobotIO, stop: threading.Event) -> None:
        self._robot = robot
        self._stop = stop
        self.drive = robot.drive

    def observations(self) -> Iterator[Observation]:
        for observation in self._robot.observations():
            if self._stop.is_set():
                return
            yield observation


def _state(home: Path | None) -> UpdateState | None:
    """As this start finds it, before anything is settled."""
    return None if home is None else on_this_machine(home).load_state()


def _first_model(home: Path | None, load_model: Loader) -> tuple[Model, ModelInUse] | tuple[None, None]:
    """The delivered bundle, compared with its signed target; without one the robot goes on its LIDAR alone."""
    if home is None:
        return None, None
    try:
        slot = ota_updater.slot_to_run(home)
        installed = on_this_machine(home)
        return load_model(installed.slots.bundle_dir(slot)), in_use(installed, slot)
    except OxturnError as error:  # no trusted bundle, or one that this machine cannot run
        logger.warning("%s", error)
        return None, None


def _watch(
    stack: ExitStack,
    home: Path | None,
    runner: ModelRunner,
    load_model: Loader,
    background: BackgroundFactory,
    config: RobotConfig,
    found: UpdateState | None,
) -> TrialWatch | None:
    if home is None:
        return None
    deadline_s = config.updates.confirm_within_s
    stack.enter_context(daemon_on(home, deadline_s))
    return TrialWatch(home, runner, load_model, background("updates"), MachineClock(), deadline_s, found)


def _software_watch(
    home: Path | None, background: BackgroundFactory, config: RobotConfig, metrics: RobotMetrics
) -> SoftwareWatch | None:
    """None where this process runs from no slot: a clone, a container, a simulated robot."""
    slot = None if home is None else software_watch.own_slot(home)
    if home is None or slot is None:
        return None
    metrics.on_software(slot)
    return SoftwareWatch(home, slot, background("software"), MachineClock(), config.updates.software_healthy_s)


def _guarded(model: Model, frame: Frame) -> Answer:
    return run_guarded(model, frame, (Exception,))  # a model may raise anything; the robot goes on without it
