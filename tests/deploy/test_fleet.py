"""A fleet of a hundred in memory: a good model reaches all, a bad one almost nobody."""

import pytest
from fake_disk import FakeDisk
from fake_health import FakeClock
from fake_publisher import DAY_S, NOW_S, FakePublisher
from fake_transport import FakeFleet, FakeRobot
from update_campaign import HOME, FakeHealth2, deliver

from deploy import ota_updater
from deploy.fleet import InventoryError, read_inventory, read_wish, roll_out, write_wish
from deploy.robot_home import RobotHome
from deploy.rollout_rules import Finished, Halted, Next, Outcome, RolloutPlan, next_step, wave_robots

HUNDRED = 100
ROBOTS = 25


@pytest.fixture(scope="module")
def publisher(tmp_path_factory):
    return FakePublisher(tmp_path_factory.mktemp("publisher"))


@pytest.fixture(scope="module")
def first_disk(publisher):
    """A robot that runs version 1."""
    home = RobotHome(HOME, FakeDisk())
    home.disk.make_folder(HOME)
    home.prepare(publisher.first_root.read_bytes())
    publisher.publish(b"good 1")
    deliver(home, publisher.files())
    health = FakeHealth2(home)
    ota_updater.update(home, health, health, FakeClock(NOW_S))
    return home.disk


@pytest.fixture
def fleet(first_disk):
    return fleet_of(ROBOTS, first_disk)


@pytest.fixture
def hundred(first_disk):
    return fleet_of(HUNDRED, first_disk)


def fleet_of(count, first_disk):
    fleet = FakeFleet()
    fleet.addresses = {}
    for number in range(count):
        home = RobotHome(HOME, first_disk.after_kill())
        name = f"robot{number:03d}"
        fleet.addresses[name] = fleet.add(name, FakeRobot(home, FakeHealth2(home), FakeClock(NOW_S)))
    return fleet


def touched(fleet):
    return sum(robot.installs > 0 for robot in fleet.robots.values())


def start(publisher, fleet, tmp_path, **more):
    return roll_out(publisher.repo, fleet.addresses, tmp_path / "rollout.json", connect=fleet.connect, **more)


@pytest.mark.slow
def test_a_good_model_reaches_a_hundred(publisher, hundred, tmp_path):
    publisher.publish(b"good A")

    report = start(publisher, hundred, tmp_path)

    assert (report.result, report.installed) == ("finished", HUNDRED)


@pytest.mark.parametrize("model", [b"bad B", b"worse B"])
def test_a_bad_model_reaches_at_most_one_in_twenty_and_halts(publisher, hundred, tmp_path, model):
    publisher.publish(model)

    report = start(publisher, hundred, tmp_path)

    assert report.result == "halted"
    assert "canary" in report.reason
    assert touched(hundred) <= HUNDRED * 0.05


def test_a_model_that_fails_on_some_robots_halts_within_its_wave(publisher, hundred, tmp_path):
    publisher.publish(b"good C")
    for number in range(2, HUNDRED, 2):
        robot = hundred.robots[f"robot{number:03d}"]
        robot.health.model = lambda bundle_dir: b"bad"

    report = start(publisher, hundred, tmp_path)

    assert report.result == "halted"
    assert touched(hundred) <= 5


def test_a_crash_of_the_pusher_strands_nobody(publisher, fleet, tmp_path):
    class Crash(BaseException):
        pass

    def crash(robot, outcome):
        if robot == "robot008":
            raise Crash

    publisher.publish(b"good D")
    with pytest.raises(Crash):
        start(publisher, fleet, tmp_path, on_robot=crash)

    report = start(publisher, fleet, tmp_path)

    assert (report.result, report.installed) == ("finished", ROBOTS)
    assert sum(robot.installs for robot in fleet.robots.values()) <= ROBOTS + 1


def test_robots_out_of_reach_are_not_held_against_the_model_and_tried_again(publisher, fleet, tmp_path):
    publisher.publish(b"good E")
    away = {name: fleet.robots.pop(name) for name in ("robot013", "robot014")}

    first = start(publisher, fleet, tmp_path)
    fleet.robots.update(away)
    second = start(publisher, fleet, tmp_path)

    assert (first.result, first.installed, first.reason) == ("finished", ROBOTS - 2, "unreachable: robot013, robot014")
    assert (second.result, second.installed) == ("finished", ROBOTS)


