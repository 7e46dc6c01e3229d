"""A grid on this machine: Snakemake, `fer run`, the joined results; killed, taken up again, grown."""

import os
import signal
import subprocess
import sys
import time

import yaml
from filelock import FileLock

from fer_lib import results
from fer_lib.chapters import grid

GRID = {"profile": "smoke", "chapters": ["00_rows"], "datasets": ["world:fer2013"], "seeds": 4}


def start(file, **variables):
    command = [sys.executable, "-m", "fer_lib.chapters.cli", "grid", str(file), "--cores", "1"]
    return subprocess.Popen(
        command, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def finish(file, **variables):
    process = start(file, **variables)
    return process.communicate(timeout=300)[0], process.returncode


def when(path):
    return (path / "run.json").stat().st_mtime_ns


def test_a_grid_is_killed_taken_up_again_and_grown(small):
    file = small / "grid.yaml"
    file.write_text(yaml.safe_dump(GRID), encoding="utf-8")
    first, second = grid.plan(GRID).jobs
    runs = grid.plan(GRID).out / "runs"

    # Killed outright, with all its processes, while the second run is at work.
    process = start(file, NAP="6")
    one = None
    while one is None and process.poll() is None:
        one = next((job for job in (first, second) if (runs / job.name / "run.json").is_file()), None)
        time.sleep(0.1)
    other = second if one is first else first
    while not list(runs.glob(f".{other.name}-*")) and process.poll() is None:
        time.sleep(0.1)
    time.sleep(1.5)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (runs / other.name / "run.json").exists()

    # Taken up again: only what is missing runs.
    before = when(runs / one.name)
    said, status = finish(file)
    assert status == 0, said
    assert when(runs / one.name) == before
    assert sorted(results.load(runs.parent / "results")["seed"].dropna()) == [0, 1, 2, 3]

    # More seeds: only the new ones run. A chapter that fails: the others are kept, the log is named.
    kept = {job.name: when(runs / job.name) for job in (first, second)}
    file.write_text(yaml.safe_dump({**GRID, "seeds": 6}), encoding="utf-8")
    said, status = finish(file, NAP="soon")  # no number: the chapter stops there
    third = grid.plan({**GRID, "seeds": 6}).jobs[2]
    assert status == 1
    assert (
        f"1 of 3 runs are not done; the log of the first is _build/grids/grid/logs/{third.name}.log" in said
    )
    assert (
        "could not convert string to float: 'soon'"
        in (runs.parent / "logs" / f"{third.name}.log").read_text()
    )
    said, status = finish(file)
    assert status == 0, said
    assert {name: when(runs / name) for name in kept} == kept
    assert sorted(results.load(runs.parent / "results")["seed"].dropna()) == [0, 1, 2, 3, 4, 5]


def test_a_grid_in_another_folder_uses_the_same_store_and_mends_itself(small, monkeypatch):
    chapter = small / "notebooks" / "00_rows.md"
    told = 'Path(os.environ["FER_BOOK"], "home.txt").write_text(os.environ["FER_HOME"])\n_ = results.save'
    text = chapter.read_text(encoding="utf-8")
    chapter.write_text(text.replace("_ = results.save", told), encoding="utf-8")
    monkeypatch.setenv("FER_HOME", "store")
    file = small / "grid.yaml"
    config = {**GRID, "seeds": 2, "out": "../elsewhere"}
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    found = grid.plan(config)
    said, status = finish(file)
    assert status == 0, said
    assert (small / "home.txt").read_text(encoding="utf-8") == str(small / "store")

    # A run that was made while its chapter was being edited is made again; no second Snakemake meanwhile.
    info = found.out / "runs" / found.jobs[0].name / "run.json"
    info.write_text(info.read_text(encoding="utf-8").replace(found.jobs[0].code, "0" * 16), encoding="utf-8")
    (found.out / "results" / ".complete").unlink()
    with FileLock(found.out / ".engine.lock"):
        said, status = finish(file)
        assert status == 1
        assert "elsewhere is at work under another Snakemake. Wait for it, or stop it." in said
        assert len(results.load(found.out / "results")["seed"].dropna()) == 2  # those of before stay
    said, status = finish(file)
    assert status == 0, said
    assert found.jobs[0].code in info.read_text(encoding="utf-8")
    assert sorted(results.load(found.out / "results")["seed"].dropna()) == [0, 1]
