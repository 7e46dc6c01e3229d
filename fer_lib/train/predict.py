"""Predict for a whole face set, and score the predictions by the corpus's own metric."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from fer_lib.heads import FaceModel
from fer_lib.train.batches import DeviceFaces
from fer_lib.train.device import device

SCORES = ("ccc", "accuracy", "mean_class_accuracy", "macro_f1", "pearson")


def predict(model: FaceModel, faces: Any, *, batch_size: int = 256, flip: bool = False) -> np.ndarray:
    """Predict for every image, batch by batch, in evaluation mode and float32.

    The model is moved to :func:`fer_lib.train.device` and keeps its mode.

    Args:
        model: a ``FaceModel``.
        faces: a FaceSet of at least one image.
        batch_size: images at a time; does not change the result.
        flip: average the predictions for each image and its mirror image.

    Returns:
        float32 (N, outputs) in the targets' units: probabilities (take ``argmax(1)`` for the class), or
        (valence, arousal).

    Raises:
        ValueError: no images.
    """
    outputs = raw_outputs(model, DeviceFaces(_some(faces), device()), batch_size)
    pred = model.predict(outputs)
    if flip:
        mirrored = raw_outputs(model, DeviceFaces(faces, device()), batch_size, mirror=True)
        pred = (pred + model.predict(mirrored)) / 2
    return pred.cpu().numpy()


@torch.no_grad()
def raw_outputs(model: FaceModel, batches: DeviceFaces, batch_size: int, *, mirror: bool = False) -> Tensor:
    """Raw outputs (N, outputs) for a whole set, float32, on the device."""
    was_training = model.training
    model.to(batches.where).eval()
    outputs = []
    for index in torch.arange(len(batches)).split(batch_size):
        inputs = model.prepare(batches.images(index), change=_mirrored if mirror else None)
        outputs.append(model(inputs).float())
    model.train(was_training)
    return torch.cat(outputs)


def score(pred: np.ndarray | Tensor, faces: Any) -> float:
    """Score predictions by the metric that the face set names; higher is better.

    Args:
        pred: what :func:`predict` gives, (N, outputs).
        faces: the FaceSet that was predicted.

    Returns:
        Mean CCC of valence and arousal ("ccc"), "accuracy" or "mean_class_accuracy" of the likeliest class
        (for vote distributions: against the class with most votes), "macro_f1" at probability 0.5, or
        the mean Pearson correlation over the outputs ("pearson", for intensities).

    Raises:
        ValueError: an unknown metric.
    """
    from fer_lib import metrics

    if faces.metric not in SCORES:
        raise ValueError(
            f"metric must be one of {', '.join(SCORES)}; got {faces.metric!r}. Choose another task."
        )
    values = getattr(metrics, faces.metric)(np.asarray(pred), np.asarray(faces.targets()))
    return float(np.mean(values))  # CCC gives one value for valence and one for arousal


def _mirrored(images: Tensor) -> Tensor:
    return images.flip(3)


def _some(faces: Any) -> Any:
    if len(faces) == 0:
        raise ValueError("faces must hold at least one image; got 0. Check the split and the filters.")
    return faces
