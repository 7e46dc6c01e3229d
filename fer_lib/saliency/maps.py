"""Maps of where a model looks: Grad-CAM++, and how strongly its features answer (chapters 08, 09)."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fer_lib.saliency.centres import recentred

METHODS = ("gradcam++", "gradcam")
UNIT = 1e-3  # of the map, as the probe gives it
BATCH = 64  # images whose gradients are held at once


class _Probe(nn.Module):
    """Stands before the pooling: gives the map on as a leaf of its own, in small units, to keep its gradient.

    The library guards the denominator of alpha by 1e-6, which would count for gradients below .01. The
    formula does not depend on the unit of the map; in units of a thousandth the guard counts for nothing.
    """

    calls = 0  # since the model was last asked

    def forward(self, maps: Tensor) -> Tensor:
        self.calls += 1
        return (UNIT * maps.detach()).requires_grad_()


class _Back(nn.Module):
    """From the probe's units to the map's own."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps / UNIT


class _Flat(nn.Module):
    """A model over single images or, ``moments`` to a clip, over the frames of clips laid end to end."""

    def __init__(self, model: Any, probe: _Probe, moments: int | None) -> None:
        super().__init__()
        self.model, self.probe, self.moments = model, probe, moments

    def forward(self, images: Tensor) -> Tensor:
        self.probe.calls = 0
        outputs = self.model(images if self.moments is None else images.unflatten(0, (-1, self.moments)))
        if self.probe.calls != 1:  # the gradients of one map would be paired with another
            raise ValueError(
                f"plug_in must use the encoder's last convolution once; got {self.probe.calls} times with "
                f"{type(self.model.plug_in).__name__}, so there is no one map to show. Choose a plug-in that "
                "does, such as a Face-STN behind the encoder."
            )
        return outputs


class _Output:
    """The target of one image: one of its raw outputs, or its negative."""

    def __init__(self, index: int, sign: float) -> None:
        self.index, self.sign = index, sign

    def __call__(self, outputs: Tensor) -> Tensor:
        return self.sign * outputs[self.index]


