#!/usr/bin/env python3
"""Jobs cut short at random moments and gone on with: what a power cut costs.

    python benchmarks/resume.py [--rooms 5] [--cuts 20] [--seed 5000] [--out out/resume]

Every room is covered once without and once with cuts. At a cut nothing of the robot's program survives but its folder
of state; the world goes on. Prints a row a room: swept floor that the program did not know after a restart (the worst
one, and of all restarts together: that much has to be swept again), and coverage, path and how much was swept twice,
beside those of the run without cuts. The last differ by more than the cuts cost: a robot that begins anew somewhere
drives another route.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

AGAIN_MAX = 0.02  # of the floor, of all cuts together


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=5)
    parser.add_argument("--cuts", type=int, default=20, help="a room")
    parser.add_argument("--seed", type=int, default=5000)
    parser.add_argument("--out", type=Path, default=Path("out/resume"))
    parser.add_argument("--robot", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.robot:
        lives(told.out, told.seed, told.cuts)
        return 0
    print(f"{'room':>6}{'cuts':>6}{'lost m2, worst':>16}{'in all':>9}{'covered':>18}{'path m':>15}{'twice':>15}")
    forgotten, twice = [], []
    for seed in range(told.seed, told.seed + told.rooms):
        whole, cut = (covered(seed, told.out / f"{seed}-{cuts}", cuts) for cuts in (0, told.cuts))
        lost_m2 = json.loads((told.out / f"{seed}-{told.cuts}" / "robot" / "cuts.json").read_text())
        forgotten.append(sum(lost_m2) / cut["coverable_m2"])
        twice.append(cut["twice"] - whole["twice"])
        print(
            f"{seed:>6}{len(lost_m2):>6}{max(lost_m2, default=0.0):>16.3f}{sum(lost_m2):>9.3f}"
            f"{100 * whole['coverage_ratio']:>9.2f}>{100 * cut['coverage_ratio']:>7.2f}%"
            f"{whole['path_length_m']:>7.1f}>{cut['path_length_m']:>7.1f}"
            f"{whole['twice']:>7.2f}>{cut['twice']:>7.2f}",
            flush=True,
        )
    kept, mark = max(forgotten) <= AGAIN_MAX, "ok  " if max(forgotten) <= AGAIN_MAX else "MISS"
    print(f"{mark} forgotten at cuts and swept again, worst room {max(forgotten):.2%}, bar {AGAIN_MAX:.0%}")
    print(f"     swept twice, with cuts less without: mean {np.mean(twice):+.1%}, worst room {max(twice):+.1%}")
    return 0 if kept else 1


def covered(seed: int, out: Path, cuts: int) -> dict[str, Any]:
    """One scored run; `twice`: how often the tool passed a patch of floor, on average, beyond once."""
    from simulation.room_simulator import draw_room
    from simulation.run_room import run_room

    command = [
        sys.executable,
        __file__,
        "--robot",
        "--out",
        str(out / "robot"),
        "--seed",
        str(seed),
        "--cuts",
        str(cuts),
    ]
    room = draw_room(seed, rooms=1, purpose="test", small_objects=(0, 0))
    score = run_room(room, seed=seed, out=out, bundle=None, robot_command=command).to_json()
    return score | {"twice": score["path_length_m"] * tool_width_m() / score["area_covered_m2"] - 1}


def tool_width_m() -> float:
    from foundation.robot_config import RobotConfig

    return RobotConfig().tool.width_m


def lives(out: Path, seed: int, cuts: int) -> None:
    """The robot's process: one program after the other, each with nothing but the folder."""
    from foundation.robot_config import RobotConfig
    from navigation.background import stepped
    from navigation.robot_loop import run
    from navigation.stages import build
    from simulation.coverage_controller import NoDetector
    from simulation.sim_robot import SimRobot
    from simulation.standin.path import use_standin

    use_standin()
    from controller import Robot

    config, rng = RobotConfig(), np.random.default_rng([seed, 0xC07])
    robot = SimRobot(Robot(), config, seed=seed, lidar_turn_s=1 / config.lidar.rate_hz, looks=False)
    world, lost_m2, swept_m2 = robot.observations(), [], 0.0
    shutil.rmtree(out / "state", ignore_errors=True)
    while True:
        stages = build(config, background=stepped, state_dir=out / "state")
        lost_m2.append(max(swept_m2 - stages.room.covered_m2(), 0.0))
        life = Life(robot, world, int(rng.integers(50, 600)) if len(lost_m2) <= cuts else 10**9)
        keep = stages.keeper.on_tick
        run(
            life, stages.localiser, NoDetector(), stages.room, stages.planner, stages.limit,
            lambda report, keep=keep: keep(report.estimate),
        )  # fmt: skip
        swept_m2 = stages.room.covered_m2()
        if stages.planner.report().done or life.world_ended:
            break
    (out / "cuts.json").write_text(json.dumps(lost_m2[1:]))


class Life:
    """The robot until its power fails; then the wheels stop, and the next life finds the world as it is."""

    def __init__(self, robot: Any, world: Iterator[Any], ticks: int) -> None:
        self._robot, self._world, self._ticks = robot, world, ticks
        self.world_ended = False

    def observations(self) -> Iterator[Any]:
        for _ in range(self._ticks):
            observation = next(self._world, None)
            if observation is None:
                self.world_ended = True
                return
            yield observation

    def drive(self, command: Any) -> None:
        self._robot.drive(command)


if __name__ == "__main__":
    raise SystemExit(main())
