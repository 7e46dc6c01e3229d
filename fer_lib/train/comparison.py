"""Train several models with the same seeds, so that their results can be compared in pairs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib import artifacts
from fer_lib.heads import FaceModel
from fer_lib.provenance import code_key
from fer_lib.train.evaluate import evaluate
from fer_lib.train.loop import Fit, fit
from fer_lib.train.parallel import ahead
from fer_lib.train.parts import Parts
from fer_lib.train.predict import predict
from fer_lib.train.randomness import seeded
from fer_lib.train.repeats import repeat
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Comparison:
    """Results of several models over the same seeds.

    Args:
        rows: one row a model, seed and metric: seed, model, metric, value, seconds, device.
        history: one row a model, seed and epoch, see :class:`fer_lib.train.Fit`.
        models: trained models by (name, seed).
        predictions: for the test set, by (name, seed).
    """

    rows: "pd.DataFrame"
    history: "pd.DataFrame"
    models: dict[tuple[str, int], FaceModel] = field(default_factory=dict)
    predictions: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)

    def values(self, model: str, metric: str) -> np.ndarray:
        """One value a seed, (n,), in the order of the seeds."""
        rows = self.rows
        return rows.loc[(rows["model"] == model) & (rows["metric"] == metric), "value"].to_numpy(float)

    def summary(self) -> "pd.DataFrame":
        """Mean over the seeds with its 95 % interval: model, metric, mean, low, high, seeds."""
        from fer_lib.results import summarise

        return summarise(self.rows, by=["model", "metric"])

    def differences(self, baseline: str) -> "pd.DataFrame":
        """Paired difference to one model: model, metric, mean, low, high (95 %), p_value, seeds."""
        import pandas as pd

        from fer_lib.metrics import paired_difference

        lines = []
        for model, metric in self.rows[["model", "metric"]].drop_duplicates().itertuples(index=False):
            if model != baseline:
                d = paired_difference(self.values(model, metric), self.values(baseline, metric))
                found = {"mean": d.mean, "low": d.low, "high": d.high, "p_value": d.p_value, "seeds": d.n}
                lines.append({"model": model, "metric": metric} | found)
        return pd.DataFrame(lines)


def folder_of(parts: Parts, settings: Settings, **told: Any) -> Path:
    """A folder for the checkpoints of one comparison, named by all that they depend on.

    Args:
        parts, settings: as for :func:`compare`.
        **told: whatever else decides, such as the width of a network; plain JSON values.
    """
    sets = [faces.fingerprint for faces in (parts.train, parts.validation, parts.test)]
    name = artifacts.key(own=code_key(__name__), sets=sets, settings=settings.as_dict(), **told)
    return artifacts.home() / "training" / name


def compare(
    builders: Mapping[str, Callable[[], FaceModel]],
    parts: Parts,
    seeds: Iterable[int],
    *,
    epochs: int,
    settings: Settings,
    flip: bool = False,
    folder: str | Path | None = None,
    progress: bool = False,
) -> Comparison:
    """Train each model with each seed on the same parts, and test it.

    A seed decides the first weights, the order of the images, augmentation and dropout, for all models
    alike; parts that two models share start from the same weights when they are built in the same order.
    With a folder, trainings may go side by side, see ``fer_lib.train.parallel``.

    Args:
        builders: name of a model to a function that builds it, with PyTorch's global random numbers.
        parts: the sets.
        seeds: distinct integers.
        epochs: of each training.
        settings: of each training.
        flip: average the test predictions for each face and its mirror image.
        folder: where checkpoints are kept, to resume a stopped comparison and to open a finished one, see
            :func:`folder_of`; None keeps none.
        progress: show a bar over the seeds.

    Returns:
        Metrics of the test set by :func:`fer_lib.train.evaluate`, histories, models, predictions.
    """
    import pandas as pd

    seeds, histories, models, predictions = list(seeds), [], {}, {}

    def learn(name: str, seed: int) -> tuple[FaceModel, Fit]:
        with seeded(seed):
            model = builders[name]()
        place = None if folder is None else Path(folder) / f"{name.replace(' ', '_')}_{seed}.safetensors"
        sets = parts.train, parts.validation
        done = fit(model, *sets, epochs=epochs, seed=seed, settings=settings, checkpoint=place)
        return model, done

    if folder is not None:
        ahead([partial(learn, name, seed) for seed in seeds for name in builders])  # opened below

    def run(seed: int) -> list[dict]:
        rows = []
        for name in builders:
            model, done = learn(name, seed)
            pred = predict(model, parts.test, flip=flip)
            histories.append(done.history.assign(model=name, seed=seed))
            models[name, seed], predictions[name, seed] = model, pred
            about = {"model": name, "seconds": done.seconds, "device": done.device}
            rows += [about | {"metric": m, "value": v} for m, v in evaluate(pred, parts.test).items()]
        return rows

    rows = repeat(run, seeds, progress=progress)
    return Comparison(rows, pd.concat(histories, ignore_index=True), models, predictions)
