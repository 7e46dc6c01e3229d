"""The one place where the library chooses a device, its precision, and the number of processes."""

import os
import warnings
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def device() -> torch.device:
    """Device that training and prediction use: CUDA where there is one, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    return torch.device("cpu")


def make_fabric(*, precise: bool = False) -> "Fabric":
    """Lightning Fabric for this machine: CUDA in bf16 mixed precision, or the CPU in float32.

    Started by ``torchrun``, as many processes take part as it started, by gloo on CPUs and NCCL on CUDA; each
    step then splits its batch among them, see ``fer_lib.processes``.

    Args:
        precise: take float32 on CUDA too.
    """
    from lightning_fabric import Fabric  # 5 s to import

    cuda = torch.cuda.is_available()
    local = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    world = int(os.environ.get("WORLD_SIZE", 1))
    with warnings.catch_warnings():
        # On a cluster's machines Lightning asks for srun; the library is started by torchrun or by itself.
        warnings.filterwarnings("ignore", message="The `srun` command is available")
        fabric = Fabric(
            accelerator="cuda" if cuda else "cpu",
            devices=local,
            num_nodes=max(1, world // local),
            strategy="ddp" if world > 1 else "auto",
            precision="bf16-mixed" if cuda and not precise else "32-true",
        )
        fabric.launch()
    return fabric
