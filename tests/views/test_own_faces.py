"""Views of one's own photos: what is drawn is what is in the folder."""

import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from fer_lib.datasets.faceset import FaceSet
from fer_lib.views import own_faces as sheets

CLASSES = ("neutral", "happiness")


@pytest.fixture
def folder(tmp_path):
    tall = np.zeros((40, 20, 3), np.uint8)
    tall[:20] = (255, 0, 0)
    Image.fromarray(tall).save(tmp_path / "tall.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(tall).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    return tmp_path


@pytest.fixture
def faces() -> FaceSet:
    table = pd.DataFrame({
        "path": ["tall.png", "turned.png", "gone.png"], "subject": ["b", "a", "a"], "split": "train",
        "expression": [0, 1, 1], "faces": [1, 2, 1],
    })  # fmt: skip
    return FaceSet(
        name="folder", pixels=np.full((3, 1, 8, 8), 90, np.uint8), rows=np.arange(3), table=table,
        task="categorical", unit="image", classes=CLASSES, tasks=("categorical",), protocol="",
        metric="accuracy", source="", licence="synthetic faces", fingerprint="three",
    )  # fmt: skip


def test_thumbnails_are_upright_whole_and_square(folder) -> None:
    squares = sheets.thumbnails(folder, ["tall.png", "turned.png", "gone.png"], side=40)
    assert squares.shape == (3, 3, 40, 40)
    np.testing.assert_array_equal(squares[0], squares[1])
    assert squares[0, :, 5, 20].tolist() == [255, 0, 0]
    assert squares[0, :, 35, 20].tolist() == [0, 0, 0]
    assert squares[0, :, 20, 2].tolist() == [255, 255, 255]  # beside the photo
    assert (squares[2] == 200).all()


def test_a_contact_sheet_shows_photos_above_faces(folder, faces) -> None:
    figure = sheets.contact_sheet(faces, [0, 1], folder, labels=["neutral", "happiness"])
    texts = [ax.get_title(loc="center") for ax in figure.axes]
    assert texts == ["", "2 faces found", "neutral", "happiness"]
    shown = [ax.images[0].get_array() for ax in figure.axes]
    assert np.asarray(shown[0]).shape == (sheets.THUMB, sheets.THUMB, 3)
    assert (np.asarray(shown[2]) == 90).all()
    assert len(sheets.contact_sheet(faces, [2], None, labels=["x"]).axes) == 1


def test_counts_are_those_of_person_and_class(faces) -> None:
    figure = sheets.who_shows_what(faces)
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b"]
    assert [text.get_text() for text in ax.texts] == ["0", "2", "1", "0"]


def test_gains_run_from_before_to_after() -> None:
    people = pd.DataFrame(
        {"subject": ["a", "b"], "photos": [4, 5], "before": [0.2, 0.5], "after": [0.9, 0.4]}
    )
    figure = sheets.gains(people, chance=0.25, synthetic=True)
    before, after, line = figure.axes[0].lines[:3]
    assert before.get_xdata().tolist() == [0.2, 0.5]
    assert after.get_xdata().tolist() == [0.9, 0.4]
    assert set(line.get_xdata()) == {0.25}
    assert [text.get_gid() for text in figure.texts] == ["synthetic-note"]


def test_of_many_people_those_who_gain_most_and_least_are_shown() -> None:
    after = np.linspace(0.9, 0.1, 30)
    people = pd.DataFrame({"subject": range(30), "photos": 4, "before": 0.5, "after": after})
    shown = sheets.gains(people, chance=0.25).axes[0].lines[1].get_xdata()
    np.testing.assert_allclose(shown, [*after[:12], *after[-12:]])


def test_a_page_needs_no_other_file_and_escapes_what_it_is_told() -> None:
    figure = Figure(figsize=(1, 1))
    frame = pd.DataFrame({"who": ["<script>"], "share": [0.256]})
    text = sheets.page(
        "A & B", paragraphs=["1 < 2"], tables={"by <whom>": frame}, figures={'say "x"': figure}
    )
    assert text.startswith("<!doctype html>")
    assert "<script>" not in text
    assert "<title>A &amp; B</title>" in text
    assert "1 &lt; 2" in text
    assert "0.26" in text
    assert "<caption>by &lt;whom&gt;</caption>" in text
    assert re.findall(r'(?:src|href)="([^"]{5})', text) == ["data:"]
    assert 'alt="say &quot;x&quot;"' in text
