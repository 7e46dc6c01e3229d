"""On what, and beside which versions of the alternatives, a benchmark ran."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ALTERNATIVES = (
    *("torch", "torchvision", "numpy", "scipy", "scikit-learn", "opencv-python-headless", "pillow", "pandas"),
    *("kornia", "pytorch-metric-learning", "torchmetrics", "scikit-activeml", "openpyxl"),
)
"""Packages that the alternatives of some benchmark come from."""


def machine() -> str:
    """Processor, cores that this process may use, threads of PyTorch, and the GPU where there is one."""
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ", no GPU"
    return f"{_processor()}, {cores} cores, {torch.get_num_threads()} threads{gpu}"


def versions() -> str:
    """Python's version and those of `ALTERNATIVES` that are installed."""
    found = [f"Python {platform.python_version()}"]
    for name in ALTERNATIVES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)


def _processor() -> str:
    """The processor's name as Linux tells it, else what Python knows."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
