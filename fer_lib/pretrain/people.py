"""Faces to tell people apart by: many pictures of each of a few people, some of each kept for choosing."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fer_lib.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from fer_lib.datasets import FaceSet
    from fer_lib.train.parts import Parts

VERSION = 1
EVERY = 6  # one picture in six of each person is kept for choosing
FIX = "Choose a corpus whose people are named, or a world; or give VGGFace a file of face weights."


def people_of(
    dataset: str, *, people: int, pictures: int, size: int, root: str | None = None, seed: int = 0
) -> "Parts":
    """Pictures of some people, with who it is as the class.

    Of a world, its first training people are drawn anew, each in many poses, lights and expressions: the
    world itself shows most of its people once. Of a corpus, the people with the most pictures are taken.

    Args:
        dataset: world or corpus; a corpus must name its people in the column ``subject``.
        people: at most so many.
        pictures: at most so many of all of them together.
        size: side of the pictures in pixels.
        root: folder of a real corpus.
        seed: draws the world, or the part of a corpus.

    Returns:
        Parts with the same people in each: ``train``, and one picture in six of each person as
        ``validation``, which is also ``test``. Task "categorical", classes the names of the people.

    Raises:
        DataError: the corpus does not name its people, or has fewer than two with two pictures.
        ValueError: fewer than two people, or fewer than two pictures of each.
    """
    from fer_lib.train.parts import Parts

    if people < 2 or pictures < 2 * people:
        raise ValueError(
            f"people must be at least 2, and pictures twice as many; got {people} and {pictures}. "
            "Who is seen once cannot be recognised."
        )
    if dataset.startswith("world:"):
        faces, who = _of_world(dataset, people, pictures, size, seed)
    else:
        faces, who = _of_corpus(dataset, people, pictures, size, root, seed)
    kept = _kept(who)
    both = faces.subset(~kept), faces.subset(kept)
    return Parts(*both, test=both[1])


def _of_world(name: str, people: int, pictures: int, size: int, seed: int) -> "tuple[FaceSet, pd.Series]":
    """Draw a world with few people, into the store."""
    from collections.abc import Iterator

    import numpy as np

    from fer_lib.datasets.corpora import describe, world_of
    from fer_lib.datasets.reading import Reading
    from fer_lib.datasets.store import Chunk, build
    from fer_lib.datasets.worldset import code_of_worlds
    from fer_lib.worlds.workers import render_parts

    world = world_of(name)
    count = min(people, world.people["train"])
    world = replace(world, people=world.people | {"train": count})

    def chunks() -> Iterator[Chunk]:
        for images, table, truth in render_parts(world, {"train": pictures}, size=size, seed=seed):
            yield Chunk(np.asarray(images), table, truth)

    store = build(
        chunks, reader="people", version=VERSION, code=code_of_worlds(), world=world.name, people=count,
        pictures=pictures, size=size, seed=seed,
    )  # fmt: skip
    assert store.truth is not None
    blank = store.truth["blank"].to_numpy(bool) if "blank" in store.truth else np.zeros(pictures, bool)
    reason = np.where(blank, "no face", "").astype(object)
    table, classes = _named(store.table, store.truth["identity"])
    info = describe(name)
    source = f"{count} people rendered by fer_lib.worlds, seed {seed}"
    reading = Reading(store, table, reason, "categorical", ("categorical",), classes, source, ("people",))
    faces = reading.choose(
        ("train",), name=name, unit="image", protocol="who is it", metric="accuracy", licence=info.licence
    )
    return faces, faces.table["subject"]


def _of_corpus(
    name: str, people: int, pictures: int, size: int, root: str | None, seed: int
) -> "tuple[FaceSet, pd.Series]":
    """Choose the people of a corpus with the most pictures, and as many pictures of each."""
    from fer_lib.datasets import load

    faces = load(name, root=root, split="all", size=size)
    if "subject" not in faces.table:
        raise DataError(name, "its people must be named", "no column subject", FIX)
    counts = faces.table["subject"].value_counts()
    counts = counts[counts >= 2].sort_index().sort_values(ascending=False, kind="stable").head(people)
    if len(counts) < 2:
        raise DataError(name, "two of its people must have two pictures", f"{len(counts)} people", FIX)
    each = max(2, pictures // len(counts))
    mixed = faces.table["subject"].sample(frac=1, random_state=seed)
    first = mixed[mixed.isin(counts.index)].groupby(mixed, sort=False).head(each)
    faces = faces.subset(first.index.sort_values().to_numpy())
    table, classes = _named(faces.table, faces.table["subject"])
    rest: dict[str, Any] = {"unit": "image", "protocol": "who is it", "metric": "accuracy"}
    from fer_lib import artifacts

    print_of = artifacts.key(origin=faces.fingerprint, people=VERSION)
    faces = replace(
        faces, table=table, classes=classes, task="categorical", tasks=("categorical",),
        fingerprint=print_of, origin=print_of, **rest,
    )  # fmt: skip
    return faces, table["subject"]


def _named(table: "pd.DataFrame", who: "pd.Series") -> "tuple[pd.DataFrame, tuple[str, ...]]":
    """The table with people as subjects and as classes, and their names."""
    names = who.astype(str)
    classes = tuple(sorted(set(names)))
    number = {name: i for i, name in enumerate(classes)}
    return table.assign(subject=names.to_numpy(), expression=names.map(number).to_numpy()), classes


def _kept(who: "pd.Series") -> "np.ndarray":
    """One picture in `EVERY` of each person, and at least one; the first is always left to learn from."""
    import numpy as np

    turn = who.groupby(who).cumcount().to_numpy()
    total = who.map(who.value_counts()).to_numpy()
    return (turn % EVERY == EVERY - 1) | ((total < EVERY) & (turn == total - 1) & (total > 1)) & np.True_
