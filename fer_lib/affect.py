"""Emotion vocabularies of the corpora, and divisions of the valence-arousal plane."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

_AFFECTNET = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
_FER2013 = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")

VOCABULARIES: dict[str, tuple[str, ...]] = {
    "affectnet": _AFFECTNET,
    "affectnet7": _AFFECTNET[:7],  # without contempt, as most of the literature (and the thesis) counts
    "masked_affectnet": _AFFECTNET,
    "fer2013": _FER2013,
    "ferplus": ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"),
    "jaffe": ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"),
    "omg_emotion": ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"),
    "elderreact": ("anger", "disgust", "fear", "happiness", "sadness", "surprise"),
    "emoreact": (
        "curiosity", "uncertainty", "excitement", "happiness", "surprise", "disgust", "fear", "frustration",
    ),
    "fabo": (
        "anger", "anxiety", "boredom", "disgust", "fear", "happiness", "puzzlement", "sadness", "surprise",
    ),
    "affwild2": ("neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise"),
}  # fmt: skip
"""Class names of each corpus, in the corpus's own order of indices."""


def index_map(source: str | Sequence[str], target: str | Sequence[str]) -> np.ndarray:
    """Where each class of one vocabulary stands in another.

    Args:
        source: a name in `VOCABULARIES`, or class names.
        target: the same.

    Returns:
        int64 (K_source,): ``index_map(a, b)[i]`` is the index in b of a's class i, -1 where b lacks it.

    Raises:
        ValueError: an unknown vocabulary, or one class named twice.

    Example:
        >>> index_map("ferplus", "fer2013")
        array([ 6,  3,  5,  4,  0,  1,  2, -1])
    """
    names = [_vocabulary(v, which) for v, which in ((source, "source"), (target, "target"))]
    place = {name: i for i, name in enumerate(names[1])}
    return np.array([place.get(name, -1) for name in names[0]], dtype=np.int64)


def _vocabulary(vocabulary: str | Sequence[str], which: str) -> tuple[str, ...]:
    if isinstance(vocabulary, str):
        if vocabulary not in VOCABULARIES:
            near = get_close_matches(vocabulary, VOCABULARIES, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(sorted(VOCABULARIES))}."
            raise ValueError(f"{which} must name a vocabulary; got {vocabulary!r}. {hint}")
        return VOCABULARIES[vocabulary]
    names = tuple(vocabulary)
    if len(set(names)) < len(names):
        raise ValueError(f"{which} must name each class once; got {names}. Remove the repetition.")
    return names


def divide_va(
    valence: Any,
    arousal: Any,
    parts: int,
    *,
    neutral_radius: float = 0.0,
    start_deg: float | None = None,
) -> np.ndarray:
    """Divide the plane by angle into equal sectors around the neutral centre.

    Sectors are counted against the clock from where the first begins. With 4, 8 or 12 parts that is the axis
    of positive valence, so quarter 0 is pleasant and active, 1 unpleasant and active, 2 unpleasant and calm,
    3 pleasant and calm. With 2 parts (the half division) the first begins at -90 degrees: part 0 is pleasant,
    part 1 unpleasant; the thesis does not say which halves it took. A sector holds its first edge and not its
    second. The centre itself has no angle; it falls into the sector of angle 0, or, with a neutral disc, into
    part number ``parts``.

    Args:
        valence: any shape, in [-1, 1].
        arousal: the same shape, in [-1, 1].
        parts: 2, 4, 8 or 12.
        neutral_radius: rows nearer to the centre than this become the additional part ``parts``; 0 has none.
        start_deg: where part 0 begins; 0 with 2 parts halves the plane by arousal instead.

    Returns:
        int64 of that shape, 0 to parts - 1 (to parts with a neutral disc).

    Raises:
        ValueError: another number of parts, unequal shapes, values outside [-1, 1] (AffectNet's -2 says that
            nobody annotated the row), a radius outside [0, 1).

    Example:
        >>> divide_va([0.5, -0.5, -0.5, 0.5, 0.05], [0.5, 0.5, -0.5, -0.5, 0.0], 4, neutral_radius=0.1)
        array([0, 1, 2, 3, 4])

    Reference:
        Antoniadis 2021, section 5.2.1 (4, 8 and 12 parts by angle; half); chapter 02.
    """
    valence, arousal = _plane(valence, arousal)
    if parts not in (2, 4, 8, 12):
        raise ValueError(f"parts must be 2, 4, 8 or 12; got {parts}. For squares use va_bins.")
    if not 0 <= neutral_radius < 1:
        raise ValueError(f"neutral_radius must lie in [0, 1); got {neutral_radius}. 0 means no disc.")
    start = (-90.0 if parts == 2 else 0.0) if start_deg is None else float(start_deg)
    turns = ((np.arctan2(arousal, valence) - np.deg2rad(start)) / (2 * np.pi)) % 1.0
    # An angle a hair below 0 wraps to exactly 1.0, which belongs to the last sector.
    sector = np.minimum(np.floor(turns * parts), parts - 1).astype(np.int64)
    return np.where(np.hypot(valence, arousal) < neutral_radius, parts, sector)


