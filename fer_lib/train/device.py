"""The one place where the library chooses a device, its precision, and the number of processes."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

import torch

from fer_lib.processes import Team

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def device() -> torch.device:
    """Device that training and prediction use: CUDA where there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return torch.device("cpu")


def processes_started() -> int:
    """How many processes ``torchrun`` started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", 1))


def make_fabric(*, precise: bool = False) -> "Fabric":
    """Lightning Fabric for this machine: CUDA in bf16 mixed precision, or the CPU in float32.

    Started by ``torchrun``, as many processes take part as it started, by gloo on CPUs and NCCL on CUDA; each
    step then splits its batch among them, see ``fer_lib.processes``.

    Args:
        precise: take float32 on CUDA too.
    """
    with _unseen("torchmetrics"):  # 2 s to import, of which Lightning reads the version
        from lightning_fabric import Fabric
        from lightning_fabric.plugins.environments import LightningEnvironment

    cuda = torch.cuda.is_available()
    local = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    world = processes_started()
    with warnings.catch_warnings():
        # On a cluster's machines Lightning asks for srun; the library is started by torchrun or by itself.
        warnings.filterwarnings("ignore", message="The `srun` command is available")
        fabric = Fabric(
            accelerator="cuda" if cuda else "cpu",
            devices=local,
            num_nodes=max(1, world // local),
            strategy="ddp" if world > 1 else "auto",
            precision="bf16-mixed" if cuda and not precise else "32-true",
            # Alone also in a job of SLURM with many tasks, whose variables Lightning would follow.
            plugins=[] if world > 1 else [LightningEnvironment()],
        )
        fabric.launch()
    return fabric


def mixed() -> AbstractContextManager[object]:
    """Inside the block CUDA computes what is heavy in bfloat16, as `make_fabric` has it; CPUs keep float32.

    For trainings with several optimisers, which have loops of their own.
    """
    return torch.autocast("cuda", dtype=torch.bfloat16) if torch.cuda.is_available() else nullcontext()


@contextmanager
def exact(wanted: bool = True) -> Iterator[None]:
    """Inside the block float32 convolutions on CUDA are rounded as float32 is, not as TF32 (ten bits).

    Else a stack of seeds, which convolves in groups, and a single training would part after a few steps.
    """
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = before and not wanted
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


@contextmanager
def _unseen(package: str) -> Iterator[None]:
    """Inside the block a package that nobody has imported yet seems not to be installed."""
    hidden = package not in sys.modules
    if hidden:
        sys.modules[package] = None  # type: ignore[assignment]  # what import takes for "there is none"
    try:
        yield
    finally:
        if hidden:
            del sys.modules[package]


def make_team() -> Team:
    """As many processes as ``torchrun`` started, ready to talk, in float32; this one alone without it."""
    if processes_started() == 1:
        return Team()
    fabric = make_fabric(precise=True)
    return Team(fabric.global_rank, fabric.world_size)


@contextmanager
def alone() -> Iterator[None]:
    """Inside the block a training is this process's own, as if ``torchrun`` had started no other.

    For what one process makes while the others wait for it at a lock, before they talk to each other.
    """
    single = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1"}
    before = {name: os.environ.get(name) for name in single}
    if before["WORLD_SIZE"] is not None:
        os.environ.update(single)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
