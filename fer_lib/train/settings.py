"""How a model is trained: every hyper-parameter but the number of epochs and the seed."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fer_lib.augment import Augmentation

OPTIMIZERS = ("adamw", "sgd", "plain_sgd")
SCHEDULES = ("cosine", "constant")
SELECTIONS = ("score", "loss")


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of :func:`fer_lib.train.fit`.

    Args:
        batch_size: images a step, at least 2; a last batch of one image is left out.
        learning_rate: step size after the warm-up, > 0.
        weight_decay: of matrices and kernels; biases, norms and decays are left alone. "adamw" takes it from
            the weights by themselves (decoupled); both kinds of "sgd" add it to the gradient, as PyTorch
            does, and momentum, where there is any, carries it on.
        optimizer: "adamw", "sgd" (Nesterov momentum 0.9), or "plain_sgd" (without momentum).
        schedule: "cosine" falls to 0 over the training; "constant" does not.
        warmup: share of the steps over which the learning rate rises from 0, in [0, 1).
        patience: stop after this many epochs without a better epoch; None never stops early.
        select: what makes an epoch better on the validation part: "score" (the corpus's own metric, higher
            is better) or "loss" (lower).
        balance: 0 draws every image once an epoch; 1 draws classes equally often (with replacement);
            between, images with weights count^-balance of their class.
        balance_by: what ``balance`` evens out: "class", or a column such as "age", whose numbers are put in
            tens; see ``fer_lib.train.batches.groups_of``.
        augmentation: changes to the training images; None for none.

    Raises:
        ValueError: a value outside its range.
    """

    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    optimizer: str = "adamw"
    schedule: str = "cosine"
    warmup: float = 0.05
    patience: int | None = None
    select: str = "score"
    balance: float = 0.0
    balance_by: str = "class"
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        _one_of("optimizer", self.optimizer, OPTIMIZERS)
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("select", self.select, SELECTIONS)
        _holds("batch_size", self.batch_size, self.batch_size >= 2, "be at least 2", "CCC needs two rows.")
        _holds("learning_rate", self.learning_rate, self.learning_rate > 0, "be above 0", "Try 0.001.")
        _holds("weight_decay", self.weight_decay, self.weight_decay >= 0, "be at least 0", "0 turns it off.")
        _holds("warmup", self.warmup, 0 <= self.warmup < 1, "be in [0, 1)", "0 turns it off.")
        _holds("balance", self.balance, 0 <= self.balance <= 1, "be in [0, 1]", "0 turns it off.")
        patient = self.patience is None or self.patience >= 1
        _holds("patience", self.patience, patient, "be at least 1, or None", "None never stops early.")

    def make_optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """Optimiser over what is not frozen in the model.

        Raises:
            ValueError: everything is frozen.
        """
        free = [p for p in model.parameters() if p.requires_grad]
        if not free:
            raise ValueError("model must have a parameter to train; got none. Unfreeze a part of it.")
        return self.optimizer_of([p for p in free if p.ndim > 1], [p for p in free if p.ndim <= 1])

    def optimizer_of(self, decayed: list[Tensor], others: list[Tensor]) -> torch.optim.Optimizer:
        """Optimiser over tensors, those that the weight decay is for and those that it is not for."""
        groups = [
            {"params": decayed, "weight_decay": self.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        if self.optimizer == "adamw":
            return torch.optim.AdamW(groups, lr=self.learning_rate)
        if self.optimizer == "plain_sgd":
            return torch.optim.SGD(groups, lr=self.learning_rate)
        return torch.optim.SGD(groups, lr=self.learning_rate, momentum=0.9, nesterov=True)

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Learning rate of one step (0, 1, ...) of a training of ``steps`` steps.

        Example:
            >>> [Settings(warmup=0.0).learning_rate_at(step, 2) for step in (0, 1, 2)]
            [0.001, 0.0005, 0.0]
        """
        rising = self.warmup * steps
        if step < rising:
            return self.learning_rate * (step + 1) / (rising + 1)
        if self.schedule == "constant":
            return self.learning_rate
        done = (step - rising) / max(steps - rising, 1)
        return self.learning_rate * (1 + math.cos(math.pi * done)) / 2

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for checkpoints and keys."""
        return asdict(self)


def _one_of(name: str, value: str, allowed: Iterable[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}. Choose one of these.")


def _holds(name: str, value: object, good: bool, rule: str, fix: str) -> None:
    if not good:
        raise ValueError(f"{name} must {rule}; got {value}. {fix}")
