"""Everything that `check` reads of a corpus, counted: by split and class, beside what is published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_lib.datasets.corpora import CorpusInfo
from fer_lib.datasets.faceset import SPLITS, target_columns
from fer_lib.datasets.listing import Release


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything that was read of a corpus, except the pixels.

    Args:
        info: what is published of it.
        release: what was read.
        table: N decoded rows, with the labels.
        reason: (N,) why the corpus's rules leave a row out, "" keeps it.
        digests: uint64 (N,) of the pictures.
        ranges: int64 (N,), range of each picture's values.
        faceless: bool (N,), no face found by the cascade; None where it was not asked.
        skipped: path, split, reason, detail of the rows that could not be kept.
        dropped: (split, reason) -> rows left out before or while decoding, beside those skipped.
        mended: what was mended -> how often.
        allow_missing: largest share of files that may be missing or unreadable.
        synthetic: whether a world was written out here.
    """

    info: CorpusInfo
    release: Release
    table: pd.DataFrame
    reason: np.ndarray
    digests: np.ndarray
    ranges: np.ndarray
    faceless: np.ndarray | None
    skipped: list[tuple[str, str, str, str]]
    dropped: Mapping[tuple[str, str], int]
    mended: Mapping[str, int]
    allow_missing: float
    synthetic: bool

    @property
    def kept(self) -> np.ndarray:
        """Positions (K,) of the rows that the corpus's rules keep."""
        return np.flatnonzero(self.reason == "")

    @property
    def films(self) -> bool:
        """Whether rows are frames of clips, which follow each other and look alike."""
        return self.info.unit == "sequence"

    def names(self, rows: Iterable[int], number: int = 5) -> tuple[str, ...]:
        """Name the first of some rows: the file, and the frame of a clip."""
        chosen = [int(row) for _, row in zip(range(number), rows, strict=False)]
        return tuple(self.name(row) for row in chosen)

    def name(self, row: int) -> str:
        """Name a row."""
        path = str(self.table["path"].iloc[row])
        clip = self.release.media == "clips" and "frame" in self.table
        return f"{path}, frame {self.table['frame'].iloc[row]}" if clip else path

    def things(self) -> np.ndarray:
        """(N,) what the published numbers count: the picture, the clip's file, or the video."""
        if not self.films:
            return np.arange(len(self.table))
        column = "video" if self.release.media == "pictures" and "video" in self.table else "path"
        return self.table[column].to_numpy()

    def number(self, split: str) -> int:
        """How many things of a split are kept; "all" takes every split."""
        things = self.things()[self.kept]
        part = self.table["split"].to_numpy()[self.kept]
        return len(pd.unique(things if split == "all" else things[part == split]))

    def by_class(self, split: str) -> dict[str, int]:
        """Rows of a split by class; {} where there are no classes. Multi-label rows count in each class."""
        task = class_task(self.release.tasks)
        if task is None:
            return {}
        usable = labelled(self, task)
        if split != "all":
            usable &= (self.table["split"] == split).to_numpy()
        sums = classes_shown(self, task)[usable].sum(axis=0)
        return {name: int(count) for name, count in zip(self.release.classes, sums, strict=True)}

    def counts(self) -> pd.DataFrame:
        """A row a split: rows by class, mean valence and arousal, ``all``, clips, the published number."""
        part = self.table["split"].to_numpy()[self.kept]
        there = [split for split in SPLITS if (part == split).any()]
        told = published(self)
        rows = {}
        for split in [*there, "all"] if len(there) != 1 or "all" in told else there:
            row: dict[str, object] = dict(self.by_class(split))
            rows_there = self.kept if split == "all" else self.kept[part == split]
            if "valence_arousal" in self.release.tasks:
                means = self.table[["valence", "arousal"]].iloc[rows_there].mean()
                row |= {"valence": round(means["valence"], 3), "arousal": round(means["arousal"], 3)}
            row["all"] = len(rows_there)
            if self.films:
                row["clips"] = self.number(split)
            if told:
                row["published"] = told[split][0] if split in told else None
            rows[split] = row
        frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("split")
        return frame.astype({"published": "Int64"}) if "published" in frame else frame


def class_task(tasks: tuple[str, ...]) -> str | None:
    """The task of some that has classes, or None."""
    return next((task for task in tasks if task != "valence_arousal"), None)


def without_label(values: np.ndarray, task: str) -> np.ndarray:
    """Find rows without a label: bool (N,) of float (N, K)."""
    missing: np.ndarray = np.isnan(values).any(axis=1)
    return missing | (values[:, 0] == -1) if task == "categorical" else missing


def labelled(evidence: Evidence, task: str) -> np.ndarray:
    """Find kept rows with a label of a task, bool (N,)."""
    columns = target_columns(task, evidence.release.classes)
    return ~without_label(evidence.table[columns].to_numpy(float), task) & (evidence.reason == "")


def classes_shown(evidence: Evidence, task: str) -> np.ndarray:
    """Which classes each row shows, bool (N, K); of a distribution the largest."""
    classes = evidence.release.classes
    values = evidence.table[target_columns(task, classes)].to_numpy(float)
    if task == "multi_label":
        return values > 0
    number = values[:, 0] if task == "categorical" else np.nan_to_num(values, nan=-1).argmax(axis=1)
    shown: np.ndarray = number[:, None] == np.arange(len(classes))
    return shown


def published(evidence: Evidence) -> dict[str, tuple[int, dict[str, int]]]:
    """What is published of each split: the number, and the numbers by class where they are known.

    A form or a task of the corpus may have numbers of its own, and a form its own splits; where the release
    was read with fewer classes, as AffectNet with seven, only those count.
    """
    info, release = evidence.info, evidence.release
    if release.task in info.task_counts:
        return {split: (total, {}) for split, total in info.task_counts[release.task].items()}
    own = info.form_counts.get(release.form, {})
    if (set(info.counts) - set(own)) & set(evidence.table["split"]):
        own = {}  # this copy has the usual splits, such as FER2013's folders with PublicTest_ in the names
    form = release.form if own or release.form not in info.form_counts else ""
    told = {}
    for split, total in (own or info.counts).items():
        usual = info.class_counts.get(split, ()) if total == info.counts.get(split) else ()
        row = info.class_counts.get(f"{split} {form}") or usual
        by_class = {name: n for name, n in zip(info.classes, row, strict=False) if name in release.classes}
        told[split] = (sum(by_class.values()) if by_class else total, by_class)
    return told
