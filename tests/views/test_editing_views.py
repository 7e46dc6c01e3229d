"""Views of painted faces show the faces they are given, where they belong."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from fer_lib.views import editing


def faces(*levels: int, side: int = 8) -> np.ndarray:
    return np.stack([np.full((3, side, side), level, np.uint8) for level in levels])


def shown(figure: Figure) -> list[np.ndarray]:
    return [np.asarray(ax.images[0].get_array()) for ax in figure.axes if ax.images]


def is_marked(figure: Figure) -> bool:
    return any(text.get_gid() == "synthetic-note" for text in figure.texts)


def test_rows_of_faces_in_order_with_their_names() -> None:
    figure = editing.face_rows(
        {"seen": faces(1, 2), "painted": faces(3, 4)}, titles=["a", "b"], synthetic=True
    )
    assert [int(image[0, 0, 0]) for image in shown(figure)] == [1, 2, 3, 4]
    assert [ax.get_ylabel() for ax in figure.axes] == ["seen", "", "painted", ""]
    assert [ax.get_title(loc="center") for ax in figure.axes] == ["a", "b", "", ""]
    assert is_marked(figure)
    assert not is_marked(editing.face_rows({"seen": faces(1)}))
    with pytest.raises(ValueError, match=r"rows must hold the same number of faces; got \[1, 2\]"):
        editing.face_rows({"seen": faces(1, 2), "painted": faces(3)})
    with pytest.raises(ValueError, match="titles must be one a column, 2; got 1"):
        editing.face_rows({"seen": faces(1, 2)}, titles=["a"])


def test_a_square_has_high_arousal_above_and_high_valence_at_the_right() -> None:
    figure = editing.edit_squares({"edited": faces(10, 20, 30, 40)}, radius=0.8, synthetic=True)
    (picture,) = shown(figure)
    assert picture.shape == (16, 16, 3)
    assert [int(picture[r, c, 0]) for r in (0, 15) for c in (0, 15)] == [10, 20, 30, 40]
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("valence", "arousal")
    left, right, bottom, top = axes.images[0].get_extent()
    assert (left, right, bottom, top) == (-1.6, 1.6, -1.6, 1.6)  # centres of the faces at -0.8 and 0.8
    assert is_marked(figure)
    with pytest.raises(ValueError, match=r"squares must hold n \* n faces; got 3 in 'x'"):
        editing.edit_squares({"x": faces(1, 2, 3)}, radius=1.0)


def test_each_variant_has_its_pictures_and_beside_each_its_map() -> None:
    maps = {"base": np.arange(8).reshape(2, 2, 2), "all": np.arange(8).reshape(2, 2, 2)}
    figure = editing.variant_rows({"base": faces(1, 2), "all": faces(3, 4)}, maps, titles=["x", "y"])
    assert [image.shape for image in shown(figure)[:2]] == [(8, 8, 3), (2, 2)]
    assert [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()] == ["base", "all"]
    with pytest.raises(ValueError, match="maps must be one a picture"):
        editing.variant_rows({"base": faces(1, 2)}, {"base": maps["base"][:1]}, titles=["x", "y"])


def test_laws_of_codes_show_a_histogram_and_ordered_distances() -> None:
    codes = {"with": np.linspace(-1, 1, 410).reshape(41, 10), "without": np.zeros((41, 10))}
    distances = {"with": np.array([0.3, 0.1, 0.2]), "without": np.array([0.5, 0.5, 0.5])}
    figure = editing.code_laws(codes, distances, synthetic=True)
    lines = figure.axes[1].get_lines()
    assert lines[0].get_ydata().tolist() == [0.1, 0.2, 0.3]
    heights = figure.axes[0].patches[0].get_xy()[:, 1]
    assert heights.max() == pytest.approx(0.5, abs=0.01)  # the even codes fill the density of 1 / 2
    assert is_marked(figure)
    with pytest.raises(ValueError, match="distances must be those of"):
        editing.code_laws(codes, {"with": distances["with"]})
