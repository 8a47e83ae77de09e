"""Calibration drives in a flat world and finds wheels that are not as configured."""

import pytest
from flat_world import FlatWorld

from deploy.pi_commands import calibrate, setup_files
from deploy.update_errors import KeysError
from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig

CONFIG = RobotConfig.model_validate({"hardware": {"camera": "none"}})


def found(lines):
    return {line.split(" = ")[0]: float(line.split(" = ")[1]) for line in lines if "=" in line}


def test_a_well_configured_robot_stays_as_it_is():
    world = FlatWorld(
        (-1.5, -1.5, 1.5, 1.5), start=Pose2D(0.0, 0.0, 0.0), config=CONFIG, wheel_error=0.0, noise_m=0.002
    )

    values = found(calibrate(world, CONFIG))

    assert values["wheel_radius_m"] == pytest.approx(CONFIG.body.wheel_radius_m, rel=0.02)
    assert values["wheel_track_m"] == pytest.approx(CONFIG.body.wheel_track_m, rel=0.02)


def test_larger_wheels_are_found():
    large = FlatWorld((-1.5, -1.5, 1.5, 1.5), config=CONFIG, wheel_error=0.0, noise_m=0.002)
    large.scales[:] = 1.04  # each turn carries 4 % further

    values = found(calibrate(large, CONFIG))

    assert values["wheel_radius_m"] == pytest.approx(CONFIG.body.wheel_radius_m * 1.04, rel=0.02)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(KeysError, match="nothing"):
        setup_files(tmp_path / "nothing.whl", tmp_path, tmp_path, None)
