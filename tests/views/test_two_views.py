"""Figures of two views: what is drawn are the numbers that were given."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch

from fer_lib.graph import EXPRESSIONS
from fer_lib.heads import JointHead
from fer_lib.views import COLOURS, graphs, side_tasks, two_views
from fer_lib.views.embeddings import MARKS, marks_of

FUSIONS = ("classic", "concatenate", "separate")


def texts(figure):
    return [t.get_text() for ax in figure.axes for t in ax.texts]


def test_the_plane_is_labelled_with_shares():
    va = np.array([[0.5, 0.1], [0.5, 0.2], [-0.5, 0.1], [0.1, -0.5]])
    figure = two_views.plane_of_expressions([0, 0, 1, 1], va, ("neutral", "happiness"), synthetic=True)
    assert "0: 50%" in texts(figure)
    assert any(t.get_text() == "synthetic faces" for t in figure.texts)


def test_an_expression_looks_the_same_in_every_picture():
    classes = EXPRESSIONS[::-1]
    labels, va = np.arange(7), np.random.default_rng(0).uniform(-1, 1, (7, 2))
    wanted = {name: COLOURS[colour].lower() for name, (colour, _) in zip(EXPRESSIONS, MARKS, strict=False)}
    left = two_views.plane_of_expressions(labels, va, classes).axes[0]
    assert {line.get_label(): to_hex(line.get_color()) for line in left.lines} == wanted
    ax = graphs.affect_of_classes(labels, va, classes).axes[0]
    named = {c.get_label(): to_hex(c.get_facecolor()[0]) for c in ax.collections if c.get_sizes()[0] > 100}
    assert named == wanted
    shares = pd.DataFrame(np.eye(7), columns=list(classes)).assign(faces=1)
    hits = pd.DataFrame({"group": ["a"], "mean": [0.5], "low": [0.4], "high": [0.6]})
    bars = side_tasks.age_panels(shares, hits, chance=0.5).axes[0].containers
    assert {one.get_label(): to_hex(one[0].get_facecolor()) for one in bars} == wanted


def test_other_classes_take_the_marks_that_are_left():
    assert marks_of(("contempt", "anger", "boredom")) == [MARKS[7], MARKS[6], MARKS[8]]
    with pytest.raises(ValueError, match="at most 5 names beside the seven expressions; got 6"):
        marks_of([str(k) for k in range(6)])


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


def test_boxes_hold_their_texts_and_stand_apart():
    heads = {name: JointHead((1024, 7, 7), 7, affect="ccc", fusion=name, embedding=128) for name in FUSIONS}
    figure = two_views.fusion_diagrams(heads, (1024, 7, 7))
    figure.draw_without_rendering()
    for ax in figure.axes:
        boxes = [p.get_window_extent() for p in ax.patches if isinstance(p, FancyBboxPatch)]
        written = [t.get_window_extent() for t in ax.texts if t.get_text()]
        for box, text in zip(boxes, written, strict=True):
            assert box.x0 + 2 < text.x0
            assert text.x1 < box.x1 - 2
            assert ax.bbox.x0 - 1 < box.x0 < box.x1 < ax.bbox.x1 + 1
        assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


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


def test_the_logarithmic_axis_begins_with_a_number():
    lines = [("MSE", 0, "start", 0.9, 0.0), ("MSE", 0, "end", 0.3, 0.0)]
    left, _ = two_views.pull_panels(
        pd.DataFrame(lines, columns=["name", "seed", "moment", "ratio", "cosine"])
    ).axes
    assert left.get_xlim()[0] == left.get_xticks()[0] == 0.2


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


def test_focal_curves_differ_without_their_colours():
    left, right = side_tasks.focal_curves().axes
    for ax in (left, right):
        assert len({str(line._dash_pattern) for line in ax.lines}) == len(ax.lines) == 5
