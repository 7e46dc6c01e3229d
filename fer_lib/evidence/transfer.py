"""What a reader trained in one world is worth in another: home, away, and the loss between (chapter 01)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from fer_lib import artifacts
from fer_lib.affect import index_map
from fer_lib.augment import Augmentation
from fer_lib.encoders import FaceChannel
from fer_lib.encoders.files import digest
from fer_lib.evidence.units import unit_faces, unit_regressor
from fer_lib.heads import FaceModel, build_model
from fer_lib.metrics import macro_f1
from fer_lib.provenance import code_key
from fer_lib.train import Settings, fit, predict, repeat, score, seeded
from fer_lib.train.parts import load_train_and_test
from fer_lib.worlds import SceneStyle

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.datasets import FaceSet

SHELF = "journeys"
HELD_OUT = 0.12  # share of a training split that chooses epochs and thresholds
WIDE = SceneStyle(yaw_deg=10, pitch_deg=6, roll_deg=6, scale=(0.95, 1.40), shift=0.04)
MOVED = Augmentation(flip=0.5, rotate_deg=5, zoom=0.1, shift=0.05, brightness=0.1, contrast=0.3)
STEPS = tuple(np.linspace(0.05, 0.95, 19).round(2))


def load_worlds(
    names: Sequence[str], *, train: int, test: int, size: int = 48
) -> dict[str, tuple["FaceSet", "FaceSet"]]:
    """Faces to learn from and to be tested on, by world.

    Args:
        names: of worlds.
        train: at most so many faces to learn from.
        test: at most so many to be tested on, of the splits that are not for training; a world without any
            (its corpus has none) gives the faces of a quarter of its people.
        size: side in pixels.
    """
    return {name: load_train_and_test(f"world:{name}", size=size, limits=(train, test)) for name in names}


def common_start(
    count: int, *, epochs: int, width: float = 0.125, size: int = 48, seed: int = 0
) -> dict[str, Tensor]:
    """Weights to start every reader from: those of a FaceChannel that learned to see action units.

    The units are drawn independently, so the weights know faces and muscles, and no world's dialect. From
    them a few passes over some thousand faces are enough; from random weights they are not.

    Args:
        count: faces to learn from.
        epochs: passes over them.
        width, size: of the FaceChannel.
        seed: draws the faces and trains.
    """
    faces = unit_faces(count, size=size, seed=seed, style=WIDE)
    model, _ = unit_regressor(faces, epochs=epochs, width=width, seed=seed, augmentation=MOVED)
    return model.encoder.state_dict()


@dataclass(frozen=True)
class Recipe:
    """How each FaceChannel of the comparison is made, the same at home and away.

    Args:
        width, size: of the FaceChannel.
        start: weights that every encoder starts from, see :func:`common_start`; None: random ones.
        epochs: of each training.
        settings: of each training; classes are drawn more evenly than they occur (``balance``).
        balance: for tasks with one class a face.
    """

    width: float = 0.125
    size: int = 48
    start: Mapping[str, Tensor] | None = None
    epochs: int = 3
    settings: Settings = Settings(batch_size=16, learning_rate=2e-3)  # noqa: RUF009 - frozen
    balance: float = 0.5

    def train(self, faces: "FaceSet", *, seed: int) -> "Reader":
        """Train on a set, choosing the epoch, and the thresholds of states, on a part held back."""
        from dataclasses import replace

        train, held = faces.split(HELD_OUT, seed=seed)
        one_class = faces.task in ("categorical", "distribution")
        settings = replace(self.settings, balance=self.balance if one_class else 0.0)
        with seeded(seed):
            model = build_model(FaceChannel, faces, width=self.width, size=self.size, dropout=0.1)
            if self.start is not None:
                model.encoder.load_state_dict(self.start)
        done = fit(model, train, held, epochs=self.epochs, seed=seed, settings=settings)
        found = predict(model, held)
        truth = _states(held)
        levels = None if truth is None else thresholds(found, truth)
        return Reader(model, faces.task, faces.classes, levels, done.seconds)


@dataclass(frozen=True)
class Reader:
    """A trained model and the words it knows.

    Args:
        model: gives the predictions.
        task: that it was trained on.
        classes: of its outputs; () for valence and arousal.
        levels: (K,) above which probability a class or state is called present; None for values.
        seconds: of the training.
    """

    model: FaceModel
    task: str
    classes: tuple[str, ...]
    levels: np.ndarray | None
    seconds: float = 0.0


def _states(faces: "FaceSet") -> np.ndarray | None:
    """Which classes are present, (N, K) of 0 and 1; None for values."""
    if faces.task == "valence_arousal":
        return None
    target = faces.targets().numpy()
    if faces.task == "categorical":
        return np.eye(len(faces.classes), dtype=int)[target]
    if faces.task == "distribution":
        return np.eye(len(faces.classes), dtype=int)[target.argmax(1)]
    return target.astype(int)


def thresholds(pred: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Level of each column above which its state is best called present: the one with the highest F1.

    Args:
        pred: probabilities (N, K).
        states: 0 or 1, (N, K).

    Returns:
        (K,), each among 0.05, 0.10 ... 0.95; the lowest of equally good ones.

    Example:
        >>> thresholds(np.array([[0.2], [0.3], [0.6]]), np.array([[0], [1], [1]])).tolist()
        [0.2]
    """
    called = pred[:, :, None] > np.array(STEPS)  # (N, K, S)
    present = states[:, :, None].astype(bool)
    hits = (called & present).sum(0)
    f1 = 2 * hits / np.maximum(called.sum(0) + present.sum(0), 1)  # (K, S)
    return np.array(STEPS)[f1.argmax(1)]


