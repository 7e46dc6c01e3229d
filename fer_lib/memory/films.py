"""Videos of one person each: every frame in order, with the label of its utterance (chapter 10)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib import worlds
from fer_lib.errors import DataError
from fer_lib.worlds.sequences import RATE

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.datasets import FaceSet

AXES = ("valence", "arousal")
SPLITS = ("train", "validation", "test")
SINGLE = "video of a single frame"  # a memory answers a frame from those before


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
            _check_count(name, getattr(self, name))

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
    frames are read from its films, the utterances of a video in the order of time; frames without a face are
    left out, see `left_out`. OMG-Emotion tells arousal in [0, 1]; here it is in [-1, 1].

    Args:
        dataset: "world:omg_emotion", or "omg_emotion".
        split: "train", "validation" or "test".
        count: videos at most.
        shot: how much of each.
        root: folder of a real corpus.
        seed: draws the world.

    Raises:
        ValueError: a data set without videos that are cut into utterances, no such split, or a count below 1.
        DataError: data that are missing or broken.

    Example:
        >>> film = next(films("world:omg_emotion", "test", 1, Shot(size=32, utterances=1, every=25)))
        >>> film.frames.shape, film.table["told_valence"].nunique()
        ((9, 3, 32, 32), 1)
    """
    _check_name(dataset)
    _check_count("count", count)
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}; got {split!r}. Choose one of these.")
    if dataset.startswith("world:"):
        for number in range(min(count, worlds.WORLDS["omg_emotion"].people[split])):
            yield _drawn(split, number, shot, seed)
    else:
        yield from _read(dataset, split, count, shot, root)


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


def check_videos(dataset: str, root: str, least: Mapping[str, int]) -> None:
    """Refuse data that have too few videos, before anything is trained or decoded.

    Of a corpus the label files alone are read; a video counts if one of its films is there.

    Args:
        dataset: "world:omg_emotion", or "omg_emotion".
        root: folder of a real corpus; "" for a world.
        least: how many videos with labels each split must have.

    Raises:
        ValueError: a data set without videos that are cut into utterances.
        DataError: fewer videos than that, or label files that are missing or broken.

    Example:
        >>> check_videos("world:omg_emotion", "", {"validation": 2, "test": 204})
    """
    _check_name(dataset)
    if dataset.startswith("world:"):
        there = worlds.WORLDS["omg_emotion"].people
    else:
        from fer_lib.datasets import omg_emotion
        from fer_lib.datasets.load import find_root

        place = find_root(dataset, root or None)
        table = omg_emotion.release(place).listing().table
        table = table[table[list(AXES)].notna().all(axis=1)]
        table = table[[(place / path).is_file() for path in table["path"]]]
        there = table.groupby("split")["video"].nunique().to_dict()
    for split, number in least.items():
        if there.get(split, 0) < number:
            rule = f"the split {split} must have at least {number} videos with labels and films"
            fix = "Ask for fewer videos, or complete the corpus."
            raise DataError(dataset, rule, there.get(split, 0), fix)


def fingerprint(dataset: str, split: str, shot: Shot, *, root: str = "") -> str:
    """Name what the films of a corpus show and are told; "" for a world, which its code decides."""
    return "" if dataset.startswith("world:") else _labelled(dataset, split, shot, root).fingerprint


def left_out(dataset: str, split: str, shot: Shot, *, root: str = "") -> dict[str, int]:
    """Count what of a corpus's split no film shows: frames without a face, films that do not open, and so on.

    Example:
        >>> left_out("world:omg_emotion", "test", Shot())
        {}
    """
    return {} if dataset.startswith("world:") else dict(_labelled(dataset, split, shot, root).dropped)


def _check_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be at least 1; got {value!r}. Take a whole number from 1 on.")


def _check_name(dataset: str) -> None:
    if dataset not in ("world:omg_emotion", "omg_emotion"):
        raise ValueError(
            f"dataset must have videos of utterances; got {dataset}. Take world:omg_emotion or omg_emotion."
        )


def _labelled(dataset: str, split: str, shot: Shot, root: str) -> "FaceSet":
    """The frames of a corpus's split that have a label."""
    from fer_lib.datasets import load

    faces = load(dataset, root=root or None, split=split, size=shot.size, every_s=shot.every / RATE)
    blank = faces.table[list(AXES)].isna().any(axis=1).to_numpy()
    if blank.all():
        raise DataError(dataset, "videos must have labels", f"none in {split}", "Take a split that has them.")
    told = faces.without(blank, reason="no label of valence and arousal")
    videos = told.table.groupby("video", sort=False)
    looked = {name: one["utterance"].isin(_in_time(one)[: shot.utterances]).sum() for name, one in videos}
    told = told.without((told.table["video"].map(looked) == 1).to_numpy(), reason=SINGLE)
    if not len(told):
        raise DataError(dataset, "videos must have two frames", f"none in {split}", "Look at more frames.")
    return told


def _read(dataset: str, split: str, count: int, shot: Shot, root: str) -> Iterator[Film]:
    told = _labelled(dataset, split, shot, root)
    for name in list(dict.fromkeys(told.table["video"]))[:count]:
        one = told.table[told.table["video"] == name]
        tables, places, start = [], [], 0.0
        for take, utterance in enumerate(_in_time(one)[: shot.utterances]):
            part = one[one["utterance"] == utterance].sort_values("frame", kind="stable")
            seconds = part["seconds"].to_numpy()
            label = part.iloc[0]
            tables.append(_table(take, start + seconds, label, None))
            places.append(part.index.to_numpy())
            told_s = float(label["end"] - label["start"])  # nan where the label file does not tell it
            start += max(float(seconds[-1]) + shot.every / RATE, told_s if told_s > 0 else 0.0)
        yield Film(str(name), told.batch(np.concatenate(places)).numpy(), _joined(tables))


def _in_time(rows: "pd.DataFrame") -> list[str]:
    """Utterances of one video in the order of time; label files may sort them as text, 10 before 2."""
    first = rows.drop_duplicates("utterance")
    names = first["utterance"].tolist()
    if first["start"].notna().all() and first["start"].is_unique:
        return [names[k] for k in first["start"].argsort(kind="stable")]
    return sorted(names, key=lambda name: [int(part) for part in re.findall(r"\d+", name)])


def _table(take: int, seconds: np.ndarray, label: Any, truth: Any) -> "pd.DataFrame":
    import pandas as pd

    true = {f"true_{axis}": np.nan if truth is None else truth[axis].to_numpy() for axis in AXES}
    told = {"told_valence": label["valence"], "told_arousal": 2 * label["arousal"] - 1}
    return pd.DataFrame({"utterance": take, "second": seconds} | told | true)


def _joined(tables: "list[pd.DataFrame]") -> "pd.DataFrame":
    import pandas as pd

    return pd.concat(tables, ignore_index=True)
