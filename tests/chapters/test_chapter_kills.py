"""Builds that are killed outright, and two at a time: the book comes out the same.

``FER_KILLS=10`` kills ten builds one after the other, at random moments; the suite kills one.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
from conftest import CHAPTER, make_book, write_chapter

FER = str(Path(sys.executable).with_name("fer"))
KILLS = int(os.environ.get("FER_KILLS", "1"))
NOT_NUMBERS = ["seconds", "commit"]
SAVING = """
```{code-cell} ipython3
import numpy as np
from fer_lib import results

drawn = np.random.default_rng(NUMBER).normal(size=len(seeds_of(seeds, profile)))
_ = results.save([results.row(metric="m", value=value, seed=k) for k, value in enumerate(drawn)], "numbers")
```
"""


def book(folder: Path) -> Path:
    """The tiny book, whose chapters save numbers."""
    root = make_book(folder)
    for name in ("00_one", "01_two"):
        write_chapter(root, name, CHAPTER + SAVING.replace("(NUMBER)", f"({int(name[:2])})"))
    return root


def start(root: Path) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FER_")}
    environment |= {"FER_BOOK": str(root), "FER_HOME": str(root / "_build")}
    return subprocess.Popen(
        [FER, "build", "--profile", "smoke", "--cores", "2"], cwd=root, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def finish(build: subprocess.Popen[str]) -> str:
    out, told = build.communicate(timeout=300)
    assert build.returncode == 0, told
    return out


def numbers(root: Path) -> dict[str, pd.DataFrame]:
    folder = root / "_build" / "executed" / "smoke" / "results"
    return {
        path.relative_to(folder).as_posix(): pd.read_parquet(path).drop(columns=NOT_NUMBERS)
        for path in sorted(folder.rglob("*.parquet"))
    }


def leftovers(root: Path) -> list[str]:
    """Drafts of runs, and anything else that a finished build should not leave behind."""
    runs = root / "_build" / "executed" / "smoke" / "runs"
    return [
        path.name for path in runs.iterdir() if path.name.startswith(".") or path.name.endswith(".failed")
    ]


def test_killed_builds_go_on_to_the_same_book_and_two_at_once_build_it_once(tmp_path):
    whole = book(tmp_path / "whole")
    begin = time.perf_counter()
    both = [start(whole), start(whole)]
    said = [finish(build) for build in both]
    seconds = time.perf_counter() - begin
    for name in ("00_one", "01_two"):
        assert sum(text.count(f"{name}: running") for text in said) == 1
    assert (whole / "_build" / "html" / "smoke" / "index.html").is_file()
    wanted = numbers(whole)
    assert list(wanted) == ["00_one/numbers.parquet", "01_two/numbers.parquet"]

    killed, chance = book(tmp_path / "killed"), random.Random(5)
    for _ in range(KILLS):
        build = start(killed)
        time.sleep(chance.uniform(0.05, 0.95) * seconds)
        if build.poll() is None:
            os.killpg(build.pid, signal.SIGKILL)
        build.communicate(timeout=60)
    finish(start(killed))
    found = numbers(killed)
    assert list(found) == list(wanted)
    for name, frame in found.items():
        pd.testing.assert_frame_equal(frame, wanted[name])
    assert (killed / "_build" / "html" / "smoke" / "index.html").is_file()
    assert leftovers(killed) == []
