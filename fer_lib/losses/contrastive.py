"""The supervised contrastive loss: faces with a label in common together, all others apart (chapter 09)."""

import math
from typing import Any

import torch
from torch import Tensor

from fer_lib.affect import va_bins

DENOMINATORS = ("all", "negatives")
REDUCTIONS = ("mean", "sum")
VA_BINS = 3  # along each axis of the valence-arousal plane


def supervised_contrastive_loss(
    embeddings: Tensor,
    labels: Tensor,
    temperature: float,
    *,
    denominator: str = "all",
    reduction: str = "mean",
) -> Tensor:
    r"""How far each sample is from those with a label in common, against how far from the others.

    With unit vectors :math:`z_i`, the positives P(i) (other samples that share a label with i) and

    .. math:: L_i = -\frac{1}{|P(i)|} \sum_{j \in P(i)}
        \log \frac{\exp(z_i \cdot z_j / t)}{\sum_{k \in A(i)} \exp(z_i \cdot z_k / t)},

    A(i) is everybody but i ("all", the supervised contrastive loss), or those without a label in common
    ("negatives"). CIAO prints the second without the sum over k, which has no meaning for more than one k,
    and with 1 / (N - 1) for 1 / |P(i)|, which counts a class by its share; neither is followed.

    Chosen where sources differ: embeddings are brought to length 1 here (a zero vector stays zero and gets no
    gradient); nothing multiplies the loss (some libraries hide a factor, a "base temperature"); samples
    without a positive are left out, and the mean is over the others. With "negatives" a sample without a
    negative is left out likewise.

    Args:
        embeddings: (N, D), N >= 2, any scale. Half precision is computed in float32.
        labels: one class each, integers (N,); or several states each, 0 and 1, (N, K): samples that share at
            least one state are positives.
        temperature: t > 0; smaller looks at the nearest samples only. The papers use 0.02 to 0.4.
        denominator: one of `DENOMINATORS`.
        reduction: "mean" over the samples that have a positive, or their "sum" (CIAO's equation 4).

    Returns:
        A scalar: with "all" >= 0; with "negatives" at least -2 / t. 0 where no sample has a positive.

    Raises:
        ValueError: fewer than two samples, other labels, a temperature that is not positive and finite, an
            unknown option; with "negatives" a batch in which nobody has one.

    Example:
        >>> z = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
        >>> label = torch.tensor([0, 0, 1])  # log(1 + e^-1): the third has no positive
        >>> round(supervised_contrastive_loss(z, label, 1.0).item(), 4)
        0.3133

    Reference: Khosla et al. (2020), eq. 2; Barros and Sciutti (2022), "CIAO!", eqs. 2-4. Chapter 09.
    """
    _check(embeddings, labels, temperature, denominator, reduction)
    share = positives(labels)  # (N, N)
    alone = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    against = _against(share, alone, denominator)
    share = share & ~alone
    usable = share.any(1) & against.any(1)
    with torch.autocast(embeddings.device.type, enabled=False):
        similarity = _similarity(embeddings, usable) / temperature  # (M, N), M anchors
        share, against = share[usable], against[usable]
        log_total = similarity.masked_fill(~against, -math.inf).logsumexp(1)
        alike = (similarity * share).sum(1) / share.sum(1)
        total = (log_total - alike).sum()
    return total / max(len(share), 1) if reduction == "mean" else total


def _against(share: Tensor, alone: Tensor, denominator: str) -> Tensor:
    """Whom each sample is held against, (N, N) booleans."""
    if denominator == "all":
        return ~alone
    against = ~share & ~alone
    if not against.any():
        raise ValueError(
            f"labels must hold two classes for the denominator 'negatives'; got one in {len(share)} rows. "
            "Draw larger batches, or take 'all'."
        )
    return against


