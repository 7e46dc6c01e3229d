"""Many seeds of small models: all at once, or in processes side by side, against one after the other.

``make bench`` or ``python -m bench many_seeds``. On CUDA stacks are what ``fer_lib.trials`` uses by itself;
on a CPU they are off unless FER_STACK asks for them. Every process has one thread, as in a book's build: so
small a model gains nothing by a second. The two processes are warm: to start them takes as long as to import
PyTorch.

Measured on two cores of an AMD EPYC, shared with other work, without a card: ten seeds at once are 3.3 times
as fast for a decision layer and 1.1 times with the last convolution; two processes 1.5 and 1.0 times while
other work ran, 1.8 times (last convolution) in a quieter minute. On a card nothing was measured.
"""

import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch

from bench._clock import rates
from fer_lib.adapt import features_of
from fer_lib.adapt.regimes import free_for
from fer_lib.encoders import FaceChannel
from fer_lib.heads import FaceModel, JointHead
from fer_lib.train import Settings, fit, seeded
from fer_lib.train.device import device
from fer_lib.train.parallel import cores, side_by_side
from fer_lib.train.stacked import fit_together
from fer_lib.trials import both_parts

SEEDS, FACES, SIZE, EPOCHS = 10, 512, 48, 4
SETTINGS = Settings(batch_size=32)


def learner(encoder: FaceChannel, regime: str, classes: int, seed: int):
    """What learns of a FaceChannel with a decision layer for both views of emotion."""
    with seeded(seed):
        head = JointHead(encoder.feature_shape, classes, affect="ccc")
        copy = FaceChannel(width=0.25, size=SIZE, dropout=0.0)
    copy.load_state_dict(encoder.state_dict())
    return free_for(FaceModel(copy, head), regime).tail()


def run() -> Iterator[dict]:
    """A quarter-width FaceChannel's decision layer, alone and with the last convolution, from ten seeds."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FER_HOME"] = str(Path(folder) / "home")
        parts = both_parts("world:affectnet", size=SIZE, limits=(FACES, 64))
        with seeded(0):
            encoder = FaceChannel(width=0.25, size=SIZE, dropout=0.0)
        for regime, words in (("decision", "decision layer"), ("last_conv", "last convolution")):
            make = partial(learner, encoder, regime, len(parts.train.classes))
            start = make(0).start
            sets = [features_of(encoder, faces, start) for faces in (parts.train, parts.validation)]
            seen = SEEDS * EPOCHS * len(parts.train)

            def one(seed: int, make=make, sets=sets) -> None:
                fit(make(seed), *sets, epochs=EPOCHS, seed=seed, settings=SETTINGS)

            def serial(one=one, seen=seen) -> int:
                for seed in range(SEEDS):
                    one(seed)
                return seen

            def stacked(make=make, sets=sets, seen=seen) -> int:
                models = [make(seed) for seed in range(SEEDS)]
                fit_together(models, *sets, epochs=EPOCHS, seeds=range(SEEDS), settings=SETTINGS)
                return seen

            def apart(one=one, seen=seen) -> int:
                side_by_side([partial(one, seed) for seed in range(SEEDS)], processes=2)
                return seen

            named = f"one after the other, on {device().type}"
            ours, theirs = rates(stacked, serial, repeats=2)
            what = f"{SEEDS} seeds at once: {words}"
            yield {"what": what, "ours": ours, "alternative": theirs, "named": named}
            if cores() > 1 and device().type == "cpu":
                apart()
                ours, theirs = rates(apart, serial, repeats=2)
                what = f"in 2 processes: {words}"
                yield {"what": what, "ours": ours, "alternative": theirs, "named": named}
