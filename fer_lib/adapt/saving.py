"""One file that holds a trained model and how to use it: encoder, plug-in, decision layer, class names.

It is a safetensors file: numbers with names, and JSON in its header; no code is run when it is opened.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from fer_lib.adapt.plugins import PLUG_INS, recipe_of_plug_in
from fer_lib.encoders import ENCODERS, make_encoder
from fer_lib.encoders.files import load_whole, read_weights, tensors_of, write_weights
from fer_lib.errors import DataError
from fer_lib.heads import KIND_OF_TASK, DenseHead, FaceModel, SequenceHead

FORMAT = "fer_lib.model.2"
FIX = "Give a file that save_model wrote."


@dataclass(frozen=True)
class Saved:
    """A model from a file.

    Args:
        model: in evaluation mode, on the CPU; nothing of it is frozen.
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
    """Write a model that :func:`load_model` can open, whole or not at all.

    Not kept are a loss of the decision layer's own (trained further, a loaded model takes that of its kind)
    and what is frozen.

    Args:
        path: of the file, by custom ending in ".safetensors".
        model: an encoder of `ENCODERS`, a ``DenseHead`` or ``SequenceHead``, and none or one of `PLUG_INS`.
        faces: a FaceSet with the task and classes that the model predicts.
        about: what to remember of it, as plain JSON values: what it learned from, how well it does.

    Returns:
        The path.

    Raises:
        ValueError: a part that cannot be built again by name, weights that are not finite, or faces of
            another task or other classes than the model's. Nothing is written then.
    """
    classes = list(faces.classes) if faces.task != "valence_arousal" else []
    _check_faces(model.head, faces)
    header = {
        "encoder": _encoder_of(model.encoder),
        "head": recipe_of_head(model.head),
        "plug_in": None if model.plug_in is None else recipe_of_plug_in(model.plug_in),
        "task": faces.task,
        "classes": classes,
        "about": about or {},
    }
    fix = "Build it of the library's parts, as they are, and train it with a lower rate if it diverged."
    load_whole(_built(header), tensors_of(model), where="model", fix=fix)  # what is written can be opened
    return write_weights(path, model, form=FORMAT, told=header)


def load_model(path: str | Path) -> Saved:
    """Open a model.

    Args:
        path: as `save_model` wrote it.

    Raises:
        DataError: no such file, a damaged one, or one of another kind.
    """
    where = Path(path).name
    told, tensors = read_weights(path, form=FORMAT, fix=FIX)
    try:
        options, plug_in = told["encoder"], told["plug_in"]
        for part, name, known in (
            ("encoder", options["name"], ENCODERS),
            ("plug-in", plug_in and plug_in[0], PLUG_INS),
        ):
            if name is not None and name not in known:
                rule = f"its {part} must be one of this version of the library"
                raise DataError(where, rule, name, "Install the version that wrote it.")
        model = _built(told)
        about = tuple(told["classes"]), told["task"], dict(told["about"])
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise DataError(where, "its header must build a model", repr(error), FIX) from error
    load_whole(model, tensors, where=where, fix=FIX)
    return Saved(model.eval(), *about)


def _check_faces(head: Any, faces: Any) -> None:
    outputs = 2 if faces.task == "valence_arousal" else len(faces.classes)
    wanted = (KIND_OF_TASK.get(faces.task), outputs)
    if (head.kind, head.outputs) != wanted:
        raise ValueError(
            f"faces must have the task and classes that the model predicts ({head.kind}, {head.outputs} "
            f"outputs); got {faces.task} and {outputs}. Give the faces that it learned from."
        )


def _encoder_of(encoder: Any) -> dict[str, Any]:
    name = encoder.options.get("name")
    if type(encoder) is not ENCODERS.get(name):
        raise ValueError(
            f"encoder must be one of {', '.join(ENCODERS)}; got {type(encoder).__name__}, which cannot be "
            "built again by name. Keep the state_dict of the model yourself."
        )
    return encoder.options


def recipe_of_head(head: Any) -> dict[str, Any]:
    """Options of a decision layer, from which it can be built again.

    Raises:
        ValueError: it is none of the library's.
    """
    if type(head) not in (DenseHead, SequenceHead):
        raise ValueError(
            f"head must be a DenseHead or a SequenceHead; got {type(head).__name__}, which cannot be built "
            "again by name. Keep the state_dict of the model yourself."
        )
    linear = [layer for layer in head.layers if isinstance(layer, nn.Linear)]
    told = {
        "outputs": head.outputs,
        "hidden": [layer.out_features for layer in linear[:-1]],
        "kind": head.kind,
    }
    if isinstance(head, SequenceHead):
        told |= {"gru": head.gru.hidden_size, "layers": head.gru.num_layers}
    return told


def _built(header: dict[str, Any]) -> FaceModel:
    """The untrained model that a header tells of."""
    encoder = make_encoder(**header["encoder"])
    plug_in = None
    if header["plug_in"] is not None:
        name, options = header["plug_in"]
        plug_in = PLUG_INS[name](encoder, **options)
    shape = encoder.feature_shape if plug_in is None else plug_in.feature_shape
    options = {**header["head"], "hidden": tuple(header["head"]["hidden"])}
    kind = SequenceHead if "gru" in options else DenseHead
    return FaceModel(encoder, kind(shape, options.pop("outputs"), **options), plug_in)
