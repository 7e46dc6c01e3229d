"""AffectNet's release of 2021: pictures of 224 pixels already cut out, and four small NumPy files for each.

``train_set`` and ``val_set`` hold ``images/<id>.jpg`` and ``annotations/<id>_exp.npy``, ``_val.npy``,
``_aro.npy`` (one text each, such as "-0.25") and ``_lnd.npy`` (136 numbers: x, y, x, y, ...). The numbers of
the pictures have gaps. The release holds more than a million such files, so their few bytes are parsed here,
each header once, by several threads.
"""

from __future__ import annotations

import ast
import os
import sys
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from fer_lib.datasets.affectnet_csv import LEFT_OUT, NO_LANDMARKS, NOT_ANNOTATED
from fer_lib.datasets.listing import UNLABELLED, Listing
from fer_lib.datasets.paths import column, names_in, tree_identity
from fer_lib.errors import DataError

SPLITS = {"train": "train_set", "validation": "val_set"}
FOLDERS = tuple(SPLITS.values())
SOURCE = "train_set and val_set, release of 2021"
SUFFIXES = (".jpg", ".jpeg", ".png")
NO_AFFECT = "picture without a file of valence or arousal"
_BLOCK = 512  # pictures whose files a thread reads at a time
_THREADS = 8
_LIMIT = 1 << 16  # bytes; no such file is as large
_AGAIN = "Fetch the file again."


def files(root: Path) -> tuple[object, ...]:
    """Identity of every annotation by name, size and time of change; of the pictures, their folder's time."""
    parts: list[object] = []
    for folder in _folders(root).values():
        notes = folder / "annotations"
        parts += [
            folder.name,
            *tree_identity(notes, sorted(names_in(notes))),
            *tree_identity(folder, ["images"]),
        ]
    return tuple(parts)


def read(root: Path) -> Listing:
    """Read all annotations, in the order of the pictures' numbers.

    A picture needs ``_exp.npy``; where another of its files is absent, the row has nan there and is counted.

    Raises:
        DataError: a file that is no such array, or a value that breaks a rule.
    """
    dropped: Counter = Counter()
    mended: Counter = Counter()
    parts = [_split(folder, split, dropped, mended) for split, folder in _folders(root).items()]
    table = pd.concat([part[0] for part in parts], ignore_index=True)
    landmarks = np.concatenate([part[1] for part in parts])
    mended[NOT_ANNOTATED] = int(table.pop("untold").sum())
    mended[NO_LANDMARKS] = int(np.isnan(landmarks[:, 0, 0]).sum())
    found = None if np.isnan(landmarks).all() else landmarks
    return Listing(table, landmarks=found, dropped=+dropped, mended=+mended)


def _folders(root: Path) -> dict[str, Path]:
    return {split: root / name for split, name in SPLITS.items() if os.path.isdir(root / name)}


@dataclass(frozen=True)
class _Notes:
    """The annotations of one picture: the numbers of its files, nan where one is absent."""

    expression: float
    valence: float
    arousal: float
    points: np.ndarray | None


def _split(folder: Path, split: str, dropped: Counter, mended: Counter) -> tuple[pd.DataFrame, np.ndarray]:
    """Read one split: its table, and landmarks float32 (N, 68, 2)."""
    notes, pictures = folder / "annotations", _pictures(folder / "images")
    there = {name for name in names_in(notes) if not name.startswith(".")}
    ids = sorted((name[:-8] for name in there if name.endswith("_exp.npy")), key=_number)
    if not ids:
        rule = "the folder must hold annotations such as 0_exp.npy"
        raise DataError(str(notes), rule, "none", "Unpack the release as it is.")
    dropped[split, UNLABELLED] = len(pictures.keys() - set(ids))
    landmarks = np.full((len(ids), 68, 2), np.nan, np.float32)
    numbers = np.full((len(ids), 3), np.nan)
    for row, note in enumerate(_all_notes(notes, ids, there)):
        numbers[row] = note.expression, note.valence, note.arousal
        if note.points is not None:
            landmarks[row] = note.points
    codes, affect = numbers[:, 0].astype(int), numbers[:, 1:]
    mended[NO_AFFECT] += int(np.isnan(affect).any(axis=1).sum())
    paths = [f"{folder.name}/images/{pictures.get(id_, id_ + '.jpg')}" for id_ in ids]
    table = pd.DataFrame({"path": column(paths), "split": split, "expression": codes})
    table["valence"], table["arousal"] = np.where(affect == -2, np.nan, affect).T
    table["untold"] = (affect == -2).any(axis=1)
    for code, reason in LEFT_OUT.items():
        dropped[split, reason] += int((codes == code).sum())
    keep = codes < min(LEFT_OUT)
    return table[keep], landmarks[keep]


def _pictures(folder: Path) -> dict[str, str]:
    """Name of each picture's file by its number."""
    names = [name for name in names_in(folder) if not name.startswith(".")]
    return {name.rpartition(".")[0]: name for name in names if name.lower().endswith(SUFFIXES)}


