"""Cells of a map lie where gradients say that they look, and maps are drawn there."""

import numpy as np
import pytest
import torch
from torch import nn

from fer_lib.encoders import ENCODERS, make_encoder
from fer_lib.heads import DenseHead, FaceModel
from fer_lib.saliency import activation_maps, centre_offset, grad_cam
from fer_lib.saliency.centres import cells_of, recentred

SIZES = {
    "alexnet": 160,
    "resnet50": 128,
    "densenet121": 128,
    "vggface": 96,
}  # three cells or more


def simplified(name):
    """The encoder with kernels that take their middle only, and means for maxima: geometry is left."""
    encoder = make_encoder(name, width=0.0625, size=SIZES.get(name, 64)).eval().double()
    for layer in encoder.modules():
        if isinstance(layer, nn.Conv2d):
            middle = layer.kernel_size[0] // 2
            nn.init.zeros_(layer.weight)
            layer.weight.data[:, :, middle, middle] = 1 / layer.in_channels
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        for child, pool in layer.named_children():
            if isinstance(pool, nn.MaxPool2d):
                setattr(layer, child, nn.AvgPool2d(pool.kernel_size, pool.stride, pool.padding))
    return encoder


def looked_at(encoder, pooled, cell):
    """Row and column of the pixel that a cell's gradient is centred on."""
    side = encoder.input_spec.size
    images = torch.full((1, encoder.input_spec.channels, side, side), 0.9, dtype=torch.float64)
    images.requires_grad_()
    maps = encoder.last_conv.units(encoder.trunk(images))
    maps = encoder.last_conv.finish(maps) if pooled else maps
    (seen,) = torch.autograd.grad(maps[0, :, cell[0], cell[1]].sum(), images)
    share = seen[0].sum(0).abs()
    share = share / share.sum()
    places = torch.arange(float(side), dtype=torch.float64)
    return [(share.sum(axis) @ places).item() for axis in (1, 0)], maps.shape[-1]


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_gradients_agree(name, pooled):
    encoder, cell = simplified(name), (2, 1)
    seen, count = looked_at(encoder, pooled, cell)
    start, step, cells = cells_of(encoder, pooled=pooled)
    assert cells == count
    further = 1.5 if name == "bregnext" else 0.0  # half of it goes past the convolutions
    for found, number in zip(seen, cell, strict=True):
        assert -1e-6 <= found - (start + number * step) <= further + 1e-6


@pytest.mark.parametrize(
    ("name", "offset"),
    [("pk", 7.5), ("cpc", 7.5), ("vggface", 0.0), ("facechannel", 0.0), ("resnet50", 15.5)],
)
def test_offsets_by_hand(name, offset):
    # Stride 2 four times: cells 16 pixels apart, the first at pixel 0; stretched, it is drawn at 7.5.
    assert centre_offset(make_encoder(name, width=0.125, size=64)) == offset


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
    clip = np.stack([maps, maps])
    np.testing.assert_array_equal(recentred(clip, make_encoder("pk", width=0.125, size=32))[1], moved)


def test_where_cells_do_not_fill_the_picture():
    # AlexNet, 95 pixels: two cells, centred on pixels 31 and 63, though stretching draws them at 23 and 71.
    encoder = make_encoder("alexnet", width=0.125, size=95)
    assert cells_of(encoder, pooled=True) == (31.0, 32, 2)
    ramp = np.clip((np.arange(95) + 0.5) * 2 / 95 - 0.5, 0, 1)  # cells 0 and 1, stretched
    moved = recentred(np.broadcast_to(ramp, (1, 95, 95)).copy(), encoder, pooled=True)[0, 0]
    np.testing.assert_allclose(moved[[0, 31, 47, 63, 94]], [0, 0, 0.5, 1, 1], atol=0.02)


@pytest.mark.parametrize("draw", [activation_maps, lambda model, images: grad_cam(model, images, 0)])
def test_maps_come_where_the_cells_look(draw):
    # One bright pixel where cell (1, 2) looks: the map's top is there, not half a cell away.
    torch.manual_seed(0)
    encoder = simplified("cpc").float()
    model = FaceModel(encoder, DenseHead(encoder.feature_shape, 2, hidden=()))
    nn.init.ones_(model.head.layers[1].weight)
    images = torch.zeros(1, 1, 64, 64)
    images[0, 0, 16, 32] = 1
    heat = draw(model, images)[0]
    rows, columns = np.where(heat >= 0.98 * heat.max())
    assert abs(rows - 16).max() <= 1
    assert abs(columns - 32).max() <= 1
