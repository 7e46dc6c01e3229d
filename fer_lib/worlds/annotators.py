"""Annotators: people who look at a face and give it a label, each with bias, slips and their own ruler.

What a face looks like to a crowd is a distribution over emotions: a weak expression looks neutral, fear looks
like surprise, anger like disgust. Every annotator bends it by a bias of their own and draws one label.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fer_lib.worlds.expressions import EMOTIONS, Shown

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
}


@dataclass(frozen=True)
class Panel:
    """A corpus's annotators.

    Attributes:
        count: how many there are.
        bias: spread of an annotator's preferences among labels (in log odds).
        slips: share of labels that are given blindly.
        weak_below: intensity under which an expression looks half neutral.
        shift, noise: spread of an annotator's own offset, and of one rating, of valence and arousal.
    """

    count: int = 12
    bias: float = 0.5
    slips: float = 0.05
    weak_below: float = 0.30
    shift: float = 0.05
    noise: float = 0.10


def confusion_matrix() -> Tensor:
    """(E,E): row = what is shown plainly, column = what a crowd calls it; rows sum to 1.

    >>> round(float(confusion_matrix()[EMOTIONS.index("fear"), EMOTIONS.index("surprise")]), 2)
    0.27
    """
    matrix = torch.zeros(len(EMOTIONS), len(EMOTIONS))
    for row, name in enumerate(EMOTIONS):
        for other, share in CONFUSIONS[name].items():
            matrix[row, EMOTIONS.index(other)] = share
        matrix[row, row] = 1 - matrix[row].sum()
    return matrix


def appearance(shown: Shown, panel: Panel) -> Tensor:
    """What the crowd sees: a distribution over ``EMOTIONS`` (B,E)."""
    matrix = confusion_matrix()
    plain = torch.lerp(matrix[shown.emotion], matrix[shown.second], shown.share[:, None])
    visible = torch.sigmoid((shown.intensity - panel.weak_below) / 0.07)
    visible = torch.where(shown.emotion == 0, torch.ones_like(visible), visible)[:, None]
    return visible * plain + (1 - visible) * matrix[0]


def vote(looks: Tensor, panel: Panel, votes: int, generator: torch.Generator, *, people_seed: int) -> Tensor:
    """Labels (B,votes) by ``votes`` different annotators of the panel a picture.

    Args:
        looks: (B,E) from ``appearance``.
        panel: the annotators; their biases follow from ``people_seed`` alone.
        votes: annotators a picture, at most ``panel.count``.
        generator: draws who annotates what, and the slips.
        people_seed: which panel it is.

    Raises:
        ValueError: more votes than annotators.
    """
    if votes > panel.count:
        raise ValueError(
            f"votes must be at most {panel.count}, the size of the panel; got {votes}. Ask fewer."
        )
    batch, kinds = looks.shape
    own = torch.Generator().manual_seed(people_seed)
    bias = panel.bias * torch.randn(panel.count, kinds, generator=own)
    who = torch.rand(batch, panel.count, generator=generator).argsort(1)[:, :votes]
    bent = looks[:, None].clamp_min(1e-6) * bias[who].exp()
    bent = bent / bent.sum(-1, keepdim=True)
    bent = (1 - panel.slips) * bent + panel.slips / kinds
    return torch.multinomial(bent.view(-1, kinds), 1, generator=generator).view(batch, votes)


def rate(
    valence: Tensor, arousal: Tensor, panel: Panel, generator: torch.Generator, *, people_seed: int
) -> tuple[Tensor, Tensor]:
    """One annotator's valence and arousal of each picture (B,), kept in [-1,1]."""
    own = torch.Generator().manual_seed(people_seed + 1)
    shift = panel.shift * torch.randn(panel.count, 2, generator=own)
    who = torch.randint(0, panel.count, valence.shape, generator=generator)
    slip = panel.noise * torch.randn(len(valence), 2, generator=generator)
    rated = torch.stack([valence, arousal], -1) + shift[who] + slip
    return rated[:, 0].clamp(-1, 1), rated[:, 1].clamp(-1, 1)


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
