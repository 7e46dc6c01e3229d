"""The plug-ins by name, and what one was made with, to make it again."""

from collections.abc import Callable
from typing import Any

from torch import nn

from fer_lib.adapt.ciao import CIAO, ciao
from fer_lib.adapt.face_stn import EarlierSTN, FaceSTN, face_stn
from fer_lib.adapt.plugin import PlugIn
from fer_lib.adapt.squash import Squash, squash

PLUG_INS: dict[str, Callable[..., PlugIn]] = {"ciao": ciao, "stn": face_stn, "squash": squash}
"""Name of each plug-in -> function of the encoder (and keyword options) that makes it."""


def recipe_of_plug_in(plug_in: PlugIn) -> tuple[str, dict[str, Any]]:
    """Name and options that make a plug-in of the same kind: ``PLUG_INS[name](encoder, **options)``.

    Args:
        plug_in: made by one of `PLUG_INS`; its weights do not count.

    Returns:
        The name, and plain JSON values by name.

    Raises:
        ValueError: a plug-in of one's own, which has no name here.

    Example:
        >>> from fer_lib.encoders import FaceChannel
        >>> recipe_of_plug_in(ciao(FaceChannel(width=0.125, size=32), temperature=0.5))
        ('ciao', {'bins': 3, 'denominator': 'all', 'temperature': 0.5, 'weight': 1.0})
    """
    kind = type(plug_in)  # a subclass may do something else
    if kind not in _OPTIONS:
        raise ValueError(
            f"plug_in must be one of {', '.join(PLUG_INS)}; got {kind.__name__}, which cannot be made again "
            "by name. Keep the state_dict of the model yourself, and the code of the plug-in beside it."
        )
    name, options = _OPTIONS[kind]
    return name, options(plug_in)


def _stn_options(plug_in: Any) -> dict[str, Any]:
    layers = list(plug_in.localisation.modules())
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    dense = [layer for layer in layers if isinstance(layer, nn.Linear)]
    sizes = {"filters": convolutions[0].out_channels, "hidden": dense[-1].in_features}
    at = "trunk" if plug_in.reads == "trunk" else "map"
    return sizes | {"concat": bool(plug_in.concat), "at": at}


def _ciao_options(plug_in: Any) -> dict[str, Any]:
    return {name: getattr(plug_in, name) for name in ("bins", "denominator", "temperature", "weight")}


_OPTIONS: dict[type[PlugIn], tuple[str, Callable[[Any], dict[str, Any]]]] = {
    CIAO: ("ciao", _ciao_options),
    FaceSTN: ("stn", _stn_options),
    EarlierSTN: ("stn", _stn_options),
    Squash: ("squash", lambda plug_in: {}),
}