def positives(labels: Tensor) -> Tensor:
    """Which samples have a label in common, (N, N) booleans; see `supervised_contrastive_loss` for labels."""
    if labels.ndim == 1:
        return labels[:, None] == labels[None, :]
    states = labels.float()
    return states @ states.T > 0.5


def contrastive_labels(targets: Tensor, kind: str, *, bins: int = VA_BINS) -> Tensor:
    """Labels for the contrastive loss, from the targets of any task.

    Args:
        targets: of a batch, as a FaceSet gives them.
        kind: of the decision layer: "softmax", "distribution", "valence_arousal" or "multi_label".
        bins: of values: the plane [-1, 1] x [-1, 1] is cut into ``bins`` x ``bins`` equal squares
            (``fer_lib.affect.va_bins``); 3 separates low, middle and high (edges at -1/3 and 1/3) of valence
            and of arousal. Values beyond the plane count to its edge.

    Returns:
        Classes as they are (N,); the class with most votes (N,), the first of equals; the number of the
        square (N,); states as they are (N, K).

    Raises:
        ValueError: an unknown kind.

    Example:
        >>> contrastive_labels(torch.tensor([[0.8, 0.6], [0.0, -0.1]]), "valence_arousal")
        tensor([8, 4])
    """
    if kind in ("softmax", "distribution"):
        return targets if targets.ndim == 1 else targets.argmax(1)
    if kind == "multi_label":
        return targets
    if kind != "valence_arousal":
        raise ValueError(
            "kind must be softmax, distribution, valence_arousal or multi_label; got "
            f"{kind!r}. Name what the decision layer decides."
        )
    valence, arousal = targets.detach().cpu().double().clamp(-1, 1).unbind(1)
    return torch.from_numpy(va_bins(valence.numpy(), arousal.numpy(), bins)).to(targets.device)


def _similarity(embeddings: Tensor, usable: Tensor) -> Tensor:
    """Cosines of the usable samples to all, (M, N), at least in float32."""
    z = embeddings.float() if embeddings.dtype in (torch.float16, torch.bfloat16) else embeddings
    largest = z.detach().abs().amax(1, keepdim=True)
    z = z / largest.clamp_min(torch.finfo(z.dtype).tiny)  # products neither overflow nor vanish
    products = z @ z.T  # its diagonal gives the lengths: rows are wide, each pass costs
    squares = products.diagonal()
    zero = squares == 0
    inverse = squares.masked_fill(zero, 1.0).rsqrt().masked_fill(zero, 0.0)
    return (inverse[:, None] * products * inverse)[usable]


def _check(embeddings: Tensor, labels: Tensor, temperature: Any, denominator: str, reduction: str) -> None:
    if embeddings.ndim != 2 or not embeddings.is_floating_point():
        raise ValueError(
            f"embeddings must be floating-point (N, D); got {embeddings.dtype} {tuple(embeddings.shape)}. "
            "Flatten the features: features.flatten(1)."
        )
    if len(embeddings) < 2:
        raise ValueError(
            f"embeddings must hold at least 2 samples; got {len(embeddings)}. Raise the batch size."
        )
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature must be positive and finite; got {temperature}. Try 0.1.")
    for name, value, known in (
        ("denominator", denominator, DENOMINATORS),
        ("reduction", reduction, REDUCTIONS),
    ):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}; got {value!r}. Choose one of these.")
    whole = not (labels.is_floating_point() or labels.is_complex())
    if len(labels) != len(embeddings) or labels.ndim not in (1, 2) or (labels.ndim == 1 and not whole):
        raise ValueError(
            f"labels must be integers (N,) or 0 and 1 (N, K) with N = {len(embeddings)}; got {labels.dtype} "
            f"{tuple(labels.shape)}. See contrastive_labels."
        )
    if labels.ndim == 2 and not ((labels == 0) | (labels == 1)).all():
        raise ValueError(
            "labels of several states must be 0 or 1; got other numbers. Take the argmax of votes: see "
            "contrastive_labels."
        )
