"""A SLURM of one node on this machine, to try the workflow on: controller, node and munge on loopback.

It needs root and the Debian packages slurm-wlm and munge. By hand, a command with the cluster around it:

    python tests/workflow/loopback_slurm.py sbatch --wait --wrap hostname

Its configuration stands in /etc/slurm meanwhile, as Snakemake's jobs look for it nowhere else.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "srun")
PLACE = Path("/etc/slurm/slurm.conf")
CONF = """\
ClusterName=loopback
SlurmctldHost=localhost
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
MinJobAge=3600
SchedulerParameters=batch_sched_delay=0,sched_interval=2
NodeName=localhost CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Why no cluster can be started here; empty when one can."""
    lacking = [name for name in PROGRAMS if not shutil.which(name)]
    if lacking:
        return f"SLURM is not installed here ({', '.join(lacking)}): apt-get install slurm-wlm munge"
    if os.geteuid():
        return "the daemons of SLURM want to be started by root"
    return f"another SLURM is set up here: {PLACE}" if PLACE.exists() else ""


@contextmanager
def cluster(*, cpus: int = 2, memory_mb: int = 8000) -> Iterator[dict[str, str]]:
    """Runs a cluster meanwhile; its daemons are stopped by their process ids.

    Yields:
        The environment in which sbatch, squeue and the others find it.
    """
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir(mode=0o755)
    key = folder / "munge" / "key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    conf = folder / "slurm.conf"
    ports = {"controller": _port(), "node": _port()}
    conf.write_text(CONF.format(folder=folder, cpus=cpus, memory=memory_mb, **ports), encoding="utf-8")
    PLACE.unlink(missing_ok=True)  # a link that leads nowhere, of a cluster that was killed
    PLACE.symlink_to(conf)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    munge = folder / "munge"
    commands = [
        ["munged", "--foreground", f"--key-file={key}", f"--socket={munge}/socket",
         f"--log-file={munge}/log", f"--pid-file={munge}/pid", f"--seed-file={munge}/seed"],
        ["slurmctld", "-D", "-i", "-f", str(conf)],
        ["slurmd", "-D", "-N", "localhost", "-f", str(conf)],
    ]  # fmt: skip
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            with (folder / f"{command[0]}.out").open("wb") as said:
                daemons.append(subprocess.Popen(command, env=environment, stdout=said, stderr=said))
            _wait(lambda: (munge / "socket").exists(), folder, daemons)
        _wait(lambda: "idle" in _told(["sinfo", "-h", "-o", "%T"], environment), folder, daemons)
        yield environment
    finally:
        for job in _told(["squeue", "-h", "-o", "%i"], environment).split():
            subprocess.run(["scancel", "--signal=KILL", "--full", job], env=environment)
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in reversed(daemons):
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        PLACE.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(ready, folder: Path, daemons: list, seconds: float = 60) -> None:
    """Waits for the cluster; says what its daemons said when it does not come."""
    end = time.monotonic() + seconds
    while not ready():
        ended = [daemon.args[0] for daemon in daemons if daemon.poll() is not None]
        if ended or time.monotonic() > end:
            said = [
                path.read_text(errors="replace")[-800:]
                for path in (*folder.glob("*.out"), *folder.glob("*.log"))
            ]
            raise RuntimeError(f"the cluster did not start (ended: {ended}):\n" + "\n".join(said))
        time.sleep(0.2)


def _told(command: list[str], environment: dict[str, str]) -> str:
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


if __name__ == "__main__":
    if missing():
        sys.exit(missing())
    with cluster() as around:
        sys.exit(subprocess.run(sys.argv[1:], env=around).returncode)
