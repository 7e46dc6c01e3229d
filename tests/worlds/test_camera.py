"""The camera: exposure, vignette, blur, movement, grain; each against plain loops or a property."""

import numpy as np
import pytest
import torch

from fer_lib.worlds import camera


def pictures(batch=3, side=20, seed=0):
    return torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(seed))


def test_developing_rises_with_light_and_stays_in_range():
    light = torch.linspace(0, 6, 200).view(1, 1, 1, 200).expand(2, 3, 1, 200)
    for curve in (0.0, torch.tensor([0.0, 1.0])):
        shown = camera.develop(light, torch.tensor([1.0, 1.0]), curve)
        assert (shown.diff(dim=-1) >= -1e-6).all()
        assert 0 <= shown.min() <= shown.max() <= 1
    plain, bent = camera.develop(light, torch.ones(2), torch.tensor([0.0, 1.0]))[:, 0, 0]
    assert (bent[plain < 0.35] <= plain[plain < 0.35]).all()  # an S: shadows deeper,
    assert (bent[plain > 0.45] >= plain[plain > 0.45]).all()  # lights lighter


def test_white_balance_is_a_gain_for_each_colour():
    light = torch.full((1, 3, 2, 2), 0.01)  # far below the shoulder
    shown = camera.develop(light, torch.tensor([[4.0, 1.0, 0.25]]))
    assert shown[0, :, 0, 0].tolist() == pytest.approx([0.2, 0.1, 0.05], rel=1e-3)  # gamma 2


def test_meter_exposes_dark_skin_longer_but_not_to_white():
    skin = torch.tensor([[0.04, 0.04, 0.04], [0.45, 0.45, 0.45]])
    longer = camera.meter(skin)
    assert longer[0] > 2 * longer[1]
    assert skin[0, 0] * longer[0] < skin[1, 0] * longer[1]


def test_vignette_takes_what_it_says_at_corners_and_nothing_in_the_middle():
    flat = torch.ones(3, 3, 33, 33)
    seen = camera.vignette(flat, torch.tensor([0.0, 0.4, 1.0]))
    assert torch.equal(seen[0], flat[0])
    assert seen[:, 0, 16, 16].tolist() == [1.0, 1.0, 1.0]
    assert seen[:, 0, 0, 0].tolist() == pytest.approx([1.0, 0.6, 0.0], abs=1e-6)
    assert seen[:, 0, 16, 0].tolist() == pytest.approx([1.0, 0.8, 0.5])


@pytest.mark.parametrize(("amount", "gap"), [(1.0, 1), (0.4, 1)])
def test_softening_in_plain_loops(amount, gap):
    image = pictures(1, 9)
    weights = np.array([1, 4, 6, 4, 1]) / 16
    expected = np.zeros((3, 9, 9))
    for i in range(9):
        for j in range(9):
            for k in range(-2, 3):
                for m in range(-2, 3):
                    row, column = min(max(i + gap * k, 0), 8), min(max(j + gap * m, 0), 8)
                    expected[:, i, j] += weights[k + 2] * weights[m + 2] * image[0, :, row, column].numpy()
    expected = (1 - amount) * image[0].numpy() + amount * expected
    assert np.allclose(camera.soften(image, torch.tensor([amount]))[0], expected, atol=1e-6)


def test_more_blur_leaves_less_detail():
    image = pictures(1).expand(4, -1, -1, -1)
    soft = camera.soften(image, torch.tensor([0.0, 0.7, 1.0, 2.0]))
    assert torch.equal(soft[0], image[0])
    detail = [float(s.diff(dim=-1).abs().mean()) for s in soft]
    assert detail == sorted(detail, reverse=True)
    assert detail[3] < 0.5 * detail[2]


def test_movement_blurs_along_its_direction_only():
    stripes = torch.zeros(3, 3, 32, 32)
    stripes[:, :, :, ::4] = 1.0  # upright stripes
    seen = camera.smear(stripes, torch.tensor([[0.0, 0.0], [0.3, 0.0], [0.0, 0.3]]))
    assert torch.equal(seen[0], stripes[0])
    assert seen[1].std() < 0.5 * stripes[1].std()  # across: gone
    assert torch.allclose(seen[2], stripes[2], atol=1e-5)  # along: as before


def test_grain_has_spread_one_and_neighbours_agree_a_little():
    rough = camera.grain(torch.tensor([0.1, 0.77]), 128, 128).double()
    assert rough.std(dim=(2, 3)).mean() == pytest.approx(1, abs=0.05)
    assert rough.mean(dim=(2, 3)).abs().max() < 0.05

    def agree(a, b):
        return float(torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1])

    assert 0.2 < agree(rough[0, 1, :, 1:], rough[0, 1, :, :-1]) < 0.6  # not white
    assert abs(agree(rough[0, 1, :, 12:], rough[0, 1, :, :-12])) < 0.05
    assert agree(rough[0, 0], rough[0, 1]) > 0.5  # mostly brightness
    assert abs(agree(rough[0, 1], rough[1, 1])) < 0.05  # another picture, another piece


def test_noise_is_stronger_in_the_dark_and_none_without():
    flat = torch.tensor([0.2, 0.8, 0.5])[:, None, None, None].expand(3, 3, 64, 64)
    seen = camera.sense(flat, torch.tensor([0.03, 0.03, 0.0]), torch.tensor([0.2, 0.2, 0.2]))
    spread = (seen - flat).std(dim=(1, 2, 3))
    assert spread[0] > 1.2 * spread[1] > 0.01
    assert torch.equal(seen[2], flat[2])
