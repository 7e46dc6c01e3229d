"""`load`: one call for every corpus and every world."""

from __future__ import annotations

import dataclasses
import difflib
import inspect as signatures
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from fer_lib import remote
from fer_lib.datasets import (
    affectnet,
    affwild2,
    amigos,
    elderreact,
    emoreact,
    fabo,
    fer2013,
    ferplus,
    folder,
    jaffe,
    masked_affectnet,
    omg_emotion,
    worldset,
)  # fmt: skip
from fer_lib.datasets.corpora import (
    CORPORA,
    OWN,
    SYNTHETIC_LICENCE,
    WORLD,
    CorpusInfo,
    describe,
    metric_of,
    names,
)  # fmt: skip
from fer_lib.datasets.faceset import SPLITS, FaceSet
from fer_lib.datasets.pictures import check_size
from fer_lib.datasets.reading import ALLOW_MISSING, Reading, check_task, read
from fer_lib.errors import DataError

READERS: dict[str, ModuleType] = {
    "affectnet": affectnet,
    "masked_affectnet": masked_affectnet,
    "fer2013": fer2013,
    "ferplus": ferplus,
    "jaffe": jaffe,
    "omg_emotion": omg_emotion,
    "elderreact": elderreact,
    "emoreact": emoreact,
    "fabo": fabo,
    "amigos": amigos,
    "affwild2": affwild2,
    OWN.name: folder,
}
"""Corpora that can be read: modules with ``find(root)`` and ``release(root, **options)``."""

SYNTHETIC = "SYNTHETIC.txt"  # in the root of what `fer data write` wrote
_ARGUMENTS = ("root", "split", "size", "limit", "seed", "task", "allow_missing", "workers", "progress")


def load(
    name: str,
    *,
    root: str | Path | None = None,
    split: str = "train",
    size: int | None = None,
    limit: int | None = None,
    seed: int = 0,
    task: str | None = None,
    allow_missing: float = ALLOW_MISSING,
    workers: int | None = None,
    progress: bool | None = None,
    **options: Any,
) -> FaceSet:
    """Load a corpus or a world; the first call decodes or renders it into the store, later ones open that.

    Args:
        name: "ferplus", "world:ferplus", ...; see `names`.
        root: folder of a real corpus; None looks in ``$FER_DATA/<name>``, then in ``$FER_DATA``.
        split: "train", "validation", "test", several joined by "+", or "all".
        size: side of the pictures in pixels; None keeps the corpus's own.
        limit: at most so many faces: of a corpus a random part, of a world only so many are rendered.
        seed: of a corpus, draws the part that `limit` takes; of a world, draws its people and scenes.
        task: one of the corpus's tasks; None takes its usual one. Rows without its label are left out.
        allow_missing: share of a corpus's rows, 0 to 1, that may lack a readable file, or a frame of their
            stretch of a film; such rows are left out and counted, and listed in ``skipped.csv`` of the
            store. More of them are an error.
        workers: processes that render a world, or threads that decode a corpus; None takes
            ``$FER_WORKERS``, else all cores. The pictures do not depend on it.
        progress: show a bar meanwhile; None shows it on a terminal only.
        **options: of the corpus, such as ``mode="probability"`` of FER+.

    Returns:
        The faces; what the corpus's rules leave out is counted in `FaceSet.dropped`. Decoding that was
        interrupted goes on where it was.

    Raises:
        DataError: unknown corpus, no root, no such split, or data that break a rule.
        ValueError: an argument or option out of its range.
    """
    info = describe(name)
    splits = _splits(split)
    check_size(size)
    _check_limit(limit)
    check_share(allow_missing)
    check_options(name, options)
    if name.startswith(WORLD):
        options |= {"workers": workers, "progress": progress}
        reading = worldset.read(name, splits=splits, size=size, limit=limit, seed=seed, **options)
    else:
        place = find_root(name, root)
        how = {"size": size, "workers": workers, "progress": progress, "allow_missing": allow_missing}
        reading = _read(name, place, task, how, options)
        info = _terms(info, place)
    faces = _choose(reading.for_task(task, name), info, splits, split)
    if limit is None or limit >= len(faces) or name.startswith(WORLD):
        return faces
    part = np.random.default_rng(seed).choice(len(faces), limit, replace=False)
    return faces.subset(np.sort(part))


def _read(name: str, root: Path, task: str | None, how: dict[str, Any], options: dict[str, Any]) -> Reading:
    """Read a corpus for a task; its reader is told the task if it wants to know.

    Aff-Wild2's does: it has other splits for each task.
    """
    release = READERS[name].release
    if task is not None and "task" in signatures.signature(release).parameters:
        options = options | {"task": task}
    found = release(root, **options)
    check_task(task, found.tasks, name)
    return read(found, **how)


def _terms(info: CorpusInfo, root: Path) -> CorpusInfo:
    """The terms of a corpus, or those of its world where the folder says that a world was written there."""
    return dataclasses.replace(info, licence=SYNTHETIC_LICENCE) if is_written_world(root) else info


def is_written_world(root: Path) -> bool:
    """Whether the folder (of a file: the one it lies in) says that a world was written there."""
    return ((root if root.is_dir() else root.parent) / SYNTHETIC).is_file()


