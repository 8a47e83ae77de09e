"""The floor that a job wants swept, as cells of whatever grid the map has now.

The planner needs no notion of zones: what is not wanted counts as swept, and stays floor to drive over.
"""

import numpy as np
from numpy.typing import NDArray

from navigation.floor_shapes import disc_cells, polygon_cells
from navigation.grid_geometry import GridGeometry
from navigation.job import Job, JobError
from navigation.map_handler import MapHandler

BoolGrid = NDArray[np.bool_]


class WantedFloor:
    """Called with a grid's geometry, it draws the job's zones, spots and rooms on it. Not for whole floors.

    Raises JobError when the job names rooms.
    """

    def __init__(self, job: Job) -> None:
        if job.rooms:
            raise JobError(f"rooms {list(job.rooms)} are wanted, and rooms are known on a saved map only: give one")
        self._job = job

    def __call__(self, geometry: GridGeometry) -> BoolGrid:
        """(R, C)."""
        wanted = np.zeros(geometry.shape, dtype=np.bool_)
        for zone in self._job.zones:
            wanted |= polygon_cells(geometry, zone.corners_map_m)
        for spot in self._job.spots:
            wanted |= disc_cells(geometry, spot.centre_map_m, spot.radius_m)
        return wanted


def lay_out(job: Job, room: MapHandler) -> None:
    """The job's zones in the room's layers. Raises JobError when the job names rooms."""
    room.set_zones(job.keep_outs())
    room.set_wanted(None if job.whole_floor else WantedFloor(job))
