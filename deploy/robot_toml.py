"""Where a robot's own configuration lies: `oxturn pi setup` puts it there, verbs on the robot take it by default."""

from pathlib import Path
from typing import Final

ROBOT_TOML: Final = Path("/etc/oxturn/robot.toml")


def config_here(given: Path | None, installed: Path = ROBOT_TOML) -> Path | None:
    """The file to read: the given one, else the installed one where there is one; None is the reference robot."""
    if given is not None or not installed.is_file():
        return given
    return installed
