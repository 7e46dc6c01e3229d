"""The whole model: an encoder, a plug-in where there is one, and a decision layer."""

from collections.abc import Callable
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn

from fer_lib.encoders.contract import Encoder, LastConv
from fer_lib.heads.dense import Loss, head_for
from fer_lib.preprocess import prepare
from fer_lib.processes import whole_batch

STAGES = ("images", "trunk", "units", "map")
"""Where an input may enter a model: as images; as the trunk's answer; as the pair of the trunk's answer and
that of the last convolution's units; as the encoder's feature map."""

Inputs = Any  # a Tensor, or a pair of them for the stage "units"


class Head(Protocol):
    """What a decision layer must offer; see ``DenseHead`` and ``SequenceHead``."""

    def __call__(self, features: Tensor) -> Tensor: ...

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor: ...

    def training_loss(self, features: Tensor, targets: Tensor) -> Tensor: ...

    def predict(self, outputs: Tensor) -> Tensor: ...


class FaceModel(nn.Module):
    """An encoder, a plug-in and a decision layer: prepared images (B, channels, size, size) to raw outputs.

    A decision layer that reads sequences (``head.reads_sequences``) takes clips of T frames: every input has
    a further axis behind the batch, (B, T, ...), and encoder and plug-in see the frames one by one.

    Args:
        encoder: any encoder of the contract.
        head: any decision layer with ``loss`` and ``predict``.
        plug_in: a ``fer_lib.adapt.PlugIn`` of the same encoder; None for none.

    Raises:
        ValueError: the encoder gives no map, and a plug-in needs one.
    """

    def __init__(self, encoder: Encoder, head: Any, plug_in: Any = None) -> None:
        super().__init__()
        if plug_in is not None and len(encoder.feature_shape) != 3:
            raise ValueError(
                f"encoder must give a feature map (C, h, w) for a plug-in; got {encoder.feature_shape}. "
                "Choose an encoder with maps, or no plug-in."
            )
        self.encoder, self.head, self.plug_in = encoder, head, plug_in

    @property
    def task(self) -> str:
        """What the decision layer decides: "softmax", "distribution", "valence_arousal", "multi_label"."""
        return self.head.kind

    def prepare(self, images: Tensor, *, change: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Turn stored uint8 images, (B, C, H, W) or (B, T, C, H, W), into what ``forward`` takes.

        Args:
            images: as the face set stores them.
            change: augmentation of prepared images (B, C, S, S); None for none. Clips are changed one moment
                after the other, so that it may change all frames of a clip alike.
        """
        spec = self.encoder.input_spec
        if images.ndim == 4:
            prepared = prepare(images, spec)
            return prepared if change is None else change(prepared)
        clips = prepare(images.flatten(0, 1), spec).unflatten(0, images.shape[:2])
        return clips if change is None else torch.stack([change(one) for one in clips.unbind(1)], dim=1)

    def features(self, inputs: Inputs, start: str = "images") -> Tensor:
        """What the decision layer reads, (B, C, h, w), or (B, T, C, h, w) for clips.

        Args:
            inputs: what the stage before ``start`` gave; a pair for "units".
            start: one of `STAGES`.
        """
        if not getattr(self.head, "reads_sequences", False):
            return self._features(inputs, start)
        pair = isinstance(inputs, tuple)
        if start == "images" and inputs.ndim != 5:
            raise ValueError(
                f"inputs must be clips (B, T, C, H, W) for a decision layer of sequences; got "
                f"{tuple(inputs.shape)}. Join frames with as_sequences, or take a DenseHead."
            )
        clips = inputs[0].shape[:2] if pair else inputs.shape[:2]
        flat = tuple(part.flatten(0, 1) for part in inputs) if pair else inputs.flatten(0, 1)
        return self._features(flat, start).unflatten(0, clips)

    def _features(self, inputs: Inputs, start: str) -> Tensor:
        encoder, plug_in = self.encoder, self.plug_in
        if start == "images" and plug_in is None:
            return encoder(inputs)
        features = encoder.trunk(encoder.check(inputs)) if start == "images" else inputs
        if plug_in is not None and plug_in.reads == "trunk":
            before, units = features if start == "units" else (features, None)
            return plug_in(before, encoder.last_conv, units)
        if start != "map":
            features = encoder.last_conv(features)
        return features if plug_in is None else plug_in(features)

    def forward(self, inputs: Inputs, start: str = "images") -> Tensor:
        """Map inputs to raw outputs (B, outputs); see :meth:`features`."""
        return self.head(self.features(inputs, start))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The decision layer's loss."""
        return self.head.loss(outputs, targets)

    def training_loss(self, inputs: Inputs, targets: Tensor, start: str = "images") -> Tensor:
        """What training minimises: the decision layer's loss and, where it has one, the plug-in's.

        Where several processes share a batch, all of them get the loss of the whole batch.
        """
        features, targets = whole_batch(self.features(inputs, start)), whole_batch(targets)
        loss = self.head.training_loss(features, targets)
        extra = None if self.plug_in is None else self.plug_in.extra_loss(features, targets, self.task)
        return loss if extra is None else loss + extra

    def predict(self, outputs: Tensor) -> Tensor:
        """The decision layer's predictions, see :meth:`DenseHead.predict`."""
        return self.head.predict(outputs)

    def frozen_stage(self) -> str:
        """How far into the model nothing learns: one of `STAGES`, from which cached features may enter."""
        frozen = self.encoder.frozen_parts
        if "trunk" not in frozen:
            return "images"
        if "last_conv" not in frozen:
            return "trunk"
        return "units" if self.plug_in is not None and self.plug_in.reads == "trunk" else "map"

    def tail(self) -> "Tail":
        """The part of the model behind :meth:`frozen_stage`, sharing its parameters."""
        return Tail(self, self.frozen_stage())


def _as_encoded(features: Tensor) -> Tensor:
    """Maps in the memory layout that they would have come in: convolutions then round alike, to the bit."""
    return features.contiguous(memory_format=torch.channels_last) if features.ndim == 4 else features


class Tail(nn.Module):
    """What of a model lies behind a stage: its inputs are cached features, its parameters the model's own.

    Only what may be needed behind the stage is registered: a frozen trunk is neither moved nor copied.

    Args:
        model: whose parts it shares.
        start: the stage of the inputs, one of `STAGES`.
    """

    model: FaceModel
    last_conv: LastConv | None

    def __init__(self, model: FaceModel, start: str) -> None:
        super().__init__()
        object.__setattr__(self, "model", model)  # not registered
        self.start, self.head, self.plug_in = start, model.head, model.plug_in
        self.last_conv = model.encoder.last_conv if start != "map" else None
        self.training = model.training

    @property
    def encoder(self) -> Encoder:
        """The model's encoder."""
        return self.model.encoder

    def train(self, mode: bool = True) -> Self:
        """Set the mode of what learns; frozen parts stay in evaluation mode."""
        super().train(mode)
        self.encoder.train(mode)
        return self

    def prepare(self, features: Inputs, *, change: Callable[[Tensor], Tensor] | None = None) -> Inputs:
        """Cached features are taken as they are.

        Raises:
            ValueError: an augmentation of images is asked for.
        """
        if change is not None:
            raise ValueError(
                "augmentation must be None for cached features; got one. Cache several views instead."
            )
        return tuple(map(_as_encoded, features)) if isinstance(features, tuple) else _as_encoded(features)

    def forward(self, features: Inputs) -> Tensor:
        """Map cached features to raw outputs (B, outputs)."""
        return self.model(features, self.start)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The decision layer's loss."""
        return self.model.loss(outputs, targets)

    def training_loss(self, features: Inputs, targets: Tensor) -> Tensor:
        """See :meth:`FaceModel.training_loss`."""
        return self.model.training_loss(features, targets, self.start)

    def predict(self, outputs: Tensor) -> Tensor:
        """The decision layer's predictions."""
        return self.model.predict(outputs)


def build_model(
    make_encoder: Callable[..., Encoder],
    faces: Any,
    *,
    hidden: tuple[int, ...] = (200,),
    loss: Loss | None = None,
    **options: Any,
) -> FaceModel:
    """Build an encoder and the dense decision layer that fits a face set's task.

    Args:
        make_encoder: an encoder class, such as ``FaceChannel``.
        faces: a FaceSet.
        hidden: see :class:`DenseHead`.
        loss: see :class:`DenseHead`.
        **options: of the encoder.
    """
    encoder = make_encoder(**options)
    return FaceModel(encoder, head_for(faces, encoder.feature_shape, hidden=hidden, loss=loss))
