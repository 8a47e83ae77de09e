"""One scored coverage run: the world and its judge here, the robot as a process of its own, joined by Webots' API.

The robot's process gets a socket and its own configuration, nothing else; scores come from the engine's truth. All
three advance in lock-step, so equal seeds give equal runs however fast the machine is.
"""

import io
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foundation import atomic_files
from foundation.geometry import FloatArray, Pose2D
from foundation.out_folder import require_folder
from foundation.progress import ProgressFactory, silent
from foundation.robot_config import RobotConfig
from perception.labels import SMALL_OBJECTS
from simulation.errors import RunError
from simulation.judge import Judge, localisation_errors
from simulation.movement import Movement
from simulation.mujoco_world import build
from simulation.room_spec import Room
from simulation.sample_labels import ObjectGeometry
from simulation.standin import slots
from simulation.standin.engine import BASIC_STEP_MS, Engine
from simulation.standin.link import ADDRESS_VARIABLE, local
from simulation.standin.path import use_standin
from simulation.standin.world import World

CONNECT_WITHIN_S = 120.0
TIME_LIMIT_S, TIME_LIMIT_S_A_M2 = 1800.0, 200.0  # of a run, and of its coverable floor: furnished rooms take 60 to 90
WHEEL_ERROR = 0.01  # of the true radius of both wheels, one sigma
WHEEL_DIFFERENCE = 0.003  # between them


@dataclass(frozen=True, slots=True)
class RunScore:
    """DESIGN's measures of one run."""

    coverage_ratio: float
    path_length_m: float
    collisions: int
    small_objects: int
    small_objects_hit: int
    duration_s: float
    localisation_error_m: float | None  # p95 of position after the best rigid fit; None when no pose was published
    localisation_error_start_aligned_m: float | None
    area_covered_m2: float
    coverable_m2: float
    finished: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def run_room(
    room: Room,
    *,
    seed: int,
    out: Path,
    bundle: Path | None,
    robot_command: Sequence[str] | None = None,
    time_limit_s: float | None = None,
    config: RobotConfig | None = None,
    progress: ProgressFactory = silent,
    before_step: Sequence[Callable[[Any, float], None]] = (),
) -> RunScore:
    """Drives `room` once and leaves `run.json`, `run.npz`, `room.json` and the robot's own folder in `out`.

    `robot_command` replaces the coverage controller; it finds the world through the environment variable OXTURN_STANDIN
    and keeps what it wants to show in `out/robot`. Without a `time_limit_s` a run may take half an hour, or what its
    floor asks for. `before_step` is the engine's: told its data and its time.

    Raises RoomError, and writes nothing, when the engine refuses the room; RunError when the robot's process fails.
    """
    require_folder(out, RunError)
    config = config or RobotConfig()
    judge = Judge(room, config)
    if time_limit_s is None:
        time_limit_s = time_limit_for(judge.truth.coverable_m2)
    command = list(robot_command or default_command(out / "robot", bundle, seed, time_limit_s))
    engine = Engine(
        build(room, config, wheel_scale=wheel_scale(seed)).model,
        config,
        seed=seed,
        lidar_turn_s=1 / config.lidar.rate_hz,
    )
    if room.movers:
        engine.before_step.append(Movement(room, engine.model, engine.robot_body))
    engine.before_step += before_step
    (out / "robot").mkdir(parents=True, exist_ok=True)
    room.save(out / "room.json")
    finished = _drive(engine, config, judge, command, out, time_limit_s, progress)
    score = score_of(judge, read_tum(out / "robot" / "published.tum"), finished)
    _write(out, room, judge, score)
    return score


def time_limit_for(coverable_m2: float) -> float:
    """Simulated seconds after which a run is no longer waited for."""
    return max(TIME_LIMIT_S, TIME_LIMIT_S_A_M2 * coverable_m2)


def default_command(out: Path, bundle: Path | None, seed: int, time_limit_s: float) -> list[str]:
    """The coverage controller, the file that Webots runs too."""
    shim = Path(__file__).parent / "webots" / "controllers" / "coverage" / "coverage.py"
    command = [sys.executable, str(shim), "--out", str(out), "--seed", str(seed), "--time-limit-s", str(time_limit_s)]
    return command + (["--bundle", str(bundle)] if bundle is not None else [])


def wheel_scale(seed: int) -> tuple[float, float]:
    """True over nominal radius of the left and right wheel."""
    rng = np.random.default_rng([seed, 0x3EE1])
    both, difference = rng.normal(0, WHEEL_ERROR), rng.normal(0, WHEEL_DIFFERENCE)
    return float(1 + both + difference / 2), float(1 + both - difference / 2)


def _drive(
    engine: Engine,
    config: RobotConfig,
    judge: Judge,
    command: list[str],
    out: Path,
    time_limit_s: float,
    progress: ProgressFactory,
) -> bool:
    """Runs robot and judge to the end; whether the robot ended by itself."""
    use_standin()
    from controller import Supervisor

    with tempfile.TemporaryDirectory(prefix="oxturn-") as folder, (out / "robot.log").open("w") as log:
        address = Path(folder, "world")
        with World(engine, [slots.robot_slot(config), slots.judge_slot()], address=address) as world:
            environment = os.environ | {ADDRESS_VARIABLE: f"{address}|robot"}
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
            try:
                _await_robot(world, process, out)
                with local(world, "judge"):
                    finished = _judge_until_done(world, Supervisor(), judge, time_limit_s, progress)
                world.close()  # a robot that still drives is told that the world has ended
                code = process.wait(timeout=120)
            except subprocess.TimeoutExpired as error:
                raise RunError(
                    f"the robot's process did not end within 120 s of the run's end; see {out}/robot.log"
                ) from error
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
    if code != 0:
        raise RunError(
            f"the robot's process ended with code {code}: {_last_line(out / 'robot.log')}; see {out}/robot.log"
        )
    return finished


