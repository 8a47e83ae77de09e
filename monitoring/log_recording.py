"""A recorded LIDAR log with the trajectory and map that SLAM made of it, as MCAP: for Foxglove, scan by scan.

In: a CARMEN log, the TUM file of `oxturn slam` (one row a scan, in the log's order) and perhaps its ROS map. Out: a
folder of `run-NNNNNN.mcap`. What can fail: files that do not belong together, told before anything is written.
"""

from pathlib import Path

from foundation.geometry import IDENTITY, Pose2D
from foundation.progress import ProgressFactory
from foundation.robot_config import Camera, Lidar
from monitoring.errors import MonitoringError
from monitoring.run_log import RunLog, RunLogSettings
from navigation.carmen_log import read_log
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.robot_io import DriveCommand
from navigation.robot_loop import TickReport
from navigation.ros_map import read_map
from navigation.trajectory_files import read_tum
from perception.observation import Observation

_HALT = DriveCommand(0.0, 0.0)


def record(log: Path, trajectory: Path, out: Path, *, map_yaml: Path | None, progress: ProgressFactory) -> int:
    """Number of scans recorded.

    Raises:
        MonitoringError: the trajectory is not of this log. CarmenLogError, RosMapError, TrajectoryError: bad files.
    """
    stamps_s, poses = read_tum(trajectory)
    count = sum(1 for _ in read_log(log))
    if count != len(stamps_s):
        raise MonitoringError(
            f"{trajectory}: has {len(stamps_s)} poses, {log} has {count} scans; is it of another log?"
        )
    drawn = None if map_yaml is None else read_map(map_yaml)
    with (
        RunLog(out, Lidar(x_m=0.0, y_m=0.0, yaw_rad=0.0), Camera(), RunLogSettings()) as recording,
        progress("record", total=count, unit="scans") as advance,
    ):
        for number, (logged, stamp_s, pose) in enumerate(zip(read_log(log), stamps_s, poses, strict=True)):
            place = Pose2D(float(pose[0]), float(pose[1]), float(pose[2]))
            estimate = PoseEstimate(float(stamp_s), place, Tracking.TRACKING, 0, IDENTITY, 0)
            seen = Observation(logged.stamp_s, logged.as_scan(), None, None)
            recording.on_tick(TickReport(seen, estimate, None, _HALT, _HALT))
            if number == 0 and drawn is not None:
                recording.on_map(drawn.cells, drawn.geometry)
            advance(1)
        if recording.failure is not None:
            raise MonitoringError(f"{out}: {recording.failure}")
    return count
