"""Where a model fails: errors against what is known of each face, and against changes made to it."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.preprocess.inputs import LUMA

if TYPE_CHECKING:
    import pandas as pd


def error_of_each(pred: np.ndarray, faces: Any) -> np.ndarray:
    """Error of each face, (N,).

    Returns:
        Distance in the valence-arousal plane (0 to about 2.8); or 0 where the likeliest class is right and 1
        where it is wrong; or the share of states that are wrong.

    Example:
        >>> from types import SimpleNamespace
        >>> faces = SimpleNamespace(task="categorical", targets=lambda: np.array([0, 1]))
        >>> error_of_each(np.array([[0.9, 0.1], [0.8, 0.2]]), faces)
        array([0., 1.])
    """
    target = np.asarray(faces.targets())
    if faces.task == "valence_arousal":
        return np.linalg.norm(pred - target, axis=1)
    if faces.task == "multi_label":
        return ((pred > 0.5) != (target > 0.5)).mean(axis=1)
    target = target.argmax(1) if target.ndim == 2 else target
    return (pred.argmax(1) != target).astype(float)


def worst_faces(pred: np.ndarray, faces: Any, count: int = 8) -> np.ndarray:
    """Positions of the faces that the model got most wrong, the worst first, (count,).

    Values are ranked by their distance, classes by the score that the labelled class was given.
    """
    badness = error_of_each(pred, faces)
    if faces.task in ("categorical", "distribution"):
        target = np.asarray(faces.targets())
        target = target.argmax(1) if target.ndim == 2 else target
        badness = -pred[np.arange(len(pred)), target]
    return np.argsort(-badness, kind="stable")[:count]


def properties_of(faces: Any) -> "pd.DataFrame":
    """What may make a face hard, a column a property, (N rows).

    A world knows its faces: intensity of the expression, turn of the head, blur. Of a real face it can be
    measured: brightness (mean of the pixels, 0-1), contrast (their standard deviation) and sharpness (mean
    absolute difference of neighbours over the contrast).
    """
    import pandas as pd

    if faces.truth is not None:
        truth = faces.truth
        return pd.DataFrame(
            {
                "intensity of expression": truth["intensity"],
                "turn of head (degrees)": np.hypot(truth["yaw_deg"], truth["pitch_deg"]),
                "exposure": truth["exposure"],
            }
        )
    grey = _grey(faces.images)
    contrast = grey.std(axis=(1, 2))
    steps = (np.abs(np.diff(grey, axis=1)).mean((1, 2)) + np.abs(np.diff(grey, axis=2)).mean((1, 2))) / 2
    return pd.DataFrame(
        {
            "brightness": grey.mean(axis=(1, 2)),
            "contrast": contrast,
            "sharpness": steps / np.maximum(contrast, 1e-6),
        }
    )


def _grey(images: np.ndarray) -> np.ndarray:
    values = images.astype(np.float32) / 255
    return (
        values[:, 0]
        if values.shape[1] == 1
        else np.tensordot(values, np.array(LUMA, np.float32), axes=(1, 0))
    )


def error_by(errors: np.ndarray, values: Any, *, bins: int = 5) -> "pd.DataFrame":
    """Mean error in bins of a property that hold equally many faces, with 95 % intervals.

    Args:
        errors: (N,).
        values: the property, (N,).
        bins: number of bins; equal edges (ties) are merged.

    Returns:
        A row a bin: x (median of the property), y (mean error), low, high, n.
    """
    import pandas as pd

    from fer_lib.metrics import mean_interval

    values = np.asarray(values, dtype=float)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
    lines = []
    for k in np.unique(place):
        inside = place == k
        if inside.sum() >= 2:
            over = mean_interval(errors[inside])
            lines.append((np.median(values[inside]), over.value, over.low, over.high, int(inside.sum())))
    return pd.DataFrame(lines, columns=["x", "y", "low", "high", "n"])


def failures(preds: Iterable[np.ndarray], faces: Any, *, bins: int = 5) -> "dict[str, pd.DataFrame]":
    """:func:`error_by` for each property of :func:`properties_of`, by the property's name.

    Args:
        preds: predictions of one or several runs; the errors of each face are averaged over them.
        faces: the FaceSet that was predicted.
        bins: of each property.

    Returns:
        Frames with an added column ``name``, "error".
    """
    errors = np.mean([error_of_each(pred, faces) for pred in preds], axis=0)
    found = {name: error_by(errors, values, bins=bins) for name, values in properties_of(faces).items()}
    return {name: frame.assign(name="error") for name, frame in found.items()}


def steepest(trends: "Mapping[str, pd.DataFrame]") -> tuple[str, float, float, float]:
    """The property along which the error changes most between its easiest and hardest bin.

    Returns:
        Its name, the error of the bin with the lowest error, that of the bin with the highest, and the
        property's value (median) in the hardest bin.
    """
    name = max(trends, key=lambda one: np.ptp(trends[one]["y"]))
    hardest = trends[name].loc[trends[name]["y"].idxmax()]
    return name, float(trends[name]["y"].min()), float(hardest["y"]), float(hardest["x"])


def with_contrast(faces: Any, factor: float) -> Any:
    """The same faces with the contrast of each scaled about its own mean.

    Args:
        faces: a FaceSet.
        factor: at least 0; 1 changes nothing, 0.5 halves the contrast. Values beyond 0 and 255 are cut.

    Returns:
        A FaceSet of its own pixels, in memory.

    Raises:
        ValueError: a negative factor.
    """
    if not factor >= 0:
        raise ValueError(f"factor must be at least 0; got {factor}. 1 leaves the contrast as it is.")
    images = faces.images.astype(np.float32)
    mean = images.mean(axis=(1, 2, 3), keepdims=True)
    pixels = np.clip(np.rint(mean + factor * (images - mean)), 0, 255).astype(np.uint8)
    return dataclasses.replace(
        faces, pixels=pixels, rows=np.arange(len(faces)), fingerprint=f"{faces.fingerprint}*{factor:g}"
    )


def contrast_curves(
    models: Mapping[tuple[str, int], Any], faces: Any, factors: Sequence[float]
) -> "pd.DataFrame":
    """Score of each model on the same faces at several contrasts.

    Args:
        models: by (name, seed), see ``Comparison.models``.
        faces: the FaceSet to test on.
        factors: of the contrast.

    Returns:
        A row a name and factor: name, x (factor), y (mean over the seeds), low, high (95 %).
    """
    import pandas as pd

    from fer_lib.metrics import mean_interval
    from fer_lib.train.predict import predict, score

    names = list(dict.fromkeys(name for name, _ in models))
    lines = []
    for factor in factors:
        changed = with_contrast(faces, factor)
        for name in names:
            values = [
                score(predict(model, changed), changed) for (one, _), model in models.items() if one == name
            ]
            over = mean_interval(values) if len(values) > 1 else None
            ends = (over.low, over.high) if over else (values[0], values[0])
            lines.append((name, factor, float(np.mean(values)), *ends))
    return pd.DataFrame(lines, columns=["name", "x", "y", "low", "high"])
