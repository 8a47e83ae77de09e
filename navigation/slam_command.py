"""What `oxturn slam` does: reads a log, replays it, writes trajectories and the map, and says what it cost."""

import resource
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from foundation.atomic_files import staged_folder
from foundation.geometry import FloatArray
from foundation.out_folder import besides, require_own
from foundation.progress import Advance
from foundation.settled_memory import settled_memory
from foundation.thread_switches import quick_switches
from navigation.carmen_log import read_log
from navigation.log_replay import Replay, replay
from navigation.map_picture import write_picture
from navigation.mapping_job import drawn
from navigation.occupancy_map import OccupancyMap
from navigation.pose_estimate import Tracking
from navigation.ros_map import write_map
from navigation.slam import SlamSettings, warm_up
from navigation.trajectory_files import write_g2o, write_tum

MAP_CELL_M = 0.05
MAP_NAMES = ("map.yaml", "map.pgm", "map.png", "graph.g2o", "trajectory.tum")


class Progress(Protocol):
    def __call__(self, what: str, *, total: int, unit: str) -> AbstractContextManager[Advance]: ...


@dataclass(frozen=True, slots=True)
class SlamReport:
    """The verb's JSON."""

    scans: int
    keyframes: int
    loops: int
    scan_ms_p50: float
    scan_ms_p99: float
    scan_ms_max: float
    update_ms_p50: float
    update_ms_p99: float
    blocked_ms_max: float  # the longest whole update: matching, keeping a keyframe, taking a solved graph in
    rss_mb: float
    rss_above_imports_mb: float
    lost_scans: int
    degraded_scans: int


def run_slam(
    log: Path,
    out: Path,
    *,
    online_out: Path | None,
    map_out: Path | None,
    range_max_m: float | None,
    progress: Progress,
) -> SlamReport:
    """Raises CarmenLogError, or OutFolderError where `map_out` holds anything but such a map; writes nothing then."""
    if map_out is not None:
        require_own(map_out, "a map", besides(MAP_NAMES))
    imports_mb = _peak_mb()
    settings = SlamSettings()
    warm_up(settings)
    total = sum(1 for _ in read_log(log))  # the whole log is checked before anything is made of it
    with progress("slam", total=total, unit="scans") as advance, settled_memory(), quick_switches():
        done = replay(read_log(log), settings, range_max_m=range_max_m or settings.range_max_m, advance=advance)
    write_tum(out, done.stamps_s, done.final)
    if online_out is not None:
        write_tum(online_out, done.stamps_s, done.online)
    if map_out is not None:
        _write_map_folder(map_out, done, settings)
    return _report(done, imports_mb)


def _write_map_folder(folder: Path, done: Replay, settings: SlamSettings) -> None:
    """The files of MAP_NAMES; the folder appears whole or not at all."""
    snapshot = done.slam.snapshot()
    blank = OccupancyMap(cell_m=MAP_CELL_M, occupied_ratio=settings.occupied_ratio, ray_max_m=settings.range_max_m)
    occupancy = drawn(snapshot, snapshot.poses, blank)
    with staged_folder(folder) as staging:
        write_map(staging, "map", occupancy.cells, occupancy.geometry)
        write_g2o(staging / "graph.g2o", snapshot.poses, snapshot.relations)
        write_tum(staging / "trajectory.tum", done.stamps_s, done.final)
        write_picture(staging / "map.png", occupancy.cells, occupancy.geometry, done.final[:, :2])


def _report(done: Replay, imports_mb: float) -> SlamReport:
    snapshot = done.slam.snapshot()
    return SlamReport(
        scans=len(done.stamps_s),
        keyframes=len(snapshot.keyframes),
        loops=sum(relation.loop for relation in snapshot.relations),
        scan_ms_p50=_percentile(done.match_ms, 50),
        scan_ms_p99=_percentile(done.match_ms, 99),
        scan_ms_max=_percentile(done.match_ms, 100),
        update_ms_p50=_percentile(done.update_ms, 50),
        update_ms_p99=_percentile(done.update_ms, 99),
        blocked_ms_max=_percentile(done.update_ms, 100),
        rss_mb=round(_peak_mb(), 1),
        rss_above_imports_mb=round(_peak_mb() - imports_mb, 1),
        lost_scans=sum(state is Tracking.LOST for state in done.tracking),
        degraded_scans=sum(state is Tracking.DEGRADED for state in done.tracking),
    )


def _percentile(values: FloatArray, share: float) -> float:
    return round(float(np.percentile(values, share)), 3) if len(values) else 0.0


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
