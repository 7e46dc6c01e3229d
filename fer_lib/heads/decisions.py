"""The decision layer of each corpus: how large, over how many frames, trained how."""

from dataclasses import dataclass
from typing import Any

from fer_lib.heads.dense import DenseHead, head_for


@dataclass(frozen=True)
class Decision:
    """A decision layer's shape and training.

    Args:
        hidden: units of each dense layer.
        optimizer: "sgd" or "adamw"; None leaves the choice to the training's settings.
        learning_rate: of that optimiser; None likewise.
        temperature: of CIAO's contrastive loss, where that plug-in is used; None for its own.
    """

    hidden: tuple[int, ...] = (64,)
    optimizer: str | None = None
    learning_rate: float | None = None
    temperature: float | None = None


def build_head(decision: Decision, faces: Any, feature_shape: tuple[int, ...]) -> DenseHead:
    """Build the decision layer for the task of a set.

    Args:
        decision: its shape.
        faces: a FaceSet.
        feature_shape: (C, h, w) of what it reads.
    """
    return head_for(faces, feature_shape, hidden=decision.hidden)
