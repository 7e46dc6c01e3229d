"""Losses of a variant are those of its name, and only training faces say how soft a label is."""

import pytest
import torch

from fer_lib.affect import soft_labels
from fer_lib.losses import class_weights, focal_loss, logit_loss, soft_label_loss, weighted_cross_entropy
from fer_lib.trials import Variant, both_parts, build_head
from fer_lib.trials.variants import sides_of


@pytest.fixture(scope="module")
def parts():
    return both_parts("world:affectnet", size=32, limits=(60, 20))


def loss_of(variant, parts):
    """Loss of fixed outputs, and what it is made of."""
    torch.manual_seed(0)
    head = build_head(variant, parts.train, (8, 2, 2), embedding=4, pool="max")
    told, outputs = sides_of(variant, parts.train).training_targets(), torch.randn(len(parts.train), 7)
    return head.loss(outputs, told).item(), outputs, told


@pytest.mark.parametrize("name", ["plain", "weighted", "printed", "focal"])
def test_each_class_loss_is_the_one_named(parts, name):
    found, outputs, told = loss_of(Variant("v", class_loss=name, gamma=1.5), parts)
    labels = told[:, 0].long()
    counts = torch.bincount(labels, minlength=7)
    wanted = {
        "plain": lambda: weighted_cross_entropy(outputs, labels),
        "weighted": lambda: weighted_cross_entropy(outputs, labels, class_weights(counts)),
        "printed": lambda: weighted_cross_entropy(outputs, labels, counts / counts[counts > 0].min()),
        "focal": lambda: focal_loss(outputs, labels, gamma=1.5),
    }
    values = {key: make().item() for key, make in wanted.items()}
    assert found == pytest.approx(values[name], rel=1e-5)
    assert all(values[other] != pytest.approx(found, rel=1e-3) for other in values if other != name)


@pytest.mark.parametrize(("name", "loss"), [("soft", soft_label_loss), ("logit", logit_loss)])
def test_each_soft_loss_is_the_one_named(parts, name, loss):
    plain, outputs, _ = loss_of(Variant("v"), parts)
    found, _, told = loss_of(Variant("v", soft=name, soft_weight=0.4, bins=3), parts)
    assert found - plain == pytest.approx(0.4 * loss(outputs, told[:, 3:]).item(), abs=1e-5)


def test_soft_labels_of_other_faces_are_read_off_the_training_faces(parts):
    variant = Variant("v", soft="soft", bins=3)
    own = sides_of(variant, parts.train)
    torch.testing.assert_close(sides_of(variant, parts.train, parts.train).sides, own.sides)
    held_out = sides_of(variant, parts.validation, parts.train).sides
    labels, va = parts.train.targets().numpy(), parts.train.sides[:, :2].numpy().clip(-1, 1)
    there = parts.validation.sides[:, :2].numpy().clip(-1, 1)
    wanted = soft_labels(labels, va, 3, num_classes=7, at=there)
    torch.testing.assert_close(held_out[:, 2:], torch.from_numpy(wanted))
    assert not torch.equal(held_out, sides_of(variant, parts.validation).sides)
