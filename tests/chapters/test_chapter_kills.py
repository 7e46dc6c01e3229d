"""Builds that are killed outright, and two at a time: the book comes out the same.

``FER_KILLS=10`` kills ten builds one after the other, at random moments of all their stages; the suite kills
two, one while chapters run and one while the pages are rendered. A kill counts when it found a build at work.
"""

import os
import random
import shutil
import signal
import time
from itertools import cycle
from pathlib import Path

import numpy as np
from tiny_book import CHAPTER, finish, make_book, start_build

from fer_lib import results
from fer_lib.chapters import render

KILLS = int(os.environ.get("FER_KILLS", "2"))
STAGES = (": running", "pages: rendering", "", ": done in")  # what the build says when each of them begins
LONGEST = 3.0  # seconds from there to the kill, at most
SAVING = """
```{code-cell} ipython3
import numpy as np
from fer_lib import results

drawn = np.random.default_rng(int("NUMBER")).normal(size=len(seeds_of(seeds, profile)))
_ = results.save([results.row(metric="m", value=value, seed=k) for k, value in enumerate(drawn)], "numbers")
```
"""


def kill(root: Path, stage: str, wait: float) -> bool:
    """Kills a build some time after it said that a stage begins; False where it was done before."""
    build = start_build(root)
    while stage and (line := build.stdout.readline()) and stage not in line:
        pass
    time.sleep(wait)
    if build.poll() is None:
        os.killpg(build.pid, signal.SIGKILL)
    build.communicate(timeout=60)
    return build.returncode == -signal.SIGKILL


def pages(root: Path) -> dict[str, bytes]:
    folder = root / "_build" / "html" / "smoke"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.html")}


def leftovers(root: Path) -> list[str]:
    """Drafts of runs, and anything else that a finished build should not leave behind."""
    runs = root / "_build" / "executed" / "smoke" / "runs"
    return [
        path.name for path in runs.iterdir() if path.name.startswith(".") or path.name.endswith(".failed")
    ]


def test_killed_builds_are_finished_by_two_at_once_and_give_the_same_book(tmp_path, monkeypatch):
    root, chance, stages = make_book(tmp_path / "book", CHAPTER + SAVING), random.Random(5), cycle(STAGES)
    killed = 0
    while killed < KILLS:
        if kill(root, next(stages), chance.uniform(0, LONGEST)):
            killed += 1
        else:  # there was nothing left to kill at that stage
            shutil.rmtree(root / "_build", ignore_errors=True)

    both = [finish(build) for build in [start_build(root), start_build(root)]]
    assert [status for _, _, status in both] == [0, 0], both
    assert "".join(said for said, _, _ in both).count("pages: rendering") == 1
    for name in ("00_one", "01_two"):
        saved = results.load(root / "_build" / "executed" / "smoke" / "results" / name)
        expected = np.random.default_rng(int(name[:2])).normal(size=2)
        np.testing.assert_array_equal(saved.sort_values("seed")["value"], expected)
    assert leftovers(root) == []

    # The pages are those that a build makes which nobody disturbs.
    made = pages(root)
    assert {"index.html", "notebooks/00_one.html", "notebooks/01_two.html"} <= made.keys()
    for folder in ("site", "html"):
        shutil.rmtree(root / "_build" / folder)
    monkeypatch.setenv("FER_BOOK", str(root))
    render.html(root, "smoke")
    assert pages(root) == made
