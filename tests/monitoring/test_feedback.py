import json

import cv2
import numpy as np
import pytest
from fake_ticks import detections, tick

from monitoring.feedback import Feedback, FeedbackSettings, look_bits, make_room
from navigation.background import SteppedBackground
from navigation.robot_loop import TickReport
from perception.observation import Frame, Observation


def pictured(report, seed):
    """The same tick with a picture of its own."""
    picture = cv2.resize(np.random.default_rng(seed).integers(0, 255, (8, 9, 3), dtype=np.uint8), (96, 64))
    old = report.observation
    observation = Observation(
        old.stamp_s, old.scan, Frame(old.stamp_s, picture), old.wheels, bumper_pressed=old.bumper_pressed
    )
    return TickReport(observation, report.estimate, report.detections, report.wanted, report.command)


@pytest.fixture
def keeper(tmp_path):
    told = []

    def make(**settings):
        settings = FeedbackSettings(**{"sample_every_s": 1e9, **settings})
        feedback = Feedback(tmp_path / "feedback", settings, SteppedBackground(1), told.append, epoch_s=1e9)
        feedback._last_sample_s = 0.0
        return feedback

    make.told = told
    make.folder = tmp_path / "feedback"
    return make


def kept(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_frame_before_a_bump_is_kept_with_what_belongs_to_it(keeper):
    feedback = keeper()
    for i in range(20):
        feedback.on_tick(pictured(tick(i * 0.1, x_m=0.02 * i, bumper=i == 15), seed=i))

    assert keeper.told == ["bumped"]
    assert kept(keeper.folder) == ["1000000000900-bumped.jpg", "1000000000900-bumped.json"]
    told = json.loads((keeper.folder / "1000000000900-bumped.json").read_text())
    assert told["pose_map"]["x_m"] == pytest.approx(0.18)
    assert len(told["scan"]["ranges_m"]) == 360
    assert cv2.imread(str(keeper.folder / "1000000000900-bumped.jpg")).shape == (64, 96, 3)


def test_a_held_bumper_keeps_one_frame(keeper):
    feedback = keeper()
    for i in range(10):
        feedback.on_tick(pictured(tick(i * 0.1, bumper=True), seed=i))

    assert keeper.told == ["bumped"]


def test_doubts_are_kept_and_certainties_are_not(keeper):
    feedback = keeper()

    feedback.on_tick(pictured(tick(0.0, seen=detections(0.0, (0.5, 0.0), score=0.9)), seed=1))
    assert keeper.told == []
    feedback.on_tick(pictured(tick(10.0, seen=detections(10.0, (0.5, 0.0), score=0.55)), seed=2))
    assert keeper.told == ["unsure"]
    [seen] = json.loads((keeper.folder / kept(keeper.folder)[1]).read_text())["seen"]
    assert (seen["score"], seen["contact_base_m"]) == (0.55, [0.5, 0.0])


def test_a_flood_a_drift_and_a_plain_sample_are_kept(keeper):
    feedback = keeper(sample_every_s=60.0)

    feedback.on_tick(pictured(tick(10.0, seen=detections(10.0, *[(0.5, 0.01 * i) for i in range(9)])), seed=1))
    feedback.on_tick(pictured(tick(20.0), seed=2), drifted=("brightness",))
    feedback.on_tick(pictured(tick(30.0), seed=3))
    feedback.on_tick(pictured(tick(80.0), seed=4))
    feedback.on_tick(pictured(tick(90.0), seed=5))

    assert keeper.told == ["flooded", "drifted", "sample"]


def test_frames_keep_their_distance_in_time_and_look(keeper):
    feedback = keeper(gap_s=2.0)

    def unsure(stamp_s, seed):
        feedback.on_tick(pictured(tick(stamp_s, seen=detections(stamp_s, (0.5, 0.0), score=0.55)), seed))

    unsure(0.0, 1)
    unsure(1.0, 2)  # too soon
    unsure(3.0, 1)  # the same look
    unsure(6.0, 3)

    assert keeper.told == ["unsure", "unsure"]


def test_the_folder_never_passes_its_limit(keeper):
    feedback = keeper(folder_max_bytes=120_000, gap_s=0.0)

    for i in range(60):
        feedback.on_tick(pictured(tick(float(i), seen=detections(float(i), (0.5, 0.0), score=0.55)), seed=i))
        assert sum(path.stat().st_size for path in keeper.folder.iterdir()) <= 120_000

    assert len(keeper.told) >= 50
    assert all(name.startswith("10000") for name in kept(keeper.folder))


def test_room_is_made_from_the_commonest_reason_first(tmp_path):
    for i, reason in enumerate(["bumped", "unsure", "unsure", "unsure", "sample"]):
        (tmp_path / f"{i}-{reason}.jpg").write_bytes(b"x" * 100)
        (tmp_path / f"{i}-{reason}.json").write_bytes(b"x" * 10)

    make_room(tmp_path, 350)
    assert {path.stem for path in tmp_path.iterdir()} == {"0-bumped", "3-unsure", "4-sample"}
    make_room(tmp_path, 120)
    assert {path.stem for path in tmp_path.iterdir()} == {"0-bumped"}


def test_a_full_disk_ends_the_keeping_and_not_the_robot(keeper, monkeypatch, caplog):
    feedback = keeper()
    keeper.folder.parent.joinpath("feedback").write_text("a file is in the way")

    for i in range(3):
        feedback.on_tick(pictured(tick(10.0 * i, seen=detections(10.0 * i, (0.5, 0.0), score=0.55)), seed=i))

    assert "feedback" in feedback.failure
    assert len(caplog.records) == 1


def test_looks_are_near_for_near_pictures_and_far_for_others():
    rng = np.random.default_rng(1)
    one = cv2.resize(rng.integers(0, 255, (8, 9, 3), dtype=np.uint8), (96, 64))
    brighter = np.clip(one.astype(int) + 12, 0, 255).astype(np.uint8)
    other = cv2.resize(rng.integers(0, 255, (8, 9, 3), dtype=np.uint8), (96, 64))

    assert (look_bits(one) ^ look_bits(brighter)).bit_count() <= 6
    assert (look_bits(one) ^ look_bits(other)).bit_count() > 15
