"""Many networks at once: equal to training each alone with autograd and torch's SGD."""

import numpy as np
import pytest
import torch
from torch import nn

from fer_lib.sampling import many
from fer_lib.sampling.many import Descent, error_after, fine_tune
from fer_lib.sampling.twins import OneValue

N, D = 30, 5


def data() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(N, D, generator=generator), torch.rand(N, generator=generator) - 0.5


def one_alone(dense: OneValue, rows: np.ndarray, stream: int, test: np.ndarray, how: Descent) -> np.ndarray:
    """The same training in float64 with autograd; order and masks are drawn as the library's docs say."""
    features, targets = (part.double() for part in data())
    net = OneValue((D,), hidden=(6, 4)).double()
    net.load_state_dict(dense.state_dict())
    linear = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    nesterov = how.momentum > 0
    optimizer = torch.optim.SGD(
        net.parameters(), lr=how.learning_rate, momentum=how.momentum, nesterov=nesterov
    )
    rng, drop = np.random.default_rng(stream), round(256 * how.dropout)
    for _ in range(how.epochs):
        order = rng.permutation(len(rows))
        bits = np.frombuffer(rng.bytes(len(rows) * 10), np.uint8).reshape(len(rows), 10)
        kept = torch.from_numpy((bits >= drop) / (1 - drop / 256))
        for start in range(0, len(rows), how.batch_size):
            turn = rows[order[start : start + how.batch_size]]
            masks = kept[start : start + how.batch_size].split([6, 4], dim=1)
            hidden = features[turn]
            for layer, mask in zip(linear[:-1], masks, strict=True):
                hidden = torch.relu(layer(hidden)) * mask
            loss = ((linear[-1](hidden)[:, 0] - targets[turn]) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return net.eval()(features[test])[:, 0].detach().numpy()


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("at_once", [2**20, 1])
def test_equal_to_each_alone(dropout: float, momentum: float, at_once: int, monkeypatch) -> None:
    monkeypatch.setitem(many.AT_ONCE, "cpu", at_once)  # all together, and one by one
    torch.manual_seed(1)
    dense = OneValue((D,), hidden=(6, 4))
    before = {name: value.clone() for name, value in dense.state_dict().items()}
    how = Descent(epochs=7, learning_rate=0.02, momentum=momentum, batch_size=4, dropout=dropout)
    rng = np.random.default_rng(0)
    rows = np.stack([rng.permutation(N)[:10] for _ in range(3)])  # batches of 4, 4 and 2
    tests, streams = [np.arange(5), np.array([7]), np.arange(N)], [11, 2**63 + 5, 11]
    found = fine_tune(dense, *data(), rows, streams, tests, descent=how)
    for k in range(3):
        wanted = one_alone(dense, rows[k], streams[k], tests[k], how)
        np.testing.assert_allclose(found[k], wanted, rtol=1e-4, atol=1e-5)
        untrained = dense.eval()(data()[0][tests[k]])[:, 0].detach().numpy()
        assert abs(found[k] - untrained).max() > 1e-2
    assert all(torch.equal(value, before[name]) for name, value in dense.state_dict().items())


def test_one_stream_draws_the_same_whatever_stands_beside_it() -> None:
    dense, how = OneValue((D,), hidden=(6,)), Descent(epochs=3, batch_size=4, learning_rate=0.01)
    rows = np.arange(12).reshape(3, 4)
    test = [np.arange(N)] * 3
    three = fine_tune(dense, *data(), rows, [5, 6, 7], test, descent=how)
    (alone,) = fine_tune(dense, *data(), rows[1:2], [6], test[:1], descent=how)
    np.testing.assert_allclose(three[1], alone, rtol=1e-5, atol=1e-6)


def test_one_layer_without_hidden_units() -> None:
    dense = OneValue((D,), hidden=())
    how = Descent(epochs=400, learning_rate=0.05, batch_size=30)
    features, targets = data()
    (answer,) = fine_tune(dense, features, targets, np.arange(N)[None], [0], [np.arange(N)], descent=how)
    design = torch.cat([features, torch.ones(N, 1)], 1).double()
    exact = design @ torch.linalg.lstsq(design, targets.double()[:, None]).solution
    np.testing.assert_allclose(answer, exact[:, 0].numpy(), atol=1e-3)


def test_what_makes_no_sense_is_refused() -> None:
    dense = OneValue((D,), hidden=(6,))
    for rows, streams in (
        (np.zeros((1, 0), int), [0]),
        (np.zeros(3, int), [0]),
        (np.zeros((2, 3), int), [0]),
    ):
        with pytest.raises(ValueError, match=r"rows must be \(R, n\)"):
            fine_tune(dense, *data(), rows, streams, [np.arange(2)] * len(streams), descent=Descent())
    for name, value in (
        ("epochs", 0),
        ("batch_size", 0),
        ("learning_rate", -1),
        ("momentum", 1),
        ("dropout", 1),
    ):
        with pytest.raises(ValueError, match=f"{name} must be"):
            Descent(**{name: value})


def test_error_after_learning_is_that_of_the_predictions():
    features, targets = data()
    dense, rows, test = OneValue((D,), hidden=(6, 4)), np.arange(9), np.arange(20, 25)
    (answer,) = fine_tune(dense, features, targets, rows[None], [3], [test], descent=Descent(epochs=2))
    wanted = np.sqrt(sum((a - float(targets[k])) ** 2 for a, k in zip(answer, test, strict=True)) / 5)
    found = error_after(dense, features, targets, rows, test, descent=Descent(epochs=2), seed=3)
    assert found == pytest.approx(wanted, rel=1e-5)
