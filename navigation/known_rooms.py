"""The rooms of a map that is known: a finished job's, or a ROS map; with a picture and a table for `oxturn rooms`.

In: a folder of the robot's state, or MAP.yaml. Out: `Rooms`, numbered along a tour from where the robot starts. Can
fail: no finished job is there (`JobError`), a map that cannot be read (`RosMapError`), or without rooms (`NoRooms`).
"""

from pathlib import Path

import numpy as np

from foundation.atomic_files import write_bytes
from foundation.geometry import IDENTITY
from foundation.robot_config import RobotConfig
from navigation.job import JobError
from navigation.job_store import JobStore, SavedJob
from navigation.map_picture import png
from navigation.mapping_job import drawn
from navigation.occupancy_map import OccupancyMap
from navigation.room_picture import picture
from navigation.room_segmentation import Rooms, RoomSettings, segmented
from navigation.ros_map import read_map
from navigation.slam import SlamSettings


def rooms_of(ground: SavedJob, cell_m: float) -> Rooms:
    """Of the map as that job left it: the same numbers however often it is asked."""
    settings = SlamSettings(map_cell_m=cell_m)
    blank = OccupancyMap(cell_m=cell_m, occupied_ratio=settings.occupied_ratio, ray_max_m=settings.map_ray_max_m)
    seen = drawn(ground.snapshot, np.asarray(ground.snapshot.poses), blank)
    home = ground.progress.home or IDENTITY
    return segmented(seen.cells, seen.geometry, (home.x_m, home.y_m), RoomSettings())


def run_rooms(source: Path, config: RobotConfig, out: Path | None) -> list[dict[str, object]]:
    """A row a room: number, area, a place in it; `out` is a PNG to write."""
    if source.is_dir():
        ground = JobStore(source / "job.sqlite").finished()
        if ground is None:
            raise JobError(f"{source}: no map of a finished job; the robot covers the whole floor once before")
        rooms, to_map = rooms_of(ground, config.planner.cell_m), None
    else:
        ros_map = read_map(source)
        start = ros_map.to_grid(np.zeros((1, 2)))[0]
        rooms = segmented(ros_map.cells, ros_map.geometry, (float(start[0]), float(start[1])), RoomSettings())
        to_map = ros_map.to_map
    if out is not None:
        write_bytes(out, png(picture(rooms)))
    places = rooms.places_map if to_map is None else to_map(rooms.places_map)
    areas_m2 = np.bincount(rooms.labels.ravel())[1:] * rooms.geometry.cell_m**2
    return [
        {"number": number, "area_m2": round(float(area_m2), 2), "place_map_m": [round(value, 3) for value in place]}
        for number, (area_m2, place) in enumerate(zip(areas_m2, places.tolist()), 1)
    ]
