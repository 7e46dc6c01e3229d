"""The same ten people with smaller or larger habits of expression: pictures that differ in nothing else.

Everybody in a world has habits: what the resting face already does, and how strongly each action unit
answers. `habitual` multiplies them. Scenes, feelings, the moments of the frames and the annotators' dice
stay as they are, so two such sets differ by the habits alone. The annotators know the person: they rate what
the same feelings would look like on a face without habits. So the labels are the same for every factor, and a
factor tells how far a person's face lies from the common tongue (chapter 11).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fer_lib.metrics import PairedDifference, mean_interval, paired_difference
from fer_lib.sampling.verdicts import DIMENSIONS, by_person, gaps
from fer_lib.worlds.casting import Cast
from fer_lib.worlds.people import People
from fer_lib.worlds.world import World

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.datasets import FaceSet

VERSION = 1
GAIN = 1.02  # the mean of how strongly a unit answers


@dataclass(frozen=True)
class Habitual(World):
    """A world whose people's habits are ``factor`` times as large; 1 is the world itself."""

    factor: float = 1.0

    def cast(self, split: str, seed: int) -> Cast:
        """Everybody of a split, with their habits multiplied."""
        crowd = super().cast(split, seed)
        return replace(crowd, people=with_habits(crowd.people, self.factor))


def with_habits(people: People, factor: float) -> People:
    """The same people; their resting faces and the strength of their units lie ``factor`` times as far off.

    Args:
        people: of a world.
        factor: 0 or more; 0 gives everybody one way of expressing, 1 changes nothing.

    Raises:
        ValueError: a negative factor.

    Example:
        >>> from fer_lib.worlds.people import sample_people
        >>> people = sample_people(3, seed=0)
        >>> float(with_habits(people, 0)["habit"].sum()), bool(with_habits(people, 0)["gain"].std() < 1e-6)
        (0.0, True)
    """
    if not factor >= 0:
        raise ValueError(f"factor must be 0 or more; got {factor}. 1 leaves people as they are.")
    gain = (GAIN + factor * (people["gain"] - GAIN)).clamp_min(0)
    if factor == 1:
        gain = people["gain"]  # to the last bit
    return people.with_traits(habit=factor * people["habit"], gain=gain)


def habitual(
    dataset: str, factor: float, *, split: str = "test", limit: int, size: int, seed: int = 0
) -> "FaceSet":
    """Frames of a world's people with habits ``factor`` times as large, rated by who knows them.

    Args:
        dataset: a world of people in clips, such as "world:amigos".
        factor: 0 or more; 1 gives the pictures of `load`, with other labels.
        split: of the world.
        limit: how many frames.
        size: side of the pictures in pixels.
        seed: which world of its kind.

    Returns:
        A FaceSet with the columns of the world. Its labels are those of factor 0; the truth's ``valence`` and
        ``arousal`` are what an outsider would read from the face.

    Raises:
        ValueError: no world, a world without valence and arousal, a negative factor.
    """
    from fer_lib.datasets.corpora import describe, world_of
    from fer_lib.datasets.reading import Reading
    from fer_lib.datasets.store import Chunk, build
    from fer_lib.datasets.worldset import code_of_worlds
    from fer_lib.worlds.workers import render_parts

    if not dataset.startswith("world:"):
        raise ValueError(f"dataset must be a world; got {dataset!r}. Nobody can change a real face's habits.")
    world = world_of(dataset)
    if world.task != "valence_arousal":
        raise ValueError(f"dataset must be rated in valence and arousal; got {dataset!r}. Take world:amigos.")
    if not factor >= 0:
        raise ValueError(f"factor must be 0 or more; got {factor}. 1 leaves people as they are.")
    accented = Habitual(**vars(world), factor=float(factor))

    def chunks() -> Iterator[Chunk]:
        done = 0
        labels = labels_without(world, split, limit, size=size, seed=seed)
        for images, table, truth in render_parts(accented, {split: limit}, size=size, seed=seed):
            mine = labels.iloc[done : done + len(table)].set_index(table.index)
            yield Chunk(np.asarray(images), table.assign(**{name: mine[name] for name in mine}), truth)
            done += len(table)

    store = build(
        chunks, reader="habits", version=VERSION, code=code_of_worlds(), world=world.name, split=split,
        factor=float(factor), faces=limit, size=size, seed=seed,
    )  # fmt: skip
    source = f"rendered by fer_lib.worlds with habits times {factor:g}, seed {seed}"
    reason = np.full(len(store.table), "", dtype=object)
    reading = Reading(store, store.table, reason, world.task, tuple(world.tasks), (), source, ("habits",))
    return reading.choose(
        (split,), name=dataset, unit=world.unit, protocol=world.protocol, metric=world.metric,
        licence=describe(dataset).licence,
    )  # fmt: skip


