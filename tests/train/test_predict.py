"""Prediction: batch by batch, mirrored, scored by the corpus's own metric."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from small_faces import small_faces

from fer_lib.encoders import FaceChannel
from fer_lib.heads import FaceModel, head_for
from fer_lib.preprocess import prepare
from fer_lib.train import predict, score, seeded


@pytest.fixture(scope="module")
def faces():
    return small_faces()


@pytest.fixture(scope="module")
def model(faces):
    with seeded(0):
        encoder = FaceChannel(width=0.125, size=16)
        return FaceModel(encoder, head_for(faces, encoder.feature_shape, hidden=(8,)))


def test_equals_one_image_at_a_time(faces, model):
    model.eval()
    with torch.no_grad():
        batches = [prepare(faces.batch([k]), model.encoder.input_spec) for k in range(len(faces))]
        one = [model.predict(model(batch)) for batch in batches]
    pred = predict(model, faces, batch_size=7)
    np.testing.assert_allclose(pred, torch.cat(one).numpy(), atol=1e-5)
    assert pred.dtype == np.float32
    np.testing.assert_allclose(pred.sum(1), 1, atol=1e-5)


def test_flip_averages_both_sides(faces, model):
    mirrored = dataclasses.replace(faces, pixels=faces.pixels[:, :, :, ::-1])
    both = (predict(model, faces) + predict(model, mirrored)) / 2
    np.testing.assert_allclose(predict(model, faces, flip=True), both, atol=1e-5)


def test_keeps_the_mode_and_draws_nothing(faces, model):
    model.train()
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    first = predict(model, faces)
    assert model.training
    assert torch.equal(torch.rand(1), expected)
    np.testing.assert_array_equal(first, predict(model, faces))


def test_score_by_the_metric_of_the_set():
    faces = small_faces("categorical")
    right = np.eye(3)[faces.targets().numpy()]
    assert score(right, faces) == 1
    wrong = right.copy()
    wrong[:12] = np.roll(wrong[:12], 1, axis=1)
    assert score(wrong, faces) == pytest.approx(36 / 48)
    labels, balanced = faces.targets().numpy(), dataclasses.replace(faces, metric="mean_class_accuracy")
    recalls = [np.mean(wrong.argmax(1)[labels == k] == k) for k in range(3)]
    assert score(wrong, balanced) == pytest.approx(np.mean(recalls))
    values = small_faces("valence_arousal")
    assert score(values.targets(), values) == pytest.approx(1)
    assert score(values.targets() * 0.0 + 0.3, values) == 0
    shares, states = small_faces("distribution"), small_faces("multi_label")
    assert score(shares.targets(), shares) == 1
    assert score(states.targets(), states) == 1


def test_refuses(faces, model):
    with pytest.raises(ValueError, match=r"faces must hold at least one image; got 0"):
        predict(model, faces.subset(slice(0, 0)))
    with pytest.raises(ValueError, match=r"metric must be one of ccc, .*; got 'f2'"):
        score(np.zeros((48, 3)), dataclasses.replace(faces, metric="f2"))
