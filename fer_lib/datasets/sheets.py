"""Read a sheet of a workbook (xlsx): every value is checked, and a message names row, rule and value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_lib.errors import DataError

_AGAIN = "Fetch the file again, or correct the row."


@dataclass(frozen=True)
class Sheet:
    """The rows of a sheet.

    Args:
        path: the workbook.
        cells: column -> N values as they are stored: numbers, texts, None.
        lines: (N,) row of the sheet, from 1.
    """

    path: Path
    cells: dict[str, list[object]]
    lines: np.ndarray

    def refuse(self, bad: np.ndarray, rule: str, got: Sequence[object], fix: str = _AGAIN) -> None:
        """Raise DataError for the first row where `bad` (N,) holds."""
        if np.any(bad):
            row = int(np.argmax(bad))
            value = str(got[row]) if got[row] not in (None, "") else "nothing"
            raise DataError(f"{self.path}, row {self.lines[row]}", rule, value, fix)

    def numbers(self, column: str) -> np.ndarray:
        """Read a column of numbers, float64 (N,); an empty cell is nan."""
        values = [_number(cell) for cell in self.cells[column]]
        bad = np.array([value is None for value in values], dtype=bool)
        self.refuse(bad, f"{column} must be a number, or empty", self.cells[column])
        return np.array(values, dtype=float)

    def whole(self, column: str, low: int) -> np.ndarray:
        """Read a column of whole numbers from `low` on, int64 (N,)."""
        values = self.numbers(column)
        bad = ~(values >= low) | (values != np.round(values))
        self.refuse(bad, f"{column} must be a whole number from {low} on", self.cells[column])
        return values.astype(np.int64)

    def texts(self, column: str) -> list[str]:
        """Read a column of names or whole numbers as texts; none may be empty."""
        texts = [_text(cell) for cell in self.cells[column]]
        self.refuse(np.array([not text for text in texts], bool), f"{column} must not be empty", texts)
        return texts


def read_sheet(path: Path, needed: Sequence[str]) -> Sheet:
    """Read the first sheet whose first row names the columns.

    Args:
        path: an xlsx file.
        needed: columns, found by name whatever their order and capitals; others are passed over, and so are
            rows without any value in these.

    Raises:
        DataError: no such file, no workbook, a missing or doubled column, or no rows.
    """
    rows = _rows(path, {name.lower() for name in needed})
    header = [_text(cell).lower() for cell in rows[0]]
    rule = f"the header must name the columns {', '.join(needed)} once"
    for name in needed:
        if header.count(name.lower()) != 1:
            fix = f"{name} is there {header.count(name.lower())} times. Put the release's own first row back."
            raise DataError(f"{path}, row 1", rule, ", ".join(filter(None, header)) or "an empty row", fix)
    places = [header.index(name.lower()) for name in needed]
    kept = [
        (number, [row[place] if place < len(row) else None for place in places])
        for number, row in enumerate(rows[1:], start=2)
    ]
    kept = [(number, row) for number, row in kept if any(_text(cell) for cell in row)]
    if not kept:
        raise DataError(str(path), "the sheet must hold rows", "only a header", _AGAIN)
    cells = {name: [row[k] for _, row in kept] for k, name in enumerate(needed)}
    return Sheet(path, cells, np.array([number for number, _ in kept]))


def _rows(path: Path, wanted: set[str]) -> list[tuple[object, ...]]:
    """All rows of the first sheet whose header has any of the wanted columns, else of the first."""
    from openpyxl import load_workbook

    try:
        if not path.stat().st_size:
            raise DataError(str(path), "the file must be an xlsx workbook", "an empty file", _AGAIN)
        with path.open("rb") as file:
            book = load_workbook(file, read_only=True, data_only=True)
            sheets = []
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # some programs write false ones
                sheets.append([tuple(row) for row in sheet.iter_rows(values_only=True)])
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise DataError(str(path), "the label file must be readable", got, "Restore the file.") from error
    except DataError:
        raise
    except Exception as error:  # openpyxl, zlib and the XML parser each have their own
        raise DataError(str(path), "the file must be an xlsx workbook", str(error), _AGAIN) from error
    sheets = [rows for rows in sheets if rows]
    if not sheets:
        raise DataError(str(path), "the sheet must hold rows", "an empty workbook", _AGAIN)
    named = (rows for rows in sheets if wanted & {_text(cell).lower() for cell in rows[0]})
    return next(named, sheets[0])


def _text(cell: object) -> str:
    """A cell as text: 17.0 is "17"."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _number(cell: object) -> float | None:
    """A cell as a number; nan where it is empty, None where it is none."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return float(cell) if np.isfinite(cell) else None
    text = _text(cell)
    if not text:
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
