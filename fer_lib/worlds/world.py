"""A world: a corpus that never was, with the columns, classes, splits and faults of a real one."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fer_lib.worlds import camera, tables
from fer_lib.worlds.affect_rules import affect
from fer_lib.worlds.annotators import Panel, appearance
from fer_lib.worlds.expressions import EMOTIONS, Dialect, Shown, sample_expressions
from fer_lib.worlds.people import People, sample_people
from fer_lib.worlds.renderer import SIZES, render
from fer_lib.worlds.scene import Scene, SceneStyle, sample_scene

CHUNK = 64  # images share a generator by the chunk, so that a longer world begins like a shorter one


@dataclass(frozen=True)
class World:
    """What makes a world; ``WORLDS`` holds them by name.

    Attributes:
        name: the corpus it stands in for.
        classes: its labels, in its order.
        label: which columns it has: "expression+va", "expression" or "votes".
        task, tasks, metric, protocol: as its ``FaceSet`` says.
        size, channels: side and channels of its pictures (1 grey, 3 colour).
        counts: images a split that a build of the whole world renders.
        people: identities a split.
        frequency: how often each emotion is shown (any scale), by split where they differ.
        dialect, style, panel: its faces, its pictures, its annotators.
        blank: share of pictures without a face.
        published: what is known of the corpus's annotators: "agreement", how often two give one label;
            "people", the accuracy of people asked to name its labels.
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
    dialect: Dialect = field(default_factory=Dialect)
    style: SceneStyle = field(default_factory=SceneStyle)
    panel: Panel = field(default_factory=Panel)
    blank: float = 0.0
    published: dict[str, float] = field(default_factory=dict)

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
        people = self.population(split, seed)
        starts = range(0, n, CHUNK)
        parts = [self._tables(self._draw(people, split, seed, k), split, seed, k) for k in range(len(starts))]
        if parts:
            table, truth = (pd.concat([p[i] for p in parts], ignore_index=True).iloc[:n] for i in (0, 1))
        else:
            table, truth = (
                f.iloc[:0] for f in self._tables(self._draw(people, split, seed, 0), split, seed, 0)
            )
        return self._images(people, split, n, size, seed), table, truth

    def population(self, split: str, seed: int) -> People:
        """Everybody who may appear in a split."""
        return sample_people(self.people[split], seed=_seed(self.name, split, seed, "people"), ages=self.ages)

    def _check(self, split: str, n: int, size: int) -> None:
        if split not in self.counts:
            raise ValueError(
                f"split must be one of {tuple(self.counts)}; got {split!r}. Choose one of these."
            )
        if n < 0:
            raise ValueError(f"n must be 0 or more; got {n}. Ask for a number of images.")
        if not SIZES[0] <= size <= SIZES[1]:
            raise ValueError(f"size must lie in {SIZES[0]}-{SIZES[1]}; got {size}. Choose another side.")

    def _draw(self, people: People, split: str, seed: int, chunk: int) -> "Drawn":
        """Everything about a chunk but its pixels."""
        generator = torch.Generator().manual_seed(_seed(self.name, split, seed, chunk))
        who = torch.randint(0, len(people), (CHUNK,), generator=generator)
        odds = torch.tensor([self.frequency[split].get(name, 0.0) for name in EMOTIONS])
        emotion = torch.multinomial(odds, CHUNK, replacement=True, generator=generator)
        shown = sample_expressions(people.take(who), emotion, generator, self.dialect)
        scene = sample_scene(CHUNK, generator, self.style)
        blank = torch.rand(CHUNK, generator=generator) < self.blank
        return Drawn(who, people.take(who), shown, scene, blank, generator)

    def _tables(self, drawn: "Drawn", split: str, seed: int, chunk: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        panel_seed = _seed(self.name, "", seed, "panel")
        dialect = self.dialect
        valence, arousal = affect(drawn.shown.units, turn_deg=dialect.turn_deg, stretch=dialect.stretch)
        looks = appearance(drawn.shown, self.panel)
        columns = tables.label_columns(self, looks, (valence, arousal), drawn, panel_seed)
        first = chunk * CHUNK
        path = [f"{self.name}/{split}/{first + i:07d}.png" for i in range(CHUNK)]
        table = pd.DataFrame({"path": path, "split": split, **columns})
        truth = tables.truth_columns(drawn, looks, (valence, arousal), f"{self.name}-{split}-{seed}")
        return table, pd.DataFrame(truth)

    def _images(self, people: People, split: str, n: int, size: int, seed: int) -> Iterator[np.ndarray]:
        for chunk in range(-(-n // CHUNK)):
            drawn = self._draw(people, split, seed, chunk)
            image = render(drawn.people, drawn.shown.units, drawn.scene, size=size).images
            image = camera.to_grey(image) if self.channels == 1 else image
            image = torch.where(drawn.blank[:, None, None, None], torch.zeros_like(image), image)
            yield camera.to_uint8(image)[: n - chunk * CHUNK].numpy()


@dataclass(frozen=True)
class Drawn:
    """A chunk before it is painted: who, what they show, where; and the generator, for the annotators."""

    who: Tensor
    people: People
    shown: Shown
    scene: Scene
    blank: Tensor
    generator: torch.Generator


def _seed(*parts: object) -> int:
    """A seed from names and numbers, the same on every machine."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:7], "big")
