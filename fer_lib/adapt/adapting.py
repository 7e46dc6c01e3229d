"""Adapt a trained encoder to a corpus: one call for every regime, with or without a plug-in."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib import artifacts
from fer_lib.adapt.frozen import features_of, weights_key
from fer_lib.adapt.plugin import PlugIn
from fer_lib.adapt.plugins import PLUG_INS
from fer_lib.adapt.regimes import REGIMES, free_for, fresh_encoder, learned
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import Decision, FaceModel, build_head
from fer_lib.provenance import code_key
from fer_lib.train.checks import check_alike
from fer_lib.train.evaluate import evaluate
from fer_lib.train.loop import Fit, fit
from fer_lib.train.parallel import ahead
from fer_lib.train.parts import Parts
from fer_lib.train.predict import predict
from fer_lib.train.randomness import seeded
from fer_lib.train.repeats import repeat
from fer_lib.train.settings import Settings
from fer_lib.train.stacked import fit_together, stack_size, why_not

if TYPE_CHECKING:
    import pandas as pd

RATES = {"scratch": 2e-3, "all": 1e-3, "last_conv": 1e-3, "decision": 2e-3}
"""Learning rate of each regime, where neither settings nor decision layer name one (AdamW)."""


@dataclass
class Adapted:
    """What came of adapting, over the seeds.

    Args:
        rows: one row a seed and metric of the test set: seed, regime, plug_in, metric, value, validation
            (score that chose the epoch), trained (numbers that learned), seconds, device. Without a test set
            one row a seed, of the validation score.
        models: trained model by seed, in evaluation mode.
        fits: history by seed.
        predictions: for the test set, by seed.
    """

    rows: "pd.DataFrame"
    models: dict[int, FaceModel] = field(default_factory=dict)
    fits: dict[int, Fit] = field(default_factory=dict)
    predictions: dict[int, np.ndarray] = field(default_factory=dict)


def adapt(
    encoder: Encoder, train: Any, validation: Any, *, test: Any = None, head: Decision | None = None,
    regime: str = "decision", plug_in: str | Callable[..., PlugIn] | None = None,
    options: Mapping[str, Any] | None = None, seeds: Iterable[int] = (0,), epochs: int = 20,
    settings: Settings | None = None, cache: bool = True, views: int = 1,
    on_epoch: Callable[[int, float], None] | None = None, folder: str | Path | None = None,
    on_seed: Callable[[int, list[dict[str, Any]], FaceModel], None] | None = None,
) -> Adapted:  # fmt: skip
    """Train a decision layer, and what the regime frees, on top of an encoder, which is copied.

    What is frozen stays the same to the last bit; behind it nothing is encoded twice: see `features_of`. On
    CUDA seeds train at once where they can, see ``fer_lib.train.stacked``; with a folder, seeds may train
    side by side instead, see ``fer_lib.train.parallel``.

    Args:
        encoder: trained elsewhere.
        train: FaceSet, or SequenceSet of clips, to learn from.
        validation: set to choose the epoch by.
        test: set to report on; None reports the validation score alone.
        head: shape of the decision layer; None takes one dense layer of 64 units.
        regime: what learns besides decision layer and plug-in, see `REGIMES`; "decision" is nothing.
        plug_in: "stn", "ciao", a function of the encoder that makes one, or None.
        options: of the plug-in; its temperature is the decision layer's where they name none.
        seeds, epochs: distinct seeds of first weights and order; passes over the training set.
        settings: None takes AdamW with the regime's rate in `RATES`; those of ``head`` come first.
        cache, views: keep frozen features on disk, of so many changed views of each face; see `features_of`.
            Without, images are encoded anew in every epoch.
        on_epoch: called after each epoch of each seed; see ``fer_lib.train.fit``.
        folder: where each seed's training is kept, to be opened by a later call or resumed; it must belong to
            ONE experiment, see :func:`folder_for`. None keeps nothing.
        on_seed: called as soon as a seed is done, with it, its rows and its model.

    Raises:
        ValueError: an unknown regime or plug-in, sets of different classes, a decision layer for clips on
            single images, or augmentation together with cached features.

    Reference: Barros and Sciutti (2022), section IV; chapter 07.
    """
    head = head or Decision()
    settings, sets = _settings(settings, head, regime), _sets(train, validation, test)
    build = partial(
        build_adaptable, encoder, train, head=head, regime=regime, plug_in=plug_in, options=options
    )
    behind = partial(_behind, sets=sets, settings=settings, cache=cache, views=views)
    result, seeds = Adapted(rows=None), list(seeds)  # type: ignore[arg-type]

    def learn(seed: int) -> tuple[FaceModel, Any, list[Any], Fit]:
        model = build(seed=seed)
        learner, given = behind(model)
        place = None if folder is None else Path(folder) / f"seed_{seed}.safetensors"
        done = fit(
            learner, *given[:2], epochs=epochs, seed=seed, settings=settings, checkpoint=place,
            on_epoch=on_epoch,
        )  # fmt: skip
        return model, learner, given, done

    def tell(seed: int, model: FaceModel, learner: Any, given: list[Any], done: Fit) -> list[dict[str, Any]]:
        result.models[seed], result.fits[seed] = model.eval(), done
        if test is not None:
            result.predictions[seed] = predict(learner, given[2])
        rows = _rows(result, seed, test, {"regime": regime, "plug_in": _name(plug_in)})
        if on_seed is not None:
            on_seed(seed, rows, model)
        return rows

    told = {}
    if folder is None and on_epoch is None:
        for seed, *trained in _at_once(build, behind, seeds, epochs, settings):
            told[seed] = tell(seed, *trained)
    elif on_epoch is None:
        ahead([partial(learn, seed) for seed in seeds])  # what they write is opened below
    result.rows = repeat(lambda seed: told.pop(seed, None) or tell(seed, *learn(seed)), seeds)
    return result


def _at_once(
    build: Callable[..., FaceModel],
    behind: Callable[..., Any],
    seeds: list[int],
    epochs: int,
    settings: Settings,
) -> Iterator[tuple[int, FaceModel, Any, list[Any], Fit]]:
    """Seed, model, learner, sets and history of those that trained in stacks; none where they cannot.

    A seed that failed is left out: alone, it fails again, and says why.
    """
    size = stack_size() if len(set(seeds)) == len(seeds) else 1
    for some in (seeds[start : start + size] for start in range(0, len(seeds), size)):
        if len(some) < 2:
            return
        models = [build(seed=seed) for seed in some]
        learner, given = behind(models[0])
        learners = [learner, *(model.tail() for model in models[1:])]
        if learner is models[0] or why_not(learners, given[0], settings):
            return
        fits = fit_together(learners, *given[:2], epochs=epochs, seeds=some, settings=settings)
        for seed, model, one, done in zip(some, models, learners, fits, strict=True):
            if isinstance(done, Fit):
                yield seed, model, one, given, done


def folder_for(shelf: str, encoder: Encoder, parts: Parts, **told: Any) -> Path:
    """A folder for the trainings of one experiment, named by all that they depend on.

    Args:
        shelf: where in ``fer_lib.artifacts.home()``.
        encoder: that is adapted; its weights count.
        parts: the sets.
        **told: everything else that decides, as plain JSON values.
    """
    sets = [faces.fingerprint for faces in (parts.train, parts.validation, parts.test)]
    name = artifacts.key(code=code_key(__name__), encoder=weights_key(encoder), sets=sets, **told)
    return artifacts.home() / shelf / name


def _rows(result: Adapted, seed: int, test: Any, about: dict[str, Any]) -> list[dict[str, Any]]:
    """What is told of one seed: a row a metric of the test set, or one of the validation score."""
    done = result.fits[seed]
    about |= {"validation": done.best_score, "trained": learned(result.models[seed])}
    about |= {"seconds": done.seconds, "device": done.device}
    scores = {"validation": done.best_score} if test is None else evaluate(result.predictions[seed], test)
    return [about | {"metric": metric, "value": value} for metric, value in scores.items()]


def build_adaptable(
    encoder: Encoder,
    faces: Any,
    *,
    head: Decision,
    regime: str,
    plug_in: str | Callable[..., PlugIn] | None,
    options: Mapping[str, Any] | None = None,
    seed: int,
) -> FaceModel:
    """Join a copy of an encoder, a plug-in and a decision layer, frozen as the regime says.

    Args:
        encoder, head, regime, plug_in, options: see :func:`adapt`.
        faces: gives task and classes.
        seed: draws the new weights.

    Raises:
        ValueError: an unknown plug-in, options without one, or a decision layer for clips on single images.
    """
    copy = deepcopy(encoder) if regime != "scratch" else fresh_encoder(encoder, seed)
    with seeded(seed):
        plug = _make(plug_in, copy, head, dict(options or {}))
        shape = copy.feature_shape if plug is None else plug.feature_shape
        model = FaceModel(copy, build_head(head, faces, shape), plug)
    return free_for(model, regime)


def _make(
    plug_in: str | Callable[..., PlugIn] | None, encoder: Encoder, head: Decision, options: dict[str, Any]
) -> PlugIn | None:
    if plug_in is None:
        if options:
            raise ValueError(f"options must be empty without a plug-in; got {options}. Name the plug-in.")
        return None
    if callable(plug_in):
        return plug_in(encoder, **options)
    if plug_in not in PLUG_INS:
        raise ValueError(
            f"plug_in must be one of {', '.join(PLUG_INS)}; got {plug_in!r}. Choose one, or None."
        )
    own = {} if plug_in != "ciao" or head.temperature is None else {"temperature": head.temperature}
    return PLUG_INS[plug_in](encoder, **(own | options))


def _name(plug_in: str | Callable[..., PlugIn] | None) -> str:
    if plug_in is None or isinstance(plug_in, str):
        return plug_in or "none"
    return getattr(plug_in, "__name__", type(plug_in).__name__)


def _behind(
    model: FaceModel, *, sets: list[Any], settings: Settings, cache: bool, views: int
) -> tuple[Any, list[Any]]:
    """What is trained, and on what: the tail of the model on features, or the model on images."""
    stage = model.frozen_stage()
    if stage == "images" or not cache:
        if views > 1:
            raise ValueError(
                f"views must be 1 where images are encoded anew; got {views}. Use settings.augmentation."
            )
        return model, sets
    if settings.augmentation is not None:
        raise ValueError(
            "augmentation must be None for cached features; got one. Give views=4 or so, or cache=False."
        )
    train, *others = sets
    kept = [features_of(model.encoder, train, stage, views=views)]
    return model.tail(), kept + [features_of(model.encoder, faces, stage) for faces in others]


def _sets(train: Any, validation: Any, test: Any) -> list[Any]:
    others = {"validation": validation} | ({} if test is None else {"test": test})
    for name, faces in others.items():
        check_alike(train, faces, name)
    return [train, *others.values()]


def _settings(settings: Settings | None, head: Decision, regime: str) -> Settings:
    if regime not in REGIMES:
        raise ValueError(f"regime must be one of {', '.join(REGIMES)}; got {regime!r}. Choose one of these.")
    settings = settings or Settings(batch_size=32, learning_rate=RATES[regime])
    named: dict[str, Any] = {"learning_rate": head.learning_rate, "optimizer": head.optimizer}
    return replace(settings, **{name: value for name, value in named.items() if value is not None})
