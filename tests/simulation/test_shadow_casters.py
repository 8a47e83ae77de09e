import mujoco
import numpy as np
import pytest

from simulation.standin import rendering
from simulation.standin.rendering import open_renderer, renderer_name
from simulation.standin.shadow_casters import cast_into_view

AXES = np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # looking along +x, up is +z
TANGENTS = (0.6, 0.45)
EYE = np.array([0.0, 0.0, 0.2])


def casts(place, reach=0.05, lamp=(0.0, 0.0, 2.4)) -> bool:
    told = cast_into_view(EYE, AXES, TANGENTS, np.array([lamp]), np.array([place], float), np.array([reach]))
    return bool(told[0])


def test_a_thing_whose_shadow_falls_ahead_casts_into_view():
    assert casts((2.0, 0.0, 0.5))
    assert casts((0.5, 0.0, 1.5), lamp=(-0.5, 0.0, 2.4))  # above the view; its shadow lies in it


def test_a_thing_behind_or_far_beside_does_not():
    assert not casts((-1.0, 0.0, 0.5))
    assert not casts((0.5, 2.0, 0.3))


def test_a_thing_behind_with_the_lamp_farther_back_does():
    assert casts((-0.3, 0.0, 1.2), lamp=(-1.0, 0.0, 2.0))


@pytest.mark.parametrize("place", [(-1.0, 0.0, 2.5), (0.0, 0.02, 2.38), (-3.0, 0.0, 2.3)])
def test_what_stands_near_the_lamp_or_as_high_may_shadow_everything(place):
    assert casts(place)


def test_an_endless_geom_counts_and_without_lamps_none_does():
    assert casts((-1.0, 0.0, 0.0), reach=0.0)
    no_lamps = np.zeros((0, 3))
    assert not cast_into_view(EYE, AXES, TANGENTS, no_lamps, np.array([[2.0, 0.0, 0.5]]), np.array([0.1])).any()


@pytest.mark.skipif(renderer_name() != "gl", reason="shadows are drawn by OpenGL only")
@pytest.mark.parametrize("seed", range(5))
def test_the_picture_is_the_same_as_with_every_geom_drawn(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    geoms = "".join(
        f'<geom type="{rng.choice(["box", "cylinder", "sphere"])}" rgba="{rng.random():.2f} .6 .5 1" '
        f'size="{" ".join(f"{size:.3f}" for size in rng.uniform(0.02, 0.2, 3))}" '
        f'pos="{" ".join(f"{x:.3f}" for x in (*rng.uniform(-2, 2, 2), rng.uniform(0.05, 1.2)))}"/>'
        for _ in range(40)
    )
    model = mujoco.MjModel.from_xml_string(
        '<mujoco><visual><headlight ambient=".3 .3 .3" diffuse="0 0 0" specular="0 0 0"/><map znear=".01"/></visual>'
        '<worldbody><light pos="-.4 .3 2.4" dir="0 0 -1" cutoff="90" exponent="0"/>'
        '<light pos="1.4 -.8 2.2" dir="0 0 -1" cutoff="90" exponent="0"/>'
        f'<camera name="eye" pos="0 0 .3" euler="0 -75 -90" fovy="50"/><geom type="plane" size="5 5 .1"/>{geoms}'
        "</worldbody></mujoco>"
    )
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    left_out = []

    def told(*args):
        casting = cast_into_view(*args)
        left_out.append(int((~casting).sum()))
        return casting

    pictures = []
    for choose in (told, lambda *args: np.ones(model.ngeom, np.bool_)):
        monkeypatch.setattr(rendering, "cast_into_view", choose)
        renderer = open_renderer(model, 160, 120, "eye")
        pictures.append(renderer.look(data)[0])
        renderer.close()

    assert np.array_equal(*pictures)
    assert left_out[0] >= 5
    model.light_castshadow[:] = False
    renderer = open_renderer(model, 160, 120, "eye")
    assert not np.array_equal(renderer.look(data)[0], pictures[0])
    renderer.close()
