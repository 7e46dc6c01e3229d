"""From the world to real faces: a reader that never saw a person, tested on people (chapter 01).

What travels is the reading of single muscles. A classifier trained on the worlds' emotions learns whatever
tells the classes apart in rendered faces; a reader of action units has to find each movement among all the
others. So a network first learns the units, and a linear model then learns, on rendered faces still, which
units belong to which emotion: all units of the prototypes of the emotions in question. No real face trains a
traveller or chooses its epoch. Its makers did look at scores on the training part of one collection of real
faces; an honest number comes from people who were not in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from fer_lib import worlds
from fer_lib.augment import Augmentation
from fer_lib.datasets.faceset import FaceSet
from fer_lib.encoders import FaceChannel
from fer_lib.evidence.drawn import as_unit_faces
from fer_lib.evidence.units import independent_units
from fer_lib.heads import FaceModel, build_model
from fer_lib.metrics import bootstrap_interval, mean_class_accuracy, pearson
from fer_lib.train import Settings, fit, predict, seeded
from fer_lib.train.baseline import gradient_histograms
from fer_lib.train.evaluate import FEW
from fer_lib.worlds import camera

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

CLASSES = FEW["four_classes"]
OTHERS = ("sadness", "fear", "disgust")  # shown now and then, so that the units meet in other company
STYLE = worlds.SceneStyle(
    yaw_deg=12, pitch_deg=7, roll_deg=7, scale=(1.10, 1.42), shift=0.05, shift_y=0.03, contrast=(0.6, 3.0),
    blur=(0.0, 0.9), noise=(0.003, 0.04), colour=False,
)  # fmt: skip
DIALECT = worlds.Dialect(intensity=(0.6, 3.0), blend=0.05)  # all variants alike, from faint to full
AGES = (18.0, 85.0)
TALK = {25: 0.7, 26: 0.45, 18: 0.3, 20: 0.3, 17: 0.3, 4: 0.3, 7: 0.3}  # what a neutral face does in passing
CLEAR = 0.25  # intensity above which a face counts as showing its emotion
LOOKS = ((1.0, 0, 0), (1.0, 2, 0), (1.0, -2, 0), (1.0, 0, 2), (1.0, 0, -2), (1.1, 0, 0), (0.92, 0, 0))
FREE = 0.3  # share of faces whose units are drawn independently
CHUNK = 64


def travel_faces(count: int, *, size: int = 48, seed: int = 0) -> FaceSet:
    """Draw faces for the journey: grown people in wide scenes, with emotions, talk, or units at random.

    Args:
        count: number of faces, each of another person.
        size: side in pixels.
        seed: draws everything.

    Returns:
        Grey faces with the intensities of their units as targets (N, 20); ``truth["emotion"]`` is an index
        into ``CLASSES``, -1 for faces of other or faint emotions, or of none.
    """
    import pandas as pd

    generator = torch.Generator().manual_seed(seed)
    people = worlds.sample_people(count, seed=int(torch.randint(2**40, (1,), generator=generator)), ages=AGES)
    pictures, units, emotions = [], [], []
    for rows in torch.arange(count).split(CHUNK):
        acting, emotion = _act(people.take(rows), generator)
        scene = worlds.sample_scene(len(rows), generator, STYLE)
        images = worlds.render(people.take(rows), acting, scene, size=size).images
        pictures.append(camera.to_uint8(camera.to_grey(images)).numpy())
        units.append(acting.mean(-1))
        emotions.append(emotion)
    truth = pd.DataFrame({"emotion": torch.cat(emotions).numpy()})
    levels = torch.cat(units).numpy()
    return as_unit_faces("world:travel", np.concatenate(pictures), levels, truth)


def _act(people: worlds.People, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Units (B, A, 2) of a batch, and its emotions (B,) as places in ``CLASSES``."""
    odds = torch.tensor([1.0, 1.0, 1.0, 1.5, *(0.25 for _ in OTHERS)])
    kind = torch.multinomial(odds, len(people), replacement=True, generator=generator)
    names = [worlds.EMOTIONS.index(name) for name in (*CLASSES, *OTHERS)]
    shown = worlds.sample_expressions(people, torch.tensor(names)[kind], generator, DIALECT)
    neutral = kind == CLASSES.index("neutral")
    talking = neutral & (torch.rand(len(kind), generator=generator) < 0.5)
    acting = shown.units.clone()
    for number, most in TALK.items():
        some = talking & (torch.rand(len(kind), generator=generator) < 0.6)
        level = (some * most * torch.rand(len(kind), generator=generator))[:, None]
        place = worlds.NUMBERS.index(number)
        acting[:, place] = torch.maximum(acting[:, place], level)
    free = torch.rand(len(kind), generator=generator) < FREE
    acting = torch.where(free[:, None, None], independent_units(len(kind), generator), acting)
    clear = ~free & (neutral | (shown.intensity > CLEAR)) & (kind < len(CLASSES))
    return acting, torch.where(clear, kind, -1)


