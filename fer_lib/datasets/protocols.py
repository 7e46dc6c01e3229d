"""How each corpus is evaluated, as data: what is learned from and what is tested on, fold by fold."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fer_lib.datasets.corpora import CORPORA, WORLD, metric_of
from fer_lib.datasets.folding import deal, groups_of
from fer_lib.datasets.splitting import clips_of, people_of, stretches_of
from fer_lib.errors import DataError

if TYPE_CHECKING:
    from fer_lib.datasets.faceset import FaceSet


@dataclass(frozen=True)
class Protocol:
    """One way to evaluate a corpus.

    Args:
        name: as `folds` takes it.
        description: what is learned from and what is tested on.
        reference: who evaluates so, or why the book does.
        unit: what never lies on both sides of a fold: "split" (the corpus's own parts), "person", "shot",
            "class", "clip", or "frame" (nothing but the picture itself).
        metric: "ccc", "accuracy", "mean_class_accuracy" or "macro_f1"; of the corpus's usual task.
        parts: number of folds into which the units are dealt; None makes a fold of each unit.
        within: deal the units of each person apart, so that every fold is of one person.
    """

    name: str
    description: str
    reference: str
    unit: str
    metric: str
    parts: int | None = None
    within: bool = False


@dataclass(frozen=True)
class Fold:
    """Positions of rows in the set that was folded, each int64 and in rising order.

    Args:
        name: what is tested.
        train: to learn from.
        test: only reported.
        validation: chooses the epoch; empty where the protocol has none: then hold a part of `train` back
            with `FaceSet.split`.
    """

    name: str
    train: np.ndarray
    test: np.ndarray
    validation: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class Leak:
    """How much of the tests comes from what was learned from.

    Args:
        rows: test rows, over all folds, whose clip (stretch, person) has rows in the fold's training part.
        of_rows: test rows over all folds.
        groups: clips (stretches, people) with rows on both sides, over all folds.
        of_groups: those with test rows, over all folds.
    """

    rows: int
    of_rows: int
    groups: int
    of_groups: int

    @property
    def share(self) -> float:
        """Share of the test rows that leak."""
        return self.rows / self.of_rows


def _official(corpus: str, description: str, reference: str = "the corpus's authors") -> Protocol:
    return Protocol("official", description, reference, "split", metric_of(corpus, CORPORA[corpus].tasks[0]))


_WHOLE = "Load it with split='all'."
_SPLITS = "Learn from train, choose the epoch on validation, report test."
_NO_TEST = (
    "Learn from train and report validation, as the labels of the test part are not public. The epoch is "
    "chosen on a part of train."
)
_LITERAL = (
    "Leave one {} out, taken literally: the class of the test faces is never learned, so a classifier scores "
    "0. An exercise in noticing the unknown, not a way to compare models."
)

PROTOCOLS: dict[str, tuple[Protocol, ...]] = {
    "affectnet": (_official("affectnet", _NO_TEST),),
    "masked_affectnet": (_official("masked_affectnet", _NO_TEST),),
    "fer2013": (_official("fer2013", "Learn from Training, choose on PublicTest, report PrivateTest."),),
    "ferplus": (_official("ferplus", _SPLITS + " Tests are scored against the majority label."),),
    "jaffe": (
        Protocol(
            "subjects",
            "Leave one of the ten people out: ten folds, each tested on somebody who was never seen.",
            "usual for JAFFE; this book's default",
            "person",
            "accuracy",
        ),
        Protocol(
            "repetitions",
            "Leave one repetition out: a person's first, second or third picture of each expression, in the "
            "order of the shots; a fourth goes with the first. Everybody is on both sides.",
            "usual for JAFFE",
            "shot",
            "accuracy",
        ),
        Protocol(
            "expressions",
            _LITERAL.format("expression"),
            'as "leave-one-emotion-out" of Face-STN and CIAO reads',
            "class",
            "accuracy",
        ),
    ),
    "omg_emotion": (_official("omg_emotion", _SPLITS + " An utterance counts once."),),
    "elderreact": (_official("elderreact", _SPLITS),),
    "emoreact": (_official("emoreact", _SPLITS),),
    "fabo": (
        Protocol(
            "people",
            "Five folds of whole people.",
            "this book: no official parts are public",
            "person",
            "accuracy",
            parts=5,
        ),
        Protocol(
            "expressions",
            _LITERAL.format("expression"),
            'as "leave-one-emotion-out" of Face-STN reads',
            "class",
            "accuracy",
        ),
        _official("fabo", "Learn from train, report test, where the manifest names such parts."),
    ),
    "amigos": (
        Protocol(
            "frames",
            "Five folds of frames in each person, dealt at random: frames of one clip lie on both sides. The "
            "ten people are the split test.",
            "as printed in the study of personal models",
            "frame",
            "ccc",
            parts=5,
            within=True,
        ),
        Protocol(
            "clips",
            "Five folds in each person, dealt by whole clips: no clip lies on both sides.",
            "this book, beside the printed one",
            "clip",
            "ccc",
            parts=5,
            within=True,
        ),
    ),
    "affwild2": (_official("affwild2", _SPLITS + " Without test labels, report validation."),),
}
"""The protocols of each corpus, the default first; a world follows those of its corpus."""


def protocol_of(name: str, protocol: str | None = None) -> Protocol:
    """Find a protocol.

    Args:
        name: of a corpus or a world.
        protocol: its name; None takes the corpus's default.

    Raises:
        DataError: no such corpus.
        ValueError: the corpus has no such protocol.

    Example:
        >>> protocol_of("world:jaffe").name, [one.name for one in PROTOCOLS["amigos"]]
        ('subjects', ['frames', 'clips'])
    """
    found = PROTOCOLS.get(name.removeprefix(WORLD))
    if found is None:
        fix = "Part other sets with faces.split, which keeps people and clips together."
        raise DataError("name", f"must be one of {', '.join(PROTOCOLS)}, or its world", repr(name), fix)
    if protocol is None:
        return found[0]
    known = {one.name: one for one in found}
    if protocol not in known:
        near = difflib.get_close_matches(str(protocol), known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "Choose one of these, or None for the first."
        raise ValueError(f"protocol must be one of {', '.join(known)} for {name}; got {protocol!r}. {hint}")
    return known[protocol]


def folds(faces: FaceSet, protocol: str | None = None, *, seed: int = 0) -> list[Fold]:
    """Part a set as its corpus's protocol says.

    Load the whole corpus first, with ``split="all"``; of AMIGOS the ten people, ``split="test"``.

    Args:
        faces: of a corpus or a world.
        protocol: one of ``PROTOCOLS[corpus]``; None takes the first.
        seed: deals people, clips or frames into folds; official parts and those of one unit do not use it.

    Returns:
        The folds. Within a fold no row, and nothing of the protocol's unit, lies on two sides. Apart from
        "official", every row is tested in exactly one fold.

    Raises:
        DataError: a column that the protocol needs is missing or incomplete, or there is too little to part.
        ValueError: an unknown protocol.

    Example:
        >>> from fer_lib.datasets import load
        >>> whole = load("world:jaffe", split="all", size=32)
        >>> [(fold.name, len(fold.train), len(fold.test)) for fold in folds(whole)[:2]]
        [('KA', 191, 22), ('KL', 191, 22)]
    """
    chosen = protocol_of(faces.name, protocol)
    if chosen.unit == "split":
        return [_official_fold(faces)]
    group, names = groups_of(faces, chosen.unit)
    if chosen.parts is None:
        found = [_fold(name, np.arange(len(faces)), group == k) for k, name in enumerate(names)]
    else:
        found = list(_dealt(faces, chosen, group, np.random.default_rng(seed)))
    for fold in found:
        if not (fold.train.size and fold.test.size):
            got = f"nothing on one side of {fold.name!r}"
            raise DataError(faces.name, f"must hold enough for the protocol {chosen.name!r}", got, _WHOLE)
    return found


def leak(faces: FaceSet, parts: Iterable[Fold], *, by: str = "clip") -> Leak:
    """Count the test rows whose clip was also learned from.

    Args:
        faces: the set that was folded.
        parts: its folds.
        by: "clip", "stretch" (a part of a clip with labels of its own) or "person".

    Raises:
        ValueError: another unit, or a set of single pictures without clips.
    """
    units: dict[str, Callable[[FaceSet], np.ndarray | None]]
    units = {"clip": clips_of, "stretch": stretches_of, "person": people_of}
    if by not in units:
        raise ValueError(f"by must be one of {', '.join(units)}; got {by!r}. Choose one of these.")
    group = units[by](faces)
    if group is None:
        raise ValueError(f"faces must come from clips; got the pictures of {faces.name}. Count by='person'.")
    counts = np.zeros(4, dtype=int)
    for fold in parts:
        both = np.isin(group[fold.test], group[fold.train])
        shared = np.unique(group[fold.test][both]).size
        counts += both.sum(), both.size, shared, np.unique(group[fold.test]).size
    return Leak(*(int(count) for count in counts))


def _official_fold(faces: FaceSet) -> Fold:
    """Validation is tested on where no test rows are there."""
    rows = {name: np.flatnonzero(faces.table["split"] == name) for name in ("train", "validation", "test")}
    if not rows["test"].size:
        rows["test"], rows["validation"] = rows["validation"], rows["test"]
    if not (rows["train"].size and rows["test"].size):
        there = ", ".join(pd.unique(faces.table["split"])) or "no rows"
        raise DataError(faces.name, "must hold rows to learn from and to test on", there, _WHOLE)
    return Fold("official", rows["train"], rows["test"], rows["validation"])


def _dealt(
    faces: FaceSet, chosen: Protocol, group: np.ndarray, generator: np.random.Generator
) -> Iterator[Fold]:
    """Deal the groups of everybody, or of each person apart."""
    assert chosen.parts is not None
    places, people = (
        groups_of(faces, "person") if chosen.within else (np.zeros(len(faces), int), [faces.name])
    )
    for place, name in enumerate(people):
        rows = np.flatnonzero(places == place)
        part = deal(group[rows], chosen.parts, generator, what=f"{chosen.unit}s of {name}")
        before = f"{name}, " if chosen.within else ""
        for k in range(chosen.parts):
            yield _fold(f"{before}part {k + 1} of {chosen.parts}", rows, part == k)


def _fold(name: str, rows: np.ndarray, tested: np.ndarray) -> Fold:
    return Fold(name, rows[~tested], rows[tested])
