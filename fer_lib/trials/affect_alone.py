"""Valence and arousal alone: the single task of the thesis's Table 6.3 (chapter 15)."""

import json
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

from fer_lib import artifacts
from fer_lib.adapt.frozen import features_of, weights_key
from fer_lib.adapt.regimes import free_for
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import DenseHead, FaceModel, JointHead
from fer_lib.provenance import code_key
from fer_lib.train.evaluate import evaluate
from fer_lib.train.loop import fit
from fer_lib.train.parts import Parts
from fer_lib.train.predict import predict
from fer_lib.train.randomness import seeded
from fer_lib.trials.runs import SHELF, Plan, Runs

NAME = "Single-task"


class AffectHead(DenseHead):
    """Valence and arousal from the maximum of each channel, by a dense layer and ``ccc_loss``.

    With the same seed all its weights start where those of multi-task learning start.

    Args:
        feature_shape: (C, h, w) of the map.
        classes: of the multi-task network that it is compared with.
        embedding: units of the dense layer; 0 for none.
    """

    def __init__(self, feature_shape: tuple[int, ...], classes: int, embedding: int) -> None:
        joint = JointHead(feature_shape, classes, affect="ccc", embedding=embedding)
        super().__init__((feature_shape[0],), 2, kind="valence_arousal")
        self.layers = nn.Sequential(joint.embed, joint.regressor)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features.amax((2, 3)))


def affect_alone(seeds: Iterable[int], plan: Plan, parts: Parts, encoder: Encoder) -> Runs:
    """Train valence and arousal without expressions; otherwise as ``fer_lib.trials.run``. Runs are kept.

    The epoch is chosen by the validation faces' concordance.

    Args:
        seeds: distinct integers.
        plan: of the other trainings.
        parts: of ``both_parts``.
        encoder: copied, never changed.

    Returns:
        Runs of the model "Single-task": metrics ccc_valence, ccc_arousal; arrays affect (N, 2); weights
        "layers.1.weight" (2, D) and more.
    """
    sets = [_affect(faces) for faces in (parts.train, parts.validation, parts.test)]
    of = {"encoder": weights_key(encoder), "plan": json.loads(json.dumps(asdict(plan)))}
    of |= {"code": code_key(__name__), "sets": [faces.fingerprint for faces in sets], "task": "affect"}
    folders, rows = {}, []
    for seed in map(int, seeds):
        make = partial(_keep, seed=seed, plan=plan, sets=sets, encoder=encoder)
        folder = artifacts.build_once(SHELF, artifacts.key(of=of, seed=seed), make)
        folders[NAME, seed] = folder
        told = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
        rows += [{"model": NAME, "seed": seed} | row for row in told]
    return Runs(pd.DataFrame(rows), folders)


def _affect(faces: Any) -> Any:
    own = faces.faces
    name = artifacts.key(of=own.fingerprint, task="valence_arousal")
    return replace(own, task="valence_arousal", tasks=("valence_arousal",), metric="ccc", fingerprint=name)


def _keep(place: Path, *, seed: int, plan: Plan, sets: list[Any], encoder: Encoder) -> None:
    from safetensors.torch import save_file

    copy = deepcopy(encoder)
    with seeded(seed):
        head = AffectHead(copy.feature_shape, len(sets[0].classes), plan.embedding)
        model = free_for(FaceModel(copy, head), plan.regime)
    stage = model.frozen_stage()
    learner: Any = model
    if stage != "images":
        sets = [features_of(model.encoder, faces, stage) for faces in sets]
        learner = model.tail()
    done = fit(learner, *sets[:2], epochs=plan.epochs, seed=seed, settings=plan.settings)
    found = predict(learner, sets[2])
    about = {"validation": done.best_score, "seconds": done.seconds, "device": done.device}
    scores = evaluate(found, sets[2])
    rows = [{"metric": metric, "value": value} | about for metric, value in scores.items()]
    save_file(
        {k: v.detach().cpu().contiguous() for k, v in head.state_dict().items()}, place / "head.safetensors"
    )
    np.savez(place / "arrays.npz", affect=found)
    (place / "rows.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
