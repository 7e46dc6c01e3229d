"""Annotators: people who look at a face and give it a label, each with bias, slips and their own ruler.

What a face looks like to a crowd is a distribution over emotions: a weak expression looks neutral, fear looks
like surprise, anger like disgust. Every annotator bends it by a bias of their own and draws one label.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from fer_lib.worlds.expressions import Shown
from fer_lib.worlds.feelings import EMOTIONS, FEELINGS

# emotion -> what it is taken for, and how often; the rest is taken for what it is
CONFUSIONS: dict[str, dict[str, float]] = {
    "neutral": {"sadness": 0.05, "happiness": 0.03, "contempt": 0.03, "anger": 0.02},
    "happiness": {"contempt": 0.02, "surprise": 0.02, "neutral": 0.02},
    "sadness": {"neutral": 0.08, "fear": 0.05, "disgust": 0.04, "anger": 0.03},
    "surprise": {"fear": 0.13, "happiness": 0.05, "neutral": 0.02},
    "fear": {"surprise": 0.27, "sadness": 0.07, "disgust": 0.03},
    "disgust": {"anger": 0.23, "sadness": 0.06, "contempt": 0.05},
    "anger": {"disgust": 0.14, "neutral": 0.05, "sadness": 0.04, "contempt": 0.03},
    "contempt": {"neutral": 0.17, "happiness": 0.14, "disgust": 0.09, "anger": 0.05},
    "anxiety": {"fear": 0.15, "sadness": 0.08, "puzzlement": 0.05},
    "boredom": {"sadness": 0.12, "neutral": 0.10, "puzzlement": 0.04},
    "puzzlement": {"anger": 0.10, "anxiety": 0.07, "boredom": 0.05},
    "curiosity": {"surprise": 0.15, "neutral": 0.10, "excitement": 0.05},
    "uncertainty": {"sadness": 0.08, "frustration": 0.10, "neutral": 0.10},
    "excitement": {"happiness": 0.20, "surprise": 0.10},
    "frustration": {"anger": 0.20, "sadness": 0.07, "disgust": 0.05},
}


@dataclass(frozen=True)
class Panel:
    """A corpus's annotators.

    Attributes:
        count: how many there are.
        bias: spread of an annotator's preferences among labels (in log odds).
        slips: share of labels that are given blindly.
        weak_below: intensity under which an expression looks half neutral.
        clear: how much of the confusion disappears where the expression is at its strongest.
        shift, noise: spread of an annotator's own offset, and of one rating, of valence and arousal.
        lean: label -> log odds by which all of the panel prefer it: a bias of the corpus.
        confusions: emotion -> what this panel takes it for; replaces the usual row of ``CONFUSIONS``.
    """

    count: int = 12
    bias: float = 0.5
    slips: float = 0.05
    weak_below: float = 0.30
    clear: float = 0.0
    shift: float = 0.05
    noise: float = 0.10
    lean: dict[str, float] = field(default_factory=dict)
    confusions: dict[str, dict[str, float]] = field(default_factory=dict)


def confusion_matrix(
    names: Sequence[str] = EMOTIONS, confusions: Mapping[str, Mapping[str, float]] | None = None
) -> Tensor:
    """(E,E): row = what is shown plainly, column = what a crowd calls it; rows sum to 1.

    Args:
        names: the feelings of rows and columns; confusions with any other are left out.
        confusions: rows that replace those of ``CONFUSIONS``.

    >>> round(float(confusion_matrix()[EMOTIONS.index("fear"), EMOTIONS.index("surprise")]), 2)
    0.27
    """
    table = CONFUSIONS | dict(confusions or {})
    matrix = torch.zeros(len(names), len(names))
    for row, name in enumerate(names):
        for other, share in table[name].items():
            if other in names:
                matrix[row, names.index(other)] = share
        matrix[row, row] = 1 - matrix[row].sum()
    return matrix


def appearance(shown: Shown, panel: Panel, names: Sequence[str] = EMOTIONS) -> Tensor:
    """What the crowd sees: a distribution over ``names`` (B,E), by default ``EMOTIONS``."""
    matrix = confusion_matrix(names, panel.confusions)
    place = torch.tensor([names.index(name) if name in names else 0 for name in FEELINGS])
    first, second = place[shown.emotion], place[shown.second]
    clarity = panel.clear * torch.sigmoid((shown.intensity - 0.7) / 0.06)[:, None]
    certain = torch.eye(len(names))
    plain = torch.lerp(
        torch.lerp(matrix[first], certain[first], clarity),
        torch.lerp(matrix[second], certain[second], clarity),
        shown.share[:, None],
    )
    visible = torch.sigmoid((shown.intensity - panel.weak_below) / 0.07)
    visible = torch.where(shown.emotion == 0, torch.ones_like(visible), visible)[:, None]
    blank = (
        matrix[names.index("neutral")] if "neutral" in names else torch.full((len(names),), 1 / len(names))
    )
    return visible * plain + (1 - visible) * blank


def bend(looks: Tensor, panel: Panel, *, people_seed: int, names: Sequence[str] = ()) -> Tensor:
    """How each annotator of the panel (J of them) answers: (B,J,K), rows sum to 1.

    Args:
        looks: (B,K) what the crowd sees.
        panel: the annotators; their biases follow from ``people_seed`` alone.
        people_seed: which panel it is.
        names: the K labels, where the panel leans to some.
    """
    kinds = looks.shape[1]
    own = torch.Generator().manual_seed(people_seed)
    bias = panel.bias * torch.randn(panel.count, kinds, generator=own)
    bias = bias + torch.tensor([panel.lean.get(name, 0.0) for name in names] or [0.0] * kinds)
    bent = looks[:, None].clamp_min(1e-6) * bias.exp()
    bent = bent / bent.sum(-1, keepdim=True)
    return (1 - panel.slips) * bent + panel.slips / kinds


def vote(
    looks: Tensor,
    panel: Panel,
    votes: int,
    generator: torch.Generator,
    *,
    people_seed: int,
    names: Sequence[str] = (),
) -> Tensor:
    """Labels (B,votes) by ``votes`` different annotators of the panel a picture.

    Args:
        looks: (B,K) from ``appearance``.
        panel: the annotators; their biases follow from ``people_seed`` alone.
        votes: annotators a picture, at most ``panel.count``.
        generator: draws who annotates what, and the slips.
        people_seed: which panel it is.
        names: the K labels, where the panel leans to some.

    Raises:
        ValueError: more votes than annotators.
    """
    if votes > panel.count:
        raise ValueError(
            f"votes must be at most {panel.count}, the size of the panel; got {votes}. Ask fewer."
        )
    batch, kinds = looks.shape
    who = torch.rand(batch, panel.count, generator=generator).argsort(1)[:, :votes]
    bent = bend(looks, panel, people_seed=people_seed, names=names)[torch.arange(batch)[:, None], who]
    return torch.multinomial(bent.reshape(-1, kinds), 1, generator=generator).view(batch, votes)


def rate(
    valence: Tensor, arousal: Tensor, panel: Panel, generator: torch.Generator, *, people_seed: int
) -> tuple[Tensor, Tensor]:
    """One annotator's valence and arousal of each picture (B,), kept in [-1,1]."""
    rated = rate_many(valence, arousal, panel, 1, generator, people_seed=people_seed)[:, 0]
    return rated[:, 0], rated[:, 1]


