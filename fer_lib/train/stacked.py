"""Train the small models of all seeds at once: their weights lie in one stack, and each step moves them all.

A decision layer behind cached features is so small that an accelerator waits for the next call most of the
time. Thirty of them in one call cost little more than one. Every seed keeps its own first weights, order of
faces and best epoch, and learns what it would have learned alone, but for rounding.
"""

import math
import os
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from fer_lib.heads.model import Tail
from fer_lib.train.batches import DeviceFaces, count_steps, epoch_order, groups_of, steps_of
from fer_lib.train.checks import check_sets, not_finite
from fer_lib.train.device import device, exact
from fer_lib.train.loop import Fit, fit_of
from fer_lib.train.predict import score
from fer_lib.train.randomness import epoch_seed
from fer_lib.train.settings import Settings
from fer_lib.train.stack import Stack, Told

STACK = 10
"""Seeds in a stack on CUDA, unless FER_STACK says how many: what a stopped run can lose at most."""


def stack_size() -> int:
    """How many seeds train at once: FER_STACK, or `STACK` on CUDA, else 1.

    Raises:
        ValueError: FER_STACK is no whole number from 1 on.
    """
    text = os.environ.get("FER_STACK", "")
    if not text:
        return STACK if device().type == "cuda" else 1
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"FER_STACK must be a whole number from 1 on; got {text!r}. 1 trains one by one.")
    return int(text)


def why_not(learners: Sequence[nn.Module], train: Any, settings: Settings) -> str:
    """What keeps models from being trained at once, in words; "" where nothing does.

    It is tried: one loss of a few faces, all models at once, and beside it that of the first alone.

    Args:
        learners: one a seed.
        train: the set to learn from, or one a learner.
        settings: of the training.
    """
    if not all(type(one) is Tail and one.plug_in is None for one in learners):
        return "more learns than a decision layer and the convolution before it"
    if settings.augmentation is not None:
        return "the pictures are changed"
    stack, sets = Stack(learners), _Sets(train, len(learners))
    faces, alone = sets.each[0], learners[0].training
    index = torch.arange(min(len(faces), 4)).expand(len(learners), -1)
    try:
        with torch.no_grad():
            learners[0].train()
            losses = stack.losses(*sets.rows(index, index), keep=False)
            given = (faces.images(index[0]), faces.targets_of(index[0]), "loss")
            first = functional_call(stack.model, stack.one(0), given, tie_weights=False)
    except (RuntimeError, ValueError, NotImplementedError) as error:
        return str(error).splitlines()[0]
    finally:
        learners[0].train(alone)
    return "" if torch.allclose(losses[0], first, rtol=1e-3, atol=1e-4, equal_nan=True) else "another loss"


def fit_together(
    learners: Sequence[nn.Module],
    train: Any,
    validation: Any,
    *,
    epochs: int,
    seeds: Sequence[int],
    settings: Settings | None = None,
) -> list[Fit | FloatingPointError]:
    """Do for every seed what :func:`fer_lib.train.fit` does for one, all at once, in float32.

    Args:
        learners: one a seed, all of one architecture: what ``FaceModel.tail`` gives. Left with the weights of
            their best epochs, in place.
        train, validation: as for ``fer_lib.train.fit``; or lists with a set for each learner, those to learn
            from of one length.
        epochs, settings: as for ``fer_lib.train.fit``.
        seeds: distinct integers, one a learner.

    Returns:
        For each seed what ``fit`` returns, its ``seconds`` being a seed's part of the whole; or, where its
        loss was not finite, the error that ``fit`` raises. The others are none the worse for it.

    Raises:
        ValueError: bad arguments, or models that cannot be trained at once; see :func:`why_not`.
    """
    settings = settings or Settings()
    _check_sets(train, validation, epochs, len(learners))
    if len(learners) != len(seeds) or len(set(seeds)) < len(seeds) or not seeds:
        raise ValueError(
            f"seeds must be distinct, one a learner; got {list(seeds)} for {len(learners)} learners. Build "
            "one for each."
        )
    reason = why_not(learners, train, settings)
    if reason:
        raise ValueError(f"learners must be such as can be stacked; got: {reason}. Call fit for each.")
    training = _Together(learners, train, validation, epochs, list(seeds), settings)
    with exact():
        return training.run()


