"""Worlds as corpora: the same columns, splits and labels, rendered into a store instead of decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fer_lib.datasets import votes
from fer_lib.datasets.corpora import WORLD, world_of
from fer_lib.datasets.reading import Reading
from fer_lib.datasets.store import Chunk, build
from fer_lib.errors import DataError

if TYPE_CHECKING:
    from fer_lib.worlds import World

VERSION = 2
READING = ("regions.py",)  # looks at what was painted: no picture changes with it


def read(
    name: str,
    *,
    splits: tuple[str, ...],
    size: int | None,
    limit: int | None,
    seed: int,
    mode: str = "majority",
    workers: int | None = None,
    progress: bool | None = None,
) -> Reading:
    """Render some splits of a world, or open them if they were rendered before.

    Args:
        name: such as "world:ferplus".
        splits: which to render.
        size: side in pixels; None takes the world's own.
        limit: number of images over all `splits`, shared in proportion to their sizes; None renders all.
        seed: draws the world's people and scenes.
        mode: for "world:ferplus" only, see `fer_lib.datasets.votes.label`.
        workers, progress: see `fer_lib.worlds.workers.render_parts`; they change no picture.
    """
    world = world_of(name)
    size = size or world.size
    numbers = _shares({split: world.counts[split] for split in splits if world.counts.get(split)}, limit)
    if not numbers:
        rule = f"split must be one of {', '.join(world.counts)}"
        raise DataError(name, rule, "+".join(splits), "Choose one of these; part it with faces.split.")

    def chunks() -> Iterator[Chunk]:
        yield from _rendered(world, numbers, size, seed, {"workers": workers, "progress": progress})

    short = name.removeprefix(WORLD)
    parts = {"reader": "world", "version": VERSION, "code": code_of_worlds(), "world": short}
    store = build(chunks, **parts, numbers=list(numbers.items()), size=size, seed=seed)
    source = f"rendered by fer_lib.worlds, seed {seed}"
    if short == "ferplus":
        table, reason = votes.label(store.table, mode)
        tasks = votes.TASKS[mode]
        source += f", {mode} labels"
        return Reading(store, table, reason, tasks[0], tasks, votes.CLASSES, source, (mode,))
    reason = _reasons(store.table)
    return Reading(store, store.table, reason, world.task, tuple(world.tasks), tuple(world.classes), source)


def code_of_worlds() -> str:
    """Hash the renderer's source, so that a world drawn by another version of it is rendered again."""
    from fer_lib import worlds

    digest = hashlib.sha256()
    folder = Path(worlds.__file__).parent
    masks = [folder.parent / "preprocess" / f"{name}.py" for name in ("masks", "fabrics", "headpose")]
    painting = [path for path in sorted(folder.rglob("*.py")) if path.name not in READING]
    for path in [*painting, *masks]:
        digest.update(path.relative_to(folder.parent).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _reasons(table: pd.DataFrame) -> np.ndarray:
    """Why rows are left out: Aff-Wild2 marks frames that nobody could judge by -5 and -1."""
    reason = np.full(len(table), "", dtype=object)
    for column, invalid in (("valence", -5), ("arousal", -5), ("expression", -1)):
        if column in table:
            reason[(table[column] == invalid).to_numpy()] = "no valid annotation (-5 or -1)"
    return reason


def _shares(counts: dict[str, int], limit: int | None) -> dict[str, int]:
    """Share `limit` among splits by their sizes (largest remainder); splits left with none drop out."""
    total = sum(counts.values())
    if limit is None or limit >= total:
        return counts
    exact = {split: limit * count / total for split, count in counts.items()}
    shares = {split: int(value) for split, value in exact.items()}
    by_rest = sorted(exact, key=lambda split: shares[split] - exact[split])
    for split in by_rest[: limit - sum(shares.values())]:
        shares[split] += 1
    return {split: number for split, number in shares.items() if number}


def _rendered(
    world: World, numbers: dict[str, int], size: int, seed: int, how: dict[str, Any]
) -> Iterator[Chunk]:
    """Pass the splits' images on with their rows of the tables."""
    from fer_lib.worlds.workers import render_parts

    got = 0
    for images, table, truth in render_parts(world, numbers, size=size, seed=seed, **how):
        yield Chunk(np.asarray(images), _as_release(world, table), truth)
        got += len(images)


def _as_release(world: World, table: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that a release has beside the labels: FER+ names its pictures."""
    if world.name == "ferplus":
        table = table.copy()
        table.insert(1, "image", table["path"].str.rsplit("/", n=1).str[-1])
    return table
