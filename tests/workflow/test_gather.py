"""Runs with different seeds, joined as if run together."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from fer_lib import results
from fer_lib.chapters import gather, grid
from fer_lib.chapters import run as runner


def rows(seeds, *, also=(), **fields):
    made = [results.row(metric="m", seed=seed, value=seed / 10, commit="", **fields) for seed in seeds]
    return pd.DataFrame([*made, *also])


def alone(value, name="mean"):
    return results.row(metric="m", row=name, value=value, commit="")


def test_rows_of_all_seeds_are_joined_and_sums_are_left_out():
    parts = [
        rows([0, 1], also=[alone(0.05), alone(3, "faces")]),
        rows([2, 3], also=[alone(0.25), alone(3, "faces")]),
    ]
    kept, left = gather.joined(parts, where="x")
    assert kept["seed"].dropna().tolist() == [0, 1, 2, 3]
    assert kept[kept["seed"].isna()]["row"].tolist() == ["faces"]
    assert left["value"].tolist() == [0.05, 0.25]


def test_a_sum_that_only_one_run_has_is_left_out():
    kept, left = gather.joined([rows([0], also=[alone(1)]), rows([1])], where="x")
    assert (len(kept), len(left)) == (2, 1)


def test_seeds_that_overlap_count_once_and_must_agree():
    kept, _ = gather.joined([rows([0, 1]), rows([1, 2])], where="x")
    assert kept["seed"].tolist() == [0, 1, 2]
    other = rows([1, 2])
    other.loc[0, "value"] = 7.0
    with pytest.raises(ValueError, match=r"runs of x must agree .* got \[0\.1, 7\.0\] for seed 1"):
        gather.joined([rows([0, 1]), other], where="x")


def test_two_rows_of_one_name_in_one_run_are_both_kept():
    twice = pd.concat([rows([0]), rows([0]).assign(value=5.0)])
    kept, left = gather.joined([twice, rows([1])], where="x")
    assert kept["value"].tolist() == [0.0, 5.0, 0.1]
    assert not len(left)


def test_a_single_run_keeps_all(small):
    kept, left = gather.joined([rows([0, 1], also=[alone(1)])], where="x")
    assert (len(kept), len(left)) == (3, 0)


def in_order(frame):
    return frame.sort_values("seed").reset_index(drop=True)


@pytest.fixture
def ran(small):
    """A grid of four runs, done one by one without any engine."""
    found = grid.plan(
        {"profile": "smoke", "chapters": "0", "datasets": "world:fer2013,world:jaffe", "seeds": "4"}
    )
    for job in found.jobs:
        runner.run(job.chapter, job.given, out=found.out / "runs" / job.name, progress=False)
    return found


def test_single_runs_joined_equal_one_run_with_all_seeds(ran):
    folder = gather.gather(ran)
    for dataset in ("world:fer2013", "world:jaffe"):
        given = {"profile": "smoke", "dataset": dataset, "seeds": "4"}
        whole = results.load(runner.run("0", given, progress=False).folder)
        mine = results.load(folder / "00_rows" / f"dataset={dataset.replace(':', '-')}")
        whole = whole[whole["row"] != "mean"]
        pd.testing.assert_frame_equal(in_order(mine), in_order(whole))
    assert len(results.load(folder)) == 2 * (4 + 1)
    left = pd.read_csv(folder / "left_out.csv")
    assert set(left["row"]) == {"mean"}
    told = pd.read_csv(folder / "runs.csv")
    assert told["setting"].tolist()[::2] == [f"00_rows/dataset=world-{name}" for name in ("fer2013", "jaffe")]
    assert told["seeds"].tolist() == ["0-1", "2-3"] * 2
    assert told["command"][0] == "fer run 00_rows -p profile=smoke -p dataset=world:fer2013 -p seeds=0-1"

    # The whole goes to remote storage, where it was asked for.
    gather.gather(dataclasses.replace(ran, copy_to="memory://lab-of-grids/first"))
    pd.testing.assert_frame_equal(results.load("memory://lab-of-grids/first/results"), results.load(folder))
    assert (
        runner.load(f"memory://lab-of-grids/first/runs/{ran.jobs[0].name}").info["code"] == ran.jobs[0].code
    )

    # A run of other code is refused, by its name.
    info = ran.out / "runs" / ran.jobs[1].name / "run.json"
    info.write_text(info.read_text(encoding="utf-8").replace(ran.jobs[1].code, "0" * 16), encoding="utf-8")
    with pytest.raises(
        ValueError, match=f"runs/{ran.jobs[1].name} must be made by the code that was planned"
    ):
        gather.gather(ran)
    assert len(results.load(folder)) == 10  # what was gathered before stays
    info.unlink()
    with pytest.raises(ValueError, match="run must be a folder made by `fer run`"):
        gather.gather(ran)


def test_folders_are_named_by_what_differs(small):
    entry = {"profile": "smoke", "chapters": "0", "seeds": 4}
    assert list(gather.settings(grid.plan(entry))) == ["00_rows"]
    many = grid.plan({**entry, "encoders": "a,b", "datasets": "world:fer2013,world:jaffe"})
    assert next(iter(gather.settings(many))) == "00_rows/dataset=world-fer2013,encoder=a"
    assert [len(jobs) for jobs in gather.settings(many).values()] == [2] * 4


def test_settings_that_differ_in_their_folder_alone_are_all_kept(small):
    roots = [{"data_root": str(small / name)} for name in "ab"]
    for root in roots:
        Path(root["data_root"]).mkdir()
    entries = [{"chapters": "0", "seeds": 4, "parameters": root} for root in roots]
    found = grid.plan({"profile": "smoke", "runs": entries})
    assert {name: len(jobs) for name, jobs in gather.settings(found).items()} == {
        "00_rows": 2,
        "00_rows-2": 2,
    }
    alike = [{"chapters": "0", "encoders": ["a+b", "a-b", "a*b"], "seeds": 2}]
    names = list(gather.settings(grid.plan({"profile": "smoke", "runs": alike})))
    assert names == [f"00_rows/encoder=a-b{end}" for end in ("", "-2", "-3")]


def test_what_cannot_be_joined_is_said_in_one_line(small, capsys):
    assert gather.main(str(small)) == 1
    told = capsys.readouterr().err
    assert told.startswith("fer: out must be the folder of a grid; got ")
    assert told.count("\n") == 1
