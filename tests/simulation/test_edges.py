"""Edges of pictures drawn with one sample a pixel become as smooth as with four, and nothing else changes."""

import numpy as np
import pytest

from simulation.headless_mujoco import mujoco
from simulation.standin.edges import SAMPLES_PX, smoothed
from simulation.standin.rendering import beside_view
from simulation.standin.view_solids import seen_from

BLACK, WHITE = 0, 200
BOX, SPHERE = int(mujoco.mjtGeom.mjGEOM_BOX), int(mujoco.mjtGeom.mjGEOM_SPHERE)


def picture(sizes, types, places, *, side=32):
    """What a camera at the origin sees along -z of geoms ever nearer: geoms, and the picture plain and smoothed."""
    rays = (np.arange(side) + 0.5) / side * 2 - 1
    across, up = np.meshgrid(rays, -rays)
    geoms = np.full((side, side), -1, np.int32)
    for number, (size, kind, place) in enumerate(zip(sizes, types, places, strict=True)):
        geoms[inside(size, kind, place, across, up)] = number
    levels = np.array([BLACK, WHITE, BLACK])[geoms]  # the last is for nothing
    drawn = np.repeat(levels[::-1, :, None], 3, axis=2).astype(np.uint8)
    rotations = np.tile(np.eye(3).ravel(), (len(sizes), 1))
    arrays = (np.array(types, np.int32), np.array(sizes, float), np.array(places, float), rotations)
    return geoms, drawn[::-1], smoothed(drawn, geoms, *seen_from(np.zeros(3), np.eye(3), *arrays), (1.0, 1.0))


def inside(size, kind, place, across, up):
    """Which rays (across, up, -1) meet a ball, or the front of a thin box."""
    if kind == BOX:
        depth = -place[2]
        return (np.abs(across * depth - place[0]) < size[0]) & (np.abs(up * depth - place[1]) < size[1])
    ray = np.stack([across, up, -np.ones_like(up)], axis=-1)
    along = ray @ np.array(place) / np.linalg.norm(ray, axis=-1)
    return np.sum(np.square(place)) - along**2 < size[0] ** 2


WALL = ((100.0, 100.0, 0.001), BOX, (0.0, 0.0, -10.0))


@pytest.mark.parametrize(
    "thing",
    [((0.3, 0.33, 0.0001), BOX, (0.03, 0.02, -1.0)), ((0.4, 0.0, 0.0), SPHERE, (0.07, -0.05, -1.3))],
    ids=["box", "ball"],
)
def test_an_edge_pixel_is_the_mean_of_its_four_samples(thing):
    size, kind, place = thing

    geoms, plain, smooth = picture(*zip(WALL, thing, strict=True))

    side = len(geoms)
    rays = (np.arange(side) + 0.5) / side * 2 - 1
    across, up = np.meshgrid(rays, -rays)
    step = 2 / side
    hits = [inside(size, kind, place, across + right * step, up - down * step) for right, down in SAMPLES_PX]
    wanted = np.mean(hits, axis=0) * (WHITE - BLACK) + BLACK
    beside = np.zeros_like(geoms, bool)
    beside[:-1] |= geoms[:-1] != geoms[1:]
    beside[1:] |= geoms[:-1] != geoms[1:]
    beside[:, :-1] |= geoms[:, :-1] != geoms[:, 1:]
    beside[:, 1:] |= geoms[:, :-1] != geoms[:, 1:]
    assert np.abs(smooth[..., 0][beside] - wanted[beside]).max() <= 0.5
    assert len(np.unique(smooth)) > 3
    assert np.array_equal(smooth[~beside], plain[~beside])


def test_a_picture_of_one_thing_stays_as_it_is():
    _, plain, smooth = picture(*zip(WALL, strict=True))

    assert np.array_equal(smooth, plain)


def test_the_edge_towards_nothing_fades_into_what_was_drawn_there():
    ball = ((0.4, 0.0, 0.0), SPHERE, (0.0, 0.0, -1.3))

    geoms, _, smooth = picture(*zip(ball, ball, strict=True))

    rim = smooth[(geoms < 0) & (smooth[..., 0] > BLACK)]
    assert len(rim)
    assert (rim < WHITE).all()


def test_only_geoms_wholly_beside_the_view_are_left_out():
    rng = np.random.default_rng(0)
    count = 300
    places, half = rng.uniform(-4, 4, (count, 3)), rng.uniform(0.05, 1.5, (count, 3))
    rotations = np.linalg.qr(rng.normal(size=(count, 3, 3)))[0]
    tangents = (0.6, 0.45)

    outside = beside_view(
        np.zeros(3),
        np.eye(3),
        tangents,
        places,
        rotations.reshape(count, 9),
        np.linalg.norm(half, axis=1),
        half,
        np.ones(count, bool),
    )

    inner = rng.uniform(-1, 1, (2000, 3))
    points = np.einsum("gij,gpj->gpi", rotations, inner[None] * half[:, None]) + places[:, None]
    ahead = -points[..., 2]
    seen = (np.abs(points[..., 0]) < tangents[0] * ahead) & (np.abs(points[..., 1]) < tangents[1] * ahead)
    assert not (outside & seen.any(axis=1)).any()
    assert 0.5 < outside.mean() < 1
    assert not beside_view(
        np.zeros(3),
        np.eye(3),
        tangents,
        np.array([[9.0, 0, 0]]),
        np.eye(3).reshape(1, 9),
        np.zeros(1),
        np.zeros((1, 3)),
        np.zeros(1, bool),
    )[0], "the endless ground has no bounding sphere"
