"""The grid network: a cell for every 8 pixels, and eyes for what stands further away."""

import pytest
import torch

from perception.cnn_model import GridNet, Surroundings


def grid_net() -> GridNet:
    torch.manual_seed(3)
    return GridNet(3, {"thing": 1, "floor": 6}, 0.5).eval()


@pytest.mark.parametrize(("height_px", "width_px"), [(240, 320), (192, 192), (96, 160), (200, 264), (120, 160)])
def test_a_cell_answers_for_eight_pixels(height_px, width_px):
    with torch.inference_mode():
        told = grid_net()(torch.rand(2, 3, height_px, width_px))

    assert told["thing"].shape == (2, 1, height_px // 8, width_px // 8)
    assert told["floor"].shape == (2, 6, height_px // 8, width_px // 8)


def test_surroundings_begin_as_nothing_and_keep_odd_sizes():
    beside = Surroundings(8, 16).eval()

    with torch.inference_mode():
        told = beside(torch.rand(1, 8, 15, 20))

    assert told.shape == (1, 8, 15, 20)
    assert not told.any()


def test_surroundings_carry_what_is_seen_far_away():
    net = grid_net()
    images = torch.rand(1, 3, 240, 320).repeat(2, 1, 1, 1)
    images[1, :, 120:, 200:] = 0.0

    def differs_at_the_left() -> float:
        with torch.inference_mode():
            told = net(images)["floor"][:, :, 5:25, :4]
        return float((told[0] - told[1]).abs().max())

    assert differs_at_the_left() == 0.0, "170 pixels away, beyond what the trunk sees"
    torch.nn.init.ones_(net.surroundings.body[-1][1].weight)
    assert differs_at_the_left() > 0.0
