"""Clips in place of single pictures: a row a clip, utterance or execution, each with as many frames."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fer_lib import artifacts
from fer_lib.datasets.faceset import positions, target_columns
from fer_lib.datasets.splitting import draw_part, stretches_of

if TYPE_CHECKING:
    import torch

    from fer_lib.datasets.faceset import FaceSet


@dataclass(frozen=True, eq=False, repr=False)
class SequenceSet:
    """M clips of T frames each; trains, is predicted and evaluated like a `FaceSet` of M rows.

    Made by :func:`as_sequences`. A clip is a whole: it is never parted, and its prediction counts once.

    Args:
        frames: the pictures, each once.
        index: int64 (M, T), positions in `frames` of each clip's frames, in the order of time.
        table: M rows: the first of each clip, with the label of the clip.
        truth: worlds only: what the renderer knows of the first frame of each clip.
    """

    frames: FaceSet
    index: np.ndarray
    table: pd.DataFrame
    truth: pd.DataFrame | None = None

    unit = "sequence"

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", self.table.reset_index(drop=True))
        if self.truth is not None:
            object.__setattr__(self, "truth", self.truth.reset_index(drop=True))

    def __len__(self) -> int:
        return len(self.index)

    def __repr__(self) -> str:
        return f"SequenceSet({self.name}: {len(self)} clips of {self.length} frames, {self.task})"

    @property
    def length(self) -> int:
        """T, the frames of each clip."""
        return self.index.shape[1]

    @property
    def name(self) -> str:
        """Corpus or world."""
        return self.frames.name

    @property
    def task(self) -> str:
        """What `targets` gives, see `FaceSet`."""
        return self.frames.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the targets."""
        return self.frames.classes

    @property
    def metric(self) -> str:
        """How the corpus is scored."""
        return self.frames.metric

    @property
    def synthetic(self) -> bool:
        """Whether a world rendered these faces."""
        return self.frames.synthetic

    @property
    def licence(self) -> str:
        """Terms of the corpus."""
        return self.frames.licence

    @property
    def origin(self) -> str:
        """Names the store and labels that the frames were chosen from."""
        return self.frames.origin

    @property
    def fingerprint(self) -> str:
        """Names the content: the frames of each clip, their order, and the task."""
        digest = hashlib.sha256(self.frames.rows[self.index].astype("<i8").tobytes()).hexdigest()
        return artifacts.key(origin=self.origin, clips=digest, length=self.length, task=self.task)

    @property
    def item_bytes(self) -> int:
        """Bytes of one clip."""
        return self.length * int(np.prod(self.frames.pixels.shape[1:]))

    def batch(self, index: object) -> torch.Tensor:
        """Gather clips by their position in this set: uint8 (B, T, C, H, W), a copy.

        Args:
            index: integers (B,), a boolean mask (M,) or a slice.
        """
        chosen = self.index[positions(index, len(self))]
        return self.frames.batch(chosen.ravel()).unflatten(0, chosen.shape)

    def targets(self) -> torch.Tensor:
        """One label a clip, as `FaceSet.targets` gives them.

        Raises:
            DataError: some clips carry no label.
        """
        rows = np.zeros(len(self), dtype=np.int64)  # no picture is read
        return dataclasses.replace(self.frames, rows=rows, table=self.table, truth=None).targets()

    def subset(self, index: object) -> SequenceSet:
        """Choose clips: integers (their order is kept), a mask (M,), or a slice. Frames are shared."""
        chosen = positions(index, len(self))
        truth = None if self.truth is None else self.truth.iloc[chosen]
        return SequenceSet(self.frames, self.index[chosen], self.table.iloc[chosen], truth)

    def split(self, fraction: float, *, seed: int) -> tuple[SequenceSet, SequenceSet]:
        """Part the set in two as `FaceSet.split` does: nobody, and no video, is in both.

        Args:
            fraction: share of the clips of the second part, in (0, 1).
            seed: draws the parts.
        """
        mask = draw_part(self, fraction, seed)  # type: ignore[arg-type]  # reads table, unit and task
        return self.subset(~mask), self.subset(mask)

    def counts(self) -> pd.DataFrame:
        """Count clips as `FaceSet.counts` counts faces."""
        from fer_lib.datasets.counting import count

        return count(self)  # type: ignore[arg-type]


def as_sequences(faces: FaceSet, length: int) -> SequenceSet:
    """Join the frames of each clip, utterance or execution: whatever stretch of film has a label of its own.

    A stretch is cut into `length` equal parts and the frame in the middle of each is taken: all of them where
    there are as many, every few where there are more, some several times where there are fewer. Frames
    without a face are not in the set and so in no clip.

    Where the corpus labels the stretch, all its frames carry that label. Where labels differ between its
    frames (Aff-Wild2), the clip has the mean of valence, arousal and shares, the most frequent class (of
    equally frequent ones, the first in time), and a state that at least half of the frames have. All labelled
    frames of the stretch count, also those that the clip leaves out.

    Args:
        faces: frames of clips, such as ``load("world:omg_emotion")`` or a part of it.
        length: T, frames of each clip, at least 1.

    Raises:
        ValueError: a corpus of single pictures, or a length below 1.

    Example:
        >>> from fer_lib.datasets import load
        >>> clips = as_sequences(load("world:fabo", size=32, limit=12), 5)
        >>> clips.batch([0, 1]).shape, clips.index[0].tolist()
        (torch.Size([2, 5, 3, 32, 32]), [0, 0, 1, 2, 2])
    """
    if length < 1:
        raise ValueError(f"length must be at least 1; got {length}. Give the frames of each clip.")
    group = stretches_of(faces)
    if group is None:
        raise ValueError(
            f"faces must come from clips; got the single pictures of {faces.name}. Take a decision layer "
            "without GRU, or a corpus of clips such as omg_emotion, elderreact, emoreact or fabo."
        )
    time = faces.table["frame"].to_numpy() if "frame" in faces.table else np.arange(len(faces))
    order = np.lexsort((time, group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    counts = np.diff(starts, append=len(order))
    middles = (np.arange(length) + 0.5) / length  # of equal parts of [0, 1]
    places = starts[:, None] + np.floor(middles * counts[:, None]).astype(np.int64)
    used, index = np.unique(order[places], return_inverse=True)
    first = order[starts]
    truth = None if faces.truth is None else faces.truth.iloc[first]
    table = _labelled(faces, group).iloc[first]
    return SequenceSet(faces.subset(used), index.reshape(places.shape).astype(np.int64), table, truth)


def _labelled(faces: FaceSet, group: np.ndarray) -> pd.DataFrame:
    """The table with each stretch's label in all its rows."""
    columns = target_columns(faces.task, faces.classes)
    labels = faces.table[columns].groupby(group)
    if faces.task == "categorical":
        known = faces.table["expression"].where(faces.table["expression"] >= 0)
        label = known.groupby(group).transform(_most_frequent).astype(np.int64).to_frame()
    else:
        label = labels.transform("mean")
    if faces.task == "multi_label":
        label = label.ge(0.5).astype(float).where(label.notna())
    return faces.table.assign(**{column: label[column] for column in columns})


def _most_frequent(values: pd.Series) -> float:
    """The most frequent value; of several, the first to appear. -1 where all are missing."""
    counts = values.dropna().value_counts(sort=False)  # in order of appearance
    return -1 if counts.empty else counts.idxmax()