class _Together:
    """State of one call of :func:`fit_together`."""

    def __init__(
        self, learners: Sequence[nn.Module], train: Any, validation: Any, epochs: int, seeds: list[int],
        settings: Settings,
    ) -> None:  # fmt: skip
        self.stack, self.epochs, self.seeds, self.settings = Stack(learners), epochs, seeds, settings
        self.train, self.validation = (_Sets(faces, len(seeds)) for faces in (train, validation))
        self.groups = self.train.groups(settings)
        self.steps_an_epoch = count_steps(len(self.train.each[0]), settings.batch_size)
        free = self.stack.free.values()
        self.optimizer = settings.optimizer_of(
            [value for value in free if value.ndim > 2], [value for value in free if value.ndim <= 2]
        )
        self.rows: list[list[dict[str, float]]] = [[] for _ in seeds]
        self.best: list[tuple[int, float, Told]] = [(-1, -math.inf, self._copy(k)) for k in range(len(seeds))]
        self.failed: dict[int, FloatingPointError] = {}

    def run(self) -> list[Fit | FloatingPointError]:
        for epoch in range(self.epochs):
            if not self.going():
                break
            self.one_epoch(epoch)
        for k, learner in enumerate(self.stack.learners):
            self.stack.put_back(k, self.best[k][2])
            learner.eval()
        return [
            self.failed[k] if k in self.failed else fit_of(rows, self.best[k][0], self.epochs, device().type)
            for k, rows in enumerate(self.rows)
        ]

    def going(self) -> list[int]:
        """Which have neither failed nor run out of patience."""
        patience = self.settings.patience
        return [
            k for k, rows in enumerate(self.rows)
            if k not in self.failed and (patience is None or len(rows) - 1 - self.best[k][0] < patience)
        ]  # fmt: skip

    def one_epoch(self, epoch: int) -> None:
        started, going = time.perf_counter(), self.going()
        self.stack.learners[0].train()
        rate, losses = self.settings.learning_rate, []
        for number, (order, rows) in enumerate(self.batches(epoch)):
            step = epoch * self.steps_an_epoch + number
            rate = self.settings.learning_rate_at(step, self.epochs * self.steps_an_epoch)
            losses.append(self.one_step(order, rows, rate))
        told = torch.stack(losses, 1).float().cpu()  # (S, steps)
        validated = self.validate()
        seconds = (time.perf_counter() - started) / len(going)
        for k in going:
            loss, value = validated[k]
            done = (epoch + 1) * self.steps_an_epoch
            error = not_finite(told[k], epoch, rate=self.settings.learning_rate) or not_finite(
                torch.tensor(loss), epoch, rate=self.settings.learning_rate, step=done
            )
            if error is not None:
                self.failed[k] = error
                continue
            row = {"epoch": epoch + 1, "train_loss": told[k].mean().item(), "validation_loss": loss}
            self.rows[k].append(row | {"score": value, "learning_rate": rate, "seconds": seconds})
            better = value if self.settings.select == "score" else -loss
            if better > self.best[k][1] or self.best[k][0] < 0:
                self.best[k] = (epoch, better, self._copy(k))

    def batches(self, epoch: int) -> Any:
        """Of each step the faces of every seed, and their rows, views counted, both (S, B) on the CPU."""
        generators, streams = [], []
        for seed, groups in zip(self.seeds, self.groups, strict=True):
            order = torch.Generator().manual_seed(epoch_seed(seed, epoch, "order"))
            generators.append(torch.Generator().manual_seed(epoch_seed(seed, epoch, "augment")))
            drawn = epoch_order(groups, balance=self.settings.balance, generator=order)
            streams.append(steps_of(drawn, self.settings.batch_size))
        for indices in zip(*streams, strict=True):
            drawn_of = zip(self.train.each, indices, generators, strict=True)
            yield torch.stack(indices), torch.stack([faces.rows(*pair) for faces, *pair in drawn_of])

    def one_step(self, order: Tensor, rows: Tensor, rate: float) -> Tensor:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        losses = self.stack.losses(*self.train.rows(order, rows))
        self.optimizer.zero_grad(set_to_none=True)
        losses.sum().backward()  # of a seed's weights only its own loss tells anything
        self.optimizer.step()
        return losses.detach()

    def validate(self) -> list[tuple[float, float]]:
        """Loss and score of each seed on the validation part."""
        self.stack.learners[0].eval()
        found, outputs = [], self.validation.outputs(self.stack)
        for k, faces in enumerate(self.validation.each):
            given = (outputs[k], faces.targets, "told")
            with torch.no_grad():
                loss, pred = functional_call(self.stack.model, self.stack.one(k), given, tie_weights=False)
            finite = bool(loss.isfinite())
            found.append((loss.item(), score(pred.cpu().numpy(), faces.faces) if finite else math.nan))
        return found

    def _copy(self, k: int) -> Told:
        return {name: value.clone() for name, value in self.stack.one(k).items()}


