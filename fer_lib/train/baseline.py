"""A yardstick without a network: histograms of oriented gradients and a linear model."""

from typing import Any

import numpy as np

from fer_lib.train.parts import Parts

SIDE = 48


def gradient_histograms(faces: Any) -> np.ndarray:
    """Histograms of oriented gradients: 9 directions in cells of 8 x 8 pixels, blocks of 2 x 2 cells.

    Args:
        faces: a FaceSet; pictures are made grey and resized to 48 x 48.

    Returns:
        float32 (N, 900).

    Reference:
        Dalal and Triggs (2005).
    """
    import cv2

    describe = cv2.HOGDescriptor((SIDE, SIDE), (16, 16), (8, 8), (8, 8), 9)
    grey = faces.images.mean(axis=1).astype(np.uint8)  # (N, H, W)
    small = (cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for picture in grey)
    return np.stack([np.ravel(describe.compute(picture)) for picture in small])


def histogram_baseline(parts: Parts, *, strength: float = 0.05, seed: int = 0) -> np.ndarray:
    """Predict the test set by a linear model on gradient histograms of the training set.

    Classes: a linear support vector machine that weighs all classes alike. Values: ridge regression.

    Args:
        parts: the sets; the validation part is not used.
        strength: C of the support vector machine; ridge takes its inverse as the penalty.
        seed: of the machine's solver.

    Returns:
        (N, K) scores, the largest for the predicted class, or (N, 2) = (valence, arousal).

    Raises:
        ValueError: a task with several labels a face.
    """
    from sklearn.linear_model import Ridge
    from sklearn.svm import LinearSVC

    train, test = gradient_histograms(parts.train), gradient_histograms(parts.test)
    target = parts.train.targets().numpy()
    if parts.train.task == "valence_arousal":
        return Ridge(alpha=1 / strength).fit(train, target).predict(test)
    if parts.train.task == "multi_label":
        raise ValueError(
            "task must have one label a face; got 'multi_label'. Choose another task of the set."
        )
    target = target.argmax(1) if target.ndim == 2 else target
    machine = LinearSVC(C=strength, class_weight="balanced", random_state=seed).fit(train, target)
    scores = np.full((len(test), len(parts.train.classes)), -np.inf)
    found = machine.decision_function(test)
    if found.ndim == 1:  # two classes: one column
        found = np.stack([-found, found], axis=1)
    scores[:, machine.classes_] = found
    return scores
