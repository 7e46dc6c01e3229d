"""All tables were typed twice from the page, by two readers who did not see each other's numbers.

``second`` holds the other reading. Names of rows differ between the two, so that tables are compared number
by number in the order of reading: line by line for both, but for four tables, which one reader took column by
column or block by block. What only names a row (how many classes, a name in place of a number) is no number.
"""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fer_lib import results

SECOND = Path(__file__).with_name("second")
PAPERS = ("ciao", "emotion-gcn", "face-stn", "p-affmem", "personalised-transfer")
TABLES = {
    "face-stn": {
        "Table 1": 14, "Table 2": 19, "Table 3": 10, "Table 4": 30, "Table 5": 35, "Table 6": 130, "Fig 8": 2,
    },
    "ciao": {"Table I": 84, "Table II": 33},
    "p-affmem": {"Table 1": 6, "Table 2": 18, "Table 3": 24},
    "personalised-transfer": {"Table 1": 30, "Fig 5": 5},
    "emotion-gcn": {
        "Table 2.1": 9, "Table 2.2": 12, "Table 2.3": 11, "Table 2.4": 3, "Table 3.1": 7, "Table 3.2": 3,
        "Table 4.1": 13, "Table 5.1": 14, "Table 5.2": 7, "Table 5.3": 12, "Table 5.4": 8, "Table 6.1": 8,
        "Table 6.2a": 12, "Table 6.2b": 21, "Table 6.3": 16, "Table 6.4": 8, "Table 6.5": 3, "Table 7.1": 9,
        "Fig 6.4.2": 36, "Extended summary table 1": 6, "Extended summary table 2": 6,
    },
}  # fmt: skip
"""How many numbers each table has, counted on the page."""

Part = Callable[[pd.Series], object]


def column(cell: pd.Series) -> object:
    return cell["column"]


def by_work(cell: pd.Series) -> object:
    """One reader put all errors and CCC first."""
    accuracy = "accuracy" in f"{cell['column']} {cell.get('metric', '')}".lower()
    return cell["row"].split()[0], accuracy


PARTS: dict[tuple[str, str], tuple[Part, Part]] = {
    ("ciao", "Table I"): (column, lambda cell: (cell["row"].split(",")[0], cell["column"])),
    ("ciao", "Table II"): (column, column),
    ("personalised-transfer", "Fig 5"): (column, column),
    ("personalised-transfer", "Table 1"): (by_work, by_work),
}
"""What names a part of the table that both read in one order, for our reading and for the second."""


def second(paper: str) -> pd.DataFrame:
    return pd.read_csv(SECOND / f"{paper}.csv", keep_default_na=False, dtype={"value": float})


def first(paper: str) -> pd.DataFrame:
    numbers = results.published(paper)
    return numbers[~numbers["note"].str.startswith("a name, not a number")]


def by_parts(table: pd.DataFrame, part: Part) -> list[list[float]]:
    """The numbers of each part, parts in the order of their first numbers."""
    names = table.apply(part, axis=1)
    return [table.loc[names == name, "value"].tolist() for name in dict.fromkeys(names)]


@pytest.mark.parametrize(("paper", "table"), [(paper, table) for paper in TABLES for table in TABLES[paper]])
def test_both_readings_of_a_table_agree(paper, table):
    ours, theirs = (numbers[numbers["table"] == table] for numbers in (first(paper), second(paper)))
    assert len(ours) == TABLES[paper][table]
    if (paper, table) in PARTS:
        mine, other = PARTS[paper, table]
        found = by_parts(ours, mine), by_parts(theirs, other)
        assert sorted(found[0]) == sorted(found[1]) if mine is by_work else found[0] == found[1]
    else:
        assert ours["value"].tolist() == theirs["value"].tolist()
    if (paper, table) != ("face-stn", "Table 4"):  # whose ratios have a unit in one reading only
        assert sorted(ours["unit"]) == sorted(theirs["unit"])


@pytest.mark.parametrize("paper", PAPERS)
def test_no_table_was_read_once_only(paper):
    for numbers in (first(paper), second(paper)):
        named = {table for table in numbers["table"] if "able" in table}
        assert named == {table for table in TABLES[paper] if "able" in table}


@pytest.mark.parametrize("paper", PAPERS)
def test_numbers_stated_in_the_text_were_found_twice(paper):
    """The other reading took more of the text; what we keep of it must be among its numbers."""
    text = first(paper)
    told = set(second(paper)["value"])
    stated = text[~text["table"].isin(TABLES[paper])]
    assert set(stated["value"]) - told <= set()


def test_cells_are_named_once():
    numbers = results.published()
    assert not numbers.duplicated(["paper", "table", "row", "column", "dataset"]).any()