def read_as(pred: np.ndarray, reader: Reader, faces: "FaceSet") -> np.ndarray:
    """Turn a reader's predictions into what another world asks for, by the names of the classes.

    Classes and states are found by name; one that the reader does not know is never called. For states, a
    class is called present where its probability exceeds the reader's own level. Values stay as they are.

    Args:
        pred: of the reader's model, (N, outputs).
        reader: whose predictions they are.
        faces: the world's faces, which name task and classes.

    Returns:
        (N, K) in the order of the world's classes: probabilities, or 0/1 for states; or (N, 2).

    Raises:
        ValueError: a reader of values is asked for classes, or the other way round.
    """
    values = faces.task == "valence_arousal"
    if values != (reader.task == "valence_arousal"):
        raise ValueError(
            f"reader must read {'values' if values else 'classes'} for {faces.name}; got {reader.task!r}. "
            "Give the other reader."
        )
    if values:
        return pred
    place = index_map(faces.classes, reader.classes)  # (K,), -1 where the reader lacks the word
    known = np.where(place >= 0, place, 0)
    if faces.task != "multi_label":
        return np.where(place >= 0, pred[:, known], -1.0)
    assert reader.levels is not None
    return ((pred > reader.levels)[:, known] & (place >= 0)).astype(float)


def points(pred: np.ndarray, faces: "FaceSet") -> float:
    """Score in points: 100 times the world's own metric."""
    if faces.task == "multi_label":
        return 100 * float(macro_f1(pred.astype(int), faces.targets().numpy().astype(int)))
    return 100 * score(pred, faces)


def cross(
    parts: Mapping[str, tuple["FaceSet", "FaceSet"]],
    seeds: Sequence[int],
    *,
    source: str = "affectnet",
    recipe: Recipe | None = None,
) -> "pd.DataFrame":
    """Train in the source world and at home, and test both in every other world, without adapting.

    The source is read twice, for expressions and for valence and arousal; each world takes the reader that
    fits its task (:func:`read_as`). Finished seeds are kept and not run again; with FER_PROCESSES, seeds run
    side by side.

    Args:
        parts: (train, test) by world; the source's must allow both tasks.
        seeds: of the trainings; home and away share each of them.
        source: the world that the travellers come from.
        recipe: of every training.

    Returns:
        A row a world, place ("home", "away") and seed: world, task, metric, place, seed, points, seconds.
    """
    recipe = recipe or Recipe()

    def run(seed: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        travellers = {
            task: recipe.train(parts[source][0].as_task(task), seed=seed)
            for task in ("categorical", "valence_arousal")
        }
        for world, (train, test) in parts.items():
            if world == source:
                continue
            away = travellers["valence_arousal" if test.task == "valence_arousal" else "categorical"]
            for place, reader in (("home", recipe.train(train, seed=seed)), ("away", away)):
                pred = read_as(predict(reader.model, test), reader, test)
                about = {"world": world, "task": test.task, "metric": test.metric, "place": place}
                rows.append(about | {"points": points(pred, test), "seconds": reader.seconds})
        return rows

    folder = artifacts.home() / SHELF / _key(parts, source, recipe)
    found = repeat(run, seeds, folder=folder, processes=None)
    return found[["world", "task", "metric", "place", "seed", "points", "seconds"]]


def _key(parts: Mapping[str, tuple["FaceSet", "FaceSet"]], source: str, recipe: Recipe) -> str:
    """Name all that the rows of a seed depend on."""
    told = {name: value for name, value in vars(recipe).items() if name not in ("start", "settings")}
    start = None if recipe.start is None else digest(dict(recipe.start))
    sets = [[world, *(faces.fingerprint for faces in pair)] for world, pair in parts.items()]
    return artifacts.key(
        code=code_key(__name__), source=source, sets=sets, recipe=told, start=start,
        settings=recipe.settings.as_dict(),
    )  # fmt: skip


def losses(rows: "pd.DataFrame") -> "pd.DataFrame":
    """What each world's own reader reaches, what the traveller reaches, and the loss, in points.

    Args:
        rows: of :func:`cross`, of two seeds or more.

    Returns:
        A row a world, the largest loss first: world, metric, home, away, loss, low, high (95 %, over paired
        seeds).
    """
    import pandas as pd

    from fer_lib.metrics import paired_difference

    lines = []
    for (world, metric), part in rows.groupby(["world", "metric"], sort=False):
        values = part.pivot(index="seed", columns="place", values="points")
        lost = paired_difference(values["home"], values["away"])
        line = {
            "world": world,
            "metric": metric,
            "home": values["home"].mean(),
            "away": values["away"].mean(),
        }
        lines.append(line | {"loss": lost.mean, "low": lost.low, "high": lost.high})
    return pd.DataFrame(lines).sort_values("loss", ascending=False, ignore_index=True)
