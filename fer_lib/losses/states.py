"""The loss for several states a face, most of them rare."""

from torch import Tensor
from torch.nn import functional as F

RAREST = 10.0  # the largest factor on a present state


class StateLoss:
    r"""Binary cross-entropy of several states, each state's presence weighed up to its absence.

    A state that one face in ten shows is best left unsaid as long as a miss costs no more than a false alarm,
    and then macro F1 is 0. With the share :math:`p_k` of training faces that show state k, misses count
    :math:`\min((1 - p_k) / p_k, 10)` times: present and absent faces weigh the same in sum.

    Args:
        targets: states of the training set, (N, K) of 0 and 1.

    Raises:
        ValueError: no targets.

    Example:
        >>> import torch
        >>> loss = StateLoss(torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
        >>> loss.weights.tolist()
        [1.0, 3.0]
    """

    def __init__(self, targets: Tensor) -> None:
        if not len(targets):
            raise ValueError("targets must hold at least one face; got 0. Check the split and the filters.")
        share = targets.float().mean(0).cpu()
        self.weights = ((1 - share) / share.clamp_min(1e-6)).clamp(max=RAREST)
        self.weights[share == 0] = 1.0  # nothing to weigh up

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of logits (B, K) against states (B, K)."""
        weights = self.weights.to(outputs.device)
        return F.binary_cross_entropy_with_logits(outputs, targets.to(outputs.dtype), pos_weight=weights)
