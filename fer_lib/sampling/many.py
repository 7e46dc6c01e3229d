"""Many small networks trained at once: each is fine-tuned on labels of its own, all in one batched product.

The study of personal models trains the same dense layers thousands of times: for each person, fold, strategy
and number of labels. One at a time, nearly all of the time would go into starting tiny operations. Here the
weights of R networks stand behind each other, (R, D, H), and a step of all of them is a few batched products.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

AT_ONCE = {"cpu": 2**20, "cuda": 2**31}  # weights that are trained in one go: a processor's cache, a card
Layers = list[tuple[Tensor, Tensor]]
"""Weights (R, in, out) and biases (R, 1, out) of each layer."""


@dataclass(frozen=True)
class Descent:
    """How each of the networks is trained: mini-batches, squared error, SGD with Nesterov momentum.

    Args:
        epochs: fixed, for nothing is held back to choose one by; at least 1.
        learning_rate, momentum, batch_size: as printed .001, .9 and 16; the last batch of an epoch may be
            smaller.
        dropout: rate behind each hidden layer, in [0, 1), to the nearest 1/256.

    Raises:
        ValueError: a value outside its range.
    """

    epochs: int = 50
    learning_rate: float = 1e-3
    momentum: float = 0.9
    batch_size: int = 16
    dropout: float = 0.5

    def __post_init__(self) -> None:
        for name, low, high in (
            ("epochs", 1, np.inf),
            ("batch_size", 1, np.inf),
            ("learning_rate", 0, np.inf),
        ):
            value = getattr(self, name)
            if not low <= value < high:
                raise ValueError(f"{name} must be at least {low}; got {value}. Give a larger one.")
        for name in ("momentum", "dropout"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f"{name} must be in [0, 1); got {value}. 0 turns it off.")


def fine_tune(
    dense: nn.Module,
    features: Tensor,
    targets: Tensor,
    rows: np.ndarray,
    streams: Sequence[int],
    tests: Sequence[np.ndarray],
    *,
    descent: Descent,
) -> list[np.ndarray]:
    """Train R copies of dense layers, each on its own labelled rows, and predict with each.

    Args:
        dense: linear layers with a ReLU between them; where every copy starts, not changed.
        features: (N, D), of all frames.
        targets: (N,), of all frames.
        rows: int (R, n), the frames that each copy learns from.
        streams: R seeds of order and dropout; copies with the same seed draw the same.
        tests: R arrays of frames to predict.
        descent: how they are trained.

    Returns:
        R arrays, the predictions of each copy for its test frames.

    Raises:
        ValueError: no labels, or numbers of runs that do not fit each other.
    """
    rows = np.asarray(rows)
    if rows.ndim != 2 or 0 in rows.shape or not len(rows) == len(streams) == len(tests):
        raise ValueError(
            f"rows must be (R, n) with n at least 1, for R streams and tests; got {rows.shape}, "
            f"{len(streams)} and {len(tests)}. Group runs by their number of labels."
        )
    linear = [layer for layer in dense.modules() if isinstance(layer, nn.Linear)]
    size = sum(layer.weight.numel() for layer in linear)
    at_once = max(1, AT_ONCE["cuda" if features.is_cuda else "cpu"] // size)
    answers: list[np.ndarray] = []
    for start in range(0, len(rows), at_once):
        part = slice(start, start + at_once)
        layers = _trained(linear, features, targets, rows[part], list(streams[part]), descent)
        answers += [_predicted(layers, k, features, test) for k, test in enumerate(tests[part])]
    return answers


def error_after(
    dense: nn.Module,
    features: Tensor,
    targets: Tensor,
    rows: np.ndarray,
    test: np.ndarray,
    *,
    descent: Descent,
    seed: int = 0,
) -> float:
    """Root mean squared error on some frames after dense layers learned others; see `fine_tune`.

    Args:
        dense, features, targets, descent: as for `fine_tune`.
        rows: (n,) frames to learn from.
        test: (M,) frames to measure on.
        seed: of order and dropout.
    """
    answer = fine_tune(dense, features, targets, np.asarray(rows)[None], [seed], [test], descent=descent)[0]
    return float(np.sqrt(np.mean((answer - targets.cpu().numpy()[test]) ** 2)))


@torch.no_grad()
def _trained(
    linear: list[nn.Linear],
    features: Tensor,
    targets: Tensor,
    rows: np.ndarray,
    streams: list[int],
    how: Descent,
) -> Layers:
    count, where = len(rows), features.device
    layers = [
        (
            layer.weight.detach().T.to(where).repeat(count, 1, 1),
            layer.bias.detach().to(where).repeat(count, 1, 1),
        )
        for layer in linear
    ]
    moving = [(torch.zeros_like(weight), torch.zeros_like(bias)) for weight, bias in layers]
    seeds, which = np.unique(np.array(streams, dtype=np.uint64), return_inverse=True)
    generators = [np.random.default_rng(int(seed)) for seed in seeds]
    hidden = [layer.out_features for layer in linear[:-1]]
    for _ in range(how.epochs):
        order, kept = _drawn(generators, rows.shape[1], hidden, how.dropout)
        turn = torch.from_numpy(np.take_along_axis(rows, order[which], 1)).to(where)
        masks = [torch.from_numpy(kept_there[which]).to(where) for kept_there in kept]
        for start in range(0, rows.shape[1], how.batch_size):
            now = slice(start, start + how.batch_size)
            _step(
                layers, moving, features[turn[:, now]], targets[turn[:, now]], [m[:, now] for m in masks], how
            )
    return layers


def _drawn(
    generators: list[np.random.Generator], n: int, hidden: list[int], p: float
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Order of the rows (S, n), and what each hidden unit's answer is multiplied by, (S, n, H) a layer."""
    order = np.stack([generator.permutation(n) for generator in generators])
    wide = sum(hidden)
    bits = np.stack([np.frombuffer(generator.bytes(n * wide), np.uint8) for generator in generators])
    drop = round(256 * p)
    kept = (bits >= drop).astype(np.float32).reshape(len(generators), n, wide) * np.float32(
        256 / (256 - drop)
    )
    return order, np.split(kept, np.cumsum(hidden)[:-1], axis=2) if hidden else []


