"""Losses for values on a line: valence and arousal."""

from torch import Tensor

from fer_lib.losses.reducing import reduced


def ccc_loss(pred: Tensor, target: Tensor, *, eps: float = 1e-8, reduction: str = "mean") -> Tensor:
    r"""One minus the concordance correlation coefficient, averaged over the columns.

    .. math:: L = 1 - \frac{1}{D} \sum_d \frac{2 s_{xy}}{s_x^2 + s_y^2 + (\bar x - \bar y)^2}

    Population moments (divided by B) over the rows of this batch, so the loss of a batch is not the mean of
    its parts' losses and its value depends on the batch size: keep batches large (32 or more).

    Args:
        pred: predictions, (B,) or (B, D).
        target: targets, the same shape.
        eps: keeps the division finite where both columns are constant and equal (the loss is then 1).
        reduction: "mean" over the columns, or their "sum".

    Returns:
        A scalar, of the mean in [0, 2]: 0 when equal, 1 without agreement, 2 for a perfect inverse.

    Raises:
        ValueError: the shapes differ, the batch holds fewer than two rows (nothing varies), or an unknown
            reduction.

    Example:
        >>> import torch
        >>> round(ccc_loss(torch.tensor([0.0, 1.0, 2.0]), torch.tensor([1.0, 2.0, 3.0])).item(), 4)
        0.4286

    Reference:
        Lin (1989); Antoniadis (2021), section 5.2.2. Chapters 02 and 04.
    """
    if pred.shape != target.shape or pred.ndim not in (1, 2):
        raise ValueError(
            f"pred must have the target's shape, (B,) or (B, D); got {tuple(pred.shape)} and "
            f"{tuple(target.shape)}. Check the number of outputs."
        )
    if len(pred) < 2:
        raise ValueError(f"pred must hold at least 2 rows; got {len(pred)}. Raise the batch size.")
    pred_mean, target_mean = pred.mean(0), target.mean(0)
    x, y = pred - pred_mean, target - target_mean
    scale = (x * x).mean(0) + (y * y).mean(0) + (pred_mean - target_mean) ** 2
    return reduced(1 - 2 * (x * y).mean(0) / (scale + eps), reduction)
