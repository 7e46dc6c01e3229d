"""One file of a network or of a memory: arrays, and beside them what is told in JSON (chapter 10)."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fer_lib.artifacts import atomic_write
from fer_lib.errors import DataError

Thing = TypeVar("Thing")
Arrays = dict[str, np.ndarray]


def write(path: str | Path, form: str, told: dict[str, Any], arrays: Arrays) -> Path:
    """Write one .npz, whole or not at all.

    Args:
        path: of the file, taken as it is.
        form: name of what is inside, with its version.
        told: whatever JSON can hold.
        arrays: of numbers, by name.
    """
    packed = io.BytesIO()
    named: dict[str, Any] = {"told": np.array(json.dumps({"format": form} | told, default=_plain)), **arrays}
    np.savez(packed, **named)
    atomic_write(path, packed.getvalue())
    return Path(path)


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    return value.item()


def read(path: str | Path, form: str, make: Callable[[dict[str, Any], Arrays], Thing]) -> Thing:
    """Open what :func:`write` wrote.

    Args:
        path: of the file.
        form: the one that is expected.
        make: turns what was told, and the arrays, into the thing.

    Raises:
        DataError: no such file, a damaged one, or one of another form.
    """
    where, fix = Path(path).name, "Write it anew with save()."
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        told = dict(json.loads(str(arrays.pop("told"))))
        if told.get("format") == form:
            return make(told, arrays)
    except DataError:
        raise
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        EOFError,
        AttributeError,
        zipfile.BadZipFile,
    ) as problem:
        raise DataError(where, "must be a whole file of a memory", str(problem), fix) from problem
    raise DataError(where, f"must have the format {form}", told.get("format"), fix)
