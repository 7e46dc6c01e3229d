"""Find the clips that label files name: folders are called differently from copy to copy of a release."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fer_lib.datasets.clips import FILM_SUFFIXES
from fer_lib.datasets.listing import UNLABELLED
from fer_lib.datasets.paths import inside, walk


def clip_folders(root: Path, names: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Say which of the folders that may hold a split's clips are there.

    Args:
        root: folder of the release.
        names: split -> folders that may hold its clips, from `root`, the likeliest first.

    Returns:
        split -> those that are there, or else the likeliest.
    """
    return {
        split: [name for name in folders if (root / name).is_dir()] or [folders[0]]
        for split, folders in names.items()
    }


def clips_below(root: Path, folders: Iterable[str]) -> list[str]:
    """List the clips in some folders and below, as paths from the root, each once."""
    there = {folder for folder in folders if (root / folder).is_dir()}
    found = {f"{folder}/{name}" for folder in there for name in walk(root / folder, FILM_SUFFIXES)}
    return sorted(found)


def find_clips(root: Path, folders: Sequence[str], names: Sequence[str], where: Sequence[str]) -> list[str]:
    """Find the clip of each name.

    Args:
        root: folder of the release.
        folders: where clips of this split may lie, from `root`.
        names: as the label file has them, with or without the ending.
        where: the lines they stand on, for messages.

    Returns:
        Paths from the root; for a clip that is not there, where it should be.

    Raises:
        DataError: a name that leads out of its folder.
    """
    here = {folder: _endings(root / folder) for folder in folders}
    paths = []
    for name, line in zip(names, where, strict=True):
        path = inside(name, line)
        full = path if path.lower().endswith(FILM_SUFFIXES) else f"{path}.mp4"
        options = (f"{folder}/{here[folder].get(path, full)}" for folder in folders)
        there = (option for option in options if os.path.lexists(root / option))
        paths.append(next(there, f"{folders[0]}/{full}"))
    return paths


def _endings(folder: Path) -> dict[str, str]:
    """Names of the clips in a folder without their endings -> with them."""
    if not folder.is_dir():
        return {}
    names = sorted(name for name in os.listdir(folder) if name.lower().endswith(FILM_SUFFIXES))
    return {os.path.splitext(name)[0]: name for name in reversed(names)}


def count_unlabelled(root: Path, folders: Mapping[str, Sequence[str]], named: Iterable[str]) -> Counter:
    """Count the clips in the folders of each split that no label file names: (split, reason) -> count.

    A clip counts once, for the first split whose folders hold it.
    """
    seen, counts = set(named), Counter[tuple[str, str]]()
    for split, some in folders.items():
        alone = set(clips_below(root, some)) - seen
        counts[split, UNLABELLED] = len(alone)
        seen |= alone
    return +counts
