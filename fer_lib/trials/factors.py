"""What made two faces of one class differ, as a world knows it: feeling, pose, light, person (chapter 13)."""

from typing import Any

import numpy as np

OTHER = "another feeling"
WAY = "how it is shown"
INHERENT = (OTHER, WAY)
NUISANCE: dict[str, tuple[str, ...]] = {
    "pose": ("yaw_deg", "pitch_deg", "roll_deg", "scale", "shift_x", "shift_y"),
    "light": (
        "light_azimuth_deg", "light_elevation_deg", "light_key", "light_ambient", "light_warmth",
        "second_azimuth_deg", "second_elevation_deg", "second_key", "exposure",
    ),
    "picture": ("blur", "noise", "grain", "vignette", "place", "occluder", "headwear"),
}  # fmt: skip


def factors_of(faces: Any) -> dict[str, np.ndarray]:
    """What made the faces differ, as columns to predict from, a matrix (N, p) a group.

    Of a world: `OTHER`, the feeling that was shown (annotators may have called it another); `WAY`, its
    strength, action units, valence and arousal, and all of the former; and the groups of `NUISANCE`. Numbers
    come with their squares, and those of a nuisance with their products. Of a corpus: "affect", the annotated
    valence and arousal with squares and product.

    Args:
        faces: a ``SideTargets`` with valence and arousal, or a FaceSet of a world.

    Raises:
        ValueError: faces without truth and without affect.
    """
    truth = faces.truth
    if truth is None:
        if not hasattr(faces, "sides"):
            raise ValueError(f"faces must have truth or affect; got {faces.name}. Give both_views(faces).")
        return {"affect": _bent(faces.sides[:, :2].numpy().astype(float))}
    shown = _one_hot(truth["prototype"])
    units = truth[[name for name in truth if name.startswith("au_")]].to_numpy(float)
    affect = truth[["valence", "arousal"]].to_numpy(float)
    strength = truth[["intensity"]].to_numpy(float)
    way = [
        shown,
        shown * strength,
        units,
        units**2,
        _bent(affect),
        truth[["blend_share", "uneven"]].to_numpy(float),
    ]
    found = {OTHER: shown, WAY: np.concatenate(way, 1)}
    for name, columns in NUISANCE.items():
        known = [column for column in columns if column in truth]
        plain = [column for column in known if truth[column].dtype.kind in "biuf"]
        named = [_one_hot(truth[column]) for column in known if column not in plain]
        found[name] = np.concatenate([_bent(truth[plain].to_numpy(float)), *named], 1)
    return found


def _one_hot(values: Any) -> np.ndarray:
    kinds, which = np.unique(np.asarray(values).astype(str), return_inverse=True)
    return np.eye(len(kinds))[which]


def _bent(columns: np.ndarray) -> np.ndarray:
    """Columns in units of their spread, with all squares and products of two."""
    scale = columns.std(0)
    z = (columns - columns.mean(0))[:, scale > 1e-9] / scale[scale > 1e-9]
    first, second = np.triu_indices(z.shape[1])
    return np.concatenate([z, z[:, first] * z[:, second]], 1)