def even_contrast(faces: FaceSet, *, sigma: float = 4.0, floor: float = 6.0) -> FaceSet:
    r"""Divide each pixel's distance from its surroundings by how much it varies there.

    .. math:: z = \frac{x - G_\sigma x}{c + \sqrt{G_\sigma (x - G_\sigma x)^2}}

    Light, skin and camera change contrast from place to place; edges keep their sign and shape.

    Args:
        faces: grey pictures of 48 pixels; sigma grows with the side.
        sigma: of the Gaussian window G, in pixels of a 48-pixel picture.
        floor: c, in grey levels; flat places stay flat.

    Returns:
        The same faces in memory, 128 + 45 z.
    """
    import dataclasses

    import cv2

    reach = sigma * faces.pixels.shape[-1] / 48
    pixels = np.empty((len(faces), 1, *faces.pixels.shape[2:]), dtype=np.uint8)
    for k, picture in enumerate(faces.images.mean(axis=1, dtype=np.float32)):
        away = picture - cv2.GaussianBlur(picture, (0, 0), reach)
        spread = np.sqrt(cv2.GaussianBlur(away * away, (0, 0), reach))
        pixels[k, 0] = np.clip(128 + 45 * away / (spread + floor), 0, 255)
    return dataclasses.replace(
        faces, pixels=pixels, rows=np.arange(len(faces)), fingerprint=f"{faces.fingerprint}~{sigma:g}"
    )


@dataclass(frozen=True)
class Traveller:
    """A reader of real faces that learned from rendered ones only.

    Args:
        units: from faces to the intensities of their units, (N, 20).
        deciders: from the prototypes' units to a class, by the names of ``FEW``.
        skill: mean r of the units on rendered faces of other people.
    """

    units: Callable[[FaceSet], np.ndarray]
    deciders: dict[str, "LogisticRegression"]
    skill: float


def train_traveller(
    faces: FaceSet,
    *,
    epochs: int = 8,
    width: float = 0.25,
    seed: int = 0,
    readers: Sequence[str] = ("network", "histograms"),
) -> Traveller:
    """Learn units from most of the faces, and from the rest which units make an emotion.

    Args:
        faces: from :func:`travel_faces`.
        epochs: of the FaceChannel; the best is chosen on the rest, rendered faces too.
        width: of the FaceChannel.
        seed: of the split, the weights and the order.
        readers: "network", a FaceChannel; "histograms", ridge regression on gradient histograms; the readings
            of both are averaged.

    Returns:
        The traveller.

    Raises:
        ValueError: an unknown reader, or none.
    """
    if not readers or not set(readers) <= {"network", "histograms"}:
        raise ValueError(f"readers must be network, histograms or both; got {readers!r}. Name one or both.")
    train, rest = faces.split(0.25, seed=seed)
    learned = {
        "network": lambda: _network(train, rest, epochs=epochs, width=width, seed=seed),
        "histograms": lambda: _ridge(train),
    }
    looks = [learned[name]() for name in readers]
    units = lambda seen: np.mean([look(seen) for look in looks], axis=0)  # noqa: E731
    found, target = units(rest), rest.targets().numpy()
    assert rest.truth is not None
    emotion = rest.truth["emotion"].to_numpy()
    deciders = {name: _decider(found[:, _places(name)], emotion, classes) for name, classes in FEW.items()}
    return Traveller(units, deciders, float(np.mean(pearson(found, target))))


