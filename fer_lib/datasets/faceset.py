"""`FaceSet`: pictures and what is known of each, the one currency of the book.

Pixels stay in the decode-once store, mapped into memory; a set is a choice of the store's rows with one row
of a table for each. Choosing, splitting and leaving out therefore copies no picture.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fer_lib import artifacts
from fer_lib.errors import DataError

if TYPE_CHECKING:
    import torch

TASKS = ("categorical", "distribution", "valence_arousal", "multi_label")
UNITS = ("image", "sequence")
SPLITS = ("train", "validation", "test")
METRICS = {
    "categorical": "accuracy",
    "distribution": "accuracy",
    "valence_arousal": "ccc",
    "multi_label": "macro_f1",
}


def target_columns(task: str, classes: tuple[str, ...]) -> list[str]:
    """Name the table's columns that hold the target of a task.

    Args:
        task: "categorical", "distribution", "valence_arousal" or "multi_label".
        classes: names of the classes, in the order of the target's columns.

    Example:
        >>> target_columns("distribution", ("neutral", "happiness"))
        ['share_neutral', 'share_happiness']
    """
    prefix = {"distribution": "share", "multi_label": "state"}.get(task)
    if prefix:
        return [f"{prefix}_{name}" for name in classes]
    return ["expression"] if task == "categorical" else ["valence", "arousal"]


def unlabelled(table: pd.DataFrame, task: str, classes: tuple[str, ...]) -> np.ndarray:
    """bool (N,): rows of a table that lack the target of a task: nan, or an expression of -1."""
    values = table[target_columns(task, classes)].to_numpy()
    missing = values < 0 if task == "categorical" else np.isnan(values.astype(float))
    return missing.any(axis=1)


@dataclass(frozen=True, eq=False, repr=False)
class FaceSet:
    """N face pictures with their table, as every chapter takes them.

    Args:
        name: corpus or world, such as "ferplus" or "world:ferplus".
        pixels: uint8 (M, C, H, W), the whole store, usually memory-mapped.
        rows: int64 (N,), the rows of the store that this set holds, in its order.
        table: N rows. ``expression`` is an index into `classes` (-1: none), ``split`` one of "train",
            "validation", "test"; ``share_*`` hold a distribution, ``state_*`` 0/1 states, ``valence`` and
            ``arousal`` numbers in [-1, 1]; other columns as the corpus has them.
        task: what `targets` gives: "categorical", "distribution", "valence_arousal" or "multi_label".
        unit: "image", or "sequence" where a row is one frame of a clip.
        classes: names of the classes, in the order of the targets.
        tasks: every task these columns allow.
        protocol: how the corpus is evaluated, in words.
        metric: "ccc", "accuracy", "mean_class_accuracy" or "macro_f1".
        source: which files and rules the labels come from.
        licence: terms of the corpus.
        fingerprint: names the content: the pictures, their labels, the rows chosen and the task.
        truth: worlds only: N rows of what the renderer knows.
        dropped: reason -> number of pictures left out, by the corpus's rules or by `without`.
        mended: what the reader mended -> how often, in the whole corpus, such as cells clamped into range.
        origin: names the store and labels this set was chosen from; sets of one origin share `pixels`, so
            features cached by origin and row serve all of them.

    Raises:
        ValueError: the parts do not fit each other.
    """

    name: str
    pixels: np.ndarray
    rows: np.ndarray
    table: pd.DataFrame
    task: str
    unit: str
    classes: tuple[str, ...]
    tasks: tuple[str, ...]
    protocol: str
    metric: str
    source: str
    licence: str
    fingerprint: str
    truth: pd.DataFrame | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    origin: str = ""
    mended: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = np.asarray(self.rows, dtype=np.int64)
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "origin", self.origin or self.fingerprint)
        object.__setattr__(self, "table", self.table.reset_index(drop=True))
        if self.truth is not None:
            object.__setattr__(self, "truth", self.truth.reset_index(drop=True))
        _check(self)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        channels, height, width = self.pixels.shape[1:]
        splits = "+".join(dict.fromkeys(self.table["split"])) if "split" in self.table else "no split"
        return f"FaceSet({self.name}: {len(self)} faces {channels}x{height}x{width}, {self.task}, {splits})"

    @property
    def synthetic(self) -> bool:
        """Whether a world rendered these faces, now or into the files they were read from."""
        return self.name.startswith("world:") or self.licence.startswith("synthetic faces")

    @property
    def images(self) -> np.ndarray:
        """uint8 (N, C, H, W): a view of the store where the rows are a range, otherwise a copy in memory."""
        if len(self) and np.array_equal(self.rows, np.arange(self.rows[0], self.rows[0] + len(self))):
            return self.pixels[self.rows[0] : self.rows[0] + len(self)]
        return self.pixels[self.rows]

    def batch(self, index: object) -> torch.Tensor:
        """Gather pictures by their position in this set.

        Args:
            index: integers (B,), a boolean mask (N,) or a slice.

        Returns:
            uint8 tensor (B, C, H, W), a copy.
        """
        import torch

        return torch.from_numpy(np.ascontiguousarray(self.pixels[self.rows[positions(index, len(self))]]))

    def targets(self) -> torch.Tensor:
        """Return what a model is to predict, in the order of the set.

        Returns:
            long (N,) for "categorical"; float32 (N, K) for "distribution" (rows sum to 1) and "multi_label"
            (0 or 1); float32 (N, 2) = (valence, arousal) for "valence_arousal".

        Raises:
            DataError: some rows carry no label.
        """
        import torch

        values = self.table[target_columns(self.task, self.classes)].to_numpy()
        missing = unlabelled(self.table, self.task, self.classes)
        if missing.any():
            first = int(np.flatnonzero(missing)[0])
            fix = "Keep the labelled rows with faces.subset, or load a split that has labels."
            rule = f"every row must have a {self.task} label"
            raise DataError(
                f"{self.name}, row {first} of the set", rule, f"{int(missing.sum())} without", fix
            )
        if self.task == "categorical":
            return torch.from_numpy(values[:, 0].astype(np.int64))
        return torch.from_numpy(values.astype(np.float32))

    def subset(self, index: object) -> FaceSet:
        """Choose rows: integers (their order is kept, repeats allowed), a boolean mask (N,), or a slice."""
        chosen = positions(index, len(self))
        rows = self.rows[chosen]
        truth = None if self.truth is None else self.truth.iloc[chosen]
        mark = fingerprint_of(self.origin, rows, self.task)
        return dataclasses.replace(
            self,
            rows=rows,
            table=self.table.iloc[chosen],
            truth=truth,
            dropped=dict(self.dropped),
            fingerprint=mark,
        )

    def without(self, index: object, *, reason: str) -> FaceSet:
        """Leave rows out and count them in `dropped` under `reason`.

        Args:
            index: integers or a boolean mask, such as ``inspect(faces).leaked``.
            reason: a few words; counts under the same words add up.
        """
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"reason must be a few words; got {reason!r}. Say why these rows are left out.")
        keep = np.ones(len(self), dtype=bool)
        keep[positions(index, len(self))] = False
        rest = self.subset(keep)
        count = int((~keep).sum())
        if count:
            rest.dropped[reason] = rest.dropped.get(reason, 0) + count
        return rest

    def as_task(self, task: str) -> FaceSet:
        """Read the same faces for another of their `tasks`; the metric follows the task.

        Rows that lack the label of that task are left out, and counted in `dropped`.
        """
        if task not in self.tasks:
            raise ValueError(
                f"task must be one of {', '.join(self.tasks)} for {self.name}; got {task!r}. "
                "Choose one of these, or a corpus whose labels allow the task."
            )
        if task == self.task:
            return self
        from fer_lib.datasets.corpora import metric_of

        mark = fingerprint_of(self.origin, self.rows, task)
        faces = dataclasses.replace(self, task=task, metric=metric_of(self.name, task), fingerprint=mark)
        blank = unlabelled(self.table, task, self.classes)
        return faces.without(blank, reason=f"no {task} label") if blank.any() else faces

    def split(self, fraction: float, *, seed: int) -> tuple[FaceSet, FaceSet]:
        """Part the set in two: by subject where known, else by clip, else stratified by class.

        Args:
            fraction: share of the rows of the second part, in (0, 1).
            seed: draws the parts; the same seed gives the same parts.

        Returns:
            ``(rest, part)``, both in the set's order. No subject and no clip is in both; rows without a
            subject go with their clip, or are alone. Where everybody is one person, clips are parted.
        """
        from fer_lib.datasets.splitting import draw_part

        mask = draw_part(self, fraction, seed)
        return self.subset(~mask), self.subset(mask)

    def counts(self) -> pd.DataFrame:
        """Count faces: a row a split, a column a class, then ``unlabelled`` (if any) and ``all``.

        Distributions count their largest class. For multi-label data a face counts in each of its classes.
        Valence and arousal give ``all``, means and standard deviations.
        """
        from fer_lib.datasets.counting import count

        return count(self)


def positions(index: object, length: int) -> np.ndarray:
    """Turn integers, a boolean mask or a slice into non-negative positions, int64.

    Example:
        >>> positions([0, -1], 5).tolist()
        [0, 4]
    """
    if isinstance(index, slice):
        return np.arange(length)[index]
    index = np.atleast_1d(np.asarray(index))
    if index.size == 0 and index.dtype != bool:
        return np.zeros(0, dtype=np.int64)
    if index.dtype == bool:
        if index.shape != (length,):
            raise ValueError(
                f"mask must have shape ({length},); got {index.shape}. Give one truth value a face."
            )
        return np.flatnonzero(index)
    if index.ndim != 1 or not np.issubdtype(index.dtype, np.integer):
        raise TypeError(
            f"index must be integers or a boolean mask; got {index.dtype} {index.shape}. Convert it."
        )
    if index.min() < -length or index.max() >= length:
        worst = index.max() if index.max() >= length else index.min()
        raise IndexError(f"index must lie below {length}, the size of the set; got {worst}. Check the index.")
    return np.where(index < 0, index + length, index).astype(np.int64)


def fingerprint_of(origin: str, rows: np.ndarray, task: str) -> str:
    """Name a choice of rows for a task; the same choice has one name however it was reached."""
    digest = hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()
    return artifacts.key(origin=origin, rows=digest, task=task)


def _check(faces: FaceSet) -> None:
    """Refuse parts that do not fit each other; one message for the first that does not."""
    store, rows, truth = faces.pixels, faces.rows, faces.truth
    kind = f"{store.dtype} {store.shape}"
    inside = not rows.size or (rows.min() >= 0 and rows.max() < len(store))
    wanted = target_columns(faces.task, faces.classes) if faces.task in TASKS else []
    absent = [column for column in wanted if column not in faces.table]
    rules = [
        (store.ndim == 4 and store.dtype == np.uint8, "pixels", "be uint8 (M, C, H, W)", kind),
        (rows.ndim == 1, "rows", "have one dimension", rows.shape),
        (inside, "rows", f"lie in [0, {len(store)})", rows),
        (len(faces.table) == rows.size, "table", f"have {rows.size} rows", len(faces.table)),
        (truth is None or len(truth) == rows.size, "truth", f"have {rows.size} rows", "another number"),
        (faces.task in TASKS and faces.task in faces.tasks, "task", f"be one of {faces.tasks}", faces.task),
        (faces.unit in UNITS, "unit", f"be one of {UNITS}", faces.unit),
        (not absent, "table", f"have the columns {wanted}", f"none named {absent}"),
    ]
    for holds, argument, rule, got in rules:
        if not holds:
            raise ValueError(f"{argument} must {rule}; got {got}. Build sets with fer_lib.datasets.load.")
