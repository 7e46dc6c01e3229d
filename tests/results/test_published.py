import math

import pandas as pd
import pytest

from fer_lib import results
from fer_lib.results.published import PAPERS

COUNTS = {  # cells of the printed tables, counted on the page
    ("face-stn", "Table 1"): 7 * 2,
    ("face-stn", "Table 2"): 7 + 7 + 5,
    ("face-stn", "Table 3"): 5 + 5,
    ("face-stn", "Table 4"): 9 * 3 + 3,
    ("face-stn", "Fig 8"): 2,
    ("emotion-gcn", "Table 3.1"): 7,
    ("emotion-gcn", "Table 3.2"): 3,
    ("emotion-gcn", "Table 4.1"): 13,
    ("emotion-gcn", "Table 5.1"): 1 + 2 + 3 + 1 + 1 + 2 + 3 + 1,
    ("emotion-gcn", "Table 5.2"): 7,
    ("emotion-gcn", "Table 5.3"): 2 + 1 + 3 + 2 + 1 + 3,
    ("emotion-gcn", "Table 5.4"): 4 * 2,
    ("emotion-gcn", "Table 6.1"): 4 * 2,
    ("emotion-gcn", "Table 6.2a"): 3 * 4,
    ("emotion-gcn", "Table 6.2b"): 3 * 7,
    ("emotion-gcn", "Table 6.3"): 4 * 4,
    ("emotion-gcn", "Table 6.4"): 8,
    ("emotion-gcn", "Table 6.5"): 3,
    ("emotion-gcn", "Table 7.1"): 9,
}


@pytest.mark.parametrize(("table", "count"), COUNTS.items())
def test_every_cell_of_a_table_is_there_once(table, count):
    numbers = results.published(*table)
    assert len(numbers) == count
    assert not numbers.duplicated(["row", "column", "dataset"]).any()


def test_hand_read_cells():
    numbers = results.published("face-stn").set_index(["table", "row", "column"])["value"]
    assert numbers["Table 1", "Face-STN (PK)", "Arousal"] == 0.38
    assert numbers["Table 2", "Face-STN (FC)", "FER+"] == 89.10
    assert numbers["Table 3", "XGBoost", "ElderReact"] == 42.6


def test_values_lie_in_the_range_of_their_metric():
    numbers = results.published()
    ccc = numbers[numbers["metric"].str.startswith("ccc")]
    percent = numbers[numbers["unit"] == "%"]
    assert ccc["value"].between(-1, 1).all()
    assert percent["value"].between(0, 100).all()


def test_all_five_works_are_named():
    assert set(results.published()["paper"]) == set(PAPERS)


def test_misprints_are_flagged():
    numbers = results.published("face-stn", "Table 4")
    assert numbers.loc[numbers["value"] > 10, "note"].str.contains("printed").all()


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"paper must be one of .*face-stn.*; got 'stn'"):
        results.published("stn")
    with pytest.raises(ValueError, match=r"table must be one of .*Table 1.*; got 'Table 9'"):
        results.published("face-stn", "Table 9")


def test_beside_paper_keeps_numbers_of_either_side():
    fields = {"paper": "face-stn", "table": "Fig 8", "row": "FaceChannel", "metric": "ccc"}
    rows = pd.DataFrame(
        [results.row(**fields, column="Valence", value=v, seed=s) for s, v in enumerate((0.2, 0.4))]
        + [results.row(**fields, column="Arousal", value=0.5, seed=0)]
    )
    table = results.beside_paper(rows, paper="face-stn", table="Fig 8").set_index(["row", "column"])
    assert table.loc[("FaceChannel", "Valence"), "difference"] == pytest.approx(0.3 - 0.46)
    assert math.isnan(table.loc[("FaceChannel", "Arousal"), "published"])
    assert math.isnan(table.loc[("CPC", "Arousal"), "mean"])
    assert table.index.tolist() == [
        ("FaceChannel", "Valence"),
        ("CPC", "Arousal"),
        ("FaceChannel", "Arousal"),
    ]
    assert table["seeds"].fillna(0).tolist() == [2, 0, 1]


def test_beside_paper_tells_on_which_side_of_a_row_the_others_lie():
    """Table I of CIAO prints .46 for the whole VGG, .35 for its last convolution, .49 with CIAO (arousal)."""
    fields = {"paper": "ciao", "table": "Table I", "metric": "ccc_arousal", "seed": 0}
    plain, helped = "AffectNet Arousal, plain", "AffectNet Arousal, CIAO"
    ours = {
        ("VGG Full", plain): 0.5,
        ("VGG LC", plain): 0.6,
        ("VGG Full", helped): 0.4,
        ("VGG LC", helped): 0.4,
    }
    rows = pd.DataFrame(
        [results.row(**fields, row=one, column=column, value=value) for (one, column), value in ours.items()]
    )
    table = results.beside_paper(rows, paper="ciao", table="Table I", against="VGG Full")
    told = table.set_index(["row", "column"])["direction"]
    assert told["VGG LC", plain] == "other"  # .60 above .50, printed .35 below .46
    assert told["VGG Full", plain] == told["VGG LC", helped] == ""  # itself; equal in ours
    assert told["VGG DL", plain] == ""  # not run
    lower = rows.assign(value=rows["value"].where(rows["row"] != "VGG LC", 0.1))
    told = results.beside_paper(lower, paper="ciao", table="Table I", against="VGG Full")
    assert told.set_index(["row", "column"]).loc[("VGG LC", plain), "direction"] == "same"
    with pytest.raises(ValueError, match="against must be a row of the table"):
        results.beside_paper(rows, paper="ciao", table="Table I", against="VGG")
