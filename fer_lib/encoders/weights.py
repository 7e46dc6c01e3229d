"""Published weights: from a file of the user, or fetched by torchvision."""

import pickle
import re
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor, nn

from fer_lib.encoders.files import load_whole, open_safetensors
from fer_lib.errors import DataError

FIX = "Give a file of this network's weights, or weights='none' to start at random."
WRAPPERS = ("state_dict", "model_state_dict", "model")
NOT_FEATURES = re.compile(r"(classifier|fc\d*|fc_?\d*|head)\.")

State = dict[str, Tensor]


def find_weights(weights: str | Path, published: str, *, width: float) -> State | None:
    """The tensors that an encoder starts with, by the names in their file; None for a random start.

    Args:
        weights: "none"; "imagenet", which torchvision fetches, once, and keeps; or the path of a file, either
            safetensors or a state dictionary that ``torch.save`` wrote. No code in it is run.
        published: torchvision's name of the weights, such as "AlexNet_Weights.IMAGENET1K_V1".
        width: of the encoder; weights fit width 1 only.

    Raises:
        ValueError: weights at another width.
        DataError: a missing or damaged file, or no connection.
    """
    if weights == "none":
        return None
    if width != 1:
        raise ValueError(
            f"width must be 1 where weights are loaded; got {width}. Published networks have width 1; "
            "take it, or weights='none'."
        )
    return fetch_weights(published) if weights == "imagenet" else read_state(weights)


def fetch_weights(published: str) -> State:
    """Weights from torchvision's own server, or from where an earlier call kept them.

    Raises:
        DataError: no connection; says where the file comes from and where it may be put.
    """
    from torchvision.models import get_weight

    source = get_weight(published)
    try:
        return dict(source.get_state_dict(progress=False, check_hash=True, weights_only=True))
    except (URLError, OSError, RuntimeError, pickle.UnpicklingError) as error:
        fix = (
            f"Fetch {source.url} on a machine with a connection and give the file's path as weights, "
            "or weights='none' to start at random."
        )
        raise DataError(published, "the weights must be reachable", str(error), fix) from error


def read_state(path: str | Path) -> State:
    """Tensors of a file, by name; a prefix "module." and one dictionary around them are taken off.

    Raises:
        DataError: no such file, a damaged one, or one without named tensors.
    """
    where = Path(path).name
    if Path(path).suffix == ".safetensors":
        found: Any = open_safetensors(path, fix=FIX)[1]
    else:
        try:
            found = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
            rule = "must be a state dictionary that torch.save wrote"
            raise DataError(where, rule, str(error), FIX) from error
    for name in WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(name), dict):
            found = found[name]
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise DataError(where, "must hold tensors by name", type(found).__name__, FIX)
    return {str(name).removeprefix("module."): value for name, value in found.items()}


def fill(network: nn.Module, state: State | None, weights: str | Path) -> None:
    """Fill a network's convolutions with published weights, in place; None leaves it as it is.

    Decision layers of the file are left aside, and counts of batches, which old files lack, may be missing.

    Args:
        network: whose names are those of the file.
        state: as :func:`find_weights` gave it, renamed where the file's names are others.
        weights: for the error.

    Raises:
        DataError: a tensor is missing, unknown or of another shape; names it.
    """
    if state is None:
        return
    counts = {
        name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")
    }
    features = {name: value for name, value in state.items() if not NOT_FEATURES.match(name)}
    load_whole(network, counts | features, where=Path(weights).name, fix=FIX)
