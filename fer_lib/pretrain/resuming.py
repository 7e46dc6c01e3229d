"""Epochs of a training with a loop of its own: it goes on where it stopped, in one process or in several."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn

from fer_lib.processes import Team, norms_shared
from fer_lib.train.checkpoint import Progress, found_by_all, identity, load_checkpoint, save_checkpoint
from fer_lib.train.device import processes_started

if TYPE_CHECKING:
    from fer_lib.train.parts import Parts


class Resumable(Protocol):
    """What :func:`run_epochs` needs of a training."""

    @property
    def model(self) -> nn.Module: ...

    @property
    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]: ...

    @property
    def team(self) -> Team: ...

    def resumed(self) -> None:
        """Called when model and optimisers hold what a checkpoint held."""

    def epoch(self, epoch: int) -> dict[str, float]:
        """One pass, of which all random choices follow from (seed, epoch)."""


def check_rows(unit: str, counts: Mapping[str, int]) -> None:
    """Refuse counts that leave a process without a row of a batch, or a batch with one.

    Args:
        unit: what is counted, for the message.
        counts: by name.

    Raises:
        ValueError: names the first that is too small.
    """
    least = Team(0, processes_started()).least
    for name, rows in counts.items():
        if rows < least:
            raise ValueError(
                f"{name} must hold {least} {unit}; got {rows}. A batch needs two, and each process one."
            )


def run_epochs(
    training: Resumable,
    parts: "Parts",
    recipe: Mapping[str, Any],
    seed: int,
    *,
    checkpoint: Path | None,
    **told: Any,
) -> list[dict[str, float]]:
    """Run ``recipe["epochs"]`` epochs, less those that a checkpoint holds; the last one's weights are kept.

    Args:
        training: with the first weights, the same in all processes.
        parts: sets of the training.
        recipe: of the training.
        seed: of the training.
        checkpoint: file to resume from and to write after each epoch, on a disk that all processes see; None
            keeps nothing.
        **told: what else decides the numbers, as plain JSON values.

    Returns:
        One row an epoch, those of earlier calls included.

    Raises:
        DataError: a damaged checkpoint.
        ValueError: a checkpoint of another training, or one that some processes do not see.
    """
    model, team, progress, who = training.model, training.team, Progress(), {}
    there = found_by_all(checkpoint, team.rank, team.first)
    if checkpoint is not None:
        who = identity(model, parts.train, parts.validation, recipe=dict(recipe), seed=seed, **told)
        if there:
            progress = load_checkpoint(checkpoint, who, model, training.optimizers)
            training.resumed()
    with norms_shared(model, team.processes):
        for epoch in range(len(progress.rows), recipe["epochs"]):
            progress.rows.append(training.epoch(epoch))
            if checkpoint is not None and team.rank == 0:
                save_checkpoint(checkpoint, who, model, training.optimizers, progress)
    return progress.rows
