"""Which faces count as alike: the sequences of contrastive predictive coding (chapter 06).

A video gives sequences by itself. Single pictures do not; Barros and Sciutti (2022) make a sequence out of
faces that share a label. Whatever a sequence shares is what the encoder is paid to notice.
"""

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from fer_lib.affect import va_bins
from fer_lib.errors import DataError

if TYPE_CHECKING:
    from fer_lib.datasets import FaceSet

POSITIVES = ("label", "same clip", "same face", "random")
"""What the faces of a sequence share: a class or a square of the affect plane; a clip, in the order of time;
one picture, changed anew at each step; nothing."""


def groups_of(faces: "FaceSet", positives: str, *, bins: int = 4) -> Tensor:
    """Number the groups within which sequences are drawn.

    Args:
        faces: any set.
        positives: one of `POSITIVES`.
        bins: squares along each axis of the affect plane, for faces with valence and arousal.

    Returns:
        long (N,): with "label" the square, the class, the class with most votes, or the combination of
        states; with "same clip" the clip; with "same face" the face; with "random" 0 for all.

    Raises:
        ValueError: another word.
        DataError: "same clip" of single pictures.
    """
    if positives not in POSITIVES:
        raise ValueError(f"positives must be one of {', '.join(POSITIVES)}; got {positives!r}. Choose one.")
    if positives == "same face":
        return torch.arange(len(faces))
    if positives == "random":
        return torch.zeros(len(faces), dtype=torch.long)
    if positives == "same clip":
        return torch.from_numpy(_clips(faces))
    return torch.from_numpy(_labels(faces, bins))


def _clips(faces: "FaceSet") -> np.ndarray:
    from fer_lib.datasets.splitting import clips_of

    clips = clips_of(faces)
    if clips is None:
        raise DataError(
            faces.name, "faces must be frames of clips", "single pictures", "Choose positives='label'."
        )
    return clips.astype(np.int64)


def _labels(faces: "FaceSet", bins: int) -> np.ndarray:
    values = faces.targets().numpy()
    if faces.task == "valence_arousal":
        valence, arousal = values.clip(-1, 1).T
        return va_bins(valence, arousal, bins)
    if faces.task == "categorical":
        return values.astype(np.int64)
    if faces.task == "distribution":
        return values.argmax(1).astype(np.int64)
    return np.unique(values, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def draw_sequences(
    groups: Tensor, length: int, *, positives: str = "label", generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Cut every group into sequences, each face once, in random order.

    A group's last sequence is filled up with other faces of the group. Groups with fewer faces than a
    sequence is long are left out: a face that comes twice in a sequence would be its own positive. With
    "same clip" a sequence is a run of neighbouring frames. With "same face" it is one face again and again,
    and only so many faces are drawn that the sequences hold N pictures in all.

    Args:
        groups: long (N,), from :func:`groups_of`; within a clip in the order of time.
        length: faces in a sequence, at least 2.
        positives: one of `POSITIVES`.
        generator: of the draws.

    Returns:
        Rows (M, length) and the group of each sequence (M,), both long, in random order.

    Raises:
        ValueError: a length below 2.
        DataError: no group is large enough.

    Example:
        >>> groups = torch.tensor([0, 0, 0, 0, 1, 1, 2])
        >>> rows, of = draw_sequences(groups, 2, generator=torch.Generator().manual_seed(0))
        >>> sorted(of.tolist()), bool((groups[rows] == of[:, None]).all())
        ([0, 0, 1], True)
    """
    if length < 2:
        raise ValueError(f"length must be at least 2; got {length}. A face is observed, another predicted.")
    if positives == "same face":
        count = max(2, len(groups) // length)  # as many pictures in all as the other ways take
        order = torch.randperm(len(groups), generator=generator)[:count]
        return order[:, None].expand(-1, length), groups[order]
    pieces = []
    for group in groups.unique():
        members = (groups == group).nonzero().squeeze(1)
        if len(members) >= length:
            pieces.append(_cut(members, length, positives == "same clip", generator))
    if not pieces:
        most = int(groups.unique(return_counts=True)[1].max())
        raise DataError(
            "sequences", f"a group must have {length} faces", most, "Take fewer bins, or shorter sequences."
        )
    rows = torch.cat(pieces)
    rows = rows[torch.randperm(len(rows), generator=generator)]
    return rows, groups[rows[:, 0]]


def _cut(members: Tensor, length: int, in_time: bool, generator: torch.Generator) -> Tensor:
    """Rows (m, length) of one group."""
    rest = len(members) % length
    if in_time:  # begin anywhere within what is over, and keep the order
        start = int(torch.randint(rest + 1, (1,), generator=generator))
        return members[start : start + len(members) - rest].view(-1, length)
    order = members[torch.randperm(len(members), generator=generator)]
    if rest:  # the faces before the rest are not in it
        order = torch.cat([order, order[: length - rest]])
    return order.view(-1, length)


def label_entropy(groups: Tensor) -> float:
    """Entropy of the group of a face drawn at random, in nats: all that a sequence of a group can tell.

    Args:
        groups: long (N,).

    Example:
        >>> round(label_entropy(torch.tensor([0, 0, 1, 1])), 4)  # log 2
        0.6931
    """
    share = groups.unique(return_counts=True)[1].double() / len(groups)
    return -(share * share.log()).sum().item()
