"""The trainings of a study of one's own people (chapter 17): each is kept, and never run again.

On CUDA those of several seeds behind a frozen encoder go at once, see ``fer_lib.train.stacked``; on a CPU
they may go side by side, see ``fer_lib.train.parallel``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from math import ceil, nan
from pathlib import Path
from typing import Any

import numpy as np

from fer_lib import artifacts
from fer_lib.adapt.frozen import FeatureSet, features_of, weights_key
from fer_lib.adapt.plugins import recipe_of_plug_in
from fer_lib.adapt.regimes import adapted_copy
from fer_lib.adapt.saving import recipe_of_head
from fer_lib.encoders.files import digest, tensors_of
from fer_lib.errors import DataError
from fer_lib.heads import FaceModel
from fer_lib.provenance import code_key
from fer_lib.train.baseline import histogram_baseline
from fer_lib.train.loop import Fit, fit
from fer_lib.train.parallel import side_by_side
from fer_lib.train.parts import Parts
from fer_lib.train.predict import predict
from fer_lib.train.settings import Settings
from fer_lib.train.stacked import fit_together, stack_size, why_not

SHELF = "adaptations"
YARDSTICK = "gradient histograms"


@dataclass(frozen=True)
class Training:
    """One training.

    Args:
        seed: which draw of people.
        regime: see ``fer_lib.adapt.REGIMES``, or `YARDSTICK`.
        photos: how many are learned from.
    """

    seed: int
    regime: str
    photos: int


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Args:
        predictions: for the people tested on, (N, K).
        validation: score of those who chose the epoch; nan of the yardstick, which has no epochs.
    """

    predictions: np.ndarray
    validation: float


@dataclass(frozen=True)
class Recipe:
    """What all trainings of a study share.

    Args:
        source: the model trained elsewhere.
        faces: one's own, all of them: a frozen encoder sees each of them once.
        steps: at least so many steps of the optimiser in every training.
        settings: of every training.
    """

    source: FaceModel
    faces: Any
    steps: int
    settings: Settings


def outcomes(recipe: Recipe, wanted: Mapping[Training, Parts]) -> dict[Training, Outcome]:
    """Run trainings; what an earlier call has finished is read, not run.

    Nothing is kept of a source whose parts have no name to be known by: a decision layer, loss or plug-in of
    one's own.

    Args:
        recipe: what all share.
        wanted: to the people whose photos are learned from, that choose the epoch and that are tested on.

    Raises:
        DataError: a kept outcome is damaged.
        FloatingPointError: a training failed. What was finished before is kept.
    """
    shared = _name_of(recipe)
    paths = {one: None if shared is None else _path(shared, one, parts) for one, parts in wanted.items()}
    found = {one: _read(path) for one, path in paths.items() if path is not None and path.is_file()}
    missing = {one: (parts, paths[one]) for one, parts in wanted.items() if one not in found}
    for done in side_by_side([partial(_run, recipe, some) for some in _batches(missing)]):
        found |= done
    return {one: found[one] for one in wanted}


Missing = dict[Training, tuple[Parts, Path | None]]


def _batches(missing: Missing) -> Iterator[Missing]:
    """Trainings that go together: of one regime and number of photos, of so many seeds as a stack holds."""
    seeds, size = list(dict.fromkeys(one.seed for one in missing)), stack_size()
    for start in range(0, len(seeds), size):
        some = {one: given for one, given in missing.items() if one.seed in seeds[start : start + size]}
        for regime, photos in dict.fromkeys((one.regime, one.photos) for one in some):
            yield {one: given for one, given in some.items() if (one.regime, one.photos) == (regime, photos)}


