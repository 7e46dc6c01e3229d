"""FER+'s rules: from the ten votes on a picture to its label.

Barsoum, Zhang, Canton Ferrer and Zhang, "Training deep networks for facial expression recognition with
crowd-sourced label distribution", ICMI 2016, and the processing their authors published with the votes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets.faceset import target_columns

CLASSES = VOCABULARIES["ferplus"]
COLUMNS = tuple(f"votes_{name}" for name in (*CLASSES, "unknown", "not_a_face"))
K = len(CLASSES)  # columns K and K+1 count the votes for "unknown" and "not a face"
UNKNOWN, NOT_A_FACE, DISAGREE = "voted unknown", "voted not a face", "voters disagree"


def lone_votes_out(votes: np.ndarray) -> np.ndarray:
    """Set counts of one to zero: a label that a single voter gave is taken for a slip. (N, K + 2), float."""
    return np.where(np.asarray(votes) > 1, votes, 0).astype(float)


def majority(votes: np.ndarray) -> np.ndarray:
    """Keep the largest count where it is more than half of the votes, else nothing. One row, (K + 2,)."""
    kept = np.zeros_like(votes)
    top = votes.argmax()
    if votes[top] > votes.sum() / 2:
        kept[top] = votes[top]
    return kept


def probability(votes: np.ndarray) -> np.ndarray:
    """Keep the largest counts, down to three labels or three quarters of the votes. One row, (K + 2,).

    Equal counts are taken together. "Unknown" and "not a face" end it: they stand alone or not at all.
    Nothing is kept where ties give more than three labels, or where half of the votes or fewer are kept.
    """
    left, kept = votes.copy(), np.zeros_like(votes)
    while kept.sum() < 0.75 * votes.sum() and (kept > 0).sum() < 3:
        peak = left == left.max()
        stop = peak[K:].any()
        if stop and (kept[:K].any() or peak[:K].any()):
            peak[K:] = False
        elif stop:
            peak[K + 1] &= not peak[K]
        kept[peak], left[peak] = left[peak], 0
        if stop:
            break
    agreed = kept.sum() > votes.sum() / 2 and (kept > 0).sum() <= 3
    return kept if agreed else np.zeros_like(votes)


def multi_target(votes: np.ndarray) -> np.ndarray:
    """Keep counts of 30 % of the votes or more, if together they are more than half. One row, (K + 2,)."""
    kept = np.where(votes >= 0.3 * votes.sum(), votes, 0)
    return kept if kept.sum() > votes.sum() / 2 else np.zeros_like(votes)


RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "majority": majority,
    "probability": probability,
    "multi-target": multi_target,
}
TASKS = {
    "majority": ("categorical", "distribution"),
    "probability": ("distribution", "categorical"),
    "multi-target": ("multi_label", "distribution", "categorical"),
}


def label(table: pd.DataFrame, mode: str = "majority") -> tuple[pd.DataFrame, np.ndarray]:
    """Add FER+'s labels to a table of votes.

    Args:
        table: N rows with the columns `COLUMNS`, whole counts of votes.
        mode: "majority": one class that more than half of the voters chose. "probability": shares of the most
            voted classes. "multi-target": every class of 30 % or more counts as shown.

    Returns:
        The table with ``expression`` (the largest class, the first of equals, -1 where dropped), ``share_*``
        (sum 1; in mode "majority" the shares of all votes that are not alone, so that the same pictures can
        be read as distributions) and, for "multi-target", ``state_*`` (0/1); and (N,) strings, why a row is
        dropped or "".

    Raises:
        ValueError: an unknown mode.

    Example:
        >>> row = dict(zip(COLUMNS, [6, 3, 0, 0, 0, 0, 0, 1, 0, 0]))
        >>> float(label(pd.DataFrame([row]), "probability")[0]["share_neutral"][0].round(3))
        0.667
    """
    if mode not in RULES:
        raise ValueError(f"mode must be one of {', '.join(RULES)}; got {mode!r}. Choose one of these.")
    votes = lone_votes_out(table[list(COLUMNS)].to_numpy())
    distinct, where = np.unique(votes, axis=0, return_inverse=True)  # few of the 35,887 rows differ
    kept = np.array([RULES[mode](row) for row in distinct]).reshape(-1, K + 2)[where.ravel()]
    top = kept.argmax(axis=1)
    reason = np.select([~kept.any(axis=1), top == K, top == K + 1], [DISAGREE, UNKNOWN, NOT_A_FACE], "")
    counted = votes[:, :K] if mode == "majority" else kept[:, :K]
    columns = {"expression": np.where(reason == "", top, -1)}
    columns |= _columns("distribution", _shares(counted))
    if mode == "multi-target":
        columns |= _columns("multi_label", (kept[:, :K] > 0).astype(np.int64))
    labelled = table.drop(columns="expression", errors="ignore").assign(**columns)
    return labelled, reason.astype(object)


def _shares(counts: np.ndarray) -> np.ndarray:
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)


def _columns(task: str, values: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(target_columns(task, CLASSES), values.T, strict=True))