class _Sets:
    """What learners read: one set for all of them, or one each."""

    def __init__(self, given: Any, count: int) -> None:
        self.shared = not isinstance(given, list | tuple)
        own = [given] if self.shared else given
        self.each = [DeviceFaces(one, device()) for one in own] * (count if self.shared else 1)

    def groups(self, settings: Settings) -> list[Tensor]:
        """What the sampler evens out, of each set."""
        if settings.balance > 0:
            return [groups_of(one.faces, settings.balance_by) for one in self.each]
        return [torch.arange(len(one)) for one in self.each]

    def rows(self, order: Tensor, rows: Tensor) -> tuple[Any, Tensor]:
        """Features (S, B, ...) at rows (S, B), and the targets of the faces (S, B, ...)."""
        if self.shared:
            return _rows(self.each[0], order, rows)
        found = [_rows(one, *at) for one, *at in zip(self.each, order[:, None], rows[:, None], strict=True)]
        inputs, targets = zip(*found, strict=True)
        if isinstance(inputs[0], tuple):
            return tuple(map(torch.cat, zip(*inputs, strict=True))), torch.cat(targets)
        return torch.cat(inputs), torch.cat(targets)

    def outputs(self, stack: Stack) -> Sequence[Tensor]:
        """Raw outputs of every model for all faces of its set, each (N, outputs)."""
        if self.shared:
            return list(stack.outputs(self.each[0]))
        return [stack.outputs_of(k, faces) for k, faces in enumerate(self.each)]


def _check_sets(train: Any, validation: Any, epochs: int, count: int) -> None:
    """Refuse what ``fit`` refuses, and sets that no stack can read."""
    train, validation = (
        one if isinstance(one, list | tuple) else [one] * count for one in (train, validation)
    )
    sizes = sorted({len(one) for one in train})
    if len(train) != count or len(validation) != count or len(sizes) != 1:
        raise ValueError(
            f"train and validation must hold a set for each of {count} learners, those to learn from of one "
            f"length; got {len(train)} with {sizes} faces, and {len(validation)}. Give one for all, or such."
        )
    for pair in zip(train, validation, strict=True):
        check_sets(*pair, epochs)


def _rows(faces: DeviceFaces, order: Tensor, rows: Tensor) -> tuple[Any, Tensor]:
    """Features (S, B, ...) at rows (S, B), and the targets of the faces (S, B, ...)."""
    targets = faces.targets_of(order.flatten()).unflatten(0, order.shape)
    inputs = faces.images(rows.flatten())
    if isinstance(inputs, tuple):
        return tuple(part.unflatten(0, rows.shape) for part in inputs), targets
    return inputs.unflatten(0, rows.shape), targets