def _step(
    layers: Layers, moving: Layers, inputs: Tensor, targets: Tensor, masks: list[Tensor], how: Descent
) -> None:
    """One step of all networks: forward, back by hand, and Nesterov's rule as PyTorch has it."""
    answers = [inputs]  # what goes into each layer, (R, b, in)
    for (weight, bias), mask in zip(layers[:-1], masks, strict=True):
        answers.append(torch.baddbmm(bias, answers[-1], weight).relu_().mul_(mask))
    weight, bias = layers[-1]
    out = torch.baddbmm(bias, answers[-1], weight)
    error = (out - targets[..., None]) * (2 / targets.shape[1])  # of the mean squared error, (R, b, 1)
    for k in reversed(range(len(layers))):
        below = None
        if k:  # a unit that gave 0 was dropped or silent: nothing comes through it
            below = torch.bmm(error, layers[k][0].mT).mul_(masks[k - 1]).mul_(answers[k] > 0)
        _descend(layers[k], moving[k], answers[k], error, how)
        error = below if below is not None else error


def _descend(
    layer: tuple[Tensor, Tensor], moving: tuple[Tensor, Tensor], inputs: Tensor, error: Tensor, how: Descent
) -> None:
    """velocity = momentum * velocity + gradient; weight -= rate * (gradient + momentum * velocity)."""
    rate, momentum = how.learning_rate, how.momentum
    weight, bias = layer
    moving[0].baddbmm_(inputs.mT, error, beta=momentum)
    weight.baddbmm_(inputs.mT, error, alpha=-rate)
    weight.add_(moving[0], alpha=-rate * momentum)
    gradient = error.sum(1, keepdim=True)
    moving[1].mul_(momentum).add_(gradient)
    bias.sub_(gradient, alpha=rate).add_(moving[1], alpha=-rate * momentum)


@torch.no_grad()
def _predicted(layers: Layers, k: int, features: Tensor, test: np.ndarray) -> np.ndarray:
    answer = features[torch.from_numpy(np.asarray(test)).to(features.device)]
    for place, (weight, bias) in enumerate(layers):
        answer = torch.addmm(bias[k], answer, weight[k])
        answer = answer.relu_() if place < len(layers) - 1 else answer
    return answer[:, 0].cpu().numpy()
