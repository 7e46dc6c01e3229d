"""A trial of face finders: rendered heads over a range of turns, so that every miss has a known cause."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fer_lib.preprocess.align import eye_centres
from fer_lib.preprocess.detect import detect, find_eyes
from fer_lib.preprocess.facesets import eye_error
from fer_lib.preprocess.masks import overlay

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 48


@dataclass(frozen=True)
class Heads:
    """Rendered heads and what is known of them.

    Attributes:
        images: uint8 (N,3,S,S).
        landmarks: (N,68,2) pixels.
        known: N rows: yaw_deg, skin_tone (0 light to 1 dark), age, male, glasses.
    """

    images: np.ndarray
    landmarks: Tensor
    known: "pd.DataFrame"


def render_heads(
    count: int, *, seed: int, yaw_deg: tuple[float, float] = (-40.0, 40.0), size: int = 160, **traits: float
) -> Heads:
    """Heads of as many people, with evenly drawn turns and any expression.

    Args:
        count: number of heads.
        seed: draws people, expressions and scenes; the same seed with other traits gives the same heads but
            for these traits.
        yaw_deg: range of the turn.
        size: side of the pictures.
        **traits: set for everybody, such as ``glasses=1.0``.

    Example:
        >>> heads = render_heads(2, seed=0, yaw_deg=(0.0, 0.0), size=64, glasses=1.0)
        >>> heads.images.shape, heads.known["glasses"].tolist()
        ((2, 3, 64, 64), [1.0, 1.0])
    """
    import pandas as pd

    from fer_lib.worlds import SceneStyle, express, render, sample_people, sample_scene

    generator = torch.Generator().manual_seed(seed)
    people = sample_people(count, seed=seed).with_traits(**traits)
    yaw = yaw_deg[0] + (yaw_deg[1] - yaw_deg[0]) * torch.rand(count, generator=generator)
    valence, arousal = 1.6 * torch.rand(2, count, generator=generator) - 0.8
    units = express(valence, arousal)
    style = SceneStyle(scale=(0.55, 0.7), roll_deg=4.0, headwear=0.0)
    images, points = [], []
    for start in range(0, count, CHUNK):
        rows = torch.arange(start, min(start + CHUNK, count))
        scene = replace(sample_scene(len(rows), generator, style), yaw_deg=yaw[rows])
        done = render(people.take(rows), units[rows], scene, size=size)
        images.append((done.images * 255).round().byte())
        points.append(done.landmarks)
    columns = {name: people[name].numpy() for name in ("skin_tone", "age", "male", "glasses")}
    return Heads(torch.cat(images).numpy(), torch.cat(points), pd.DataFrame({"yaw_deg": yaw} | columns))


def masked_heads(heads: Heads, *, seed: int) -> Heads:
    """The same heads with a mask on each."""
    generator = torch.Generator().manual_seed(seed)
    images, _ = overlay(torch.from_numpy(heads.images).float() / 255, heads.landmarks, generator=generator)
    return replace(heads, images=(images * 255).round().byte().numpy())


def try_detector(heads: Heads, **options: float) -> "pd.DataFrame":
    """Look for each head, and for its eyes.

    A head counts as found when the largest box holds the tip of its nose and is 0.7 to 2.2 times as wide as
    the way from the nose's root to the chin.

    Args:
        heads: pictures with the truth.
        **options: of :func:`fer_lib.preprocess.detect.find_faces`.

    Returns:
        ``known`` with found (bool), eyes (bool: both found within a quarter of their distance), eye_error
        (share of the eyes' distance; nan where no pair was found) and the box (left, top, width, height).
    """
    search = detect(heads.images, **options)
    points = heads.landmarks.numpy()
    nose, tall = points[:, 30], np.linalg.norm(points[:, 8] - points[:, 27], axis=1)
    low, wide = search.boxes[:, :2], search.boxes[:, 2]
    with np.errstate(invalid="ignore"):
        holds = ((nose > low) & (nose < low + search.boxes[:, 2:])).all(1)
        found = holds & (wide > 0.7 * tall) & (wide < 2.2 * tall)
    eyes = find_eyes(heads.images, np.where(found[:, None], search.boxes, np.nan))
    error = eye_error(eyes, eye_centres(heads.landmarks).numpy())
    sides = dict(zip(("left", "top", "width", "height"), search.boxes.T, strict=True))
    return heads.known.assign(found=found, eyes=error < 0.25, eye_error=error, **sides)


def fairness_groups(trial: "pd.DataFrame") -> "dict[str, pd.DataFrame]":
    """Heads of a trial by thirds of skin tone and by age.

    Example:
        >>> import pandas as pd
        >>> trial = pd.DataFrame({"skin_tone": [0.1, 0.5, 0.9], "age": [8, 30, 70]})
        >>> {name: len(group) for name, group in fairness_groups(trial).items()}
        {'light skin': 1, 'medium skin': 1, 'dark skin': 1, 'below 16': 1, '16 to 59': 1, '60 and over': 1}
    """
    tone, age = trial["skin_tone"], trial["age"]
    masks = {
        "light skin": tone < 1 / 3,
        "medium skin": (tone >= 1 / 3) & (tone < 2 / 3),
        "dark skin": tone >= 2 / 3,
        "below 16": age < 16,
        "16 to 59": (age >= 16) & (age < 60),
        "60 and over": age >= 60,
    }
    return {name: trial[mask] for name, mask in masks.items()}


def rate_table(groups: "Mapping[str, pd.DataFrame]") -> "pd.DataFrame":
    """Trials of several groups side by side: group, heads, face found, both eyes found, with intervals."""
    import pandas as pd

    kept = {name: trial for name, trial in groups.items() if len(trial)}
    columns: dict[str, list] = {"heads": [len(trial) for trial in kept.values()]}
    for column, title in (("found", "face found"), ("eyes", "both eyes found")):
        shares = rates({name: trial[column] for name, trial in kept.items()})
        columns[title] = [
            f"{m:.2f} [{low:.2f}, {high:.2f}]" for m, low, high in shares[["mean", "low", "high"]].to_numpy()
        ]
    return pd.DataFrame({"group": list(kept)} | columns)


def by_turn(trials: "Mapping[str, tuple[pd.DataFrame, str]]", *, width_deg: float = 8.0) -> "pd.DataFrame":
    """Shares over the head's turn, for bands: name, x (middle of a bin in degrees), y, low, high.

    Args:
        trials: name to a trial and its column, "found" or "eyes".
        width_deg: of a bin.
    """
    import pandas as pd

    lines = []
    for name, (trial, column) in trials.items():
        turn = trial["yaw_deg"].abs() // width_deg
        for bin_, part in trial.groupby(turn):
            row = rates({name: part[column]}).iloc[0]
            x = (float(bin_) + 0.5) * width_deg  # type: ignore[arg-type]
            lines.append({"name": name, "x": x, "y": row["mean"], "low": row["low"], "high": row["high"]})
    return pd.DataFrame(lines)


def rates(groups: Mapping[str, Any], *, confidence: float = 0.95) -> "pd.DataFrame":
    """Shares with Wilson's interval, which is honest near 0 and 1.

    Args:
        groups: name to truth values.
        confidence: of the interval.

    Returns:
        One row a group: group, mean, low, high, faces.

    Example:
        >>> rates({"all": [True] * 9 + [False]}).round(2).values.tolist()
        [['all', 0.9, 0.6, 0.98, 10]]

    Reference:
        Wilson (1927).
    """
    import pandas as pd
    from scipy import stats

    lines = []
    for name, values in groups.items():
        hits, total = int(np.sum(values)), len(values)
        if not total:
            raise ValueError(f"groups must hold faces; got none in {name!r}. Widen the group.")
        ends = stats.binomtest(hits, total).proportion_ci(confidence, method="wilson")
        lines.append(
            {"group": name, "mean": hits / total, "low": ends.low, "high": ends.high, "faces": total}
        )
    return pd.DataFrame(lines)
