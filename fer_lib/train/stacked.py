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
from torch.func import functional_call, vmap

from fer_lib.heads.model import Tail
from fer_lib.losses.reducing import unread
from fer_lib.train.batches import DeviceFaces, count_steps, epoch_order, groups_of, steps_of
from fer_lib.train.checks import check_sets, not_finite
from fer_lib.train.device import device
from fer_lib.train.loop import Fit, fit_of
from fer_lib.train.predict import score
from fer_lib.train.randomness import epoch_seed
from fer_lib.train.settings import Settings

STACK = 10
"""Seeds in a stack on CUDA, unless FER_STACK says how many: what a stopped run can lose at most."""

Told = dict[str, Tensor]


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
        train: the set to learn from.
        settings: of the training.
    """
    if not all(type(one) is Tail and one.plug_in is None for one in learners):
        return "more learns than a decision layer and the convolution before it"
    if settings.augmentation is not None:
        return "the pictures are changed"
    index = torch.arange(min(len(train), 4)).expand(len(learners), -1)
    stack, faces = _Stack(learners), DeviceFaces(train, device())
    alone = learners[0].training
    try:
        with torch.no_grad():
            learners[0].train()
            losses = stack.losses(*_rows(faces, index, index), keep=False)
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
        train, validation, epochs, settings: as for ``fer_lib.train.fit``.
        seeds: distinct integers, one a learner.

    Returns:
        For each seed what ``fit`` returns, its ``seconds`` being a seed's part of the whole; or, where its
        loss was not finite, the error that ``fit`` raises. The others are none the worse for it.

    Raises:
        ValueError: bad arguments, or models that cannot be trained at once; see :func:`why_not`.
    """
    settings = settings or Settings()
    check_sets(train, validation, epochs)
    if len(learners) != len(seeds) or len(set(seeds)) < len(seeds) or not seeds:
        raise ValueError(
            f"seeds must be distinct, one a learner; got {list(seeds)} for {len(learners)} learners. Build "
            "one for each."
        )
    reason = why_not(learners, train, settings)
    if reason:
        raise ValueError(f"learners must be such as can be stacked; got: {reason}. Call fit for each.")
    training = _Together(learners, train, validation, epochs, list(seeds), settings)
    return training.run()


class _Model(nn.Module):
    """A learner as ``functional_call`` wants it: what is asked for is an argument."""

    def __init__(self, learner: nn.Module) -> None:
        super().__init__()
        self.learner = learner

    def forward(self, inputs: Any, targets: Any, what: str) -> Any:
        learner: Any = self.learner
        if what == "loss":
            return learner.training_loss(inputs, targets)
        if what == "outputs":
            return learner(inputs).float()
        return learner.loss(inputs, targets), learner.predict(inputs)


class _Stack:
    """The weights of several models of one architecture; tensors have the models as their first axis."""

    def __init__(self, learners: Sequence[nn.Module]) -> None:
        self.learners = learners
        for learner in learners:
            learner.to(device())
        self.model = _Model(learners[0])
        wholes = [_Model(one) for one in learners]
        named = [dict(whole.named_parameters()) for whole in wholes]
        self.free, self.rest = {}, {}
        for name, value in named[0].items():
            stacked = torch.stack([one[name].detach() for one in named])
            if value.requires_grad:
                self.free[name] = stacked.requires_grad_()
            else:
                self.rest[name] = stacked
        buffers = [dict(whole.named_buffers()) for whole in wholes]
        self.rest |= {name: torch.stack([one[name] for one in buffers]) for name in buffers[0]}

    def losses(self, inputs: Any, targets: Tensor, *, keep: bool = True) -> Tensor:
        """The loss of each model on its own rows, (S,); what a layer notes of them is kept, unless not."""

        def one(free: Told, rest: Told, inputs: Any, targets: Tensor) -> tuple[Tensor, Told]:
            told = {**free, **rest}
            loss = functional_call(self.model, told, (inputs, targets, "loss"), tie_weights=False)
            return loss, {name: told[name].detach() for name in rest}

        rest = self.rest if keep else {name: value.clone() for name, value in self.rest.items()}
        with unread():
            losses, noted = vmap(one)(self.free, rest, inputs, targets)
        if keep:
            self.rest = noted
        return losses  # type: ignore[no-any-return]

    @torch.no_grad()
    def outputs(self, faces: DeviceFaces, batch_size: int = 256) -> Tensor:
        """Raw outputs of every model for all faces, (S, N, outputs)."""

        def one(free: Told, rest: Told, inputs: Any) -> Tensor:
            told = {**free, **rest}
            return functional_call(self.model, told, (inputs, None, "outputs"), tie_weights=False)  # type: ignore[no-any-return]

        found = [
            vmap(one, in_dims=(0, 0, None))(self.free, self.rest, faces.images(index))
            for index in torch.arange(len(faces)).split(batch_size)
        ]
        return torch.cat(found, 1)

    def one(self, k: int) -> Told:
        """The tensors of one model."""
        return {name: value[k].detach() for name, value in {**self.free, **self.rest}.items()}

    @torch.no_grad()
    def put_back(self, k: int, told: Told) -> None:
        """Write tensors into the learner they belong to."""
        whole = _Model(self.learners[k])
        for name, value in [*whole.named_parameters(), *whole.named_buffers()]:
            value.copy_(told[name])


