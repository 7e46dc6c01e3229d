"""From a release to labelled faces: an opened store, labels, and why some rows are left out."""

from __future__ import annotations

import dataclasses
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from fer_lib import artifacts
from fer_lib.datasets import decoding, drafts
from fer_lib.datasets.faceset import FaceSet, fingerprint_of, unlabelled
from fer_lib.datasets.listing import FORBIDDEN, LOST, MISSING, NO_FRAME, Listing, Release
from fer_lib.datasets.store import Chunk, Skip, Store
from fer_lib.errors import DataError

VERSION = 2  # of decoding and framing: raise it when the same file would give other pixels
ALLOW_MISSING = 0.2


@dataclass(frozen=True)
class Reading:
    """All splits of a corpus, before a split is chosen.

    A new corpus is one module with ``release(root, **options) -> Release``, an entry in
    `fer_lib.datasets.facts.CORPORA` and one in `fer_lib.datasets.load.READERS`; `read` does the rest.

    Args:
        store: the pictures.
        table: a row a picture of the store: the store's own table, with the target's columns.
        reason: (M,) strings: why the corpus's rules drop a row, "" keeps it.
        task: what `FaceSet.targets` gives at first.
        tasks: every task the columns allow.
        classes: class names in the order of the targets.
        source: which files and rules the labels come from.
        mark: what the labels depend on beyond the store (a label file's identity, the mode), as JSON values.
        mended: what the corpus's rules mended -> how often, beyond what the store tells.
        complete: whether `choose` leaves out rows that lack the task's label, and counts them.
    """

    store: Store
    table: pd.DataFrame
    reason: np.ndarray
    task: str
    tasks: tuple[str, ...]
    classes: tuple[str, ...]
    source: str
    mark: tuple[object, ...] = ()
    mended: Counter = field(default_factory=Counter)
    complete: bool = False

    def for_task(self, task: str | None, name: str) -> Reading:
        """The same reading for another of its `tasks`; None keeps it."""
        check_task(task, self.tasks, name)
        return self if task in (None, self.task) else dataclasses.replace(self, task=task)

    def choose(self, splits: tuple[str, ...], **fields: str) -> FaceSet:
        """Make the set of some splits; dropped rows of these splits are counted.

        Args:
            splits: "train", "validation", "test", in any number.
            **fields: name, unit, protocol, metric, licence.
        """
        wanted = self.table["split"].isin(splits).to_numpy()
        reason = self.reason
        if self.complete:
            blank = unlabelled(self.table, self.task, self.classes)
            reason = np.where(blank & (reason == ""), f"no {self.task} label", reason)
        reasons = reason[wanted]
        dropped = {str(why): int((reasons == why).sum()) for why in np.unique(reasons[reasons != ""])}
        for (split, why), count in self.store.dropped.items():
            if split in splits:
                dropped[why] = dropped.get(why, 0) + count
        rows = np.flatnonzero(wanted & (reason == ""))
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
            mended=dict(Counter(self.store.mended) + self.mended),
            origin=origin,
            **fields,
        )


def read(
    release: Release,
    *,
    size: int | None = None,
    workers: int | None = None,
    progress: bool | None = None,
    allow_missing: float = ALLOW_MISSING,
) -> Reading:
    """Decode a release into its store, or open the store that is there, and apply the release's rule.

    Args:
        release: what a reader found.
        size: side of the stored pictures; None takes the release's own.
        workers, progress: see `fer_lib.datasets.decoding.chunks`; they change nothing in the store.
        allow_missing: the share of rows, from 0 to 1, that may lack a readable file, or a frame of their
            stretch of it; such rows are left out and counted.

    Raises:
        DataError: a label file breaks a rule, too many files are missing, or the disk is full.
    """
    size = size or release.side
    source = partial(_source, release, size, {"workers": workers, "progress": progress})

    def bear(skipped: list[Skip], listed: int, whole: bool) -> None:
        _bear(release, allow_missing, skipped, listed, whole)

    store = drafts.build(source, bear, **_parts(release, size))
    if _came_back(release, store):
        drafts.forget(store)
        store = drafts.build(source, bear, **_parts(release, size))
    bear(store.skipped() if store.dropped else [], store.listed, True)
    if not len(store.table):
        _none_left(release, store)
    table, reason = store.table, np.full(len(store.table), "", dtype=object)
    if release.rule is not None:
        table, reason = release.rule(table)
    return Reading(
        store=store,
        table=table,
        reason=reason,
        task=release.task,
        tasks=release.tasks,
        classes=release.classes,
        source=release.source,
        mark=release.mark,
        mended=release.mended(table) if release.mended else Counter(),
        complete=release.complete,
    )


