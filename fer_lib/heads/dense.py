"""Dense decision layers: from a feature map to what a corpus asks for."""

from collections.abc import Callable
from itertools import pairwise
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.losses import ccc_loss, soft_cross_entropy

Loss = Callable[[Tensor, Tensor], Tensor]

LOSSES: dict[str, Loss] = {
    "softmax": soft_cross_entropy,
    "distribution": soft_cross_entropy,
    "valence_arousal": ccc_loss,
    "multi_label": F.binary_cross_entropy_with_logits,
}
KIND_OF_TASK = {
    "categorical": "softmax",
    "distribution": "distribution",
    "valence_arousal": "valence_arousal",
    "multi_label": "multi_label",
}


class DenseHead(nn.Module):
    """Decision layer of dense layers: the map is flattened, hidden layers have a ReLU, the last is linear.

    Args:
        feature_shape: (C, h, w) of the encoder's map, or any shape behind the batch.
        outputs: number of classes, states, or values (2: valence, arousal).
        hidden: units of each hidden layer; () for none. The FaceChannel's own has (200,).
        kind: "softmax" (one class), "distribution" (shares of the votes), "valence_arousal" (linear), or
            "multi_label" (one sigmoid a state).
        loss: function of (outputs, targets); None takes the kind's own: cross-entropy for the first two,
            ``ccc_loss`` for values, binary cross-entropy for states.

    Raises:
        ValueError: an unknown kind, or fewer than one output.

    Example:
        >>> head = DenseHead((256, 4, 4), 2, kind="valence_arousal")
        >>> sum(p.numel() for p in head.parameters())  # 4096 x 200 + 200, and 200 x 2 + 2
        819802

    Reference:
        Barros and Sciutti (2022), section III.A, and Table 6 for the sizes. Chapter 04.
    """

    def __init__(
        self,
        feature_shape: tuple[int, ...],
        outputs: int,
        *,
        hidden: tuple[int, ...] = (200,),
        kind: str = "softmax",
        loss: Loss | None = None,
    ) -> None:
        super().__init__()
        if kind not in LOSSES:
            raise ValueError(f"kind must be one of {', '.join(LOSSES)}; got {kind!r}. Choose by the task.")
        if outputs < 1:
            raise ValueError(
                f"outputs must be at least 1; got {outputs}. Give the number of classes or values."
            )
        self.kind, self.outputs = kind, outputs
        self._loss = LOSSES[kind] if loss is None else loss
        sizes = (prod(feature_shape), *hidden)
        layers: list[nn.Module] = [nn.Flatten()]
        for narrow, wide in pairwise(sizes):
            layers += [nn.Linear(narrow, wide), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], outputs))

    @property
    def usual(self) -> bool:
        """Whether the loss is the kind's own."""
        return self._loss is LOSSES[self.kind]

    def forward(self, features: Tensor) -> Tensor:
        """Map features (B, C, h, w) to raw outputs (B, outputs): logits, or values."""
        return self.layers(features)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Loss of raw outputs (B, outputs) against a FaceSet's targets; a scalar, computed in float32."""
        return self._loss(outputs.float(), targets)

    def training_loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """What training minimises: :meth:`loss`, of features (B, C, h, w)."""
        return self.loss(self(features), targets)

    def predict(self, outputs: Tensor) -> Tensor:
        """Turn raw outputs into the targets' units, (B, outputs).

        Returns:
            Probabilities that sum to 1 (softmax, distribution), one probability a state (multi_label), or
            the values themselves, (valence, arousal), which may leave [-1, 1].
        """
        if self.kind in ("softmax", "distribution"):
            return torch.softmax(outputs.float(), dim=1)
        return torch.sigmoid(outputs.float()) if self.kind == "multi_label" else outputs.float()


def head_for(
    faces: Any, feature_shape: tuple[int, ...], *, make: type[DenseHead] = DenseHead, **options: Any
) -> DenseHead:
    """Decision layer that fits a face set's task.

    Args:
        faces: a FaceSet; its task gives the kind, its classes (or valence and arousal) the outputs.
        feature_shape: (C, h, w) of the encoder's map.
        make: its class.
        **options: of that class: ``hidden``, ``loss``, ...

    Raises:
        ValueError: the task has no decision layer, or one of sequences shall read single pictures.
    """
    if faces.task not in KIND_OF_TASK:
        raise ValueError(
            f"faces must have a task among {', '.join(KIND_OF_TASK)}; got {faces.task!r}. "
            "Change it with faces.as_task(...)."
        )
    if getattr(make, "reads_sequences", False) and getattr(faces, "index", None) is None:
        raise ValueError(
            f"faces must be clips for {make.__name__}; got the single pictures of {faces.name}. Join frames "
            "with as_sequences, or take DenseHead."
        )
    outputs = 2 if faces.task == "valence_arousal" else len(faces.classes)
    return make(feature_shape, outputs, kind=KIND_OF_TASK[faces.task], **options)