class _Together:
    """State of one call of :func:`fit_together`."""

    def __init__(
        self, learners: Sequence[nn.Module], train: Any, validation: Any, epochs: int, seeds: list[int],
        settings: Settings,
    ) -> None:  # fmt: skip
        self.stack, self.epochs, self.seeds, self.settings = _Stack(learners), epochs, seeds, settings
        self.train, self.validation = (DeviceFaces(faces, device()) for faces in (train, validation))
        self.scored = validation
        self.groups = (
            groups_of(train, settings.balance_by) if settings.balance > 0 else torch.arange(len(train))
        )
        self.steps_an_epoch = count_steps(len(train), settings.batch_size)
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
        for seed in self.seeds:
            order = torch.Generator().manual_seed(epoch_seed(seed, epoch, "order"))
            generators.append(torch.Generator().manual_seed(epoch_seed(seed, epoch, "augment")))
            drawn = epoch_order(self.groups, balance=self.settings.balance, generator=order)
            streams.append(steps_of(drawn, self.settings.batch_size))
        for indices in zip(*streams, strict=True):
            pairs = zip(indices, generators, strict=True)
            yield torch.stack(indices), torch.stack([self.train.rows(*pair) for pair in pairs])

    def one_step(self, order: Tensor, rows: Tensor, rate: float) -> Tensor:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        losses = self.stack.losses(*_rows(self.train, order, rows))
        self.optimizer.zero_grad(set_to_none=True)
        losses.sum().backward()  # of a seed's weights only its own loss tells anything
        self.optimizer.step()
        return losses.detach()

    def validate(self) -> list[tuple[float, float]]:
        """Loss and score of each seed on the validation part."""
        self.stack.learners[0].eval()
        found, outputs = [], self.stack.outputs(self.validation)
        for k in range(len(self.seeds)):
            given = (outputs[k], self.validation.targets, "told")
            with torch.no_grad():
                loss, pred = functional_call(self.stack.model, self.stack.one(k), given, tie_weights=False)
            finite = bool(loss.isfinite())
            found.append((loss.item(), score(pred.cpu().numpy(), self.scored) if finite else math.nan))
        return found

    def _copy(self, k: int) -> Told:
        return {name: value.clone() for name, value in self.stack.one(k).items()}


def _rows(faces: DeviceFaces, order: Tensor, rows: Tensor) -> tuple[Any, Tensor]:
    """Features (S, B, ...) at rows (S, B), and the targets of the faces (S, B, ...)."""
    targets = faces.targets_of(order.flatten()).unflatten(0, order.shape)
    inputs = faces.images(rows.flatten())
    if isinstance(inputs, tuple):
        return tuple(part.unflatten(0, rows.shape) for part in inputs), targets
    return inputs.unflatten(0, rows.shape), targets
