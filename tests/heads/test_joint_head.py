"""Decision layers for two views: outputs and losses against computations written out, and training."""

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fer_lib.affect import divide_va
from fer_lib.datasets import load
from fer_lib.encoders import FaceChannel
from fer_lib.errors import DataError
from fer_lib.heads import FaceModel, JointHead, MaskedHead, mask_targets
from fer_lib.heads.joint import ViewsHead, part_of
from fer_lib.losses import CenterLoss, ccc_loss, center_local_loss, class_weights, weighted_cross_entropy
from fer_lib.train import Settings, fit, predict
from fer_lib.train.sides import SideTargets, both_views
from fer_lib.worlds import region_masks


def batch():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(6, 4, 3, 3, generator=generator)
    va = torch.rand(6, 2, generator=generator) * 2 - 1
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    return features, torch.column_stack([labels.float(), va]), labels, va


def head(**options):
    torch.manual_seed(1)
    return JointHead((4, 3, 3), 3, **{"embedding": 5} | options)


def test_classic_reads_both_from_the_same_features():
    features, _, _, _ = batch()
    layer = head()
    x = F.relu(features.amax((2, 3)) @ layer.embed[0].weight.T + layer.embed[0].bias)
    wanted = torch.cat([layer.classifier(x), layer.regressor(x)], 1)
    torch.testing.assert_close(layer(features), wanted)


def test_concatenate_shows_the_affect_to_the_classifier():
    features, _, _, _ = batch()
    layer = head(fusion="concatenate", embedding=0, pool="mean")
    x = features.mean((2, 3))
    values = layer.regressor(x)
    torch.testing.assert_close(layer(features)[:, :3], layer.classifier(torch.cat([x, values], 1)))
    assert layer.classifier.in_features == 6


def test_separate_gives_each_task_its_own_layer():
    features, targets, _, _ = batch()
    layer = head(fusion="separate", pool="flat")
    layer.loss(layer(features), targets).backward()
    apart = [layer.embed[0].weight.grad.clone(), layer.embed_affect[0].weight.grad.clone()]
    layer.zero_grad()
    layer.class_loss(layer(features)[:, :3], targets[:, 0].long()).backward()
    torch.testing.assert_close(layer.embed[0].weight.grad, apart[0])  # the affect has no say in it
    assert layer.embed_affect[0].weight.grad is None or not layer.embed_affect[0].weight.grad.any()


@pytest.mark.parametrize("affect", ["mse", "ccc", "half_mse", "half", "quarter", "eight", "twelve"])
def test_losses_are_written_out(affect):
    features, targets, labels, va = batch()
    weights = class_weights([1, 2, 3])
    layer = head(
        affect=affect, affect_weight=0.3, class_loss=partial(weighted_cross_entropy, weights=weights)
    )
    outputs = layer(features)
    answers = outputs[:, 3:]
    parts = {"half_mse": 2, "half": 2, "quarter": 4, "eight": 8, "twelve": 12}.get(affect, 4)
    part = torch.from_numpy(divide_va(*va.double().numpy().T, parts))
    wanted = {
        "mse": ((answers - va) ** 2).mean(0).sum() / 2 if affect == "mse" else None,
        "ccc": ccc_loss(answers, va) if affect == "ccc" else None,
        "half_mse": ((answers[:, 0] - part) ** 2).mean() / 2,
    }.get(affect)
    if wanted is None:
        wanted = F.cross_entropy(answers, part)
        assert answers.shape[1] == parts
    own = F.cross_entropy(outputs[:, :3], labels, weight=weights)
    torch.testing.assert_close(layer.loss(outputs, targets), own + 0.3 * wanted)


def test_no_affect_is_a_plain_classifier_of_plain_labels():
    features, _, labels, _ = batch()
    layer = head(affect="none")
    assert layer(features).shape == (6, 3)
    torch.testing.assert_close(
        layer.training_loss(features, labels), F.cross_entropy(layer(features), labels)
    )


def test_metric_losses_see_the_embeddings_and_move_their_centers():
    features, targets, labels, _ = batch()
    layer = head(metric_loss=center_local_loss, metric_weight=2.0)
    wanted = layer.loss(layer(features), targets) + 2 * center_local_loss(layer.embeddings(features), labels)
    torch.testing.assert_close(layer.training_loss(features, targets), wanted)
    centers = CenterLoss(3, 5)
    layer = head(metric_loss=centers).train()
    before = centers.centers.clone()
    layer.training_loss(features, targets)
    assert not torch.equal(centers.centers, before)
    assert "metric_loss.centers" in layer.state_dict()


def test_a_metric_loss_may_ask_for_the_affect():
    features, targets, _, _ = batch()

    def asks(embeddings, labels, sides):
        assert embeddings.shape == (6, 5)
        return sides[:, 1:3].sum() * 0 + 7

    asks.needs_sides = True
    layer = head(metric_loss=asks, metric_weight=1.0)
    difference = layer.training_loss(features, targets) - layer.loss(layer(features), targets)
    assert difference.item() == pytest.approx(7, abs=1e-4)


