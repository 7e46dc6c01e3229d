"""Where finished runs are kept: rows of scores, arrays and weights, each read only when it is asked for."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from fer_lib import artifacts
from fer_lib.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

SHELF = "trials"
HEAD = "head."


@dataclass(frozen=True)
class Runs:
    """Results of an ablation.

    Args:
        rows: one row a model, seed and metric: model, seed, metric, value (on the reported set), validation
            (the score that chose the epoch), trained (numbers that learned), seconds, device.
        folders: of each kept run, by (model, seed).
    """

    rows: "pd.DataFrame"
    folders: dict[tuple[str, int], Path]

    def arrays(self, model: str, seed: int) -> dict[str, np.ndarray]:
        """What a run gave for the faces, mapped from disk: what is not looked at is not read.

        Returns:
            Of ``fer_lib.trials.run``: probabilities (N, K) and affect (N, 2; nan where it is not regressed)
            of the reported faces; embeddings (N, D) of them, validation_embeddings, and train_embeddings of
            the training faces train_rows (at most ``Plan.kept``).

        Raises:
            DataError: an array is damaged.
        """
        folder = self.folders[model, seed]
        return {path.stem: _read(path, _array) for path in sorted(folder.glob("*.npy"))}

    def tensors(self, model: str, seed: int) -> dict[str, Tensor]:
        """All that learned, by its name in the model; what stayed as it was lent is not kept."""
        from safetensors.torch import load_file

        return _read(self.folders[model, seed] / "learned.safetensors", load_file)

    def weights(self, model: str, seed: int) -> dict[str, Tensor]:
        """Tensors of the trained decision layer, by name; centers and graph included."""
        found = self.tensors(model, seed)
        return {name.removeprefix(HEAD): one for name, one in found.items() if name.startswith(HEAD)}


def place_of(name: str) -> Path:
    """Folder of a run, finished or not: it is there when the run is finished."""
    return artifacts.home() / SHELF / name


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """Folder of a finished run, which ``make`` fills where it is absent; see ``artifacts.build_once``."""
    return artifacts.build_once(SHELF, name, make)


def runs_of(folders: dict[tuple[str, int], Path]) -> Runs:
    """Open finished runs.

    Raises:
        DataError: one of them is damaged; names the file and the folder to delete.
    """
    import pandas as pd

    rows = [
        {"model": model, "seed": seed} | row
        for (model, seed), folder in folders.items()
        for row in _read(folder / "rows.json", _rows)
    ]
    return Runs(pd.DataFrame(rows), folders)


def write(
    place: Path,
    scores: Mapping[str, float],
    about: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    tensors: Mapping[str, Tensor] | None = None,
) -> None:
    """Fill the folder of a run.

    Args:
        place: the folder.
        scores: metric to value.
        about: what every row tells beside them.
        arrays: of the faces.
        tensors: what learned.
    """
    from safetensors.torch import save_file

    for name, values in arrays.items():
        np.save(place / f"{name}.npy", values)
    if tensors is not None:
        own = {name: one.detach().cpu().contiguous() for name, one in tensors.items()}
        save_file(own, place / "learned.safetensors")
    rows = [{"metric": metric, "value": float(value), **about} for metric, value in scores.items()]
    (place / "rows.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _array(path: Path) -> np.ndarray:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


def _read(path: Path, read: Callable[[Path], Any]) -> Any:
    from safetensors import SafetensorError

    try:
        return read(path)
    except (ValueError, OSError, EOFError, SafetensorError) as error:
        rule, fix = "must be as a finished run left it", f"Delete the folder {path.parent}."
        raise DataError(f"{path.parent.name}/{path.name}", rule, str(error), fix) from error
