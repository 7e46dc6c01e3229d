"""Many draws of one's own people: at once or side by side as one by one; what is done is not run again."""

import dataclasses
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from as_if_apart import as_if_apart
from small_faces import CLASSES, small_faces

from fer_lib import artifacts
from fer_lib.adapt import adapted_copy, study, trainings
from fer_lib.adapt.study import YARDSTICK
from fer_lib.encoders import FaceChannel
from fer_lib.errors import DataError
from fer_lib.heads import DenseHead, FaceModel
from fer_lib.losses import soft_cross_entropy
from fer_lib.train import Settings, fit, predict, seeded

SEEDS = [0, 1, 2]
REGIMES = ["all", "last_conv"]
OPTIONS = {
    "regimes": REGIMES, "photos": [6, 10**6], "steps": 12,
    "settings": Settings(batch_size=8, learning_rate=0.01),
}  # fmt: skip


@pytest.fixture(autouse=True)
def one_by_one(monkeypatch):
    monkeypatch.setenv("FER_STACK", "1")


@pytest.fixture(scope="module")
def faces():
    found = small_faces(count=54)
    who = np.repeat(
        ["a", "b", "c", "d", "e", "f", "g"], [5, 9, 6, 10, 7, 9, 8]
    )  # draws differ in their sizes
    return dataclasses.replace(found, table=found.table.assign(subject=who, path=np.arange(54).astype(str)))


def source_of(loss=None):
    with seeded(0):
        encoder = FaceChannel(width=0.125, size=16, dropout=0.0)
        return FaceModel(
            encoder, DenseHead(encoder.feature_shape, len(CLASSES), hidden=(8,), loss=loss)
        ).eval()


@pytest.fixture(scope="module")
def source():
    return source_of()


@pytest.fixture(scope="module")
def alone(source, faces, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("alone")))
        patch.setenv("FER_STACK", "1")
        return study(source, faces, seeds=SEEDS, **OPTIONS)


def noted(monkeypatch, name, stop_after=10**6):
    """Which seeds a function of the module trains; it may be told to stop the work."""
    inner, seen = getattr(trainings, name), []

    def outer(*given, **options):
        seeds = options.get("seeds") or [options["seed"]]
        if len(seen) == stop_after:
            raise KeyboardInterrupt
        seen.append(seeds)
        return inner(*given, **options)

    monkeypatch.setattr(trainings, name, outer)
    return seen


def assert_same(found, wanted, atol):
    assert list(found.comparison.predictions) == list(wanted.comparison.predictions)
    for which, values in wanted.comparison.predictions.items():
        np.testing.assert_allclose(found.comparison.predictions[which], values, rtol=0, atol=atol)
    told = ["seed", "model", "photos", "metric"]
    pd.testing.assert_frame_equal(found.rows[told], wanted.rows[told])
    for name in ("value", "validation"):
        np.testing.assert_allclose(found.rows[name], wanted.rows[name], rtol=0, atol=atol)


def test_cached_features_of_a_draw_are_those_of_its_photos(source, faces, alone):
    parts = alone.parts[1]
    chosen = np.sort(np.random.default_rng(1).permutation(len(parts.train))[:6])
    model = adapted_copy(source, "last_conv", seed=1)
    fit(model, parts.train.subset(chosen), parts.validation, epochs=12, seed=1, settings=OPTIONS["settings"])
    found = study(source, faces, seeds=[1], **OPTIONS | {"photos": [6], "regimes": ["last_conv"]})
    pred = found.comparison.predictions["last_conv", 1]
    np.testing.assert_allclose(pred, predict(model, parts.test), rtol=0, atol=1e-5)


def test_a_stack_gives_what_one_by_one_gives(source, faces, alone, monkeypatch):
    monkeypatch.setenv("FER_STACK", "2")
    stacks, singles = (noted(monkeypatch, name) for name in ("fit_together", "fit"))
    assert_same(study(source, faces, seeds=SEEDS, **OPTIONS), alone, 1e-4)
    assert stacks == [[0, 1]] * 2  # behind a frozen trunk, of two numbers of photos
    assert singles == [[0], [1]] * 2 + [[2]] * 4  # the whole model, and the seed that is left over


def test_a_stopped_study_goes_on_with_the_next_training(source, faces, alone, monkeypatch):
    with monkeypatch.context() as patch:
        noted(patch, "fit", stop_after=5)
        with pytest.raises(KeyboardInterrupt):
            study(source, faces, seeds=SEEDS, **OPTIONS)
    kept = artifacts.home() / trainings.SHELF
    assert len(list(kept.iterdir())) == 6  # a seed with its yardstick, and a training of the next
    seen = noted(monkeypatch, "fit")
    assert_same(study(source, faces, seeds=SEEDS, **OPTIONS), alone, 0)
    assert seen == [[1]] * 3 + [[2]] * 4
    monkeypatch.setattr(trainings, "histogram_baseline", None)  # the yardstick is read, too
    assert_same(study(source, faces, seeds=SEEDS, **OPTIONS), alone, 0)
    assert len(seen) == 7
    some = next(iter(kept.iterdir()))
    some.write_bytes(some.read_bytes()[:100])
    with pytest.raises(DataError, match=r"npz: must hold the outcome of a training; got .*Delete the file"):
        study(source, faces, seeds=SEEDS, **OPTIONS)


def test_another_study_is_not_taken_for_this_one(source, faces, monkeypatch):
    run = partial(study, seeds=[0], **OPTIONS | {"photos": [6], "regimes": ["decision"]})
    seen = noted(monkeypatch, "fit")
    run(source, faces)
    with torch.no_grad():
        other = source_of()
        next(other.head.parameters()).add_(0.1)
    options = {"steps": 13, "settings": Settings(batch_size=8, learning_rate=0.02), "by_person": False}
    for name, value in options.items():
        run(source, faces, **{name: value})
    run(other, faces)
    run(
        source,
        dataclasses.replace(faces, table=faces.table.assign(subject=faces.table["subject"].to_numpy()[::-1])),
    )
    assert len(seen) == 6
    run(source, faces, regimes=["all", "decision"])
    assert len(seen) == 7


def test_of_a_loss_of_ones_own_nothing_is_kept(faces, monkeypatch):
    run = partial(study, seeds=[0], **OPTIONS | {"photos": [6], "regimes": ["decision"]})
    mine, seen = source_of(partial(soft_cross_entropy, smoothing=0.3)), noted(monkeypatch, "fit")
    assert_same(run(mine, faces), run(mine, faces), 0)
    assert len(seen) == 2
    assert not (artifacts.home() / trainings.SHELF).exists()


def test_side_by_side_to_the_bit(source, faces, alone, monkeypatch):
    calls = as_if_apart(monkeypatch)
    assert_same(study(source, faces, seeds=SEEDS, **OPTIONS), alone, 0)
    assert calls == [3 * (2 * 2 + 1)]
    assert (YARDSTICK, 1) in alone.comparison.predictions
