"""How much does adapting help? A model from elsewhere, one's own people, a few labelled photos of them."""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib import artifacts
from fer_lib.adapt.regimes import adapted_copy
from fer_lib.adapt.saving import load_model, save_model
from fer_lib.adapt.trainings import YARDSTICK, Outcome, Recipe, Training, outcomes
from fer_lib.affect import index_map
from fer_lib.encoders import FaceChannel
from fer_lib.heads import FaceModel, build_model
from fer_lib.losses import soft_cross_entropy
from fer_lib.provenance import code_key
from fer_lib.train.comparison import Comparison
from fer_lib.train.evaluate import evaluate
from fer_lib.train.loop import fit
from fer_lib.train.parts import Parts
from fer_lib.train.predict import predict
from fer_lib.train.randomness import seeded
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.datasets import FaceSet

UNIT_EPOCHS = 5
AS_IS = "as it is"
RECIPE = Settings(batch_size=16, learning_rate=2e-3)
SOFTENED = partial(soft_cross_entropy, smoothing=0.1)
HELD_OUT, VALIDATION = 0.3, 0.25


def relabel(faces: "FaceSet", classes: Sequence[str]) -> "FaceSet":
    """Number the classes of a set as another set does; faces of other classes are left out and counted.

    Args:
        faces: with one class each.
        classes: names in the order wanted; some may not occur.

    Raises:
        ValueError: fewer than two classes in common.
    """
    place = index_map(faces.classes, tuple(classes))
    if (place >= 0).sum() < 2:
        raise ValueError(
            f"classes must share at least two names with {faces.name} ({', '.join(faces.classes)}); got "
            f"{', '.join(classes)}. Choose another world to learn from, or rename yours."
        )
    number = place[faces.table["expression"].to_numpy()]
    named = dataclasses.replace(
        faces,
        table=faces.table.assign(expression=number),
        classes=tuple(classes),
        tasks=("categorical",),
        fingerprint=artifacts.key(of=faces.fingerprint, classes=list(classes)),
        origin=artifacts.key(of=faces.origin, classes=list(classes)),
    )
    lost = number < 0
    return named.without(lost, reason="class not among yours") if lost.any() else named


def train_source(
    parts: Parts, *, epochs: int, width: float, size: int, units: int = 0, seed: int = 0
) -> FaceModel:
    """Train a FaceChannel elsewhere, once: the same call later opens what is kept.

    Args:
        parts: sets of the world or corpus to learn from, with the classes of one's own faces.
        epochs: passes over the training set.
        width: factor on the channels.
        size: side of the images.
        units: rendered faces from which the encoder first learns to see action units; 0 leaves that out. See
            `fer_lib.evidence.transfer.common_start`.
        seed: of weights and order.

    Returns:
        The model, in evaluation mode on the CPU.
    """
    from fer_lib.evidence.transfer import common_start

    settings = Settings(batch_size=16, learning_rate=3e-3, weight_decay=0.05, balance=0.65)
    name = artifacts.key(
        code=code_key(__name__), train=parts.train.fingerprint, validation=parts.validation.fingerprint,
        epochs=epochs, width=width, size=size, units=units, seed=seed, settings=settings.as_dict(),
    )  # fmt: skip

    def make(folder: Path) -> None:
        with seeded(seed):
            model = build_model(
                FaceChannel, parts.train, hidden=(64,), width=width, size=size, dropout=0.0, loss=SOFTENED
            )
        if units:
            start = common_start(units, epochs=UNIT_EPOCHS, width=width, size=size, seed=seed)
            model.encoder.load_state_dict(start)
        fit(model, parts.train, parts.validation, epochs=epochs, seed=seed, settings=settings)
        save_model(folder / "model.safetensors", model, parts.train, about={"epochs": epochs})

    return load_model(artifacts.build_once("sources", name, make) / "model.safetensors").model


@dataclass
class Adaptation:
    """What came of adapting.

    Args:
        rows: one row a seed, regime, number of photos and metric: seed, model (regime), photos, metric,
            value, validation (score by which one may choose).
        comparison: the rows with the most photos, as pairs, with the predictions; models are not kept.
        parts: by seed: the people learned from, those that chose the epoch, and those tested on.
    """

    rows: "pd.DataFrame"
    comparison: Comparison
    parts: dict[int, Parts] = field(default_factory=dict)

    def curve(self, metric: str) -> "pd.DataFrame":
        """Mean over the seeds by number of photos: name, x, y, low, high (95 %); "as it is" has none."""
        import pandas as pd

        from fer_lib.metrics import mean_interval

        rows = self.rows[(self.rows["metric"] == metric) & (self.rows["model"] != AS_IS)]
        lines = []
        for (name, photos), part in rows.groupby(["model", "photos"], sort=False):
            over = mean_interval(part["value"].to_numpy(float))
            lines.append((name, photos, over.value, over.low, over.high))
        return pd.DataFrame(lines, columns=["name", "x", "y", "low", "high"])

    def best(self) -> str:
        """The regime with the highest validation score: no test face has a say."""
        most = self.rows[self.rows["photos"] == self.rows["photos"].max()].dropna(subset="validation")
        most = most[most["model"] != AS_IS]
        means: dict[str, float] = most.groupby("model", sort=False)["validation"].mean().to_dict()
        return max(means, key=lambda name: means[name])


