"""Captured samples: exact, equal for equal seeds, resumable, and refused where they would mix."""

import itertools
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from foundation.progress import silent
from navigation.ros_map import read_map
from navigation.static_map import FREE, OCCUPIED
from perception import labels, sample_format
from simulation.capture_stage import SPARE_PARTS, CaptureStage
from simulation.dataset_writer import CaptureSettings, capture, robot_config, shard_path
from simulation.errors import CaptureError
from simulation.lidar_capture import samples
from simulation.room_simulator import draw_room

SETTINGS = CaptureSettings(rooms=1, frames=14, seed=1, width_px=160, height_px=120)


@pytest.fixture(scope="module")
def taken() -> list[sample_format.Sample]:
    return list(samples(draw_room(2, rooms=1), robot_config(SETTINGS), frames=14, seed=1))


def _decoded(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_boxes_are_the_extents_of_the_mask(taken):
    assert sum(len(sample.objects) for sample in taken) > 10
    for sample in taken:
        instances, classes = _decoded(sample.instances), _decoded(sample.segmentation)
        assert instances.shape == classes.shape == (120, 160)
        assert {one.instance for one in sample.objects} == set(np.unique(instances)) - {0}
        for one in sample.objects:
            rows, cols = np.nonzero(instances == one.instance)
            assert one.box_px == (cols.min(), rows.min(), cols.max() + 1, rows.max() + 1)
            assert one.pixels == len(rows)
            assert set(classes[rows, cols]) == {labels.small_object_number(one.class_name)}


def test_a_whole_object_stands_where_its_contact_says(taken):
    checked = 0
    for sample in taken:
        for one in sample.objects:
            x0, y0, x1, y1 = one.box_px
            if min(x0, y0) < 3 or x1 > 157 or y1 > 117 or one.pixels < 60:
                continue
            (_u, v), (centre_u, _) = sample.camera.pixels_from_floor(np.array([one.contact_base_m, one.centre_base_m]))
            checked += 1
            assert x0 - 8 <= centre_u <= x1 + 8
            assert y0 <= v <= y1 + 14
            assert one.distance_m == pytest.approx(np.hypot(*one.contact_base_m), abs=1e-6)
    assert checked >= 4


def test_the_floor_under_the_robot_is_a_floor(taken):
    assert all(sample.floor_under in labels.FLOORS for sample in taken)
    assert all(json.loads(sample.draws)["exposure"] > 0 for sample in taken)


def test_beams_say_what_they_met_and_end_where_the_map_says_something_stands(tmp_path: Path):
    capture(1, 60, 5, tmp_path / "c", width_px=160, height_px=120, workers=1, progress=silent)
    seen, fates = set(), set()
    stood = free = 0

    for sample in sample_format.iter_samples(tmp_path / "c"):
        fate = json.loads(sample.draws)["scan"]
        fates.add(fate)
        if fate == "lost":
            assert len(sample.ranges_m) == 0 and sample.beam_classes == b""
            continue
        classes = np.frombuffer(sample.beam_classes, np.uint8)
        assert len(classes) == len(sample.ranges_m) == 450
        seen |= set(classes.tolist())
        if fate == "late" or json.loads(sample.draws)["range_noise_m"] > 0.01:
            continue
        chart = read_map(tmp_path / "c" / "maps" / f"{sample.group}.yaml")
        met = np.isfinite(sample.ranges_m) & np.isin(classes, (labels.WALL, labels.FURNITURE))
        bearings = sample.first_bearing_rad + np.arange(450) * sample.step_rad
        for along, wanted in ((0.03, OCCUPIED), (-0.15, FREE)):
            reach = sample.ranges_m[met] + along
            ends = np.stack([reach * np.cos(bearings[met]), reach * np.sin(bearings[met])], axis=1)
            rows, columns = chart.geometry.cells(sample.pose.transform(ends)).T
            inside = (rows >= 0) & (columns >= 0) & (rows < chart.cells.shape[0]) & (columns < chart.cells.shape[1])
            hit = chart.cells[rows[inside], columns[inside]] == wanted
            stood, free = (stood + hit.mean(), free) if wanted == OCCUPIED else (stood, free + hit.mean())
            assert hit.mean() > 0.6
    assert (
        {labels.WALL, labels.FURNITURE}
        <= seen
        <= {labels.VOID, labels.WALL, labels.FURNITURE, labels.DOCK, labels.MOVING, 10, 11, 12, 13, 14}
    )
    assert fates >= {"fresh", "late"}


def test_poses_differ_from_one_sample_to_the_next(taken):
    for before, after in itertools.pairwise(taken):
        turned = abs(np.angle(np.exp(1j * (after.pose.heading_rad - before.pose.heading_rad))))
        assert after.pose.distance_m(before.pose) >= 0.05 or turned >= np.radians(5)


def test_equal_seeds_give_equal_bytes(taken, tmp_path: Path):
    again = list(samples(draw_room(2, rooms=1), robot_config(SETTINGS), frames=14, seed=1))
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"

    sample_format.write_shard(first, taken)
    sample_format.write_shard(second, again)

    assert first.read_bytes() == second.read_bytes()


def test_a_cluttered_room_shows_all_of_its_small_objects():
    """A dozen cables are more parts than a stage holds spare at least; none may be left out unsaid."""
    room = draw_room(3, rooms=1, small_objects=(12, 12), classes=("cable",))
    parts = sum(len(item.parts) for item in room.small_objects)
    assert parts > SPARE_PARTS

    stage = CaptureStage(room, robot_config(CaptureSettings(1, 1, 1, 160, 120)), seed=0)

    known = stage.engine.labels
    assert known is not None
    assert (known.instances > 0).sum() == parts
    assert set(known.instances[known.instances > 0]) == set(range(1, 13))


def test_a_capture_resumes_where_it_stopped(tmp_path: Path):
    whole = capture(2, 3, 5, tmp_path / "whole", width_px=64, height_px=48, workers=1, progress=silent)
    out = tmp_path / "broken"
    capture(2, 3, 5, out, width_px=64, height_px=48, workers=1, progress=silent)
    kept = shard_path(out, 0).stat().st_mtime_ns
    shard = shard_path(out, 1)
    shard.write_bytes(shard.read_bytes()[:-300])

    resumed = capture(2, 3, 5, out, width_px=64, height_px=48, workers=1, progress=silent)

    assert shard_path(out, 0).stat().st_mtime_ns == kept
    assert resumed.dataset_hash == whole.dataset_hash
    assert sample_format.check(out) == []


@pytest.mark.slow
def test_two_workers_write_the_same_bytes(tmp_path: Path):
    one = capture(3, 4, 9, tmp_path / "one", width_px=64, height_px=48, workers=1, progress=silent)
    two = capture(3, 4, 9, tmp_path / "two", width_px=64, height_px=48, workers=2, progress=silent)

    assert one.dataset_hash == two.dataset_hash


def test_another_capture_in_the_folder_is_refused(tmp_path: Path):
    (tmp_path / "capture.json").write_text(json.dumps({"verb": "sim capture", "seed": 1}))

    with pytest.raises(CaptureError, match="holds another capture"):
        capture(1, 1, 2, tmp_path, workers=1, progress=silent)


def test_a_folder_with_something_else_is_refused(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(CaptureError, match="not empty"):
        capture(1, 1, 2, tmp_path, workers=1, progress=silent)


@pytest.mark.parametrize(("name", "value"), [("frames", 0), ("frames", 401), ("rooms", 0), ("seed", -1)])
def test_numbers_out_of_range_are_refused(tmp_path: Path, name: str, value: int):
    arguments = {"rooms": 1, "frames": 1, "seed": 1} | {name: value}

    with pytest.raises(CaptureError, match=f"{name} = {value}"):
        capture(**arguments, out=tmp_path / "out", workers=1, progress=silent)

    assert not (tmp_path / "out").exists()
