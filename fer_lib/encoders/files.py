"""Files of weights: numbers with names, and JSON in the header; no code is run when one is opened."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from fer_lib.artifacts import atomic_write
from fer_lib.errors import DataError

NAMED = 4  # tensors that an error names, at most


def write_weights(path: str | Path, module: nn.Module, *, form: str, told: dict[str, Any]) -> Path:
    """Write everything that a module keeps, whole or not at all.

    Args:
        path: of the file, by custom ending in ".safetensors".
        module: any module.
        form: kind and version of the file, such as "fer_lib.encoder.1".
        told: what stands in the header, as plain JSON values.

    Returns:
        The path.
    """
    tensors = tensors_of(module)
    header = {"format": form, "told": json.dumps(told, sort_keys=True, allow_nan=False)}
    atomic_write(path, save(tensors, metadata=header | {"sha256": digest(tensors)}))
    return Path(path)


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Everything that a module keeps, by name: copies of their own on the CPU, as safetensors wants them.

    Also what a training keeps of its best epoch: ``load_state_dict`` puts them back.
    """
    return {name: value.detach().cpu().contiguous().clone() for name, value in module.state_dict().items()}


def read_weights(path: str | Path, *, form: str, fix: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Open what :func:`write_weights` wrote.

    Args:
        path: of the file.
        form: kind and version that it must have.
        fix: what the reader of an error is to do.

    Returns:
        What stands in the header, and the tensors by name.

    Raises:
        DataError: no such file, a damaged one, or one of another kind.
    """
    where = Path(path).name
    header, tensors = open_safetensors(path, fix=fix)
    if header.get("format") != form:
        raise DataError(where, f"must have the format {form}", header.get("format"), fix)
    try:
        told = json.loads(header["told"])
    except (KeyError, ValueError) as error:
        raise DataError(where, "its header must be whole", repr(error), fix) from error
    if digest(tensors) != header.get("sha256"):
        raise DataError(where, "its numbers must be as they were written", "other numbers", fix)
    return told, tensors


def open_safetensors(path: str | Path, *, fix: str) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Header and tensors of any safetensors file.

    Raises:
        DataError: no such file, or a damaged one.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DataError(Path(path).name, "must be a whole safetensors file", str(error), fix) from error


def digest(tensors: dict[str, Tensor]) -> str:
    """SHA-256 of names, shapes and numbers."""
    total = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        total.update(f"{name} {list(value.shape)} {value.dtype}\n".encode())
        total.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def load_whole(module: nn.Module, tensors: dict[str, Tensor], *, where: str, fix: str) -> None:
    """Fill a module with tensors that must fit it exactly, in place.

    Args:
        module: to fill; stays as it is where they do not fit.
        tensors: by the module's own names.
        where: the file, for the error.
        fix: what the reader of an error is to do.

    Raises:
        DataError: a tensor is missing, too many, of another shape, or holds nan or infinity; names it.
    """
    wanted = module.state_dict()
    faults = {
        "missing": [name for name in wanted if name not in tensors],
        "unknown": [name for name in tensors if name not in wanted],
        "of another shape": [
            f"{name} {_sides(tensors[name])} for {_sides(value)}"
            for name, value in wanted.items()
            if name in tensors and tensors[name].shape != value.shape
        ],
        "not finite": [
            name
            for name, value in tensors.items()
            if value.is_floating_point() and not bool(value.isfinite().all())
        ],
    }
    found = [f"{len(names)} {fault}: {_some(names)}" for fault, names in faults.items() if names]
    if found:
        # The message is for people: it must name the tensors, so it is not cut as a value would be.
        rule = f"its tensors must fit the network ({'; '.join(found)})"
        raise DataError(where, rule, f"{len(tensors)} tensors", fix)
    module.load_state_dict(tensors)


def _sides(value: Tensor) -> str:
    return "x".join(map(str, value.shape)) or "one number"


def _some(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