def _number(text: str) -> tuple[int, str]:
    """Sort 9 before 10, and what is no number last."""
    return (int(text), text) if text.isdecimal() else (sys.maxsize, text)


def _all_notes(folder: Path, ids: list[str], there: set[str]) -> Iterator[_Notes]:
    """Annotations of all pictures in order, read by several threads, a few blocks ahead."""
    from tqdm.auto import tqdm

    def read_block(start: int) -> list[_Notes]:
        return [_notes(str(folder), id_, there) for id_ in ids[start : start + _BLOCK]]

    hidden = not sys.stderr.isatty() or "ipykernel" in sys.modules
    starts = iter(range(0, len(ids), _BLOCK))
    with (
        ThreadPoolExecutor(_THREADS) as pool,
        tqdm(total=len(ids), desc="annotations", disable=hidden) as bar,
    ):
        waiting = deque(pool.submit(read_block, start) for start in islice(starts, 2 * _THREADS))
        while waiting:
            block = waiting.popleft().result()
            waiting.extend(pool.submit(read_block, start) for start in islice(starts, 1))
            yield from block
            bar.update(len(block))


def _notes(folder: str, id_: str, there: set[str]) -> _Notes:
    paths = {kind: f"{folder}/{id_}_{kind}.npy" for kind in ("exp", "val", "aro", "lnd")}
    known = {kind: path for kind, path in paths.items() if f"{id_}_{kind}.npy" in there}
    valence, arousal = (_affect(known[kind], kind) if kind in known else np.nan for kind in ("val", "aro"))
    expression = _value(paths["exp"])
    if expression not in range(11):
        raise DataError(paths["exp"], "an expression must be a whole number in [0, 10]", expression, _AGAIN)
    return _Notes(expression, valence, arousal, _points(known["lnd"]) if "lnd" in known else None)


def _affect(path: str, kind: str) -> float:
    value = _value(path)
    if not (-1 <= value <= 1 or value == -2):
        name = {"val": "valence", "aro": "arousal"}[kind]
        rule = f"{name} must lie in [-1, 1], or be -2 (not annotated)"
        raise DataError(path, rule, value, "Fetch the file again, or correct it.")
    return value


def _value(path: str) -> float:
    """The one number of a file; the release writes it as a text."""
    array = read_array(path)
    got = str(array.reshape(-1)[0]) if array.size == 1 else f"an array {array.shape}"
    try:
        number = float(got)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise DataError(path, "the file must hold one number, written as a text", got, _AGAIN)
    return number


def _points(path: str) -> np.ndarray:
    """Landmarks (68, 2)."""
    array = read_array(path)
    rule = "landmarks must be 136 numbers"
    if array.size != 136:
        raise DataError(path, rule, f"{array.size}", _AGAIN)
    try:
        points = array.astype(np.float32).reshape(68, 2)
    except (TypeError, ValueError) as error:
        raise DataError(path, rule, str(array.dtype), _AGAIN) from error
    if not np.isfinite(points).all():
        raise DataError(path, rule, "nan or infinity", _AGAIN)
    return points


def read_array(path: str) -> np.ndarray:
    """Read a small .npy file, as `numpy.load` does without pickles, a few times faster.

    Raises:
        DataError: not readable, no .npy file, truncated, or an array of objects.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            data = os.read(handle, _LIMIT)
        finally:
            os.close(handle)
    except OSError as error:
        raise DataError(path, "the file must be readable", error.strerror, "Restore the file.") from error
    rule = "the file must be a small .npy array of texts or numbers"
    wide = data[6:7] != b"\x01"
    start = 12 if wide else 10
    end = start + int.from_bytes(data[8:start], "little")
    if data[:6] != b"\x93NUMPY" or len(data) < end:
        raise DataError(path, rule, f"{len(data)} bytes of something else", _AGAIN)
    header = _header(data[start:end])
    if header is None or header[0].hasobject:
        raise DataError(path, rule, repr(data[start:end][:60])[2:-1], _AGAIN)
    dtype, shape, order = header
    if len(data) != end + dtype.itemsize * int(np.prod(shape)):
        raise DataError(path, "the file must be whole", f"{len(data)} bytes for {dtype} {shape}", _AGAIN)
    if not dtype.itemsize:  # empty texts
        return np.zeros(shape, dtype)
    return np.frombuffer(data, dtype, offset=end).reshape(shape, order=order)


@lru_cache(maxsize=4096)
def _header(text: bytes) -> tuple[np.dtype, tuple[int, ...], Literal["C", "F"]] | None:
    """Type, shape and order that a header tells, or None; the same few headers stand in all files."""
    try:
        told = ast.literal_eval(text.decode("latin-1").strip())
        order: Literal["C", "F"] = "F" if told["fortran_order"] else "C"
        return np.dtype(told["descr"]), tuple(int(side) for side in told["shape"]), order
    except (ValueError, SyntaxError, TypeError, KeyError):
        return None
