"""Every loss of the autoencoder against numbers worked by hand and plain loops."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fer_lib.encoders import CPC, FaceChannel, VGGFace
from fer_lib.pretrain import adversarial_losses as losses
from fer_lib.pretrain.adversarial_losses import WEIGHTS, IdentityFeatures

NUMBERS = st.lists(st.floats(-8, 8), min_size=1, max_size=6)


def sigmoid(t: float) -> float:
    return 1 / (1 + math.exp(-t))


def test_reconstruction_by_hand() -> None:
    pred, target = torch.tensor([[1.0, -1.0], [0.5, 0.0]]), torch.tensor([[0.0, 1.0], [0.5, 1.0]])
    assert losses.reconstruction_loss(pred, target).item() == pytest.approx((1 + 2 + 0 + 1) / 4)
    assert losses.reconstruction_loss(pred, target, kind="mse").item() == pytest.approx((1 + 4 + 0 + 1) / 4)


def test_affect_loss_is_the_sum_of_two_means() -> None:
    pred, target = torch.tensor([[0.5, 0.0], [0.0, -1.0]]), torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    arousal, valence = (0.25 + 0) / 2, (1 + 4) / 2
    assert losses.affect_loss(pred, target).item() == pytest.approx(arousal + valence)


@given(NUMBERS, NUMBERS)
def test_adversarial_losses_against_a_loop(real: list[float], made: list[float]) -> None:
    critic = -sum(math.log(sigmoid(t)) for t in real) / len(real)
    critic -= sum(math.log(1 - sigmoid(t)) for t in made) / len(made)
    maker = -sum(math.log(sigmoid(t)) for t in made) / len(made)
    logits = [torch.tensor(values, dtype=torch.float64) for values in (real, made)]
    assert losses.critic_loss(*logits).item() == pytest.approx(critic, rel=1e-9)
    assert losses.fooling_loss(logits[1]).item() == pytest.approx(maker, rel=1e-9)


def test_the_maker_s_gradient_does_not_die_while_the_critic_is_sure() -> None:
    logit = torch.tensor([-20.0], requires_grad=True)  # "made", says the critic, and is right
    (slope,) = torch.autograd.grad(losses.fooling_loss(logit), logit)
    (printed,) = torch.autograd.grad(torch.log(1 - torch.sigmoid(logit)).mean(), logit)
    assert slope.item() == pytest.approx(-1, abs=1e-6)
    assert abs(printed.item()) < 1e-6


def test_the_total_weighs_each_part_and_leaves_out_what_is_switched_off() -> None:
    assert WEIGHTS == {"reconstruction": 1, "affect": 0.02, "identity": 0.3, "prior": 0.01, "realism": 0.01}
    parts = {name: torch.tensor(float(k + 1)) for k, name in enumerate(WEIGHTS)}
    assert losses.total_loss(parts).item() == pytest.approx(1 + 2 * 0.02 + 3 * 0.3 + 4 * 0.01 + 5 * 0.01)
    assert losses.total_loss({"prior": torch.tensor(2.0)}).item() == pytest.approx(0.02)
    heavier = dict(WEIGHTS, affect=1.0)
    assert losses.total_loss({"affect": torch.tensor(2.0)}, heavier).item() == 2


def test_a_perfect_picture_costs_nothing() -> None:
    features = IdentityFeatures(VGGFace(width=0.0625, size=32))
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    assert losses.reconstruction_loss(images, images).item() == 0
    assert losses.identity_loss(features(images), features(images)).item() == 0
    assert losses.affect_loss(images[:, 0, 0, :2], images[:, 0, 0, :2]).item() == 0


def test_identity_features_are_the_first_five_activations_of_the_network() -> None:
    encoder = VGGFace(width=0.0625, size=32).eval()
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    maps, expected = (images + 1) / 2, []
    normalise, row = encoder.trunk
    maps = normalise(maps)
    for layer in row:
        maps = layer(maps)
        if isinstance(layer, torch.nn.ReLU):
            expected.append(maps)
    found = IdentityFeatures(encoder)(images)
    assert len(found) == 5
    for one, other in zip(found, expected, strict=False):
        torch.testing.assert_close(one, other)
    other = torch.rand(2, 3, 32, 32) * 2 - 1
    loop = sum(abs(a - b).mean() for a, b in zip(found, IdentityFeatures(encoder)(other), strict=True))
    torch.testing.assert_close(losses.identity_loss(found, IdentityFeatures(encoder)(other)), loop)


def test_identity_features_take_pictures_of_any_size_and_grey_networks() -> None:
    features = IdentityFeatures(FaceChannel(width=0.125, size=32))
    images = (torch.rand(2, 3, 48, 48) * 2 - 1).requires_grad_(True)
    found = features(images)
    assert [tuple(maps.shape[1:]) for maps in found][::2] == [(8, 32, 32), (16, 16, 16), (16, 8, 8)]
    losses.identity_loss(found, [torch.zeros_like(maps) for maps in found]).backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_the_face_network_stays_frozen_and_in_evaluation_mode() -> None:
    features = IdentityFeatures(FaceChannel(width=0.125, size=32))
    before = {name: value.clone() for name, value in features.state_dict().items()}
    features.train()
    assert not any(module.training for module in features.modules())
    assert not any(p.requires_grad for p in features.parameters())
    features(torch.rand(4, 3, 32, 32))
    assert all(torch.equal(value, before[name]) for name, value in features.state_dict().items())


def test_too_few_activations_and_other_layers_are_refused() -> None:
    with pytest.raises(
        ValueError, match="encoder must have 5 activations in a row in its trunk; got 3 in cpc"
    ):
        IdentityFeatures(CPC(width=0.25, size=32))
    with pytest.raises(ValueError, match="pred and target must hold the same layers; got 1 and 2"):
        losses.identity_loss([torch.zeros(1)], [torch.zeros(1), torch.zeros(1)])
