"""Does a detector that learned from people take rendered faces for faces? By pose, skin, age, glasses."""

from typing import TYPE_CHECKING

import numpy as np

from fer_lib import worlds
from fer_lib.evidence.units import AGES, CHUNK
from fer_lib.worlds import camera

if TYPE_CHECKING:
    import pandas as pd

STYLE = worlds.SceneStyle(yaw_deg=14, pitch_deg=5, roll_deg=4, scale=(0.66, 0.82), blur=(0.0, 0.4))
POSES = (("|yaw| 0 to 5", 0, 5), ("|yaw| 5 to 15", 5, 15), ("|yaw| 15 to 28", 15, 29))


def faces_for_detection(count: int, *, size: int = 160, seed: int = 0) -> "tuple[np.ndarray, pd.DataFrame]":
    """Draw colour pictures of whole heads: all people and expressions, without masks.

    Args:
        count: number of pictures, each of another person.
        size: side in pixels.
        seed: draws everything.

    Returns:
        uint8 (N, 3, S, S), and what is known: yaw_deg, skin_tone, age, glasses, closed (unit 43).
    """
    import pandas as pd
    import torch

    generator = torch.Generator().manual_seed(seed)
    people = worlds.sample_people(count, seed=seed + 1)
    emotion = torch.randint(0, len(worlds.EMOTIONS), (count,), generator=generator)
    shown = worlds.sample_expressions(people, emotion, generator, worlds.Dialect())
    pictures, yaw = [], []
    for rows in torch.arange(count).split(CHUNK):
        scene = worlds.sample_scene(len(rows), generator, STYLE)
        images = worlds.render(people.take(rows), shown.units[rows], scene, size=size).images
        pictures.append(camera.to_uint8(images).numpy())
        yaw.append(scene.yaw_deg)
    known = {name: people[name].numpy() for name in ("skin_tone", "age", "glasses")}
    closed = shown.units[:, worlds.NUMBERS.index(43)].mean(1).numpy()
    return np.concatenate(pictures), pd.DataFrame(
        known | {"yaw_deg": torch.cat(yaw).numpy(), "closed": closed}
    )


def detection_table(found: np.ndarray, known: "pd.DataFrame") -> "pd.DataFrame":
    """Share of faces found, by group, with Wilson's 95 % interval.

    Args:
        found: bool (N,).
        known: of :func:`faces_for_detection`.

    Returns:
        A row a group: trait, group, faces, found, low, high.

    Example:
        >>> import pandas as pd
        >>> known = pd.DataFrame({"yaw_deg": [0.0], "skin_tone": [0.1], "age": [30.0], "glasses": [0.0]})
        >>> detection_table(np.array([True]), known)["group"].tolist()[:2]
        ['all', '|yaw| 0 to 5']
    """
    import pandas as pd

    yaw, age = np.abs(known["yaw_deg"].to_numpy()), known["age"].to_numpy()
    third = np.minimum((3 * known["skin_tone"].to_numpy()).astype(int), 2)
    ahead = yaw <= 15  # the other traits are compared among faces that look ahead
    groups = [("all", "all", yaw >= 0)]
    groups += [("pose", name, (yaw >= low) & (yaw < high)) for name, low, high in POSES]
    groups += [
        ("skin tone", name, ahead & (third == k)) for k, name in enumerate(("light", "middle", "dark"))
    ]
    groups += [("age", name, ahead & (age >= low) & (age < high)) for name, low, high in AGES]
    glasses = known["glasses"].to_numpy() > 0.5
    groups += [("glasses", "with", ahead & glasses), ("glasses", "without", ahead & ~glasses)]
    lines = [(trait, name, *_share(found[inside])) for trait, name, inside in groups if inside.any()]
    return pd.DataFrame(lines, columns=["trait", "group", "faces", "found", "low", "high"])


def _share(found: np.ndarray) -> tuple[int, float, float, float]:
    """Count, share and Wilson's interval."""
    n, p, z = len(found), float(found.mean()), 1.96
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return n, p, float(max(0.0, centre - reach)), float(min(1.0, centre + reach))
