"""One file that holds a trained model and how to use it: weights, encoder, decision layer, class names.

It is a safetensors file: numbers with names, and JSON in its header; no code is run when it is opened.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import nn

from fer_lib import encoders
from fer_lib.artifacts import atomic_write
from fer_lib.encoders.files import open_safetensors, tensors_of
from fer_lib.errors import DataError
from fer_lib.heads import DenseHead, FaceModel

FORMAT = "fer_lib.model.1"


@dataclass(frozen=True)
class Saved:
    """A model from a file.

    Args:
        model: in evaluation mode, on the CPU.
        classes: names in the order of the outputs; () for valence and arousal.
        task: that it predicts.
        about: what its maker wrote down: plain JSON values.
    """

    model: FaceModel
    classes: tuple[str, ...]
    task: str
    about: dict[str, Any]


def save_model(
    path: str | Path, model: FaceModel, faces: Any, *, about: dict[str, Any] | None = None
) -> Path:
    """Write a model, whole or not at all.

    Args:
        path: of the file, by custom ending in ".safetensors".
        model: an encoder of the library with a dense decision layer.
        faces: a FaceSet with the task and classes that the model predicts.
        about: what to remember of it, as plain JSON values: what it learned from, how well it does.

    Returns:
        The path.
    """
    linear = [layer for layer in model.head.modules() if isinstance(layer, nn.Linear)]
    header = {
        "encoder": type(model.encoder).__name__,
        "options": {name: value for name, value in model.encoder.options.items() if name != "name"},
        "head": {
            "outputs": model.head.outputs,
            "hidden": [layer.out_features for layer in linear[:-1]],
            "kind": model.head.kind,
        },
        "task": faces.task,
        "classes": list(faces.classes) if faces.task != "valence_arousal" else [],
        "about": about or {},
    }
    told = {"format": FORMAT, "model": json.dumps(header, sort_keys=True, allow_nan=False)}
    atomic_write(path, save(tensors_of(model), metadata=told))
    return Path(path)


def load_model(path: str | Path) -> Saved:
    """Open a model.

    Args:
        path: as `save_model` wrote it.

    Raises:
        DataError: no such file, a damaged one, or one of another kind.
    """
    where, fix = Path(path).name, "Give a file that save_model wrote."
    told, tensors = open_safetensors(path, fix=fix)
    if told.get("format") != FORMAT:
        raise DataError(where, f"must have the format {FORMAT}", told.get("format"), fix)
    header = json.loads(told["model"])
    kind = getattr(encoders, header["encoder"], None)
    if not (isinstance(kind, type) and issubclass(kind, encoders.Encoder)):
        rule = "its encoder must be one of this version of the library"
        raise DataError(where, rule, header["encoder"], "Install the version that wrote it.")
    encoder, head = kind(**header["options"]), header["head"]
    layer = DenseHead(encoder.feature_shape, head["outputs"], hidden=tuple(head["hidden"]), kind=head["kind"])
    model = FaceModel(encoder, layer)
    model.load_state_dict(tensors)
    return Saved(model.eval(), tuple(header["classes"]), header["task"], header["about"])
