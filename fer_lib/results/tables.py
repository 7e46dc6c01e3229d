"""Numbered tables on a chapter's page, from frames."""

import math
import numbers

import pandas as pd

_INTERVAL = {"mean", "low", "high"}
_HEADS = {"mean": "ours", "seeds": "runs", "published": "paper"}


def table_markdown(frame: pd.DataFrame, *, caption: str, name: str, digits: int = 2) -> str:
    """MyST source of a captioned, numbered table.

    Columns ``mean``, ``low`` and ``high`` become one column "ours" of the form ``0.52 [0.48, 0.56]``;
    empty columns are left out; a missing number shows as a dash.

    Args:
        frame: any frame; column names become the head with underscores as spaces.
        caption: a sentence, shown above the table.
        name: label for cross-references, by custom ``tbl-NN-what``.
        digits: decimals of floating numbers.

    Returns:
        The text of a ``{table}`` directive.

    Example:
        >>> print(table_markdown(pd.DataFrame({"row": ["a"], "value": [0.5]}), caption="C.", name="tbl-x"))
        ```{table} C.
        :name: tbl-x
        <BLANKLINE>
        | row | value |
        |:---|---:|
        | a | 0.50 |
        ```
    """
    shown = _join_interval(frame, digits)
    shown = shown.loc[:, [not _empty(shown[column]) for column in shown]]
    number = [pd.api.types.is_numeric_dtype(shown[column]) or column == "mean" for column in shown]
    heads = [_HEADS.get(str(column), str(column).replace("_", " ")) for column in shown]
    lines = ["| " + " | ".join(heads) + " |", "|" + "|".join("---:" if n else ":---" for n in number) + "|"]
    lines += [
        "| " + " | ".join(_cell(value, digits) for value in row) + " |"
        for row in shown.itertuples(index=False)
    ]
    return "\n".join([f"```{{table}} {caption}", f":name: {name}", "", *lines, "```"])


def show_table(frame: pd.DataFrame, *, caption: str, name: str, digits: int = 2) -> None:
    """Display :func:`table_markdown`; the cell needs the metadata ``mystnb: {markdown_format: myst}``."""
    from IPython.display import Markdown, display

    display(Markdown(table_markdown(frame, caption=caption, name=name, digits=digits)))


def _join_interval(frame: pd.DataFrame, digits: int) -> pd.DataFrame:
    if not set(frame.columns) >= _INTERVAL:
        return frame

    def joined(mean: float, low: float, high: float) -> str:
        if math.isnan(mean):
            return ""
        interval = "" if math.isnan(low) else f" [{low:.{digits}f}, {high:.{digits}f}]"
        return f"{mean:.{digits}f}{interval}"

    values = [joined(*three) for three in zip(frame["mean"], frame["low"], frame["high"], strict=True)]
    return frame.assign(mean=values).drop(columns=["low", "high"])


def _empty(column: pd.Series) -> bool:
    return bool((column.isna() | (column.astype(str) == "")).all())


def _cell(value: object, digits: int) -> str:
    if value is None or value is pd.NA or value == "" or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:,.{digits}f}" if value != int(value) or abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, numbers.Integral):
        return f"{value:,}"
    return str(value).replace("|", "\\|")
