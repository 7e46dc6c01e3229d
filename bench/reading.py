"""Reading faces: the decode-once store against decoding picture files in every epoch."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench._clock import rate
from fer_lib.datasets import describe, load

PICTURES = 4000
BATCH = 128


def run() -> Iterator[dict]:
    """First pass (decode and store) and later epochs of a folder of 48 x 48 PNG files."""
    from torch.utils.data import DataLoader
    from torchvision.datasets import ImageFolder
    from torchvision.transforms.v2 import Compose, Grayscale, PILToTensor

    with tempfile.TemporaryDirectory() as folder:
        os.environ["FER_HOME"] = str(Path(folder) / "home")
        root = Path(folder) / "fer2013"
        _write_tree(root)
        alternative = ImageFolder(root / "train", Compose([Grayscale(), PILToTensor()]))
        loader = DataLoader(alternative, batch_size=BATCH, shuffle=True, num_workers=2)
        named = "torchvision ImageFolder + DataLoader, 2 workers"
        theirs = rate(lambda: sum(len(labels) for _, labels in loader))

        first = rate(lambda: len(load("fer2013", root=root)), repeats=1)
        yield {"what": "reading, first pass (images)", "ours": first, "alternative": theirs, "named": named}
        faces = load("fer2013", root=root)

        def epoch() -> int:
            order = np.random.default_rng(0).permutation(len(faces))
            return sum(len(faces.batch(order[i : i + BATCH])) for i in range(0, len(faces), BATCH))

        later = rate(epoch)
        yield {"what": "reading, later epochs (images)", "ours": later, "alternative": theirs, "named": named}


def _write_tree(root: Path) -> None:
    import cv2

    rng = np.random.default_rng(0)
    classes = sorted(describe("fer2013").classes)
    for i in range(PICTURES):
        folder = root / "train" / classes[i % len(classes)]
        folder.mkdir(parents=True, exist_ok=True)
        smooth = cv2.GaussianBlur(rng.integers(0, 256, (48, 48), np.uint8), (5, 5), 0)
        cv2.imwrite(str(folder / f"{i:05d}.png"), smooth)
