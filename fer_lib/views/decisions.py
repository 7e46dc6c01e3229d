"""How predictions compare with labels, face by face: a cloud for values, a confusion matrix for classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from fer_lib.views.style import new_figure, synthetic_note


def decisions(pred: np.ndarray, faces: Any) -> Figure:
    """Predictions against labels, drawn by the face set's task.

    Args:
        pred: what ``fer_lib.train.predict`` gives, (N, outputs).
        faces: the FaceSet that was predicted.

    Returns:
        Valence and arousal: a scatter each. Classes: the confusion matrix. Marked where faces are synthetic.
    """
    target = np.asarray(faces.targets())
    if faces.task == "valence_arousal":
        from fer_lib.views.agreement import agreement

        pairs = {name: (pred[:, k], target[:, k]) for k, name in enumerate(("valence", "arousal"))}
        return agreement(pairs, xlabel="label", synthetic=faces.synthetic)
    from fer_lib.metrics import confusion

    counts = confusion(pred, target, num_classes=len(faces.classes))
    return confusion_matrix(counts, faces.classes, synthetic=faces.synthetic)


def label_texts(faces: Any, index: Sequence[int]) -> list[str]:
    """A short line for each of some faces: its class, its likeliest class, or its valence and arousal."""
    targets = np.asarray(faces.targets())[np.asarray(index)]
    if faces.task == "valence_arousal":
        return [f"v {valence:+.1f}, a {arousal:+.1f}" for valence, arousal in targets]
    classes = targets.argmax(1) if targets.ndim == 2 else targets
    return [faces.classes[one] for one in classes]


def confusion_matrix(counts: np.ndarray, classes: Sequence[str], *, synthetic: bool = False) -> Figure:
    """Confusion matrix: shares of each true class in colour and per cent, its number of faces at the side.

    Args:
        counts: (K, K), true class down, predicted class across.
        classes: K names.
        synthetic: mark the figure as made with synthetic faces.

    Raises:
        ValueError: the matrix is not K by K.
    """
    counts = np.asarray(counts)
    if counts.shape != (len(classes), len(classes)):
        raise ValueError(
            f"counts must be ({len(classes)}, {len(classes)}); got {counts.shape}. Give one name a class."
        )
    totals = counts.sum(1)
    shares = counts / np.maximum(totals, 1)[:, None]
    figure, (ax,) = new_figure(width=5.6, height=4.4)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.ndindex(*shares.shape):
        colour = "white" if shares[i, j] > 0.55 else "#1A1A1A"
        ax.text(j, i, f"{100 * shares[i, j]:.0f}", ha="center", va="center", fontsize=8, color=colour)
    ax.set_xticks(range(len(classes)), classes, rotation=35, ha="right")
    ax.set_yticks(range(len(classes)), [f"{name} ({n})" for name, n in zip(classes, totals, strict=True)])
    ax.set(xlabel="predicted class (per cent of the row)", ylabel="true class (number of faces)")
    ax.grid(visible=False)
    return synthetic_note(figure) if synthetic else figure