def test_values_are_predicted_where_they_are_regressed():
    features, _, _, _ = batch()
    layer = head()
    outputs = layer(features)
    assert torch.equal(layer.predict_affect(outputs), outputs[:, 3:])
    with pytest.raises(ValueError, match="affect must be mse or ccc to predict"):
        head(affect="eight").predict_affect(outputs)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"affect": "va"}, "affect must be one of"),
        ({"fusion": "late"}, "fusion must be one of"),
        ({"pool": "sum"}, "pool must be one of"),
        ({"fusion": "separate", "embedding": 0}, "embedding must be 0 or more"),
        ({"affect_weight": -1.0}, "weights at least 0"),
        ({"metric_weight": float("nan")}, "weights at least 0"),
    ],
)
def test_wrong_options_are_told(options, words):
    with pytest.raises(ValueError, match=words):
        head(**options)


def test_targets_without_affect_are_told():
    features, _, labels, _ = batch()
    layer = head()
    with pytest.raises(ValueError, match="both_views"):
        layer.loss(layer(features), labels)


def test_masks_are_learned_pixel_by_pixel(faces):
    masks = mask_targets(faces, 8)
    assert masks.shape == (48, 8, 8)
    assert (masks >= 0).all()
    assert (masks <= 1).all()
    _, drawn = region_masks(faces, 32)  # what the renderer painted, eyes and mouth
    coarse = np.maximum(drawn[:, 0], drawn[:, 3]).reshape(48, 8, 4, 8, 4).mean((2, 4))
    assert np.corrcoef(masks.ravel(), coarse.ravel())[0, 1] > 0.9
    layer = MaskedHead((4, 3, 3), 8, side=8, embedding=5, mask_weight=0.5)
    told = SideTargets(faces, masks).training_targets()
    outputs = layer(torch.randn(48, 4, 3, 3))
    wanted = F.cross_entropy(outputs[:, :8], faces.targets())
    p = torch.sigmoid(outputs[:, 8:].double())
    y = torch.from_numpy(masks.reshape(48, 64)).double()
    wanted = wanted + 0.5 * -(y * p.log() + (1 - y) * (1 - p).log()).mean()
    torch.testing.assert_close(layer.loss(outputs, told).double(), wanted.double(), atol=1e-5, rtol=1e-5)
    assert layer.predict_mask(outputs).shape == (48, 8, 8)
    assert layer.predict(outputs).shape == (48, 8)
    with pytest.raises(ValueError, match="mask_targets"):
        layer.loss(outputs, faces.targets())


def test_faces_without_landmarks_have_no_masks(faces):
    broken = dataclasses.replace(faces, truth=faces.truth.assign(lm_x_03=np.nan))
    with pytest.raises(DataError, match="every face must have landmarks"):
        mask_targets(broken)
    with pytest.raises(ValueError, match="must have the columns lm_x_00"):
        mask_targets(dataclasses.replace(faces, truth=None))


@pytest.fixture(scope="module")
def faces():
    return load("world:affectnet", split="train", size=32, limit=48).as_task("categorical")


def test_side_targets_keep_the_face_set_and_add_columns(faces):
    both = both_views(faces)
    assert both.metric == faces.metric
    assert both.fingerprint != faces.fingerprint
    assert both.training_targets()[:, 0].tolist() == faces.targets().tolist()
    va = faces.as_task("valence_arousal").targets()
    torch.testing.assert_close(both.training_targets()[:, 1:], va)
    part = both.subset([3, 1])
    torch.testing.assert_close(part.training_targets()[:, 1:], va[[3, 1]])
    assert both_views(faces).fingerprint == both.fingerprint != SideTargets(faces, 0.5 * va).fingerprint


def test_side_targets_refuse_what_does_not_fit(faces):
    for sides in (np.zeros((3, 2)), np.zeros(48), np.full((48, 1), np.nan)):
        with pytest.raises(ValueError, match="sides must be"):
            SideTargets(faces, sides)
    with pytest.raises(ValueError, match="faces must have the task categorical"):
        SideTargets(faces.as_task("valence_arousal"), np.zeros((48, 1)))
    with pytest.raises(ValueError, match="lacks valence_arousal"):
        both_views(load("world:fer2013", split="train", size=32, limit=4))


def test_two_views_train_and_are_scored_by_the_class(faces):
    both = both_views(faces)
    train, validation = both.subset(slice(0, 32)), both.subset(slice(32, 48))
    torch.manual_seed(0)
    model = FaceModel(FaceChannel(width=0.125, size=32), JointHead((32, 2, 2), 8, embedding=16))
    done = fit(model, train, validation, epochs=2, seed=0, settings=Settings(batch_size=16))
    assert len(done.history) == 2
    assert predict(model, validation).shape == (16, 8)


def test_a_tail_starts_in_the_mode_of_its_model(faces):
    torch.manual_seed(0)
    model = FaceModel(FaceChannel(width=0.125, size=32), JointHead((32, 2, 2), 8)).eval()
    assert not model.tail().training
    assert model.train().tail().training


@pytest.mark.parametrize("parts", [2, 4, 8, 12])
def test_parts_of_the_plane_are_divide_vas(parts):
    line = torch.arange(-20, 21) / 20
    va = torch.cartesian_prod(line, line)  # with axes, diagonals and the centre
    va = torch.cat([va, torch.rand(500, 2) * 2 - 1, torch.tensor([[1.3, 1.2], [-1e-9, 1e-9]])])
    inside = va.double().clamp(-1, 1).numpy()
    assert part_of(va, parts).tolist() == divide_va(inside[:, 0], inside[:, 1], parts).tolist()


def test_a_layer_must_say_what_its_outputs_are():
    with pytest.raises(TypeError, match="outputs_of"):
        ViewsHead(3, affect="none")