def _run(recipe: Recipe, some: Missing) -> dict[Training, Outcome]:
    """Run trainings of one regime and number of photos, and keep each as soon as it is done."""
    ((regime, photos),) = {(one.regime, one.photos) for one in some}
    if regime == YARDSTICK:
        found = {one: Outcome(histogram_baseline(parts), nan) for one, (parts, _) in some.items()}
        return {one: _kept(outcome, some[one][1]) for one, outcome in found.items()}
    models = [adapted_copy(recipe.source, regime, seed=one.seed) for one in some]
    behind = _behind(models[0], recipe.faces)
    learners: list[Any] = [model.tail() if behind else model for model in models]
    sets = [[behind(faces) if behind else faces for faces in _three(parts)] for parts, _ in some.values()]
    epochs = ceil(recipe.steps / ceil(photos / recipe.settings.batch_size))
    given: dict[str, Any] = {"epochs": epochs, "settings": recipe.settings}
    train, validation, test = (list(each) for each in zip(*sets, strict=True))
    if behind and len(some) > 1 and not why_not(learners, train, recipe.settings):
        fits: Any = fit_together(learners, train, validation, seeds=[one.seed for one in some], **given)
    else:
        pairs = zip(learners, train, validation, some, strict=True)
        fits = (fit(learner, *two, seed=one.seed, **given) for learner, *two, one in pairs)
    done, failed = {}, []
    for one, learner, faces, how in zip(some, learners, test, fits, strict=True):
        if isinstance(how, Fit):
            done[one] = _kept(Outcome(predict(learner, faces), how.best_score), some[one][1])
        else:
            failed.append(how)
    if failed:
        raise failed[0]
    return done


def _three(parts: Parts) -> tuple[Any, Any, Any]:
    return parts.train, parts.validation, parts.test


def _behind(model: FaceModel, faces: Any) -> Callable[[Any], FeatureSet] | None:
    """What gives the cached features of some of the faces; None where the whole model learns."""
    stage = model.frozen_stage()
    return None if stage == "images" else partial(_Some, features_of(model.encoder, faces, stage))


class _Some(FeatureSet):
    """Cached features of some of the faces that were encoded.

    Args:
        whole: features of all.
        faces: some of them.
    """

    def __init__(self, whole: FeatureSet, faces: Any) -> None:
        mark = artifacts.key(of=whole.fingerprint, faces=faces.fingerprint)
        super().__init__(faces, whole.arrays, stage=whole.stage, views=1, fingerprint=mark)
        order = np.argsort(whole.faces.rows)
        self._at = order[np.searchsorted(whole.faces.rows, faces.rows, sorter=order)]

    def batch(self, index: np.ndarray) -> Any:
        """See ``FeatureSet.batch``."""
        return super().batch(self._at[np.asarray(index)])


def _name_of(recipe: Recipe) -> str | None:
    """Name what all trainings depend on; None where a part has no name."""
    source = recipe.source
    plug_in = None if source.plug_in is None else recipe_of_plug_in(source.plug_in)
    if not getattr(source.head, "usual", False) or (plug_in is None) != (source.plug_in is None):
        return None
    return artifacts.key(
        code=code_key(__name__), encoder=weights_key(source.encoder), head=recipe_of_head(source.head),
        plug_in=plug_in, weights=digest(tensors_of(source)), steps=recipe.steps,
        settings=recipe.settings.as_dict(),
    )  # fmt: skip


def _path(shared: str, one: Training, parts: Parts) -> Path:
    sets = [faces.fingerprint for faces in _three(parts)]
    name = artifacts.key(of=shared, sets=sets, seed=one.seed, regime=one.regime)
    return artifacts.home() / SHELF / f"{name}.npz"


def _kept(outcome: Outcome, path: Path | None) -> Outcome:
    if path is not None:
        file = BytesIO()
        np.savez(file, predictions=outcome.predictions, validation=np.float64(outcome.validation))
        artifacts.atomic_write(path, file.getvalue())
    return outcome


def _read(path: Path) -> Outcome:
    from zipfile import BadZipFile

    try:
        with np.load(path, allow_pickle=False) as file:
            return Outcome(file["predictions"], float(file["validation"]))
    except (ValueError, OSError, EOFError, KeyError, BadZipFile) as error:
        rule, fix = "must hold the outcome of a training", "Delete the file to run it again."
        raise DataError(path.name, rule, str(error), fix) from error