def find_root(name: str, root: str | Path | None) -> Path:
    """Find the folder of a real corpus.

    Args:
        name: of a corpus with a reader.
        root: the user's, or None (or "") for the environment's. What lies at an address such as
            "s3://lab/ferplus" is copied to this machine first, see `fer_lib.remote.fetch`; an address in
            ``$FER_DATA`` holds a folder a corpus.

    Raises:
        DataError: it is nowhere; says how to obtain the corpus.
        StorageError: remote storage does not answer, or refuses.
    """
    everywhere = os.environ.get("FER_DATA", "")
    if not root and remote.is_remote(everywhere) and name != OWN.name:
        root = remote.join(everywhere, name)
    if remote.is_remote(root):
        return remote.fetch(str(root))
    obtain = f"{describe(name).access} Then give root= or set FER_DATA to the folder that holds {name}."
    if name == OWN.name:  # any folder with photos would pass for your own faces: none is looked for
        obtain = f"{OWN.obtain} Then give root=, the folder that holds them."
        if not root:
            raise DataError(name, "root must be given", "none", obtain)
    if root:
        path = Path(root).expanduser()
        if not path.exists():
            missing = "" if name == OWN.name else f" To get {name}: {describe(name).access}"
            raise DataError("root", "must be a folder that exists", str(path), f"Check the path.{missing}")
        return path
    if not os.environ.get("FER_DATA"):
        raise DataError(name, "root must be given, or FER_DATA set", "neither", obtain)
    base = Path(os.environ["FER_DATA"]).expanduser()
    for path in (base / name, base):
        if path.is_dir() and READERS[name].find(path):
            return path
    got = f"not in {base / name} or {base}"
    raise DataError(name, f"FER_DATA must hold {CORPORA[name].layout}", got, obtain)


def catalogue(root: str | Path | None = None) -> pd.DataFrame:
    """Say of every corpus and world whether it can be loaded, where it lies, and what is missing.

    Args:
        root: folder to look in instead of ``$FER_DATA``: in ``root/<name>``, then in ``root`` itself.

    Returns:
        A row a corpus: name, title, ready (bool), found (folder or ""), form, missing, obtain.
    """
    given = root or os.environ.get("FER_DATA")
    base = str(given) if remote.is_remote(given) else Path(given).expanduser() if given else None
    return pd.DataFrame([_entry(describe(name), base) for name in names()])


def _entry(info: CorpusInfo, base: Path | str | None) -> dict[str, object]:
    entry = {"name": info.name, "title": info.title, "ready": False, "found": "", "form": "", "missing": ""}
    if info.name.startswith(WORLD):
        return entry | {"ready": True, "found": "rendered", "form": "world", "obtain": info.access}
    if isinstance(base, str):
        address = remote.join(base, info.name)
        if remote.exists(address):
            return entry | {"ready": True, "found": address, "form": "remote", "obtain": info.access}
        base = None
    places = [] if base is None else [base / info.name, base]
    for place in places:
        form = READERS[info.name].find(place) if place.is_dir() else None
        if form:
            return entry | {"ready": True, "found": str(place), "form": form, "obtain": info.access}
    return entry | {"missing": info.layout, "obtain": info.access}


def _splits(split: str) -> tuple[str, ...]:
    """Parse "train", "validation+test", "all"."""
    parts = SPLITS if split == "all" else tuple(str(split).split("+"))
    unknown = [part for part in parts if part not in SPLITS]
    if unknown:
        near = difflib.get_close_matches(unknown[0], SPLITS, n=1, cutoff=0.3)
        hint = f"Did you mean {near[0]!r}?" if near else 'Join several with "+".'
        raise ValueError(f"split must be all, or some of {', '.join(SPLITS)}; got {split!r}. {hint}")
    return tuple(dict.fromkeys(parts))


def _check_limit(limit: int | None) -> None:
    whole = isinstance(limit, int | np.integer) and not isinstance(limit, bool)
    if limit is not None and not (whole and limit > 0):
        raise ValueError(f"limit must be a whole number above 0, or None; got {limit!r}. None takes all.")


def check_share(share: float) -> None:
    """Refuse a share of rows, `allow_missing`, outside [0, 1]."""
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ValueError(f"allow_missing must lie in [0, 1]; got {share!r}. 0.2 bears a fifth of the rows.")


def check_options(name: str, options: dict[str, Any]) -> None:
    """Refuse options that the corpus's reader does not have."""
    reader = READERS.get(name)
    if reader is not None:
        known = [*signatures.signature(reader.release).parameters][1:]  # after root
    else:
        known = ["mode"] if name == f"{WORLD}ferplus" else []
    for option in options:
        if option not in known:
            near = difflib.get_close_matches(option, [*known, *_ARGUMENTS], n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "Leave it out."
            rule = f"options of {name} must be among {known}" if known else f"{name} takes no options"
            raise TypeError(f"{rule}; got {option!r}. {hint}")


def _choose(reading: Reading, info: CorpusInfo, splits: tuple[str, ...], split: str) -> FaceSet:
    """Choose the splits; an empty choice is an error that names the splits there are."""
    there = reading.table["split"].value_counts().to_dict()
    if not any(part in there for part in splits):
        has = ", ".join(f"{part} ({there[part]})" for part in SPLITS if part in there)
        fix = f"This release has {has}; part it with faces.split(fraction, seed=...) if it lacks one."
        raise DataError(f"{info.name}, {reading.source}", f"split {split!r} must hold rows", "none", fix)
    faces = reading.choose(
        splits,
        name=info.name,
        unit=info.unit,
        protocol=info.protocol,
        metric=metric_of(info.name, reading.task),
        licence=info.licence,
    )
    if not len(faces):
        left = ", ".join(f"{why} {count}" for why, count in faces.dropped.items())
        fix = "Try another split, or another mode of labels."
        raise DataError(info.name, f"split {split!r} must hold rows after the corpus's rules", left, fix)
    return faces
