"""Can action units be read off the pictures? A regressor, tested on people it has never seen (chapter 01)."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from fer_lib import worlds
from fer_lib.augment import Augmentation
from fer_lib.datasets.faceset import FaceSet
from fer_lib.encoders import FaceChannel
from fer_lib.evidence.drawn import as_unit_faces
from fer_lib.heads import FaceModel, build_model
from fer_lib.metrics import bootstrap_interval
from fer_lib.train import Settings, fit, predict, seeded
from fer_lib.worlds import camera

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 64  # faces rendered together
STYLE = worlds.SceneStyle(yaw_deg=5, pitch_deg=3, roll_deg=2, scale=(1.45, 1.55), shift=0.01)
EXCLUDE = ((24, 25, 26, 27), (5, 43), (18, 20))  # degrees of one opening, or opposites: one acts at a time
GENTLE = Augmentation(flip=0.5, rotate_deg=0, zoom=0, shift=0, brightness=0.1, contrast=0.2)
WEAKEST = 0.3  # intensity of the faintest action drawn
AGES = (("adults", 16, 60), ("children", 0, 16), ("elders", 60, 200))  # the first is compared with


def unit_faces(
    count: int,
    *,
    size: int = 64,
    seed: int = 0,
    active: float = 0.25,
    style: worlds.SceneStyle = STYLE,
) -> FaceSet:
    """Grey faces whose action units are drawn independently of each other, of the person and of the scene.

    No emotion ties the units together, so a model that finds one has seen it, and has not guessed it from
    its companions. Every face is another person.

    Args:
        count: number of faces.
        size: side in pixels.
        seed: draws people, units and scenes.
        active: chance of each unit to act; its intensity is then even between 0.3 and 1.
        style: of the scenes; the usual one is a tight crop of a calm head.

    Returns:
        A FaceSet with the intensities as targets (N, 20), in the order of ``worlds.NUMBERS``; truth holds
        age and skin_tone.
    """
    generator = torch.Generator().manual_seed(seed)
    people = worlds.sample_people(count, seed=int(torch.randint(2**40, (1,), generator=generator)))
    units = independent_units(count, generator, active=active)
    pictures = []
    for rows in torch.arange(count).split(CHUNK):
        scene = worlds.sample_scene(len(rows), generator, style)
        images = worlds.render(people.take(rows), units[rows], scene, size=size).images
        pictures.append(camera.to_uint8(camera.to_grey(images)).numpy())
    return _with_intensities(np.concatenate(pictures), people, units)


def independent_units(count: int, generator: torch.Generator, *, active: float = 0.25) -> Tensor:
    """Intensities (N, A, 2), each unit active with the same chance, both sides alike.

    Of units that cannot act together (the four openings of the lips, lids raised and closed, lips stretched
    and puckered) one at most is active. The others know nothing of each other.

    Example:
        >>> units = independent_units(1000, torch.Generator().manual_seed(0))
        >>> float(units.min()), bool((units[units > 0] >= 0.3).all())
        (0.0, True)
    """
    shape = (count, len(worlds.NUMBERS))
    acts = torch.rand(shape, generator=generator) < active
    level = WEAKEST + (1 - WEAKEST) * torch.rand(shape, generator=generator)
    turn = torch.rand(shape, generator=generator) * acts  # who goes first
    for group in EXCLUDE:
        places = [worlds.NUMBERS.index(number) for number in group]
        acts[:, places] &= turn[:, places] == turn[:, places].amax(1, keepdim=True)
    return (acts * level)[:, :, None].repeat(1, 1, 2)


def _with_intensities(pixels: np.ndarray, people: worlds.People, units: Tensor) -> FaceSet:
    import pandas as pd

    truth = pd.DataFrame({name: people[name].numpy() for name in ("age", "skin_tone", "glasses")})
    return as_unit_faces("world:units", pixels, units[:, :, 0].numpy(), truth)


def unit_regressor(
    faces: FaceSet,
    *,
    epochs: int,
    width: float = 0.125,
    seed: int = 0,
    augmentation: Augmentation = GENTLE,
) -> tuple[FaceModel, "pd.DataFrame"]:
    """Train a FaceChannel to give the intensity of every action unit.

    Sigmoid outputs and the cross-entropy against the intensity, whose best answer is the expected intensity.
    Many small steps find the faint units; large batches do not.

    Args:
        faces: from :func:`unit_faces`; a tenth of them chooses the epoch.
        epochs: passes over the rest.
        width: of the FaceChannel.
        seed: of weights, order and augmentation.
        augmentation: of the training faces.

    Returns:
        The model, and the history of its training.
    """
    train, validation = faces.split(0.1, seed=seed)
    with seeded(seed):
        model = build_model(FaceChannel, faces, width=width, size=faces.images.shape[-1], dropout=0.0)
    settings = Settings(batch_size=16, learning_rate=5e-3, augmentation=augmentation)
    done = fit(model, train, validation, epochs=epochs, seed=seed, settings=settings)
    return model, done.history


@dataclass(frozen=True)
class UnitReport:
    """How well intensities are read.

    Args:
        units: a row a unit: number, name, r, low, high (95 % over people).
        groups: a row a group: trait, group, faces, r, low, high; r is the mean over the units.
        gaps: a row a group but the first of its trait: trait, group, less, gap, low, high: by how much its r
            exceeds that of the first (light skin, adults).
    """

    units: "pd.DataFrame"
    groups: "pd.DataFrame"
    gaps: "pd.DataFrame"

    @property
    def mean(self) -> float:
        """Mean r over the units."""
        return float(self.units["r"].mean())

    def table(self) -> "pd.DataFrame":
        """Groups for the page: trait, group, faces, mean, low, high, gap (in words)."""
        import pandas as pd

        gaps = self.gaps.set_index(["trait", "group"])
        words = [
            f"{gap:+.3f} [{low:+.3f}, {high:+.3f}]"
            for gap, low, high in gaps[["gap", "low", "high"]].itertuples(index=False)
        ]
        named = pd.Series(words, index=gaps.index, name="gap").reset_index()
        shown = self.groups.rename(columns={"r": "mean"})
        return shown.merge(named, on=["trait", "group"], how="left").fillna({"gap": ""})


def read_units(model: FaceModel, faces: FaceSet, *, resamples: int = 200, seed: int = 0) -> UnitReport:
    """Test a regressor on faces of other people, as a whole and by skin tone and age.

    Args:
        model: from :func:`unit_regressor`.
        faces: from :func:`unit_faces`, drawn with another seed.
        resamples: of the bootstrap over people.
        seed: of the bootstrap.

    Returns:
        Pearson's r of every unit and, as a mean over the units, of every group.
    """
    return report(predict(model, faces), faces, resamples=resamples, seed=seed)


def report(pred: np.ndarray, faces: FaceSet, *, resamples: int = 200, seed: int = 0) -> UnitReport:
    """:func:`read_units` for intensities that were already predicted, (N, 20)."""
    import pandas as pd

    target, options = faces.targets().numpy(), {"resamples": resamples, "seed": seed}
    over = bootstrap_interval(_r_of_each, pred, target, **options)
    about = {"number": worlds.NUMBERS, "name": list(worlds.NAMES.values())}
    units = pd.DataFrame(about | {"r": over.value, "low": over.low, "high": over.high})
    groups, gaps = [], []
    for trait, members in groups_of(faces).items():
        names = list(members)
        code = np.argmax(list(members.values()), axis=0)
        over = bootstrap_interval(partial(_by_group, count=len(names)), pred, target, code, **options)
        for k, name in enumerate([*names, *names[1:]]):
            line = (over.value[k], over.low[k], over.high[k])
            if k < len(names):
                groups.append((trait, name, int((code == k).sum()), *line))
            else:
                gaps.append((trait, name, names[0], *line))
    return UnitReport(
        units,
        pd.DataFrame(groups, columns=["trait", "group", "faces", "r", "low", "high"]),
        pd.DataFrame(gaps, columns=["trait", "group", "less", "gap", "low", "high"]),
    )


def groups_of(faces: FaceSet) -> dict[str, dict[str, np.ndarray]]:
    """Who belongs to which third of the skin tones and to which age: trait, group, mask (N,)."""
    assert faces.truth is not None
    tone, age = (faces.truth[name].to_numpy() for name in ("skin_tone", "age"))
    third = np.minimum((3 * tone).astype(int), 2)
    tones = {name: third == k for k, name in enumerate(("light", "middle", "dark"))}
    return {"skin tone": tones, "age": {name: (age >= low) & (age < high) for name, low, high in AGES}}


def _r_of_each(pred: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Pearson's r of each column, (A,); nan where a column does not vary."""
    x, y = pred - pred.mean(0), target - target.mean(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (x * y).sum(0) / np.sqrt((x * x).sum(0) * (y * y).sum(0))


def _by_group(pred: np.ndarray, target: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    """Mean r of each group, then each group's less that of the first, (2 count - 1,)."""
    found = np.array([np.nanmean(_r_of_each(pred[group == k], target[group == k])) for k in range(count)])
    return np.concatenate([found, found[1:] - found[0]])
