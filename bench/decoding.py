"""Decoding a large corpus of JPEG files: the store's first pass and later epochs, and how memory grows.

``make bench`` or ``python -m bench decoding`` takes about a minute and a half on two cores, half of it to
write 20,000 pictures. ``python -m bench.decoding`` measures memory too, on 20,000 and 40,000 pictures.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench._clock import rate
from fer_lib.datasets import load

PICTURES = 20_000
CORPUS = 287_651  # pictures of AffectNet's train split, as of 2021
SIDE, SIZE = 224, 96
BATCH = 128
GROUPS = 8
HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
)


def run() -> Iterator[dict]:
    """First pass (decode, cut out, store) and later epochs of AffectNet's layout of 2017."""
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms.v2 import Compose, PILToTensor, Resize

    with tempfile.TemporaryDirectory() as folder:
        os.environ["FER_HOME"] = str(Path(folder) / "home")
        root = write_tree(Path(folder) / "affectnet", PICTURES)
        pictures = root / "Manually_Annotated_Images"
        alternative = ImageFolder(pictures, Compose([Resize((SIZE, SIZE)), PILToTensor()]))
        loader = DataLoader(alternative, batch_size=BATCH, shuffle=True, num_workers=2)
        named = f"torchvision ImageFolder + DataLoader, 2 workers, {PICTURES} JPEG files of {SIDE} x {SIDE}"
        for path, _ in alternative.imgs:  # both read from memory: disks differ
            Path(path).read_bytes()

        first = rate(lambda: len(load("affectnet", root=root, size=SIZE, workers=2)), repeats=1)
        theirs = rate(lambda: sum(len(labels) for _, labels in loader), repeats=1)
        yield {"what": "decoding, first pass (images)", "ours": first, "alternative": theirs, "named": named}
        faces = load("affectnet", root=root, size=SIZE)

        def epoch() -> int:
            order = np.random.default_rng(0).permutation(len(faces))
            return sum(len(faces.batch(order[i : i + BATCH])) for i in range(0, len(faces), BATCH))

        later = rate(epoch)
        yield {
            "what": "decoding, later epochs (images)",
            "ours": later,
            "alternative": theirs,
            "named": named,
        }


def write_tree(root: Path, number: int) -> Path:
    """Write AffectNet's layout with smooth random pictures, boxes and landmarks."""
    import cv2

    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (64, 14, 14, 3), dtype=np.uint8)
    grain = rng.normal(0, 6, (SIDE + 32, SIDE + 32, 3))
    bases = [cv2.resize(image, (SIDE + 32, SIDE + 32), interpolation=cv2.INTER_CUBIC) for image in coarse]
    bases = [(base + grain).clip(0, 255).astype(np.uint8) for base in bases]
    lines = [HEADER]
    for i in range(number):
        left, top = rng.integers(0, 32, 2)
        name = f"{i % GROUPS}/{i:06d}.jpg"
        path = root / "Manually_Annotated_Images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = bases[i % len(bases)][top : top + SIDE, left : left + SIDE]
        cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 90])
        points = ";".join(f"{value:.2f}" for value in rng.uniform(20, 200, 136))
        lines.append(f"{name},0,0,{SIDE},{SIDE},{points},{i % 8},0.25,-0.5")
    lists = root / "Manually_Annotated_file_lists"
    lists.mkdir()
    (lists / "training.csv").write_text("\n".join([*lines, ""]))
    return root


def memory(numbers: tuple[int, int] = (PICTURES, 2 * PICTURES)) -> list[dict]:
    """Peak memory (largest resident set) of processes that decode a corpus, and that open its store.

    Returns:
        A row a number of pictures: pictures, first (bytes), later (bytes), seconds; and one of what the
        straight line through them says for all of AffectNet.
    """
    rows = []
    for number in numbers:
        with tempfile.TemporaryDirectory() as folder:
            root = write_tree(Path(folder) / "affectnet", number)
            environment = os.environ | {"FER_HOME": str(Path(folder) / "home")}
            first, second = (_measure(root, environment) for _ in range(2))
            rows.append({"pictures": number, "first": first["peak"], "later": second["peak"]})
            rows[-1] |= {"first_s": first["seconds"], "later_s": second["seconds"]}
    low, high = rows
    steps = (CORPUS - high["pictures"]) / (high["pictures"] - low["pictures"])
    line = {name: high[name] + steps * (high[name] - low[name]) for name in ("first", "later")}
    return [*rows, {"pictures": CORPUS, **line}]


def _measure(root: Path, environment: dict[str, str]) -> dict:
    command = [sys.executable, "-m", "bench.decoding", str(root)]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)


def _child(root: str) -> None:
    start = time.perf_counter()
    load("affectnet", root=root, size=SIZE, workers=2)
    seconds = time.perf_counter() - start
    print(json.dumps({"peak": _peak(), "seconds": seconds}))


def _peak() -> int:
    """Bytes of the largest resident set. Not `ru_maxrss`: a child takes that over from its parent."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _child(sys.argv[1])
    else:
        for line in run():
            print(
                f"{line['what']:<34}{line['ours']:>10,.0f}/s{line['ours'] / line['alternative']:>8.1f} times"
            )
        for row in memory():
            told = f"{row['first'] / 1e9:.2f} GB to decode, {row['later'] / 1e9:.2f} GB to open"
            print(f"{row['pictures']:>8} pictures: {told}")
