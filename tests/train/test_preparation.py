"""The study of preparations: pairs, choice by validation faces only, and a step that must pay."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from as_if_apart import as_if_apart

from fer_lib.datasets import FaceSet
from fer_lib.errors import DataError
from fer_lib.preprocess import facesets
from fer_lib.train import Parts, preparation
from fer_lib.train.preparation import (
    STRENGTHS,
    Reader,
    Recipe,
    blurred_eyes,
    labels_of,
    prepare_parts,
    study,
    training_features,
)
from fer_lib.worlds.tables import landmark_columns


def _drawn(count, seed, name="world:dots"):
    """Grey pictures whose class is a bar below the eyes or above them; the eyes are two dots."""
    rng = np.random.default_rng(seed)
    images = np.full((count, 1, 64, 64), 128, np.uint8) + rng.integers(-6, 7, (count, 1, 64, 64)).astype(
        np.uint8
    )
    label = rng.integers(0, 2, count)
    points = np.zeros((count, 68, 2), np.float32)
    for k in range(count):
        images[k, 0, 28:32, 20:24] = images[k, 0, 28:32, 40:44] = 20
        row = 44 if label[k] else 14
        images[k, 0, row : row + 4, 26:38] = 230
    points[:, 36:42], points[:, 42:48] = (21.5, 29.5), (41.5, 29.5)
    table = pd.DataFrame({"expression": label, "split": "train"})
    truth = pd.DataFrame(landmark_columns(points))
    return FaceSet(
        name=name, pixels=images, rows=np.arange(count), table=table, task="categorical", unit="image",
        classes=("high", "low"), tasks=("categorical",), protocol="", metric="accuracy", source="",
        licence="", fingerprint=f"{name}{seed}", truth=truth,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def parts():
    return Parts(_drawn(80, 0), _drawn(30, 1), _drawn(60, 2))


def test_alignment_pays_where_place_is_the_message(parts):
    recipes = {"as taken": Recipe(), "aligned": Recipe(aligned=True), "more": Recipe(aligned=True, copies=1)}
    runs = study(parts, recipes, [0, 1], tilt_deg=170.0)
    assert set(runs.rows["metric"]) == {"bare", "masked"}
    bare = runs.rows[runs.rows["metric"] == "bare"].pivot(index="seed", columns="model", values="value")
    assert (bare["aligned"] > 0.9).all()
    assert (bare["aligned"] > bare["as taken"] + 0.15).all()
    assert set(runs.models) == {(name, seed) for name in recipes for seed in (0, 1)}
    again = study(parts, {"aligned": Recipe(aligned=True)}, [1], tilt_deg=170.0)
    assert again.values("aligned", "bare")[0] == bare["aligned"][1]  # recipes do not touch each other


def test_finished_seeds_are_read_with_their_readers(parts, monkeypatch, tmp_path):
    recipes = {"as taken": Recipe(), "aligned, masks": Recipe(aligned=True, masked=0.5)}
    taken, drawn = preparation.prepare_parts, []

    def noted(parts, seed, **options):
        if len(drawn) == 1:
            raise KeyboardInterrupt
        drawn.append(seed)
        return taken(parts, seed, **options)

    with monkeypatch.context() as patch:
        patch.setattr(preparation, "prepare_parts", noted)
        with pytest.raises(KeyboardInterrupt):
            study(parts, recipes, [0, 1])
        drawn[:] = [None, None]
        first = study(parts, recipes, [0, 1])
        assert drawn == [None, None, 1]
        study(parts, recipes, [0, 1])
        assert drawn == [None, None, 1]
        study(parts, recipes, [0], tilt_deg=5.0)
        study(parts, recipes | {"as taken": Recipe(copies=1)}, [0])
        assert drawn == [None, None, 1, 0, 0]  # another study
    monkeypatch.setenv("FER_HOME", str(tmp_path / "apart"))
    calls = as_if_apart(monkeypatch)
    again = study(parts, recipes, [0, 1])
    assert calls == [2]
    pd.testing.assert_frame_equal(again.rows, first.rows, check_exact=True)
    for which, reader in again.models.items():
        assert reader.strength == first.models[which].strength
        np.testing.assert_array_equal(reader.predict(parts.test), first.models[which].predict(parts.test))
    readers = next((tmp_path / "apart").rglob("seed_1.npz"))
    readers.write_bytes(b"PK")
    with pytest.raises(DataError, match=r"seed_1.npz: must hold the readers of a finished seed"):
        study(parts, recipes, [0, 1])


def test_the_penalty_is_the_best_for_validation_faces(parts):
    taken = prepare_parts(parts, 0, tilt_deg=60.0)  # loosely framed: hard enough that the penalty matters
    hard = facesets.resize_all(taken["validation"], size=48).faces
    features = training_features(
        facesets.resize_all(taken["train"], size=48).faces.subset(slice(0, 30)), copies=0, seed=0
    )
    own = {}
    for strength in STRENGTHS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(preparation, "STRENGTHS", (strength,))
            own[strength] = Reader().fit(features, hard).score(hard)
    reader = Reader().fit(features, hard)
    assert len(set(own.values())) > 1  # there is something to choose
    assert reader.score(hard) == max(own.values()) == own[reader.strength]
    reader = Reader().fit(training_features(parts.train, copies=0, seed=0), parts.validation)
    flipped = labels_of(parts.validation) == 0
    swapped = parts.validation.table.assign(expression=flipped.astype(int))
    assert reader.score(parts.validation) > 0.9
    assert reader.score(dataclasses.replace(parts.validation, table=swapped)) < 0.1


def test_copies_are_added_and_differ(parts):
    features, labels = training_features(parts.train, copies=2, seed=0)
    assert len(features) == len(labels) == 240
    assert np.array_equal(labels[:80], labels[80:160])
    assert not np.allclose(features[:80], features[80:160])
    assert not np.allclose(features[80:160], features[160:])


def test_parts_stay_apart_and_each_seed_leaves_out_another_fifth(parts):
    taken = prepare_parts(parts, 0)
    assert len(taken["train"].faces) == 64
    assert len(taken["test"].faces) == 60
    other = prepare_parts(parts, 1)
    assert not np.array_equal(taken["train"].faces.images, other["train"].faces.images)


def test_faces_without_landmarks_are_left_out_where_others_have_them():
    drawn = _drawn(30, 1, name="affectnet")
    table = pd.concat([drawn.table, drawn.truth], axis=1)
    told = dataclasses.replace(drawn, table=table, truth=None)
    blind = dataclasses.replace(told, table=table.assign(lm_x_00=np.where(np.arange(30) < 4, np.nan, 1.0)))
    taken = prepare_parts(Parts(told, blind, told), 0)
    assert len(taken["validation"].faces) == 26
    assert taken["validation"].faces.dropped == {"no landmarks": 4}
    assert len(taken["test"].faces) == 30
    facesets.mask_all(taken["validation"], seed=0)


def test_blur_of_the_eyes_has_the_spread_it_says():
    eyes = np.tile(np.array([[[0.0, 0.0], [30.0, 40.0]]]), (4000, 1, 1))
    moved = blurred_eyes(eyes, 0.1, seed=0) - eyes
    assert moved.std() == pytest.approx(5.0, rel=0.05)
