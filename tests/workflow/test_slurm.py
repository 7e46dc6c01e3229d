"""A grid through a real SLURM on loopback: stopped, then twelve runs, one killed; all equal serial ones."""

import importlib.util
import os
import signal
import subprocess
import sys
import time

import loopback_slurm
import pandas as pd
import pytest
import yaml

from fer_lib import results
from fer_lib.chapters import grid
from fer_lib.chapters import run as runner

GRID = {
    "profile": "smoke",
    "chapters": ["00_rows"],
    "datasets": ["world:fer2013", "world:ferplus", "world:jaffe"],
    "encoders": ["facechannel", "pk"],
    "seeds": 4,
}
TRY = ["--default-resources", "slurm_partition=main", "--slurm-status-command", "squeue",
       "--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "5"]  # fmt: skip


def start(file, *options, **variables):
    command = [sys.executable, "-m", "fer_lib.chapters.cli", "grid", str(file), *options]
    return subprocess.Popen(
        command, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def jobs_of(environment):
    listed = subprocess.run(
        ["squeue", "-h", "--states=all", "-o", "%i %T"], env=environment, capture_output=True, text=True
    )
    return dict(line.split() for line in listed.stdout.splitlines())


def first_running(environment, process):
    while process.poll() is None:
        running = [job for job, state in jobs_of(environment).items() if state == "RUNNING"]
        if running:
            time.sleep(4)  # the chapter has begun
            return running[0]
        time.sleep(0.2)
    pytest.fail(f"no job ran: {process.communicate()[0]}")


def kill_one(environment, process):
    """Kills the first job that is at work, with all its processes, as a node that runs out of memory does."""
    running = first_running(environment, process)
    subprocess.run(["scancel", "--signal=KILL", "--full", running], env=environment, check=True)
    return running


def stop(environment, process):
    """Ctrl-C while jobs are in the queue: none of them is left there. Returns them."""
    first_running(environment, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all that run in it
    said = process.communicate(timeout=100)[0]
    assert process.returncode == 1, said
    assert "12 of 12 runs are not done. Start the grid again" in said
    time.sleep(2)
    states = jobs_of(environment)
    assert set(states.values()) == {"CANCELLED"}, states
    return states


def test_a_grid_goes_through_slurm_and_a_killed_job_recovers(small):
    if why := loopback_slurm.missing():
        pytest.skip(why)
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("snakemake-executor-plugin-slurm is not installed: see requirements-cluster.lock")
    file = small / "grid.yaml"
    file.write_text(yaml.safe_dump({"name": "far", **GRID}), encoding="utf-8")
    found = grid.plan({"name": "far", **GRID})
    assert len(found.jobs) == 12

    with loopback_slurm.cluster() as environment:
        stopped = stop(environment, start(file, "--on", "slurm", "--", *TRY, **environment, NAP="60"))
        process = start(file, "--on", "slurm", "--", *TRY, **environment, NAP="4")
        killed = kill_one(environment, process)
        said = process.communicate(timeout=500)[0]
        states = {job: state for job, state in jobs_of(environment).items() if job not in stopped}
    assert process.returncode == 0, said
    assert len(states) == 13, said  # twelve, and the second attempt of the one that was killed
    assert states.pop(killed) != "COMPLETED"
    assert set(states.values()) == {"COMPLETED"}
    assert f"results   {os.path.relpath(found.out / 'results')}" in said
    for job in found.jobs:
        assert runner.load(found.out / "runs" / job.name).info["code"] == job.code

    # The same grid on this machine, one run after the other, into another folder.
    near = small / "near.yaml"
    near.write_text(yaml.safe_dump({"name": "near", **GRID}), encoding="utf-8")
    process = start(near, "--cores", "1")
    said = process.communicate(timeout=500)[0]
    assert process.returncode == 0, said
    here = grid.plan({"name": "near", **GRID})
    for job in here.jobs:
        pair = [results.load(out / "runs" / job.name) for out in (found.out, here.out)]
        pd.testing.assert_frame_equal(*pair)
    pd.testing.assert_frame_equal(results.load(found.out / "results"), results.load(here.out / "results"))

    # Once more: nothing is left to do, and no cluster is asked.
    process = start(file, "--on", "slurm", "--", *TRY)
    assert "Nothing to be done" in process.communicate(timeout=100)[0]
    assert process.returncode == 0
