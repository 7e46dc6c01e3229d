"""The same question asked of a linear reader, which is cheap enough for every pair of worlds (chapter 01)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fer_lib.affect import index_map
from fer_lib.metrics import mean_class_accuracy
from fer_lib.train.baseline import gradient_histograms

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.datasets import FaceSet

BASIC = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")


def linear_matrix(
    parts: Mapping[str, tuple["FaceSet", "FaceSet"]],
    seeds: Sequence[int],
    *,
    classes: Sequence[str] = BASIC,
    penalty: float = 30.0,
) -> "pd.DataFrame":
    """Train a ridge classifier on gradient histograms in each world and test it in each.

    Args:
        parts: (train, test) by world, with one class a face; faces of other classes are left out.
        seeds: each draws another two thirds of the training faces.
        classes: that all worlds share.
        penalty: of the squared weights.

    Returns:
        A row a pair and seed: trained, tested, seed, value (mean class accuracy in [0, 1]).
    """
    import pandas as pd
    from sklearn.linear_model import RidgeClassifier

    data = {name: [_features(faces, classes) for faces in pair] for name, pair in parts.items()}
    rows = []
    for seed in seeds:
        for home, ((edges, label), _) in data.items():
            chosen = np.random.default_rng(seed).permutation(len(edges))[: 2 * len(edges) // 3]
            reader = RidgeClassifier(alpha=penalty, class_weight="balanced").fit(edges[chosen], label[chosen])
            for away, (_, (seen, truth)) in data.items():
                value = float(mean_class_accuracy(reader.predict(seen), truth))
                rows.append({"trained": home, "tested": away, "seed": seed, "value": value})
    return pd.DataFrame(rows)


def _features(faces: "FaceSet", classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Gradient histograms (M, 900) of the faces that have one of the classes, and its number (M,)."""
    label = index_map(faces.classes, tuple(classes))[faces.table["expression"].to_numpy()]
    label = np.where(faces.table["expression"].to_numpy() < 0, -1, label)
    return gradient_histograms(faces.subset(label >= 0)), label[label >= 0]