def _source(release: Release, size: int, how: dict[str, Any]) -> drafts.Source:
    """Read the label files; called only where the store is absent."""
    listing = release.listing()
    if release.chunks is None:
        _check(release, listing)

    def chunks(start: int) -> Iterator[Chunk]:
        return decoding.chunks(release, listing, size=size, start=start, **how)

    listed = len(listing.table)
    pictures = 0 if release.media == "clips" else listed
    shape = (release.channels, size, size)
    return drafts.Source(chunks, listed, pictures, shape, Counter(listing.dropped), Counter(listing.mended))


def _parts(release: Release, size: int) -> dict[str, object]:
    """Everything the store's content depends on."""
    return {
        "reader": release.name,
        "version": [release.version, VERSION],
        "form": release.form,
        "files": list(release.files),
        "size": size,
        "channels": release.channels,
        "framing": release.framing,
        "every_s": release.every_s,
        "upright": release.upright,
        "finish": dict(release.finish_mark),
    }


def _came_back(release: Release, store: Store) -> bool:
    """Whether a file that could not be read when the store was made was mended or put back since.

    Identities may pass over such a change, as where a broken file is overwritten in place.
    """
    lost = [skip for skip in store.skipped() if skip[2] in LOST] if store.dropped else []
    made = (store.folder / "meta.json").stat().st_mtime
    for path, _, reason, _ in lost:
        try:
            status = os.stat(os.path.join(release.root, path))
        except OSError:
            continue
        changed = status.st_ctime if reason == FORBIDDEN else status.st_mtime
        if reason == MISSING or made <= changed <= time.time():  # dates to come would never pass
            return True
    return False


def check_task(task: str | None, tasks: tuple[str, ...], name: str) -> None:
    """Refuse a task that a corpus does not allow; None is its usual one."""
    if task is not None and task not in tasks:
        rule = f"task must be one of {', '.join(tasks)} for {name}"
        raise ValueError(f"{rule}; got {task!r}. Choose one of these, or another corpus.")


def _bear(release: Release, share: float, skipped: list[Skip], listed: int, whole: bool) -> None:
    """Refuse a corpus of which more than a share of the rows has no readable file, or no frame in it.

    Args:
        skipped: rows left out so far, for any reason.
        listed: rows that the label files name.
        whole: whether all of them were looked at.
    """
    lost = [skip for skip in skipped if skip[2] in LOST]
    if len(lost) <= share * listed:
        return
    path, _, reason, detail = lost[0]
    beyond = any(skip[2] == NO_FRAME for skip in lost)
    lack = "a readable file or a frame of their stretch" if beyond else "a readable file"
    rule = f"at most {share:.0%} of a corpus's rows may lack {lack}"
    first = f"The first is {path}: {reason}" + (f" ({detail})." if detail else ".")
    times = " Stretches are told in seconds, not in frames." if beyond else ""
    fix = f"{first}{times} Complete the files, or give allow_missing= a larger share."
    got = f"{len(lost)}{'' if whole else ' or more'} of {listed}"
    raise DataError(f"{release.name}, {release.root}", rule, got, fix)


def _check(release: Release, listing: Listing) -> None:
    """Refuse a listing without rows, or whose parts do not fit; the latter is a reader's fault."""
    number = len(listing.table)
    if not number:
        left = _told(listing.dropped)
        fix = "Check that the release was unpacked as a whole."
        where = f"{release.name}, {release.root}"
        raise DataError(where, "the label files must name pictures or clips", left or "none", fix)
    for name, wanted in (("boxes", (number, 4)), ("landmarks", (number, 68, 2)), ("spans", (number, 2))):
        values = getattr(listing, name)
        if values is not None and np.shape(values) != wanted:
            raise ValueError(f"{name} must be {wanted}; got {np.shape(values)}. Correct the reader.")


def _none_left(release: Release, store: Store) -> None:
    left = _told(store.dropped) or "no rows"
    fix = 'Look at the pictures; framing="whole" looks for no faces.'
    where = f"{release.name}, {release.root}"
    raise DataError(where, "a corpus must have a picture that can be kept", left, fix)


def _told(dropped: Counter) -> str:
    """Reasons and how often they hold over all splits, in words."""
    whole: Counter = Counter()
    for (_, why), count in dropped.items():
        whole[why] += count
    return ", ".join(f"{why} {count}" for why, count in sorted(whole.items()))
