"""A map redrawn by the pose graph takes the old one's place, and never shrinks under the layers that lie on it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foundation.geometry import IDENTITY, Pose2D
from navigation.grid_geometry import GridGeometry
from navigation.keyframes import Keyframe, KeyframeStore
from navigation.live_map import LiveMap
from navigation.static_map import OCCUPIED, UNKNOWN


def live(store):
    return LiveMap(store, cell_m=0.025, occupied_ratio=0.4, ray_max_m=8.0)


def seen(*ends):
    points = np.array(ends, dtype=np.float32)
    return Keyframe(0.0, points, np.zeros_like(points), 0.0, True)


def test_a_redrawn_map_that_needs_less_room_keeps_the_grid():
    store = KeyframeStore()
    store.add(seen((1.0, 0.0), (5.0, 0.2), (-4.0, -3.0)), IDENTITY)
    still = live(store)
    still.add_keyframe(0)
    before = still.geometry
    redrawn = still.blank()
    redrawn.integrate(IDENTITY, np.array([[1.0, 0.0]]), np.zeros((1, 2)))
    assert redrawn.geometry.cols < before.cols

    still.replace(redrawn, 1)

    assert still.geometry == before
    ((row, col),) = still.geometry.cells(np.array([[1.0, 0.0]]))
    assert still.cells[row, col] == OCCUPIED
    assert still.cells[0, 0] == UNKNOWN


@given(
    st.lists(st.tuples(st.floats(-6, 6), st.floats(-6, 6)), min_size=1, max_size=4),
    st.lists(st.tuples(st.floats(-6, 6), st.floats(-6, 6)), min_size=1, max_size=4),
)
def test_what_lay_on_the_old_grid_lies_on_the_new_one(first, second):
    store = KeyframeStore()
    store.add(seen(*first), Pose2D(0.3, -0.2, 0.1))
    still = live(store)
    still.add_keyframe(0)
    before = still.geometry
    layer = np.ones(before.shape, dtype=np.bool_)
    redrawn = still.blank()
    redrawn.integrate(IDENTITY, np.array(second), np.zeros((len(second), 2)))

    still.replace(redrawn, 1)

    moved = before.moved_to(still.geometry, layer)
    assert moved.sum() == layer.sum()
    corner = np.array([[before.origin_x_m + 0.01, before.origin_y_m + 0.01]])
    assert moved[tuple(still.geometry.cells(corner)[0])]
    assert isinstance(still.geometry, GridGeometry)


def test_where_each_scan_was_drawn_is_remembered_until_it_is_drawn_anew():
    store = KeyframeStore()
    still = live(store)
    for x_m in (0.0, 1.0):
        store.add(seen((2.0, 0.0)), Pose2D(x_m, 0.0, 0.0))
        still.add_keyframe(len(store) - 1)

    store.correct(np.array([[0.0, 0.01, 0.0]]))  # the younger one follows
    assert still.drawn_at_m().tolist() == [[0.0, 0.0], [1.0, 0.0]]

    still.replace(still.blank(), 1)
    assert still.drawn_at_m().tolist() == [[0.0, 0.01], [1.0, 0.01]]
