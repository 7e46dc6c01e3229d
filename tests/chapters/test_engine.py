"""How Snakemake is called: what it may use, and that Ctrl-C lets it end its jobs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer_lib.chapters import build, engine

CHILD = """
import pathlib, time
pathlib.Path("begun").touch()
try:
    time.sleep(60)
except KeyboardInterrupt:
    try:
        time.sleep({seconds})  # as scancel takes
        pathlib.Path("cancelled").touch()
    except KeyboardInterrupt:
        time.sleep(60)
"""
PARENT = """
import os, pathlib, sys
from fer_lib.chapters import engine
sys.exit(engine.call([sys.executable, "-c", sys.argv[1]], cwd=pathlib.Path.cwd(), env=os.environ))
"""


def wait_for(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert path.exists()


def started(folder: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD.format(seconds=seconds)], cwd=folder, text=True,
        start_new_session=True, stderr=subprocess.PIPE,
    )  # fmt: skip
    wait_for(folder / "begun")
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all that run in it
    return process


def test_ctrl_c_waits_until_the_jobs_are_cancelled(tmp_path):
    process = started(tmp_path, 1.5)
    told = process.communicate(timeout=30)[1]
    assert process.returncode == engine.STOPPED
    assert "stopping; Ctrl-C once more" in told
    assert (tmp_path / "cancelled").exists()


def test_a_second_ctrl_c_ends_it_at_once(tmp_path):
    process = started(tmp_path, 50)
    assert process.stderr.readline().startswith("stopping")
    begin = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert time.monotonic() - begin < 10
    assert process.returncode == engine.STOPPED
    assert not (tmp_path / "cancelled").exists()


def test_the_status_of_a_command_is_given_back(tmp_path):
    assert engine.call([sys.executable, "-c", "raise SystemExit(3)"], cwd=tmp_path, env=os.environ) == 3


@pytest.mark.parametrize(("card", "share"), [(True, "gpu=1"), (False, "gpu=5")])
def test_jobs_wait_for_the_one_card_that_they_all_take(monkeypatch, card, share):
    monkeypatch.setattr(engine, "has_gpu", lambda: card)
    assert engine.limits(5) == ["--cores", "5", "--resources", f"mem_mb={engine.memory_mb()}", share]
    assert engine.limits()[1] == str(engine.cores_here())


def test_a_build_that_is_stopped_blames_no_chapter(book, monkeypatch, capsys):
    monkeypatch.setattr(engine, "call", lambda *_, **__: engine.STOPPED)
    assert build.build("smoke") == 1
    told = capsys.readouterr().err
    assert told == "stopped; the next build goes on where this one was\n"
