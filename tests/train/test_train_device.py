"""The device is chosen quietly: a page of the book must not show what a cluster's machine has installed."""

import warnings

from fer_lib.train import make_fabric


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
