"""Plots of the face world: what they draw, and that they refuse what they cannot draw."""

import numpy as np
import pytest

from fer_lib.datasets import describe
from fer_lib.views.cards import ABOUT, ROWS, card, corpus_cards
from fer_lib.views.worlds import affect_sheet, anatomy, corpus_rows, different_people, matrix, unit_sheet
from fer_lib.worlds import NUMBERS, WORLDS, from_intensities, neutral_scene, render, sample_people

ONE, SCENE = sample_people(1, seed=0), neutral_scene()


def notes(figure):
    return [text.get_text() for text in figure.texts]


def test_unit_sheet_shows_rest_and_every_unit():
    figure = unit_sheet(ONE, SCENE, size=32)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[0] == "at rest"
    assert [int(title.split()[0]) for title in titles[1:] if title] == list(NUMBERS)
    pictures = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    assert all(np.abs(picture - pictures[0]).max() > 0.02 for picture in pictures[1:])
    assert "synthetic faces" in notes(figure)
    with pytest.raises(ValueError, match="person must be one person; got 2"):
        unit_sheet(sample_people(2, seed=0), SCENE)


def test_affect_sheet_fills_the_disc_and_leaves_the_corners():
    (ax,) = affect_sheet(ONE, SCENE, steps=5, size=32).axes
    centres = {tuple(np.round(np.array(im.get_extent()).reshape(2, 2).mean(1), 2)) for im in ax.images}
    assert len(centres) == len(ax.images) == 13
    assert (0.0, 0.0) in centres
    assert (1.0, 1.0) not in centres


def test_anatomy_has_two_rows_and_all_landmarks():
    done = render(sample_people(3, seed=1), from_intensities({}, batch=3), neutral_scene(3), size=48)
    figure = anatomy(done.images, done.landmarks, done.regions)
    assert len(figure.axes) == 6
    assert all(len(ax.collections[0].get_offsets()) == 68 for ax in figure.axes[1:3])
    tinted = figure.axes[3].images[0].get_array()
    assert np.ptp(tinted, axis=2).max() > 0.3  # colour only where a region is


def test_corpus_rows_mixes_sizes_and_channels():
    rows = {"grey": np.zeros((2, 1, 48, 48), np.uint8), "colour": np.zeros((2, 3, 96, 96), np.uint8)}
    figure = corpus_rows(rows)
    assert len(figure.axes) == 4
    assert figure.axes[0].texts[0].get_text() == "grey"
    with pytest.raises(ValueError, match=r"rows must have equally many pictures; got \[1, 2\]"):
        corpus_rows({**rows, "short": np.zeros((1, 1, 48, 48), np.uint8)})


def test_matrix_writes_every_number():
    values = np.array([[0.5, 0.25], [0.125, 1.0]])
    figure = matrix(values, ["a", "b"], ["c", "d"], low=values - 0.1, high=values + 0.1, synthetic=True)
    written = [text.get_text().splitlines() for text in figure.axes[0].texts]
    assert [w[0] for w in written] == ["0.50", "0.25", "0.12", "1.00"]
    assert written[0][1] == "[0.40, 0.60]"
    with pytest.raises(ValueError, match=r"values must be \(1, 2\), one row a name; got \(2, 2\)"):
        matrix(values, ["a"], ["c", "d"])


def test_different_people_come_before_repetitions():
    assert different_people([7, 7, 7, 8, 9, 9], 4).tolist() == [0, 1, 3, 4]
    with pytest.raises(ValueError, match="identities must be 3 or more; got 2"):
        different_people([1, 2], 3)


def test_every_world_has_a_card_with_every_row():
    assert set(ABOUT) == set(WORLDS)
    for name in WORLDS:
        facts = card(name)
        assert tuple(facts) == ROWS
        assert all(len(text) > 2 for text in facts.values())
        assert facts["How to get it"] == describe(name).access


def test_cards_open_with_faces_and_escape_their_text():
    page = corpus_cards(
        {"fer2013": np.zeros((3, 1, 8, 8), np.uint8), "ferplus": np.ones((2, 3, 8, 8), np.uint8)}
    )
    found = page._repr_html_()
    assert found.count("<details>") == found.count("data:image/png;base64,") == 2
    assert "28,709" in found
    assert 'alt="Synthetic faces' in found
    assert "<b>FER+</b>" in found
