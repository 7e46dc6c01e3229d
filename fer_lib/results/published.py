"""The numbers the five works print, and ours beside them."""

import functools
from collections.abc import Sequence
from importlib import resources

import pandas as pd

from fer_lib.results.rows import summarise

PUBLISHED_COLUMNS = (
    "paper",
    "table",
    "row",
    "column",
    "dataset",
    "encoder",
    "regime",
    "metric",
    "value",
    "unit",
    "note",
)


def published(paper: str | None = None, table: str | None = None) -> pd.DataFrame:
    """Numbers as printed, one row each; ``note`` flags misprints.

    Args:
        paper: ``"face-stn"``, ``"ciao"``, ...; None gives all.
        table: ``"Table 1"``, ``"Fig 8"``, ...; None gives all of the paper.

    Returns:
        Frame with the columns paper, table, row, column, dataset, encoder, regime, metric, value, unit, note.
        ``regime`` holds what else the paper sets: which layers learn, or a lambda, bins, tau, p.

    Raises:
        ValueError: no such paper, or no such table in it; the message lists those there are.

    Example:
        >>> published("face-stn", "Fig 8")["value"].tolist()
        [0.46, 0.63]
    """
    numbers = _all()
    for column, wanted in (("paper", paper), ("table", table)):
        if wanted is None:
            continue
        known = list(dict.fromkeys(numbers[column]))
        if wanted not in known:
            raise ValueError(f"{column} must be one of {known}; got {wanted!r}. Choose one of them.")
        numbers = numbers[numbers[column] == wanted]
    return numbers.reset_index(drop=True)


def beside_paper(
    rows: pd.DataFrame, *, paper: str, table: str, by: Sequence[str] = ("row", "column")
) -> pd.DataFrame:
    """Our runs beside the paper's table, matched by ``by``.

    Args:
        rows: result rows of ours (:func:`fer_lib.results.row`), in the unit that the paper prints.
        paper: id of the paper.
        table: its table or figure.
        by: columns that must agree, by default the table's row and column.

    Returns:
        ``by`` columns, ours as ``mean``, ``low``, ``high``, ``seeds``; ``published``, ``unit``, ``note``;
        ``difference`` = mean - published. The order is the paper's, then what only we have; numbers that
        only one side has stay, with NaN on the other.
    """
    ours = summarise(rows, by=list(by))
    theirs = published(paper, table)[[*by, "value", "unit", "note"]].rename(columns={"value": "published"})
    printed = theirs.merge(ours, on=list(by), how="left", validate="one_to_one")
    only_ours = ours.merge(theirs[list(by)], on=list(by), how="left", indicator="side")["side"] == "left_only"
    both = pd.concat([printed, ours[only_ours.to_numpy()]], ignore_index=True).astype({"seeds": "Int64"})
    both = both[[*by, "mean", "low", "high", "seeds", "published", "unit", "note"]]
    both["difference"] = both["mean"] - both["published"]
    return both


@functools.cache
def _all() -> pd.DataFrame:
    folder = resources.files("fer_lib.results") / "papers"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".csv")), key=lambda file: file.name
    )
    frames = [
        pd.read_csv(file.open(encoding="utf-8"), keep_default_na=False, dtype={"value": float})
        for file in files
    ]
    return pd.concat(frames, ignore_index=True)[list(PUBLISHED_COLUMNS)]