def study(
    source: FaceModel,
    faces: "FaceSet",
    *,
    regimes: Sequence[str],
    photos: Sequence[int],
    seeds: Iterable[int],
    steps: int = 80,
    settings: Settings | None = None,
    by_person: bool = True,
) -> Adaptation:
    """Adapt a model to one's own people by several regimes and numbers of photos; test it on other people.

    A seed draws who is tested (about three tenths), who chooses the epoch (a quarter of the rest), and the
    photos learned from: the fewer are always among the more. All regimes meet the same draw. Each training is
    kept as soon as it is done, and not run again, see ``fer_lib.adapt.trainings``.

    Args:
        source: the model trained elsewhere, with the classes of `faces`.
        faces: one's own, with one class each; people should be known.
        regimes: see `fer_lib.adapt.REGIMES`.
        photos: numbers of labelled photos to learn from; those beyond what there is count as all.
        seeds: distinct integers.
        steps: at least so many steps of the optimiser in every training.
        settings: of the training; None takes `RECIPE`.
        by_person: False lets photos of one person fall on both sides, to see what that feigns.

    Returns:
        Rows of every run, the yardstick's with the most photos, and the predictions of those.

    Raises:
        DataError: a kept training is damaged.
    """
    import pandas as pd

    settings = settings or RECIPE
    drawn = {seed: draw_people(faces, seed, by_person=by_person) for seed in seeds}
    most = min(len(parts.train) for parts in drawn.values())
    numbers = sorted({min(number, most) for number in photos})
    some = {number: _chosen(drawn, number) for number in numbers}
    wanted = {
        Training(seed, regime, number): some[number][seed]
        for seed in drawn
        for number in numbers
        for regime in (*regimes, *([YARDSTICK] if number == numbers[-1] else []))
    }
    found = outcomes(Recipe(source, faces, steps, settings), wanted)
    rows: list[dict[str, Any]] = []
    predictions: dict[tuple[str, int], np.ndarray] = {}
    for seed, parts in drawn.items():
        own = {one: outcome for one, outcome in found.items() if one.seed == seed}
        before = Outcome(predict(source, parts.test), _own(source, parts.validation))
        for one, outcome in ({Training(seed, AS_IS, numbers[-1]): before} | own).items():
            about = {"seed": seed, "model": one.regime, "photos": one.photos}
            about |= {"validation": outcome.validation}
            rows += [about | score for score in _scores(outcome.predictions, parts.test)]
            predictions[one.regime, seed] = outcome.predictions  # the last: of the most photos
    table = pd.DataFrame(rows)
    last = table[table["photos"] == numbers[-1]].reset_index(drop=True)
    return Adaptation(table, Comparison(last, pd.DataFrame(), {}, predictions), drawn)


def _chosen(drawn: dict[int, Parts], number: int) -> dict[int, Parts]:
    """So many photos to learn from, of each draw of people; the fewer are always among the more."""
    orders = {
        seed: np.random.default_rng(seed).permutation(len(parts.train)) for seed, parts in drawn.items()
    }
    return {
        seed: Parts(parts.train.subset(np.sort(orders[seed][:number])), parts.validation, parts.test)  # type: ignore[attr-defined]
        for seed, parts in drawn.items()
    }


def draw_people(faces: "FaceSet", seed: int, *, by_person: bool = True) -> Parts:
    """People to learn from, to choose the epoch by, and to test on; pictures where people are not known."""
    if not by_person:
        faces = dataclasses.replace(faces, table=faces.table.drop(columns="subject", errors="ignore"))
    rest, test = faces.split(HELD_OUT, seed=seed)
    train, validation = rest.split(VALIDATION, seed=seed)
    return Parts(train, validation, test)


def train_final(
    source: FaceModel, faces: "FaceSet", regime: str, *, steps: int = 80, settings: Settings | None = None
) -> FaceModel:
    """Adapt once more, for use: everybody is learned from but the few who choose the epoch."""
    settings = settings or RECIPE
    train, validation = faces.split(0.2, seed=0)
    model = adapted_copy(source, regime, seed=0)
    epochs = ceil(steps / ceil(len(train) / settings.batch_size))
    fit(model, train, validation, epochs=epochs, seed=0, settings=settings)
    return model


def _scores(pred: np.ndarray, faces: "FaceSet") -> list[dict[str, Any]]:
    return [{"metric": name, "value": value} for name, value in evaluate(pred, faces).items()]


def _own(model: FaceModel, faces: "FaceSet") -> float:
    from fer_lib.train.predict import score

    return score(predict(model, faces), faces)
