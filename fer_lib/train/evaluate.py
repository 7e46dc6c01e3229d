"""All metrics that a chapter reports for one set of predictions, by the task of the face set."""

from collections.abc import Sequence
from typing import Any

import numpy as np

FEW = {
    "happy_neutral": ("happiness", "neutral"),
    "four_classes": ("anger", "happiness", "surprise", "neutral"),
}


def evaluate(pred: np.ndarray, faces: Any) -> dict[str, float]:
    """Score predictions by every metric of the task, after `pool` where the corpus labels clips.

    Args:
        pred: what :func:`fer_lib.train.predict` gives, (N, outputs).
        faces: the FaceSet that was predicted.

    Returns:
        For valence and arousal ``ccc_valence``, ``ccc_arousal``. For classes ``accuracy``,
        ``mean_class_accuracy``, and, where the vocabulary has them, ``happy_neutral`` (accuracy among the
        faces of these two, choosing between these two) and ``four_classes`` (mean class accuracy for anger,
        happiness, surprise, neutral, in the same way). For states ``macro_f1``.
    """
    from fer_lib import metrics

    pred, faces = pool(pred, faces)
    target = np.asarray(faces.targets())
    if faces.task == "valence_arousal":
        valence, arousal = metrics.ccc(pred, target)
        return {"ccc_valence": float(valence), "ccc_arousal": float(arousal)}
    if faces.task == "multi_label":
        return {"macro_f1": float(metrics.macro_f1((pred > 0.5).astype(int), target.astype(int)))}
    scores = {
        "accuracy": metrics.accuracy(pred, target),
        "mean_class_accuracy": metrics.mean_class_accuracy(pred, target),
    }
    for name, classes in FEW.items():
        if set(classes) <= set(faces.classes):
            chosen = [faces.classes.index(one) for one in classes]
            scores[name] = metrics.mean_class_accuracy(*restrict(pred, target, chosen))
            if name == "happy_neutral":
                scores[name] = metrics.accuracy(*restrict(pred, target, chosen))
    return {name: float(value) for name, value in scores.items()}


def pool(pred: np.ndarray, faces: Any) -> tuple[np.ndarray, Any]:
    """Take the mean of the predictions over the frames that one label is given to, as in OMG-Emotion.

    Which corpora are scored so says ``fer_lib.datasets.facts.CorpusInfo.scored_by``. Frames without a face
    are not in the set and so have no part in the mean.

    Args:
        pred: (N, outputs).
        faces: the FaceSet of N rows that was predicted.

    Returns:
        Predictions (M, outputs) and the set of the first row of each utterance or clip; both as they were
        for corpora that label single pictures, and for a SequenceSet, whose rows are the clips.
    """
    from fer_lib.datasets.corpora import CORPORA, WORLD
    from fer_lib.datasets.splitting import stretches_of

    info = CORPORA.get(getattr(faces, "name", "").removeprefix(WORLD))
    clips = getattr(faces, "index", None) is not None
    group = stretches_of(faces) if not clips and info is not None and info.scored_by == "stretch" else None
    if group is None:
        return pred, faces
    _, first, counts = np.unique(group, return_index=True, return_counts=True)
    total = np.zeros((len(first), pred.shape[1]))
    np.add.at(total, group, pred)
    return (total / counts[:, None]).astype(pred.dtype), faces.subset(first)


def restrict(pred: np.ndarray, target: np.ndarray, chosen: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Keep the rows whose class is among the chosen, and let the prediction choose only among those.

    Args:
        pred: scores (N, K).
        target: class numbers (N,), or shares (N, K), whose largest counts.
        chosen: class numbers.

    Returns:
        Predicted and true classes of the M rows kept, as positions in ``chosen``, both (M,).

    Example:
        >>> scores = np.array([[0.5, 0.2, 0.3], [0.1, 0.6, 0.3], [0.2, 0.5, 0.3]])
        >>> restrict(scores, np.array([0, 1, 2]), [0, 2])
        (array([0, 1]), array([0, 1]))
    """
    target = target.argmax(1) if target.ndim == 2 else target
    kept = np.isin(target, chosen)
    place = {one: k for k, one in enumerate(chosen)}
    truth = np.array([place[one] for one in target[kept]], dtype=int)
    return pred[kept][:, list(chosen)].argmax(1), truth
