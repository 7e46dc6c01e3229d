"""MaskedAffectNet: AffectNet's pictures and labels, with a face mask drawn over every mouth and nose.

The masks are drawn by the corpus's landmarks while the pictures are stored (`fer_lib.preprocess.masks`).
Which mask a face gets depends on `mask_seed` and on its place among the labelled rows of the release, not
on how many are decoded at once, nor on the rows beside it.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.datasets import affectnet
from fer_lib.datasets.affectnet_csv import NO_LANDMARKS
from fer_lib.datasets.listing import Listing, Release

VERSION = 1  # raise when the same files would be read differently: their stores are then made again
NO_MASK = "no landmarks: no mask"
_BLOCK = 64  # rows that share a generator and are masked at once


def find(root: Path) -> str | None:
    """Say which form of AffectNet a folder holds: "npy", "csv", or None."""
    return affectnet.find(root)


def release(
    root: Path,
    *,
    classes: int = 8,
    framing: str = "given",
    mask_seed: int = 0,
    kinds: Sequence[str] | None = None,
) -> Release:
    """Find AffectNet and mask it.

    Args:
        root, classes, framing: see `fer_lib.datasets.affectnet.release`.
        mask_seed: draws the masks.
        kinds: which kinds of mask to choose from, of `fer_lib.preprocess.fabrics.KINDS`; None takes all.

    Returns:
        Release with AffectNet's columns and ``row``, a face's place among the labelled rows. Rows without
        landmarks are left out and counted.

    Raises:
        DataError: the folder holds neither form.
        ValueError: an option out of its range.
    """
    if isinstance(mask_seed, bool) or not isinstance(mask_seed, int | np.integer) or mask_seed < 0:
        raise ValueError(f"mask_seed must be a whole number, 0 or more; got {mask_seed!r}. Take 0.")
    chosen = _kinds(kinds)
    plain = affectnet.release(root, classes=classes, framing=framing)
    return dataclasses.replace(
        plain,
        name="masked_affectnet",
        version=100 * affectnet.VERSION + VERSION,
        listing=partial(_listing, plain.listing),
        source=f"{plain.source}; masks drawn with mask_seed={mask_seed}",
        finish=partial(_mask, seed=int(mask_seed), kinds=chosen),
        finish_mark={"mask_seed": int(mask_seed), "kinds": list(chosen or ())},
    )


def _kinds(kinds: Sequence[str] | None) -> tuple[str, ...] | None:
    from fer_lib.preprocess.fabrics import KINDS

    if kinds is not None and (isinstance(kinds, str) or not kinds or set(kinds) - set(KINDS)):
        raise ValueError(f"kinds must be some of {', '.join(KINDS)}; got {kinds!r}. None takes all.")
    return None if kinds is None else tuple(kinds)


def _listing(read: Callable[[], Listing]) -> Listing:
    """AffectNet's listing without the rows that have no landmarks."""
    plain = read()
    places = np.arange(len(plain.table))
    known = np.zeros(len(places), dtype=bool)
    if plain.landmarks is not None:
        known = np.ptp(plain.landmarks, axis=1).min(axis=1) > 0  # nan, or all points on one line, is none
    left_out = plain.table["split"][~known].value_counts()
    dropped = Counter({(str(split), NO_MASK): int(count) for split, count in left_out.items()})
    mended = {why: count for why, count in plain.mended.items() if why != NO_LANDMARKS}
    table = plain.table[known].reset_index(drop=True)
    table["row"] = places[known]
    return dataclasses.replace(
        plain,
        table=table,
        boxes=None if plain.boxes is None else plain.boxes[known],
        landmarks=None if plain.landmarks is None else plain.landmarks[known],
        dropped=plain.dropped + dropped,
        mended=Counter(mended),
    )


def _mask(
    images: np.ndarray,
    landmarks: np.ndarray,
    table: pd.DataFrame,
    *,
    seed: int,
    kinds: tuple[str, ...] | None,
) -> np.ndarray:
    """Draw the masks of uint8 images (B, C, S, S); rows are grouped by blocks of the release.

    A block draws the random numbers of all its rows, also of those that are not here: a row's mask is then
    the same in every company.
    """
    rows = table["row"].to_numpy()
    masked = images.copy()
    for block in np.unique(rows // _BLOCK):
        here = np.flatnonzero(rows // _BLOCK == block)
        stand_ins = np.full(int(rows[here].max() % _BLOCK) + 1, here[0])
        stand_ins[rows[here] % _BLOCK] = here
        drawn = _overlaid(images[stand_ins], landmarks[stand_ins], [seed, int(block)], kinds)
        masked[here] = drawn[rows[here] % _BLOCK]
    return masked


def _overlaid(
    images: np.ndarray, landmarks: np.ndarray, entropy: list[int], kinds: tuple[str, ...] | None
) -> np.ndarray:
    import torch

    from fer_lib.preprocess.masks import overlay

    state = int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))
    generator = torch.Generator().manual_seed(state)
    real = torch.from_numpy(images).float() / 255
    points = torch.from_numpy(np.asarray(landmarks, np.float32))
    masked = overlay(real, points, generator=generator, kinds=kinds)[0]
    return (masked * 255).round().byte().numpy()
