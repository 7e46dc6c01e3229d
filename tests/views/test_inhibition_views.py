"""Chapter 09's drawings show the numbers that they are given."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from small_faces import small_faces

from fer_lib.adapt.ciao import MaskParts
from fer_lib.views import inhibition


@pytest.mark.parametrize("cosine", [-0.9, 0.0, 0.6])
def test_pull_of_a_pair_by_hand(cosine):
    # Two anchors, one positive each. All: (1 - p) / t with p = e^(c/t) / (e^(c/t) + 2); negatives: 1 / t.
    t = 0.5
    share = math.exp(cosine / t) / (math.exp(cosine / t) + 2)
    assert inhibition.pull_of_a_pair(cosine, t, "all") == pytest.approx((1 - share) / t)
    assert inhibition.pull_of_a_pair(cosine, t, "negatives") == pytest.approx(1 / t)


def test_forces_are_drawn_for_both_denominators():
    figure = inhibition.contrastive_forces()
    left, middle, right = figure.axes
    assert [ax.get_title() + ax.get_title(loc="left") for ax in (left, middle)] == [
        "Denominator: all", "Denominator: negatives",
    ]  # fmt: skip
    falling, level = (line.get_ydata() for line in right.get_lines())
    assert (np.diff(falling) < 0).all()
    assert np.ptp(level) < 1e-9


def parts(factor=1.0):
    u = torch.rand(5, 4, 3, 3) + 0.5
    return MaskParts(u, factor * u, u / (0.5 + factor * u))


def test_ratio_is_of_the_means():
    u, inhibited, ratio, masked = inhibition.mean_parts(parts(2.0))
    np.testing.assert_allclose(ratio, 2.0, rtol=1e-5)
    np.testing.assert_allclose(inhibited, 2 * u, rtol=1e-5)
    assert masked.shape == (3, 3)
    silent = MaskParts(*(torch.zeros(1, 1, 2, 2) for _ in range(3)))
    assert inhibition.mean_parts(silent)[2].tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_masks_have_one_scale_a_column():
    pictures = {"a": np.full((3, 3, 8, 8), 90, np.uint8), "b": np.full((3, 1, 8, 8), 10, np.uint8)}
    figure = inhibition.mask_rows(pictures, {"a": parts(1.0), "b": parts(3.0)}, synthetic=True)
    images = [ax.images[0] for ax in figure.axes if ax.images]
    assert len(images) == 10
    for column in range(1, 5):
        assert images[column].get_clim() == images[5 + column].get_clim()
    assert images[3].get_clim() == pytest.approx((1.0, 3.0))
    assert images[0].get_array()[0, 0] == pytest.approx(90 / 255)
    with pytest.raises(ValueError, match="parts must be of the same corpora"):
        inhibition.mask_rows(pictures, {"a": parts()})


def gains():
    rows = [("VGG", "FER", 0.1, 0.0, 0.2), ("VGG", "JAFFE", -0.1, -0.3, 0.1), ("PK", "FER", 0.3, 0.2, 0.4)]
    return pd.DataFrame(rows, columns=["encoder", "name", "mean", "low", "high"])


def test_gains_stand_on_their_lines():
    printed = pd.DataFrame({"encoder": ["PK", "PK"], "name": ["FER", "other"], "value": [0.42, 9.0]})
    figure = inhibition.gain_dots(gains(), published=printed, synthetic=True)
    vgg, pk = figure.axes
    dots = vgg.containers[0].lines[0].get_xydata()
    assert dots.tolist() == [[0.1, 0.0], [-0.1, 1.0]]
    diamonds = [line for line in pk.get_lines() if line.get_marker() == "D"]
    assert diamonds[0].get_xydata().tolist() == [[0.42, 0.0]]
    assert [text.get_text() for text in vgg.get_yticklabels()] == ["FER", "JAFFE"]
    with pytest.raises(ValueError, match="gains must hold one difference"):
        inhibition.gain_dots(gains().iloc[:0])


def test_bars_are_as_long_as_the_numbers():
    rows = [("VGG", "all", 15e6), ("VGG", "decision", 9e5), ("PK", "all", 8e6), ("PK", "decision", 4e6)]
    frame = pd.DataFrame(rows, columns=["encoder", "setting", "numbers"])
    figure = inhibition.trained_numbers(frame, settings=["all", "decision"])
    widths = [[patch.get_width() for patch in ax.patches] for ax in figure.axes]
    assert widths == [[15e6, 9e5], [8e6, 4e6]]
    assert [text.get_text() for text in figure.axes[0].texts] == ["15.0 M", "900 k"]


def test_label_sets_show_two_faces_each():
    figure = inhibition.label_sets({"a": small_faces(), "b": small_faces("valence_arousal")}, synthetic=True)
    assert sum(bool(ax.images) for ax in figure.axes) == 4
    assert figure.axes[0].get_title().startswith("a\n")
    assert "v " in figure.axes[1].get_title()