def va_bins(valence: Any, arousal: Any, bins: int) -> np.ndarray:
    """Divide the plane into ``bins`` x ``bins`` equal squares.

    Args:
        valence: any shape, in [-1, 1].
        arousal: the same shape, in [-1, 1].
        bins: squares along each axis, 1 or more.

    Returns:
        int64 of that shape: (arousal's bin) * bins + (valence's bin), 0 (low, low) to bins**2 - 1. On an
        inner edge a value belongs to the upper bin; 1.0 belongs to the last.

    Raises:
        ValueError: bins below 1, unequal shapes, values outside [-1, 1].

    Example:
        >>> va_bins([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], 4)
        array([ 0, 10, 15])

    Reference:
        Antoniadis 2021, section 3.4 (square bins of the soft labels).
    """
    valence, arousal = _plane(valence, arousal)
    if bins < 1 or bins != int(bins):
        raise ValueError(f"bins must be a whole number from 1; got {bins}. 20 gives squares of .1.")
    across, up = (np.minimum((v + 1) / 2 * bins, bins - 1).astype(np.int64) for v in (valence, arousal))
    return up * int(bins) + across


def soft_labels(
    labels: Any, va: Any, bins: int, *, num_classes: int | None = None, at: Any = None
) -> np.ndarray:
    """How the classes are distributed among the faces around each face in the affect plane.

    The plane is cut into ``bins`` x ``bins`` squares; a face's soft label is the share of each class among
    all faces in its square, itself included: an estimate of P(class | valence, arousal). Take it from the
    training set alone.

    Args:
        labels: class numbers, (N,).
        va: valence and arousal, (N, 2), in [-1, 1].
        bins: squares along each axis; 1 gives every face the shares of the whole set.
        num_classes: K; None takes the largest label.
        at: valence and arousal of other faces, (M, 2), to read the squares at; None reads them at the faces
            that are counted.

    Returns:
        float32 (N, K), or (M, K), rows that sum to 1; a face that is alone in its square keeps its own class.
        In a square without counted faces the shares are those of the whole set.

    Raises:
        ValueError: shapes that do not fit, labels outside [0, K), values outside the plane, or no faces.

    Example:
        >>> soft_labels([0, 1, 1], [[0.5, 0.5], [0.6, 0.7], [-0.5, 0.0]], 2)
        array([[0.5, 0.5],
               [0.5, 0.5],
               [0. , 1. ]], dtype=float32)

    Reference: Antoniadis (2021), section 3.4. Chapter 12.
    """
    faces, square = faces_in_squares(labels, va, bins, num_classes)
    if at is not None:
        places = np.asarray(at, dtype=np.float64)
        if places.ndim != 2 or places.shape[1] != 2:
            raise ValueError(f"at must be (M, 2), valence and arousal; got {places.shape}. Stack the two.")
        square = va_bins(places[:, 0], places[:, 1], bins)
        faces[faces.sum(1) == 0] = faces.sum(0)
    return (faces[square] / faces[square].sum(1, keepdims=True)).astype(np.float32)


def faces_in_squares(
    labels: Any, va: Any, bins: int, num_classes: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Count the faces of each class in each square of the plane.

    Args:
        labels, va, bins, num_classes: see `soft_labels`.

    Returns:
        Counts (bins * bins, K), and the square of each face by `va_bins`, (N,).

    Raises:
        ValueError: see `soft_labels`.

    Example:
        >>> counts, square = faces_in_squares([0, 1, 1], [[0.5, 0.5], [0.6, 0.7], [-0.5, 0.0]], 2)
        >>> counts[3].tolist(), square.tolist()
        ([1.0, 1.0], [3, 3, 2])
    """
    labels, va = np.asarray(labels), np.asarray(va, dtype=np.float64)
    if labels.ndim != 1 or not len(labels) or va.shape != (len(labels), 2):
        raise ValueError(
            f"labels must be (N,), N >= 1, and va (N, 2); got {labels.shape} and {va.shape}. Match them."
        )
    count = int(labels.max()) + 1 if num_classes is None else num_classes
    if labels.min() < 0 or labels.max() >= count or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"labels must be whole numbers in [0, {count}); got {labels.dtype} from {labels.min()} to "
            f"{labels.max()}. Leave out faces without an expression."
        )
    square = va_bins(va[:, 0], va[:, 1], bins)
    faces = np.zeros((int(bins) ** 2, count))
    np.add.at(faces, (square, labels), 1)
    return faces, square


def _plane(valence: Any, arousal: Any) -> tuple[np.ndarray, np.ndarray]:
    valence, arousal = np.asarray(valence, dtype=np.float64), np.asarray(arousal, dtype=np.float64)
    if valence.shape != arousal.shape:
        raise ValueError(
            f"valence and arousal must pair up; got {valence.shape}, {arousal.shape}. Match them."
        )
    for name, values in (("valence", valence), ("arousal", arousal)):
        outside = ~((values >= -1) & (values <= 1))  # true for nan as well
        if outside.any():
            raise ValueError(
                f"{name} must lie in [-1, 1]; got {values[outside].flat[0]} (in {int(outside.sum())} rows). "
                "Drop rows that nobody annotated; clip predictions."
            )
    return valence, arousal
