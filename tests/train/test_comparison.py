"""Comparisons in pairs, the yardstick without a network, and the search for failures."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from as_if_apart import as_if_apart
from small_faces import small_faces

from fer_lib.encoders import FaceChannel
from fer_lib.heads import FaceModel, head_for
from fer_lib.train import Parts, Settings, compare, evaluate, folder_of, predict
from fer_lib.train.analysis import (
    contrast_curves,
    error_by,
    error_of_each,
    failures,
    properties_of,
    steepest,
    with_contrast,
    worst_faces,
)
from fer_lib.train.baseline import gradient_histograms, histogram_baseline
from fer_lib.train.loop import _Training
from fer_lib.train.scoreboard import bars_of, rows_for_results, scoreboard

FAST = Settings(batch_size=16, learning_rate=3e-3)


def _parts(task="categorical"):
    return Parts(small_faces(task), small_faces(task, seed=1), small_faces(task, seed=2))


def _builder(parts, **options):
    def build():
        encoder = FaceChannel(width=0.125, size=16, **options)
        return FaceModel(encoder, head_for(parts.train, encoder.feature_shape, hidden=(16,)))

    return build


@pytest.fixture(scope="module")
def compared():
    parts = _parts()
    builders = {"with": _builder(parts), "without": _builder(parts, inhibition=False)}
    return parts, compare(builders, parts, [0, 1], epochs=2, settings=FAST)


def test_one_row_a_model_seed_and_metric(compared):
    parts, found = compared
    assert len(found.rows) == 2 * 2 * 3
    for (name, seed), pred in found.predictions.items():
        rows = found.rows[(found.rows["model"] == name) & (found.rows["seed"] == seed)]
        assert dict(zip(rows["metric"], rows["value"], strict=True)) == evaluate(pred, parts.test)
        np.testing.assert_array_equal(predict(found.models[name, seed], parts.test), pred)
    assert found.history.groupby(["model", "seed"]).size().tolist() == [2] * 4


def test_pairs_share_their_first_weights_and_repeat_exactly(compared):
    parts, found = compared
    again = compare({"with": _builder(parts)}, parts, [1], epochs=2, settings=FAST)
    assert again.values("with", "accuracy")[0] == found.values("with", "accuracy")[1]
    first = []
    for options in ({}, {"inhibition": False}):
        torch.manual_seed(4)
        first.append(_builder(parts, **options)().encoder.trunk.state_dict())
    assert all(torch.equal(first[0][name], first[1][name]) for name in first[0])


def test_differences_by_hand(compared):
    _, found = compared
    line = found.differences("without").set_index("metric").loc["accuracy"]
    gap = found.values("with", "accuracy") - found.values("without", "accuracy")
    assert line["mean"] == pytest.approx(gap.mean())
    assert line["low"] <= line["mean"] <= line["high"]
    assert found.summary().set_index(["model", "metric"]).loc[("with", "accuracy"), "mean"] == pytest.approx(
        found.values("with", "accuracy").mean()
    )


def test_a_stopped_comparison_is_resumed_from_its_folder(compared, tmp_path):
    parts, found = compared
    builders = {"with": _builder(parts)}
    first = compare(builders, parts, [0], epochs=2, settings=FAST, folder=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["with_0.safetensors"]
    again = compare(builders, parts, [0], epochs=2, settings=FAST, folder=tmp_path)
    assert again.history.equals(first.history)  # seconds too: nothing was trained again
    assert again.values("with", "accuracy")[0] == found.values("with", "accuracy")[0]


def test_models_and_seeds_are_compared_side_by_side(compared, tmp_path, monkeypatch):
    parts, wanted = compared
    builders = {"with": _builder(parts), "without": _builder(parts, inhibition=False)}
    calls = as_if_apart(monkeypatch)
    found = compare(builders, parts, [0, 1], epochs=2, settings=FAST, folder=tmp_path)
    assert calls == [4]
    assert len(list(tmp_path.glob("*.safetensors"))) == 4
    for which, pred in wanted.predictions.items():
        np.testing.assert_array_equal(found.predictions[which], pred)


@pytest.mark.parametrize(("task", "metric"), [("categorical", "accuracy"), ("distribution", "accuracy")])
def test_gradient_histograms_tell_easy_classes_apart(task, metric):
    parts = _parts(task)
    assert gradient_histograms(parts.test).shape == (48, 900)
    assert evaluate(histogram_baseline(parts), parts.test)[metric] > 0.9


def test_gradient_histograms_tell_values():
    parts = _parts("valence_arousal")
    assert evaluate(histogram_baseline(parts), parts.test)["ccc_valence"] > 0.8
    with pytest.raises(ValueError, match=r"task must have one label a face; got 'multi_label'"):
        histogram_baseline(_parts("multi_label"))


def test_errors_by_hand():
    values = small_faces("valence_arousal")
    moved = values.targets().numpy() + np.array([0.3, -0.4], dtype=np.float32)
    np.testing.assert_allclose(error_of_each(moved, values), 0.5, atol=1e-6)
    classes = small_faces("categorical")
    pred = np.eye(3)[(classes.targets().numpy() + (np.arange(48) < 5)) % 3]
    assert error_of_each(pred, classes).sum() == 5
    states = small_faces("multi_label")
    np.testing.assert_allclose(error_of_each(1 - states.targets().numpy(), states), 1)


def test_worst_faces_by_hand():
    faces = small_faces("categorical").subset([0, 1, 2])
    pred = np.full((3, 3), 0.2)
    pred[np.arange(3), faces.targets().numpy()] = [0.5, 0.1, 0.3]
    assert worst_faces(pred, faces, 2).tolist() == [1, 2]
    values = small_faces("valence_arousal").subset([0, 1, 2])
    moved = values.targets().numpy() + np.array([[0.1, 0.0], [0.0, 0.5], [0.2, 0.2]])
    assert worst_faces(moved, values).tolist() == [1, 2, 0]


def test_bins_hold_equally_many_and_all():
    values = np.random.default_rng(0).random(100)
    found = error_by((values > 0.5).astype(float), values, bins=4)
    assert found["n"].tolist() == [25] * 4
    assert found["y"].iloc[0] == 0
    assert found["y"].iloc[-1] == 1
    assert (found["x"].diff().dropna() > 0).all()
    assert error_by(np.ones(10), np.zeros(10))["n"].tolist() == [10]  # all equal: one bin


def test_properties_measured_on_real_faces():
    faces = small_faces()
    measured = properties_of(faces)
    assert measured["brightness"].to_numpy() == pytest.approx(faces.images.mean((1, 2, 3)) / 255, abs=1e-5)
    flat = dataclasses.replace(faces, pixels=np.full_like(faces.pixels, 128))
    assert properties_of(flat)["contrast"].max() < 1e-6
    right = np.eye(3)[faces.targets()]
    trends = failures([right, np.roll(right, 1, axis=1)], faces)
    assert set(trends) == {"brightness", "contrast", "sharpness"}
    assert trends["contrast"]["y"].tolist() == [0.5] * 5  # right in one run, wrong in the other


def test_steepest_is_the_property_with_the_widest_errors():
    flat = pd.DataFrame({"x": [0.0, 1.0], "y": [0.4, 0.5]})
    steep = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [0.2, 0.9, 0.3]})
    assert steepest({"flat": flat, "steep": steep}) == ("steep", 0.2, 0.9, 2.0)


def test_scoreboard_holds_ours_the_yardstick_and_the_papers(compared):
    _, found = compared
    board = scoreboard(
        found, {"accuracy": 0.5, "mean_class_accuracy": 0.4, "happy_neutral": 0.6}, dataset="ferplus"
    )
    accuracy = board[board["metric"] == "accuracy"].set_index("model")
    assert accuracy.loc["with", "mean"] == pytest.approx(found.values("with", "accuracy").mean())
    assert accuracy.loc["gradient histograms", "mean"] == 0.5
    assert accuracy.loc["Face-STN (FC) (Table 2)", "published"] == pytest.approx(0.891)
    assert len(board[board["published"].notna()]) == 7
    marked = bars_of(board)
    assert marked["published"].dropna().tolist() == pytest.approx([0.891])
    assert marked.loc[marked["published"].notna(), "model"].tolist() == ["with"]
    rows = rows_for_results(found, dataset="ferplus", encoder="facechannel")
    assert len(rows) == len(found.rows)
    assert {row["regime"] for row in rows} == {"scratch, with", "scratch, without"}


def test_contrast_is_scaled_about_the_mean():
    faces = small_faces()
    half = with_contrast(faces, 0.5)
    np.testing.assert_allclose(half.images.std((1, 2, 3)), 0.5 * faces.images.std((1, 2, 3)), rtol=0.02)
    np.testing.assert_allclose(half.images.mean((1, 2, 3)), faces.images.mean((1, 2, 3)), atol=0.5)
    np.testing.assert_array_equal(with_contrast(faces, 1.0).images, faces.images)
    part = with_contrast(faces.subset([5, 2]), 1.0)
    np.testing.assert_array_equal(part.images, faces.images[[5, 2]])
    with pytest.raises(ValueError, match=r"factor must be at least 0; got -1"):
        with_contrast(faces, -1)


def test_contrast_curves_at_one_are_the_scores(compared):
    parts, found = compared
    curves = contrast_curves(found.models, parts.test, [0.5, 1.0])
    at_one = curves[(curves["name"] == "with") & (curves["x"] == 1.0)]["y"].item()
    assert at_one == pytest.approx(found.values("with", "accuracy").mean())
    assert len(curves) == 4


def test_a_comparison_that_is_kept_is_opened_and_named_by_what_decides(tmp_path, monkeypatch, compared):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    parts, wanted = compared
    folder = folder_of(parts, FAST, epochs=2)
    assert folder == folder_of(parts, FAST, epochs=2)
    others = [
        folder_of(parts, FAST, epochs=3),
        folder_of(parts, dataclasses.replace(FAST, warmup=0.1), epochs=2),
    ]
    others.append(folder_of(dataclasses.replace(parts, test=small_faces(seed=3)), FAST, epochs=2))
    assert len({folder, *others}) == 4
    builders = {"with": _builder(parts), "without": _builder(parts, inhibition=False)}
    compare(builders, parts, [0], epochs=2, settings=FAST, folder=folder)
    whole, trained = _Training.one_epoch, []

    def noted(self, epoch):
        trained.append(self.seed)
        whole(self, epoch)

    monkeypatch.setattr(_Training, "one_epoch", noted)
    found = compare(builders, parts, [0, 1], epochs=2, settings=FAST, folder=folder)
    assert trained == [1] * 4  # the seed that was there is opened
    for which, pred in wanted.predictions.items():
        np.testing.assert_array_equal(found.predictions[which], pred)
    columns = ["seed", "model", "metric", "value"]
    pd.testing.assert_frame_equal(found.rows[columns], wanted.rows[columns], check_exact=True)
