"""The shelf of trained encoders: each is trained once per data, recipe and seed, and opened ever after."""

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lib import artifacts
from fer_lib.encoders import load_encoder, save_encoder
from fer_lib.encoders.contract import Encoder
from fer_lib.encoders.files import load_whole, read_weights, write_weights
from fer_lib.errors import DataError
from fer_lib.provenance import code_key

if TYPE_CHECKING:
    import pandas as pd
    from torch import nn

    from fer_lib.train.parts import Parts

SHELF = "encoders"
WHOLE = "fer_lib.whole.1"
WAYS = {
    "facechannel": "supervised",
    "pk": "adversarial",
    "cpc": "predictive",
    "vggface": "identity",
}
"""Name of an encoder -> module of this room that trains it.

Such a module has ``TASKS`` (of the data that it can learn from), ``recipe(profile)`` and
``train(recipe, parts, seed, checkpoint=...)``, which gives the encoder, its history and, where more than the
encoder is worth keeping, the whole; ``rebuild(recipe, encoder)`` then makes an untrained whole to load it
into. One that needs other faces than `load_parts` gives has ``parts(recipe, dataset, data_root)``. A training
that was stopped goes on from its checkpoint; processes that ``torchrun`` starts share each batch.
"""


@dataclass(frozen=True)
class Trained:
    """An encoder from the shelf.

    Args:
        encoder: trained, in evaluation mode, on the CPU.
        history: one row an epoch, with the columns of its way of training.
        recipe: what it was trained with.
        dataset: what it was trained on.
        whole: the network that it was a part of while it was trained; None where nothing else was kept.
    """

    encoder: Encoder
    history: "pd.DataFrame"
    recipe: dict[str, Any] = field(default_factory=dict)
    dataset: str = ""
    whole: "nn.Module | None" = None


def trained_encoder(
    name: str,
    *,
    profile: str,
    dataset: str = "world:affectnet",
    data_root: str = "",
    seed: int = 0,
    **changes: Any,
) -> Trained:
    """Open a trained encoder, training it first where nobody has.

    Args:
        name: a key of `WAYS`.
        profile: "smoke", "quick" or "full"; gives the recipe.
        dataset: world or corpus to learn from.
        data_root: folder of a real corpus.
        seed: of weights, order and all other random choices.
        **changes: entries of the recipe to take another value, such as ``width=0.5`` or ``d_em=False``.

    Raises:
        ValueError: an unknown encoder, profile or entry.
        DataError: data that are missing or broken.
    """
    way = way_of(name)
    recipe = recipe_of(name, profile, **changes)
    parts = parts_for(way, recipe, dataset, data_root)
    key = shelf_key(name, recipe, parts, seed)
    folder = artifacts.build_once(SHELF, key, lambda place: _train(way, recipe, parts, seed, place))
    return open_trained(way, folder, recipe, dataset)


def shelf_key(name: str, recipe: dict[str, Any], parts: "Parts", seed: int) -> str:
    """What a trained encoder is called on the shelf: all that it depends on."""
    return artifacts.key(
        name=name, recipe=recipe, code=code_key(way_of(name).__name__), seed=seed,
        train=parts.train.fingerprint, validation=parts.validation.fingerprint,
    )  # fmt: skip


def way_of(name: str) -> Any:
    """The module that trains an encoder of this name."""
    if name not in WAYS:
        raise ValueError(f"name must be one of {', '.join(WAYS)}; got {name!r}. Choose one of these.")
    return importlib.import_module(f"fer_lib.pretrain.{WAYS[name]}")


def recipe_of(name: str, profile: str, **changes: Any) -> dict[str, Any]:
    """The recipe of a profile, with some entries changed.

    Raises:
        ValueError: an entry that the recipe does not have; names those it has.
    """
    recipe: dict[str, Any] = way_of(name).recipe(profile)
    unknown = sorted(set(changes) - set(recipe))
    if unknown:
        known = ", ".join(sorted(recipe))
        raise ValueError(
            f"changes must be entries of the recipe ({known}); got {unknown[0]!r}. Use one of these."
        )
    return recipe | changes


def parts_for(way: Any, recipe: dict[str, Any], dataset: str, data_root: str) -> "Parts":
    """The faces to pre-train with: ``recipe["faces"]`` of them at most, None for all."""
    from fer_lib.train.parts import load_parts

    if hasattr(way, "parts"):
        return way.parts(recipe, dataset, data_root)
    faces = recipe["faces"]
    limits = (faces, None if faces is None else max(64, faces // 4))
    return load_parts(dataset, way.TASKS, root=data_root or None, size=recipe["size"], limits=limits)


def _train(way: Any, recipe: dict[str, Any], parts: "Parts", seed: int, place: Path) -> None:
    save_trained(place, *way.train(recipe, parts, seed))


def save_trained(
    place: Path, encoder: Encoder, history: "pd.DataFrame", whole: "nn.Module | None" = None
) -> None:
    """Write an encoder, its history and, where there is one, the whole it is a part of into a folder."""
    save_encoder(place / "encoder.safetensors", encoder)
    history.to_json(place / "history.json", orient="records", double_precision=15)
    if whole is not None:
        write_weights(place / "whole.safetensors", whole, form=WHOLE, told={})


def open_trained(way: Any, folder: Path, recipe: dict[str, Any], dataset: str) -> Trained:
    """Open what :func:`save_trained` wrote; ``way`` rebuilds the whole.

    Raises:
        DataError: a file is damaged; says which folder to delete.
    """
    import pandas as pd

    fix = f"Delete the folder {folder}; it is trained anew."
    try:
        encoder = load_encoder(folder / "encoder.safetensors").eval()
    except DataError as error:
        raise DataError(error.where, error.rule, error.got, fix) from error
    try:
        history = pd.read_json(folder / "history.json", orient="records")
    except (ValueError, OSError) as error:
        raise DataError("history.json", "must be a whole history", str(error), fix) from error
    whole = None
    if (folder / "whole.safetensors").is_file():
        _, tensors = read_weights(folder / "whole.safetensors", form=WHOLE, fix=fix)
        whole = way.rebuild(recipe, encoder)
        load_whole(whole, tensors, where="whole.safetensors", fix=fix)
        whole.eval()
    return Trained(encoder, history, recipe, dataset, whole)
