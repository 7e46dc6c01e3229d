"""The three sets of an experiment: to learn from, to choose the epoch by, to test on."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fer_lib.datasets import FaceSet

HELD_OUT = ("validation", "test")
TASK_WORDS = {
    "valence_arousal": "valence and arousal",
    "categorical": "one class each",
    "distribution": "votes",
    "multi_label": "several states each",
}


@dataclass(frozen=True)
class Parts:
    """Sets of one corpus that share no face, no person where people are known, and no clip.

    Args:
        train: to learn from.
        validation: part of the training split; chooses the epoch.
        test: every other split of the corpus; only reported.
    """

    train: "FaceSet"
    validation: "FaceSet"
    test: "FaceSet"


def load_parts(
    name: str,
    tasks: Sequence[str],
    *,
    root: str | Path | None = None,
    size: int | None = None,
    limits: tuple[int | None, int | None] = (None, None),
    seed: int = 0,
) -> Parts:
    """Load a corpus or a world as the parts of one experiment.

    The model is chosen on 12 % of the training split. Reported is the corpus's test split; where it has none
    with labels, its validation split.

    Args:
        name: as ``fer_lib.datasets.load`` takes it. Frames of clips are taken as pictures.
        tasks: the tasks that the experiment can do, the preferred first; others are refused.
        root: folder of a real corpus.
        size: side of the images in pixels; None keeps the corpus's own.
        limits: at most so many images of the training split, and of the test set.
        seed: draws the world, the limited part of a corpus, and the validation part.

    Raises:
        DataError: an unknown corpus, or data that are missing or broken.
        ValueError: the corpus has another task; names those that fit.
    """
    task = check_task(name, tasks, root=root)
    given: dict[str, Any] = {"root": root, "size": size, "limits": limits, "seed": seed}
    rest, test = load_train_and_test(name, **given, task=task, test_alone=True)
    train, validation = rest.split(0.12, seed=seed)
    return Parts(train, validation, test)


def load_train_and_test(
    name: str,
    *,
    root: str | Path | None = None,
    size: int | None = None,
    limits: tuple[int | None, int | None] = (None, None),
    seed: int = 0,
    task: str | None = None,
    test_alone: bool = False,
) -> tuple["FaceSet", "FaceSet"]:
    """Load what may be learned from, and what is only reported.

    A corpus that has but one split (JAFFE, FABO) gives a quarter of its people as the test set, and so does
    one whose other splits carry no labels; a quarter of its clips, or of its pictures, where people are not
    known.

    Args:
        name, root, size, seed: as ``fer_lib.datasets.load`` takes them; the seed also draws that quarter.
        limits: at most so many images of the training split, and of all others together.
        task: that both are read for; None keeps the corpus's first.
        test_alone: report the corpus's test split only, where it has one with labels; False adds validation.

    Raises:
        DataError: an unknown corpus, or data that are missing or broken.
    """
    from fer_lib.datasets import load
    from fer_lib.datasets.corpora import WORLD, world_of

    given: dict[str, Any] = {"root": root or None, "size": size, "seed": seed}
    if name.startswith(WORLD):
        splits = _held_out([split for split, count in world_of(name).counts.items() if count], test_alone)
        if splits:
            test = as_task(load(name, split="+".join(splits), limit=limits[1], **given), task)
            return as_task(load(name, split="train", limit=limits[0], **given), task), test
        both = None if None in limits else sum(limit or 0 for limit in limits)
        return as_task(load(name, split="all", limit=both, **given), task).split(0.25, seed=seed)
    faces = as_task(load(name, split="all", task=task, **given), task)
    split = faces.table["split"]
    rest, held = ~split.isin(HELD_OUT), split.isin(_held_out(set(split), test_alone))
    pair = faces.subset(rest.to_numpy()), faces.subset(held.to_numpy())
    if not (len(pair[0]) and len(pair[1])):
        pair = faces.split(0.25, seed=seed)
    return some(pair[0], limits[0], seed=seed), some(pair[1], limits[1], seed=seed)


def _held_out(there: Collection[str], test_alone: bool) -> list[str]:
    """The splits to report, of those there are."""
    return ["test"] if test_alone and "test" in there else [split for split in HELD_OUT if split in there]


def as_task(faces: "FaceSet", task: str | None) -> "FaceSet":
    """Read a set for a task; rows without a label of it are left out and counted."""
    from fer_lib.datasets.faceset import unlabelled

    faces = faces if task is None else faces.as_task(task)
    missing = unlabelled(faces.table, faces.task, faces.classes)
    return faces.without(missing, reason=f"no {faces.task} label") if missing.any() else faces


def some(faces: "FaceSet", limit: int | None, *, seed: int) -> "FaceSet":
    """Take at most `limit` faces, drawn at random, in the order of the set."""
    import numpy as np

    if limit is None or limit >= len(faces):
        return faces
    return faces.subset(np.sort(np.random.default_rng(seed).choice(len(faces), limit, replace=False)))


def dataset_of(faces: "FaceSet") -> str:
    """Name the data in result rows: a world that was written out as a release counts as the world.

    Written out as somebody's own photos, whose world is not told, it is a "synthetic folder".

    Example:
        >>> from types import SimpleNamespace
        >>> dataset_of(SimpleNamespace(name="jaffe", synthetic=True))
        'world:jaffe'
    """
    from fer_lib.datasets.corpora import OWN, WORLD

    if not faces.synthetic or faces.name.startswith(WORLD):
        return faces.name
    return f"synthetic {OWN.name}" if faces.name == OWN.name else f"{WORLD}{faces.name}"


def check_task(name: str, tasks: Sequence[str], *, root: str | Path | None = None) -> str:
    """First of the tasks that a corpus allows; no picture is decoded.

    Args:
        name: of a corpus or a world.
        tasks: the tasks that the caller can do, the preferred first.
        root: folder of a real corpus. Where it is known, or ``FER_DATA`` is set, the release that lies there
            says which of its corpus's tasks it has labels for.

    Raises:
        DataError: an unknown corpus, or none in the folder.
        ValueError: there is no such task; names the corpora that fit.

    Example:
        >>> check_task("world:affectnet", ["valence_arousal", "categorical"])
        'valence_arousal'
    """
    from fer_lib.datasets import describe, names
    from fer_lib.datasets.corpora import WORLD

    allowed = describe(name).tasks
    if not allowed or ((root or os.environ.get("FER_DATA")) and set(allowed) & set(tasks)):
        allowed = tasks_of_release(name, root) or allowed
    fitting = [task for task in tasks if task in allowed]
    if not fitting:
        known = [one for one in names() if set(describe(one).tasks) & set(tasks)]
        fit = ", ".join(one for one in known if not one.startswith(WORLD)) or "none"
        asked, has = (" or ".join(TASK_WORDS[task] for task in of) or "no labels" for of in (tasks, allowed))
        raise ValueError(
            f"dataset must have faces with {asked}; got {name!r}, which has {has}. "
            f"These fit: {fit}, each also as its world ({WORLD}NAME)."
        )
    return fitting[0]


def tasks_of_release(name: str, root: str | Path | None = None) -> tuple[str, ...]:
    """Tasks that the release in a folder has labels for; () for worlds.

    Raises:
        DataError: no folder is given, or none of the corpus; says how to obtain it.
    """
    from fer_lib.datasets.corpora import WORLD
    from fer_lib.datasets.load import READERS, find_root

    if name.startswith(WORLD):
        return ()
    return tuple(READERS[name].release(find_root(name, root)).tasks)
