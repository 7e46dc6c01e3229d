"""What a training asks of its sets."""

from typing import Any

from torch import Tensor


def check_sets(train: Any, validation: Any, epochs: int) -> None:
    """Refuse what cannot be trained.

    Args:
        train: set to learn from.
        validation: set to choose the epoch by.
        epochs: passes over the first.

    Raises:
        ValueError: too few of them, or sets that are not alike, see `check_alike`.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1; got {epochs}. Each epoch sees the training set once.")
    if len(train) < 2 or len(validation) < 1:
        raise ValueError(
            f"train must hold 2 images and validation 1; got {len(train)} and {len(validation)}. "
            "Check the splits and the filters."
        )
    check_alike(train, validation, "validation")


def check_alike(train: Any, other: Any, name: str) -> None:
    """Refuse a set whose task, classes or frames a row are not those of the training set.

    Args:
        train: set to learn from.
        other: set to choose by, or to test on.
        name: of the other set, for the message.

    Raises:
        ValueError: they differ.
    """
    if train.task != other.task or train.classes != other.classes:
        raise ValueError(
            f"{name} must have the task and classes of train ({train.task}, {', '.join(train.classes)}); "
            f"got {other.task}, {', '.join(other.classes)}. Load both with the same options."
        )
    if _frames(train) != _frames(other):
        raise ValueError(
            f"{name} must have {_frames(train)} frames a row as train has; got {_frames(other)}. Join the "
            "frames of both with as_sequences and the same length, or of neither."
        )


def _frames(faces: Any) -> int:
    """Frames of a row: 1 for pictures, more for clips."""
    index = getattr(faces, "index", None)
    return 1 if index is None else index.shape[1]


def not_finite(
    losses: Tensor, epoch: int, *, rate: float, step: int | None = None
) -> FloatingPointError | None:
    """The error of losses that are nan or infinite; None where none is.

    Args:
        losses: of the batches of an epoch, (batches,), or that of the validation, a scalar.
        epoch: from 0.
        rate: the learning rate.
        step: after which the validation was, from 1.
    """
    bad = (~losses.isfinite()).flatten().nonzero()
    if not len(bad):
        return None
    place = int(bad[0])
    got, fix = losses.flatten()[place].item(), f"Lower the learning rate ({rate:g})."
    if step is not None:
        where = f"after epoch {epoch + 1}, step {step}"
        return FloatingPointError(f"validation loss must be finite; got {got} {where}. {fix}")
    where = f"in epoch {epoch + 1}, batch {place + 1} of {len(losses)}"
    return FloatingPointError(f"loss must be finite; got {got} {where}. {fix}")
