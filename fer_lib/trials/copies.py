"""Augmentation for cached features: changed copies of every face are encoded, and drawn from in training."""

from typing import Any

import numpy as np
import torch

from fer_lib import artifacts
from fer_lib.adapt.frozen import FeatureSet, features_of
from fer_lib.augment import THESIS, augment
from fer_lib.encoders.contract import Encoder
from fer_lib.preprocess.facesets import repicture


def with_copies(encoder: Encoder, faces: Any, stage: str, *, copies: int, seed: int = 0) -> FeatureSet:
    """Features of faces and of augmented copies of them, one of which is drawn in each epoch.

    The changes are the six of the thesis, see ``fer_lib.augment.THESIS``.

    Args:
        encoder: frozen up to the stage.
        faces: a FaceSet.
        stage: see ``fer_lib.adapt.frozen.features_of``.
        copies: how many more pictures of each face.
        seed: draws the changes.
    """
    generator, found = torch.Generator().manual_seed(seed), [features_of(encoder, faces, stage)]
    pictures = faces.batch(np.arange(len(faces))).float() / 255
    for k in range(copies):
        changed = (augment(pictures, THESIS, generator=generator) * 255).round().byte().numpy()
        found.append(features_of(encoder, repicture(faces, changed, how=f"six {seed} {k}"), stage))
    arrays = tuple(np.concatenate(part) for part in zip(*(one.arrays for one in found), strict=True))
    mark = artifacts.key(several=[one.fingerprint for one in found])
    return FeatureSet(faces, arrays, stage=stage, views=copies + 1, fingerprint=mark)
