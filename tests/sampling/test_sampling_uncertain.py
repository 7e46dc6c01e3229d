"""Monte-Carlo dropout: the closed form of a linear net, repeatability, and what it leaves alone."""

import numpy as np
import pytest
import torch
from torch import nn

from fer_lib.encoders import make_encoder
from fer_lib.heads import FaceModel
from fer_lib.sampling import mc_dropout_std
from fer_lib.sampling.twins import OneValue


@pytest.mark.parametrize("p", [0.2, 0.5])
def test_spread_of_a_linear_net_is_the_closed_form(p: float) -> None:
    """y = sum w x m / (1 - p), m of chance 1 - p: variance p / (1 - p) times the sum of (w x)^2."""
    torch.manual_seed(0)
    linear = nn.Linear(6, 2)
    inputs = torch.randn(5, 6)
    passes = 20_000
    found = mc_dropout_std(
        nn.Sequential(nn.Dropout(0.9), linear), inputs, passes=passes, p=p,
        generator=torch.Generator().manual_seed(1),
    )  # fmt: skip
    squares = (inputs[:, None, :] * linear.weight[None]).detach().double() ** 2
    wanted = (p / (1 - p) * squares.sum(2)).sqrt().numpy()
    assert found.shape == (5, 2)
    np.testing.assert_allclose(found, wanted, rtol=5 / np.sqrt(2 * passes))  # five standard errors


def test_two_passes_by_hand() -> None:
    """One input, one weight: each pass answers 0 or 2wx, so the spread (divided by T) is 0 or |wx|."""
    model = nn.Sequential(nn.Dropout(), nn.Linear(1, 1))
    with torch.no_grad():
        model[1].weight.fill_(3.0)
    spread = mc_dropout_std(
        model, torch.ones(200, 1), passes=2, p=0.5, generator=torch.Generator().manual_seed(0)
    )
    assert spread.shape == (200,)
    assert set(np.round(spread, 5)) == {0.0, 3.0}
    assert 0.3 < np.mean(spread > 0) < 0.7  # half of the samples see two different passes


def test_a_generator_repeats_it_and_the_global_state_is_left_alone() -> None:
    model, inputs = OneValue((8,), hidden=(16, 8)), torch.randn(300, 8)  # more than a batch
    draws = [
        mc_dropout_std(model, inputs, passes=5, generator=torch.Generator().manual_seed(s)) for s in (0, 0, 1)
    ]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    torch.manual_seed(7)
    first = torch.rand(3)
    torch.manual_seed(7)
    mc_dropout_std(model, inputs, passes=2, generator=torch.Generator())
    assert torch.equal(torch.rand(3), first)


def test_only_dropout_is_on_and_the_model_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.1), nn.Linear(6, 1))
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    inputs = torch.randn(40, 4)
    first = mc_dropout_std(model, inputs, passes=4, generator=torch.Generator().manual_seed(0))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(layer.training for layer in model.modules())
    assert not model[2]._forward_hooks
    # BatchNorm is as in evaluation: a sample's spread does not hang on its neighbours
    alone = mc_dropout_std(model, inputs[:1], passes=4, generator=torch.Generator().manual_seed(0))
    model.eval()
    again = mc_dropout_std(model, inputs, passes=4, generator=torch.Generator().manual_seed(0))
    np.testing.assert_array_equal(first, again)
    assert not any(layer.training for layer in model.modules())
    assert alone.shape == (1,)


def test_a_frozen_part_stays_in_its_own_mode() -> None:
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 1)).train()
    model[0].eval()
    mc_dropout_std(model, torch.randn(3, 4), passes=2)
    assert [layer.training for layer in model.modules()] == [True, False, True, True]
    with pytest.raises(RuntimeError):
        mc_dropout_std(model, torch.randn(3, 5), passes=2)
    assert [layer.training for layer in model.modules()] == [True, False, True, True]
    assert not model[1]._forward_hooks


def test_arrays_are_taken_like_tensors() -> None:
    model, inputs = nn.Sequential(nn.Dropout(), nn.Linear(3, 2)), np.random.default_rng(0).normal(size=(4, 3))
    spreads = [
        mc_dropout_std(model, given, passes=5, generator=torch.Generator().manual_seed(0))
        for given in (inputs, torch.from_numpy(inputs).float())
    ]
    np.testing.assert_array_equal(*spreads)


def test_batchnorm_in_evaluation_gives_the_closed_form() -> None:
    norm = nn.BatchNorm1d(3)
    norm.running_mean.fill_(2.0)
    norm.running_var.fill_(4.0)
    model = nn.Sequential(norm, nn.Dropout(), nn.Linear(3, 1))
    inputs = torch.randn(2, 3)
    found = mc_dropout_std(model, inputs, passes=20_000, generator=torch.Generator().manual_seed(0))
    normed = (inputs - 2) / np.sqrt(4 + norm.eps)
    wanted = ((normed * model[2].weight).detach() ** 2).sum(1).sqrt().numpy()
    np.testing.assert_allclose(found, wanted, rtol=0.03)


def test_whole_channels_drop_together() -> None:
    model = nn.Sequential(nn.Dropout2d(), nn.Flatten(), nn.Linear(4, 1, bias=False))
    with torch.no_grad():
        model[2].weight.copy_(torch.tensor([[1.0, -1.0, 1.0, -1.0]]))
    maps = torch.ones(3, 2, 1, 2)  # of each channel, the two cells cancel: unless they drop apart, no spread
    assert mc_dropout_std(model, maps, passes=30, generator=torch.Generator().manual_seed(0)).max() < 1e-7


def test_a_whole_model_and_its_dense_layers_over_kept_features() -> None:
    encoder = make_encoder("facechannel", width=0.125, size=32)  # has dropout of its own
    model = FaceModel(encoder, OneValue(encoder.feature_shape, hidden=(8,)))
    images = torch.rand(4, encoder.input_spec.channels, 32, 32)
    assert mc_dropout_std(model, images, passes=3).shape == (4,)
    model.eval()
    maps = encoder(images).detach()
    model.encoder.freeze()
    over_features = mc_dropout_std(model.tail(), maps, passes=6, generator=torch.Generator().manual_seed(2))
    flat = mc_dropout_std(model.head, maps.flatten(1), passes=6, generator=torch.Generator().manual_seed(2))
    np.testing.assert_allclose(over_features, flat, rtol=1e-5)
    assert over_features.min() > 0


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"model": nn.Linear(2, 1)}, "model must hold a dropout layer; got a Linear"),
        ({"passes": 1}, "passes must be a whole number of at least 2; got 1"),
        ({"passes": 2.5}, "passes must be a whole number of at least 2; got 2.5"),
        ({"inputs": torch.tensor([[0.0], [np.nan], [np.inf]])}, "inputs must be finite; got 2 samples"),
        ({"p": 0.0}, r"p must be in \(0, 1\); got 0"),
        ({"p": 1.0}, r"p must be in \(0, 1\)"),
        ({"inputs": torch.zeros(0, 2)}, "inputs must hold at least one sample"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict, match: str) -> None:
    given = {"model": nn.Sequential(nn.Dropout(), nn.Linear(2, 1)), "inputs": torch.zeros(3, 2)} | changes
    with pytest.raises(ValueError, match=match):
        mc_dropout_std(given.pop("model"), given.pop("inputs"), **given)
