"""Rays through a picture against MuJoCo's own, and geoms drawn where those say that they are seen."""

import math

import numpy as np
import pytest

from simulation.headless_mujoco import mujoco
from simulation.standin.geom_picture import geoms_seen
from simulation.standin.rendering import open_renderer
from simulation.standin.view_solids import cast, met_at, seen_from

KINDS = ("plane", "box", "sphere", "ellipsoid", "cylinder", "capsule")
SIDE = 48
TANGENTS = (0.7, 0.5)
EYE = np.array([0.0, 0.0, 0.05])


def scene(seed: int, count: int = 12, near: float = 0.15):
    """A floor and solids in front of, beside and behind a camera that looks somewhere: model, data, eye, axes."""
    rng = np.random.default_rng(seed)
    names = ["plane"] + [KINDS[1 + int(rng.integers(5))] for _ in range(count)]
    geoms = ['<geom type="plane" size="0 0 1" pos="0 0 -0.4"/>']
    for name in names[1:]:
        x, y, z = 0.0, 0.0, 0.0
        while math.hypot(x, y, z - EYE[2]) < 2.5 * near:  # the eye is inside of nothing
            x, y, z = rng.uniform(-1, 1, 3) * (1.2, 0.8, 0.3) + rng.choice([0, 0, 1]) * np.array([0.8, 0, 0])
        size = " ".join(f"{value:.3f}" for value in rng.uniform(0.01, near, 3))
        turn = " ".join(f"{value:.3f}" for value in rng.uniform(-180, 180, 3))
        geoms.append(f'<geom type="{name}" size="{size}" pos="{x:.3f} {y:.3f} {z:.3f}" euler="{turn}"/>')
    model = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody>{''.join(geoms)}</worldbody></mujoco>")
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    yaw, pitch = rng.uniform(-0.5, 0.5), rng.uniform(0, 0.6)
    ahead = np.array([math.cos(yaw) * math.cos(pitch), math.sin(yaw) * math.cos(pitch), -math.sin(pitch)])
    right = np.array([math.sin(yaw), -math.cos(yaw), 0.0])
    return model, data, EYE, np.column_stack([right, np.cross(right, ahead), -ahead])


def solids_of(model, data, eye, axes):
    return seen_from(eye, axes, model.geom_type, model.geom_size, data.geom_xpos, data.geom_xmat)


def true_geoms(model, data, eye, axes, shown=None) -> np.ndarray:
    """(SIDE, SIDE) by MuJoCo's rays, of the geom groups `shown`; None for all."""
    out = np.full((SIDE, SIDE), -1, np.int32)
    hit = np.zeros(1, np.int32)
    for row in range(SIDE):
        for col in range(SIDE):
            mujoco.mj_ray(model, data, eye, ray_of(row, col, axes), shown, True, -1, hit)
            out[row, col] = hit[0]
    return out


def ray_of(row: int, col: int, axes: np.ndarray) -> np.ndarray:
    across = ((col + 0.5) / SIDE * 2 - 1) * TANGENTS[0]
    up = (1 - (row + 0.5) / SIDE * 2) * TANGENTS[1]
    return axes @ np.array([across, up, -1.0])


@pytest.mark.parametrize("seed", range(6))
def test_a_ray_meets_each_geom_where_mujoco_says_so(seed):
    model, data, eye, axes = scene(seed)
    kinds, frames = solids_of(model, data, eye, axes)
    rng = np.random.default_rng(seed)
    met = 0

    for geom in range(1, model.ngeom):
        toward = axes.T @ (data.geom_xpos[geom] - eye)
        if toward[2] > -0.2:
            continue
        for _ in range(20):
            across, up = toward[:2] / -toward[2] + rng.normal(0, 0.08, 2)
            ray = axes @ np.array([across, up, -1.0])
            true = _alone(model, data, geom, eye, ray)
            told = met_at(kinds, frames, geom, across, up, 1.0)
            if true < 0:
                assert told <= 0
            else:
                met += 1
                assert told == pytest.approx(true, abs=1e-9)
    assert met > 30


def _alone(model, data, geom, eye, ray) -> float:
    """Units of the ray to one geom by MuJoCo, -1 where it misses."""
    groups = model.geom_group.copy()
    model.geom_group[:] = 5
    model.geom_group[geom] = 0
    hit = np.zeros(1, np.int32)
    found = mujoco.mj_ray(model, data, eye, ray, np.array([1, 0, 0, 0, 0, 0], np.uint8), True, -1, hit)
    model.geom_group[:] = groups
    return float(found)


