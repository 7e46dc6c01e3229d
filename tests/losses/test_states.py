"""The loss of states: hand-worked, and what it is for."""

import math

import pytest
import torch
from small_faces import small_faces
from torch.nn import functional as F

from fer_lib.heads import Decision, build_head
from fer_lib.losses import StateLoss

TARGETS = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def test_weights_are_absent_over_present():
    assert StateLoss(TARGETS).weights.tolist() == [1.0, 3.0, 1.0]  # a state that nobody shows weighs 1
    rare = torch.zeros(100, 1)
    rare[0] = 1
    assert StateLoss(rare).weights.tolist() == [10.0]


def test_no_targets():
    with pytest.raises(ValueError, match="targets must hold at least one face; got 0"):
        StateLoss(torch.zeros(0, 3))


def test_hand_worked():
    logits = torch.tensor([[0.0, 2.0, -1.0]], requires_grad=True)
    states = torch.tensor([[1.0, 1.0, 0.0]])
    want = (math.log(2) + 3 * math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1))) / 3
    loss = StateLoss(TARGETS)(logits, states)
    assert loss.item() == pytest.approx(want, rel=1e-6)
    loss.backward()
    assert logits.grad[0, 1].item() == pytest.approx(-3 / (1 + math.exp(2)) / 3, rel=1e-5)


def test_the_best_constant_is_one_half_for_each_state():
    drawn = torch.rand(2000, 2, generator=torch.Generator().manual_seed(0))
    targets = (drawn < torch.tensor([0.5, 0.15])).float()
    loss, logits = StateLoss(targets), torch.linspace(-3, 3, 121)
    for k in range(2):
        values = []
        for logit in logits:
            outputs = torch.zeros_like(targets)
            outputs[:, k] = logit
            values.append(loss(outputs, targets).item())
        assert abs(logits[int(torch.tensor(values).argmin())].item()) < 0.06


def test_decision_layers_of_states_use_it():
    faces = small_faces("multi_label")
    head = build_head(Decision(), faces, (4, 2, 2))
    outputs, targets = torch.randn(5, 3), faces.targets()[:5]
    share = faces.targets().mean(0)
    want = F.binary_cross_entropy_with_logits(outputs, targets, pos_weight=(1 - share) / share)
    torch.testing.assert_close(head.loss(outputs, targets), want)
