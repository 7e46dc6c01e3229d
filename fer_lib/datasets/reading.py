"""What a reader of a corpus hands over: an opened store, labels, and why some rows are left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib import artifacts
from fer_lib.datasets.faceset import FaceSet, fingerprint_of
from fer_lib.datasets.store import Store


@dataclass(frozen=True)
class Reading:
    """All splits of a corpus, before a split is chosen.

    A new corpus is one module with ``read(root, *, size, **options) -> Reading``, an entry in
    `fer_lib.datasets.corpora.CORPORA` and one in `fer_lib.datasets.load.READERS`.

    Args:
        store: the pictures.
        table: a row a picture of the store: the store's own table, with the target's columns.
        reason: (M,) strings: why the corpus's rules drop a row, "" keeps it.
        task: what `FaceSet.targets` gives at first.
        tasks: every task the columns allow.
        classes: class names in the order of the targets.
        source: which files and rules the labels come from.
        mark: what the labels depend on beyond the store (a label file's identity, the mode), as JSON values.
    """

    store: Store
    table: pd.DataFrame
    reason: np.ndarray
    task: str
    tasks: tuple[str, ...]
    classes: tuple[str, ...]
    source: str
    mark: tuple[object, ...] = ()

    def choose(self, splits: tuple[str, ...], **fields: str) -> FaceSet:
        """Make the set of some splits; dropped rows of these splits are counted.

        Args:
            splits: "train", "validation", "test", in any number.
            **fields: name, unit, protocol, metric, licence.
        """
        wanted = self.table["split"].isin(splits).to_numpy()
        reasons = self.reason[wanted]
        dropped = {str(why): int((reasons == why).sum()) for why in np.unique(reasons[reasons != ""])}
        for (split, why), count in self.store.dropped.items():
            if split in splits:
                dropped[why] = dropped.get(why, 0) + count
        rows = np.flatnonzero(wanted & (self.reason == ""))
        truth = None if self.store.truth is None else self.store.truth.iloc[rows]
        origin = artifacts.key(store=self.store.fingerprint, mark=list(self.mark))
        return FaceSet(
            pixels=self.store.pixels,
            rows=rows,
            table=self.table.iloc[rows],
            task=self.task,
            classes=self.classes,
            tasks=self.tasks,
            source=self.source,
            fingerprint=fingerprint_of(origin, rows, self.task),
            truth=truth,
            dropped=dropped,
            origin=origin,
            **fields,
        )


def only(root: Path, *names: str) -> Path | None:
    """Return the first of `names` that `root` holds, or None."""
    return next((root / name for name in names if (root / name).exists()), None)


def listing(root: Path, limit: int = 6) -> str:
    """Name a few of the things a folder holds, for messages."""
    names = sorted(entry.name for entry in root.iterdir())
    if not names:
        return "an empty folder"
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")
