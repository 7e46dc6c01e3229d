"""The device is chosen quietly: a page of the book must not show what a cluster's machine has installed."""

import subprocess
import sys
import warnings

import pytest
import torch

from fer_lib.train import make_fabric
from fer_lib.train.device import exact


def test_a_machine_of_a_cluster_is_no_reason_to_warn(tmp_path, monkeypatch):
    command = tmp_path / "srun"
    command.write_text("#!/bin/sh\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("SLURM_NTASKS", "SLURM_JOB_NAME"):
        monkeypatch.delenv(name, raising=False)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        make_fabric()
    assert not [str(one.message) for one in told if "srun" in str(one.message)]


def test_a_job_of_several_tasks_trains_alone(monkeypatch):
    """What `sbatch --ntasks=8` sets, the usual way to ask for cores."""
    for name, value in {
        "SLURM_NTASKS": "8", "SLURM_JOB_NAME": "lab", "SLURM_JOB_ID": "7", "SLURM_PROCID": "3",
        "SLURM_LOCALID": "3", "SLURM_NODEID": "0", "SLURM_NODELIST": "first",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    fabric = make_fabric()
    assert (fabric.world_size, fabric.global_rank) == (1, 0)


@pytest.mark.parametrize("before", [True, False])
def test_small_models_do_not_learn_in_tf32(monkeypatch, before):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", before)
    with exact():
        assert not torch.backends.cudnn.allow_tf32
    with exact(False):
        assert torch.backends.cudnn.allow_tf32 == before
    assert torch.backends.cudnn.allow_tf32 == before


def test_what_lightning_would_import_for_nothing_is_left_out():
    """It costs each process of a book two seconds; whoever wants it can import it afterwards."""
    code = "import sys; from fer_lib.train import make_fabric as f; f(); print('torchmetrics' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == ["False"], done.stderr