def rate_many(
    valence: Tensor,
    arousal: Tensor,
    panel: Panel,
    count: int,
    generator: torch.Generator,
    *,
    people_seed: int,
) -> Tensor:
    """Valence and arousal (B,count,2) by ``count`` different annotators a picture, kept in [-1,1]."""
    batch = len(valence)
    who = torch.rand(batch, panel.count, generator=generator).argsort(1)[:, :count]
    slip = panel.noise * torch.randn(batch, count, 2, generator=generator)
    rated = torch.stack([valence, arousal], -1)[:, None] + offsets(panel, people_seed)[who] + slip
    return rated.clamp(-1, 1)


def offsets(panel: Panel, people_seed: int) -> Tensor:
    """What each annotator adds to valence and arousal: (J,2)."""
    own = torch.Generator().manual_seed(people_seed + 1)
    return panel.shift * torch.randn(panel.count, 2, generator=own)


def expected_rating(valence: Tensor, arousal: Tensor, panel: Panel, *, people_seed: int) -> Tensor:
    """Mean of the rating that an annotator drawn at random gives: (B,2), with the cut at -1 and 1."""
    mean = torch.stack([valence, arousal], -1)[:, None] + offsets(panel, people_seed)  # (B,J,2)
    if panel.noise == 0:
        return mean.clamp(-1, 1).mean(1)
    normal = torch.distributions.Normal(0.0, 1.0)
    low, high = (-1 - mean) / panel.noise, (1 - mean) / panel.noise
    below, above = normal.cdf(low), 1 - normal.cdf(high)
    density = (torch.exp(-low * low / 2) - torch.exp(-high * high / 2)) / math.sqrt(2 * math.pi)
    inside = mean * (1 - below - above) + panel.noise * density
    return (inside - below + above).mean(1)


def pair_agreement(counts: np.ndarray) -> float:
    """How often two annotators, drawn at random from those of a picture, give the same label.

    A = mean over pictures of sum_k n_k (n_k - 1) / (n (n - 1)), as in Fleiss (1971); pictures with fewer than
    two votes are left out.

    Args:
        counts: (N,K) votes a picture and label.

    Returns:
        A share in [0, 1]; nan where no picture has two votes.

    >>> round(pair_agreement(np.array([[2, 0], [1, 1], [3, 1]])), 3)
    0.5
    """
    counts = np.asarray(counts, dtype=float)
    total = counts.sum(1)
    many = total >= 2
    if not many.any():
        return float("nan")
    counts, total = counts[many], total[many]
    return float(((counts * (counts - 1)).sum(1) / (total * (total - 1))).mean())
