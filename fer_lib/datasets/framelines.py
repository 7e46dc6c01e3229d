"""Read label files with a line for each frame of a video: many, long, and quickly."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fer_lib.datasets.textfiles import read_text
from fer_lib.errors import DataError

_AGAIN = "Fetch the file again, or correct the line."
NO_RATING, NO_EXPRESSION = -5, -1
OTHER = "other"


def ratings(path: Path) -> np.ndarray:
    """Read valence and arousal of every frame.

    Args:
        path: text file whose first line is ``valence,arousal``.

    Returns:
        float64 (T, 2) in [-1, 1], frame 1 first; nan where one of the two is -5.

    Raises:
        DataError: not a text, another header, a line that is not two numbers, or a number out of range.
    """
    header, lines = _lines(path)
    if sorted(header) != ["arousal", "valence"]:
        _refuse(path, 1, "the first line must be valence,arousal", ",".join(header))
    values = _numbers(path, lines, 2)
    values = values[:, [header.index("valence"), header.index("arousal")]]
    wrong = (np.abs(values) > 1) & (values != NO_RATING)
    _first(path, lines, wrong.any(axis=1), f"a rating must lie in [-1, 1], or be {NO_RATING}")
    values[(values == NO_RATING).any(axis=1)] = np.nan
    return values


def expressions(path: Path, classes: Sequence[str]) -> np.ndarray:
    """Read the expression of every frame.

    Args:
        path: text file whose first line names the expressions; the numbers below count them from 0.
        classes: names, in the order of the result's numbers; the file may have them in another order, and
            ``Other`` besides.

    Returns:
        int64 (T,), frame 1 first; -1 where there is none, ``len(classes)`` for Other.

    Raises:
        DataError: not a text, an unknown name, a line that is no number, or a number that names nothing.
    """
    header, lines = _lines(path)
    unknown = [name for name in header if name not in {*classes, OTHER}]
    if unknown or len(set(header)) < len(header) or not set(classes) <= set(header):
        near = difflib.get_close_matches(unknown[0], classes, n=1) if unknown else []
        fix = f"Did you mean {near[0]!r}?" if near else _AGAIN
        rule = f"the first line must name {', '.join(classes)} once each"
        raise DataError(f"{path}, line 1", rule, ",".join(header), fix)
    codes = _numbers(path, lines, 1)[:, 0]
    top = len(header) - 1
    wrong = (codes != np.round(codes)) | (codes < NO_EXPRESSION) | (codes > top)
    _first(path, lines, wrong, f"an expression must be a whole number in {NO_EXPRESSION}-{top}")
    place = [len(classes) if name == OTHER else list(classes).index(name) for name in header]
    return np.array([*place, -1])[codes.astype(np.int64)]  # -1 takes the last


def _lines(path: Path) -> tuple[list[str], list[str]]:
    """Header in small letters, and the lines below it; empty lines at the end are passed over."""
    lines = read_text(path).rstrip().splitlines()
    if not lines:
        raise DataError(str(path), "the file must hold a line for each frame", "an empty file", _AGAIN)
    if len(lines) == 1:
        raise DataError(str(path), "the file must hold a line for each frame", "only a header", _AGAIN)
    return [name.strip().lower() for name in lines[0].split(",")], lines[1:]


def _numbers(path: Path, lines: list[str], columns: int) -> np.ndarray:
    """Read lines of numbers apart by commas, float64 (T, columns)."""
    rule = f"a line must hold {columns} number{'s' * (columns > 1)}"
    _first(path, lines, np.array([line.count(",") != columns - 1 for line in lines]), rule)
    try:
        values = np.array([float(field) for field in ",".join(lines).split(",")]).reshape(-1, columns)
    except ValueError:
        values = np.array([_slowly(line, columns) for line in lines])
    _first(path, lines, ~np.isfinite(values).all(axis=1), rule)
    return values


def _slowly(line: str, columns: int) -> list[float]:
    """One line of numbers; nan where it is none."""
    try:
        return [float(field) for field in line.split(",")]
    except ValueError:
        return [np.nan] * columns


def _first(path: Path, lines: list[str], bad: np.ndarray, rule: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        _refuse(path, row + 2, rule, lines[row])


def _refuse(path: Path, line: int, rule: str, got: str) -> None:
    raise DataError(f"{path}, line {line}", rule, got.strip() or "an empty line", _AGAIN)
