"""Train variants with the same seeds on the same cached features; each run is kept and never run again."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fer_lib import artifacts
from fer_lib.adapt.frozen import features_of, weights_key
from fer_lib.adapt.regimes import free_for, learned
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import FaceModel
from fer_lib.heads.joint import ViewsHead
from fer_lib.provenance import code_key
from fer_lib.train.batches import DeviceFaces, groups_of
from fer_lib.train.device import device
from fer_lib.train.evaluate import evaluate
from fer_lib.train.loop import fit
from fer_lib.train.parts import Parts
from fer_lib.train.predict import raw_outputs
from fer_lib.train.randomness import seeded
from fer_lib.train.settings import Settings
from fer_lib.trials.keeping import HEAD, Runs, kept, runs_of, write
from fer_lib.trials.variants import Variant, build_head, sides_of, words_of


@dataclass(frozen=True)
class Plan:
    """What all variants of an ablation share.

    Args:
        epochs: passes over the training set.
        settings: of every training; a variant's sampler takes the place of its own.
        regime: what learns below the decision layer, "decision", "last_conv" or "all"; see
            ``fer_lib.adapt.REGIMES``. The first two learn from cached features.
        embedding: units of the dense layer before the classifiers.
        pool: see ``fer_lib.heads.JointHead``.
        kept: of so many training faces, drawn once, the embeddings are kept; of fewer, all.
    """

    epochs: int = 10
    settings: Settings = field(default_factory=lambda: Settings(batch_size=32, learning_rate=1e-3))
    regime: str = "last_conv"
    embedding: int = 128
    pool: str = "max"
    kept: int = 10_000


def run(
    variants: Sequence[Variant],
    seeds: Iterable[int],
    plan: Plan,
    parts: Parts,
    encoder: Encoder,
    *,
    progress: bool = False,
) -> Runs:
    """Train every variant with every seed; what an earlier call has finished is read, not run.

    A seed decides first weights and order, for all variants alike. Every variant is tried on two faces before
    the first training, so that what cannot work is told at once.

    Args:
        variants: with distinct names.
        seeds: distinct integers.
        plan: what all share.
        parts: see ``fer_lib.trials.both_parts``.
        encoder: trained elsewhere; copied, never changed.
        progress: show a bar.

    Raises:
        ValueError: two variants of one name, a seed that comes twice, none of either, or a variant that
            these parts or this encoder do not allow.
        DataError: a kept run is damaged, or a file of word vectors is.
    """
    variants, seeds = list(variants), [int(seed) for seed in seeds]
    if len({variant.name for variant in variants}) < len(variants):
        raise ValueError(f"variants must have distinct names; got {[v.name for v in variants]}. Rename one.")
    if not variants or not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"variants and seeds must hold one or more, each seed once; got {len(variants)} variants and "
            f"seeds {seeds}. A seed that comes twice would count as two runs."
        )
    shared = key_of_setup(plan, parts, encoder)
    jobs = []
    for variant in variants:
        own = key_of_variant(variant, parts.train)
        _try(variant, plan, parts, encoder)
        jobs += [(variant, seed, artifacts.key(of=shared, variant=own, seed=seed)) for seed in seeds]
    if progress:
        from tqdm import tqdm

        jobs = tqdm(jobs, desc="runs", unit="run")
    folders = {}
    for variant, seed, name in jobs:
        make = partial(_keep, variant=variant, seed=seed, plan=plan, parts=parts, encoder=encoder)
        folders[variant.name, seed] = kept(name, make)
    return runs_of(folders)


def key_of_setup(plan: Plan, parts: Parts, encoder: Encoder, **more: Any) -> str:
    """Name what all runs of an ablation depend on: code, plan, faces and encoder."""
    return artifacts.key(
        code=code_key(__name__), encoder=weights_key(encoder), plan=_plain(plan),
        sets=[faces.fingerprint for faces in (parts.train, parts.validation, parts.test)], **more,
    )  # fmt: skip


def key_of_variant(variant: Variant, train: Any) -> dict[str, Any]:
    """What a variant adds to that. Its name is no part of it; what it reads beside the labels is, by content.

    Args:
        variant: which.
        train: the training ``SideTargets``: landmarks, and the groups that a sampler evens out.

    Raises:
        DataError: the graph's file of word vectors is damaged.
        ValueError: the corpus lacks the landmarks or the groups.
    """
    told: dict[str, Any] = {name: value for name, value in _plain(variant).items() if name != "name"}
    words = words_of(variant.graph, train.classes) if variant.graph is not None else None
    if words is not None:
        told["graph"]["glove"] = _digest(words.numpy())
    if variant.mask:
        told["masks"] = sides_of(variant, train).fingerprint
    if variant.balance:
        told["groups"] = _digest(groups_of(train, variant.balance_by).numpy())
    return told


def train(
    variant: Variant, seed: int, plan: Plan, parts: Parts, encoder: Encoder
) -> tuple[FaceModel, list[Any], Any]:
    """Train one variant.

    Returns:
        The model in evaluation mode, its training, validation and test set (cached features, but for the
        regime "all"), and what ``fer_lib.train.fit`` gave.
    """
    model = untrained(variant, seed, plan, parts, encoder)
    settings = replace(plan.settings, balance=variant.balance, balance_by=variant.balance_by)
    given: list[Any] = [parts.train, parts.validation, parts.test]
    learner, sets = learning(model, [sides_of(variant, faces, given[0]) for faces in given])
    done = fit(learner, *sets[:2], epochs=plan.epochs, seed=seed, settings=settings)
    return model.eval(), sets, done


def untrained(variant: Variant, seed: int, plan: Plan, parts: Parts, encoder: Encoder) -> FaceModel:
    """The model that a training of this seed starts from; what the regime freezes is frozen."""
    copy, faces = deepcopy(encoder), parts.train
    with seeded(seed):
        head = build_head(variant, faces, copy.feature_shape, embedding=plan.embedding, pool=plan.pool)  # type: ignore[arg-type]
        return free_for(FaceModel(copy, head), plan.regime)


def trained(variant: Variant, seed: int, plan: Plan, parts: Parts, encoder: Encoder) -> FaceModel:
    """The model of a kept run, in evaluation mode; it is run where it is not kept yet."""
    found = run([variant], [seed], plan, parts, encoder)
    model = untrained(variant, seed, plan, parts, encoder)
    model.load_state_dict(model.state_dict() | found.tensors(variant.name, seed))
    return model.eval()


def learning(model: FaceModel, sets: list[Any]) -> tuple[Any, list[Any]]:
    """What learns of a model, and what it learns from: the model and pictures, or its tail and features.

    Args:
        model: with frozen parts, see ``free_for``.
        sets: of faces.
    """
    stage = model.frozen_stage()
    if stage == "images":
        return model, sets
    return model.tail(), [features_of(model.encoder, faces, stage) for faces in sets]


def changed(model: FaceModel, encoder: Encoder) -> dict[str, Tensor]:
    """The decision layer, and what of the encoder is no longer as it was lent; names as in the model."""
    before = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    return {
        name: value
        for name, value in model.state_dict().items()
        if name.startswith(HEAD) or not torch.equal(value.cpu(), before[name].cpu())
    }


def _try(variant: Variant, plan: Plan, parts: Parts, encoder: Encoder) -> None:
    """One loss of two faces, without any training."""
    faces: Any = parts.train
    shape = encoder.feature_shape
    with seeded(0):
        told = sides_of(variant, faces.subset(slice(0, 2)), faces).training_targets()
        try:
            head = build_head(variant, faces, shape, embedding=plan.embedding, pool=plan.pool)
            head.training_loss(torch.rand(len(told), *shape), told)
        except TypeError as error:  # an option that the loss does not have, or one that it needs
            raise ValueError(
                f"metric_options must be those of the loss {variant.metric!r}; got "
                f"{dict(variant.metric_options)} in {variant.name!r}: {error}. See fer_lib.losses."
            ) from error


def _keep(place: Path, *, variant: Variant, seed: int, plan: Plan, parts: Parts, encoder: Encoder) -> None:
    model, sets, done = train(variant, seed, plan, parts, encoder)
    learner = model.tail() if plan.regime != "all" else model
    scores, arrays = _told(model.head, learner, sets, parts.test)
    rows = np.arange(len(sets[0]))
    if len(rows) > plan.kept:
        rows = np.sort(np.random.default_rng(0).choice(rows, plan.kept, replace=False))
    arrays |= {
        "train_rows": rows,
        "train_embeddings": _embeddings(model.head, learner, sets[0], rows),
        "validation_embeddings": _embeddings(model.head, learner, sets[1]),
        "embeddings": _embeddings(model.head, learner, sets[2]),
    }
    about = {"validation": done.best_score, "trained": learned(model), "seconds": done.seconds}
    write(place, scores, about | {"device": done.device}, arrays, changed(model, encoder))


@torch.no_grad()
def _told(
    head: ViewsHead, learner: Any, sets: list[Any], faces: Any
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Scores of the reported faces, and what was predicted for them."""
    outputs = raw_outputs(learner, DeviceFaces(sets[2], device()), 256)
    probabilities = head.predict(outputs).cpu().numpy()
    affect = np.full((len(outputs), 2), np.nan, dtype=np.float32)
    scores = evaluate(probabilities, sets[2])
    if head.affect in ("mse", "ccc"):
        affect = head.predict_affect(outputs).cpu().numpy()
        scores |= evaluate(affect, faces.values())
    return scores, {"probabilities": probabilities, "affect": affect}


@torch.no_grad()
def _embeddings(head: ViewsHead, learner: Any, faces: Any, rows: np.ndarray | None = None) -> np.ndarray:
    """What the classifier reads of each face, or of some, float32 (N, D)."""
    batches, found = DeviceFaces(faces, device()), []
    whole, start = (learner, "images") if isinstance(learner, FaceModel) else (learner.model, learner.start)
    for index in torch.from_numpy(np.arange(len(faces)) if rows is None else rows).split(256):
        inputs = learner.prepare(batches.images(index))
        found.append(head.embeddings(whole.features(inputs, start)).float().cpu())
    return torch.cat(found).numpy()


def _digest(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


def _plain(record: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(record), sort_keys=True))
    return plain
