"""What the two forms of "your own faces" share: names of splits and classes, and what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from fer_lib.affect import VOCABULARIES

SPLIT_NAMES = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation",
    "val": "validation", "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip
SPELLINGS = {
    "happy": "happiness", "joy": "happiness", "sad": "sadness", "surprised": "surprise", "afraid": "fear",
    "fearful": "fear", "disgusted": "disgust", "angry": "anger", "contemptuous": "contempt",
    "bored": "boredom", "anxious": "anxiety", "curious": "curiosity", "uncertain": "uncertainty",
    "excited": "excitement", "frustrated": "frustration", "puzzled": "puzzlement",
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """Photos and what is said of them.

    Args:
        table: a row a photo, as `fer_lib.datasets.listing.Listing` wants it.
        classes: names in the order of the numbers.
        tasks: that the columns allow.
        dropped: (split, reason) -> rows that are left out.
        labelled: whether any photo has a label.
        others: paths of photos that have no row.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    tasks: tuple[str, ...]
    dropped: Counter
    labelled: bool = True
    others: Sequence[str] = field(default_factory=tuple)


def chosen_classes(classes: str | Sequence[str] | None) -> tuple[str, ...] | None:
    """The names that `classes` stands for.

    Example:
        >>> chosen_classes("neutral, happy")
        ('neutral', 'happiness')
    """
    if classes is None:
        return None
    if isinstance(classes, str):
        names = VOCABULARIES.get(classes) or tuple(part for part in classes.split(",") if part.strip())
    else:
        names = tuple(classes)
    names = tuple(class_name(str(name)) for name in names)
    if len(set(names)) < len(names) or not names:
        raise ValueError(
            f"classes must name at least one class, each once; got {classes!r}. Correct the list."
        )
    return names


def class_name(text: str) -> str:
    """The book's name of an emotion word; other words in lower case.

    Example:
        >>> class_name("Happy"), class_name("my cat")
        ('happiness', 'my cat')
    """
    name = text.strip().lower()
    return SPELLINGS.get(name, name)


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Class names in the order of the first vocabulary that holds them all, else sorted.

    Example:
        >>> in_order({"sadness", "neutral", "happiness"}), in_order({"b", "a"})
        (('neutral', 'happiness', 'sadness'), ('a', 'b'))
    """
    there = set(names)
    for vocabulary in VOCABULARIES.values():
        if there <= set(vocabulary):
            return tuple(name for name in vocabulary if name in there)
    return tuple(sorted(there))
