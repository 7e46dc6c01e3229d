"""The other direction: valence and arousal alone, and with the expression beside them (chapters 14, 15)."""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fer_lib import artifacts
from fer_lib.adapt.regimes import free_for, learned
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import FaceModel, JointHead
from fer_lib.heads.joint import affect_loss, labels_of
from fer_lib.losses import class_weights, weighted_cross_entropy
from fer_lib.provenance import code_key
from fer_lib.train.evaluate import evaluate
from fer_lib.train.loop import Fit, fit
from fer_lib.train.parallel import side_by_side
from fer_lib.train.parts import Parts
from fer_lib.train.predict import predict
from fer_lib.train.randomness import seeded
from fer_lib.train.sides import SideTargets
from fer_lib.trials.keeping import Runs, kept, place_of, runs_of, write
from fer_lib.trials.runs import Plan, batches_of, finish_together, key_of_setup, learning
from fer_lib.trials.telling import changed


class ValuesFirst:
    """Faces read for valence and arousal, whose expression is the side task; cf. ``SideTargets``.

    Args:
        both: faces with both views.
    """

    def __init__(self, both: SideTargets) -> None:
        self.faces = both.values()
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
    class_weights_tried: Mapping[str, float],
    seeds: Iterable[int],
    plan: Plan,
    parts: Parts,
    encoder: Encoder,
    *,
    affect: str = "ccc",
) -> Runs:
    """Train for valence and arousal, with and without the expression; the epoch is chosen by their CCC.

    Without it, a network learns the single task that Table 6.3 of the thesis compares with. All weights
    start where those of multi-task learning start. Seeds train at once or side by side as those of
    ``fer_lib.trials.run``.

    Args:
        class_weights_tried: name to the factor on the expression's loss; 0 leaves it out.
        seeds: distinct integers; each decides first weights and order for all alike.
        plan, parts, encoder: as for ``fer_lib.trials.run``.
        affect: "ccc" or "mse".

    Returns:
        Runs with the metrics ccc_valence and ccc_arousal, the array affect (N, 2) and the weights of a
        ``ValuesHead``. Finished runs are read, not run.
    """
    both: list[Any] = [parts.train, parts.validation, parts.test]
    sets = [ValuesFirst(faces) for faces in both]
    shared = key_of_setup(plan, parts, encoder, affect=affect, first="values", by=code_key(__name__))
    names: dict[tuple[str, int], str] = {}
    tasks, seeds = [], [int(seed) for seed in seeds]
    for name, weight in class_weights_tried.items():
        own = {seed: artifacts.key(of=shared, class_weight=weight, seed=seed) for seed in seeds}
        build = partial(
            _untrained, train=sets[0], encoder=encoder, plan=plan, affect=affect, class_weight=weight
        )
        tasks += [
            partial(_finish, some, build, sets=sets, plan=plan, encoder=encoder)
            for some in batches_of(own, plan)
        ]
        names |= {(name, seed): one for seed, one in own.items()}
    side_by_side(tasks)
    return runs_of({which: place_of(name) for which, name in names.items()})


def head_for(
    train: ValuesFirst, feature_shape: tuple[int, ...], plan: Plan, *, affect: str, class_weight: float
) -> ValuesHead:
    """The decision layer of a training: the expression's loss is weighted as in the other direction."""
    counts = torch.bincount(labels_of(train.training_targets()), minlength=len(train.classes))
    return ValuesHead(
        feature_shape, len(train.classes), class_weight=class_weight, affect=affect,
        embedding=plan.embedding, pool=plan.pool,
        class_loss=partial(weighted_cross_entropy, weights=class_weights(counts)),
    )  # fmt: skip


def _untrained(
    seed: int, *, train: ValuesFirst, encoder: Encoder, plan: Plan, affect: str, class_weight: float
) -> FaceModel:
    copy = deepcopy(encoder)
    with seeded(seed):
        head = head_for(train, copy.feature_shape, plan, affect=affect, class_weight=class_weight)
        return free_for(FaceModel(copy, head), plan.regime)


def _finish(
    names: Mapping[int, str],
    build: Callable[[int], FaceModel],
    *,
    sets: list[ValuesFirst],
    plan: Plan,
    encoder: Encoder,
) -> None:
    """Train some seeds, at once where that can be, and keep each run."""
    missing = {seed: name for seed, name in names.items() if not place_of(name).is_dir()}
    if len(missing) > 1:
        models = [build(seed) for seed in missing]
        used = learning(models[0], list(sets))[1]
        given: dict[str, Any] = {"epochs": plan.epochs, "settings": plan.settings}
        given["write"] = partial(_write, test=used[2], encoder=encoder)
        if finish_together(missing, models, used, **given):
            return
    for seed, name in missing.items():
        kept(name, partial(_keep, build=build, seed=seed, sets=sets, plan=plan, encoder=encoder))


def _keep(
    place: Path,
    *,
    build: Callable[[int], FaceModel],
    seed: int,
    sets: list[ValuesFirst],
    plan: Plan,
    encoder: Encoder,
) -> None:
    model = build(seed)
    learner, used = learning(model, list(sets))
    done = fit(learner, used[0], used[1], epochs=plan.epochs, seed=seed, settings=plan.settings)
    _write(place, model=model, done=done, test=used[2], encoder=encoder)


def _write(place: Path, *, model: FaceModel, done: Fit, test: Any, encoder: Encoder) -> None:
    """Fill the folder of a run with what a trained model tells of the reported faces."""
    learner: Any = model if model.frozen_stage() == "images" else model.tail()
    found = predict(learner, test)
    about = {"validation": done.best_score, "trained": learned(model), "seconds": done.seconds}
    write(
        place,
        evaluate(found, test),
        about | {"device": done.device},
        {"affect": found},
        changed(model, encoder),
    )
