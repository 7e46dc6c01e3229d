"""Add the people to a corpus's rows from a file ``index.csv`` beside it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from fer_lib.datasets.store import identity
from fer_lib.errors import DataError


def with_subjects(table: pd.DataFrame, index: Path) -> tuple[pd.DataFrame, tuple[object, ...]]:
    """Add a column ``subject`` to a table.

    Args:
        table: N rows.
        index: csv file with the columns row (from 0) and subject; others are ignored, and so is the whole
            file if it lacks one of the two. Rows that it does not name have no subject.

    Returns:
        The table, and what identifies the file, () if it was ignored.

    Raises:
        DataError: a row number is not one of the table's, or comes twice.
    """
    people = pd.read_csv(index, dtype=str, keep_default_na=False, encoding="utf-8-sig", on_bad_lines="error")
    if not {"row", "subject"} <= set(people.columns):
        return table, ()
    number = pd.to_numeric(people["row"], errors="coerce")
    for bad, rule in (
        (~number.isin(range(len(table))), f"row must be a whole number from 0 to {len(table) - 1}"),
        (number.duplicated(), "a row must be named once"),
    ):
        if bad.any():
            line = int(bad.to_numpy().argmax())
            fix = "Correct the row, or take index.csv away to go without subjects."
            raise DataError(f"{index}, line {line + 2}", rule, people["row"][line] or "nothing", fix)
    subject = pd.Series(people["subject"].to_numpy(), index=number.astype("int64"), dtype=object)
    named = subject.where(subject != "").reindex(range(len(table))).to_numpy()
    table = table.copy()
    table.insert(table.columns.get_loc("split"), "subject", pd.array(named, dtype="string"))
    return table, ("subjects", *identity(index))
