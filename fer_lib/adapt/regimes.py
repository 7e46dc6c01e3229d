"""Which parts of a trained model learn from new faces: the four regimes that the papers compare."""

from copy import deepcopy
from typing import Any

from torch import Tensor, nn

from fer_lib.adapt.plugins import PLUG_INS, recipe_of_plug_in
from fer_lib.encoders.contract import Encoder, count_parameters
from fer_lib.heads import FaceModel
from fer_lib.train.randomness import seeded

REGIMES = {
    "scratch": "all of it, from new weights",
    "all": "all of it, from the trained weights",
    "last_conv": "the last convolution and the decision layer",
    "decision": "the decision layer",
}
"""Name of each regime -> what learns in it."""

_FROZEN: dict[str, tuple[str, ...]] = {
    "scratch": (),
    "all": (),
    "last_conv": ("trunk",),
    "decision": ("trunk", "last_conv"),
}


def apply_regime(model: FaceModel, regime: str, *, seed: int | None = None) -> FaceModel:
    """Freeze what the regime leaves alone, in place; ``fer_lib.train.fit`` then trains the rest.

    A frozen part gets no gradient and is given to no optimiser, and its BatchNorm and dropout stay in
    evaluation mode whatever ``train()`` says: after training it is the same to the last bit, statistics
    included. What an earlier regime froze is freed first.

    Args:
        model: a trained model; its decision layer always learns.
        regime: "scratch", "all", "last_conv" or "decision"; see `REGIMES`.
        seed: draws the new weights of "scratch", which needs it; the others need none.

    Returns:
        The model.

    Raises:
        ValueError: an unknown regime; "scratch" without a seed, with a plug-in that is none of `PLUG_INS`, or
            with a decision layer whose weights cannot be drawn anew.

    Example:
        >>> from fer_lib.encoders import FaceChannel
        >>> from fer_lib.heads import DenseHead
        >>> encoder = FaceChannel(width=0.125, size=32)
        >>> model = FaceModel(encoder, DenseHead(encoder.feature_shape, 7, hidden=()))
        >>> learned(apply_regime(model, "decision")) == learned(model.head)
        True

    Reference:
        Barros and Sciutti (2022), section IV.B; chapter 07.
    """
    if regime not in REGIMES:
        raise ValueError(f"regime must be one of {', '.join(REGIMES)}; got {regime!r}. Choose one of these.")
    if regime == "scratch":
        if seed is None:
            raise ValueError("seed must be a whole number for scratch; got None. It draws the new weights.")
        _renew(model, seed)
    return free_for(model, regime)


def free_for(model: FaceModel, regime: str) -> FaceModel:
    """Let learn what the regime frees, in place; a plug-in and the decision layer always learn."""
    model.requires_grad_(True)
    model.encoder.unfreeze()
    if _FROZEN[regime]:
        model.encoder.freeze(*_FROZEN[regime])
    return model


def adapted_copy(model: FaceModel, regime: str, *, seed: int | None = None) -> FaceModel:
    """A copy of a trained model, ready to be trained by a regime; the model itself stays as it is."""
    return apply_regime(deepcopy(model), regime, seed=seed)


def learned(module: nn.Module) -> int:
    """Number of numbers that training would change."""
    return count_parameters(module, trainable=True)


def fresh_encoder(encoder: Encoder, seed: int) -> Encoder:
    """A copy of an encoder with new weights, drawn as for an untrained one."""
    copy = deepcopy(encoder)
    with seeded(seed):
        copy.load_state_dict(_new_weights(encoder))
    return copy.unfreeze()


def _new_weights(encoder: Encoder) -> dict[str, Tensor]:
    options = {name: value for name, value in encoder.options.items() if name != "name"}
    return type(encoder)(**options).state_dict()


def _renew(model: FaceModel, seed: int) -> None:
    """Draw all weights anew, as they are drawn for an untrained model: encoder, plug-in, decision layer."""
    layers = _layers_of(model.head)
    recipe = None if model.plug_in is None else recipe_of_plug_in(model.plug_in)
    with seeded(seed):
        model.encoder.load_state_dict(_new_weights(model.encoder))
        if recipe is not None:
            name, options = recipe
            model.plug_in.load_state_dict(PLUG_INS[name](model.encoder, **options).state_dict())
        for layer in layers:
            layer.reset_parameters()


def _layers_of(head: nn.Module) -> list[Any]:
    """The layers of a decision layer that hold numbers."""
    layers = [layer for layer in head.modules() if list(layer.parameters(recurse=False))]
    for layer in layers:
        if not hasattr(layer, "reset_parameters"):
            raise ValueError(
                f"head must have layers with reset_parameters for scratch; got {type(layer).__name__} "
                "without. Build a new head instead."
            )
    return layers
