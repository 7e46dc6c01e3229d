"""One file that holds a training between two epochs: weights, best weights, optimisers, history.

It is a safetensors file: numbers with names, no code. What is not a tensor is JSON in its header.
Random numbers need no room in it: each epoch draws its own from (seed, epoch).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from fer_lib.artifacts import atomic_write
from fer_lib.encoders.contract import describe
from fer_lib.encoders.files import digest, open_safetensors
from fer_lib.errors import DataError

FORMAT = "fer_lib.training.2"
State = dict[str, Tensor]


@dataclass
class Progress:
    """How far a training is.

    Args:
        rows: one dict a finished epoch, the history.
        best_epoch: 0-based; -1 before the first.
        best_value: the best epoch's score, or minus its loss: higher is better.
        best_state: weights of the best epoch, on the CPU.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = -1
    best_value: float = float("-inf")
    best_state: State = field(default_factory=dict)


def identity(model: nn.Module, train: Any, validation: Any, **options: Any) -> dict[str, Any]:
    """What must agree between a checkpoint and the training that resumes from it, as plain JSON values."""
    encoder = getattr(model, "encoder", None)
    named = dict(model.named_parameters())
    frozen = {name: value.detach().cpu() for name, value in named.items() if not value.requires_grad}
    parts = {
        "encoder": getattr(encoder, "options", {}),
        "weights": describe(model),
        "learns": [name for name, value in named.items() if value.requires_grad],
        "frozen": digest(frozen),
        "plug_in": _plain(getattr(model, "plug_in", None)),
        "head": _plain(getattr(model, "head", None)),
        "train": train.fingerprint,
        "validation": validation.fingerprint,
        **options,
    }
    return json.loads(json.dumps(parts, sort_keys=True))  # tuples become lists, as they will when read back


def _plain(part: nn.Module | None) -> dict[str, Any]:
    """Class and plain options of a part of a model, as it keeps them."""
    if part is None:
        return {}
    options = {
        name: value
        for name, value in vars(part).items()
        if isinstance(value, bool | int | float | str | tuple) and name[0] != "_" and name != "training"
    }
    return {"class": type(part).__name__} | options


def save_checkpoint(
    path: str | Path,
    who: dict[str, Any],
    model: nn.Module,
    optimizer: torch.optim.Optimizer | Mapping[str, torch.optim.Optimizer],
    progress: Progress,
) -> None:
    """Write the state of a training, with one optimiser or several by name, whole or not at all."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"best.{name}": value for name, value in progress.best_state.items()}
    for prefix, one in _named(optimizer).items():
        for number, slots in one.state_dict()["state"].items():
            tensors |= {f"{prefix}{number}.{slot}": torch.as_tensor(value) for slot, value in slots.items()}
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    header = {
        "format": FORMAT,
        "who": json.dumps(who, sort_keys=True),
        "rows": json.dumps(progress.rows),
        "best": json.dumps([progress.best_epoch, progress.best_value]),
        "sha256": digest(tensors),
    }
    atomic_write(path, save(tensors, metadata=header))


def load_checkpoint(
    path: str | Path,
    who: dict[str, Any],
    model: nn.Module,
    optimizer: torch.optim.Optimizer | Mapping[str, torch.optim.Optimizer],
) -> Progress:
    """Read a training's state into the model and the optimiser, or several by name.

    Raises:
        DataError: the file is damaged, or another kind of file.
        ValueError: it belongs to another training: another encoder, width, input size, corpus, seed, ...
    """
    header, tensors = _read(Path(path))
    _same(json.loads(header["who"]), who)
    model.load_state_dict(_under("model.", tensors))
    for prefix, one in _named(optimizer).items():
        slots: dict[int, dict[str, Tensor]] = {}
        for name, value in _under(prefix, tensors).items():
            number, slot = name.split(".", 1)
            slots.setdefault(int(number), {})[slot] = value
        one.load_state_dict({"state": slots, "param_groups": one.state_dict()["param_groups"]})
    best_epoch, best_value = json.loads(header["best"])
    return Progress(json.loads(header["rows"]), best_epoch, best_value, _under("best.", tensors))


def found_by_all(path: str | Path | None, rank: int, first: Callable[[bool], bool]) -> bool:
    """Whether there is a checkpoint; all processes must find alike, or they would train apart.

    Args:
        path: of the file; None for none.
        rank: of this process.
        first: tells what the first process says.

    Raises:
        ValueError: this process does not find what the first finds, or the other way round.
    """
    there = path is not None and Path(path).is_file()
    if there != first(there):
        raise ValueError(
            f"checkpoint must lie on a disk that all processes see; process {rank} finds "
            f"{'it' if there else 'none'}, process 0 not so. Give a path on a shared disk."
        )
    return there


def _named(
    optimizer: torch.optim.Optimizer | Mapping[str, torch.optim.Optimizer],
) -> dict[str, torch.optim.Optimizer]:
    """Optimisers by what the names of their tensors begin with."""
    if isinstance(optimizer, Mapping):
        return {f"optimizer.{name}.": one for name, one in optimizer.items()}
    return {"optimizer.": optimizer}


def _read(path: Path) -> tuple[dict[str, str], State]:
    fix = "Delete the file to train anew, or give another path."
    header, tensors = open_safetensors(path, fix=fix)
    if header.get("format") != FORMAT:
        raise DataError(path.name, f"must have the format {FORMAT}", header.get("format"), fix)
    if digest(tensors) != header.get("sha256"):
        raise DataError(path.name, "its numbers must be as they were written", "other numbers", fix)
    return header, tensors


def _same(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    for name in sorted(set(theirs) | set(ours)):
        if theirs.get(name) != ours.get(name):
            got, want = theirs.get(name), ours.get(name)
            if isinstance(got, dict) and isinstance(want, dict):  # name the entries that differ, not all
                keys = [key for key in {**got, **want} if got.get(key) != want.get(key)][:3]
                got, want = {key: got.get(key) for key in keys}, {key: want.get(key) for key in keys}
            raise ValueError(
                f"checkpoint must be of this training ({name}: {want}); got {name}: {got}. "
                "Delete the file to train anew, or give another path."
            )


def _under(prefix: str, tensors: State) -> State:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
