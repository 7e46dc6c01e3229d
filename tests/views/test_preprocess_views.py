"""Chapter 03's drawings show the boxes, points and clouds they are given."""

import numpy as np
import pytest

from fer_lib.views.preprocess import annotated, eye_clouds


def test_boxes_and_points_lie_where_they_are_said():
    pictures = [np.zeros((3, 20, 30), np.uint8), np.zeros((1, 8, 8))]
    eyes = np.array([[4.0, 5.0], [9.0, 5.0]])
    figure = annotated(
        pictures, boxes={0: (2, 3, 10, 12)}, points={0: eyes}, labels=["a", "b"], synthetic=True
    )
    first, second = figure.axes
    frame = first.patches[0]
    assert (frame.get_x(), frame.get_y(), frame.get_width(), frame.get_height()) == (1.5, 2.5, 10, 12)
    np.testing.assert_array_equal(first.lines[0].get_xydata(), eyes)
    assert not second.patches
    assert not second.lines
    assert first.get_ylim() == (19.5, -0.5)
    assert [ax.get_title() for ax in figure.axes] == ["a", "b"]
    assert any(text.get_gid() == "synthetic-note" for text in figure.texts)


def test_unused_panels_are_empty():
    figure = annotated([np.zeros((1, 8, 8))] * 4, columns=3)
    assert len(figure.axes) == 6
    assert sum(bool(ax.images) for ax in figure.axes) == 4


def test_clouds_show_each_eye_and_the_mean():
    eyes = np.array([[[0.3, 0.4], [0.7, 0.4]], [[0.2, 0.5], [np.nan, np.nan]]])
    figure = eye_clouds({"before": eyes, "after": eyes * 0.5})
    left, mean, _, other = figure.axes[0].lines
    np.testing.assert_array_equal(left.get_xydata(), eyes[:, 0])
    np.testing.assert_allclose(mean.get_xydata(), [[0.25, 0.45]])
    np.testing.assert_allclose(other.get_xydata(), [[0.7, 0.4]])
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["before", "after"]


def test_refuses_what_it_cannot_draw():
    with pytest.raises(ValueError, match="labels must be one a picture; got 1 for 2"):
        annotated([np.zeros((1, 8, 8))] * 2, labels=["a"])
    with pytest.raises(ValueError, match=r"eyes must be \(N, 2, 2\); got \(3, 2\) in 'x'"):
        eye_clouds({"x": np.zeros((3, 2))})
