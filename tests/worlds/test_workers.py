"""Building worlds in parallel: the same bytes, nothing half done, two at once, one after a kill."""

import hashlib
import io
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from fer_lib import artifacts
from fer_lib.datasets import load
from fer_lib.worlds import WORLDS, workers

NUMBERS = {"train": 150, "test": 40}
SCRIPT = """
from fer_lib.worlds import workers
workers.SMALL = 0
from fer_lib.datasets import load
print(load("world:fer2013", size=32, limit={limit}, seed=9, workers={workers}).fingerprint)
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(workers, "SMALL", 0)
    return artifacts.home() / "faces"


def there(home):
    return [path.name for path in home.iterdir() if path.suffix != ".lock"] if home.exists() else []


def start(limit, number):
    script = SCRIPT.format(limit=limit, workers=number)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    return subprocess.Popen([sys.executable, "-c", script], start_new_session=True, **pipes)


def render(number):
    digest, rows = hashlib.sha256(), 0
    for images, table, truth in workers.render_parts(
        WORLDS["fer2013"], NUMBERS, size=32, seed=4, workers=number
    ):
        assert len(images) == len(table) == len(truth)
        digest.update(images.tobytes() + table.to_csv().encode() + truth.to_csv().encode())
        rows += len(images)
    assert rows == sum(NUMBERS.values())
    return digest.hexdigest()


def test_same_bytes_for_any_number_of_workers():
    assert render(1) == render(2)


def test_parts_are_what_the_world_builds():
    parts = list(workers.render_parts(WORLDS["ferplus"], {"test": 70}, size=32, seed=1, workers=1))
    images, table, truth = WORLDS["ferplus"].build("test", n=70, size=32, seed=1)
    assert np.array_equal(np.concatenate([p[0] for p in parts]), np.concatenate(list(images)))
    assert [len(p[0]) for p in parts] == [64, 6]
    assert list(np.concatenate([p[1].path for p in parts])) == list(table.path)
    assert np.array_equal(np.concatenate([p[2].age for p in parts]), truth.age)


def test_a_killed_worker_leaves_nothing_and_the_next_call_makes_it(home, monkeypatch):
    receive, seen = workers._receive, []

    def and_kill(process):
        seen.append(process)
        if len(seen) == 3:
            os.kill(process.pid, signal.SIGKILL)
        return receive(process)

    monkeypatch.setattr(workers, "_receive", and_kill)
    with pytest.raises(
        RuntimeError, match=r"a rendering process stopped \(exit code -9\). Nothing was stored"
    ):
        load("world:fer2013", size=96, limit=320, workers=2)
    assert there(home) == []
    assert all(process.poll() is not None for process in seen)
    monkeypatch.setattr(workers, "_receive", receive)
    assert len(load("world:fer2013", size=32, limit=80, workers=1)) == 80


def test_two_builders_and_one_killed_outright(home):
    """Kill a builder with its store half written; then two at once make it, and agree."""
    first = start(4000, 2)
    deadline = time.time() + 200
    while not any(path.stat().st_size > 1e5 for path in home.glob(".*/images.npy")):
        assert first.poll() is None
        assert time.time() < deadline
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert len(there(home)) == 1  # the draft
    both = [start(192, 1), start(192, 1)]
    prints = [process.communicate(timeout=200)[0].strip() for process in both]
    assert prints[0] == prints[1] != ""
    whole = [name for name in there(home) if not name.startswith(".")]
    assert len(whole) == 1
    assert load("world:fer2013", size=32, limit=192, seed=9).fingerprint == prints[0]


def test_a_failing_worker_tells_why():
    broken = replace(WORLDS["jaffe"], wanted={"age": (200.0, 300.0)})
    job = {"world": broken, "tasks": [("train", 0, 64)], "size": 32, "seed": 0, "index": 0, "number": 1}
    told = io.BytesIO()
    workers._serve(io.BytesIO(pickle.dumps(job)), told)
    told.seek(0)
    message = (
        r"a rendering process failed:\n(.|\n)*wanted must fit some people; got {'age': \(200.0, 300.0\)}"
    )
    with pytest.raises(RuntimeError, match=message):
        workers._receive(SimpleNamespace(stdout=told))


def test_a_bar_is_shown_when_asked(capsys):
    for progress, shown in ((True, True), (False, False), (None, False)):
        list(workers.render_parts(WORLDS["fer2013"], {"train": 4}, size=32, seed=0, progress=progress))
        assert ("rendering fer2013" in capsys.readouterr().err) is shown


def test_the_number_of_workers(monkeypatch):
    monkeypatch.setenv("FER_WORKERS", "3")
    assert workers.number_of_workers() == 3
    assert workers.number_of_workers(5) == 5
    monkeypatch.setenv("FER_WORKERS", "many")
    with pytest.raises(ValueError, match=r"FER_WORKERS must be a whole number above 0; got 'many'. 1 uses"):
        workers.number_of_workers()
    with pytest.raises(ValueError, match=r"workers must be a whole number above 0; got 0. 1 uses"):
        workers.number_of_workers(0)
    monkeypatch.delenv("FER_WORKERS")
    assert workers.number_of_workers() >= 1
