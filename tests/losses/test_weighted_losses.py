"""Weighted, focal, soft and pair losses against plain loops in float64, libraries, and limits."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck
from torch.nn import functional as F

from fer_lib.affect import soft_labels
from fer_lib.losses import (
    class_weights,
    focal_loss,
    logit_loss,
    pair_contrastive_loss,
    soft_cross_entropy,
    soft_label_loss,
    weighted_cross_entropy,
)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(4)
    logits = 3 * torch.randn(17, 5, generator=generator, dtype=torch.float64)
    return logits, torch.randint(0, 4, (17,), generator=generator)  # class 4 is absent


def probabilities(row):
    powers = [math.exp(float(value) - float(row.max())) for value in row]
    return [power / sum(powers) for power in powers]


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=8))
def test_weights_are_rarest_by_count_with_a_mean_of_one_a_face(counts):
    weights = class_weights(counts).tolist()
    each = [min(counts) / count for count in counts]
    scale = sum(counts) / sum(w * count for w, count in zip(each, counts, strict=True))
    assert weights == pytest.approx([w * scale for w in each], rel=1e-6)
    assert class_weights(counts, as_printed=True).tolist() == pytest.approx(
        [count / min(counts) for count in counts], rel=1e-6
    )


def test_an_absent_class_weighs_nothing():
    assert class_weights([5, 0, 5]).tolist() == [1, 0, 1]
    assert class_weights([5, 0, 10], as_printed=True).tolist() == [1, 0, 2]


def test_weighted_cross_entropy_is_the_loop(batch):
    logits, labels = batch
    weights = torch.tensor([0.5, 2.0, 1.0, 3.0, 7.0], dtype=torch.float64)
    each = [
        float(weights[y]) * -math.log(probabilities(row)[y])
        for row, y in zip(logits, labels.tolist(), strict=True)
    ]
    total = sum(float(weights[y]) for y in labels.tolist())
    assert weighted_cross_entropy(logits, labels, weights).item() == pytest.approx(
        sum(each) / total, abs=1e-10
    )
    summed = weighted_cross_entropy(logits, labels, weights, reduction="sum")
    assert summed.item() == pytest.approx(sum(each), abs=1e-10)
    assert gradcheck(lambda z: weighted_cross_entropy(z, labels, weights), logits.requires_grad_(True))


def test_equal_weights_are_no_weights(batch):
    logits, labels = batch
    plain = F.cross_entropy(logits, labels)
    for weights in (None, torch.full((5,), 3.0), class_weights([4, 4, 4, 4, 4])):
        assert weighted_cross_entropy(logits, labels, weights).item() == pytest.approx(
            plain.item(), rel=1e-12
        )


def test_a_batch_of_weightless_classes_costs_nothing():
    assert weighted_cross_entropy(torch.ones(2, 2), torch.tensor([1, 1]), torch.tensor([1.0, 0.0])) == 0


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_focal_loss_is_the_loop(batch, gamma):
    logits, labels = batch
    alpha = torch.tensor([0.25, 1.0, 0.5, 2.0, 1.0], dtype=torch.float64)
    each = [
        -float(alpha[y]) * (1 - probabilities(row)[y]) ** gamma * math.log(probabilities(row)[y])
        for row, y in zip(logits, labels.tolist(), strict=True)
    ]
    found = focal_loss(logits, labels, gamma=gamma, alpha=alpha)
    assert found.item() == pytest.approx(sum(each) / 17, abs=1e-10)
    assert gradcheck(lambda z: focal_loss(z, labels, gamma=gamma), logits.requires_grad_(True))


def test_focal_loss_without_focus_is_cross_entropy(batch):
    logits, labels = batch
    assert focal_loss(logits, labels, gamma=0.0).item() == pytest.approx(
        F.cross_entropy(logits, labels).item(), rel=1e-12
    )


def test_focal_loss_agrees_with_torchvisions_for_two_classes():
    from torchvision.ops import sigmoid_focal_loss

    score = torch.linspace(-6, 6, 25, dtype=torch.float64)
    logits = torch.stack([torch.zeros(25).double(), score], 1)
    labels = torch.arange(25) % 2
    theirs = sigmoid_focal_loss(score, labels.double(), alpha=0.25, gamma=2.0, reduction="mean")
    ours = focal_loss(logits, labels, gamma=2.0, alpha=torch.tensor([0.75, 0.25]))
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-12)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_loss_of_sure_faces_has_a_finite_gradient(gamma):
    logits = torch.tensor([[1000.0, 0.0], [0.0, 1000.0]], requires_grad=True)
    loss = focal_loss(logits, torch.tensor([0, 0]), gamma=gamma)
    loss.backward()
    assert loss.item() == pytest.approx(500)
    assert logits.grad.isfinite().all()


def test_soft_losses_are_the_loops(batch):
    logits, _ = batch
    soft = torch.softmax(torch.randn(17, 5, generator=torch.Generator().manual_seed(1)).double(), 1)
    cross = quadratic = 0.0
    for row, wanted in zip(logits, soft, strict=True):
        for p, q in zip(probabilities(row), wanted.tolist(), strict=True):
            cross -= q * math.log(p)
            quadratic += (p - q) ** 2 / 2
    assert soft_label_loss(logits, soft, reduction="sum").item() == pytest.approx(cross, abs=1e-10)
    assert logit_loss(logits, soft, reduction="sum").item() == pytest.approx(quadratic, abs=1e-10)
    assert soft_label_loss(logits, soft).item() == pytest.approx(
        soft_cross_entropy(logits, soft).item(), rel=1e-12
    )
    for loss in (soft_label_loss, logit_loss):
        assert gradcheck(lambda z, loss=loss: loss(z, soft), logits.requires_grad_(True))


def test_soft_losses_are_lowest_where_the_prediction_is_the_label():
    soft = torch.tensor([[0.7, 0.2, 0.1]])
    for loss in (soft_label_loss, logit_loss):
        logits = soft.log().requires_grad_(True)
        loss(logits, soft).backward()
        assert logits.grad.abs().max() < 1e-7
    assert logit_loss(torch.tensor([[-50.0, 50.0]]), torch.tensor([[1.0, 0.0]])).item() == 1.0


def test_soft_labels_count_the_classes_of_each_square():
    generator = torch.Generator().manual_seed(2)
    labels = torch.randint(0, 3, (200,), generator=generator).tolist()
    va = (torch.rand(200, 2, generator=generator) * 2 - 1).tolist()
    found = soft_labels(labels, va, 4, num_classes=4)
    place = [tuple(min(int((value + 1) / 0.5), 3) for value in pair) for pair in va]
    for i in range(0, 200, 17):
        mates = [labels[j] for j in range(200) if place[j] == place[i]]
        assert found[i].tolist() == pytest.approx([mates.count(c) / len(mates) for c in range(4)], abs=1e-7)
    whole = soft_labels(labels, va, 1)
    assert whole[0].tolist() == pytest.approx([labels.count(c) / 200 for c in range(3)])
    assert (whole == whole[0]).all()


def test_fine_squares_give_back_the_labels():
    labels = [2, 0, 1]
    found = soft_labels(labels, [[-0.9, 0.0], [0.0, 0.0], [0.9, 1.0]], 200)
    assert found.argmax(1).tolist() == labels
    assert (found.max(1) == 1).all()


def test_pair_losses_are_the_loops():
    generator = torch.Generator().manual_seed(6)
    x = torch.randn(40, 5, generator=generator, dtype=torch.float64)
    y = torch.randint(0, 3, (40,), generator=generator)
    positive, negative = [], []
    for i in range(40):
        for j in range(i + 1, 40):
            apart = math.sqrt(sum((float(a) - float(b)) ** 2 for a, b in zip(x[i], x[j], strict=True)))
            if y[i] == y[j]:
                positive.append(apart**2 / 2)
            else:
                negative.append(max(0, 3 - apart) ** 2 / 2)
    assert 0 in negative
    assert any(negative)
    for reduction, scale in (("sum", (1, 1)), ("mean", (len(positive), len(negative)))):
        found = pair_contrastive_loss(x, y, margin=3.0, reduction=reduction)
        wanted = sum(positive) / scale[0], sum(negative) / scale[1]
        assert [part.item() for part in found] == pytest.approx(wanted, abs=1e-10)
    assert gradcheck(lambda z: pair_contrastive_loss(z, y, margin=3.0), x.requires_grad_(True))


def test_pairs_at_one_place_and_batches_without_pairs():
    x = torch.ones(2, 3, requires_grad=True)
    positive, negative = pair_contrastive_loss(x, torch.tensor([0, 1]), margin=2.0)
    (positive + negative).backward()
    assert (positive.item(), negative.item()) == (0.0, 2.0)
    assert x.grad.isfinite().all()
    assert [p.item() for p in pair_contrastive_loss(torch.ones(1, 3), torch.tensor([0]), margin=2.0)] == [
        0,
        0,
    ]
    far = torch.tensor([[0.0], [5.0]])
    assert pair_contrastive_loss(far, torch.tensor([0, 1]), margin=0.0)[1] == 0


def test_pairs_far_from_the_origin_keep_their_distance():
    x = torch.tensor([[1e4, 0.0], [1e4 + 1, 0.0], [1e4, 2.0]])
    positive, negative = pair_contrastive_loss(x, torch.tensor([0, 0, 1]), margin=3.0)
    assert positive.item() == pytest.approx(0.5, rel=1e-3)
    assert negative.item() == pytest.approx((1 + (3 - math.sqrt(5)) ** 2) / 4, rel=1e-3)


ONE = torch.zeros(1, 3), torch.tensor([0])


def test_soft_labels_at_other_places_by_hand():
    labels, va = [0, 1, 1], [[0.5, 0.5], [0.6, 0.7], [-0.5, 0.0]]
    found = soft_labels(labels, va, 2, at=[[0.1, 0.9], [-0.1, 0.1], [0.5, -0.5]])
    assert found.tolist() == [
        [0.5, 0.5],
        [0.0, 1.0],
        pytest.approx([1 / 3, 2 / 3]),
    ]  # the last square is empty
    assert (soft_labels(labels, va, 2.0) == soft_labels(labels, va, 2, at=va)).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: class_weights([0, 0]), "counts must be faces of each class"),
        (lambda: class_weights([-1, 2]), "counts must be faces of each class"),
        (
            lambda: weighted_cross_entropy(torch.zeros(2, 3), torch.tensor([0, 3])),
            r"labels must lie in \[0, 3\)",
        ),
        (
            lambda: weighted_cross_entropy(torch.zeros(2, 3), torch.tensor([0, 1]), torch.ones(2)),
            "one a class",
        ),
        (lambda: weighted_cross_entropy(torch.zeros(1, 3), torch.tensor([0]), reduction="no"), "reduction"),
        (lambda: weighted_cross_entropy(*ONE, torch.tensor([1.0, -1, 1])), "weights must be finite and 0"),
        (lambda: weighted_cross_entropy(*ONE, torch.tensor([1.0, math.nan, 1])), "weights must be finite"),
        (lambda: soft_labels([0], [[0.0, 0.0]], 3, at=[0.0, 0.0]), r"at must be \(M, 2\)"),
        (lambda: focal_loss(torch.zeros(1, 3), torch.tensor([0]), gamma=-1.0), "gamma must be 0 or more"),
        (lambda: soft_label_loss(torch.zeros(1, 3), torch.zeros(1, 2)), "soft must have the shape"),
        (lambda: logit_loss(torch.zeros(1, 3), torch.zeros(3)), "soft must have the shape"),
        (
            lambda: pair_contrastive_loss(torch.zeros(1, 3), torch.tensor([0]), margin=-1.0),
            "margin must be 0",
        ),
        (lambda: soft_labels([0], [[0.0, 2.0]], 3), r"arousal must lie in \[-1, 1\]"),
        (lambda: soft_labels([0, -1], [[0.0, 0.0]] * 2, 3), "labels must be whole numbers"),
        (lambda: soft_labels([], [], 3), "N >= 1"),
    ],
)
def test_wrong_values_are_told(call, words):
    with pytest.raises(ValueError, match=words):
        call()
