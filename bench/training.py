"""``fer_lib.train.fit`` against a bare PyTorch loop that trains the same network on the same faces.

``make bench`` or ``python -m bench training``. Both validate after each epoch and keep the best weights.
"""

import os
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import torch

from bench._clock import rates
from fer_lib.datasets import load
from fer_lib.encoders import FaceChannel
from fer_lib.heads import FaceModel, build_model
from fer_lib.train import Settings, fit, seeded

EPOCHS, FACES, SIZE, BATCH = 3, 1024, 64, 32


def bare(model: FaceModel, train: tuple, validation: tuple) -> None:
    """What one would write without a library: images in memory as floats, AdamW, the best epoch kept."""
    model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    best, kept = float("inf"), None
    for _ in range(EPOCHS):
        model.train()
        for index in torch.randperm(len(train[0])).split(BATCH):
            loss = model.head.loss(model(train[0][index]), train[1][index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            loss = model.head.loss(
                torch.cat([model(part) for part in validation[0].split(256)]), validation[1]
            ).item()
        if loss < best:
            best, kept = loss, deepcopy(model.state_dict())
    model.load_state_dict(kept)


def run() -> Iterator[dict]:
    """A FaceChannel of a quarter of its width, from scratch."""
    from fer_lib.preprocess import prepare

    with tempfile.TemporaryDirectory() as folder:
        os.environ["FER_HOME"] = str(Path(folder) / "home")
        faces = load("world:affectnet", split="train", size=SIZE, limit=FACES)
        parts = faces.split(0.12, seed=0)

        def model() -> FaceModel:
            with seeded(0):
                return build_model(FaceChannel, faces, width=0.25, size=SIZE)

        spec = model().encoder.input_spec
        floats = [
            (prepare(part.batch(range(len(part))), spec).contiguous(), part.targets()) for part in parts
        ]

        def ours() -> int:
            fit(model(), *parts, epochs=EPOCHS, seed=0, settings=Settings(batch_size=BATCH))
            return EPOCHS * len(parts[0])

        def theirs() -> int:
            bare(model(), *floats)
            return EPOCHS * len(parts[0])

        mine, bare_loop = rates(ours, theirs, repeats=5)
        yield {
            "what": "training a FaceChannel (faces)",
            "ours": mine,
            "alternative": bare_loop,
            "named": "a bare PyTorch loop, images in memory as floats",
        }
