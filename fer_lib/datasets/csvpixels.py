"""Read the csv form of FER2013: a row a picture, its pixels as numbers between spaces.

The file is read line by line and its pixels by NumPy, a few hundred pictures at a time, so that memory
stays bounded and the 300 MB of the real release take seconds. Every row is checked; the first that breaks a
rule ends the reading with its number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.datasets.store import Chunk
from fer_lib.errors import DataError

SIDE = 48
USAGE = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
_AGAIN = "Fetch the file again, or correct the row."


@dataclass(frozen=True)
class Layout:
    """Where the columns of one csv file stand, and what they may hold."""

    path: Path
    columns: tuple[str, ...]  # lower case, in the file's order
    number_classes: int
    split: str | None  # of all rows, where the file has no Usage column

    def where(self, row: int) -> str:
        return f"{self.path}, row {row} (line {row + 2})"


def chunks(
    path: Path, *, number_classes: int, labelled: bool = True, split: str | None = None, rows: int = 512
) -> Iterator[Chunk]:
    """Read a csv file of pictures.

    Args:
        path: file whose header names ``pixels``, ``emotion`` (if `labelled`) and ``Usage`` (if no `split`).
        number_classes: emotions must be 0 ... number_classes - 1.
        labelled: whether there is a column of emotions; without one, ``expression`` is -1.
        split: split of all rows; None takes it from ``Usage``.
        rows: pictures a chunk.

    Yields:
        Chunks of uint8 (B, 1, 48, 48) with the columns path (file#row, rows from 0), split, expression.

    Raises:
        DataError: for the first row that breaks a rule.
    """
    with path.open("rb") as file:
        layout = _layout(path, file.readline(), number_classes, labelled, split)
        pending, number = [], -1
        for number, line in enumerate(_without_blank_end(file)):
            pending.append(_parse(layout, number, line))
            if len(pending) == rows:
                yield _chunk(pending)
                pending = []
        if pending:
            yield _chunk(pending)
    if number < 0:
        raise DataError(str(path), "the file must hold at least one row", "only a header", _AGAIN)


def _without_blank_end(file) -> Iterator[bytes]:
    """Pass the lines on but not the empty ones after the last; an empty one between rows is an error."""
    for line in file:
        if not line.strip() and not file.read().strip():
            return
        yield line


def _layout(path: Path, line: bytes, number_classes: int, labelled: bool, split: str | None) -> Layout:
    """Read the header; releases differ in the order of columns and in spaces around their names."""
    columns = tuple(part.strip(" \r\n\"'").lower() for part in line.decode("utf-8-sig", "replace").split(","))
    needed = ["emotion"] * labelled + ["pixels"] + ["usage"] * (split is None)
    if not set(needed) <= set(columns):
        rule = f"the header must name the columns {', '.join(needed)}"
        got = line[:40].decode("utf-8", "replace").strip() or "an empty line"
        raise DataError(f"{path}, line 1", rule, got, "Put the release's own first line back.")
    return Layout(path, columns, number_classes, split)


def _parse(layout: Layout, row: int, line: bytes) -> tuple[str, str, int, np.ndarray]:
    """Read one row: its name, split, expression and pixels."""
    values = line.rstrip(b"\r\n").split(b",")
    if len(values) != len(layout.columns):
        cut = "" if line.endswith(b"\n") else " and no end of line: the file is cut off"
        rule = f"a row must have the {len(layout.columns)} fields {', '.join(layout.columns)}"
        raise DataError(layout.where(row), rule, f"{len(values)}{cut}", _AGAIN)
    field = {name: value.strip(b" \"'") for name, value in zip(layout.columns, values, strict=True)}
    expression = _emotion(layout, row, field["emotion"]) if "emotion" in field else -1
    split = layout.split or _usage(layout, row, field["usage"])
    return f"{layout.path.name}#{row}", split, expression, _pixels(layout, row, field["pixels"])


def _emotion(layout: Layout, row: int, text: bytes) -> int:
    if text.isdigit() and len(text) < 4 and int(text) < layout.number_classes:
        return int(text)
    rule = f"emotion must be a whole number from 0 to {layout.number_classes - 1}"
    raise DataError(layout.where(row), rule, text.decode("utf-8", "replace") or "nothing", _AGAIN)


def _usage(layout: Layout, row: int, text: bytes) -> str:
    usage = text.decode("utf-8", "replace")
    if usage in USAGE:
        return USAGE[usage]
    rule = f"Usage must be one of {', '.join(USAGE)}"
    raise DataError(layout.where(row), rule, usage or "nothing", _AGAIN)


def _pixels(layout: Layout, row: int, text: bytes) -> np.ndarray:
    """Parse one picture, uint8 (48 * 48,)."""
    foreign = text.translate(None, b"0123456789 ")
    if foreign:
        rule = "pixels must be whole numbers with spaces between"
        raise DataError(layout.where(row), rule, repr(foreign[:20].decode("utf-8", "replace")), _AGAIN)
    values = np.fromstring(text, dtype=np.int64, sep=" ") if text.strip() else np.zeros(0, np.int64)
    if values.size != SIDE * SIDE:
        rule = f"pixels must hold {SIDE * SIDE} numbers ({SIDE} x {SIDE})"
        raise DataError(layout.where(row), rule, values.size, _AGAIN)
    if values.max() > 255:
        raise DataError(layout.where(row), "pixels must lie in 0-255", int(values.max()), _AGAIN)
    return values.astype(np.uint8)


def _chunk(parsed: list[tuple[str, str, int, np.ndarray]]) -> Chunk:
    paths, splits, expressions, pixels = zip(*parsed, strict=True)
    table = pd.DataFrame({"path": paths, "split": splits, "expression": np.array(expressions, np.int64)})
    return Chunk(np.stack(pixels).reshape(-1, 1, SIDE, SIDE), table)
