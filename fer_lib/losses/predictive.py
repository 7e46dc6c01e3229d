"""Losses that pick the right candidate out of many: contrastive predictive coding (chapter 06)."""

import torch
from torch import Tensor
from torch.nn import functional as F

PICKED = ("loss", "bound", "accuracy", "chance")
"""What :func:`picking` tells."""


def info_nce(
    queries: Tensor,
    keys: Tensor,
    *,
    temperature: float = 1.0,
    positive: Tensor | None = None,
    labels: Tensor | None = None,
) -> Tensor:
    r"""Cross-entropy of picking each query's own key out of all candidates.

    .. math::
        L = -\frac{1}{B} \sum_i
            \log \frac{\exp(q_i \cdot k_{p(i)} / \tau)}{\sum_j \exp(q_i \cdot k_j / \tau)}

    The scores are scalar products, not cosines: normalise first where length should not count. Softmax over
    the candidates, as van den Oord et al. define it; some published code puts a sigmoid on each pair instead.

    Args:
        queries: (B, D), such as the predictions W c of the codes to come.
        keys: (B, D), then the keys of the batch are the candidates and key i is the positive of query i; or
            (B, N, D), N candidates for each query.
        temperature: > 0; the scores are divided by it.
        positive: long (B,), place of each query's positive among its N candidates; None takes place 0. Only
            for keys (B, N, D).
        labels: long (B,); keys of the query's own label, other than its positive, are no candidates: neither
            right nor wrong. A query left with its positive alone does not count. Only for keys (B, D).

    Returns:
        A scalar from 0 (perfect separation); log N where all scores are equal.

    Raises:
        ValueError: shapes that do not fit, a single candidate, one label in the whole batch, values that are
            not finite, or a temperature that is not above 0.

    Example:
        >>> keys = torch.eye(4)
        >>> round(info_nce(torch.zeros(4, 4), keys).item(), 4), round(info_nce(9 * keys, keys).item(), 4)
        (1.3863, 0.0004)

    Reference:
        van den Oord, Li and Vinyals (2018), eq. 4; Barros and Sciutti (2022), eq. 3. Chapter 06.
    """
    logits, place = candidate_scores(queries, keys, temperature=temperature, positive=positive, labels=labels)
    return F.cross_entropy(logits, place)


def candidate_scores(
    queries: Tensor,
    keys: Tensor,
    *,
    temperature: float = 1.0,
    positive: Tensor | None = None,
    labels: Tensor | None = None,
    check: bool = True,
) -> tuple[Tensor, Tensor]:
    """Score every candidate of every query; see :func:`info_nce` for the other arguments and the errors.

    Args:
        queries, keys, temperature, positive, labels: see :func:`info_nce`.
        check: False trusts them. To look at numbers on a graphics card, the host must wait for it.

    Returns:
        Logits (M, N), -inf where a key is no candidate, and the place of each row's positive, long (M,). M is
        B, less the queries that ``labels`` leave without a rival.
    """
    if check:
        _check(queries, keys, temperature, positive, labels)
    if keys.ndim == 3:
        logits = (keys @ queries[:, :, None]).squeeze(2) / temperature  # (B, N)
        place = torch.zeros(len(queries), dtype=torch.long) if positive is None else positive
        return logits, place.to(logits.device)
    logits = queries @ keys.T / temperature  # (B, B)
    place = torch.arange(len(queries), device=logits.device)
    if labels is None:
        return logits, place
    same = labels[:, None] == labels[None, :]
    rivals = (~same).any(1).nonzero()[:, 0].to(logits.device, non_blocking=True)
    twins = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    logits = logits.masked_fill(twins.to(logits.device, non_blocking=True), -torch.inf)
    return logits[rivals], place[rivals]


def picking(logits: Tensor, positive: Tensor) -> dict[str, float]:
    """How well the positives are told from the rest, in numbers for a page.

    Args:
        logits: (M, N), -inf where a key is no candidate.
        positive: place of each row's positive, long (M,).

    Returns:
        ``loss`` in nats; ``bound``, the mean over rows of log(candidates) minus the loss, in nats (a lower
        bound of mutual information where the rivals are drawn from the marginal, see chapter 06);
        ``accuracy``, the share of rows whose positive scores highest; ``chance``, what guessing would give.

    Example:
        >>> {name: round(value, 4) for name, value in picking(torch.eye(2), torch.arange(2)).items()}
        {'loss': 0.3133, 'bound': 0.3799, 'accuracy': 1.0, 'chance': 0.5}
    """
    return dict(zip(PICKED, picked(logits, positive).tolist(), strict=True))


def picked(logits: Tensor, positive: Tensor) -> Tensor:
    """What `picking` tells, as a double tensor (4,) in the order of `PICKED`, still on its device."""
    candidates = (~torch.isneginf(logits)).sum(1).double()
    loss = F.cross_entropy(logits, positive).double()
    right = (logits.argmax(1) == positive).double()
    return torch.stack([loss, candidates.log().mean() - loss, right.mean(), (1 / candidates).mean()])


def _check(
    queries: Tensor, keys: Tensor, temperature: float, positive: Tensor | None, labels: Tensor | None
) -> None:
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0; got {temperature}. 1 leaves the scores as they are.")
    fits = keys.ndim in (2, 3) and queries.ndim == 2 and len(keys) == len(queries)
    if not fits or keys.shape[-1] != queries.shape[1]:
        raise ValueError(
            f"keys must be (B, D) or (B, N, D) for queries (B, D); got {tuple(keys.shape)} and "
            f"{tuple(queries.shape)}. Give each query its candidates."
        )
    if not queries.isfinite().all() or not keys.isfinite().all():
        raise ValueError("queries and keys must be finite; got nan or inf. Lower the learning rate.")
    candidates = keys.shape[-2]
    if len(queries) == 0 or candidates < 2:
        raise ValueError(
            f"keys must hold at least 2 candidates a query; got {candidates if len(queries) else 0}. "
            "Raise the batch size: one alone is always picked."
        )
    _check_choice(len(queries), candidates, keys.ndim == 3, positive, labels)


def _check_choice(
    batch: int, candidates: int, own: bool, positive: Tensor | None, labels: Tensor | None
) -> None:
    if positive is not None:
        if not own or positive.shape != (batch,):
            raise ValueError(
                f"positive must be ({batch},) with keys (B, N, D); got {tuple(positive.shape)}. With keys "
                "(B, D) key i belongs to query i."
            )
        if positive.is_floating_point():
            raise ValueError(f"positive must hold whole numbers; got {positive.dtype}. Convert with long().")
        if not ((positive >= 0) & (positive < candidates)).all():
            raise ValueError(
                f"positive must lie in [0, {candidates}); got {int(positive.min())} to "
                f"{int(positive.max())}. Count candidates from 0."
            )
    if labels is None:
        return
    if own or labels.shape != (batch,):
        raise ValueError(
            f"labels must be ({batch},) with keys (B, D); got {tuple(labels.shape)}. With keys (B, N, D) "
            "choose the candidates yourself."
        )
    if (labels == labels[0]).all():
        raise ValueError(
            f"labels must hold at least two values; got {batch} times {labels[0].item()}. Without rivals "
            "there is nothing to tell apart: mix the batch."
        )
