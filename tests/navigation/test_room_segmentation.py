import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from navigation.grid_geometry import GridGeometry
from navigation.job import JobError, parse
from navigation.room_picture import picture
from navigation.room_segmentation import EIGHT, NoRooms, RoomSettings, segmented
from navigation.static_map import FREE, OCCUPIED, UNKNOWN
from navigation.wanted_floor import WantedFloor

CELL_M = 0.05
SETTINGS = RoomSettings()


def drawn(width_m, height_m, walls=(), doors=()):
    """A flat with walls of (x0, y0, x1, y1), doors cut through them afterwards."""
    geometry = GridGeometry(-0.5, -0.5, CELL_M, round((height_m + 1) / CELL_M), round((width_m + 1) / CELL_M))
    cells = np.full(geometry.shape, UNKNOWN, np.int8)

    def fill(x0, y0, x1, y1, value):
        (row0, col0), (row1, col1) = geometry.cells(np.array([[x0, y0], [x1, y1]]) + CELL_M / 2)
        cells[row0:row1, col0:col1] = value

    fill(-0.1, -0.1, width_m + 0.1, height_m + 0.1, OCCUPIED)
    fill(0, 0, width_m, height_m, FREE)
    for wall in walls:
        fill(*wall, OCCUPIED)
    for door in doors:
        fill(*door, FREE)
    return cells, geometry


def three_in_a_row():
    """Rooms of 3 m x 4 m behind one another, doors of 0.8 m."""
    walls = [(3.0, 0, 3.1, 4), (6.1, 0, 6.2, 4)]
    return drawn(9.2, 4, walls, [(3.0, 0.5, 3.1, 1.3), (6.1, 2.5, 6.2, 3.3)])


def test_doors_part_rooms_and_the_tour_numbers_them():
    cells, geometry = three_in_a_row()

    rooms = segmented(cells, geometry, (8.0, 1.0), SETTINGS)

    assert rooms.count == 3
    assert [rooms.at(x, 2.0) for x in (7.5, 4.5, 1.5)] == [1, 2, 3]
    assert rooms.at(-0.4, -0.4) == 0 and rooms.at(50.0, 2.0) == 0
    area_m2 = np.bincount(rooms.labels.ravel())[1:] * CELL_M**2
    assert area_m2 == pytest.approx([12.0, 12.0, 12.0], abs=0.2)
    assert [round(float(x)) for x in rooms.places_map[:, 0]] in ([8, 5, 2], [8, 4, 2], [8, 5, 1], [8, 4, 1], [7, 4, 1])


def test_a_wide_opening_is_no_door():
    cells, geometry = drawn(6.1, 4, [(3.0, 0, 3.1, 4)], [(3.0, 1.0, 3.1, 3.0)])

    assert segmented(cells, geometry, (1.0, 1.0), SETTINGS).count == 1


def test_a_corridor_is_a_room_and_not_one_at_every_door():
    walls = [(0, 3.0, 9, 3.1), (4.4, 0, 4.5, 3.0)]
    cells, geometry = drawn(9, 4.3, walls, [(1.5, 3.0, 2.3, 3.1), (6.5, 3.0, 7.3, 3.1)])

    rooms = segmented(cells, geometry, (1.0, 3.7), SETTINGS)

    assert rooms.count == 3
    assert rooms.at(0.5, 3.7) == rooms.at(8.5, 3.7) == 1


def test_furniture_that_stands_free_parts_nothing_and_is_floor_of_its_room():
    legs = [(x, y, x + 0.1, y + 0.1) for x in (1.2, 1.9) for y in (1.2, 2.2)]
    cells, geometry = drawn(3.2, 3.5, [*legs, (2.3, 0.8, 2.8, 2.0)])

    rooms = segmented(cells, geometry, (0.5, 0.5), SETTINGS)

    assert rooms.count == 1 and rooms.at(1.25, 1.25) == 1 and rooms.at(2.5, 1.5) == 1


def test_a_closet_belongs_to_the_room_before_it():
    cells, geometry = drawn(4.2, 3, [(3.0, 0, 3.1, 3), (3.1, 1.0, 4.2, 1.1)], [(3.0, 0.1, 3.1, 0.8)])

    rooms = segmented(cells, geometry, (1.0, 1.0), SETTINGS)

    assert rooms.at(3.6, 0.5) == rooms.at(1.0, 1.0) == 1, "1.1 m2 behind a door"
    assert rooms.count == 2 and rooms.at(3.6, 2.0) == 2, "what nobody can reach is a room all the same"


