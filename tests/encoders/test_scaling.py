"""Width and size: which channels they give, and what is refused in which words."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fer_lib.encoders import PriorKnowledge
from fer_lib.encoders.scaling import check_scale, scaled


@given(st.integers(1, 2048), st.floats(0.01, 4), st.sampled_from([1, 4, 8]))
def test_the_nearest_multiple_but_at_least_one(channels, width, multiple):
    found = scaled(channels, width, multiple=multiple)
    assert found % multiple == 0
    assert found >= multiple
    assert abs(found - width * channels) <= multiple / 2 or found == multiple


def test_by_hand():
    assert [scaled(512, width) for width in (1, 0.5, 0.25, 0.1, 1e-6)] == [512, 256, 128, 51, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": -1.0}, r"width must be above 0; got -1\.0\. 1 is the paper's network\."),
        ({"width": float("nan")}, "width must be above 0; got nan"),
        ({"size": 40}, r"size must be a multiple of 16; got 40\. Four layers halve it; try 96\."),
        ({"size": 0}, "size must be a multiple of 16; got 0"),
        ({"size": 5, "stride": 1, "smallest": 6}, "size must be at least 6; got 5"),
        ({"size": 16, "smallest": 32}, "size must be a multiple of 16 from 32 on; got 16"),
    ],
)
def test_refuses(options, message):
    usual = {
        "width": 1.0,
        "size": 64,
        "stride": 16,
        "smallest": 16,
        "usual": 96,
        "why": "Four layers halve it",
    }
    given = usual | options
    with pytest.raises(ValueError, match=message):
        check_scale(given.pop("width"), given.pop("size"), **given)


@pytest.mark.parametrize("width", [1.0, 0.25])
def test_pks_answers_keep_their_size_at_every_width(width):
    torch.manual_seed(0)
    encoder = PriorKnowledge(width=width, size=48)
    weights = [p for name, p in encoder.named_parameters() if name.endswith("weight")]
    assert weights[0].std().item() == pytest.approx(0.0176, rel=0.05)  # N(0, 0.02) cut off at 2 deviations
    assert weights[0].abs().max() <= 0.04
    assert weights[1].std().item() == pytest.approx(0.0176 / width**0.5, rel=0.05)
    assert all((p == 0).all() for name, p in encoder.named_parameters() if name.endswith("bias"))
    images = 2 * torch.rand(8, 3, 48, 48) - 1
    assert 0.005 < encoder(images).std().item() < 0.05
