"""Cells of a map lie where the arithmetic of strides and paddings puts them, and where gradients say."""

import numpy as np
import pytest
import torch

from fer_lib.encoders import make_encoder
from fer_lib.saliency import centre_offset, recentred


@pytest.mark.parametrize(
    ("name", "offset"), [("pk", 7.5), ("cpc", 7.5), ("vggface", 0.0), ("facechannel", 0.0)]
)
def test_offsets_by_hand(name, offset):
    # Stride 2 four times: cells 16 pixels apart, the first at pixel 0; stretched, it is drawn at 7.5.
    assert centre_offset(make_encoder(name, width=0.125, size=64)) == offset


def test_gradient_agrees():
    # All weights 1: the part of the picture that a cell sees is symmetric about the cell's centre.
    encoder = make_encoder("cpc", width=0.125, size=64).eval()
    for name, value in encoder.named_parameters():
        value.data.fill_(1.0 if "weight" in name else 0.0)
    images = torch.rand(1, 1, 64, 64, requires_grad=True)
    cell = encoder.last_conv.units(encoder.trunk(images))[0, :, 2, 1].sum()
    (seen,) = torch.autograd.grad(cell, images)
    share = seen[0, 0] / seen.sum()
    rows, columns = (share.sum(axis) @ torch.arange(64.0) for axis in (1, 0))
    drawn = [(k + 0.5) * 16 - 0.5 for k in (2, 1)]
    offsets = [drawn[0] - rows.item(), drawn[1] - columns.item()]
    assert offsets == pytest.approx([centre_offset(encoder)] * 2, abs=0.1)


def test_a_dot_moves_up_and_left():
    maps = np.zeros((1, 32, 32), np.float32)
    maps[0, 20:22, 24:26] = 1.0
    moved = recentred(maps, make_encoder("pk", width=0.125, size=32))
    assert moved.dtype == np.float32
    rows, columns = np.indices((32, 32))
    assert (moved[0] * rows).sum() / moved.sum() == pytest.approx(20.5 - 7.5)
    assert (moved[0] * columns).sum() / moved.sum() == pytest.approx(24.5 - 7.5)
    pooled = make_encoder("vggface", width=0.125, size=32)
    assert recentred(maps, pooled) is maps


def test_branches_are_refused():
    with pytest.raises(ValueError, match=r"encoder must be one of facechannel, .*; got 'resnet50'"):
        centre_offset(make_encoder("resnet50", width=0.125, size=64))
