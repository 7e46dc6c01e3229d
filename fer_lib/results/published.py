"""The numbers the five works print, and ours beside them."""

import functools
from collections.abc import Sequence
from importlib import resources

import numpy as np
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


PAPERS = ("ciao", "emotion-gcn", "face-stn", "p-affmem", "personalised-transfer")


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
    rows: pd.DataFrame,
    *,
    paper: str,
    table: str,
    by: Sequence[str] = ("row", "column"),
    against: str | None = None,
) -> pd.DataFrame:
    """Our runs beside the paper's table, matched by ``by``.

    Args:
        rows: result rows of ours (:func:`fer_lib.results.row`), in the unit that the paper prints.
        paper: id of the paper.
        table: its table or figure.
        by: columns that must agree, by default the table's row and column.
        against: a row of the table, such as its baseline: every other row is then asked whether it lies on
            the same side of it in our runs as in the paper, within what else ``by`` names.

    Returns:
        ``by`` columns, ours as ``mean``, ``low``, ``high``, ``seeds``; ``published``, ``unit``, ``note``;
        ``difference`` = mean - published; with ``against`` also ``direction``: "same", "other", or "" where
        one of the four numbers is not there or a pair is equal. The order is the paper's, then what only we
        have; numbers that only one side has stay, with NaN on the other.

    Raises:
        ValueError: ``against`` is no row of the table.
    """
    ours = summarise(rows, by=list(by))
    theirs = published(paper, table)[[*by, "value", "unit", "note"]].rename(columns={"value": "published"})
    printed = theirs.merge(ours, on=list(by), how="left", validate="one_to_one")
    only_ours = ours.merge(theirs[list(by)], on=list(by), how="left", indicator="side")["side"] == "left_only"
    both = pd.concat([printed, ours[only_ours.to_numpy()]], ignore_index=True).astype({"seeds": "Int64"})
    both = both[[*by, "mean", "low", "high", "seeds", "published", "unit", "note"]]
    both["difference"] = both["mean"] - both["published"]
    return both if against is None else both.assign(direction=_directions(both, against, by))


def _directions(both: pd.DataFrame, against: str, by: Sequence[str]) -> list[str]:
    """On which side of a row each line lies, in ours as in the paper's numbers."""
    known = list(dict.fromkeys(both["row"])) if "row" in both else []
    if against not in known:
        raise ValueError(f"against must be a row of the table; got {against!r}. It has {', '.join(known)}.")
    others = [name for name in by if name != "row"]
    base = both[both["row"] == against][[*others, "mean", "published"]]
    pairs = both.assign(all="").merge(
        base.assign(all=""), on=[*others, "all"], how="left", suffixes=("", "_base")
    )
    sides = np.sign(pairs["mean"] - pairs["mean_base"]) * np.sign(
        pairs["published"] - pairs["published_base"]
    )
    return ["same" if side > 0 else "other" if side < 0 else "" for side in sides]


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
