"""Runs SLAM over a recorded log as the robot would have: one update a scan, the rest beside it; then settles the graph.

A log is read faster than it was driven, so the background gets its time back between updates: its job is started in a
thread, and before the update that is to take the result in, the replay (never the update) waits for it. So equal logs
give equal trajectories, and the time of an update is what a running robot would see.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from foundation.geometry import IDENTITY, FloatArray, Pose2D
from navigation.carmen_log import LogScan
from navigation.pose_estimate import Tracking
from navigation.slam import Slam, SlamSettings

JOB_SCANS = 10  # a background job's result is taken in so many scans after its start


class PacedBackground:
    """A thread whose result is delivered at the `ticks`-th poll; `settle` waits for it when it is due."""

    def __init__(self, ticks: int) -> None:
        self._ticks = ticks
        self._left = 0
        self._future: Future[Any] | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mapping")

    @property
    def busy(self) -> bool:
        return self._future is not None

    def submit(self, work: Callable[[], Any]) -> None:
        self._future, self._left = self._pool.submit(work), self._ticks

    def settle(self) -> None:
        """Between updates: waits when the next poll is to deliver."""
        if self._future is not None and self._left <= 1:
            self._future.exception()

    def poll(self) -> Any | None:
        if self._future is None:
            return None
        self._left -= 1
        if self._left > 0:
            return None
        future, self._future = self._future, None
        return future.result()

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Replay:
    """A row for each of the N scans of the log, in its order; poses are map_from_laser."""

    stamps_s: FloatArray  # (N,)
    online: FloatArray  # (N, 3): as published at the time
    final: FloatArray  # (N, 3): after the graph was settled
    match_ms: FloatArray  # (M,): scan matches, M of them
    update_ms: FloatArray  # (N,): whole updates
    tracking: list[Tracking]
    slam: Slam


def replay(
    scans: Iterable[LogScan],
    settings: SlamSettings,
    *,
    range_max_m: float,
    advance: Callable[[int], None] = lambda count: None,
) -> Replay:
    """Ranges at or beyond `range_max_m` count as no return."""
    background = PacedBackground(JOB_SCANS)
    slam = Slam(
        settings,
        laser=IDENTITY,
        wheel_radius_m=1.0,  # a log tells odometry as poses: wheels are not asked
        wheel_track_m=1.0,
        background=background,
        keep_map=False,
        clock=time.perf_counter,
    )
    stamps, online, match_ms, update_ms, tracking = [], [], [], [], []
    told: list[tuple[int, Pose2D]] = []
    try:
        for logged in scans:
            scan = logged.as_scan(range_max_m)
            background.settle()
            started_s = time.perf_counter()
            estimate = slam.step(logged.stamp_s, logged.odom_from_laser, scan)
            update_ms.append(1e3 * (time.perf_counter() - started_s))
            match_ms.append(1e3 * slam.match_s)
            stamps.append(logged.stamp_s)
            online.append(_row(estimate.map_from_base))
            told.append((estimate.keyframe, estimate.keyframe_from_base))
            tracking.append(estimate.tracking)
            advance(1)
        slam.finish()
    finally:
        background.close()
    final = [_row(slam.static_map.keyframe_pose(keyframe) @ pose) for keyframe, pose in told]
    return Replay(
        np.array(stamps),
        np.array(online).reshape(-1, 3),
        np.array(final).reshape(-1, 3),
        np.array(match_ms[1:]),
        np.array(update_ms),
        tracking,
        slam,
    )


def _row(pose: Pose2D) -> tuple[float, float, float]:
    return pose.x_m, pose.y_m, pose.heading_rad
