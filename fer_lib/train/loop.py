"""The one training loop: epochs over a face set, the best epoch chosen on a validation part."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from fer_lib.augment import augment
from fer_lib.encoders.files import tensors_of
from fer_lib.heads.model import Tail
from fer_lib.processes import Share, norms_shared, sharing
from fer_lib.train.batches import DeviceFaces, count_steps, epoch_order, groups_of, steps_of
from fer_lib.train.checkpoint import Progress, found_by_all, identity, load_checkpoint, save_checkpoint
from fer_lib.train.checks import check_sets, not_finite
from fer_lib.train.device import exact, make_fabric
from fer_lib.train.predict import raw_outputs, score
from fer_lib.train.randomness import epoch_seed, seeded
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Fit:
    """What a training gave; the model itself holds the weights of the best epoch.

    Args:
        history: one row an epoch: epoch (from 1), train_loss, validation_loss, score (of the validation
            part), learning_rate (at the end of the epoch), seconds.
        best_epoch: the epoch (from 1) whose weights the model holds.
        best_score: score of the validation part at that epoch.
        stopped_early: whether patience ended the training.
        seconds: time of all epochs, those before a resumption included.
        device: "cpu" or "cuda".
    """

    history: "pd.DataFrame"
    best_epoch: int
    best_score: float
    stopped_early: bool
    seconds: float
    device: str


def fit(
    model: nn.Module,
    train: Any,
    validation: Any,
    *,
    epochs: int,
    seed: int,
    settings: Settings | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = False,
    on_epoch: Callable[[int, float], None] | None = None,
) -> Fit:
    """Train a model in place and leave it with the weights of its best epoch.

    The best epoch is the one that does best on ``validation``, which must be a part of the training data or
    a split meant for choosing; the test set has no business here. All random choices of an epoch follow
    from (seed, epoch): a training that is killed and called again with the same checkpoint path gives the
    same numbers as one that was not.

    Started by ``torchrun``, the processes share each batch and learn what one would have learned from it,
    but for rounding and dropout, see ``fer_lib.processes``. On CUDA whole models learn in bfloat16; what
    learns behind cached features learns in float32, as on CPUs.

    Args:
        model: a ``FaceModel``; frozen parts stay as they are.
        train: FaceSet to learn from, at least 2 images.
        validation: FaceSet to choose the epoch by.
        epochs: how often the training set is seen, at least 1.
        seed: decides order, augmentation and dropout (the first weights are the caller's, see ``seeded``).
        settings: every other hyper-parameter; None for the defaults.
        checkpoint: file to resume from and to write after each epoch, on a disk that all processes see; None
            keeps nothing.
        progress: show a bar.
        on_epoch: called after each epoch, when its checkpoint is written, with the epoch (from 1) and the
            validation score; what it raises ends the training. Epochs of an earlier call are told first.

    Returns:
        The history and the choice.

    Raises:
        ValueError: bad arguments, or a checkpoint of another training.
        FloatingPointError: the loss is not finite, in a batch or in the validation after an epoch; names it.
            The model then holds the weights of the best epoch so far (its first weights, if there is none),
            and the checkpoint the last whole epoch.
    """
    settings = settings or Settings()
    check_sets(train, validation, epochs)
    with seeded(seed):  # the caller's random numbers go on as if nothing was drawn here
        training = _Training(model, train, validation, epochs, seed, settings)
        training.resume(checkpoint)
        with norms_shared(model, training.fabric.world_size), exact(isinstance(model, Tail)):
            training.run(checkpoint, progress, on_epoch)
    return training.result()


class _Training:
    """State of one call of :func:`fit`."""

    def __init__(self, model, train, validation, epochs: int, seed: int, settings: Settings) -> None:
        self.model, self.validation_faces = model, validation
        self.epochs, self.seed, self.settings = epochs, seed, settings
        self.fabric = make_fabric(precise=isinstance(model, Tail))
        model.to(memory_format=torch.channels_last)  # a third faster on CPUs, and what tensor cores want
        self.wrapped, self.optimizer = self.fabric.setup(model, settings.make_optimizer(model))
        self.wrapped.mark_forward_method("training_loss")
        self.train, self.validation = (
            DeviceFaces(faces, self.fabric.device) for faces in (train, validation)
        )
        balanced = settings.balance > 0
        self.groups = groups_of(train, settings.balance_by) if balanced else torch.arange(len(train))
        self.who = identity(model, train, validation, epochs=epochs, seed=seed, settings=settings.as_dict())
        self.steps_an_epoch = count_steps(len(train), settings.batch_size, self.fabric.world_size)
        self.progress = Progress(best_state=tensors_of(model))

    def resume(self, checkpoint: str | Path | None) -> None:
        there = found_by_all(checkpoint, self.fabric.global_rank, self.fabric.broadcast)
        if checkpoint is not None and there:
            self.progress = load_checkpoint(checkpoint, self.who, self.model, self.optimizer)

    def run(
        self, checkpoint: str | Path | None, show: bool, on_epoch: Callable[[int, float], None] | None
    ) -> None:
        done = len(self.progress.rows)
        if on_epoch is not None:
            for row in self.progress.rows:
                on_epoch(int(row["epoch"]), row["score"])
        for epoch in _bar(done, self.epochs, show):
            if self.out_of_patience():
                break
            self.one_epoch(epoch)
            if checkpoint is not None and self.fabric.is_global_zero:
                save_checkpoint(checkpoint, self.who, self.model, self.optimizer, self.progress)
            if on_epoch is not None:
                on_epoch(epoch + 1, self.progress.rows[-1]["score"])
        self.model.load_state_dict(self.progress.best_state)
        self.model.eval()

    def out_of_patience(self) -> bool:
        waited = len(self.progress.rows) - 1 - self.progress.best_epoch
        return self.settings.patience is not None and waited >= self.settings.patience

    def one_epoch(self, epoch: int) -> None:
        started = time.perf_counter()
        rate = self.settings.learning_rate
        losses: list[Tensor] = []
        self.wrapped.train()
        for number, (index, share, generator) in enumerate(self.batches(epoch)):
            step = epoch * self.steps_an_epoch + number
            rate = self.settings.learning_rate_at(step, self.epochs * self.steps_an_epoch)
            with sharing(share):
                losses.append(self.one_step(index, share, generator, rate))
        train_loss = self.mean_of(losses, epoch)
        loss, value = self.validate(epoch)
        row = {
            "epoch": epoch + 1,
            "train_loss": train_loss,
            "validation_loss": loss,
            "score": value,
            "learning_rate": rate,
            "seconds": time.perf_counter() - started,
        }
        self.progress.rows.append(row)
        better = value if self.settings.select == "score" else -loss
        if better > self.progress.best_value or self.progress.best_epoch < 0:
            self.progress.best_epoch, self.progress.best_value = epoch, better
            self.progress.best_state = tensors_of(self.model)

    def batches(self, epoch: int):
        """Index, share and generator of each step; sets the random numbers of this epoch."""
        rank, processes = self.fabric.global_rank, self.fabric.world_size
        order_generator = torch.Generator().manual_seed(epoch_seed(self.seed, epoch, "order"))
        generator = torch.Generator().manual_seed(epoch_seed(self.seed, epoch, "augment"))
        torch.manual_seed(epoch_seed(self.seed, epoch, "dropout", rank))
        order = epoch_order(self.groups, balance=self.settings.balance, generator=order_generator)
        size = self.settings.batch_size
        for number, index in enumerate(steps_of(order, size, rank=rank, processes=processes)):
            yield index, Share(min(size, len(order) - number * size), rank, processes), generator

    def one_step(self, index: Tensor, share: Share, generator: torch.Generator, rate: float) -> Tensor:
        images = self.train.images(index, generator, share)
        inputs = self.model.prepare(images, change=self.augmenter(generator, share))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = self.wrapped.training_loss(inputs, self.train.targets_of(index))
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        self.optimizer.step()
        return loss.detach()  # read once an epoch: reading now would wait for the accelerator

    def augmenter(self, generator: torch.Generator, share: Share) -> Callable[[Tensor], Tensor] | None:
        """What changes prepared images by random amounts, the same at each call; None where nothing does."""
        amounts, spec = self.settings.augmentation, self.model.encoder.input_spec
        if amounts is None:
            return None
        state = generator.get_state()

        def change(images: Tensor) -> Tensor:
            generator.set_state(state)
            return augment(images, amounts, generator=generator, low=spec.low, high=spec.high, share=share)

        return change

    def mean_of(self, losses: list[Tensor], epoch: int) -> float:
        values = torch.stack(losses).float()
        if self.fabric.world_size > 1:
            values = cast(Tensor, self.fabric.all_reduce(values, reduce_op="mean"))
            self.share_statistics()
        values = values.cpu()
        self.stop_at(not_finite(values, epoch, rate=self.settings.learning_rate))
        return values.mean().item()

    def stop_at(self, error: FloatingPointError | None) -> None:
        """Put the last good weights back, and say what happened, where something did."""
        if error is not None:
            self.model.load_state_dict(self.progress.best_state)
            raise error

    def share_statistics(self) -> None:
        """Average BatchNorm's statistics and learned centers over the processes, so that all choose alike."""
        for value in self.model.buffers():
            if value.is_floating_point():
                value.copy_(self.fabric.all_reduce(value, reduce_op="mean"))

    def validate(self, epoch: int) -> tuple[float, float]:
        outputs = raw_outputs(self.model, self.validation, batch_size=256)
        with torch.no_grad():
            found = self.model.loss(outputs, self.validation.targets).cpu()
            pred = self.model.predict(outputs).cpu().numpy()
        done = (
            epoch + 1
        ) * self.steps_an_epoch  # steps may break the weights, though their losses were finite
        self.stop_at(not_finite(found, epoch, rate=self.settings.learning_rate, step=done))
        # One process tells all: were they to round differently, they would choose different epochs.
        told: tuple[float, float] = self.fabric.broadcast((found.item(), score(pred, self.validation_faces)))
        return told

    def result(self) -> Fit:
        return fit_of(self.progress.rows, self.progress.best_epoch, self.epochs, self.fabric.device.type)


def fit_of(rows: list[dict[str, float]], best_epoch: int, epochs: int, where: str) -> Fit:
    """Sum up a training: a row an epoch, and the best of them, from 0."""
    import pandas as pd

    return Fit(
        history=pd.DataFrame(rows),
        best_epoch=int(rows[best_epoch]["epoch"]),
        best_score=float(rows[best_epoch]["score"]),
        stopped_early=len(rows) < epochs,
        seconds=sum(row["seconds"] for row in rows),
        device=where,
    )


def _bar(start: int, stop: int, show: bool):
    if not show:
        return range(start, stop)
    from tqdm import tqdm

    return tqdm(range(start, stop), initial=start, total=stop, desc="epochs", unit="epoch")