@pytest.mark.parametrize("seed", range(12))
def test_geoms_are_drawn_where_they_are_seen(seed):
    model, data, eye, axes = scene(seed, near=0.15 if seed < 8 else 0.4)  # the larger ones reach behind the eye

    geoms = geoms_seen(np.ones(model.ngeom, bool), *solids_of(model, data, eye, axes), TANGENTS, SIDE, SIDE)

    wanted = true_geoms(model, data, eye, axes)
    assert len(np.unique(wanted)) > 2
    assert (geoms != wanted).sum() <= 2, "rays along a surface may fall to either side"


def test_what_is_not_shown_hides_nothing():
    model, data, eye, axes = scene(1)
    seen = solids_of(model, data, eye, axes)
    shown = np.arange(model.ngeom) % 2 == 0
    model.geom_group[~shown] = 5

    geoms = geoms_seen(shown, *seen, TANGENTS, SIDE, SIDE)

    wanted = true_geoms(model, data, eye, axes, np.array([1, 0, 0, 0, 0, 0], np.uint8))
    assert (geoms != wanted).sum() <= 2


def test_a_box_around_the_eye_hides_nothing():
    half, frame = (1.0, 1.0, 1.0), np.eye(3).ravel()
    arrays = ([int(mujoco.mjtGeom.mjGEOM_BOX)], [half], [(0.0, 0.0, 0.2)], [frame])
    types, *rest = (np.array(one) for one in arrays)
    seen = seen_from(np.zeros(3), np.eye(3), types.astype(np.int32), *(one.astype(float) for one in rest))

    assert (geoms_seen(np.ones(1, bool), *seen, TANGENTS, 8, 8) == -1).all()


@pytest.mark.parametrize("seed", range(3))
def test_colours_and_geoms_of_a_picture_are_of_the_same_pixels(seed):
    rng = np.random.default_rng(seed)
    colours = rng.permutation(np.arange(1, 13)) / 13
    geoms = [
        f'<geom type="box" size=".1 .2 {rng.uniform(0.02, 0.3):.3f}" rgba="{level} {1 - level} 0 1" '
        f'pos="{rng.uniform(0.4, 2):.3f} {rng.uniform(-0.9, 0.9):.3f} 0" euler="0 0 {rng.uniform(0, 180):.1f}"/>'
        for level in colours
    ]
    model = mujoco.MjModel.from_xml_string(
        '<mujoco><visual><headlight ambient="1 1 1" diffuse="0 0 0" specular="0 0 0"/><map znear=".01"/></visual>'
        f'<worldbody><camera name="eye" pos="0 0 .3" euler="0 -75 -90" fovy="50"/>{"".join(geoms)}</worldbody></mujoco>'
    )
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    renderer = open_renderer(model, 160, 120, "eye")

    rgb, seen = renderer.look(data)

    renderer.close()
    wanted = np.round(colours * 255)[seen]
    inside = np.zeros(seen.shape, bool)  # away from edges, which are smoothed
    inside[1:-1, 1:-1] = (seen >= 0)[1:-1, 1:-1]
    for shift in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        inside &= np.roll(seen, shift, (0, 1)) == seen
    assert len(np.unique(seen[inside])) >= 5
    assert (np.abs(rgb[..., 0][inside] - wanted[inside]) > 3).mean() <= 0.002


@pytest.mark.parametrize("seed", range(6))
def test_beams_see_what_mujocos_see(seed):
    model, data, eye, _ = scene(seed)
    angles = np.linspace(-math.pi, math.pi, 360, endpoint=False)
    rays = np.stack([np.cos(angles), np.sin(angles), 0.3 * np.sin(7 * angles)], axis=1)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    some = np.flatnonzero(np.arange(model.ngeom) % 5 != 4)
    hits, ranges = np.zeros(360, np.int32), np.zeros(360)
    model.geom_group[:] = np.where(np.isin(np.arange(model.ngeom), some), 0, 5)

    cast(rays, eye, some, model.geom_type, model.geom_size, data.geom_xpos, data.geom_xmat, 6.0, hits, ranges)

    wanted, true, shown = np.zeros(360, np.int32), np.zeros(360), np.array([1, 0, 0, 0, 0, 0], np.uint8)
    mujoco.mj_multiRay(model, data, eye, rays.ravel(), shown, True, -1, wanted, true, None, 360, 6.0)
    beyond = true >= 6.0  # to MuJoCo the range is a hint
    wanted[beyond], true[beyond] = -1, -1.0
    assert (wanted > 0).sum() > 8
    assert (hits == wanted).all()
    assert np.allclose(ranges, true, atol=1e-9)
