"""The floor that a job wants swept, as cells of whatever grid the map has now.

The planner needs no notion of zones: what is not wanted counts as swept, and stays floor to drive over.
"""

import numpy as np
from numpy.typing import NDArray

from navigation.floor_shapes import disc_cells, polygon_cells
from navigation.grid_geometry import GridGeometry
from navigation.job import Job, JobError
from navigation.map_handler import MapHandler
from navigation.room_segmentation import Rooms

BoolGrid = NDArray[np.bool_]


class WantedFloor:
    """Called with a grid's geometry, it draws the job's zones, spots and rooms on it. Not for whole floors.

    Raises JobError when a room that the job names is not one of `rooms`.
    """

    def __init__(self, job: Job, rooms: Rooms | None) -> None:
        self._job = job
        numbers = _numbers(job, rooms)
        # once: the grid may grow while the robot drives
        self._rooms = None if rooms is None or not numbers else (rooms.cells_of(numbers), rooms.geometry)

    def __call__(self, geometry: GridGeometry) -> BoolGrid:
        """(R, C)."""
        wanted = np.zeros(geometry.shape, dtype=np.bool_)
        if self._rooms is not None:
            wanted |= _on(geometry, *self._rooms)
        for zone in self._job.zones:
            wanted |= polygon_cells(geometry, zone.corners_map_m)
        for spot in self._job.spots:
            wanted |= disc_cells(geometry, spot.centre_map_m, spot.radius_m)
        return wanted


def lay_out(job: Job, room: MapHandler, rooms: Rooms | None = None) -> None:
    """The job's zones and its rule for carpets in the room's layers. Raises JobError."""
    room.set_zones(job.keep_outs())
    room.set_carpet(swept=job.carpet == "sweep", entered=job.carpet != "avoid")
    room.set_wanted(None if job.whole_floor else WantedFloor(job, rooms))


def _on(geometry: GridGeometry, cells: BoolGrid, where: GridGeometry) -> BoolGrid:
    """(R, C): what of the cells lies on another grid of the same cell size."""
    shift_rows, shift_cols = geometry.shift_to(where)
    rows, cols = np.arange(geometry.rows) + shift_rows, np.arange(geometry.cols) + shift_cols
    on_rows, on_cols = (rows >= 0) & (rows < where.rows), (cols >= 0) & (cols < where.cols)
    moved = np.zeros(geometry.shape, dtype=np.bool_)
    moved[np.ix_(on_rows, on_cols)] = cells[np.ix_(rows[on_rows], cols[on_cols])]
    return moved


def _numbers(job: Job, rooms: Rooms | None) -> list[int]:
    """Of the rooms that the job names."""
    if not job.rooms:
        return []
    if rooms is None:
        raise JobError(f"rooms {list(job.rooms)} are wanted, and rooms are known on a saved map only: give one")
    places = {one.name: one.place_map_m for one in job.named_rooms}
    numbers = []
    for room in job.rooms:
        number = room if isinstance(room, int) else rooms.at(*places[room])
        if isinstance(room, str) and number == 0:
            x_m, y_m = places[room]
            raise JobError(f"room {room!r} is named at {x_m:.2f}, {y_m:.2f}, and no room of the map is there")
        if number > rooms.count:
            raise JobError(f"room {number} is wanted, the map has rooms 1 to {rooms.count}")
        numbers.append(number)
    return numbers
