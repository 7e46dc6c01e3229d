"""What all losses over the faces of a batch share: how they become one number, and which labels they take."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

REDUCTIONS = ("mean", "sum")
_READ: ContextVar[bool] = ContextVar("read", default=True)


@contextmanager
def unread() -> Iterator[None]:
    """Inside the block no loss looks at the values it is given: under ``vmap`` nothing can."""
    mark = _READ.set(False)
    try:
        yield
    finally:
        _READ.reset(mark)


def readable(values: Tensor) -> bool:
    """Whether values may be looked at to refuse wrong ones: those on the CPU, outside of `unread`."""
    return _READ.get() and values.device.type == "cpu"


def reduced(each: Tensor, reduction: str) -> Tensor:
    """Bring one loss a face, (B,), to one number: their "mean" or their "sum".

    Raises:
        ValueError: an unknown reduction.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}; got {reduction!r}. Choose one.")
    return each.mean() if reduction == "mean" else each.sum()


def share_of(count: int, reduction: str) -> float:
    """What a sum over ``count`` faces is multiplied by: 1 / count for the "mean", 1 for the "sum".

    Raises:
        ValueError: an unknown reduction.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be one of {', '.join(REDUCTIONS)}; got {reduction!r}. Choose one.")
    return 1 / count if reduction == "mean" else 1.0


def check_labels(name: str, values: Tensor, labels: Tensor, classes: int) -> None:
    """Refuse rows and labels that do not fit each other.

    Labels on an accelerator are not read, which would wait for it: there PyTorch itself stops at a class that
    there is not. Nor are those of a stack of models, see `unread`.

    Args:
        name: of the argument ``values``.
        values: floating-point (B, D), B >= 1.
        labels: integers (B,) in [0, classes).
        classes: how many there are.

    Raises:
        ValueError: they do not.
    """
    if values.ndim != 2 or not values.is_floating_point() or not len(values):
        raise ValueError(
            f"{name} must be floating-point (B, D) with at least one row; got {values.dtype} "
            f"{tuple(values.shape)}. Flatten the features: features.flatten(1)."
        )
    if labels.shape != values.shape[:1] or labels.dtype != torch.int64:
        raise ValueError(
            f"labels must be int64 ({len(values)},), one a row of {name}; got {labels.dtype} "
            f"{tuple(labels.shape)}. Take the argmax of votes."
        )
    if readable(labels) and not ((labels >= 0) & (labels < classes)).all():
        wrong = labels[(labels < 0) | (labels >= classes)][0].item()
        raise ValueError(f"labels must lie in [0, {classes}); got {wrong}. Check the number of classes.")
