"""Sheets of faces: each shows what its labels say, and is marked as synthetic."""

import numpy as np
import pytest
import torch

from fer_lib.views.life import (
    axis_strips,
    ceiling_bars,
    film_strip,
    life_sheet,
    prototype_sheet,
    scene_sheet,
    tone_sheet,
)
from fer_lib.worlds import PROTOTYPES, neutral_scene, sample_people

ONE, SCENE = sample_people(1, seed=0), neutral_scene()


def pictures(figure):
    return [ax.images[0].get_array() for ax in figure.axes if ax.images]


def marked(figure):
    return "synthetic faces" in [text.get_text() for text in figure.texts]


def test_prototypes_have_a_column_an_emotion():
    figure = prototype_sheet(ONE, SCENE, size=32)
    assert [ax.texts[0].get_text() for ax in figure.axes if ax.texts] == list(PROTOTYPES)
    assert len(pictures(figure)) == sum(map(len, PROTOTYPES.values()))
    below = [ax.get_title() for ax in figure.axes]
    assert below[0] == "no unit"
    assert "6 12 25" in below
    assert marked(figure)


def test_axes_run_from_unpleasant_to_pleasant():
    figure = axis_strips(ONE, SCENE, steps=5, size=32)
    reached = [float(ax.get_title().split("(")[1][:-1]) for ax in figure.axes]
    assert reached[:5] == sorted(reached[:5])
    assert reached[5:] == sorted(reached[5:])
    assert reached[4] > 0.7 > -0.5 > reached[0]


def test_a_life_has_a_picture_an_age():
    figure = life_sheet([(0, False, 0.2), (1, True, 0.8)], ages=(6, 40, 80), size=32)
    shown = pictures(figure)
    assert len(shown) == 6
    assert [ax.get_title() for ax in figure.axes[3:]] == ["6 years", "40 years", "80 years"]
    assert np.abs(shown[0] - shown[2]).max() > 0.1  # a child is not an elder


def test_tones_run_from_light_to_dark():
    people = sample_people(8, seed=8, ages=(20, 40))
    shown = pictures(tone_sheet(people, size=48))
    cheeks = [float(np.asarray(picture)[24:30, 18:30].mean()) for picture in shown]
    assert np.corrcoef(cheeks, np.sort(people["skin_tone"]))[0, 1] < -0.6


def test_scenes_differ_from_each_other():
    figure = scene_sheet(ONE, size=48)
    shown = pictures(figure)
    assert len(figure.axes) == len(shown) == 35
    assert all(np.abs(a - b).max() > 0.02 for k, a in enumerate(shown) for b in shown[:k])


def test_a_strip_shows_first_and_last_frame():
    images = np.arange(20, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 8, 8), np.uint8)
    figure = film_strip(images, np.arange(20) / 25, {"AU 12": np.zeros(20)}, shown=5)
    assert [int(p[0, 0]) for p in pictures(figure)] == [0, 5, 10, 14, 19]
    with pytest.raises(ValueError, match="curves must have one value a frame, 20; got"):
        film_strip(images, np.arange(20) / 25, {"AU 12": np.zeros(3)})


def test_ceilings_are_written_beside_their_lines():
    (ax,) = ceiling_bars({"a": (0.5, "accuracy"), "b": (0.75, "ccc")}).axes
    assert {text.get_text() for text in ax.texts} == {"0.50  accuracy", "0.75  ccc"}
    assert sorted(float(line.get_xdata()[0]) for line in ax.lines) == [0.5, 0.75]
    assert torch.equal(torch.tensor([bar.get_width() for bar in ax.patches]), torch.tensor([0.75, 0.5]))
