"""The other direction: what learning the expression as well does for valence and arousal (chapter 14)."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from fer_lib import artifacts
from fer_lib.adapt.frozen import features_of, weights_key
from fer_lib.adapt.regimes import free_for
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import FaceModel, JointHead
from fer_lib.heads.joint import affect_loss, labels_of
from fer_lib.losses import class_weights, weighted_cross_entropy
from fer_lib.provenance import code_key
from fer_lib.train.loop import fit
from fer_lib.train.parts import Parts
from fer_lib.train.predict import predict
from fer_lib.train.randomness import seeded
from fer_lib.train.sides import SideTargets
from fer_lib.trials.runs import SHELF, Plan

if TYPE_CHECKING:
    import pandas as pd


class ValuesFirst:
    """Faces read for valence and arousal, whose expression is the side task; cf. ``SideTargets``.

    Args:
        both: faces with both views.
    """

    def __init__(self, both: SideTargets) -> None:
        self.faces = replace(
            both.faces, task="valence_arousal", tasks=("valence_arousal",), metric="ccc",
            fingerprint=artifacts.key(values=both.fingerprint),
        )  # fmt: skip
        self._told, self.fingerprint = both.training_targets(), self.faces.fingerprint

    def __len__(self) -> int:
        return len(self.faces)

    def __getattr__(self, name: str) -> Any:
        if name == "faces":  # while unpickling, before there are any
            raise AttributeError(name)
        return getattr(self.faces, name)

    def training_targets(self) -> Tensor:
        """Class number, valence and arousal of each face, float32 (N, 3)."""
        return self._told


class ValuesHead(JointHead):
    """A decision layer that is asked for valence and arousal, and learns the expression beside them.

    Args:
        feature_shape, classes, **options: see ``JointHead``; ``affect`` is "mse" or "ccc".
        class_weight: factor on the expression's loss; 0 leaves it out.

    Raises:
        ValueError: a negative class_weight, or an affect that is not regressed.
    """

    kind = "valence_arousal"

    def __init__(
        self, feature_shape: tuple[int, ...], classes: int, *, class_weight: float = 1.0, **options: Any
    ) -> None:
        super().__init__(feature_shape, classes, **options)
        if not class_weight >= 0 or self.affect not in ("mse", "ccc"):
            raise ValueError(
                f"class_weight must be 0 or more and affect mse or ccc; got {class_weight}, {self.affect!r}. "
                "1 and ccc are usual."
            )
        self.class_weight = class_weight

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The affect's loss and the expression's, of raw outputs; a scalar, in float32."""
        outputs = outputs.float()
        own = affect_loss(self.affect, outputs[:, self.classes :], targets)
        if not self.class_weight:
            return own
        return own + self.class_weight * self.class_loss(outputs[:, : self.classes], labels_of(targets))

    def predict(self, outputs: Tensor) -> Tensor:
        """Valence and arousal, (B, 2)."""
        return self.predict_affect(outputs)


def other_way(
    class_weights_tried: dict[str, float],
    seeds: Sequence[int],
    plan: Plan,
    parts: Parts,
    encoder: Encoder,
    *,
    affect: str = "ccc",
) -> "pd.DataFrame":
    """Train for valence and arousal, with and without the expression; the epoch is chosen by their CCC.

    Args:
        class_weights_tried: name to the factor on the expression's loss; 0 leaves it out.
        seeds: distinct integers; each decides first weights and order for all alike.
        plan, parts, encoder: as for ``fer_lib.trials.run``.
        affect: "ccc" or "mse".

    Returns:
        A row a model, seed and metric: model, seed, metric ("ccc_valence", "ccc_arousal" or "ccc", their
        mean), value. Finished runs are read, not run.
    """
    import pandas as pd

    both = (parts.train, parts.validation, parts.test)
    sets = [ValuesFirst(cast(SideTargets, faces)) for faces in both]
    shared: dict[str, Any] = {"code": code_key(__name__), "encoder": weights_key(encoder), "affect": affect}
    shared |= {"plan": asdict(plan), "sets": [faces.fingerprint for faces in sets]}
    lines = []
    for name, weight in class_weights_tried.items():
        for seed in seeds:
            place = artifacts.key(**shared, class_weight=weight, seed=seed)
            make = partial(
                _keep, sets=sets, encoder=encoder, plan=plan, seed=seed, affect=affect, class_weight=weight
            )
            values = np.load(artifacts.build_once(SHELF, place, make) / "ccc.npy", allow_pickle=False)
            scores = dict(zip(("ccc_valence", "ccc_arousal"), values.tolist(), strict=True))
            scores["ccc"] = float(values.mean())
            lines += [{"model": name, "seed": seed, "metric": m, "value": v} for m, v in scores.items()]
    return pd.DataFrame(lines)


def _keep(
    place: Path,
    *,
    sets: list[ValuesFirst],
    encoder: Encoder,
    plan: Plan,
    seed: int,
    affect: str,
    class_weight: float,
) -> None:
    from fer_lib import metrics

    train, copy = sets[0], deepcopy(encoder)
    counts = torch.bincount(labels_of(train.training_targets()), minlength=len(train.classes))
    weighted = partial(weighted_cross_entropy, weights=class_weights(counts))
    with seeded(seed):
        head = ValuesHead(
            copy.feature_shape, len(train.classes), class_weight=class_weight, affect=affect,
            embedding=plan.embedding, pool=plan.pool, class_loss=weighted,
        )  # fmt: skip
        model = free_for(FaceModel(copy, head), plan.regime)
    used: list[Any] = list(sets)
    stage = model.frozen_stage()
    if stage != "images":
        used = [features_of(model.encoder, faces, stage) for faces in sets]
    learner: Any = model if stage == "images" else model.tail()
    fit(learner, used[0], used[1], epochs=plan.epochs, seed=seed, settings=plan.settings)
    found = metrics.ccc(predict(learner, used[2]), sets[2].targets().numpy())
    np.save(place / "ccc.npy", np.asarray(found, dtype=np.float64))
