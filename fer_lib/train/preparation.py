"""What preparing faces buys: one plain reader, trained on the same faces prepared in several ways."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fer_lib import artifacts
from fer_lib.augment import THESIS, Augmentation, augment
from fer_lib.errors import DataError
from fer_lib.preprocess.facesets import (
    Photographs,
    align_all,
    locate,
    mask_all,
    repicture,
    resize_all,
    take_loosely,
)
from fer_lib.provenance import code_key
from fer_lib.train.baseline import gradient_histograms
from fer_lib.train.comparison import Comparison
from fer_lib.train.parts import Parts
from fer_lib.train.repeats import repeat

if TYPE_CHECKING:
    from fer_lib.datasets import FaceSet

SIDE = 48
STRENGTHS = (3.0, 10.0, 30.0, 100.0)


@dataclass(frozen=True)
class Recipe:
    """How training faces are prepared; test faces are aligned alike, and never augmented.

    Args:
        aligned: by the eyes; otherwise the pictures stay as they were taken.
        copies: augmented copies of each training face beside the face itself.
        masked: share of the training faces that get a mask.
    """

    aligned: bool = False
    copies: int = 0
    masked: float = 0.0


class Reader:
    """Gradient histograms and ridge regression on the classes, every class weighed alike.

    ``fit`` chooses the penalty by the mean class accuracy of the validation faces.
    """

    def __init__(self) -> None:
        self.weights: dict[str, np.ndarray] = {}
        self.strength = float("nan")

    def fit(self, train: tuple[np.ndarray, np.ndarray], validation: "FaceSet") -> "Reader":
        """Learn from features (N,D) with labels (N,)."""
        from sklearn.linear_model import RidgeClassifier

        best = -np.inf
        for strength in STRENGTHS:
            ridge = RidgeClassifier(alpha=strength, class_weight="balanced").fit(*train)
            before, self.weights = (
                self.weights, {"classes": ridge.classes_, "slope": ridge.coef_.T, "height": ridge.intercept_}
            )  # fmt: skip
            value = self.score(validation)
            if value > best:
                best, self.strength = value, strength
            else:
                self.weights = before
        return self

    def predict(self, faces: "FaceSet") -> np.ndarray:
        """Scores (N,K), the largest for the predicted class."""
        found = gradient_histograms(faces) @ self.weights["slope"] + self.weights["height"]
        found = np.stack([-found, found], 1) if found.ndim == 1 else found  # of two classes
        scores = np.full((len(faces), len(faces.classes)), -np.inf)
        scores[:, self.weights["classes"]] = found
        return scores

    def score(self, faces: "FaceSet") -> float:
        """Mean class accuracy."""
        from fer_lib.metrics import mean_class_accuracy

        return float(mean_class_accuracy(self.predict(faces), labels_of(faces)))


def labels_of(faces: "FaceSet") -> np.ndarray:
    """Class numbers (N,); of votes the class with most."""
    target = faces.targets().numpy()
    return target.argmax(1) if target.ndim == 2 else target


def training_features(
    faces: "FaceSet", *, copies: int, seed: int, amounts: Augmentation = THESIS
) -> tuple[np.ndarray, np.ndarray]:
    """Features of faces and of augmented copies of them, with their labels: (N + copies N, D) and (...,)."""
    generator = torch.Generator().manual_seed(seed)
    features = [gradient_histograms(faces)]
    real = torch.from_numpy(np.array(faces.images)).float() / 255
    for copy in range(copies):
        changed = (augment(real, amounts, generator=generator) * 255).round().byte().numpy()
        features.append(gradient_histograms(repicture(faces, changed, how=f"augmented {seed} {copy}")))
    return np.concatenate(features), np.tile(labels_of(faces), copies + 1)


def prepare_parts(parts: Parts, seed: int, *, tilt_deg: float = 20.0) -> dict[str, Photographs]:
    """The three sets as a careless photographer takes them; each seed leaves out another fifth of training.

    Where a corpus has landmarks, faces without them get no mask and are left out and counted.

    Args:
        parts: sets of one corpus.
        seed: draws the framing and the fifth.
        tilt_deg: largest tilt of the camera either way.

    Returns:
        "train", "validation" and "test".
    """
    train, _ = parts.train.split(0.2, seed=seed)
    chosen = {"train": train, "validation": parts.validation, "test": parts.test}
    return {
        name: take_loosely(locate(_with_landmarks(faces)), seed=1000 * seed + k, roll_deg=tilt_deg)
        for k, (name, faces) in enumerate(chosen.items())
    }


def _with_landmarks(faces: "FaceSet") -> "FaceSet":
    """Leave out faces without landmarks where others of the set have them."""
    if faces.truth is not None or "lm_x_00" not in faces.table:
        return faces
    blind = faces.table["lm_x_00"].isna().to_numpy()
    return faces.without(blind, reason="no landmarks") if blind.any() and not blind.all() else faces


def study(
    parts: Parts,
    recipes: Mapping[str, Recipe],
    seeds: Iterable[int],
    *,
    tilt_deg: float = 20.0,
    amounts: Augmentation = THESIS,
) -> Comparison:
    """Train the reader by each recipe with each seed; test it on bare and, with landmarks, on masked faces.

    A seed draws the framing of every picture, the training faces, the augmentations and the masks, alike for
    all recipes, so that results come in pairs. Finished seeds are kept and not run again; with FER_PROCESSES,
    seeds run side by side.

    Args:
        parts: faces with one label each, or votes.
        recipes: name to recipe.
        seeds: distinct integers.
        tilt_deg: largest tilt of the camera either way.
        amounts: of the augmentation.

    Returns:
        Rows with the metrics "bare" and "masked" (mean class accuracy), and the readers.

    Raises:
        DataError: a kept seed is damaged.
    """
    import pandas as pd

    seeds, folder = list(seeds), _folder(parts, recipes, tilt_deg, amounts)

    def run(seed: int) -> list[dict[str, Any]]:
        taken = prepare_parts(parts, seed, tilt_deg=tilt_deg)
        tests = {"bare": taken["test"]}
        if taken["test"].landmarks is not None:
            tests["masked"] = mask_all(taken["test"], seed=seed + 7)
        frame = {True: align_all, False: resize_all}
        shown = {(m, a): frame[a](t, size=SIDE).faces for m, t in tests.items() for a in (True, False)}
        checks = {a: frame[a](taken["validation"], size=SIDE).faces for a in (True, False)}
        rows, readers = [], {}
        for name, recipe in recipes.items():
            source = taken["train"]
            source = mask_all(source, seed=seed, share=recipe.masked) if recipe.masked else source
            faces = frame[recipe.aligned](source, size=SIDE).faces
            features = training_features(faces, copies=recipe.copies, seed=seed, amounts=amounts)
            readers[name] = reader = Reader().fit(features, checks[recipe.aligned])
            rows += [
                {"model": name, "metric": m, "value": reader.score(shown[m, recipe.aligned])} for m in tests
            ]
        _keep(folder / f"seed_{seed}.npz", readers)
        return rows

    rows = repeat(run, seeds, folder=folder, processes=None)
    models: dict[tuple[str, int], Any] = {
        (name, seed): reader
        for seed in seeds
        for name, reader in _kept(folder / f"seed_{seed}.npz", recipes).items()
    }
    return Comparison(rows, pd.DataFrame(), models)


def _folder(parts: Parts, recipes: Mapping[str, Recipe], tilt_deg: float, amounts: Augmentation) -> Path:
    """Where finished seeds are kept, named by all that they depend on."""
    name = artifacts.key(
        code=code_key(__name__, ("preprocess",)), tilt_deg=tilt_deg, amounts=asdict(amounts),
        recipes=[[name, asdict(recipe)] for name, recipe in recipes.items()],
        sets=[faces.fingerprint for faces in (parts.train, parts.validation, parts.test)],
    )  # fmt: skip
    return artifacts.home() / "preparations" / name


def _keep(path: Path, readers: Mapping[str, Reader]) -> None:
    """Write the readers of a seed, before its rows tell that it is finished."""
    found: dict[str, Any] = {}
    for k, reader in enumerate(readers.values()):
        found |= {f"{k} strength": np.float64(reader.strength)}
        found |= {f"{k} {name}": values for name, values in reader.weights.items()}
    file = BytesIO()
    np.savez(file, **found)
    artifacts.atomic_write(path, file.getvalue())


def _kept(path: Path, names: Iterable[str]) -> dict[str, Reader]:
    from zipfile import BadZipFile

    readers = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for k, name in enumerate(names):
                readers[name] = reader = Reader()
                reader.weights = {one: file[f"{k} {one}"] for one in ("classes", "slope", "height")}
                reader.strength = float(file[f"{k} strength"])
    except (ValueError, OSError, EOFError, KeyError, BadZipFile) as error:
        rule, fix = "must hold the readers of a finished seed", f"Delete the folder {path.parent.name}."
        raise DataError(path.name, rule, str(error), fix) from error
    return readers


def blurred_eyes(eyes: np.ndarray, spread: float, *, seed: int) -> np.ndarray:
    """Eye centres (N,2,2) with Gaussian errors, ``spread`` in shares of the eyes' distance.

    Example:
        >>> eyes = np.array([[[0.0, 0.0], [10.0, 0.0]]])
        >>> bool((blurred_eyes(eyes, 0.0, seed=0) == eyes).all())
        True
    """
    apart = np.linalg.norm(eyes[:, 1] - eyes[:, 0], axis=1)[:, None, None]
    return eyes + np.random.default_rng(seed).normal(0, 1, eyes.shape) * spread * apart
