"""The FaceChannel against the paper: layers, parameter counts, options."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from fer_lib.encoders import FaceChannel, ShuntingInhibition, count_parameters
from fer_lib.heads import DenseHead, FaceModel


def _count_by_hand(outputs: int) -> dict[str, int]:
    """Section III.A, layer by layer: weights and biases of 3 x 3 convolutions and dense layers."""
    channels = [1, 64, 64, 128, 128, 128, 128, 128, 256, 256, 256]
    convolutions = sum(9 * a * b + b for a, b in pairwise(channels))
    return {
        "convolutions": convolutions,
        "twin": 9 * 256 * 256 + 256,
        "batch norm": 4 * sum(channels[1:10]),  # scale, shift, running mean, running variance
        "dense": 256 * 4 * 4 * 200 + 200,
        "outputs": 200 * outputs + outputs,
    }


def _model(**options):
    encoder = FaceChannel(**options)
    return FaceModel(encoder, DenseHead(encoder.feature_shape, 2, kind="valence_arousal"))


def test_the_published_architecture_counts_3592090():
    by_hand = _count_by_hand(outputs=2)
    assert by_hand == {
        "convolutions": 2_177_088,
        "twin": 590_080,
        "batch norm": 5_120,
        "dense": 819_400,
        "outputs": 402,
    }
    assert sum(by_hand.values()) == 3_592_090
    assert count_parameters(_model(learn_decay=False), statistics=True) == 3_592_090


def test_trainable_parameters():
    running = 2 * 1280  # means and variances of nine BatchNorms
    assert count_parameters(_model(learn_decay=False)) == 3_592_090 - running
    assert count_parameters(_model()) == 3_592_090 - running + 256  # one decay a channel
    assert count_parameters(_model(inhibition=False)) == 3_592_090 - running - 590_080


def test_ten_convolutions_nine_norms_four_poolings():
    encoder = FaceChannel()
    kinds = [type(layer) for layer in encoder.modules()]
    assert kinds.count(nn.Conv2d) == 10 + 1  # and the inhibitory twin
    assert kinds.count(nn.BatchNorm2d) == 9
    assert kinds.count(nn.MaxPool2d) == kinds.count(nn.Dropout) == 4
    assert isinstance(encoder.last_conv.units, ShuntingInhibition)
    twin = encoder.last_conv.units
    assert twin.excite.weight.shape == twin.inhibit.weight.shape == (256, 256, 3, 3)


@pytest.mark.parametrize(
    ("options", "shape"),
    [({}, (256, 4, 4)), ({"size": 48}, (256, 3, 3)), ({"width": 0.25, "size": 16}, (64, 1, 1))],
)
def test_feature_shape(options, shape):
    encoder = FaceChannel(**options).eval()
    size = encoder.input_spec.size
    assert encoder.feature_shape == shape == tuple(encoder(torch.zeros(1, 1, size, size)).shape[1:])


def test_input_is_grey_in_zero_to_one():
    spec = FaceChannel().input_spec
    assert (spec.size, spec.channels, spec.low, spec.high) == (64, 1, 0.0, 1.0)


def test_options_name_the_encoder():
    assert FaceChannel(width=0.25).options != FaceChannel(width=0.5).options
    assert FaceChannel(width=0.25).options == FaceChannel(width=0.25).options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 50}, r"size must be a multiple of 16; got 50\. Four poolings halve it; try 64\."),
        ({"size": 0}, "size must be a multiple of 16; got 0"),
        ({"width": 0}, r"width must be above 0; got 0\. 1 is the paper's network\."),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\); got 1.0\."),
    ],
)
def test_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        FaceChannel(**options)
