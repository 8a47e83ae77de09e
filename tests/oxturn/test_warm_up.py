"""After the warm-up nothing is compiled any more: not by a job with a detector, nor by one that knows its rooms."""

import json
import subprocess
import sys

WATCHED = """
import json, sys
from numba.core.dispatcher import Dispatcher
sys.path[:0] = {paths}

def compiled():
    return {{
        f"{{name}}.{{kernel}}": len(value.signatures)
        for name, module in list(sys.modules.items())
        for kernel, value in list(vars(module or object).items())
        if isinstance(value, Dispatcher) and value.py_func.__module__ == name and "flat_world" not in name
    }}

from foundation.robot_config import RobotConfig
from oxturn.warm_up import compile_kernels
compile_kernels(RobotConfig())
before = compiled()

import math, tempfile
from pathlib import Path
from flat_world import FlatWorld
from foundation.geometry import Pose2D
from navigation.background import SteppedBackground
from navigation.job import parse
from navigation.robot_loop import run
from navigation.stages import build

cable = [(1.5 + 0.01 * i, 1.0 + 0.02 * math.sin(i / 3), 0.004) for i in range(20)]
with tempfile.TemporaryDirectory() as folder:
    for text in ("return_to_start = true", "rooms = [1]"):
        world = FlatWorld((0, 0, 2.4, 1.8), (), [(1.2, 0.5, 0.04), cable], Pose2D(0.4, 0.5, 0.0))
        job = parse(text, "job.toml")
        stages = build(RobotConfig(), background=lambda name: SteppedBackground(2), state_dir=Path(folder), job=job)
        world.ticks = 450
        run(world, stages.localiser, world, stages.room, stages.planner, stages.limit,
            lambda report: stages.keeper.on_tick(report.estimate))
        stages.keeper.end(True)
after = compiled()
print(json.dumps({{"kernels": len(before), "late": sorted(k for k in after if after[k] > before.get(k, 0))}}))
"""


def test_a_job_after_the_warm_up_compiles_nothing():
    code = WATCHED.format(paths=repr(sys.path))

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["kernels"] > 60
    assert told["late"] == []
