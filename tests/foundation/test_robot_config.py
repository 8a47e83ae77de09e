import pytest

from foundation import robot_config
from foundation.errors import ConfigError


def test_an_empty_file_is_the_reference_robot():
    config = robot_config.parse("")

    assert config == robot_config.RobotConfig()
    assert config.clearance_m == pytest.approx(0.19)


def test_a_key_in_the_file_replaces_its_default_only():
    config = robot_config.parse("[tool]\nwidth_m = 0.3\n")

    assert config.tool.width_m == 0.3
    assert config.body.radius_m == 0.17


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool]\nwidht_m = 1", "unknown key tool.widht_m, the nearest known one is width_m"),
        ("[tol]\n", "unknown key tol, the nearest known one is tool"),
        ("[tool]\nwidth_m = -1", "tool.width_m = -1: Input should be greater than 0"),
        ("[tool]\nwidth_m = 'wide'", "tool.width_m = 'wide': Input should be a valid number"),
        ("[tool", "robot.toml: not TOML"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_the_key(text, message):
    with pytest.raises(ConfigError) as error:
        robot_config.parse(text)

    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"missing.toml: cannot be read"):
        robot_config.load(tmp_path / "missing.toml")


def test_no_file_means_the_reference_robot():
    assert robot_config.load(None) == robot_config.RobotConfig()
