"""A corpus with classes, valence and arousal, as the thesis uses it: seven expressions, no contempt."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from fer_lib.graph import EXPRESSIONS
from fer_lib.train.parts import TASK_WORDS, Parts, load_parts, tasks_of_release
from fer_lib.train.sides import SideTargets, both_views

METRIC = "mean_class_accuracy"
VIEWS = ("categorical", "valence_arousal")


def check_both(name: str, *, root: str | Path | None = None, parameter: str = "dataset") -> None:
    """Refuse a corpus that does not label both an expression and its affect; no picture is read.

    Args:
        name: of a corpus or a world.
        root: folder of a real corpus: the release that lies there says what it labels.
        parameter: of the caller, for the message.

    Raises:
        ValueError: a corpus without one of them; names those that have both.
        DataError: an unknown corpus, or none in the folder.

    Example:
        >>> check_both("world:affwild2")
    """
    from fer_lib.datasets import describe, names

    tasks = describe(name).tasks
    if set(VIEWS) <= set(tasks):
        tasks = tasks_of_release(name, root) or tasks
    lacking = " and ".join(TASK_WORDS[task] for task in VIEWS if task not in tasks)
    if lacking:
        fit = ", ".join(one for one in names() if set(VIEWS) <= set(describe(one).tasks))
        raise ValueError(
            f"{parameter} must have faces with one class each and with valence and arousal; got {name!r}, "
            f"which lacks {lacking}. Take one of {fit}."
        )


def both_parts(
    name: str,
    *,
    root: str | Path | None = None,
    size: int | None = None,
    limits: tuple[int | None, int | None] = (None, None),
    seed: int = 0,
) -> Parts:
    """Load a corpus or a world whose faces have an expression, valence and arousal.

    Other expressions than the seven, such as contempt, are left out and counted; classes come in the order
    neutral, happiness, sadness, surprise, fear, disgust, anger. The metric is mean class accuracy. The epoch
    is chosen on a part of the training split that shares no person or clip with the rest where the corpus
    tells them (AffectNet and its world do not: some people have pictures in both). The reported set, of
    AffectNet its validation split, has no say in it.

    Args:
        name, root, size, limits, seed: see ``fer_lib.train.parts.load_parts``.

    Returns:
        Parts of ``SideTargets``: targets are classes, training targets class, valence and arousal.

    Raises:
        ValueError: a corpus without both kinds of labels, or too few faces.
        DataError: an unknown corpus, or data that are missing or broken.
    """
    check_both(name, root=root)
    parts = load_parts(name, ("categorical",), root=root, size=size, limits=limits, seed=seed)
    three = [_seven(both_views(faces)) for faces in (parts.train, parts.validation, parts.test)]
    counts, left_out = [len(faces) for faces in three], three[0].dropped or "none"
    if min(counts) < 2:  # a concordance of one face is none
        raise ValueError(
            f"dataset must leave 2 or more faces to learn from, to choose the epoch by and to report; got "
            f"{', '.join(map(str, counts))} of {name!r} (left out of the first: {left_out}). Take more "
            "faces, 50 say, or a release with both kinds of labels."
        )
    return Parts(*three)


def _seven(seen: SideTargets) -> Any:
    from fer_lib.adapt.study import relabel

    known = np.array([name in EXPRESSIONS for name in seen.classes])[seen.table["expression"].to_numpy()]
    named = dataclasses.replace(relabel(seen.faces, EXPRESSIONS), metric=METRIC)
    return SideTargets(named, seen.sides[known])
