"""What a run cost, told by the kernel itself: the runner adds a hidden last cell that calls `report`."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

CELL = "from fer_lib.chapters.kernel import report\n\nreport()"
FILE = "kernel.json"
_WORTH_NAMING = {
    "cv2": "opencv-python-headless",
    "lightning_fabric": "lightning-fabric",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "torch": "torch",
    "torchvision": "torchvision",
    "umap": "umap-learn",
}


def report() -> None:
    """Writes memory, device and versions to $FER_RUN_DIR/kernel.json; does nothing outside a run."""
    folder = os.environ.get("FER_RUN_DIR")
    if folder:
        Path(folder, FILE).write_text(json.dumps(facts()), encoding="utf-8")


def facts() -> dict[str, Any]:
    """Peak memory in GB (of the largest process, and on a GPU that was used), device, processor, versions."""
    torch: Any = sys.modules.get("torch")
    used = torch is not None and torch.cuda.is_available() and torch.cuda.max_memory_allocated() > 0
    loaded = {name for name in _WORTH_NAMING if name in sys.modules}
    versions = {_WORTH_NAMING[name]: metadata.version(_WORTH_NAMING[name]) for name in sorted(loaded)}
    return {
        "peak_memory_gb": round(_peak_bytes() / 1e9, 3),
        "gpu_memory_gb": round(torch.cuda.max_memory_allocated() / 1e9, 3) if used else None,
        "device": torch.cuda.get_device_name() if used else "cpu",
        "processor": processor(),
        "threads": int(os.environ.get("OMP_NUM_THREADS", 0)) or os.cpu_count(),
        "versions": {"python": sys.version.split()[0], "fer_lib": metadata.version("fer_lib"), **versions},
    }


def _peak_bytes() -> int:
    try:
        import resource
    except ImportError:  # Windows has no such module; ipykernel brings psutil everywhere
        import psutil

        return psutil.Process().memory_info().peak_wset
    # What FER_PROCESSES started counts too, each for itself: of several, the largest.
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return peak if sys.platform == "darwin" else peak * 1024


def processor() -> str:
    """The processor's name, as Linux tells it, else as Python knows it, and the cores that may be used."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    name = next(names, "") or platform.processor() or platform.machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores"
