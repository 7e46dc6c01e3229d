"""The coder learns what its sequences share, repeats with its seed, and stops where the loss is nan."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from fer_lib.encoders import CPC
from fer_lib.errors import DataError
from fer_lib.losses import info_nce
from fer_lib.pretrain import predictive, trained_encoder
from fer_lib.pretrain.predictive import PredictiveCoder
from fer_lib.train.parts import Parts


def _coder(seed=0, **options):
    torch.manual_seed(seed)
    sizes = {"code": 8, "context": 12, "observed": 3, "steps": 2} | options
    return PredictiveCoder(CPC(width=0.125, size=32), **sizes)


class _Bars:
    """Faces in the shape of a FaceSet: the class is where a bright bar stands, the rest is noise."""

    def __init__(self, count, classes=4, seed=0, task="categorical"):
        rng = np.random.default_rng(seed)
        self.task, self.name = task, "bars"
        self.classes = tuple("abcdefgh"[:classes])
        self.labels = rng.integers(classes, size=count)
        self.pixels = rng.integers(0, 60, size=(count, 1, 32, 32)).astype(np.uint8)
        for k, label in enumerate(self.labels):
            self.pixels[k, 0, 8 * label : 8 * label + 6] += 150

    def __len__(self):
        return len(self.labels)

    def batch(self, index):
        return torch.from_numpy(self.pixels[np.asarray(index)])

    def targets(self):
        return torch.from_numpy(self.labels)


def _parts(**options):
    return Parts(_Bars(240, **options), _Bars(120, seed=1, **options), None)


def _recipe(**changes):
    small = {"epochs": 6, "batch_size": 8, "code": 16, "context": 16, "observed": 3, "learning_rate": 5e-3}
    return predictive.recipe("smoke") | small | changes


@pytest.fixture(scope="module")
def learned():
    return predictive.train(_recipe(), _parts(), 0)


def test_predictions_come_from_the_past_alone():
    coder = _coder().eval()
    images = torch.rand(4, 5, 1, 32, 32)
    predictions, codes = coder(images)
    assert predictions.shape == codes.shape == (2 * 3, 4, 8)
    later = images.clone()
    later[:, 3:] = torch.rand(4, 2, 1, 32, 32)  # none of these was observed
    again, others = coder(later)
    torch.testing.assert_close(again, predictions)
    assert not torch.allclose(others, codes)


def test_each_prediction_meets_the_code_so_many_steps_on():
    coder = _coder().eval()
    images = torch.rand(4, 5, 1, 32, 32)
    predictions, codes = coder(images)
    every = coder.code(images.flatten(0, 1)).unflatten(0, (4, 5))
    contexts = coder.memory(every[:, :3])[0]
    place = 0
    for step in (1, 2):
        for moment in range(3):
            torch.testing.assert_close(codes[place], every[:, moment + step])
            expected = contexts[:, moment] @ coder.predictors[step - 1].weight.T
            torch.testing.assert_close(predictions[place], expected)
            place += 1


def test_loss_is_the_mean_over_steps_and_moments():
    coder = _coder().eval()
    images, labels = torch.rand(4, 5, 1, 32, 32), torch.tensor([0, 1, 1, 2])
    predictions, codes = coder(images)
    each = [
        info_nce(p, z, temperature=0.5, labels=labels).item() for p, z in zip(predictions, codes, strict=True)
    ]
    assert coder.loss(images, labels, temperature=0.5).item() == pytest.approx(np.mean(each), rel=1e-5)


def test_every_parameter_gets_a_gradient():
    coder = _coder()
    coder.loss(torch.rand(4, 5, 1, 32, 32)).backward()
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0 for _, p in coder.named_parameters() if p.ndim > 1
    )


def test_sequences_do_not_leak_into_each_other():
    coder = _coder().eval()
    images = torch.rand(4, 5, 1, 32, 32)
    changed = images.clone()
    changed[0] = torch.rand(5, 1, 32, 32)
    for before, after in zip(coder(images), coder(changed), strict=True):
        torch.testing.assert_close(before[:, 1:], after[:, 1:])


def test_it_learns_the_label_up_to_its_ceiling(learned):
    encoder, history, coder = learned
    assert not encoder.training
    assert coder.encoder is encoder
    last = history.iloc[-1]
    assert last["ceiling"] == pytest.approx(math.log(4), abs=0.05)
    assert last["validation_bound"] > 0.5  # nats; guessing gives 0
    assert (history["validation_bound"] <= last["ceiling"] + 0.1).all()
    assert last["accuracy"] > 0.8 > 2 * last["chance"]
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]


def test_a_seed_repeats_to_the_last_bit(learned):
    encoder, history, _ = predictive.train(_recipe(), _parts(), 0)
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, learned[0].state_dict()[name])
    pd.testing.assert_frame_equal(history.drop(columns="seconds"), learned[1].drop(columns="seconds"))
    other, _, _ = predictive.train(_recipe(epochs=1), _parts(), 1)
    assert not torch.equal(other.trunk[0].weight, encoder.trunk[0].weight)


def test_random_sequences_teach_nothing():
    _, history, _ = predictive.train(_recipe(positives="random", epochs=3), _parts(), 0)
    assert history["validation_bound"].iloc[-1] < 0.1
    assert history["ceiling"].isna().all()


def test_a_face_is_told_from_others_by_itself():
    _, history, _ = predictive.train(_recipe(positives="same face", epochs=4), _parts(), 0)
    assert history["validation_bound"].iloc[-1] > 0.3


def test_rivals_of_the_same_label_lower_the_accuracy():
    options = {"positives": "label", "epochs": 4}
    _, apart, _ = predictive.train(_recipe(**options), _parts(), 0)
    _, together, _ = predictive.train(_recipe(rivals="all", **options), _parts(), 0)
    assert together["accuracy"].iloc[-1] < apart["accuracy"].iloc[-1]
    assert together["chance"].iloc[-1] == pytest.approx(1 / 8, abs=0.02)
    assert apart["chance"].iloc[-1] > together["chance"].iloc[-1]


def test_a_validation_part_too_small_is_not_watched():
    parts = Parts(_Bars(240), _Bars(6, seed=1), None)
    _, history, _ = predictive.train(_recipe(epochs=1), parts, 0)
    assert history["validation_bound"].isna().all()


class _Breaks(PredictiveCoder):
    """Gives nan at its seventh step of training."""

    calls = 0

    def forward(self, sequences):
        predictions, codes = super().forward(sequences)
        self.calls += self.training
        return (predictions * torch.nan if self.calls == 7 else predictions), codes


def test_nan_stops_with_batch_named_and_the_last_epoch_kept(monkeypatch):
    kept = {}

    def rebuild(recipe, encoder):
        sizes = {name: recipe[name] for name in ("code", "context", "observed", "steps")}
        return _Breaks(encoder, **sizes)

    watch = predictive.Training.watch

    def watched(training):
        kept.update({name: value.clone() for name, value in training.model.state_dict().items()})
        return watch(training)

    monkeypatch.setattr(predictive, "rebuild", rebuild)
    monkeypatch.setattr(predictive.Training, "watch", watched)
    faces = Parts(_Bars(90), _Bars(60, seed=1), None)  # three or four steps an epoch
    with pytest.raises(
        FloatingPointError, match=r"got nan or inf in epoch \d+, batch \d+ \(step 7\)"
    ) as caught:
        predictive.train(_recipe(), faces, 0)
    assert kept
    for name, value in caught.value.coder.state_dict().items():
        assert torch.equal(value, kept[name]), name


@pytest.mark.parametrize("field", ["code", "context", "observed", "steps"])
def test_refuses_sizes(field):
    with pytest.raises(ValueError, match=f"{field} must be at least 1; got 0"):
        _coder(**{field: 0})


def test_refuses_the_rest():
    with pytest.raises(ValueError, match=r"sequences must be \(B, 5, C, S, S\); got \(2, 4, 1, 32, 32\)"):
        _coder()(torch.rand(2, 4, 1, 32, 32))
    with pytest.raises(ValueError, match="rivals must be 'all' or 'other labels'; got 'friends'"):
        predictive.train(_recipe(rivals="friends"), _parts(), 0)
    with pytest.raises(ValueError, match="positives must be one of"):
        predictive.train(_recipe(positives="friends"), _parts(), 0)
    with pytest.raises(DataError, match="a group must have 5 faces; got 1"):
        predictive.train(_recipe(), Parts(_Bars(1), _Bars(60), None), 0)
    with pytest.raises(ValueError, match="batch_size must leave two labels in a batch; got none"):
        predictive.train(_recipe(), Parts(_Bars(60, classes=1), _Bars(60), None), 0)


def test_the_shelf_gives_the_whole_back(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    small = {"faces": 60, "epochs": 1, "bins": 2}
    first = trained_encoder("cpc", profile="smoke", **small)
    again = trained_encoder("cpc", profile="smoke", **small)
    assert isinstance(again.whole, PredictiveCoder)
    images = torch.rand(3, 1, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(again.whole.code(images), first.whole.code(images), rtol=0, atol=0)
        torch.testing.assert_close(again.encoder(images), again.whole.encoder(images), rtol=0, atol=0)
    assert not any(isinstance(m, nn.Module) and m.training for m in again.whole.modules())
