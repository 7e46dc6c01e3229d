"""Randomness that a seed and an epoch decide, so that a resumed training draws what it would have drawn."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside the block PyTorch's global random numbers follow from ``seed``; afterwards they are as before.

    For building a model whose first weights are to be repeatable.

    Args:
        seed: any integer.

    Example:
        >>> with seeded(1):
        ...     first = torch.rand(2)
        >>> with seeded(1):
        ...     again = torch.rand(2)
        >>> torch.equal(first, again)
        True
    """
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def epoch_seed(seed: int, epoch: int, use: str, rank: int = 0) -> int:
    """Seed for one use of random numbers in one epoch.

    Args:
        seed: the training's seed.
        epoch: 0, 1, ...
        use: what is drawn, such as "order" or "dropout"; two uses never share numbers.
        rank: the process, where several train together.

    Returns:
        An integer in [0, 2^63).

    Example:
        >>> epoch_seed(0, 1, "order") == epoch_seed(0, 1, "order") != epoch_seed(0, 2, "order")
        True
    """
    digest = hashlib.sha256(f"{seed}/{epoch}/{use}/{rank}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
