"""Whole sets: pictures change and labels stay; eyes move with the pictures; masks sit on the mouths."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib.datasets import FaceSet
from fer_lib.preprocess import facesets, trials
from fer_lib.preprocess.detect import find_eyes
from fer_lib.preprocess.facesets import Photographs
from fer_lib.worlds.tables import landmark_columns


@pytest.fixture(scope="module")
def faces():
    heads = trials.render_heads(12, seed=3, yaw_deg=(-10.0, 10.0), size=64)
    table = pd.DataFrame({"expression": np.arange(12) % 3, "split": "train"})
    truth = pd.DataFrame(landmark_columns(heads.landmarks.numpy()))
    return FaceSet(
        name="world:test", pixels=heads.images, rows=np.arange(12), table=table, task="categorical",
        unit="image", classes=("a", "b", "c"), tasks=("categorical",), protocol="", metric="accuracy",
        source="", licence="", fingerprint="f", truth=truth,
    )  # fmt: skip


@pytest.fixture(scope="module")
def known(faces):
    return facesets.locate(faces)


def test_truth_gives_the_eyes(faces, known):
    points = known.landmarks
    np.testing.assert_allclose(known.eyes[:, 0], points[:, 36:42].mean(1), rtol=1e-5)
    np.testing.assert_allclose(known.eyes[:, 1], points[:, 42:48].mean(1), rtol=1e-5)
    assert known.unknown == 0


def test_a_corpus_tells_its_landmarks_in_its_table(faces, known):
    """As the store of a corpus with landmarks: no truth; faces without landmarks are left to the cascade."""
    points = faces.truth.copy()
    points.iloc[[3, 7]] = np.nan
    real = dataclasses.replace(faces, truth=None, table=pd.concat([faces.table, points], axis=1))
    found = facesets.locate(real)
    rest = np.delete(np.arange(12), [3, 7])
    np.testing.assert_array_equal(found.landmarks[rest], known.landmarks[rest])
    np.testing.assert_array_equal(found.eyes[rest], known.eyes[rest])
    assert np.isnan(found.landmarks[[3, 7]]).all()
    np.testing.assert_array_equal(found.eyes[[3, 7]], find_eyes(faces.images[[3, 7]]))
    with pytest.raises(ValueError, match="landmarks must be known to place a mask; got 2 faces without"):
        facesets.mask_all(found, seed=0)


def test_other_pictures_same_labels(faces):
    other = facesets.repicture(faces, 255 - faces.images, how="negative")
    assert torch.equal(other.targets(), faces.targets())
    assert np.array_equal(other.images, 255 - faces.images)
    assert other.fingerprint != faces.fingerprint
    assert other.fingerprint == facesets.repicture(faces, 255 - faces.images, how="negative").fingerprint
    assert other.subset([2, 5]).origin != faces.subset([2, 5]).origin  # features are cached by origin
    with pytest.raises(ValueError, match=r"images must be uint8 \(12, C, H, W\); got uint8 \(3, 3, 64, 64\)"):
        facesets.repicture(faces, faces.images[:3], how="cut")


def test_a_careless_photographer_moves_pictures_and_eyes_alike(known):
    taken = facesets.take_loosely(known, seed=1)
    tilt = np.degrees(np.arctan2(*(taken.eyes[:, 1] - taken.eyes[:, 0]).T[::-1]))
    own = np.degrees(np.arctan2(*(known.eyes[:, 1] - known.eyes[:, 0]).T[::-1]))
    assert np.abs(tilt - own).max() <= 20.01
    assert np.std(tilt - own) > 5
    size = np.linalg.norm(taken.eyes[:, 1] - taken.eyes[:, 0], axis=1)
    size /= np.linalg.norm(known.eyes[:, 1] - known.eyes[:, 0], axis=1)
    assert 0.699 < size.min() < size.max() < 1.001
    back = facesets.align_all(taken, size=64).faces.images.astype(float)
    straight = facesets.align_all(known, size=64).faces.images.astype(float)
    middle = (slice(None), slice(None), slice(15, 50), slice(15, 50))
    assert np.abs(back - straight)[middle].mean() < 6  # of 255: the same faces, resampled twice
    assert np.abs(taken.faces.images[middle] - known.faces.images[middle].astype(float)).mean() > 20


def test_framing_depends_on_the_seed_alone(known):
    first, second, other = (facesets.take_loosely(known, seed=s) for s in (1, 1, 2))
    assert np.array_equal(first.faces.images, second.faces.images)
    assert not np.array_equal(first.faces.images, other.faces.images)


def test_unknown_eyes_leave_a_picture_as_it_was(known):
    eyes = known.eyes.copy()
    eyes[3] = np.nan
    out = facesets.align_all(known, size=64, eyes=eyes)
    assert np.array_equal(out.faces.images[3], known.faces.images[3])
    np.testing.assert_allclose(out.eyes[3], known.eyes[3], atol=1e-3)
    wanted = [[31.5 - 0.18 * 64, 0.34 * 64 - 0.5], [31.5 + 0.18 * 64, 0.34 * 64 - 0.5]]
    np.testing.assert_allclose(np.delete(out.eyes, 3, 0), np.tile(wanted, (11, 1, 1)), atol=1e-2)
    assert Photographs(known.faces, eyes, None).unknown == 1


def test_resizing_halves_the_picture_and_the_eyes(known):
    small = facesets.resize_all(known, size=32)
    np.testing.assert_allclose(small.eyes, (known.eyes + 0.5) / 2 - 0.5, atol=1e-3)
    blocks = known.faces.images.reshape(12, 3, 32, 2, 32, 2).mean((3, 5))
    assert np.abs(small.faces.images - blocks).max() <= 1.01


def test_masks_on_a_share_of_the_faces(known):
    for share in (0.0, 0.5, 1.0):
        masked = facesets.mask_all(known, seed=4, share=share)
        changed = (masked.faces.images != known.faces.images).reshape(12, -1).any(1)
        assert (changed.mean() == share) if share != 0.5 else (0.1 < changed.mean() < 0.9)
        for k in np.flatnonzero(changed):
            x, y = known.landmarks[k, 62].round().astype(int)
            assert (masked.faces.images[k, :, y, x] != known.faces.images[k, :, y, x]).any()
    with pytest.raises(ValueError, match="landmarks must be known to place a mask; got none for world:test"):
        facesets.mask_all(Photographs(known.faces, known.eyes, None), seed=0)


def test_error_of_eyes_by_hand():
    truth = np.array([[[0.0, 0.0], [0.0, 20.0]]])
    found = truth + np.array([[3.0, 4.0], [0.0, 0.0]])
    assert facesets.eye_error(found, truth).tolist() == [2.5 / 20]
    assert np.isnan(facesets.eye_error(np.full((1, 2, 2), np.nan), truth)).all()


def test_heads_differ_only_in_what_is_set():
    plain = trials.render_heads(3, seed=5, yaw_deg=(0.0, 5.0), size=64, glasses=0.0)
    worn = trials.render_heads(3, seed=5, yaw_deg=(0.0, 5.0), size=64, glasses=1.0)
    np.testing.assert_array_equal(plain.landmarks, worn.landmarks)
    columns = [name for name in plain.known if name != "glasses"]
    pd.testing.assert_frame_equal(plain.known[columns], worn.known[columns])
    changed = (plain.images != worn.images).mean()
    assert 0.001 < changed < 0.6


def test_trial_counts_heads_and_keeps_what_is_known():
    heads = trials.render_heads(6, seed=1, yaw_deg=(-5.0, 5.0), size=128)
    trial = trials.try_detector(heads)
    assert len(trial) == 6
    assert trial["found"].mean() > 0.6
    assert not trial.loc[~trial["found"], "eyes"].any()
    blank = trials.Heads(np.zeros_like(heads.images), heads.landmarks, heads.known)
    assert not trials.try_detector(blank)["found"].any()


def test_rates_by_wilsons_formula():
    hits, n, z = 7, 25, 1.959964
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    row = trials.rates({"x": [True] * 7 + [False] * 18}).iloc[0]
    np.testing.assert_allclose([row["low"], row["high"]], [middle - half, middle + half], rtol=1e-5)
    with pytest.raises(ValueError, match="groups must hold faces; got none in 'y'"):
        trials.rates({"y": []})


def test_tables_and_curves_of_trials():
    trial = pd.DataFrame(
        {"yaw_deg": [-3.0, 5.0, 12.0], "found": [True, False, True], "eyes": [False, False, True]}
    )
    table = trials.rate_table({"all": trial, "nobody": trial[:0]})
    assert table["group"].tolist() == ["all"]
    assert table["face found"][0].startswith("0.67 [0.2")
    curve = trials.by_turn({"face": (trial, "found"), "eyes": (trial, "eyes")})
    assert curve["x"].tolist() == [4.0, 12.0, 4.0, 12.0]
    assert curve["y"].tolist() == [0.5, 1.0, 0.0, 1.0]
