"""On what, and beside which versions of the alternatives, a benchmark ran."""

import platform
from importlib.metadata import PackageNotFoundError, version

from fer_lib.chapters.kernel import processor

ALTERNATIVES = (
    *("torch", "torchvision", "numpy", "scipy", "scikit-learn", "opencv-python-headless", "pillow", "pandas"),
    *("kornia", "pytorch-metric-learning", "torchmetrics", "scikit-activeml", "openpyxl"),
)
"""Packages that the alternatives of some benchmark come from."""


def machine() -> str:
    """Processor, cores that this process may use, threads of PyTorch, and the GPU where there is one."""
    import torch

    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ", no GPU"
    return f"{processor()}, {torch.get_num_threads()} threads{gpu}"


def versions() -> str:
    """Python's version and those of `ALTERNATIVES` that are installed."""
    found = [f"Python {platform.python_version()}"]
    for name in ALTERNATIVES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)
