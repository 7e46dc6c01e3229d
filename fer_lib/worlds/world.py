"""A world: a corpus that never was, with the columns, classes, splits and faults of a real one."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fer_lib.worlds import camera, tables
from fer_lib.worlds.annotators import Panel
from fer_lib.worlds.casting import Cast, cast
from fer_lib.worlds.drawing import Drawn, draw_chunk, draw_moments, see
from fer_lib.worlds.expressions import Dialect
from fer_lib.worlds.feelings import EMOTIONS
from fer_lib.worlds.labels import fill
from fer_lib.worlds.people import People
from fer_lib.worlds.renderer import SIZES, render
from fer_lib.worlds.scene import SceneStyle
from fer_lib.worlds.seeds import seed_of
from fer_lib.worlds.sequences import RATE, Clips

PIXELS = 64 * 96 * 96  # painted at a time, to bound memory
CHUNK = 64  # images share a generator by the chunk, so that a longer world begins like a shorter one


@dataclass(frozen=True)
class World:
    """What makes a world; ``WORLDS`` holds them by name.

    Attributes:
        name: the corpus it stands in for.
        classes: its labels, in its order.
        label: which kind of labels it has, see ``labels.LABELS``.
        task, tasks, metric, protocol: as its ``FaceSet`` says.
        size, channels: side and channels of its pictures (1 grey, 3 colour).
        counts: images a split that a build of the whole world renders.
        people: identities a split.
        frequency: how often each feeling is shown (any scale), by split where they differ.
        ages: youngest and oldest, in years.
        wanted: bounds of other traits of its people.
        dialect, style, panel: its faces, its pictures, its annotators.
        blank: share of pictures without a face.
        masks: whether everybody wears a mask over mouth and nose.
        posed_slips: share of posed pictures that show something else than was asked for.
        clips: how its clips run; None for single pictures.
        sittings: who shows which class in which take, picture by picture, where that is fixed.
        prefix, digits, initials, clip_name, gender: of the corpus's columns: names of subjects, what a clip
            is called, whether the subject's gender is among the labels.
        published: what is known of the corpus's annotators: "agreement", how often two give one label;
            "people", the accuracy of people asked to name its labels.
        why: what the dialect is made for, in words: what the corpus is known for.
    """

    name: str
    classes: tuple[str, ...]
    label: str
    task: str
    tasks: tuple[str, ...]
    metric: str
    protocol: str
    size: int
    channels: int
    counts: dict[str, int]
    people: dict[str, int]
    frequency: dict[str, dict[str, float]]
    ages: tuple[float, float] = (5.0, 85.0)
    wanted: dict[str, tuple[float, float]] = field(default_factory=dict)
    dialect: Dialect = field(default_factory=Dialect)
    style: SceneStyle = field(default_factory=SceneStyle)
    panel: Panel = field(default_factory=Panel)
    blank: float = 0.0
    masks: bool = False
    posed_slips: float = 0.0
    clips: Clips | None = None
    sittings: tuple[tuple[int, int, int], ...] = ()
    prefix: str = ""
    digits: int = 3
    initials: tuple[str, ...] = ()
    clip_name: str = ""
    gender: bool = False
    published: dict[str, float] = field(default_factory=dict)
    why: str = ""

    @property
    def unit(self) -> str:
        """ "sequence" where a row is one frame of a clip, else "image"."""
        return "image" if self.clips is None else "sequence"

    @property
    def seen(self) -> tuple[str, ...]:
        """The feelings that its annotators tell apart."""
        return (*EMOTIONS, *(name for name in self.classes if name not in EMOTIONS))

    @property
    def chunk_rows(self) -> int:
        """Images a chunk: about ``CHUNK``, and whole clips."""
        repeat = self.clips.frames if self.clips else 1
        return max(1, CHUNK // repeat) * repeat

    def build(
        self, split: str, *, n: int, size: int | None = None, seed: int = 0
    ) -> tuple[Iterator[np.ndarray], pd.DataFrame, pd.DataFrame]:
        """Draw the first ``n`` images of a split.

        Image i is the same whatever ``n`` is; splits share no person.

        Args:
            split: "train", "validation" or "test".
            n: number of images, 0 or more.
            size: side in pixels, 32-256; None takes the world's own.
            seed: which world of this kind.

        Returns:
            Images, lazily, in uint8 chunks (b,C,S,S); the corpus's table; the truth.

        Raises:
            ValueError: an unknown split, a negative ``n``, a size out of range.

        >>> from fer_lib.worlds import WORLDS
        >>> images, table, truth = WORLDS["fer2013"].build("train", n=3, size=48, seed=0)
        >>> next(images).shape, len(table), len(truth)
        ((3, 1, 48, 48), 3, 3)
        """
        size = self.size if size is None else size
        self._check(split, n, size)
        crowd = self.cast(split, seed)
        chunks = range(-(-n // self.chunk_rows))
        parts = [self.tables(crowd, k, size) for k in chunks] or [self.tables(crowd, 0, size)]
        table, truth = (pd.concat([p[i] for p in parts], ignore_index=True).iloc[:n] for i in (0, 1))
        images = (self.images(crowd, k, size)[: n - k * self.chunk_rows] for k in chunks)
        return images, table, truth

    def population(self, split: str, seed: int) -> People:
        """Everybody who may appear in a split."""
        return self.cast(split, seed).people

    def cast(self, split: str, seed: int) -> Cast:
        """Everybody of a split, with their videos: what ``tables``, ``images`` and ``frames`` draw from."""
        return cast(self, split, seed)

    def tables(self, crowd: Cast, chunk: int, size: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Table and truth of a chunk; no picture is painted."""
        drawn = draw_chunk(self, crowd, chunk)
        return self._tables(drawn, chunk * self.chunk_rows, drawn.landmarks(size))

    def images(self, crowd: Cast, chunk: int, size: int) -> np.ndarray:
        """Pictures of a chunk, uint8 (``chunk_rows``,C,S,S)."""
        return self._paint(draw_chunk(self, crowd, chunk), size)[0]

    def chunk(self, crowd: Cast, chunk: int, size: int) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame]:
        """Pictures, table and truth of a chunk, drawn once."""
        drawn = draw_chunk(self, crowd, chunk)
        images, points = self._paint(drawn, size)
        return images, *self._tables(drawn, chunk * self.chunk_rows, points)

    def frames(
        self, split: str, clip: int, *, seed: int = 0, size: int | None = None, stride: int = 1
    ) -> tuple[np.ndarray, pd.DataFrame]:
        """One whole clip, every frame of its 25 a second: what the stored frames were taken from.

        Args:
            split: of the clip.
            clip: its number, from 0: ``truth["clip"]`` of a stored frame.
            seed, size: as for ``build``.
            stride: takes every so many-th frame.

        Returns:
            Images uint8 (T,C,S,S), and their truth (T rows) with the frame's number and its second.

        Raises:
            ValueError: a world of single pictures, an unknown split, a size or stride out of range.
        """
        size = self.size if size is None else size
        self._check(split, clip, size)
        if self.clips is None:
            raise ValueError(
                f"clip must belong to a world of clips; got {self.name}. It has single pictures."
            )
        if stride < 1:
            raise ValueError(f"stride must be 1 or more; got {stride}. 1 takes every frame.")
        drawn = draw_moments(self, self.cast(split, seed), clip, stride)
        images, points = self._paint(drawn, size)
        truth = self._tables(drawn, 0, points)[1]
        truth.insert(0, "frame", (drawn.clip.time[0] * RATE).round().long().numpy() if drawn.clip else 0)
        return images, truth

    def _check(self, split: str, n: int, size: int) -> None:
        if split not in self.counts:
            raise ValueError(
                f"split must be one of {tuple(self.counts)}; got {split!r}. Choose one of these."
            )
        if n < 0:
            raise ValueError(f"n must be 0 or more; got {n}. Ask for a number of images.")
        if not SIZES[0] <= size <= SIZES[1]:
            raise ValueError(f"size must lie in {SIZES[0]}-{SIZES[1]}; got {size}. Choose another side.")

    def _tables(self, drawn: Drawn, first: int, points: Tensor) -> tuple[pd.DataFrame, pd.DataFrame]:
        seen = see(self, drawn, seed_of(self.name, "", drawn.seed, "panel"))
        labels, expected = fill(self, drawn, seen)
        path = [f"{self.name}/{drawn.split}/{first + i:07d}.png" for i in range(len(drawn.who))]
        beside = tables.corpus_columns(self, drawn)
        table = pd.DataFrame({"path": path, "split": drawn.split, **beside, **labels})
        who = f"{self.name}-{drawn.split}-{drawn.seed}"
        truth = tables.truth_columns(drawn, seen, self.seen, who) | expected
        truth["masked"] = np.full(len(path), self.masks)
        return table, pd.DataFrame(truth | tables.landmark_columns(points.numpy()))

    def _paint(self, drawn: Drawn, size: int) -> tuple[np.ndarray, Tensor]:
        """Pictures uint8 (B,C,S,S) and their landmarks, a few at a time."""
        step = max(1, PIXELS // size**2)
        masks = torch.Generator().manual_seed(drawn.generator.initial_seed() + 1) if self.masks else None
        parts = [drawn.rows(slice(i, i + step)) for i in range(0, len(drawn.who), step)]
        pairs = [_photograph(part, size, masks) for part in parts]
        image, points = (torch.cat([pair[k] for pair in pairs]) for k in (0, 1))
        image = camera.to_grey(image) if self.channels == 1 else image
        image = torch.where(drawn.blank[:, None, None, None], torch.zeros_like(image), image)
        return camera.to_uint8(image).numpy(), points


def _photograph(drawn: Drawn, size: int, masks: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Paint some pictures (B,3,S,S) with their landmarks; with a generator, everybody wears a mask."""
    done = render(drawn.people, drawn.shown.units, drawn.scene, size=size)
    if masks is None:
        return done.images, done.landmarks
    from fer_lib.preprocess.masks import overlay  # only masked worlds need it

    return overlay(done.images, done.landmarks, generator=masks)[0], done.landmarks