def grad_cam(
    model: Any,
    images: Tensor,
    outputs: Tensor | int | None = None,
    *,
    method: str = "gradcam++",
    lower: bool = False,
) -> np.ndarray:
    r"""Where in each image a model finds what drives one of its outputs.

    With the map A (C, h, w) that the last convolution gives before pooling, the output y (a class's logit, a
    state's, or a value) and the gradient g = dy/dA, Grad-CAM++ weighs the channels by

    .. math:: w_c = \sum_{ij} \alpha_{cij} \max(g_{cij}, 0), \quad
        \alpha_{cij} = \frac{g_{cij}^2}{2 g_{cij}^2 + g_{cij}^3 \sum_{ab} A_{cab}}

    and shows the positive part of the weighted sum of channels. "gradcam" takes the mean of g for w. The
    map is what enters ``encoder.last_conv.finish``: behind CIAO's division, and before the warp of a Face-STN
    behind the encoder, so that it lies over the image with either, and all are shown at one resolution. A
    Face-STN in the encoder (``at="trunk"``) is refused: its convolution reads the map moved and unmoved.
    Without the unmoved half (``concat=False``) the map lies over the moved face instead. Each map
    is brought to [0, 1] by its own least and largest value and then enlarged: maps say where, not how much.
    Each cell is drawn where its convolutions look, see ``fer_lib.saliency.centres``.

    Args:
        model: a ``FaceModel``, with a plug-in or without. A copy of it runs, in evaluation mode.
        images: (N, channels, S, S) as the encoder takes them, or stored uint8 images, which are prepared; for
            a decision layer that reads sequences clips (N, T, ...).
        outputs: which output of each image, (N,) or one number: the class, the state, or 0 for valence and 1
            for arousal. None takes the largest output of each image; values have no largest, and need one.
        method: "gradcam++" or "gradcam".
        lower: show what drives the output down instead of up, such as what speaks for negative valence.

    Returns:
        float32 (N, S, S), or (N, T, S, S), in [0, 1]; all 0 where nothing drives the output.

    Raises:
        ValueError: an unknown method, an output that the model has not, no output for values, or a plug-in
            that uses the last convolution other than once.

    Example:
        >>> from fer_lib.encoders import FaceChannel
        >>> from fer_lib.heads import DenseHead, FaceModel
        >>> encoder = FaceChannel(width=0.125, size=32)
        >>> model = FaceModel(encoder, DenseHead(encoder.feature_shape, 7, hidden=()))
        >>> grad_cam(model, torch.rand(2, 1, 32, 32), 3).shape
        (2, 32, 32)

    Reference:
        Chattopadhay et al. (2018), eq. 19; Selvaraju et al. (2017). Used in Barros and Sciutti (2022),
        "CIAO!", Fig. 3. Chapter 09.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}. Choose one of them.")
    inputs = _prepared(model, images)
    chosen = _chosen(model, inputs, outputs)
    return _maps(model, inputs, [_Output(index, -1.0 if lower else 1.0) for index in chosen], method)


def _maps(model: Any, inputs: Tensor, targets: list[_Output], method: str) -> np.ndarray:
    """The maps of prepared images or clips, one target each, some at a time."""
    clips = inputs.shape[:2] if inputs.ndim == 5 else None
    maps: list[np.ndarray] = []
    with _cam(model, method, None if clips is None else clips[1]) as cam:
        for part in torch.arange(len(inputs)).split(BATCH if clips is None else max(1, BATCH // clips[1])):
            batch = inputs[part].detach()
            flat = batch if clips is None else batch.flatten(0, 1)
            maps.append(cam(flat, [targets[k] for k in part]))
    found = recentred(np.concatenate(maps).astype(np.float32), model.encoder)
    return found if clips is None else found.reshape(*clips, *found.shape[1:])


@contextmanager
def _cam(model: Any, method: str, moments: int | None) -> Iterator[Any]:
    """A copy of the model with a probe before its pooling, in the hands of pytorch_grad_cam."""
    from pytorch_grad_cam import GradCAM, GradCAMPlusPlus

    twin = copy.deepcopy(model).float().eval().requires_grad_(False)
    probe = _Probe()
    twin.encoder.last_conv.finish = nn.Sequential(probe, _Back(), twin.encoder.last_conv.finish)
    kind = GradCAMPlusPlus if method == "gradcam++" else GradCAM
    # cuDNN's recurrent layers give gradients in training mode only
    with (
        kind(_Flat(twin, probe, moments), [probe]) as cam,
        torch.backends.cudnn.flags(enabled=moments is None),
    ):
        yield cam


def _prepared(model: Any, images: Tensor) -> Tensor:
    if len(images) == 0:
        raise ValueError("images must be one or more; got none. Choose some faces.")
    where = next(model.parameters()).device
    images = images.to(where)
    return model.prepare(images) if images.dtype == torch.uint8 else images


def _chosen(model: Any, inputs: Tensor, outputs: Tensor | int | None) -> list[int]:
    """The output of each image."""
    was_training = model.training
    with torch.no_grad():
        raw = torch.cat([model.eval()(part) for part in inputs.split(BATCH)])
    model.train(was_training)
    count = raw.shape[1]
    if outputs is None:
        if model.task == "valence_arousal":
            raise ValueError("outputs must be 0 (valence) or 1 (arousal) for values; got None. Choose one.")
        return raw.argmax(1).tolist()
    wanted = (
        torch.as_tensor(outputs).expand(len(inputs)) if np.ndim(outputs) == 0 else torch.as_tensor(outputs)
    )
    chosen = [int(k) for k in wanted.tolist()]
    if len(chosen) != len(inputs) or min(chosen) < 0 or max(chosen) >= count:
        raise ValueError(
            f"outputs must be one a face, {len(inputs)}, each in 0-{count - 1}; got {len(chosen)} in "
            f"{min(chosen)}-{max(chosen)}. Number the model's outputs from 0."
        )
    return chosen


@torch.no_grad()
def activation_maps(model: Any, images: Tensor) -> np.ndarray:
    """How strongly the features that the decision layer reads answer at each place.

    The mean over channels of the absolute features, behind the plug-in where there is one, enlarged to the
    image, each cell drawn where its convolutions look. Unlike Grad-CAM++ it knows nothing of the decision.
    Chapter 05 shows such means of encoders alone; this is for whole models, with the plug-ins of chapters 08
    and 09.

    Args:
        model: a ``FaceModel`` of single images.
        images: (N, channels, S, S) as the encoder takes them, or stored uint8 images.

    Returns:
        float32 (N, S, S), each in [0, 1] by its own least and largest value.
    """
    inputs = _prepared(model, images)
    was_training = model.training
    model.eval()
    strength = torch.cat([model.features(part).float().abs().mean(1) for part in inputs.split(BATCH)])
    model.train(was_training)
    low, high = strength.amin((1, 2), keepdim=True), strength.amax((1, 2), keepdim=True)
    scaled = (strength - low) / (high - low).clamp_min(1e-12)
    side = tuple(inputs.shape[-2:])
    large = F.interpolate(scaled[:, None], side, mode="bilinear", align_corners=False)[:, 0]
    return recentred(large.cpu().numpy(), model.encoder, pooled=True)


def mean_maps(maps: np.ndarray, labels: Any) -> tuple[list[Any], np.ndarray]:
    """The mean map of each label: where a model looks when it sees a class, over all faces of it.

    For maps of :func:`grad_cam` (chapters 08 and 09) and :func:`activation_maps`.

    Args:
        maps: (N, S, S).
        labels: (N,) what to group by, such as the class shown.

    Returns:
        The labels in ascending order, and (G, S, S), one mean each.

    Raises:
        ValueError: not one label a map.

    Example:
        >>> names, means = mean_maps(np.array([[[1.0]], [[3.0]], [[5.0]]]), ["b", "a", "b"])
        >>> names, means.ravel().tolist()
        (['a', 'b'], [3.0, 3.0])
    """
    labels = np.asarray(labels)
    if labels.shape != (len(maps),) or not len(maps):
        raise ValueError(
            f"labels must be one a map, {len(maps)}, and not none; got {labels.shape}. Match them."
        )
    names = np.unique(labels)
    return names.tolist(), np.stack([np.asarray(maps)[labels == name].mean(0) for name in names])
