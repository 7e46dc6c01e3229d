"""Training FaceChannel, PK, CPC and DenseNet-121: images a second, and the share of the time that data take.

``make bench`` or ``python -m bench waiting``. The library's own trainings run, small ones on a CPU and those
of the profile full on CUDA, by the same command. Only where the pictures lie differs between the two sides:

- ours: as bytes; on CUDA the whole set on the card, where a batch is taken out, prepared and changed;
- alternative: as floats in the host's memory, collated one by one and moved at each step, as PyTorch's
  ``DataLoader`` does by default (no workers).

Speed is that of the best epoch after the first, with no stop inside it. The share that waits is taken in a
training of its own: there the device finishes all it has before a batch is fetched and again after it, so
nothing overlaps and the share is the most that fetching can cost. Pictures are noise, which takes as long as
faces do; each epoch ends with a look at 32 others, which is in the time.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import torch
from torch.utils.data import default_collate

from fer_lib.datasets.faceset import FaceSet
from fer_lib.encoders import DenseNet121, make_encoder
from fer_lib.heads import build_model
from fer_lib.pretrain import adversarial, identity, predictive, supervised
from fer_lib.train import Settings, fit, seeded
from fer_lib.train.batches import DeviceFaces
from fer_lib.train.device import device
from fer_lib.train.parts import Parts

CHECKED, EPOCHS = 32, 3
FETCH = DeviceFaces.images
Training = Callable[[Parts, int], pd.DataFrame]  # (faces, epochs) -> a row an epoch, with "seconds"


@dataclass(frozen=True)
class Case:
    """One network to train.

    Args:
        what: its name.
        size: side of the pictures, pixels.
        channels: 1 for grey, 3 for colour.
        faces: in an epoch.
        train: how.
    """

    what: str
    size: int
    channels: int
    faces: int
    train: Training


def cases(large: bool) -> Iterator[Case]:
    """The four, with the recipes of the profile full, or with smaller ones that a CPU can do."""
    profile = "full" if large else "quick"
    small = {} if large else {"width": 0.25, "size": 48, "batch_size": 32}
    face = supervised.recipe(profile) | small | {"mirrored_only": False}
    yield Case(
        "FaceChannel", face["size"], 1, 8192 if large else 512,
        lambda parts, epochs: supervised.train(face | {"epochs": epochs}, parts, 0)[1],
    )  # fmt: skip
    paint = adversarial.recipe(profile) | small
    judge = identity.recipe(profile)
    with seeded(0):  # what it has learned does not change how long it takes
        faces_by = make_encoder("vggface", width=judge["width"], size=judge["size"])
    yield Case(
        "PK", paint["size"], 3, 4096 if large else 96,
        lambda parts, epochs: adversarial.train(paint | {"epochs": epochs}, parts, 0, faces_by=faces_by)[1],
    )  # fmt: skip
    coder = predictive.recipe(profile) | small | {"augment": True}
    coder["batch_size"] = 32 if large else 8  # sequences of six faces
    yield Case(
        "CPC", coder["size"], 1, 8192 if large else 512,
        lambda parts, epochs: predictive.train(coder | {"epochs": epochs}, parts, 0)[1],
    )  # fmt: skip
    side, width = (224, 1.0) if large else (64, 0.25)

    def dense(parts: Parts, epochs: int) -> pd.DataFrame:
        settings = Settings(batch_size=64 if large else 32, augmentation=supervised.MOVED)
        with seeded(0):
            model = build_model(DenseNet121, parts.train, hidden=(), width=width, size=side)
        return fit(model, parts.train, parts.validation, epochs=epochs, seed=0, settings=settings).history

    yield Case("DenseNet-121", side, 3, 4096 if large else 96, dense)


def noise(case: Case, count: int, *, seed: int) -> FaceSet:
    """Pictures of noise, with valence and arousal."""
    rng = np.random.default_rng(seed)
    affect = rng.uniform(-1, 1, (count, 2))
    return FaceSet(
        name="noise",
        pixels=rng.integers(0, 256, (count, case.channels, case.size, case.size), dtype=np.uint8),
        rows=np.arange(count),
        table=pd.DataFrame({"split": "train", "valence": affect[:, 0], "arousal": affect[:, 1]}),
        task="valence_arousal",
        unit="image",
        classes=(),
        tasks=("valence_arousal",),
        protocol="none",
        metric="ccc",
        source="drawn here",
        licence="none",
        fingerprint=f"noise-{case.what}-{count}-{seed}",
    )


def as_bytes(source: DeviceFaces, index: torch.Tensor, *more: object) -> torch.Tensor:
    """A batch as the library fetches it."""
    return FETCH(source, index, *more)


def as_floats(source: DeviceFaces, index: torch.Tensor, *_: object) -> torch.Tensor:
    """A batch of pictures that lie on the host as floats, one item each."""
    if not hasattr(source, "items"):  # in the first epoch, which does not count
        source.items = list(source.faces.batch(np.arange(len(source))).float().div(255))
    return default_collate([source.items[row] for row in index.tolist()]).to(source.where)


def measure(case: Case, parts: Parts, fetch: Callable[..., torch.Tensor], *, stopped: bool) -> float:
    """Pictures a second; or, where the device is stopped around each fetch, the share of it in the time."""
    seconds: list[float] = []
    pictures = 0

    def images(source: DeviceFaces, index: torch.Tensor, *more: object) -> torch.Tensor:
        nonlocal pictures
        if len(source) == CHECKED:
            return fetch(source, index, *more)
        pictures += len(index)
        if not stopped:
            return fetch(source, index, *more)
        settle()
        begin = time.perf_counter()
        found = fetch(source, index, *more)
        settle()
        seconds.append(time.perf_counter() - begin)
        return found

    with mock.patch.object(DeviceFaces, "images", images):
        epochs = case.train(parts, EPOCHS)["seconds"].tolist()
    if stopped:
        return sum(seconds[len(seconds) // EPOCHS :]) / sum(epochs[1:])
    return pictures / EPOCHS / min(epochs[1:])


def settle() -> None:
    """Wait until the device has done all that it was told to."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def run() -> Iterator[dict]:
    """The four networks in turn."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FER_HOME"] = str(Path(folder) / "home")
        for case in cases(large=device().type == "cuda"):
            train, other = noise(case, case.faces, seed=0), noise(case, CHECKED, seed=1)
            parts = Parts(train, other, other)
            sides = (as_bytes, as_floats)
            rates = [[measure(case, parts, fetch, stopped=False) for fetch in sides] for _ in range(2)]
            ours, theirs = (max(pair) for pair in zip(*rates, strict=True))
            waits = [f"{measure(case, parts, fetch, stopped=True):.1%}" for fetch in sides]
            yield {
                "what": f"{case.what}: training (images)",
                "ours": ours,
                "alternative": theirs,
                "named": f"floats on the host, moved at each step; waiting for data {waits[0]}, {waits[1]}",
            }
