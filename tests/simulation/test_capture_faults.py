"""What breaks a capture, and how it goes on: no GL, a full disk, a killed worker."""

import errno
import multiprocessing
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from foundation.progress import silent
from perception import sample_format
from simulation import dataset_writer
from simulation.dataset_writer import CaptureSettings, capture, robot_config, shard_path
from simulation.errors import CaptureError
from simulation.lidar_capture import samples
from simulation.room_simulator import draw_room
from simulation.standin import rendering

TINY = {"width_px": 64, "height_px": 48, "progress": silent}


def test_without_gl_the_rays_give_the_same_labels(monkeypatch: pytest.MonkeyPatch):
    config = robot_config(CaptureSettings(1, 2, 1, 64, 48))
    room = draw_room(2, rooms=1)
    by_gl = list(samples(room, config, frames=2, seed=1))
    monkeypatch.setattr(rendering, "_gl_works", False)

    by_rays = list(samples(room, config, frames=2, seed=1))

    for one, other in zip(by_gl, by_rays, strict=True):
        assert one.pose == other.pose
        assert np.array_equal(one.ranges_m, other.ranges_m)
        seen, also = ({(item.instance, item.class_name) for item in sample.objects} for sample in (one, other))
        assert len(seen ^ also) <= 1  # a far thing of a pixel or two


def test_a_full_disk_leaves_whole_shards_only_and_the_capture_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    whole = capture(3, 2, 5, tmp_path / "whole", workers=1, **TINY)
    out, write = tmp_path / "out", sample_format.write_shard

    def full(path: Path, rows) -> None:
        if path == shard_path(out, 1):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, rows)

    monkeypatch.setattr(dataset_writer.sample_format, "write_shard", full)
    with pytest.raises(OSError, match="No space left"):
        capture(3, 2, 5, out, workers=1, **TINY)
    assert not (out / sample_format.MANIFEST).exists()
    assert sorted(path.name for path in out.iterdir()) == ["capture.json", "maps", shard_path(out, 0).name]

    monkeypatch.setattr(dataset_writer.sample_format, "write_shard", write)
    resumed = capture(3, 2, 5, out, workers=1, **TINY)

    assert resumed.dataset_hash == whole.dataset_hash


@pytest.mark.slow
def test_a_killed_worker_is_said_and_the_same_command_goes_on(tmp_path: Path):
    whole = capture(4, 6, 5, tmp_path / "whole", workers=1, **TINY)
    out = tmp_path / "out"

    def kill_one() -> None:
        while not (children := multiprocessing.active_children()):
            time.sleep(0.05)
        time.sleep(1.0)
        children[0].kill()

    thread = threading.Thread(target=kill_one)
    thread.start()
    with pytest.raises(CaptureError, match="a worker was killed"):
        capture(4, 6, 5, out, workers=2, **TINY)
    thread.join()

    resumed = capture(4, 6, 5, out, workers=2, **TINY)

    assert resumed.dataset_hash == whole.dataset_hash
    assert sample_format.check(out) == []
