"""The robot's own process in simulation says how its job ended."""

import json

import mujoco
import small_world

from foundation.robot_config import RobotConfig
from simulation.coverage_controller import cover
from simulation.standin import link, slots
from simulation.standin.engine import Engine
from simulation.standin.world import World

CONFIG = RobotConfig()


def test_a_run_that_was_refused_is_not_finished(tmp_path, monkeypatch):
    gap_m = CONFIG.body.radius_m + 0.012 + 0.05
    walls = (("east", gap_m, 0), ("west", -gap_m, 0), ("north", 0, gap_m), ("south", 0, -gap_m))
    monkeypatch.setattr(
        small_world, "WALLS", [(name, x, y, 0.05 if x else 0.3, 0.05 if y else 0.3) for name, x, y in walls]
    )
    engine = Engine(mujoco.MjModel.from_xml_string(small_world.small_world(CONFIG)), CONFIG, seed=1)

    with World(engine, [slots.robot_slot(CONFIG)]) as world, link.local(world, "robot"):
        finished = cover(CONFIG, bundle=None, out=tmp_path, seed=1, time_limit_s=120.0)

    status = json.loads((tmp_path / "status.json").read_text())
    assert not finished and status["finished"] is False
    assert any("trapped: no plan leaves" in text for text in (tmp_path / "events.txt").read_text().splitlines())
