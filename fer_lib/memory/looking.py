"""How far codes lie apart, and whether painted faces say what they were painted for (chapter 10)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.spatial.distance import cdist, pdist

from fer_lib.memory.films import AXES, Film
from fer_lib.memory.starts import Bank, codes_of, prior_answers
from fer_lib.metrics import ccc
from fer_lib.preprocess.inputs import prepare
from fer_lib.pretrain.autoencoder import PKAutoencoder
from fer_lib.train.device import device

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Painted:
    """One face painted with other affects.

    Args:
        affects: asked for, (N, 2) valence and arousal.
        codes: of the paintings, (N, latent).
        read: what the prior reads from the paintings, (N, 2).
    """

    affects: np.ndarray
    codes: np.ndarray
    read: np.ndarray

    def arrived(self) -> dict[str, float]:
        """CCC between what was asked for and what is read, by axis."""
        return {axis: float(ccc(self.read[:, k], self.affects[:, k])) for k, axis in enumerate(AXES)}

    def slopes(self) -> dict[str, float]:
        """By how much the reading rises where the wish rises by 1, by axis."""
        lines = [np.polyfit(self.affects[:, k], self.read[:, k], 1)[0] for k in range(2)]
        return {axis: float(slope) for axis, slope in zip(AXES, lines, strict=True)}


@torch.no_grad()
def paint(prior: PKAutoencoder, frame: np.ndarray, *, count: int = 200, seed: int = 0) -> Painted:
    """Paint a face uint8 (C, H, W) with affects drawn evenly from the square."""
    affects = np.random.default_rng(seed).uniform(-1, 1, (count, 2))
    picture = prepare(torch.as_tensor(frame)[None].to(device()), prior.encoder.input_spec)
    told = torch.from_numpy(affects[:, ::-1].copy()).to(picture)
    edited = prior.to(device()).eval().edit(picture.expand(count, -1, -1, -1), told)
    codes = prior.encode(edited).double().cpu().numpy()
    return Painted(affects, codes, prior_answers(prior, codes))


def distances(prior: PKAutoencoder, film: Film, painted: Painted, bank: Bank) -> "pd.DataFrame":
    """Euclidean distances between codes: kind, low (10 %), median, high (90 %).

    Args:
        prior: whose codes.
        film: a video; at most 400 of its frames are taken.
        painted: its first frame, painted.
        bank: strangers; at most 400 are taken.
    """
    import pandas as pd

    codes = codes_of(prior, film.frames[:: max(1, len(film) // 400)])
    strangers = bank.codes[:400]
    kinds = {
        "a frame and the next": np.linalg.norm(np.diff(codes, axis=0), axis=1),
        "two frames of the video": pdist(codes),
        "two paintings of its first face": pdist(painted.codes),
        "a painting and its nearest other": np.sort(cdist(painted.codes, painted.codes), 1)[:, 1],
        "a frame and its nearest painting": cdist(codes, painted.codes).min(1),
        "a frame and its nearest stranger": cdist(codes, strangers).min(1),
        "two strangers": pdist(strangers),
    }
    rows = [[name, *np.quantile(found, [0.1, 0.5, 0.9])] for name, found in kinds.items()]
    return pd.DataFrame(rows, columns=["between", "low", "median", "high"])


@torch.no_grad()
def portraits(prior: PKAutoencoder, codes: np.ndarray, affects: np.ndarray) -> np.ndarray:
    """Pictures uint8 (N, 3, S, S) of prototypes (N, latent) with their labels (N, 2), as the prior paints."""
    given = [
        torch.from_numpy(np.ascontiguousarray(a)).float().to(device()) for a in (codes, affects[:, ::-1])
    ]
    painted = prior.to(device()).eval().decode(*given)
    return ((painted.clamp(-1, 1) + 1) * 127.5).round().byte().cpu().numpy()
