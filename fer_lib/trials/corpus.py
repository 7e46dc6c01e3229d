"""A corpus with classes, valence and arousal, as the thesis uses it: seven expressions, no contempt."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from fer_lib.graph import EXPRESSIONS
from fer_lib.train.parts import Parts, load_parts
from fer_lib.train.sides import SideTargets, both_views

METRIC = "mean_class_accuracy"


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
        ValueError: a corpus without both kinds of labels.
        DataError: an unknown corpus, or data that are missing or broken.
    """
    parts = load_parts(name, ("categorical",), root=root, size=size, limits=limits, seed=seed)
    return Parts(*(_seven(both_views(faces)) for faces in (parts.train, parts.validation, parts.test)))


def _seven(seen: SideTargets) -> Any:
    from fer_lib.adapt.study import relabel

    known = np.array([name in EXPRESSIONS for name in seen.classes])[seen.table["expression"].to_numpy()]
    named = dataclasses.replace(relabel(seen.faces, EXPRESSIONS), metric=METRIC)
    return SideTargets(named, seen.sides[known])
