"""Read the label files of corpora: every value is checked, and a message names file, line, rule and value."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.errors import DataError

AGAIN = "Fetch the file again, or correct the line."
_HEADER = "Put the release's own first line back."
_OWN, _ROWS = "Correct the line.", "Add the rows."  # of a file that its user wrote
_OTHERS = {";": "semicolons", "\t": "tabs"}  # what spreadsheets put between columns instead of commas


@dataclass(frozen=True)
class TextTable:
    """The rows of a label file as texts, with the lines they stand on.

    Args:
        path: the file.
        frame: N rows of texts without surrounding spaces; columns by the names the reader asked for.
        lines: (N,) line of each row, from 1.
        advice: what to do about a broken line.
    """

    path: Path
    frame: pd.DataFrame
    lines: np.ndarray
    advice: str = AGAIN

    def __len__(self) -> int:
        return len(self.frame)

    def where(self, row: int) -> str:
        """Name a row for a message."""
        return f"{self.path}, line {self.lines[row]}"

    def refuse(self, bad: np.ndarray, rule: str, got: Sequence[object], fix: str | None = None) -> None:
        """Raise DataError for the first row where `bad` (N,) holds; `fix` is the table's advice if None."""
        if np.any(bad):
            row = int(np.argmax(bad))
            raise DataError(self.where(row), rule, str(got[row]) or "nothing", fix or self.advice)

    def keep(self, mask: np.ndarray) -> TextTable:
        """The rows where `mask` (N,) holds."""
        return replace(self, frame=self.frame[mask].reset_index(drop=True), lines=self.lines[mask])

    def numbers(
        self, column: str, *, low: float = -np.inf, high: float = np.inf, empty: bool = False
    ) -> np.ndarray:
        """Read a column of numbers, float64 (N,).

        Args:
            column: its name.
            low, high: bounds, both allowed; a number outside is an error.
            empty: whether an empty field is allowed (nan); "nan" itself never is.

        Raises:
            DataError: for the first row that is no number or out of bounds.
        """
        texts = self.frame[column]
        values = pd.to_numeric(texts.where(texts != "", "0" if empty else ""), errors="coerce").to_numpy(
            float
        )
        self.refuse(~np.isfinite(values), f"{column} must be a number", texts.tolist())
        values = np.where((texts == "").to_numpy() & empty, np.nan, values)
        outside = (values < low) | (values > high)
        self.refuse(outside, f"{column} must lie in [{low:g}, {high:g}]", texts.tolist())
        return values

    def whole(self, column: str, low: int, high: int) -> np.ndarray:
        """Read a column of whole numbers in [low, high], int64 (N,)."""
        values = self.numbers(column, low=low, high=high)
        self.refuse(
            values != np.round(values), f"{column} must be a whole number", self.frame[column].tolist()
        )
        return values.astype(np.int64)

    def one_of(self, column: str, codes: Mapping[str, int], *, origin: str = "") -> np.ndarray:
        """Read a column of names as their codes, int64 (N,); capitals do not matter.

        Args:
            column: its name.
            codes: name -> code; "" may be one of them.
            origin: where the names come from, told after them in a message.

        Raises:
            DataError: for the first name that is not in `codes`; the nearest is suggested.
        """
        texts = self.frame[column].str.lower()
        unknown = ~texts.isin(list(codes)).to_numpy()
        if unknown.any():
            row = int(unknown.argmax())
            near = difflib.get_close_matches(texts[row], list(filter(None, codes)), n=1)
            hint = f"Did you mean {near[0]!r}?" if near else self.advice
            rule = f"{column} must be one of {', '.join(filter(None, codes))}{origin}"
            raise DataError(self.where(row), rule, self.frame[column][row] or "nothing", hint)
        return texts.map(dict(codes)).to_numpy(np.int64)

    def filled(self, column: str) -> list[str]:
        """Read a column of texts that must not be empty."""
        texts = self.frame[column].tolist()
        self.refuse(np.array([not text for text in texts]), f"{column} must not be empty", texts)
        return texts

    def repeated(self, columns: Sequence[str], what: str) -> np.ndarray:
        """Find rows that repeat an earlier one, (N,) bool.

        Args:
            columns: those that name the thing a row is about.
            what: that thing in words, such as "a picture".

        Raises:
            DataError: two rows about one thing say different things.
        """
        same_thing = self.frame.duplicated(list(columns)).to_numpy()
        differs = same_thing & ~self.frame.duplicated().to_numpy()
        got = [", ".join(row) for row in self.frame[list(columns)].itertuples(index=False)]
        rule = f"{what} must have one label; an earlier line says something else"
        self.refuse(differs, rule, got, "Keep the line that is right.")
        return same_thing


