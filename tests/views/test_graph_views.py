"""Drawings of chapter 15 show the numbers they are given; the page of the graph is whole and asks nobody."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from fer_lib.graph import EXPRESSIONS
from fer_lib.graph.karate import karate_club
from fer_lib.views import graphs as drawings
from fer_lib.views.page_graph import page_graph


def test_club_panels_have_a_panel_each_and_every_member():
    club = karate_club()
    points = np.arange(68.0).reshape(34, 2)
    left, right = drawings.club_panels(club, {"mine": points}).axes
    assert "mine" in (right.get_title(loc="left"), right.get_title())
    assert len(left.lines) == len(right.lines) == 78
    shown = np.concatenate([one.get_offsets() for one in right.collections])
    np.testing.assert_allclose(np.sort(shown[:, 0]), points[:, 0])


def test_means_of_classes_are_large_and_right():
    va = np.array([[0.5, 0.1], [0.7, 0.3], [-0.5, 0.0]])
    figure = drawings.affect_of_classes([1, 1, 0], va, ("neutral", "happiness"), synthetic=True)
    large = [c for c in figure.axes[0].collections if c.get_sizes()[0] > 100]
    np.testing.assert_allclose(large[1].get_offsets()[0], [0.6, 0.2])
    assert any(text.get_gid() == "synthetic-note" for text in figure.texts)


def test_matrices_write_what_is_not_zero():
    values = np.array([[1.0, -0.25], [0.001, 0.5]])
    ax = drawings.matrix_panels({"m": values}, ["a", "b"], columns=1).axes[0]
    assert [text.get_text() for text in ax.texts] == ["1.00", "\N{MINUS SIGN}.25", ".50"]
    with pytest.raises(ValueError, match="panels must be"):
        drawings.matrix_panels({"m": values}, ["a"])


def test_confusions_are_shares_of_the_true_class():
    counts = {"one": np.array([[3, 1], [0, 0]]), "two": np.array([[1, 1], [2, 2]])}
    figure = drawings.confusion_panels(counts, ["a", "b"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["75", "25", "0", "0"]
    assert [text.get_text() for text in figure.axes[1].texts] == ["50"] * 4


def test_parameters_ours_and_theirs():
    frame = pd.DataFrame(
        [
            ("Table 6.2a", "L=1", "tau=0", 10.0, 9.0, 12.0, 50.0),
            ("Table 6.2a", "L=1", "tau=0.1", np.nan, np.nan, np.nan, 51.0),
            ("Table 6.2b", "L=1", "p=0.7", 30.0, 20.0, 40.0, np.nan),
        ],
        columns=["table", "row", "column", "mean", "low", "high", "published"],
    )  # fmt: skip
    left, right = drawings.parameter_panels(frame).axes
    assert left.lines[0].get_ydata().tolist() == [50.0, 51.0]
    assert left.lines[1].get_ydata().tolist() == [10.0]
    assert right.lines[1].get_ydata().tolist() == [30.0]
    assert left.get_ylim()[0] >= 0


def test_intervals_are_where_they_should_be():
    frame = pd.DataFrame(
        {"name": ["a", "a"], "kind": ["x", "y"], "mean": [1.0, 2.0], "low": [0.0, 1.5], "high": [3.0, 2.5]}
    )
    ax = drawings.interval_list(frame, xlabel="points").axes[0]
    assert [list(line.get_xdata()) for line in ax.lines[:4]] == [[0.0, 3.0], [1.0], [1.5, 2.5], [2.0]]


def test_cards_stand_beside_their_faces():
    images = np.zeros((3, 1, 8, 8), dtype=np.uint8)
    figure = drawings.face_cards(images, [[("right", "green")], [("b", "")], [("c", "")]])
    assert [text.get_text() for ax in figure.axes for text in ax.texts] == ["right", "c", "b"]
    with pytest.raises(ValueError, match="cards must be one a face, 3"):
        drawings.face_cards(images, [])


def test_the_graphs_page_is_whole_and_asks_nobody():
    size = np.random.default_rng(0).uniform(-1, 1, (9, 9))
    page = page_graph(size, EXPRESSIONS, tau=0.2, p=0.5).page()
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, re.S)[1])
    np.testing.assert_array_equal(data["size"], np.abs(size))
    assert data["names"] == [*EXPRESSIONS, "valence", "arousal"]
    assert data["start"] == {"tau": 0.2, "p": 0.5, "layers": 1}
    assert "</html>" in page
    assert "<noscript>" in page
    for wanted in ("http://", "https://", "fetch(", "import("):
        assert wanted not in page.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    ("options", "words"), [({"tau": 2}, "tau and p must lie"), ({"layers": 0}, "layers in 1-8")]
)
def test_starts_out_of_range_are_told(options, words):
    with pytest.raises(ValueError, match=words):
        page_graph(np.eye(9), EXPRESSIONS, **options)
    with pytest.raises(ValueError, match="names must be one an expression, 7"):
        page_graph(np.eye(9), EXPRESSIONS[:3])
