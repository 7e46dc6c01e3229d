import numpy as np
import pandas as pd

from fer_lib import results


def lines(frame, **options):
    return results.table_markdown(frame, caption="Caption.", name="tbl-t", **options).splitlines()


def test_interval_columns_become_one():
    frame = pd.DataFrame(
        {
            "row": ["a", "b", "c"],
            "mean": [0.5, 0.25, np.nan],
            "low": [0.4, np.nan, np.nan],
            "high": [0.6, np.nan, np.nan],
        }
    )
    assert lines(frame)[3:-1] == [
        "| row | ours |",
        "|:---|---:|",
        "| a | 0.50 [0.40, 0.60] |",
        "| b | 0.25 |",
        "| c | – |",
    ]


def test_heads_are_words_and_empty_columns_go():
    frame = pd.DataFrame({"four_class": [1.0], "note": [""], "published": [np.nan], "seeds": [5]})
    assert lines(frame)[3] == "| four class | runs |"


def test_numbers_are_readable_and_bars_escaped():
    frame = pd.DataFrame({"what": ["a|b"], "weights": pd.array([3592090], "Int64"), "value": [0.123456]})
    assert lines(frame, digits=3)[-2] == "| a\\|b | 3,592,090 | 0.123 |"


def test_show_table_displays_markdown(capsys):
    results.show_table(pd.DataFrame({"a": [1]}), caption="C.", name="tbl-a")
    assert "Markdown" in capsys.readouterr().out
