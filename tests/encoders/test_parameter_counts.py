"""Every encoder's numbers, added up by hand from the papers' tables, and its map."""

from itertools import pairwise

import pytest

from fer_lib.encoders import ENCODERS, make_encoder


def convolution(kernel: int, before: int, after: int, *, bias: bool = True) -> int:
    return kernel * kernel * before * after + bias * after


def prior_knowledge() -> int:
    return 4_864 + 204_928 + 819_456 + 3_277_312  # 25 x 3 x 64 + 64, 25 x 64 x 128 + 128, ...


def cpc() -> int:
    return (9 * 64 + 64) + 3 * (9 * 64 * 64 + 64) + 4 * 2 * 64


def facechannel() -> int:
    channels = [1, 64, 64, 128, 128, 128, 128, 128, 256, 256, 256]
    convolutions = sum(convolution(3, *pair) for pair in pairwise(channels))
    twin, norms, decays = convolution(3, 256, 256), 2 * sum(channels[1:10]), 256
    return convolutions + twin + norms + decays


def vgg16() -> int:
    channels = [3, 64, 64, 128, 128, 256, 256, 256, *6 * [512]]
    return sum(convolution(3, *pair) for pair in pairwise(channels))


def alexnet() -> int:
    return 23_296 + 307_392 + 663_936 + 884_992 + 590_080  # 11 x 11 x 3 x 64 + 64, 25 x 64 x 192 + 192, ...


def densenet121() -> int:
    channels, total = 64, convolution(7, 3, 64, bias=False) + 2 * 64
    for block, layers in enumerate((6, 12, 24, 16)):
        for _ in range(layers):
            total += 2 * channels + convolution(1, channels, 128, bias=False)
            total += 2 * 128 + convolution(3, 128, 32, bias=False)
            channels += 32
        if block < 3:
            total += 2 * channels + convolution(1, channels, channels // 2, bias=False)
            channels //= 2
    return total + 2 * channels


def resnet50() -> int:
    before, total = 64, convolution(7, 3, 64, bias=False) + 2 * 64
    for inner, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            wide = 4 * inner
            total += before * inner + 2 * inner  # 1 x 1 and its BatchNorm
            total += 9 * inner * inner + 2 * inner
            total += inner * wide + 2 * wide
            total += (before * wide + 2 * wide) if block == 0 else 0
            before = wide
    return total


def bregnext() -> int:
    before, total = 32, convolution(3, 3, 32) + 2 * 128  # the stem, and the last BatchNorm
    for channels, blocks in ((32, 7), (64, 9), (128, 8)):
        for _ in range(blocks):
            total += 2 * before + convolution(3, before, channels)
            total += 2 * channels + convolution(3, channels, channels)
            total += 2  # alpha and beta
            before = channels
    return total


BY_HAND = {
    "facechannel": (facechannel, 2_769_984, (256, 4, 4)),
    "pk": (prior_knowledge, 4_306_560, (512, 6, 6)),
    "cpc": (cpc, 111_936, (64, 4, 4)),
    "vggface": (vgg16, 14_714_688, (512, 3, 3)),
    "alexnet": (alexnet, 2_469_696, (256, 6, 6)),
    "densenet121": (densenet121, 6_953_856, (1024, 7, 7)),
    "resnet50": (resnet50, 23_508_032, (2048, 7, 7)),
    "bregnext": (bregnext, 3_071_664, (128, 16, 16)),
}


@pytest.mark.parametrize("name", ENCODERS)
def test_count_and_map(name):
    by_hand, count, shape = BY_HAND[name]
    encoder = make_encoder(name)
    assert by_hand() == count == encoder.num_parameters
    assert encoder.feature_shape == shape


def test_the_latent_maps_have_the_published_sizes():
    pk, vgg = make_encoder("pk", width=1), make_encoder("vggface", width=1)
    assert (512 * 6 * 6, 512 * 3 * 3) == (18_432, 4_608)
    assert pk.feature_shape == (512, 6, 6)
    assert vgg.feature_shape == (512, 3, 3)


def test_breg_next_with_its_decision_layer_has_the_published_3_1_million():
    assert round((bregnext() + 128 * 8 + 8) / 1e6, 1) == 3.1