def read_table(
    path: Path,
    needed: Sequence[str],
    *,
    header: Sequence[str] | None = None,
    separator: str = ",",
    optional: Sequence[str] = (),
    own: bool = False,
) -> TextTable:
    """Read a text file of rows; UTF-8 with or without BOM, any line ends, quoted fields.

    Args:
        path: the file.
        needed: columns that must be there; found by name whatever their order and capitals.
        header: names of the columns of a file without a header. A file that has one all the same (its first
            line names `needed`) is read too.
        separator: between fields; " " stands for any white space.
        optional: columns that may be there; where absent they read as "". All others are passed over.
        own: whether users write the file themselves, so that it cannot be fetched again.

    Returns:
        Rows with the columns `needed` and `optional`; empty lines are passed over.

    Raises:
        DataError: no such file, not text, no rows, a missing or doubled column, or a row with another number
            of fields.
    """
    advice = _OWN if own else AGAIN
    rows = _rows(path, separator, advice)
    if not rows:
        raise DataError(str(path), "the file must hold rows", "an empty file", _ROWS if own else AGAIN)
    first = [name.strip().lower() for name in rows[0][1]]
    names = [*needed, *optional]
    has_header = header is None or names_columns(first, needed)
    columns = first if has_header else [name.lower() for name in header or ()]
    if has_header:
        check_header(path, first, needed, own=own)
        rows = rows[1:]
    if not rows:
        raise DataError(str(path), "the file must hold rows", "only a header", _ROWS if own else AGAIN)
    check_fields(path, rows, columns, advice)
    values = {name: _column(rows, columns, name.lower()) for name in names}
    return TextTable(path, pd.DataFrame(values, dtype=object), np.array([line for line, _ in rows]), advice)


def read_text(path: Path) -> str:
    """Read a text file, or say clearly why not.

    Raises:
        DataError: missing, a folder, not readable, not UTF-8, or not text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        got = error.strerror or type(error).__name__
        raise DataError(str(path), "the label file must be readable", got, "Restore the file.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        got = f"byte {data[error.start]:#04x}"
        fix = "Save the file as UTF-8."
        raise DataError(f"{path}, line {line}", "the file must be UTF-8 text", got, fix) from error
    if "\0" in text:
        raise DataError(str(path), "the file must be text", "NUL bytes", AGAIN)
    return text


def _rows(path: Path, separator: str, advice: str) -> list[tuple[int, list[str]]]:
    """Rows that are not empty, with their lines."""
    text = read_text(path)
    if separator == " ":
        split: Callable[[str], list[str]] = str.split
        pairs = [(line, split(row)) for line, row in enumerate(text.splitlines(), start=1)]
        return [(line, fields) for line, fields in pairs if fields]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        return [
            (reader.line_num, [value.strip() for value in fields])
            for fields in reader
            if any(value.strip() for value in fields)
        ]
    except csv.Error as error:
        where = f"{path}, line {reader.line_num}"
        raise DataError(where, "the line must be a row of fields", str(error), advice) from error


def names_columns(first: Sequence[str], needed: Sequence[str]) -> bool:
    """Whether a file's first line is a header: it names at least one of the columns."""
    return any(name.lower() in first for name in needed)


def check_header(path: Path, first: Sequence[str], needed: Sequence[str], *, own: bool = False) -> None:
    """Refuse a header, in lower case, that lacks a column or names it twice."""
    absent = [name for name in needed if name.lower() not in first]
    if absent:
        rule = f"the header must name the columns {', '.join(needed)}"
        got = ", ".join(first) or "an empty line"
        near = difflib.get_close_matches(absent[0].lower(), first, n=1, cutoff=0.7)
        hint = f"{absent[0]} is missing" + (f"; did {near[0]!r} stand for it?" if near else ".")
        other = next((name for mark, name in _OTHERS.items() if len(first) == 1 and mark in first[0]), None)
        if other:
            fix = f"Separate the columns by commas, not by {other}."
        else:
            fix = f"{hint} {_OWN if own else _HEADER}"
        raise DataError(f"{path}, line 1", rule, got, fix)
    twice = [name for name in needed if first.count(name.lower()) > 1]
    if twice:
        fix = _OWN if own else AGAIN
        raise DataError(f"{path}, line 1", "the header must name a column once", twice[0], fix)


def check_fields(
    path: Path, rows: Sequence[tuple[int, list[str]]], columns: Sequence[str], advice: str
) -> None:
    """Refuse the first row that has not a field for each column."""
    for line, fields in rows:
        if len(fields) != len(columns):
            rule = f"a row must have the {len(columns)} fields {', '.join(columns)}"
            raise DataError(f"{path}, line {line}", rule, f"{len(fields)} ({','.join(fields)})", advice)


def _column(rows: list[tuple[int, list[str]]], columns: list[str], name: str) -> list[str]:
    if name not in columns:
        return [""] * len(rows)
    place = columns.index(name)
    return [fields[place] for _, fields in rows]
