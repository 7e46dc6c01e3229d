import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fer_lib import results


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FER_RUN_DIR", raising=False)
    monkeypatch.delenv("FER_PROFILE", raising=False)


def test_row_has_every_column_in_order(monkeypatch):
    monkeypatch.setenv("FER_PROFILE", "smoke")
    made = results.row(metric="ccc_valence", value=np.float32(0.25), seed=1)
    assert tuple(made) == results.COLUMNS
    assert (made["profile"], made["value"], made["paper"]) == ("smoke", 0.25, "")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"metric": "m", "value": 1, "sead": 2}, r"fields must be result columns; got \['sead'\]"),
        ({"value": 1}, "metric must be given"),
        ({"metric": "m"}, "value must be given"),
        ({"metric": "m", "value": float("nan")}, "value must be finite; got nan"),
    ],
)
def test_row_refuses(fields, message):
    with pytest.raises(ValueError, match=message):
        results.row(**fields)


def test_save_and_load_keep_every_value(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_RUN_DIR", str(tmp_path / "run"))
    rows = [results.row(metric="m", value=0.1 * seed, seed=seed, commit="abc") for seed in range(3)]
    path = results.save(rows, "04_test")
    assert path == tmp_path / "run" / "results" / "04_test.parquet"
    back = results.load(tmp_path / "run")
    assert back["value"].tolist() == [row["value"] for row in rows]
    assert back["seed"].tolist() == [0, 1, 2]
    assert [p.name for p in path.parent.iterdir()] == ["04_test.parquet"]


def test_save_outside_a_run_goes_to_the_librarys_folder(tmp_path):
    path = results.save([results.row(metric="m", value=1)], "x")
    assert path == tmp_path / "home" / "results" / "interactive" / "x.parquet"
    assert pd.isna(results.load(path)["seed"][0])


def test_save_refuses_no_rows_and_half_rows():
    with pytest.raises(ValueError, match="rows must hold at least one result"):
        results.save([], "x")
    with pytest.raises(ValueError, match="rows must have all result columns"):
        results.save([{"metric": "m", "value": 1}], "x")


def test_load_says_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="paths must hold result rows"):
        results.load(tmp_path)


@pytest.mark.parametrize("rows", [pd.DataFrame(), pd.DataFrame(columns=list(results.COLUMNS))])
def test_no_rows_give_no_lines(rows):
    table = results.summarise(rows, by=["row", "column"])
    assert list(table) == ["row", "column", "mean", "low", "high", "seeds"]
    assert len(table) == 0
    beside = results.beside_paper(rows, paper="face-stn", table="Fig 8")
    assert beside["published"].tolist() == [0.46, 0.63]
    assert beside["mean"].isna().all()


def test_summarise_names_columns_that_rows_lack():
    rows = pd.DataFrame([results.row(metric="m", value=1.0)])
    with pytest.raises(ValueError, match=r"by must name columns of the rows; got \['corpus'\]"):
        results.summarise(rows, by=["corpus"])


def test_summarise_equals_scipys_t_interval():
    values = {"a": [0.1, 0.4, 0.35, 0.2], "b": [0.5]}
    rows = pd.DataFrame(
        [results.row(metric="m", value=v, row=r) for r, several in values.items() for v in several]
    )
    table = results.summarise(rows, by=["row"], confidence=0.9).set_index("row")
    low, high = stats.t.interval(0.9, 3, loc=np.mean(values["a"]), scale=stats.sem(values["a"]))
    assert table.loc["a", ["mean", "low", "high"]].tolist() == pytest.approx(
        [np.mean(values["a"]), low, high]
    )
    assert table["seeds"].tolist() == [4, 1]
    assert np.isnan(table.loc["b", "low"])
    with pytest.raises(ValueError, match=r"confidence must lie in \(0, 1\); got 95"):
        results.summarise(rows, by=["row"], confidence=95)


def test_rows_of_failed_and_killed_runs_are_no_results(tmp_path):
    """`fer run` leaves the first beside a run, and a run that is killed leaves the second."""
    for seed, name in enumerate(("12", "12.failed", ".12-draft")):
        _save(tmp_path / name / "results", seed)
    assert results.load(tmp_path)["seed"].tolist() == [0]
    assert results.load(tmp_path / "12.failed")["seed"].tolist() == [1]  # by its own name it can be looked at


def test_a_grid_gives_each_row_once(tmp_path):
    _save(tmp_path / "first" / "runs" / "04-smoke-1" / "results", 0)
    (tmp_path / "first" / "plan.json").touch()
    assert len(results.load(tmp_path)) == 1  # nothing joined yet
    _save(tmp_path / "first" / "results" / "04", 0)
    assert len(results.load(tmp_path)) == len(results.load(tmp_path / "first")) == 1
    assert len(results.load(tmp_path / "first" / "runs")) == 1


def _save(folder, seed):
    folder.mkdir(parents=True)
    frame = pd.DataFrame([results.row(metric="m", value=1, seed=seed, commit="abc")])
    frame.to_parquet(folder / "rows.parquet")
