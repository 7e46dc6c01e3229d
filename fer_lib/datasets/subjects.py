"""Add the people to a corpus's rows from a file ``index.csv`` beside it."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pandas as pd

from fer_lib.datasets.textfiles import read_table
from fer_lib.errors import DataError

NOBODY = "row without a subject in index.csv"


def names_people(index: Path) -> bool:
    """Whether there is such a file and its header names the columns row and subject; others are ignored."""
    if not index.is_file():
        return False
    try:
        with index.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            header = next(csv.reader(file), [])
    except OSError as error:
        got = error.strerror or type(error).__name__
        fix = "Restore the file, or take it away to go without subjects."
        raise DataError(str(index), "the label file must be readable", got, fix) from error
    return {"row", "subject"} <= {name.strip().lower() for name in header}


def with_subjects(table: pd.DataFrame, index: Path) -> pd.DataFrame:
    """Add a column ``subject`` to a table.

    Args:
        table: N rows.
        index: csv file with the columns row (from 0) and subject; others are ignored. Rows that it does not
            name have no subject; `without_subject` counts them.

    Raises:
        DataError: a row number is not one of the table's, or comes twice.
    """
    rows = read_table(index, ("row", "subject"), own=True)
    people = rows.frame
    number = pd.to_numeric(people["row"], errors="coerce")
    for bad, rule in (
        (~number.isin(range(len(table))), f"row must be a whole number from 0 to {len(table) - 1}"),
        (number.duplicated(), "a row must be named once"),
    ):
        if bad.any():
            line = int(bad.to_numpy().argmax())
            fix = "Correct the row, or take index.csv away to go without subjects."
            raise DataError(rows.where(line), rule, people["row"][line] or "nothing", fix)
    subject = pd.Series(people["subject"].to_numpy(), index=number.astype("int64"), dtype=object)
    named = subject.where(subject != "").reindex(range(len(table))).to_numpy()
    table = table.copy()
    table.insert(table.columns.get_loc("split"), "subject", pd.array(named, dtype="string"))
    return table


def without_subject(table: pd.DataFrame) -> Counter:
    """Count the rows that no line of the file gives a subject, as `Release.mended` tells them."""
    return +Counter({NOBODY: int(table["subject"].isna().sum())})
