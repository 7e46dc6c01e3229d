"""Train variants with the same seeds on the same cached features; each run is kept and never run again."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fer_lib import artifacts
from fer_lib.adapt.frozen import features_of, weights_key
from fer_lib.adapt.regimes import free_for
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import FaceModel
from fer_lib.provenance import code_key
from fer_lib.train.batches import groups_of
from fer_lib.train.loop import Fit, fit
from fer_lib.train.parallel import side_by_side
from fer_lib.train.parts import Parts
from fer_lib.train.randomness import seeded
from fer_lib.train.settings import Settings
from fer_lib.train.stacked import fit_together, stack_size, why_not
from fer_lib.trials.keeping import Runs, kept, place_of, runs_of
from fer_lib.trials.telling import write_run
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
    processes: int | None = None,
    progress: bool = False,
) -> Runs:
    """Train every variant with every seed; what an earlier call has finished is read, not run.

    A seed decides first weights and order, for all variants alike. Every variant is tried on two faces before
    the first training, so that what cannot work is told at once.

    On CUDA the seeds of a variant train at once where its head and losses allow, see
    ``fer_lib.train.stacked``; on a CPU, runs may go side by side, see ``fer_lib.train.parallel``.

    Args:
        variants: with distinct names.
        seeds: distinct integers.
        plan: what all share.
        parts: see ``fer_lib.trials.both_parts``.
        encoder: trained elsewhere; copied, never changed.
        processes: runs at a time, on a CPU; None takes FER_PROCESSES, or 1.
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
    shared, tasks = key_of_setup(plan, parts, encoder), []
    names: dict[tuple[str, int], str] = {}
    for variant in variants:
        own = key_of_variant(variant, parts.train)
        _try(variant, plan, parts, encoder)
        own_names = {seed: artifacts.key(of=shared, variant=own, seed=seed) for seed in seeds}
        make = partial(_finish, variant=variant, plan=plan, parts=parts, encoder=encoder)
        tasks += [partial(make, some) for some in batches_of(own_names, plan)]
        names |= {(variant.name, seed): name for seed, name in own_names.items()}
    side_by_side(tasks, processes=processes, progress=progress)
    return runs_of({which: place_of(name) for which, name in names.items()})


def batches_of(names: Mapping[int, str], plan: Plan) -> list[dict[int, str]]:
    """Seeds and names of the runs that are not kept yet, in the groups in which they train."""
    missing = [(seed, name) for seed, name in names.items() if not place_of(name).is_dir()]
    size = stack_size() if plan.regime != "all" else 1
    return [dict(missing[start : start + size]) for start in range(0, len(missing), size)]


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
    sets, settings = _sets_of(model, variant, parts), _settings_of(variant, plan)
    learner = model.tail() if model.frozen_stage() != "images" else model
    done = fit(learner, *sets[:2], epochs=plan.epochs, seed=seed, settings=settings)
    return model.eval(), sets, done


def _sets_of(model: FaceModel, variant: Variant, parts: Parts) -> list[Any]:
    """What a variant learns from, chooses by and reports: pictures, or cached features."""
    given: list[Any] = [parts.train, parts.validation, parts.test]
    return learning(model, [sides_of(variant, faces, given[0]) for faces in given])[1]


def _settings_of(variant: Variant, plan: Plan) -> Settings:
    return replace(plan.settings, balance=variant.balance, balance_by=variant.balance_by)


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


def _finish(
    names: Mapping[int, str], *, variant: Variant, plan: Plan, parts: Parts, encoder: Encoder
) -> None:
    """Train some seeds of a variant, at once where that can be, and keep each run."""
    missing = {seed: name for seed, name in names.items() if not place_of(name).is_dir()}
    given: dict[str, Any] = {"variant": variant, "plan": plan, "parts": parts, "encoder": encoder}
    if len(missing) < 2 or not _finish_together(missing, **given):
        for seed, name in missing.items():
            kept(name, partial(_keep, seed=seed, **given))


def _finish_together(
    names: Mapping[int, str], *, variant: Variant, plan: Plan, parts: Parts, encoder: Encoder
) -> bool:
    """The same at once; whether that can be."""
    models = [untrained(variant, seed, plan, parts, encoder) for seed in names]
    sets, settings = _sets_of(models[0], variant, parts), _settings_of(variant, plan)
    write = partial(write_run, sets=sets, encoder=encoder, most=plan.kept)
    return finish_together(names, models, sets, epochs=plan.epochs, settings=settings, write=write)


def finish_together(
    names: Mapping[int, str],
    models: Sequence[FaceModel],
    sets: Sequence[Any],
    *,
    epochs: int,
    settings: Settings,
    write: Callable[..., None],
) -> bool:
    """Train models of several seeds at once and keep each, where they can be stacked.

    Args:
        names: of the runs, by seed.
        models: one a seed, untrained, with frozen parts.
        sets: cached features to learn from, to choose by, ...
        epochs, settings: of the trainings.
        write: fills the folder of a run, which it is given, from ``model`` and ``done``.

    Returns:
        Whether that can be; else nothing was done.

    Raises:
        FloatingPointError: a seed failed. The others are kept.
    """
    tails = [model.tail() for model in models]
    if why_not(tails, sets[0], settings):
        return False
    found = fit_together(tails, *sets[:2], epochs=epochs, seeds=list(names), settings=settings)
    for name, model, done in zip(names.values(), models, found, strict=True):
        if isinstance(done, Fit):
            kept(name, partial(write, model=model.eval(), done=done))
    for done in found:
        if not isinstance(done, Fit):
            raise done
    return True


def _keep(place: Path, *, variant: Variant, seed: int, plan: Plan, parts: Parts, encoder: Encoder) -> None:
    model, sets, done = train(variant, seed, plan, parts, encoder)
    write_run(place, model=model, sets=sets, done=done, encoder=encoder, most=plan.kept)


def _digest(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


def _plain(record: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(record), sort_keys=True))
    return plain
