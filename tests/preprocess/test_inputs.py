"""Prepared images: range, grey, size."""

import pytest
import torch

from fer_lib.encoders import InputSpec
from fer_lib.preprocess import prepare


def test_bytes_of_the_right_size_are_divided_by_255():
    images = torch.arange(16, dtype=torch.uint8).view(1, 1, 4, 4) * 17
    out = prepare(images, InputSpec(4, channels=1))
    torch.testing.assert_close(out, images.float() / 255)
    assert out.dtype == torch.float32


def test_range_of_the_encoder():
    images = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 1, 2).expand(1, 1, 2, 2)
    assert prepare(images, InputSpec(2, channels=1, low=-1.0, high=1.0)).flatten().tolist() == [-1, 1, -1, 1]


def test_grey_by_hand():
    red = torch.zeros(1, 3, 2, 2)
    red[:, 0] = 1.0
    torch.testing.assert_close(prepare(red, InputSpec(2, channels=1)), torch.full((1, 1, 2, 2), 0.299))


def test_grey_becomes_three_equal_channels():
    images = torch.rand(2, 1, 8, 8)
    out = prepare(images, InputSpec(8, channels=3))
    assert out.shape == (2, 3, 8, 8)
    assert torch.equal(out[:, 0], out[:, 2])


@pytest.mark.parametrize("side", [4, 8, 16, 24])
def test_size_keeps_a_constant_and_the_mean_of_a_ramp(side):
    ramp = torch.linspace(0, 1, 8).expand(1, 1, 8, 8)
    spec = InputSpec(side, channels=1)
    assert prepare(ramp, spec).shape == (1, 1, side, side)
    assert prepare(ramp, spec).mean().item() == pytest.approx(0.5, abs=0.01)
    grey = prepare(torch.full((1, 1, 8, 8), 0.25), spec)
    torch.testing.assert_close(grey, torch.full((1, 1, side, side), 0.25))


def test_shrinking_averages():
    board = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(12, 12)[None, None]
    out = prepare(board, InputSpec(8, channels=1))
    assert (out - 0.5).abs().max() < 0.1  # without smoothing first, a checkerboard would leave stripes


def test_does_not_change_its_argument():
    images = torch.rand(1, 1, 4, 4)
    before = images.clone()
    prepare(images, InputSpec(4, channels=1, low=-1.0)).add_(1)
    assert torch.equal(images, before)


def test_refuses_another_shape():
    with pytest.raises(ValueError, match=r"images must be of shape \(B, 1 or 3, H, W\); got \(2, 8, 8\)"):
        prepare(torch.zeros(2, 8, 8), InputSpec(8, channels=1))
