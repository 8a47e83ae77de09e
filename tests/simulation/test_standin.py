import inspect
import math
import subprocess
import sys
import threading

import mujoco
import numpy as np
import pytest
from small_world import small_world

from foundation.geometry import IDENTITY, Pose2D
from foundation.robot_config import RobotConfig
from simulation import robot_model
from simulation.errors import EngineError
from simulation.recognition_palette import colour_of, decode
from simulation.sim_robot import SimRobot
from simulation.standin import link, slots
from simulation.standin.engine import Engine, Labels, _add_noise
from simulation.standin.path import use_standin
from simulation.standin.world import World

use_standin()
import controller  # noqa: E402

CONFIG = RobotConfig()


def engine(start: Pose2D = IDENTITY, seed: int = 1) -> Engine:
    model = mujoco.MjModel.from_xml_string(small_world(CONFIG, start))
    classes = np.arange(model.ngeom, dtype=np.uint8)
    return Engine(model, CONFIG, seed=seed, labels=Labels(classes, classes.astype(np.uint16) + 300))


@pytest.fixture
def world():
    with World(engine(), [slots.robot_slot(CONFIG), slots.capture_slot(CONFIG), slots.judge_slot()]) as made:
        yield made


@pytest.fixture
def robot(world):
    with link.local(world, "robot"):
        yield controller.Robot()


@pytest.fixture
def supervisor(world):
    with link.local(world, "capture"):
        yield controller.Supervisor()


def test_a_sensor_is_refreshed_when_its_period_has_passed_and_not_before(robot):
    encoder = robot.getDevice("left_encoder")
    encoder.enable(50)  # no multiple of 20: the real period is 60

    values = [encoder.getValue() for _ in range(4) if robot.step(20) == 0]

    assert [math.isnan(value) for value in values] == [True, True, False, False]
    assert encoder.getSamplingPeriod() == 50


def test_commands_act_only_inside_the_next_step_and_the_last_write_wins(robot):
    motor, encoder = robot.getDevice("left_motor"), robot.getDevice("left_encoder")
    encoder.enable(20)
    motor.setPosition(math.inf)
    motor.setVelocity(-5.0)
    motor.setVelocity(5.0)
    robot.step(20)
    before = encoder.getValue()

    robot.step(400)

    assert encoder.getValue() > before + 1.0


def test_without_velocity_control_a_velocity_moves_nothing(robot):
    robot.getDevice("left_encoder").enable(20)
    robot.getDevice("left_motor").setVelocity(5.0)

    robot.step(400)

    assert robot.getDevice("left_encoder").getValue() == pytest.approx(0, abs=0.01)


def test_lidar_bearings_run_from_left_to_right_around_pixel_centres(robot):
    lidar = robot.getDevice("lidar")
    lidar.enable(20)
    robot.step(20)

    ranges = np.array(lidar.getRangeImage())

    assert lidar.getHorizontalResolution() == len(ranges) == 450
    assert ranges[225] == pytest.approx(2.0, abs=0.05)  # H/2 is just right of straight ahead
    pillar = math.pi - (np.argmin(ranges[112:224]) + 112 + 0.5) * 2 * math.pi / 450
    assert pillar == pytest.approx(math.pi / 4, abs=0.02)  # the pillar stands ahead on the left


def test_ranges_without_noise_are_exact():
    ranges = engine().ranges(noise=False)

    bearing = math.pi - 225.5 * 2 * math.pi / 450
    assert ranges[225] == pytest.approx(2.0 / math.cos(bearing), abs=1e-5)


def test_the_cameras_noise_is_the_same_on_all_colours_of_a_pixel_and_never_wraps_round():
    world = engine()
    clean, noisy = (world.image(320, 240, noise=noise)[..., :3].astype(int) for noise in (False, True))

    added = noisy - clean
    whole = ((clean > 20) & (clean < 235)).all(axis=2)

    assert np.ptp(added[whole], axis=1).max() == 0
    assert 0.5 < added[whole].std() < 20
    assert abs(added).max() < 40


def test_noise_that_begins_at_the_banks_end_goes_on_at_its_beginning():
    bgra = np.array([[10, 250, 0, 7]] * 3, np.uint8)

    _add_noise(bgra, np.array([9, -3, 5], np.int16), 2)

    assert bgra.tolist() == [[15, 255, 5, 7], [19, 255, 9, 7], [7, 247, 0, 7]]


def test_a_robot_that_does_not_look_leaves_the_camera_off(robot):
    blind = SimRobot(robot, RobotConfig(), seed=1, looks=False)

    observation = next(iter(blind.observations()))

    assert observation.frame is None
    assert observation.scan is not None
    assert robot.getDevice("camera").getSamplingPeriod() == 0


def test_before_the_first_sample_images_are_black_and_scans_zero(robot):
    assert robot.getDevice("camera").getImage() == bytes(4 * 320 * 240)
    assert robot.getDevice("lidar").getRangeImage() == [0.0] * 450


def test_segmentation_paints_recognition_colours(supervisor):
    camera = supervisor.getDevice("camera")
    camera.recognitionEnable(20)
    camera.enableRecognitionSegmentation()
    supervisor.step(20)

    image = np.frombuffer(camera.getRecognitionSegmentationImage(), np.uint8).reshape(240, 320, 4)
    classes, instances = decode(image)

    assert set(np.unique(classes)) >= {1}  # the east wall
    assert np.array_equal(np.unique(instances[classes == 1]), [301])


def test_recognition_colours_survive_the_round_trip():
    red, green, blue = (round(255 * part) for part in colour_of(34, 700))
    pixel = np.array([[[blue, green, red, 255]]], np.uint8)

    classes, instances = decode(pixel)

    assert (classes[0, 0], instances[0, 0]) == (34, 700)


