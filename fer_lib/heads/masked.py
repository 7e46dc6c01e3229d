"""A decision layer that also says where eyes and mouth are (chapter 14)."""

from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.heads.joint import ViewsHead


class MaskedHead(ViewsHead):
    """Expression, and a small picture of where eyes and mouth lie, from one map.

    Landmarks themselves are harder to find than an expression, so the thesis asks for less: is this pixel of
    an eye or of the mouth? Raw outputs are K logits and, behind them, a logit for each pixel, row by row.
    Targets are what ``fer_lib.train.sides.SideTargets(faces, mask_targets(faces, side))`` gives.

    Args:
        feature_shape: (C, h, w) of the map.
        classes: K.
        side: of the picture of eyes and mouth, in pixels.
        mask_weight: factor on the pixels' loss, their mean binary cross-entropy.
        embedding: units of the dense layer (with ReLU) before the classifier; 0 for none.
        **options: ``class_loss``, ``side_loss``, ``pool``; see ``JointHead``.

    Raises:
        ValueError: a number out of its range, or an unknown option.

    Example:
        >>> MaskedHead((8, 4, 4), 7, side=16)(torch.zeros(2, 8, 4, 4)).shape
        torch.Size([2, 263])

    Reference: Antoniadis (2021), section 5.1.2. Chapter 14.
    """

    def __init__(
        self,
        feature_shape: tuple[int, ...],
        classes: int,
        *,
        side: int = 16,
        mask_weight: float = 1.0,
        embedding: int = 128,
        **options: Any,
    ) -> None:
        super().__init__(classes, affect="none", **options)
        if side < 1 or embedding < 0 or not mask_weight >= 0:
            raise ValueError(
                f"side must be at least 1, embedding and mask_weight at least 0; got {side}, {embedding}, "
                f"{mask_weight}. 16, 128 and 1 are usual."
            )
        self.side, self.mask_weight = side, mask_weight
        wide = prod(feature_shape) if self.pool == "flat" or len(feature_shape) < 3 else feature_shape[0]
        self.embed = nn.Sequential(nn.Linear(wide, embedding), nn.ReLU()) if embedding else nn.Identity()
        self.classifier = nn.Linear(embedding or wide, classes)
        self.pixels = nn.Linear(prod(feature_shape), side * side)

    def embeddings(self, features: Tensor) -> Tensor:
        return self.embed(self.pooled(features))

    def outputs_of(self, features: Tensor, shared: Tensor) -> Tensor:
        return torch.cat([self.classifier(shared), self.pixels(features.flatten(1))], 1)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The expression's loss and the pixels', of raw outputs; a scalar, in float32."""
        if targets.ndim != 2 or targets.shape[1] != 1 + self.side**2:
            raise ValueError(
                f"targets must be (B, {1 + self.side**2}), class and mask; got {tuple(targets.shape)}. "
                f"Train on SideTargets(faces, mask_targets(faces, {self.side}))."
            )
        outputs = outputs.float()
        own = super().loss(outputs, targets)
        masks = F.binary_cross_entropy_with_logits(outputs[:, self.classes :], targets[:, 1:].float())
        return own + self.mask_weight * masks

    def predict_mask(self, outputs: Tensor) -> Tensor:
        """Probability that a pixel is of an eye or the mouth, (B, side, side)."""
        return torch.sigmoid(outputs[:, self.classes :].float()).unflatten(1, (self.side, self.side))


def mask_targets(faces: Any, side: int = 16) -> np.ndarray:
    """Share of each pixel that an eye or the mouth covers, from a face's landmarks.

    Args:
        faces: a FaceSet with landmarks: a world's truth has them, a corpus's table may.
        side: of the masks.

    Returns:
        float32 (N, side, side) in [0, 1].

    Raises:
        ValueError: no landmarks.
        DataError: some faces lack theirs.
    """
    from fer_lib.errors import DataError
    from fer_lib.worlds import REGION_NAMES, landmarks_of, regions_of_landmarks

    table = faces.truth if faces.truth is not None else faces.table
    points = landmarks_of(table)
    unknown = np.isnan(points).any((1, 2))
    if unknown.any():
        row, fix = int(np.flatnonzero(unknown)[0]), "Leave these faces out: faces.without(...)."
        found = f"{int(unknown.sum())} without"
        raise DataError(f"{faces.name}, row {row} of the set", "every face must have landmarks", found, fix)
    scale = side / faces.pixels.shape[-1]
    regions = regions_of_landmarks((points + 0.5) * scale - 0.5, side)
    return regions[:, [REGION_NAMES.index("eyes"), REGION_NAMES.index("mouth")]].max(1)
