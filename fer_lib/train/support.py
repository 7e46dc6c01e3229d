"""A support vector machine in place of the last layer: it reads features that a network has learned."""

from collections.abc import Sequence
from typing import Any

import numpy as np

STRENGTHS = (0.01, 0.1, 1.0, 10.0)


def svm_on_features(
    train: tuple[Any, Any],
    validation: tuple[Any, Any],
    *,
    strengths: Sequence[float] = STRENGTHS,
    kernel: str = "rbf",
) -> Any:
    """Fit scikit-learn's support vector classifier to features, and choose its C on other faces.

    Features are standardised by those of the training set; classes weigh alike.

    Args:
        train: features (N, D) and class numbers (N,).
        validation: the same of faces to choose C by, by mean class accuracy; the first of equals.
        strengths: values of C to try, > 0.
        kernel: of scikit-learn's ``SVC``, such as "rbf" or "linear".

    Returns:
        The fitted pipeline; ``predict`` maps features (M, D) to class numbers, and ``named_steps["svc"].C``
        tells the choice.

    Raises:
        ValueError: shapes that do not fit, features that are not finite, fewer than two classes, or no C.

    Example:
        >>> x, y = np.array([[0.0], [0.1], [1.0], [1.1]]), np.array([0, 0, 1, 1])
        >>> svm_on_features((x, y), (x, y)).predict([[0.05], [0.9]]).tolist()
        [0, 1]

    Reference: Antoniadis (2021), section 5.5 and Table 5.4. Chapter 14.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    from fer_lib.metrics import mean_class_accuracy

    parts = {}
    for name, (features, labels) in (("train", train), ("validation", validation)):
        features, labels = np.asarray(features, dtype=np.float64), np.asarray(labels)
        if features.ndim != 2 or labels.shape != features.shape[:1] or not np.isfinite(features).all():
            raise ValueError(
                f"{name} must be finite features (N, D) and labels (N,); got {features.shape} and "
                f"{labels.shape}. Give head.embeddings(map) of every face."
            )
        parts[name] = features, labels
    if not strengths or not all(c > 0 for c in strengths) or len(np.unique(parts["train"][1])) < 2:
        raise ValueError(
            f"strengths must be one or more numbers above 0, and train hold two classes; got "
            f"{tuple(strengths)}, {len(np.unique(parts['train'][1]))}. Try {STRENGTHS}."
        )
    best, chosen = -np.inf, None
    for strength in strengths:
        machine = make_pipeline(StandardScaler(), SVC(C=strength, kernel=kernel, class_weight="balanced"))
        machine.fit(*parts["train"])
        features, labels = parts["validation"]
        score = float(mean_class_accuracy(machine.predict(features), labels))
        if score > best:
            best, chosen = score, machine
    return chosen
