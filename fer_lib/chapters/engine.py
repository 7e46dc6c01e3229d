"""Calls Snakemake: what it may use of this machine, and how a person stops it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
STOPPED = 130
"""What `call` returns when a person stopped it, as a shell says it."""


def call(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> int:
    """Runs a command and waits for its end, also after Ctrl-C.

    A terminal sends Ctrl-C to the command too. Snakemake then takes its jobs off the queue of the cluster,
    which needs time; `subprocess.run` would kill it after a quarter of a second, and the jobs would run on.
    A second Ctrl-C does kill it.

    Args:
        command: its words.
        cwd: the folder that it runs in.
        env: its environment.

    Returns:
        Its exit status; `STOPPED` after Ctrl-C.
    """
    process = subprocess.Popen(command, cwd=cwd, env=env)
    try:
        return process.wait()
    except KeyboardInterrupt:
        print("stopping; Ctrl-C once more leaves the jobs to themselves", file=sys.stderr, flush=True)
    try:
        process.wait()
    except KeyboardInterrupt:
        process.kill()
        process.wait()
    return STOPPED


def limits(cores: int = 0) -> list[str]:
    """Snakemake's options for what this machine has.

    Its jobs all take the first graphics card, so on a machine with any card they wait for it one by one.

    Args:
        cores: how many to use; 0 for all.
    """
    cores = cores or cores_here()
    return ["--cores", str(cores), "--resources", f"mem_mb={memory_mb()}", f"gpu={1 if has_gpu() else cores}"]


def memory_mb() -> int:
    """Memory of this machine in MB."""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000
    import psutil

    return psutil.virtual_memory().total // 1_000_000


def cores_here() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_gpu() -> bool:
    """Whether this machine has a graphics card of NVIDIA's."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return any(line.startswith("GPU") for line in listed.splitlines())
