"""The three sets of an experiment: to learn from, to choose the epoch by, to test on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer_lib.datasets import FaceSet


@dataclass(frozen=True)
class Parts:
    """Sets of one corpus that share no face, and no person where people are known.

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

    The model is chosen on 12 % of the training split, so that both other splits can be reported.

    Args:
        name: as ``fer_lib.datasets.load`` takes it.
        tasks: the tasks that the experiment can do, the preferred first; others are refused.
        root: folder of a real corpus.
        size: side of the images in pixels; None keeps the corpus's own.
        limits: at most so many images of the training split, and of the test splits.
        seed: draws the world, the limited part of a corpus, and the validation part.

    Raises:
        DataError: an unknown corpus, or data that are missing or broken.
        ValueError: the corpus has another task, or sequences; names those that fit.
    """
    task = check_task(name, tasks)
    rest, test = load_train_and_test(name, root=root, size=size, limits=limits, seed=seed)
    train, validation = rest.as_task(task).split(0.12, seed=seed)
    return Parts(train, validation, test.as_task(task))


def load_train_and_test(
    name: str,
    *,
    root: str | Path | None = None,
    size: int | None = None,
    limits: tuple[int | None, int | None] = (None, None),
    seed: int = 0,
) -> tuple["FaceSet", "FaceSet"]:
    """Load what may be learned from, and what is only reported.

    A corpus that has but one split (JAFFE, FABO) gives a quarter of its people as the test set.

    Args:
        name, root, size, seed: as ``fer_lib.datasets.load`` takes them; the seed also draws that quarter.
        limits: at most so many images of the training split, and of all others together.

    Raises:
        DataError: an unknown corpus, or data that are missing or broken.
    """
    from fer_lib.datasets import describe, load

    counts = describe(name).counts
    others = [split for split in ("validation", "test") if counts.get(split)]
    if others or not counts:
        test = load(name, root=root or None, split="validation+test", size=size, limit=limits[1], seed=seed)
        return load(name, root=root or None, split="train", size=size, limit=limits[0], seed=seed), test
    both = None if None in limits else sum(limit or 0 for limit in limits)
    return load(name, root=root or None, split="all", size=size, limit=both, seed=seed).split(0.25, seed=seed)


def check_task(name: str, tasks: Sequence[str]) -> str:
    """First of the tasks that a corpus of single images allows; nothing is loaded.

    Raises:
        ValueError: there is none; names the corpora that fit.

    Example:
        >>> check_task("world:affectnet", ["valence_arousal", "categorical"])
        'valence_arousal'
    """
    from fer_lib.datasets import describe, names

    def fits(corpus: str) -> list[str]:
        info = describe(corpus)
        return [task for task in tasks if task in info.tasks and info.unit == "image"]

    if not fits(name):
        info = describe(name)
        fitting = ", ".join(corpus for corpus in names() if fits(corpus)) or "none"
        raise ValueError(
            f"dataset must label single images by one of the tasks {', '.join(tasks)}; "
            f"got {name!r} ({', '.join(info.tasks)}, labelled by {info.unit}). These fit: {fitting}."
        )
    return fits(name)[0]
