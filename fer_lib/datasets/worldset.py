"""Worlds as corpora: the same columns, splits and labels, rendered into a store instead of decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fer_lib.datasets import votes
from fer_lib.datasets.corpora import WORLD, world_of
from fer_lib.datasets.reading import Reading
from fer_lib.datasets.store import Chunk, build
from fer_lib.errors import DataError

if TYPE_CHECKING:
    from fer_lib.worlds import World

VERSION = 1


def read(
    name: str,
    *,
    splits: tuple[str, ...],
    size: int | None,
    limit: int | None,
    seed: int,
    mode: str = "majority",
) -> Reading:
    """Render some splits of a world, or open them if they were rendered before.

    Args:
        name: such as "world:ferplus".
        splits: which to render.
        size: side in pixels; None takes the world's own.
        limit: number of images over all `splits`, shared in proportion to their sizes; None renders all.
        seed: draws the world's people and scenes.
        mode: for "world:ferplus" only, see `fer_lib.datasets.votes.label`.
    """
    world = world_of(name)
    size = size or world.size
    numbers = _shares({split: world.counts[split] for split in splits if world.counts.get(split)}, limit)
    if not numbers:
        rule = f"split must be one of {', '.join(world.counts)}"
        raise DataError(name, rule, "+".join(splits), "Choose one of these; part it with faces.split.")

    def chunks() -> Iterator[Chunk]:
        for split, number in numbers.items():
            yield from _rendered(world, split, number, size, seed)

    short = name.removeprefix(WORLD)
    parts = {"reader": "world", "version": VERSION, "code": code_of_worlds(), "world": short}
    store = build(chunks, **parts, numbers=list(numbers.items()), size=size, seed=seed)
    source = f"rendered by fer_lib.worlds, seed {seed}"
    if short == "ferplus":
        table, reason = votes.label(store.table, mode)
        tasks = votes.TASKS[mode]
        source += f", {mode} labels"
        return Reading(store, table, reason, tasks[0], tasks, votes.CLASSES, source, (mode,))
    keep = np.full(len(store.table), "", dtype=object)
    return Reading(store, store.table, keep, world.task, tuple(world.tasks), tuple(world.classes), source)


def code_of_worlds() -> str:
    """Hash the renderer's source, so that a world drawn by another version of it is rendered again."""
    from fer_lib import worlds

    digest = hashlib.sha256()
    folder = Path(worlds.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


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


def _rendered(world: World, split: str, number: int, size: int, seed: int) -> Iterator[Chunk]:
    """Pass one split's images on with their rows of the tables."""
    images, table, truth = world.build(split, n=number, size=size, seed=seed)
    table = _as_release(world, table)
    start = 0
    for batch in images:
        stop = start + len(batch)
        yield Chunk(np.asarray(batch), table.iloc[start:stop], truth.iloc[start:stop])
        start = stop
    if start != number:
        got = f"{start} instead of {number} for {split!r}"
        raise ValueError(f"a world must render n images; got {got}. Correct the world.")


def _as_release(world: World, table: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that a release has beside the labels: FER+ names its pictures."""
    if world.name == "ferplus":
        table = table.copy()
        table.insert(1, "image", table["path"].str.rsplit("/", n=1).str[-1])
    return table
