"""Adapting behind a frozen encoder: features computed once and kept, against encoding in every epoch.

``make bench`` or ``python -m bench adapting``: 20 epochs each, the first pass that fills the cache included.
Both sides are the same loop with the same numbers as its result, which is checked. What arithmetic allows is
told beside: CIAO trains a twin of the last convolution, and in shallow encoders that is a large part of all.
The deep encoder has a linear decision layer here: with 64 hidden units on its wide map, that layer's own
training is a larger part of a cached step: 9.4 against 10.9 on one idle machine.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch.utils.flop_counter import FlopCounterMode

from bench._clock import rate
from fer_lib.adapt import adapt
from fer_lib.adapt.adapting import build_adaptable
from fer_lib.adapt.frozen import SHELF, features_of
from fer_lib.artifacts import home
from fer_lib.datasets import load
from fer_lib.encoders import make_encoder
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import Decision
from fer_lib.train import Settings, seeded

EPOCHS, BATCH = 20, 32
CASES = (  # encoder, plug-in, side in pixels, faces, hidden layers; all of full width
    ("facechannel", None, 64, 192, (64,)),
    ("facechannel", "stn", 64, 192, (64,)),
    ("facechannel", "ciao", 64, 96, (64,)),
    ("vggface", "ciao", 64, 96, (64,)),
    ("densenet121", "ciao", 128, 96, ()),
)


def allowed(encoder: Encoder, plug_in: str | None, faces, head: Decision) -> float:
    """Speed-up if time were floating-point operations: of all epochs, with validation on a quarter."""
    model = build_adaptable(encoder, faces, head=head, regime="decision", plug_in=plug_in, seed=0)
    stage = model.frozen_stage()
    some = faces.subset(np.arange(BATCH))
    kept = features_of(model.encoder, some, stage, cache=False)
    work = {}
    for name, learner, inputs in (
        ("plain", model, model.prepare(some.batch(np.arange(BATCH)))),
        ("behind", model.tail(), kept.batch(np.arange(BATCH))),
    ):
        with FlopCounterMode(display=False) as step:
            learner.training_loss(inputs, some.targets()).backward()
        with FlopCounterMode(display=False) as look:
            learner(inputs)
        work[name] = step.get_total_flops() + look.get_total_flops() / 4
    encoding = 1.25 * (look_at(model, some) - look.get_total_flops())
    return EPOCHS * work["plain"] / (EPOCHS * work["behind"] + encoding)


def look_at(model, faces) -> int:
    """Operations of one forward pass from the images."""
    with FlopCounterMode(display=False) as count:
        model(model.prepare(faces.batch(np.arange(len(faces)))))
    return count.get_total_flops()


def run() -> Iterator[dict]:
    """Decision layer alone, Face-STN, and CIAO on encoders of three depths."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FER_HOME"] = str(Path(folder) / "home")
        for name, plug_in, size, count, hidden in CASES:
            head = Decision(hidden=hidden)
            faces = load("world:affectnet", split="train", size=64, limit=count + count // 4)
            train, validation = faces.split(0.2, seed=0)
            with seeded(0):
                encoder = make_encoder(name, size=size)
            kept: dict[bool, np.ndarray] = {}

            def work(
                cache: bool, encoder=encoder, plug_in=plug_in, train=train, validation=validation, head=head,
                kept=kept,
            ) -> int:  # fmt: skip
                done = adapt(
                    encoder, train, validation, head=head, plug_in=plug_in, epochs=EPOCHS, cache=cache,
                    settings=Settings(batch_size=BATCH, learning_rate=1e-3),
                )  # fmt: skip
                kept[cache] = done.fits[0].history["train_loss"].to_numpy()
                return EPOCHS * len(train)

            adapt(encoder, train, validation, head=head, plug_in=plug_in, epochs=1)  # imports and first calls
            shutil.rmtree(home() / SHELF)
            ours, theirs = rate(lambda: work(True), repeats=1), rate(lambda: work(False), repeats=1)
            np.testing.assert_allclose(kept[True], kept[False], rtol=1e-4, atol=1e-5)
            bound = allowed(encoder, plug_in, train, head)
            yield {
                "what": f"adapting {name}, {plug_in or 'decision'} (faces; arithmetic allows {bound:.0f}x)",
                "ours": ours,
                "alternative": theirs,
                "named": f"the same loop, encoding anew in each of {EPOCHS} epochs",
            }
