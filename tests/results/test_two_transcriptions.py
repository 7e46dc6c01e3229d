"""All tables were typed twice from the page, by two readers who did not see each other's numbers.

``second`` holds the other reading. Names of rows differ between the two, so that tables are compared as
collections of numbers. What only names a row (how many classes, a name in place of a number) is no number.
"""

from collections import Counter
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
        "Fig 6.4.2": 36,
    },
}  # fmt: skip
"""How many numbers each table has, counted on the page."""


def second(paper: str) -> pd.DataFrame:
    return pd.read_csv(SECOND / f"{paper}.csv", keep_default_na=False, dtype={"value": float})


def first(paper: str) -> pd.DataFrame:
    numbers = results.published(paper)
    return numbers[~numbers["note"].str.startswith("a name, not a number")]


@pytest.mark.parametrize(("paper", "table"), [(paper, table) for paper in TABLES for table in TABLES[paper]])
def test_both_readings_of_a_table_agree(paper, table):
    ours, theirs = (numbers[numbers["table"] == table]["value"] for numbers in (first(paper), second(paper)))
    assert Counter(ours) == Counter(theirs)
    assert len(ours) == TABLES[paper][table]


@pytest.mark.parametrize("paper", PAPERS)
def test_no_table_was_read_once_only(paper):
    for numbers in (first(paper), second(paper)):
        named = {table for table in numbers["table"] if table.startswith("Table")}
        assert named == {table for table in TABLES[paper] if table.startswith("Table")}


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
