"""Linear probes: what can be read off frozen features by a straight line (chapter 06)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.metrics import ccc, mean_class_accuracy, pearson

if TYPE_CHECKING:
    import pandas as pd

TASKS = ("regression", "classification")
PENALTIES = tuple(10.0**k for k in range(-1, 7))
FARTHEST = 10.0  # spreads from the mean that a feature may lie
"""Of the squared weights, where features are standardised and errors summed over the faces."""
COMPONENTS = 128  # that a reader of classes gets, where features are wider

Pair = tuple[np.ndarray, np.ndarray]


def probe(
    train: Pair, validation: Pair, test: Pair, *, task: str, penalties: Sequence[float] = PENALTIES
) -> dict[str, Any]:
    """Fit a penalised linear reader to frozen features, and test it.

    Features are standardised with the training faces' means and deviations. The penalty is the one that does
    best on the validation faces; the reader is not fitted again, and the test faces choose nothing. Ridge
    regression reads numbers. Multinomial logistic regression reads classes (all classes weigh alike), from
    the `COMPONENTS` leading principal components where features are wider.

    Args:
        train: features (N, ...) and targets: numbers (N,) or (N, D), or class numbers (N,).
        validation: the same of the faces that choose the penalty, for each column of the target alone.
        test: the same of the faces to report on.
        task: "regression" or "classification".
        penalties: to choose from, > 0.

    Returns:
        ``score``: of the test faces, Pearson's correlation or the mean class accuracy; ``validation``: what
        chose the penalty there, R^2 or the mean class accuracy; ``penalty``; ``pred``: of the test faces;
        ``chance``: 0, or 1 / number of classes; for numbers also ``r2`` and ``ccc``. Arrays (D,) for targets
        (N, D). Correlation forgives test faces whose targets have another mean or spread than those learned
        from, as where a corpus tests on equally many faces of each class; the other two do not.

    Raises:
        ValueError: an unknown task, penalties that are not above 0, rows that do not pair up, features that
            are not finite, or a single class.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(300, 5))
        >>> parts = [(x[k : k + 100], x[k : k + 100, 0] + 1) for k in (0, 100, 200)]
        >>> round(probe(*parts, task="regression")["score"], 3)
        1.0

    Reference:
        Alain and Bengio (2017), "Understanding intermediate layers using linear classifier probes".
    """
    _check(train, validation, test, task, penalties)
    features = _standardised(*(pair[0] for pair in (train, validation, test)))
    targets = [np.asarray(pair[1]) for pair in (train, validation, test)]
    return (_numbers if task == "regression" else _classes)(features, targets, sorted(penalties))


def probe_rows(
    features: Mapping[str, Sequence[np.ndarray]],
    targets: Mapping[str, Sequence[np.ndarray]],
    *,
    penalties: Sequence[float] = PENALTIES,
    resamples: int = 200,
    seed: int = 0,
) -> "pd.DataFrame":
    """Probe several encoders for several properties of the same faces.

    Args:
        features: name of an encoder to its features of the train, validation and test faces.
        targets: name of a property to its values there; integers are classes, other numbers are numbers.
        penalties: see :func:`probe`.
        resamples: draws of the test faces for the interval; the same draws for all encoders.
        seed: of the draws.

    Returns:
        A row an encoder and property: encoder, property, task, score, low, high (95 %, over the test faces),
        chance, penalty.
    """
    import pandas as pd

    from fer_lib.metrics import bootstrap_interval

    rows = []
    for name, parts in features.items():
        found = _all_properties(parts, targets, penalties)
        for what, values in targets.items():
            task, truth = task_of(values[0]), np.asarray(values[2])
            measure = pearson if task == "regression" else mean_class_accuracy
            spread = bootstrap_interval(measure, found[what]["pred"], truth, resamples=resamples, seed=seed)
            rows.append(
                {"encoder": name, "property": what, "task": task, "score": found[what]["score"]}
                | {"low": float(spread.low), "high": float(spread.high)}
                | {"chance": found[what]["chance"], "penalty": found[what]["penalty"]}
            )
    return pd.DataFrame(rows)


def _all_properties(
    parts: Sequence[np.ndarray], targets: Mapping[str, Sequence[np.ndarray]], penalties: Sequence[float]
) -> dict[str, dict[str, Any]]:
    """Probe one encoder; all numbers in one ridge regression, which is no other result and much faster."""
    numbers = [name for name, values in targets.items() if task_of(values[0]) == "regression"]
    found = {
        name: probe(*zip(parts, values, strict=True), task="classification", penalties=penalties)  # type: ignore[arg-type]
        for name, values in targets.items()
        if name not in numbers
    }
    if numbers:
        stacked = [np.stack([targets[name][k] for name in numbers], axis=1) for k in range(3)]
        both = probe(*zip(parts, stacked, strict=True), task="regression", penalties=penalties)  # type: ignore[arg-type]
        for k, name in enumerate(numbers):
            found[name] = {
                "score": float(both["score"][k]), "penalty": float(both["penalty"][k]),
                "pred": both["pred"][:, k], "chance": both["chance"],
            }  # fmt: skip
    return found


def task_of(values: np.ndarray) -> str:
    """Integers are classes, other numbers are numbers."""
    return "regression" if np.asarray(values).dtype.kind == "f" else "classification"


def r_squared(pred: np.ndarray, target: np.ndarray) -> Any:
    """Share of each column's variance that is predicted: 1 - (mean squared error) / variance.

    Args:
        pred: (N,) or (N, D).
        target: the same shape; where it does not vary the share is 0.

    Example:
        >>> float(r_squared(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0])).round(3))
        0.786
    """
    error, spread = ((pred - target) ** 2).mean(0), np.var(target, axis=0)
    return np.where(spread > 0, 1 - error / np.where(spread > 0, spread, 1), 0.0)


def _standardised(train: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Features in units of their spread over the training faces, held within `FARTHEST` of them.

    A unit that hardly ever fires can lie thousands of spreads out for one face of another part, and a linear
    reader then loses that face, and its score, to a single number.
    """
    flat = [np.asarray(part, dtype=np.float64).reshape(len(part), -1) for part in (train, *others)]
    mean, spread = flat[0].mean(0), flat[0].std(0)
    scale = np.where(spread > 1e-8, spread, 1.0)  # a dead unit stays at 0
    return [((part - mean) / scale).clip(-FARTHEST, FARTHEST) for part in flat]


