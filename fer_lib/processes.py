"""Several processes that train one model together, each on a part of every batch, as one would on all of it.

Averaging gradients is not enough for that. A CCC or a metric loss of two half batches is no part of that of
the whole; BatchNorm would see half a batch; each process would draw its own changes. So the rows meet again
before the decision layer (`whole_batch`), BatchNorm takes its means over all processes (`norms_shared`), and
the changes are drawn for the whole batch, of which each process takes its rows (`Share`). Losses that are
means over rows need not meet: each process weighs its own mean by its rows (`weighed`).

Rows ``rank, rank + processes, ...`` of a batch lie with the process of that rank.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

T = TypeVar("T")


@dataclass(frozen=True)
class Share:
    """Which rows of a batch are this process's.

    Args:
        whole: rows of the batch, at least one a process.
        rank: number of the process, from 0.
        processes: how many there are.
        each: images of a row, such as the faces of a sequence.

    Example:
        >>> torch.arange(7)[Share(7, rank=1, processes=2).rows]
        tensor([1, 3, 5])
    """

    whole: int
    rank: int = 0
    processes: int = 1
    each: int = 1

    @property
    def rows(self) -> slice:
        """The rows, as an index into the batch."""
        return slice(self.rank, None, self.processes)

    def rand(self, count: int, generator: torch.Generator) -> Tensor:
        """Random numbers of this process's images, (count, rows * each): what one process would draw."""
        drawn = torch.rand(count, self.whole * self.each, generator=generator)
        return drawn.unflatten(1, (self.whole, self.each))[:, self.rows].flatten(1)


_SHARE: ContextVar[Share | None] = ContextVar("share", default=None)


@contextmanager
def sharing(share: Share) -> Iterator[None]:
    """Inside the block `whole_batch` and shared norms know that others hold the rest of the batch."""
    mark = _SHARE.set(share if share.processes > 1 else None)
    try:
        yield
    finally:
        _SHARE.reset(mark)


def share_of(rows: int) -> Share:
    """The share at work; outside of `sharing` one that holds all of so many rows."""
    return _SHARE.get() or Share(rows)


def weighed(mean: Tensor) -> Tensor:
    """A loss that is a mean over this process's rows, times its part of the batch; outside of `sharing` as it
    is. Averaged over the processes, as gradients are, it is the mean over the whole batch."""
    share = _SHARE.get()
    if share is None:
        return mean
    own = len(range(share.whole)[share.rows])
    return mean * (own * share.processes / share.whole)


def average_gradients(optimizer: torch.optim.Optimizer) -> None:
    """Give all processes the mean of their gradients, in place; nothing happens outside of `sharing`.

    Args:
        optimizer: whose parameters have a gradient in all processes or in none.
    """
    share = _SHARE.get()
    if share is None:
        return
    every = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    flat = torch.cat([grad.reshape(-1) for grad in every])  # one message, whatever the number of layers
    distributed.all_reduce(flat)
    flat /= share.processes
    for grad, mean in zip(every, flat.split([grad.numel() for grad in every]), strict=True):
        grad.copy_(mean.view_as(grad))


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
    if layer.track_running_stats and layer.running_mean is not None and layer.running_var is not None:
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


@dataclass(frozen=True)
class Team:
    """The processes that train together, and this one's place among them; see ``fer_lib.train.device``.

    Args:
        rank: number of this process, from 0.
        processes: how many there are.
    """

    rank: int = 0
    processes: int = 1

    @property
    def least(self) -> int:
        """Rows that a batch must have: two, for BatchNorm, and one a process."""
        return max(2, self.processes)

    def share(self, whole: int, *, each: int = 1) -> Share:
        """This process's part of a batch of so many rows of ``each`` images."""
        return Share(whole, self.rank, self.processes, each)

    def mean(self, values: Tensor) -> Tensor:
        """Mean over the processes of a tensor that all have."""
        if self.processes == 1:
            return values
        total = values.contiguous().clone()
        distributed.all_reduce(total)
        return total / self.processes

    def first(self, value: T) -> T:
        """What the first process has; any plain value."""
        told = [value]
        if self.processes > 1:
            distributed.broadcast_object_list(told)
        return told[0]

    def alike(self, *modules: nn.Module) -> None:
        """Give all the weights and statistics of the first process, in place."""
        if self.processes == 1:
            return
        for module in modules:
            for value in module.state_dict().values():
                sent = value.detach().contiguous()  # a copy where channels come last: backends want rows
                distributed.broadcast(sent, 0)
                value.copy_(sent)