def test_the_robot_slot_offers_no_truth(robot, capsys):
    camera = robot.getDevice("camera")
    camera.recognitionEnable(20)
    camera.enableRecognitionSegmentation()
    robot.step(20)

    assert not robot.getSupervisor()
    assert robot.getDevice("gps") is None
    assert robot.getDevice("inertial_unit") is None
    assert camera.getRecognitionSegmentationImage() == bytes(4 * 320 * 240)
    assert "no Recognition node" in capsys.readouterr().err


def test_a_supervisors_write_shows_after_the_next_step(supervisor):
    node = supervisor.getFromDef("ROBOT")
    field = node.getField("translation")
    field.setSFVec3f([0.5, -0.5, 0.0])
    before = node.getPosition()

    node.resetPhysics()
    supervisor.step(20)

    assert before[:2] == pytest.approx([0, 0], abs=1e-6)
    assert node.getPosition()[:2] == pytest.approx([0.5, -0.5], abs=1e-3)


def test_driving_into_a_wall_presses_the_bumper_and_makes_contact_points(supervisor):
    bumper = supervisor.getDevice("bumper")
    bumper.enable(20)
    for name in ("left_motor", "right_motor"):
        supervisor.getDevice(name).setPosition(math.inf)
        supervisor.getDevice(name).setVelocity(7.0)
    supervisor.step(9000)

    touched = [
        supervisor.getFromId(point.node_id).getDef()
        for point in supervisor.getFromDef("ROBOT").getContactPoints(True)
        if point.point[2] > 0.01
    ]

    assert bumper.getValue() == 1.0
    assert set(touched) == {"wall:east"}


def test_the_floor_is_under_the_cliff_sensors(robot):
    sensor = robot.getDevice("cliff_0")
    sensor.enable(20)
    robot.step(20)

    assert sensor.getValue() == pytest.approx(robot_model.CLIFF_SENSOR_HEIGHT_M, abs=0.002)


def test_what_webots_has_and_the_standin_lacks_says_its_name(robot):
    with pytest.raises(NotImplementedError, match=r"Lidar\.enablePointCloud"):
        robot.getDevice("lidar").enablePointCloud()
    with pytest.raises(NotImplementedError, match=r"Robot\.wwiSendText"):
        robot.wwiSendText("hello")


@pytest.mark.parametrize("name", controller.__all__)
def test_every_public_method_is_one_of_webots_with_its_parameters(name):
    from controller.surface import TABLE

    table = __import__("json").loads(TABLE.read_text())
    allowed = dict(table[name])
    for base in inspect.getmro(getattr(controller, name))[1:]:
        allowed |= table.get(base.__name__, {})
    for method, function in inspect.getmembers(getattr(controller, name), inspect.isfunction):
        if method.startswith("_") or function.__module__.endswith("surface"):
            continue
        assert method in allowed, f"{name}.{method} is not in Webots' API"
        parameters = [item for item in inspect.signature(function).parameters if item not in ("arguments", "named")]
        assert all(item in allowed[method] for item in parameters), f"{name}.{method}{inspect.signature(function)}"


def test_a_second_robot_in_one_process_is_complained_about(robot, capsys):
    controller.Robot()

    assert "only one Robot instance" in capsys.readouterr().err


def test_equal_seeds_and_commands_give_equal_bytes():
    def run(seed):
        made = engine(seed=seed)
        made.set_wheel_velocities(3.0, 5.0)
        for _ in range(50):
            made.basic_step()
        return made.ranges().tobytes(), made.image(160, 120).tobytes(), made.gyro()

    assert run(3) == run(3)
    assert run(3)[0] != run(4)[0]


CONTROLLER = """
import math
from simulation.standin.path import use_standin
use_standin()
from controller import Robot
robot = Robot()
encoder = robot.getDevice("left_encoder")
encoder.enable(20)
for name in ("left_motor", "right_motor"):
    robot.getDevice(name).setPosition(math.inf)
    robot.getDevice(name).setVelocity(2.0)
for _ in range(10):
    assert robot.step(100) == 0
print(round(robot.getTime(), 3), round(encoder.getValue(), 1))
"""


def test_a_controller_of_another_process_is_stepped_in_time_with_the_judge(tmp_path):
    address = tmp_path / "world"
    with World(engine(), [slots.robot_slot(CONFIG), slots.judge_slot()], address=address) as world:
        environment = {link.ADDRESS_VARIABLE: f"{address}|robot", "PATH": ""}
        command = [sys.executable, "-c", CONTROLLER]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert world.wait_for_controller(30)
        with link.local(world, "judge"):
            judge = controller.Supervisor()
            while world.connected:
                judge.step(20)
        said, _ = process.communicate(timeout=30)

    assert said.split() == ["1.0", "2.0"]
    assert judge.getFromDef("ROBOT").getPosition()[0] > 0.05


def test_a_robot_of_another_process_cannot_ask_for_the_truth(tmp_path):
    address = tmp_path / "world"
    with World(engine(), [slots.robot_slot(CONFIG)], address=address) as world:
        refused = []

        def peek():
            line = link.SocketLink(str(address), "robot")
            with pytest.raises(EngineError, match="no supervisor") as error:
                line.ask(link.Query("position", (1,)))
            refused.append(str(error.value))
            line.close()

        thread = threading.Thread(target=peek)
        thread.start()
        world.wait_for_controller(10)
        world.run()
        thread.join(10)

    assert refused == ["robot is no supervisor"]


def test_a_world_that_is_not_there_is_one_clear_line(tmp_path):
    with pytest.raises(EngineError, match="no world answers"):
        link.SocketLink(str(tmp_path / "nothing"), "robot")
