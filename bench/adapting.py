"""Adapting behind a frozen encoder: features computed once and kept, against encoding in every epoch.

``make bench`` or ``python -m bench adapting``: 20 epochs each, the first pass that fills the cache included.
Both sides are the same loop with the same numbers as its result, which is checked.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench._clock import rate
from fer_lib.adapt import adapt
from fer_lib.adapt.frozen import SHELF
from fer_lib.artifacts import home
from fer_lib.datasets import load
from fer_lib.encoders import make_encoder
from fer_lib.heads import Decision
from fer_lib.train import Settings, seeded

EPOCHS, FACES, SIZE = 20, 256, 64
CASES = (
    ("facechannel", None),
    ("facechannel", "stn"),
    ("facechannel", "ciao"),
    ("vggface", "ciao"),
    ("densenet121", "ciao"),
)


def run() -> Iterator[dict]:
    """Decision layer alone, Face-STN and CIAO, on encoders of half their width."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FER_HOME"] = str(Path(folder) / "home")
        faces = load("world:affectnet", split="train", size=SIZE, limit=FACES + FACES // 4)
        train, validation = faces.split(0.2, seed=0)
        for name, plug_in in CASES:
            with seeded(0):
                encoder = make_encoder(name, width=0.5, size=SIZE)
            kept: dict[bool, np.ndarray] = {}

            def work(cache: bool, encoder=encoder, plug_in=plug_in, kept=kept) -> int:
                done = adapt(
                    encoder, train, validation, head=Decision(hidden=(64,)), plug_in=plug_in, epochs=EPOCHS,
                    cache=cache, settings=Settings(batch_size=32, learning_rate=1e-3),
                )  # fmt: skip
                kept[cache] = done.fits[0].history["train_loss"].to_numpy()
                return EPOCHS * len(train)

            adapt(encoder, train, validation, plug_in=plug_in, epochs=1)  # imports and first calls
            shutil.rmtree(home() / SHELF)
            ours, theirs = rate(lambda: work(True), repeats=1), rate(lambda: work(False), repeats=1)
            np.testing.assert_allclose(kept[True], kept[False], rtol=1e-4, atol=1e-5)
            yield {
                "what": f"adapting {name}, {plug_in or 'decision'} (faces)",
                "ours": ours,
                "alternative": theirs,
                "named": f"the same loop, encoding anew in each of {EPOCHS} epochs",
            }
