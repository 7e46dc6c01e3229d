"""Read label files that are too large to be held as texts: the rows come block by block."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.datasets.textfiles import AGAIN, TextTable, check_fields, check_header, names_columns
from fer_lib.errors import DataError


def read_blocks(
    path: Path, needed: Sequence[str], *, header: Sequence[str], rows: int = 8192
) -> Iterator[TextTable]:
    """Read a comma-separated file as `fer_lib.datasets.textfiles.read_table` does, in blocks of rows.

    Args:
        path: the file; UTF-8 with or without BOM, any line ends, quoted fields.
        needed: columns that must be there; all others are passed over.
        header: names of the columns of a file without a header. A file whose first line names `needed` has
            one, and its columns may stand in any order.
        rows: at most so many in a block; memory does not grow with the file.

    Returns:
        The blocks, lazily; empty lines are passed over.

    Raises:
        DataError: no such file, not UTF-8 text, no rows, a missing or doubled column, or a row with another
            number of fields.
    """
    lines = _lines(path)
    first = next(lines, None)
    if first is None:
        raise DataError(str(path), "the file must hold rows", "an empty file", AGAIN)
    names = [name.lower() for name in first[1]]
    waiting: list[tuple[int, list[str]]] = []
    if names_columns(names, needed):
        check_header(path, names, needed)
    else:
        names, waiting = [name.lower() for name in header], [first]
    places = [names.index(name.lower()) for name in needed]
    empty = True
    while waiting := waiting + list(islice(lines, rows - len(waiting))):
        check_fields(path, waiting, names, AGAIN)
        columns = {name: [row[1][at] for row in waiting] for name, at in zip(needed, places, strict=True)}
        numbers = np.array([row[0] for row in waiting])
        yield TextTable(path, pd.DataFrame(columns, dtype=object), numbers)
        waiting, empty = [], False
    if empty:
        raise DataError(str(path), "the file must hold rows", "only a header", AGAIN)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, with the line each ends on."""
    number = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True)
            for fields in reader:
                number = reader.line_num
                values = [value.strip() for value in fields]
                if any(values):
                    yield number, values
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise DataError(str(path), "the label file must be readable", got, "Restore the file.") from error
    except UnicodeDecodeError as error:
        where, got = f"{path}, after line {number}", f"byte {error.object[error.start]:#04x}"
        raise DataError(where, "the file must be UTF-8 text", got, "Save the file as UTF-8.") from error
    except csv.Error as error:
        where = f"{path}, line {number + 1}"
        raise DataError(where, "the line must be a row of fields", str(error), AGAIN) from error
