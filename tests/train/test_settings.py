"""Hyper-parameters: schedule by hand, decay of matrices only, refusals."""

import math

import pytest
import torch
from torch import nn

from fer_lib.encoders import ShuntingInhibition
from fer_lib.train import Settings


def test_cosine_by_hand():
    settings = Settings(learning_rate=2.0, warmup=0.0)
    rates = [settings.learning_rate_at(step, 4) for step in range(5)]
    assert rates == pytest.approx([1 + math.cos(math.pi * t / 4) for t in range(5)])


def test_warmup_rises_to_the_learning_rate():
    settings = Settings(learning_rate=1.0, warmup=0.1)
    rates = [settings.learning_rate_at(step, 100) for step in range(100)]
    assert rates[:10] == pytest.approx([(k + 1) / 11 for k in range(10)])
    assert rates[10] == max(rates) == 1.0
    assert rates[-1] < 1e-3


def test_constant_stays():
    settings = Settings(learning_rate=0.5, schedule="constant", warmup=0.0)
    assert {settings.learning_rate_at(step, 9) for step in range(9)} == {0.5}


def test_only_kernels_and_matrices_decay():
    model = nn.Sequential(ShuntingInhibition(1, 2), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 1))
    decayed, free = Settings(weight_decay=0.3).make_optimizer(model).param_groups
    assert (decayed["weight_decay"], free["weight_decay"]) == (0.3, 0.0)
    assert sum(p.numel() for p in decayed["params"]) == 2 * 18 + 8
    assert sum(p.numel() for p in free["params"]) == 2 * 2 + 2 + 4 + 1  # biases, decay, norm, bias


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 1}, r"batch_size must be at least 2; got 1\. CCC needs two rows\."),
        ({"learning_rate": 0.0}, r"learning_rate must be above 0; got 0.0"),
        ({"weight_decay": -1.0}, r"weight_decay must be at least 0; got -1.0"),
        ({"warmup": 1.0}, r"warmup must be in \[0, 1\); got 1.0"),
        ({"balance": 2.0}, r"balance must be in \[0, 1\]; got 2.0"),
        ({"patience": 0}, r"patience must be at least 1, or None; got 0"),
        ({"optimizer": "adam"}, r"optimizer must be one of adamw, sgd, plain_sgd; got 'adam'\. Choose"),
        ({"schedule": "step"}, r"schedule must be one of cosine, constant; got 'step'"),
        ({"select": "test"}, r"select must be one of score, loss; got 'test'"),
    ],
)
def test_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        Settings(**options)


def test_plain_sgd_has_no_momentum_and_takes_the_rate_as_it_is():
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    optimizer = Settings(optimizer="plain_sgd", learning_rate=0.1, weight_decay=0.0).make_optimizer(model)
    for _ in range(2):
        model.weight.grad = torch.ones_like(model.weight)
        optimizer.step()
    assert model.weight.item() == pytest.approx(0.8)