@pytest.mark.parametrize("refused", ["robot000", "robot020"])
def test_a_robot_that_refused_the_offer_is_asked_again_by_the_next_start(publisher, fleet, tmp_path, refused):
    publisher.publish(b"good H")
    robot = fleet.robots[refused]
    robot.clock.wall_s += 400 * DAY_S

    first = start(publisher, fleet, tmp_path)
    robot.clock.wall_s -= 400 * DAY_S
    second = start(publisher, fleet, tmp_path)

    assert first.outcomes[refused] == "refused"
    assert (second.result, second.installed) == ("finished", ROBOTS)


def test_a_version_that_failed_on_a_canary_is_not_sent_to_it_again(publisher, fleet, tmp_path):
    publisher.publish(b"bad I")

    first, second = start(publisher, fleet, tmp_path), start(publisher, fleet, tmp_path)

    assert (first.result, second.result) == ("halted", "halted")
    assert fleet.robots["robot000"].installs == 1


def test_pause_and_go_on(publisher, fleet, tmp_path):
    publisher.publish(b"good F")

    def pause(robot, outcome):
        if robot == "robot003":
            write_wish(tmp_path / "rollout.json", "pause")

    first = start(publisher, fleet, tmp_path, on_robot=pause)
    write_wish(tmp_path / "rollout.json", "run")
    second = start(publisher, fleet, tmp_path)

    assert (first.result, first.installed) == ("paused", 4)
    assert (second.result, second.installed) == ("finished", ROBOTS)


def test_a_canary_that_goes_back_later_halts_the_next_wave(publisher, fleet, tmp_path):
    publisher.publish(b"good G")

    def go_back(robot, outcome):
        if robot == "robot000":
            ota_updater.rollback(fleet.robots["robot000"].home)

    report = start(publisher, fleet, tmp_path, on_robot=go_back)

    assert report.result == "halted"
    assert touched(fleet) == 1


PLAN = RolloutPlan(tuple("abcdefghij"), (0.1, 0.5, 1.0))
OK, FAILED, AWAY = Outcome.INSTALLED, Outcome.FAILED, Outcome.UNREACHABLE


@pytest.mark.parametrize(
    ("outcomes", "step"),
    [
        ({}, Next(0, ("a",))),
        ({"a": OK}, Next(1, tuple("bcde"))),
        ({"a": FAILED}, Halted("canary a did not take it")),
        ({"a": Outcome.REFUSED}, Halted("canary a did not take it")),
        ({"a": AWAY}, Halted("wave 0: 0 of 1 installed, wanted 80%")),
        ({"a": OK, "b": FAILED}, Halted("1 of 2 robots did not take it, limit 5%")),
        ({"a": OK, "b": Outcome.ROLLBACK_FAILED}, Halted("b could not go back to the model before: look at it")),
        (dict.fromkeys("abcde", OK), Next(2, tuple("fghij"))),
        (dict.fromkeys("abcdefghij", OK), Finished(10, ())),
        ({**dict.fromkeys("abcdefghi", OK), "j": AWAY}, Finished(9, ("j",))),
    ],
)
def test_steps(outcomes, step):
    assert next_step(PLAN, outcomes) == step


def test_waves_hold_every_robot_once_also_in_a_tiny_fleet():
    for count in range(1, 8):
        plan = RolloutPlan(tuple(map(str, range(count))))
        assert [robot for wave in range(3) for robot in wave_robots(plan, wave)] == list(plan.robots)


def test_an_inventory_is_read_in_order(tmp_path):
    text = '[[robot]]\nname = "b"\nhost = "h1"\nhost_key = "k"\n[[robot]]\nname = "a"\nhost = "h2"\nhost_key = "k"\n'
    (tmp_path / "fleet.toml").write_text(text)

    assert list(read_inventory(tmp_path / "fleet.toml")) == ["b", "a"]


@pytest.mark.parametrize(
    "text", ["", "[[robot]]\nname='a'\n", "[[robot]]\nname='a'\nhost='h'\nhost_key='k'\nmore=1\n", "][", "robot = 3"]
)
def test_a_bad_inventory_names_the_file_and_the_key(tmp_path, text):
    (tmp_path / "fleet.toml").write_text(text)

    with pytest.raises(InventoryError, match=r"fleet\.toml"):
        read_inventory(tmp_path / "fleet.toml")


def test_an_unknown_wish_is_to_go_on(tmp_path):
    (tmp_path / "x.wish").write_text("dance")

    assert read_wish(tmp_path / "x.json") == "run"