def test_a_map_without_a_room_is_told():
    cells, geometry = drawn(1.0, 1.0)

    with pytest.raises(NoRooms, match=r"1\.00 m2 of the map are free, a room has at least 1\.5 m2"):
        segmented(cells, geometry, (0.5, 0.5), SETTINGS)


@settings(max_examples=60, deadline=None)
@given(arrays(np.bool_, (9, 12), elements=st.booleans()), st.integers(0, 3))
def test_rooms_are_connected_share_nothing_and_leave_no_large_floor_out(blocks, turns):
    cells = np.where(np.rot90(blocks, turns).repeat(12, axis=0).repeat(12, axis=1), OCCUPIED, FREE).astype(np.int8)
    geometry = GridGeometry(0.0, 0.0, CELL_M, *cells.shape)
    try:
        rooms = segmented(cells, geometry, (1.0, 1.0), SETTINGS)
    except NoRooms:
        parts, count = ndimage.label(cells == FREE, EIGHT)
        assert not count or np.bincount(parts.ravel())[1:].max() * CELL_M**2 < SETTINGS.room_least_m2
        return
    for number in range(1, rooms.count + 1):
        mine = rooms.labels == number
        assert ndimage.label(mine, EIGHT)[1] == 1
        assert mine.sum() * CELL_M**2 >= SETTINGS.room_least_m2 - 1e-9
        assert rooms.at(*rooms.places_map[number - 1]) == number
    parts, _ = ndimage.label(cells == FREE, EIGHT)
    missing = parts[(cells == FREE) & (rooms.labels == 0)]
    assert not len(missing) or np.bincount(missing).max() * CELL_M**2 < SETTINGS.room_least_m2
    again = segmented(cells, geometry, (1.0, 1.0), SETTINGS)
    assert np.array_equal(again.labels, rooms.labels)


# rooms as jobs


def test_rooms_are_wanted_by_number_and_by_a_place_in_them():
    cells, geometry = three_in_a_row()
    rooms = segmented(cells, geometry, (8.0, 1.0), SETTINGS)
    job = parse('rooms = [1, "den"]\n[[named_rooms]]\nname = "den"\nplace_map_m = [1.0, 3.0]', "job.toml")
    grown = GridGeometry(
        geometry.origin_x_m - 1.0, geometry.origin_y_m - 0.5, CELL_M, geometry.rows + 5, geometry.cols + 40
    )

    wanted = WantedFloor(job, rooms)(grown)

    def at(x_m, y_m):
        row, col = grown.cells(np.array([[x_m, y_m]]))[0]
        return wanted[row, col]

    assert at(8.0, 2.0) and at(1.5, 2.0) and not at(4.5, 2.0)
    assert at(-0.08, 2.0) and not at(-0.3, 2.0), "a wall is never twice at the same place"
    assert wanted.sum() * CELL_M**2 == pytest.approx(24.0 + 2 * 10 * 0.15, abs=0.7)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rooms = [4]", "room 4 is wanted, the map has rooms 1 to 3"),
        ('rooms = ["den"]\n[[named_rooms]]\nname = "den"\nplace_map_m = [20, 3]', "'den' is named at 20.00, 3.00"),
    ],
)
def test_a_room_that_the_map_has_not_is_told(text, says):
    with pytest.raises(JobError, match=says):
        WantedFloor(parse(text, "job.toml"), segmented(*three_in_a_row(), (8.0, 1.0), SETTINGS))


def test_the_picture_shows_each_room_in_its_colour_with_its_number():
    rooms = segmented(*three_in_a_row(), (8.0, 1.0), SETTINGS)

    image = picture(rooms)

    assert image.shape == (*rooms.labels.shape, 3)
    assert np.array_equal((image[::-1] == (60, 60, 60)).all(axis=2), rooms.labels == 0), "y upwards"
    middles = [image[::-1][tuple(rooms.geometry.cells(np.array([[x, 0.2]]))[0])] for x in (1.5, 4.5, 7.5)]
    assert len({tuple(colour) for colour in middles}) == 3
    assert (image == 0).all(axis=2).sum() == 9 * sum(bin(row).count("1") for one in "123" for row in _rows(one))


def _rows(digit):
    from navigation.room_picture import _ROWS

    return _ROWS[digit]