def labels_without(world: World, split: str, count: int, *, size: int, seed: int = 0) -> "pd.DataFrame":
    """What annotators write of the first frames when nobody has habits: their label columns.

    No picture is painted.
    """
    import pandas as pd

    plain = Habitual(**vars(world), factor=0.0)
    crowd = plain.cast(split, seed)
    chunks = range(-(-count // world.chunk_rows))
    table = pd.concat([plain.tables(crowd, k, size)[0] for k in chunks], ignore_index=True).iloc[:count]
    return table[[name for name in table if name.startswith(("valence", "arousal"))]]


def habit_gains(rows: "pd.DataFrame") -> "pd.DataFrame":
    """What a person's own labels gain over as many labels of other people, for each size of habits.

    Args:
        rows: of studies with the conditions "others" and "100 %", with a column ``factor``.

    Returns:
        A row a dimension and factor: mean (rmse with others' labels minus rmse with one's own, paired over
        people), low, high (95 %), smallest (see `smallest_effect`), people, pays (low above 0).
    """
    import pandas as pd

    settings: dict[str, dict[str, object]] = {
        "others": {"condition": "others"},
        "own": {"condition": "100 %"},
    }
    parts = []
    for factor, part in rows.groupby("factor"):
        parts.append(gaps(part, settings, [("others", "own")]).assign(factor=factor))
    found = pd.concat(parts).sort_values(["dimension", "factor"], ascending=[False, True])
    return found.assign(pays=found["low"] > 0).drop(columns=["one", "other"]).reset_index(drop=True)


def pays_at(gains: "pd.DataFrame") -> str:
    """At which sizes of habits personal labels pay, in words.

    Args:
        gains: factor and pays, of one dimension.

    Example:
        >>> import pandas as pd
        >>> pays_at(pd.DataFrame({"factor": [0, 0.5, 1, 2], "pays": [False, False, True, True]}))
        "at 1 and 2 times the world's habits"
        >>> pays_at(pd.DataFrame({"factor": [0, 1], "pays": [False, False]}))
        'at no size that we tried'
    """
    found = [f"{factor:g}" for factor in sorted(gains["factor"][gains["pays"].astype(bool)])]
    if not found:
        return "at no size that we tried"
    told = " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)
    return f"at {told} times the world's habits"


def habit_extra(rows: "pd.DataFrame", dimension: str) -> PairedDifference:
    """What the largest habits add to the gain of own labels over labels of others, person by person.

    The gain with the smallest habits is subtracted: whatever else tells own frames from those of others, such
    as how many walls they show, is the same there.

    Args:
        rows: as for :func:`habit_gains`.
        dimension: "valence" or "arousal".
    """
    import pandas as pd

    gains = []
    for factor in (rows["factor"].max(), rows["factor"].min()):
        people = by_person(rows[(rows["factor"] == factor) & (rows["dimension"] == dimension)])
        table = people.pivot_table(index="person", columns="condition", values="rmse")
        gains.append(table["others"] - table["100 %"])
    both = pd.concat(gains, axis=1, join="inner").to_numpy()
    return paired_difference(both[:, 0], both[:, 1])


def outsiders(faces: "FaceSet") -> "pd.DataFrame":
    """How far a perfect reader who takes every face for a usual one is from the labels, a row a person.

    Args:
        faces: of a world; its truth's valence and arousal are what the face itself says.

    Returns:
        person, dimension, condition ("outsider"), rmse.
    """
    import pandas as pd

    assert faces.truth is not None
    target, person = faces.targets().numpy(), faces.table["subject"].to_numpy()
    lines = []
    for k, dimension in enumerate(DIMENSIONS):
        squares = (faces.truth[dimension].to_numpy() - target[:, k]) ** 2
        for who, value in pd.Series(squares).groupby(person).mean().items():
            lines.append((who, dimension, "outsider", float(np.sqrt(value))))
    return pd.DataFrame(lines, columns=["person", "dimension", "condition", "rmse"])


def by_factor(people: "pd.DataFrame") -> "pd.DataFrame":
    """Mean over people with its 95 % interval for each dimension, condition and factor.

    Args:
        people: person, dimension, condition, factor, rmse; one row a person.
    """
    import pandas as pd

    lines = []
    for key, part in people.groupby(["dimension", "condition", "factor"], sort=False):
        over = mean_interval(part["rmse"])
        lines.append((*key, over.mean, over.low, over.high))
    return pd.DataFrame(lines, columns=["dimension", "condition", "factor", "mean", "low", "high"])