def _await_robot(world: World, process: "subprocess.Popen[bytes]", out: Path) -> None:
    waited_s = 0.0
    while not world.wait_for_controller(0.5):
        waited_s += 0.5
        if process.poll() is not None:
            raise RunError(
                f"the robot's process ended with code {process.returncode} before it connected: "
                f"{_last_line(out / 'robot.log')}; see {out}/robot.log"
            )
        if waited_s >= CONNECT_WITHIN_S:
            raise RunError(f"the robot's process did not connect within {CONNECT_WITHIN_S:.0f} s; see {out}/robot.log")


def _judge_until_done(
    world: World, supervisor: Any, judge: Judge, time_limit_s: float, progress: ProgressFactory
) -> bool:
    """The judge is a supervisor beside the robot; True when the robot left before the time was over."""
    node, names = supervisor.getFromDef("ROBOT"), {}
    with progress("drive", total=math.ceil(time_limit_s), unit="s") as advance:
        while world.connected:
            if supervisor.getTime() >= time_limit_s:
                return False
            if supervisor.step(BASIC_STEP_MS) == -1:
                return False
            x, y, _ = node.getPosition()
            turned = node.getOrientation()
            touched = set()
            for contact in node.getContactPoints(True):
                if contact.node_id not in names:
                    names[contact.node_id] = supervisor.getFromId(contact.node_id).getDef().split("/")[0]
                touched.add(names[contact.node_id])
            stamp_s = supervisor.getTime()
            judge.see(stamp_s, Pose2D(x, y, math.atan2(turned[3], turned[0])), touched - {"ground"})
            if round(stamp_s * 1000) % 1000 == 0:
                advance(1)
    return True


def score_of(judge: Judge, published: FloatArray, finished: bool) -> RunScore:
    """Pure: the measures from what the judge saw and the robot published (N, 4)."""
    true = judge.trajectory()
    fitted, aligned = localisation_errors(true, published)
    cell_m2 = judge.truth.geometry.cell_m**2
    return RunScore(
        coverage_ratio=judge.coverage_ratio,
        path_length_m=judge.path_length_m,
        collisions=len(judge.collisions),
        small_objects=len(judge.hit),
        small_objects_hit=int(judge.hit.sum()),
        duration_s=float(true[-1, 0]) if len(true) else 0.0,
        localisation_error_m=float(np.percentile(fitted, 95)) if len(fitted) else None,
        localisation_error_start_aligned_m=float(np.percentile(aligned, 95)) if len(aligned) else None,
        area_covered_m2=float(judge.covered_coverable.sum()) * cell_m2,
        coverable_m2=judge.truth.coverable_m2,
        finished=finished,
    )


def read_tum(path: Path) -> FloatArray:
    """(N, 4) of stamp_s, x, y, heading; empty when there is no file or a line is none of TUM's."""
    if not path.exists():
        return np.empty((0, 4))
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            stamp_s, x, y, _, _, _, sin, cos = (float(value) for value in line.split())
        except ValueError:
            return np.empty((0, 4))
        rows.append((stamp_s, x, y, 2 * math.atan2(sin, cos)))
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def _write(out: Path, room: Room, judge: Judge, score: RunScore) -> None:
    geometry = judge.truth.geometry
    obstacles = np.zeros(geometry.shape, np.uint8)
    obstacles[judge.truth.lying_clear_m <= 0] = 2
    obstacles[judge.truth.standing_clear_m <= 0] = 1
    small = [
        (x, y, radius, SMALL_OBJECTS.index(item.kind))
        for (x, y, radius), item in zip(ObjectGeometry(room).discs, room.small_objects, strict=True)
    ]
    arrays: dict[str, Any] = {
        "true_trajectory": judge.trajectory(),
        "published_trajectory": read_tum(out / "robot" / "published.tum"),
        "covered": judge.covered,
        "coverable": judge.truth.coverable,
        "obstacles": obstacles,
        "geometry": np.array([geometry.origin_x_m, geometry.origin_y_m, geometry.cell_m]),
        "small_objects": np.array(small, np.float64).reshape(-1, 4),
        "hit": judge.hit,
        "hit_at_s": judge.hit_at_s,
        "collision_at_s": np.array([stamp_s for stamp_s, _ in judge.collisions]),
    }
    robot_map = out / "robot" / "map.npz"
    if robot_map.exists():
        with np.load(robot_map) as held:
            arrays |= {key: held[key] for key in ("robot_map", "robot_map_geometry")}
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    atomic_files.write_bytes(out / "run.npz", data.getvalue())
    touched = [{"stamp_s": stamp_s, "what": name} for stamp_s, name in judge.collisions]
    atomic_files.write_json(out / "run.json", score.to_json() | {"room": room.name, "touched": touched})


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