def _network(
    train: FaceSet, rest: FaceSet, *, epochs: int, width: float, seed: int
) -> Callable[[FaceSet], np.ndarray]:
    train, rest = even_contrast(train), even_contrast(rest)
    with seeded(seed):
        model = build_model(FaceChannel, train, width=width, size=train.pixels.shape[-1], dropout=0.0)
    moved = Augmentation(flip=0.5, rotate_deg=6, zoom=0.1, shift=0.05, brightness=0.1, contrast=0.3)
    settings = Settings(batch_size=16, learning_rate=5e-3, augmentation=moved)
    fit(model, train, rest, epochs=epochs, seed=seed, settings=settings)
    return lambda faces: _look(model, even_contrast(faces))


def _look(model: FaceModel, faces: FaceSet) -> np.ndarray:
    """Mean prediction over :data:`LOOKS` (zoom, shift right and down in 48ths) and mirror images."""
    import dataclasses

    import cv2

    side, found = faces.pixels.shape[-1], np.zeros(())
    for zoom, right, down in LOOKS:
        keep = side * (1 - zoom) / 2  # zoom about the middle
        move = np.array([[zoom, 0, keep + right * side / 48], [0, zoom, keep + down * side / 48]])
        pixels = [
            cv2.warpAffine(p[0], move, (side, side), borderMode=cv2.BORDER_REPLICATE) for p in faces.images
        ]
        moved = dataclasses.replace(faces, pixels=np.stack(pixels)[:, None], rows=np.arange(len(faces)))
        found = found + predict(model, moved, flip=True) / len(LOOKS)
    return found


def _ridge(train: FaceSet, penalty: float = 10.0) -> Callable[[FaceSet], np.ndarray]:
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=penalty).fit(gradient_histograms(train), train.targets().numpy())
    return lambda faces: model.predict(gradient_histograms(faces))


def _places(metric: str) -> list[int]:
    """Where the units stand that the prototypes of a question's classes move."""
    acting = {n for name in FEW[metric] for variant in worlds.PROTOTYPES[name] for n in variant}
    return [k for k, number in enumerate(worlds.NUMBERS) if number in acting]


def _decider(found: np.ndarray, emotion: np.ndarray, classes: Sequence[str]) -> "LogisticRegression":
    from sklearn.linear_model import LogisticRegression

    chosen = np.isin(emotion, [CLASSES.index(name) for name in classes])
    names = np.array(CLASSES)[emotion[chosen]]
    return LogisticRegression(class_weight="balanced", max_iter=500).fit(found[chosen], names)


def reality(traveller: Traveller, faces: FaceSet, *, resamples: int = 500, seed: int = 0) -> "pd.DataFrame":
    """Test a traveller on real faces.

    Args:
        traveller: from :func:`train_traveller`.
        faces: a corpus with one class a face, such as a test part of FER2013.
        resamples: of the bootstrap, over people where they are known.
        seed: of the bootstrap.

    Returns:
        A row a question, happy_neutral and four_classes: metric, value, low, high (mean class accuracy among
        the faces of these classes), chance, faces.
    """
    import pandas as pd

    found = traveller.units(faces)
    names = np.array(faces.classes)[faces.targets().numpy()]
    people = faces.table.get("subject")
    lines = []
    for metric, classes in FEW.items():
        chosen = np.isin(names, classes)
        number = {name: k for k, name in enumerate(classes)}
        pred, target = (
            np.array([number[name] for name in some])
            for some in (traveller.deciders[metric].predict(found[chosen][:, _places(metric)]), names[chosen])
        )
        known = people is not None and bool(people[chosen].notna().all() and people[chosen].nunique() > 1)
        groups = people[chosen].astype(str).to_numpy() if known and people is not None else None
        over = bootstrap_interval(
            mean_class_accuracy, pred, target, resamples=resamples, seed=seed, groups=groups
        )
        line = {"metric": metric, "value": over.value, "low": over.low, "high": over.high}
        lines.append(line | {"chance": 1 / len(classes), "faces": int(chosen.sum())})
    return pd.DataFrame(lines)
