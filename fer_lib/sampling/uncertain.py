"""How unsure a trained network is of each sample: the spread of its answers under dropout (chapter 11)."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

BATCH = 256


@torch.no_grad()
def mc_dropout_std(
    model: nn.Module,
    inputs: Tensor | np.ndarray,
    *,
    passes: int = 50,
    p: float = 0.5,
    generator: torch.Generator | None = None,
) -> np.ndarray:
    """Standard deviation of the answers when dropout stays on: larger where the model knows less.

    Only the dropout layers act as in training, each with rate ``p``; BatchNorm and all else stay as in
    evaluation. Masks are drawn on the CPU and are the same on every device.

    Args:
        model: with at least one dropout layer; not changed.
        inputs: (N, ...) as the model takes them, on its device, or an array; finite.
        passes: T, how often each sample is answered, at least 2.
        p: rate of dropout, in (0, 1).
        generator: on the CPU; None takes torch's own.

    Returns:
        (N,) or (N, L), as the model answers, over the passes (divided by T).

    Raises:
        ValueError: a model without dropout, fewer than two passes, a rate out of its range, or inputs that
            are none or not finite.

    Reference: Tsymbalov, Panov and Shapeev (2018); Rescigno et al. (2020), Table 4.
    """
    if not isinstance(inputs, Tensor):
        inputs = torch.tensor(np.asarray(inputs), dtype=torch.float32)
    _check(model, inputs, passes, p)
    modes = [(layer, layer.training) for layer in model.modules()]  # a frozen part may have its own
    model.eval()
    try:
        with dropout_on(model, p, generator):
            rows = [_spread(model, part, passes) for part in inputs.split(BATCH)]
    finally:
        for layer, training in modes:
            layer.training = training
    answer = torch.cat(rows).float().cpu().numpy()
    return answer[:, 0] if answer.ndim == 2 and answer.shape[1] == 1 else answer


def _spread(model: nn.Module, inputs: Tensor, passes: int) -> Tensor:
    return torch.stack([model(inputs) for _ in range(passes)]).double().std(0, correction=0)


@contextmanager
def dropout_on(model: nn.Module, p: float, generator: torch.Generator | None) -> Iterator[None]:
    """Let the dropout layers of a model in evaluation mode drop, with masks of a generator."""

    def drop(layer: nn.Module, given: Any, answer: Tensor) -> Tensor:
        whole = answer.shape[:2] + (1,) * (answer.ndim - 2) if _by_channel(layer) else answer.shape
        kept = torch.rand(whole, generator=generator) >= p
        return answer * kept.to(answer.device) / (1 - p)

    with ExitStack() as stack:
        for layer in dropout_layers(model):
            stack.callback(layer.register_forward_hook(drop).remove)
        yield


def dropout_layers(model: nn.Module) -> list[nn.Module]:
    """The layers that drop, of one number or of a whole channel."""
    kinds = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
    return [layer for layer in model.modules() if isinstance(layer, kinds)]


def _by_channel(layer: nn.Module) -> bool:
    return not isinstance(layer, nn.Dropout)


def _check(model: nn.Module, inputs: Tensor, passes: int, p: float) -> None:
    if not dropout_layers(model):
        raise ValueError(
            f"model must hold a dropout layer; got a {type(model).__name__} without. Build it with dropout."
        )
    if not isinstance(passes, Integral) or passes < 2:
        raise ValueError(f"passes must be a whole number of at least 2; got {passes!r}. 50 are usual.")
    if not 0 < p < 1:
        raise ValueError(f"p must be in (0, 1); got {p}. 0.5 is usual.")
    if len(inputs) == 0:
        raise ValueError("inputs must hold at least one sample; got 0. Check the pool.")
    broken = int((~torch.isfinite(inputs)).reshape(len(inputs), -1).any(1).sum())
    if broken:
        raise ValueError(f"inputs must be finite; got {broken} samples that are not. Drop or mend these.")
