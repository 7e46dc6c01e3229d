"""Figures of two views: what is drawn are the numbers that were given."""

import numpy as np
import pandas as pd
import pytest

from fer_lib.heads import JointHead
from fer_lib.views import side_tasks, two_views

FUSIONS = ("classic", "concatenate", "separate")


def texts(figure):
    return [t.get_text() for ax in figure.axes for t in ax.texts]


def test_the_plane_is_labelled_with_shares():
    va = np.array([[0.5, 0.1], [0.5, 0.2], [-0.5, 0.1], [0.1, -0.5]])
    figure = two_views.plane_of_expressions([0, 0, 1, 1], va, ("neutral", "happiness"), synthetic=True)
    assert "0: 50%" in texts(figure)
    assert any(t.get_text() == "synthetic faces" for t in figure.texts)


def test_news_add_up_to_the_whole():
    figure = two_views.news_bars(pd.DataFrame({"name": ["half"], "whole": [1.0], "news": [0.25]}))
    assert [p.get_width() for p in figure.axes[0].patches] == [0.75, 0.25]


def test_diagrams_tell_the_modules_sizes():
    heads = {name: JointHead((8, 4, 4), 7, affect="ccc", fusion=name, embedding=16) for name in FUSIONS}
    figure = two_views.fusion_diagrams(heads, (8, 4, 4))
    read = [next(t for t in (x.get_text() for x in ax.texts) if "expression" in t) for ax in figure.axes]
    assert read == ["expression: 7\nreads 16", "expression: 7\nreads 18", "expression: 7\nreads 16"]
    dense = [sum("dense" in t.get_text() for t in ax.texts) for ax in figure.axes]
    assert dense == [1, 1, 2]
    with pytest.raises(ValueError, match="must have an embedding"):
        two_views.fusion_diagrams({"none": JointHead((8, 4, 4), 7, affect="none")}, (8, 4, 4))


def test_gains_are_drawn_with_the_printed_ones():
    frame = pd.DataFrame({"model": ["a", "b"], "mean": [1.0, -1.0], "low": [0.5, -2], "high": [1.5, 0.0]})
    frame = frame.assign(faces_low=[0.0, -3.0], faces_high=[2.0, 1.0])
    figure = two_views.gain_lines(frame, published={"b": 0.4}, seen=0.7, noise=1.0)
    ax = figure.axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]
    diamonds = [line for line in ax.lines if line.get_marker() == "D"]
    assert [line.get_xdata().tolist() for line in diamonds] == [[0.4]]
    assert len(two_views.gain_lines(frame, published={"c": 1.0}).axes[0].collections) < len(ax.collections)


def test_pulls_have_a_mark_for_each_moment():
    lines = [("MSE", 0, "start", 0.5, 0.1), ("MSE", 0, "end", 0.1, -0.1)]
    pulls = pd.DataFrame(lines, columns=["name", "seed", "moment", "ratio", "cosine"])
    left, right = two_views.pull_panels(pulls).axes
    assert [line.get_xdata()[0] for line in left.lines[:2]] == [0.5, 0.1]
    assert [line.get_xdata()[0] for line in right.lines[:2]] == [0.1, -0.1]


def test_masks_stand_under_their_faces():
    images = [np.zeros((3, 8, 8), np.uint8)] * 2
    masks = np.stack([np.zeros((4, 4)), np.ones((4, 4))])
    figure = side_tasks.mask_rows(images, masks, 1 - masks)
    shown = [ax.images[0].get_array() for ax in figure.axes]
    np.testing.assert_array_equal(shown[3], masks[1])
    np.testing.assert_array_equal(shown[4], 1 - masks[0])


def test_ages_show_counts_and_chance():
    shares = pd.DataFrame(
        {"neutral": [0.5, 0.25], "anger": [0.5, 0.75], "faces": [4, 8]}, index=["0-9", "60+"]
    )
    hits = pd.DataFrame({"group": ["0-9", "60+"], "mean": [0.5, 0.25], "low": [0.4, 0.2], "high": [0.6, 0.3]})
    figure = side_tasks.age_panels(shares, hits, chance=0.5)
    assert texts(figure) == ["4", "8"]
    assert [p.get_height() for p in figure.axes[1].patches] == [0.5, 0.25]


def test_focal_curves_start_from_cross_entropy():
    left, right = side_tasks.focal_curves((0.0, 2.0)).axes
    p, loss = (np.asarray(v) for v in left.lines[0].get_data())
    np.testing.assert_allclose(loss, -np.log(p), rtol=1e-9)
    np.testing.assert_allclose(right.lines[1].get_ydata(), (1 - p) ** 2, rtol=1e-6)
