"""Chapter 12's drawings show the numbers they are given."""

import numpy as np
import pandas as pd
import pytest

from fer_lib.views import softness

CLASSES = ("neutral", "happiness", "disgust")


def title_of(ax):
    """Its title, wherever the style puts it."""
    return ax.get_title() or ax.get_title(loc="left")


def test_counts_and_weights_go_from_frequent_to_rare():
    figure = softness.counts_and_weights([30, 50, 2], CLASSES, {"meant": [1, 0.5, 9]}, synthetic=True)
    left, right = figure.axes
    assert [bar.get_width() for bar in left.patches] == [50, 30, 2]
    assert [text.get_text() for text in left.get_yticklabels()] == ["happiness", "neutral", "disgust"]
    assert right.lines[0].get_xdata().tolist() == [0.5, 1, 9]
    assert any("synthetic" in text.get_text() for text in figure.texts)
    lacking = softness.counts_and_weights([30, 50, 0], CLASSES, {"meant": [1, 0.5, 0]}).axes[1]
    assert np.isnan(
        lacking.lines[0].get_xdata()[2]
    )  # a class without faces has weight 0: no place on a logarithm
    assert lacking.get_xlim()[0] == pytest.approx(0.5 / 1.5)


@pytest.fixture
def steps():
    return pd.DataFrame(
        {"name": ["a", "b"], "mean": [1.0, 2.0], "low": [0.5, -1.0], "high": [1.5, 5.0],
         "faces_low": [0.1, np.nan], "faces_high": [1.9, np.nan], "published": [np.nan, 3.0]}
    )  # fmt: skip


def test_ladder_puts_steps_beside_their_rung(steps):
    levels = steps.drop(columns=["faces_low", "faces_high"]).assign(mean=[10.0, 12.0], low=-9.0, high=13.0)
    figure = softness.ladder_panels(levels, steps.iloc[1:], steps.iloc[:1], guess=[12.5, 14.3])
    left, right, last = figure.axes
    lost = last.lines[0].get_xydata()
    assert lost[0].tolist() == [1.0, 0.0]
    assert np.isnan(lost[1, 0])
    dots = right.lines[0].get_xydata()
    assert np.isnan(dots[0, 0])
    assert dots[1].tolist() == [2.0, 1.0]
    ends = [segment[:, 0].tolist() for one in left.collections for segment in one.get_segments()]
    assert [12.5, 12.5] in ends  # each rung has its own line of guessing
    assert [14.3, 14.3] in ends
    assert [0.0, 13.0] in ends  # no accuracy is below zero


def test_differences_show_both_intervals_and_the_paper(steps):
    figure = softness.difference_dots(steps, xlabel="points")
    (ax,) = figure.axes
    ends = [
        segment[:, 0].tolist()
        for one in ax.collections
        for segment in one.get_segments()
        if segment.ndim == 2
    ]
    assert [0.1, 1.9] in ends
    assert [0.5, 1.5] in ends
    diamond = next(line for line in ax.lines if line.get_marker() == "D")
    assert diamond.get_xdata()[1] == 3.0
    assert (diamond.get_ydata() > np.arange(2)).all()  # below our dots, which it would hide


def test_recalls_stand_at_their_class_and_scores_at_their_mean():
    recalls = pd.DataFrame(
        [{"model": m, "class": c, "mean": v, "low": v - 0.1, "high": v + 0.1} for m, c, v in (
            ("x", "neutral", 0.8), ("x", "disgust", 0.1), ("y", "neutral", 0.6), ("y", "disgust", 0.5)
        )]
    )  # fmt: skip
    scores = pd.DataFrame({"model": ["x", "x"], "natural": [0.7, 0.9], "balanced": [0.4, 0.5]})
    figure = softness.recall_panels(recalls, scores, ("disgust", "neutral"))
    left, right = figure.axes
    assert left.lines[0].get_ydata().tolist() == [0.1, 0.8]
    assert right.lines[1].get_xydata().tolist() == [pytest.approx([0.8, 0.45])]


def test_the_plane_has_a_panel_a_class_and_one_for_the_faces():
    shares = np.full((2, 2, 3), np.nan)
    shares[1, 0] = (0.25, 0.25, 0.5)
    figure = softness.plane_shares(shares, np.array([[0, 0], [4, 0]]), CLASSES)
    panels = [ax for ax in figure.axes if ax.images]
    assert [title_of(ax) for ax in panels] == [*CLASSES, "faces, 1 to 4"]
    shown = panels[2].images[0]
    assert shown.get_array()[1, 0] == 0.5
    assert shown.origin == "lower"
    assert np.ma.count_masked(np.ma.masked_invalid(shown.get_array())) == 3


def test_pulls_are_slopes_of_their_losses():
    left, right = softness.pulls(0.6).axes
    for loss, slope in zip(left.lines[:3], right.lines[:3], strict=True):
        s, values = loss.get_xdata(), loss.get_ydata()
        numeric = np.gradient(values, s)
        np.testing.assert_allclose(slope.get_ydata()[5:-5], numeric[5:-5], atol=2e-3)


def test_readings_have_a_bar_a_class_and_source():
    faces = np.zeros((2, 1, 8, 8), np.uint8)
    answers = {"a": np.array([[0.2, 0.3, 0.5], [1, 0, 0]]), "b": np.full((2, 3), 1 / 3)}
    figure = softness.readings(faces, answers, CLASSES, ["one", "two"], synthetic=True)
    assert [bar.get_height() for bar in figure.axes[1].patches[:3]] == [0.2, 0.3, 0.5]
    assert len(figure.axes[3].patches) == 6
