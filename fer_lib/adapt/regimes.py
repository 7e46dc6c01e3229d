"""Which parts of a trained model learn from new faces: the four regimes that the papers compare."""

from copy import deepcopy

from torch import nn

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
        ValueError: an unknown regime, or "scratch" without a seed.

    Example:
        >>> from fer_lib.encoders import FaceChannel
        >>> from fer_lib.heads import DenseHead
        >>> encoder = FaceChannel(width=0.125, size=32)
        >>> model = FaceModel(encoder, DenseHead(encoder.feature_shape, 7, hidden=()))
        >>> learned(apply_regime(model, "decision")) == learned(model.head)
        True

    Reference:
        Barros and Sciutti (2022), section IV.B; chapter 17.
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
        options = {name: value for name, value in encoder.options.items() if name != "name"}
        copy.load_state_dict(type(encoder)(**options).state_dict())
    return copy.unfreeze()


def _renew(model: FaceModel, seed: int) -> None:
    """Draw all weights anew, as they are drawn for an untrained model."""
    with seeded(seed):
        options = {name: value for name, value in model.encoder.options.items() if name != "name"}
        fresh = type(model.encoder)(**options)
        model.encoder.load_state_dict(fresh.state_dict())
        for layer in model.head.modules():
            if isinstance(layer, nn.Linear):
                layer.reset_parameters()
