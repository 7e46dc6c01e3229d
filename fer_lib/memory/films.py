"""Videos of one person each: every frame in order, with the label of its utterance (chapter 10)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib import worlds
from fer_lib.errors import DataError
from fer_lib.worlds.sequences import RATE

if TYPE_CHECKING:
    import pandas as pd

AXES = ("valence", "arousal")


@dataclass(frozen=True)
class Shot:
    """How much is looked at of each video.

    Args:
        size: side of the pictures in pixels.
        utterances: the first so many of each video.
        every: takes every so many-th of 25 frames a second.
    """

    size: int = 48
    utterances: int = 10
    every: int = 1

    def __post_init__(self) -> None:
        for name in ("utterances", "every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}. Take 1 or more.")

    @property
    def rate(self) -> float:
        """Frames a second."""
        return RATE / self.every


@dataclass(frozen=True)
class Film:
    """One video, T frames in order.

    Args:
        name: of the video.
        frames: uint8 (T, C, S, S).
        table: T rows: utterance (from 0), second (since the video began), told_valence and told_arousal (the
            utterance's label, both in [-1, 1]), true_valence and true_arousal (a world's truth of the frame;
            NaN in a corpus).
    """

    name: str
    frames: np.ndarray
    table: "pd.DataFrame"

    def __len__(self) -> int:
        return len(self.frames)


def films(
    dataset: str, split: str, count: int, shot: Shot, *, root: str = "", seed: int = 0
) -> Iterator[Film]:
    """Open the first videos of a split, one after the other.

    A world draws its videos whole, also beyond the utterances that its stored sets keep. Of a corpus the
    frames are read from its films. OMG-Emotion tells arousal in [0, 1]; here it is in [-1, 1].

    Args:
        dataset: "world:omg_emotion", or "omg_emotion".
        split: "train", "validation" or "test".
        count: videos at most.
        shot: how much of each.
        root: folder of a real corpus.
        seed: draws the world.

    Raises:
        ValueError: a data set without videos that are cut into utterances.
        DataError: data that are missing or broken.

    Example:
        >>> film = next(films("world:omg_emotion", "test", 1, Shot(size=32, utterances=1, every=25)))
        >>> film.frames.shape, film.table["told_valence"].nunique()
        ((9, 3, 32, 32), 1)
    """
    if dataset == "world:omg_emotion":
        for number in range(min(count, worlds.WORLDS["omg_emotion"].people[split])):
            yield _drawn(split, number, shot, seed)
    elif dataset == "omg_emotion":
        yield from _read(dataset, split, count, shot, root)
    else:
        raise ValueError(
            f"dataset must have videos of utterances; got {dataset}. Take world:omg_emotion or omg_emotion."
        )


def _drawn(split: str, number: int, shot: Shot, seed: int) -> Film:
    """A world's video: its clips are numbered so that all first utterances come before all second ones."""
    world = worlds.WORLDS["omg_emotion"]
    assert world.clips is not None
    crowd, kept = world.cast(split, seed), world.clips.frames
    pictures, tables, start = [], [], 0.0
    for take in range(shot.utterances):
        clip = number + take * world.people[split] * world.clips.videos
        images, truth = world.frames(split, clip, seed=seed, size=shot.size, stride=shot.every)
        chunk, row = divmod(clip * kept, world.chunk_rows)
        label = world.tables(crowd, chunk, shot.size)[0].iloc[row]
        tables.append(_table(take, start + truth["frame"].to_numpy() / RATE, label, truth))
        pictures.append(images)
        start += float(label["end"] - label["start"])
    return Film(f"{split} {number}", np.concatenate(pictures), _joined(tables))


def _read(dataset: str, split: str, count: int, shot: Shot, root: str) -> Iterator[Film]:
    from fer_lib.datasets import load

    faces = load(dataset, root=root or None, split=split, size=shot.size, every_s=shot.every / RATE)
    told = faces.subset(faces.table[list(AXES)].notna().all(axis=1).to_numpy())
    if not len(told):
        raise DataError(dataset, "videos must have labels", f"none in {split}", "Take a split that has them.")
    for name in list(dict.fromkeys(told.table["video"]))[:count]:
        one = told.subset((told.table["video"] == name).to_numpy())
        order = list(dict.fromkeys(one.table["utterance"]))[: shot.utterances]
        tables, places, start = [], [], 0.0
        for take, utterance in enumerate(order):
            part = one.table[one.table["utterance"] == utterance].sort_values("frame", kind="stable")
            seconds = np.arange(len(part)) * shot.every / RATE
            tables.append(_table(take, start + seconds, part.iloc[0], None))
            places.append(part.index.to_numpy())
            start += len(part) * shot.every / RATE
        yield Film(str(name), one.batch(np.concatenate(places)).numpy(), _joined(tables))


def _table(take: int, seconds: np.ndarray, label: Any, truth: Any) -> "pd.DataFrame":
    import pandas as pd

    true = {f"true_{axis}": np.nan if truth is None else truth[axis].to_numpy() for axis in AXES}
    told = {"told_valence": label["valence"], "told_arousal": 2 * label["arousal"] - 1}
    return pd.DataFrame({"utterance": take, "second": seconds} | told | true)


def _joined(tables: "list[pd.DataFrame]") -> "pd.DataFrame":
    import pandas as pd

    return pd.concat(tables, ignore_index=True)
