"""Does this environment work as the robot's software: asked of a new one, in a process of its own, before it is used.

In: the robot's home and its `robot.toml`. Out: a HealthReport. It imports what the daemon and the next update need,
reads the robot's folder and configuration, and has the model that runs give its golden answers.
"""

import importlib
import time
from pathlib import Path
from typing import Final

from deploy.health import HealthReport, ProcessHealthCheck
from deploy.robot_home import on_this_machine
from foundation.errors import OxturnError
from foundation.robot_config import load

NEEDED: Final = (
    "oxturn.cli",
    "deploy.robotd",
    "deploy.hardware_robot",
    "deploy.robot_shell",
    "deploy.incoming_sftp",
    "deploy.software_update",
    "deploy.software_watch",
    "perception.obstacle_detector",
)
GOLDEN_WITHIN_S: Final = 60.0


def examine(home_path: Path, config: Path | None) -> HealthReport:
    """`config` None or missing: the defaults, as the daemon takes them."""
    began_s = time.monotonic()
    try:
        for name in NEEDED:
            importlib.import_module(name)
        load(config if config is not None and config.exists() else None)
        home = on_this_machine(home_path)
        slot = home.slots.active()
        trust = home.load_trust()
        if slot is not None and home.slots.verified(slot, trust) is not None:
            golden = ProcessHealthCheck(GOLDEN_WITHIN_S).examine(home.slots.bundle_dir(slot))
            if not golden.healthy:
                return HealthReport(False, f"the robot's model with this software: {golden.reason}")
    except (ImportError, OxturnError, OSError) as error:
        return HealthReport(False, f"{type(error).__name__}: {error}"[:300])
    return HealthReport(True, "", (time.monotonic() - began_s) * 1e3)
