"""The traveller: drawn faces, contrast, and its report on a corpus."""

import numpy as np
import pytest

from fer_lib.evidence import reality
from fer_lib.evidence.drawn import as_faces


@pytest.fixture(scope="module")
def faces():
    return reality.travel_faces(512, size=32, seed=1)


def test_faces_show_what_their_emotion_says(faces):
    emotion = faces.truth["emotion"].to_numpy()
    smile = faces.table["state_au_12"].to_numpy()
    assert set(emotion) == {-1, 0, 1, 2, 3}
    happy, neutral = (emotion == reality.CLASSES.index(name) for name in ("happiness", "neutral"))
    assert smile[happy].mean() > 0.4 > 0.2 > smile[neutral].mean()
    assert np.array_equal(faces.images, reality.travel_faces(512, size=32, seed=1).images)


def test_even_contrast_forgets_light(faces):
    few = faces.subset(np.arange(12))
    dim = as_faces("dim", few.images // 2 + 20, {"expression": 0}, task="categorical", classes=("a",))
    same = as_faces("same", few.images, {"expression": 0}, task="categorical", classes=("a",))
    left, right = (reality.even_contrast(one, floor=0.5).images.astype(float) for one in (dim, same))
    raw = np.abs(dim.images.astype(float) - same.images).mean()
    assert np.abs(left - right).mean() < 0.25 * raw
    flat = as_faces(
        "flat", np.full((1, 1, 48, 48), 77, np.uint8), {"expression": 0}, task="categorical", classes=("a",)
    )
    assert (reality.even_contrast(flat).images == 128).all()


def test_traveller_reads_faces_of_its_own_kind(faces):
    traveller = reality.train_traveller(faces, readers=("histograms",))
    assert traveller.skill > 0.1
    other = reality.travel_faces(192, size=32, seed=2)
    emotion = other.truth["emotion"].to_numpy()
    kept = emotion >= 0
    corpus = as_faces(
        "corpus", other.images[kept], {"expression": emotion[kept], "subject": np.arange(kept.sum()) % 30},
        task="categorical", classes=reality.CLASSES,
    )  # fmt: skip
    report = reality.reality(traveller, corpus, resamples=50).set_index("metric")
    assert report.loc["happy_neutral", "value"] > 0.6
    assert report.loc["four_classes", "value"] > 0.35
    assert report.loc["happy_neutral", "faces"] == np.isin(emotion[kept], [1, 3]).sum()
    assert (report["low"] <= report["value"]).all()


def test_network_and_histograms_are_averaged(faces):
    few, seen = faces.subset(np.arange(120)), faces.subset(np.arange(5))
    train = {"epochs": 1, "width": 0.125}
    both, one, other = (
        reality.train_traveller(few, readers=names, **train).units(seen)
        for names in (("network", "histograms"), ("network",), ("histograms",))
    )
    assert both.shape == (5, 20)
    assert np.abs(one - other).max() > 0.01
    assert np.allclose(both, (one + other) / 2, atol=1e-5)


def test_unknown_readers_are_refused(faces):
    with pytest.raises(ValueError, match=r"readers must be network, histograms or both; got \('eyes',\)"):
        reality.train_traveller(faces, readers=("eyes",))
