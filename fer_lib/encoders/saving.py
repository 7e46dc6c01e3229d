"""One file that holds a trained encoder: how to build it again, and its weights."""

from pathlib import Path
from typing import Any

from fer_lib.encoders.contract import Encoder
from fer_lib.encoders.files import load_whole, read_weights, write_weights
from fer_lib.encoders.registry import ENCODERS, make_encoder
from fer_lib.errors import DataError

FORMAT = "fer_lib.encoder.1"
FIX = "Give a file that save_encoder wrote."
WORDS = {"name": "its encoder", "width": "its width", "size": "the side of its images"}


def save_encoder(path: str | Path, encoder: Encoder, *, about: dict[str, Any] | None = None) -> Path:
    """Write an encoder, whole or not at all.

    Args:
        path: of the file, by custom ending in ".safetensors".
        encoder: one of `ENCODERS`.
        about: what to remember of it, as plain JSON values: what it learned from, how well it does. It stands
            in the header, for whoever opens the file.

    Returns:
        The path.
    """
    told = {"options": encoder.options, "about": about or {}}
    return write_weights(path, encoder, form=FORMAT, told=told)


def load_encoder(path: str | Path, *, like: dict[str, Any] | None = None) -> Encoder:
    """Open an encoder; it is in evaluation mode, on the CPU, and nothing of it is frozen.

    Args:
        path: as `save_encoder` wrote it.
        like: what it must be, as ``encoder.options`` or a part of them, such as
            ``{"name": "pk", "width": 0.25, "size": 48}``; None takes any.

    Raises:
        DataError: no such file, a damaged one, one of another kind, or another encoder, width, side of the
            image or other option than asked for, also one that the encoder does not have.
    """
    where = Path(path).name
    told, tensors = read_weights(path, form=FORMAT, fix=FIX)
    options = told.get("options")
    if not isinstance(options, dict) or "name" not in options:
        raise DataError(where, "its header must name an encoder", options, FIX)
    if options["name"] not in ENCODERS:
        rule = "its encoder must be one of this version of the library"
        raise DataError(where, rule, options["name"], "Install the version that wrote it.")
    _compare(where, options, like or {})
    try:
        encoder = make_encoder(**options)
    except (TypeError, ValueError) as error:
        raise DataError(where, "its options must build an encoder", str(error), FIX) from error
    load_whole(encoder, tensors, where=where, fix=FIX)
    return encoder.eval()


def _compare(where: str, options: dict[str, Any], like: dict[str, Any]) -> None:
    for name in sorted(like, key=lambda one: list(WORDS).index(one) if one in WORDS else len(WORDS)):
        if options.get(name) != like[name]:
            rule = f"{WORDS.get(name, f'its option {name}')} must be {like[name]!r}"
            fix = "Ask for what the file holds, or give the file of the encoder that is wanted."
            raise DataError(where, rule, options.get(name), fix)