def _numbers(features: list[np.ndarray], targets: list[np.ndarray], penalties: list[float]) -> dict[str, Any]:
    from sklearn.linear_model import Ridge

    single = targets[0].ndim == 1
    y, watched, held = (np.asarray(t, dtype=np.float64).reshape(len(t), -1) for t in targets)
    best = np.full(y.shape[1], -np.inf)
    pred, chosen = np.zeros(held.shape), np.zeros(y.shape[1])
    for penalty in penalties:
        reader = Ridge(alpha=penalty).fit(features[0], y)
        scores = r_squared(reader.predict(features[1]).reshape(watched.shape), watched)
        better = scores > best
        best = np.where(better, scores, best)
        chosen = np.where(better, penalty, chosen)
        pred[:, better] = reader.predict(features[2]).reshape(held.shape)[:, better]
    found = {"score": pearson(pred, held), "r2": r_squared(pred, held), "ccc": ccc(pred, held)}
    found |= {"validation": best, "penalty": chosen}
    if single:
        found = {name: float(value[0]) for name, value in found.items()}
    return found | {"pred": pred[:, 0] if single else pred, "chance": 0.0}


def _classes(features: list[np.ndarray], targets: list[np.ndarray], penalties: list[float]) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression

    features = _leading(features)
    y, watched, held = targets
    found: dict[str, Any] = {"validation": -np.inf, "chance": 1 / len(np.unique(y))}
    reader = LogisticRegression(max_iter=60, tol=1e-3, class_weight="balanced", warm_start=True)
    for penalty in reversed(penalties):  # from stiff to loose, each from where the last one ended
        reader.set_params(C=1 / penalty)
        _fit_quietly(reader, features[0], y)
        score = float(mean_class_accuracy(reader.predict(features[1]), watched))
        if score > found["validation"]:
            found |= {"validation": score, "penalty": penalty, "pred": reader.predict(features[2])}
    return found | {"score": float(mean_class_accuracy(found["pred"], held))}


def _leading(features: list[np.ndarray]) -> list[np.ndarray]:
    """Turn wide features to their leading principal components: a logistic fit to thousands is slow."""
    if min(features[0].shape) <= COMPONENTS:
        return features
    from sklearn.decomposition import PCA

    turned = PCA(COMPONENTS, svd_solver="covariance_eigh").fit(features[0])
    return [turned.transform(part) for part in features]


def _fit_quietly(reader: Any, features: np.ndarray, labels: np.ndarray) -> None:
    """Loose penalties need not converge: validation decides whether they serve."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader.fit(features, labels)


def _check(train: Pair, validation: Pair, test: Pair, task: str, penalties: Sequence[float]) -> None:
    if task not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}; got {task!r}. Numbers need regression.")
    if not penalties or min(penalties) <= 0:
        raise ValueError(f"penalties must be above 0; got {list(penalties)}. Give at least one.")
    for name, (features, target) in (("train", train), ("validation", validation), ("test", test)):
        if len(features) != len(target) or not len(features):
            raise ValueError(
                f"{name} must pair features with targets; got {len(features)} and {len(target)} rows. "
                "Give one target a face."
            )
        if not np.isfinite(np.asarray(features, dtype=np.float64)).all():
            raise ValueError(f"{name} must have finite features; got nan or inf. Check the encoder.")
    if task == "classification" and len(np.unique(train[1])) < 2:
        raise ValueError("train must hold at least two classes; got one. There is nothing to tell apart.")
