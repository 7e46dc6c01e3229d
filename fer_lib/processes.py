"""Several processes that train one model together, each on a part of every batch, as one would on all of it.

Averaging gradients is not enough for that. A CCC or a metric loss of two half batches is no part of that of
the whole; BatchNorm would see half a batch; each process would draw its own changes. So the rows meet again
before the decision layer (`whole_batch`), BatchNorm takes its means over all processes (`norms_shared`), and
the changes are drawn for the whole batch, of which each process takes its rows (`Share`).

Rows ``rank, rank + processes, ...`` of a batch lie with the process of that rank.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn


@dataclass(frozen=True)
class Share:
    """Which rows of a batch are this process's.

    Args:
        whole: rows of the batch, at least one a process.
        rank: number of the process, from 0.
        processes: how many there are.

    Example:
        >>> torch.arange(7)[Share(7, rank=1, processes=2).rows]
        tensor([1, 3, 5])
    """

    whole: int
    rank: int = 0
    processes: int = 1

    @property
    def rows(self) -> slice:
        """The rows, as an index into the batch."""
        return slice(self.rank, None, self.processes)

    def rand(self, count: int, generator: torch.Generator) -> Tensor:
        """Random numbers of this process's rows, (count, rows): what one process would draw for them."""
        return torch.rand(count, self.whole, generator=generator)[:, self.rows]


_SHARE: ContextVar[Share | None] = ContextVar("share", default=None)


@contextmanager
def sharing(share: Share) -> Iterator[None]:
    """Inside the block `whole_batch` and shared norms know that others hold the rest of the batch."""
    mark = _SHARE.set(share if share.processes > 1 else None)
    try:
        yield
    finally:
        _SHARE.reset(mark)


def whole_batch(rows: Tensor) -> Tensor:
    """All rows of the batch, in their order; the rows as they are outside of `sharing`.

    Every process then computes the same loss of the whole batch. What flows back to the rows of a process is
    the sum over the processes; averaged over them, as gradients are, it is the gradient of that loss.

    Args:
        rows: (rows of this process, ...).
    """
    share = _SHARE.get()
    return rows if share is None else _Gathered.apply(rows, share)  # type: ignore[no-any-return,no-untyped-call]


class _Gathered(torch.autograd.Function):
    """Rows of all processes, and the sum of what all send back."""

    @staticmethod
    def forward(ctx, own: Tensor, share: Share) -> Tensor:  # type: ignore[no-untyped-def,override]
        ctx.share = share
        most = -(-share.whole // share.processes)
        padded = own.new_zeros((most, *own.shape[1:]))
        padded[: len(own)] = own
        parts = [torch.empty_like(padded) for _ in range(share.processes)]
        distributed.all_gather(parts, padded)
        return torch.stack(parts, 1).flatten(0, 1)[: share.whole]

    @staticmethod
    def backward(ctx, back: Tensor):  # type: ignore[no-untyped-def,override]
        total = back.contiguous().clone()
        distributed.all_reduce(total)
        return total[ctx.share.rows], None


class _Summed(torch.autograd.Function):
    """Sum over the processes, forward and back."""

    @staticmethod
    def forward(ctx, own: Tensor) -> Tensor:  # type: ignore[no-untyped-def,override]
        total = own.contiguous().clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, back: Tensor) -> Tensor:  # type: ignore[no-untyped-def,override]
        return _Summed.forward(ctx, back)


@contextmanager
def norms_shared(model: nn.Module, processes: int) -> Iterator[None]:
    """Inside the block the BatchNorm layers of a model take means and variances over all processes.

    Those of the decision layer, a part named ``head``, stay as they are: it sees the whole batch.

    Args:
        model: changed in place, and back.
        processes: how many there are; nothing happens for one.
    """
    before = [
        (layer, type(layer))
        for name, layer in model.named_modules()
        if processes > 1 and type(layer) in _SHARED and not name.startswith("head")
    ]
    for layer, kind in before:
        layer.__class__ = _SHARED[kind]
    try:
        yield
    finally:
        for layer, kind in before:
            layer.__class__ = kind


def _normed(layer: nn.BatchNorm1d | nn.BatchNorm2d, values: Tensor) -> Tensor:
    """BatchNorm of this process's rows (B, C, ...) by the statistics of the whole batch, in float32."""
    real = values if values.dtype == torch.float64 else values.float()
    over = [0, *range(2, values.ndim)]
    shape = (1, -1, *[1] * (values.ndim - 2))
    told = torch.cat([real.sum(over), real.new_full((1,), real.numel() // real.shape[1])])
    told = _Summed.apply(told)  # type: ignore[no-untyped-call]
    count, mean = told[-1].detach(), told[:-1] / told[-1].detach()
    centred = real - mean.view(shape)
    variance = _Summed.apply(centred.square().sum(over)) / count  # type: ignore[no-untyped-call]
    if layer.running_mean is not None and layer.running_var is not None:
        with torch.no_grad():
            momentum = 0.1 if layer.momentum is None else layer.momentum
            layer.running_mean.lerp_(mean, momentum)
            layer.running_var.lerp_(variance * count / (count - 1), momentum)
            if layer.num_batches_tracked is not None:
                layer.num_batches_tracked.add_(1)
    answer = centred * (variance + layer.eps).rsqrt().view(shape)
    if layer.affine:
        answer = answer * layer.weight.view(shape) + layer.bias.view(shape)
    return answer.to(values.dtype)


class _SharedNorm1d(nn.BatchNorm1d):
    def forward(self, values: Tensor) -> Tensor:
        shared = self.training and _SHARE.get() is not None
        return _normed(self, values) if shared else super().forward(values)


class _SharedNorm2d(nn.BatchNorm2d):
    def forward(self, values: Tensor) -> Tensor:
        shared = self.training and _SHARE.get() is not None
        return _normed(self, values) if shared else super().forward(values)


_SHARED: dict[type, type] = {nn.BatchNorm1d: _SharedNorm1d, nn.BatchNorm2d: _SharedNorm2d}
