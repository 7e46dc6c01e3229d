"""How a memory may begin, other than the paper's: around the face, or from strangers (chapter 10)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from fer_lib.memory.affective import AffectiveMemory
from fer_lib.memory.shelf import named
from fer_lib.preprocess.inputs import prepare
from fer_lib.pretrain.autoencoder import PKAutoencoder
from fer_lib.train.device import device


@dataclass(frozen=True)
class Bank:
    """Labelled faces of strangers, as codes (M, latent) and valence and arousal (M, 2)."""

    codes: np.ndarray
    affects: np.ndarray


class Easel:
    """Paintings of the video that is watched, for all memories that ask for the same ones.

    Memories with one seed paint the same affects of the same frames, whatever else they do with them.

    Example:
        >>> easel = Easel()
        >>> easel.of("a")["painted"] = 1
        >>> easel.of("a"), easel.of("b")
        ({'painted': 1}, {})
    """

    def __init__(self) -> None:
        self.video, self._kept = "", dict[Any, Any]()

    def of(self, video: str) -> dict[Any, Any]:
        """What was painted in this video; that of another is dropped."""
        if video != self.video:
            self.video, self._kept = video, {}
        return self._kept


class SharingMemory(AffectiveMemory):
    """Looks for a painting among those of other memories before it paints; answers as `AffectiveMemory`.

    Args:
        prior: see `AffectiveMemory`; that of all who share.
        kept: of an `Easel`; None shares with nobody.
        **options: of `AffectiveMemory`.
    """

    def __init__(self, prior: PKAutoencoder, *, kept: dict[Any, Any] | None = None, **options: Any) -> None:
        super().__init__(prior, **options)
        self._kept = kept

    def _painted(self, code: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        if self._kept is None:
            return super()._painted(code, count)
        wanted = (self.seed, self.lattice, self._affects.drawn, count, code.tobytes())
        if wanted in self._kept:
            self._affects.drawn += count
        else:
            self._kept[wanted] = super()._painted(code, count)
        codes, affects = self._kept[wanted]
        return codes, affects


class AroundMemory(SharingMemory):
    """Moves the paintings of a face to where the face is; not the paper's.

    A painting differs from its face in more than the affect: it is a painting. What that does to a code is
    measured on the face painted with the affect that the prior reads from it, and taken off all paintings.

    Args:
        prior, kept, **options: see `SharingMemory`; the prior needs D_em.
    """

    @torch.no_grad()
    def _painted(self, code: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        codes, affects = super()._painted(code, count)
        own = torch.from_numpy(prior_answers(self.prior, code[None])).flip(-1).float().to(device())
        same = self._encode(self.prior.decode(torch.from_numpy(code[None]).float().to(device()), own))
        return codes + (code - same), affects


class StrangersMemory(AffectiveMemory):
    """Starts from labelled faces of other people where the memory of the paper paints.

    Args:
        prior: see `AffectiveMemory`.
        bank: at least as many faces as are asked for in all.
        **options: of `AffectiveMemory`.
    """

    def __init__(self, prior: PKAutoencoder, bank: Bank, **options: Any) -> None:
        super().__init__(prior, **options)
        self.bank = bank
        self._order = np.random.default_rng(self.seed).permutation(len(bank.codes))

    def _outside(self) -> dict[str, str]:
        return super()._outside() | {"bank": named(self.bank.codes, self.bank.affects)}

    def _painted(self, code: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        start = self._affects.drawn
        self._affects.drawn += count
        chosen = self._order[np.arange(start, start + count) % len(self._order)]
        return self.bank.codes[chosen], self.bank.affects[chosen]


@torch.no_grad()
def codes_of(prior: PKAutoencoder, frames: Any, *, batch: int = 256) -> np.ndarray:
    """Codes (T, latent), float64, of uint8 pictures (T, C, H, W)."""
    prior = prior.to(device()).eval()
    whole = frames if isinstance(frames, torch.Tensor) else torch.from_numpy(np.array(frames))
    parts = whole.split(batch)
    found = [prior.encode(prepare(part.to(device()), prior.encoder.input_spec)) for part in parts]
    return torch.cat(found).double().cpu().numpy()


@torch.no_grad()
def prior_answers(prior: PKAutoencoder, codes: np.ndarray) -> np.ndarray:
    """Valence and arousal (T, 2) that the prior's own reader gives to codes (T, latent).

    Raises:
        ValueError: a prior without D_em.
    """
    if prior.d_em is None:
        raise ValueError("prior must have D_em; got None. Without it nothing reads its codes.")
    told = prior.d_em(torch.from_numpy(codes).float().to(device()))  # arousal, valence
    return told.flip(-1).double().cpu().numpy()


def bank_of(prior: PKAutoencoder, faces: Any, count: int = 2000) -> Bank:
    """The first faces of a set with valence and arousal, as a `Bank`."""
    index = np.arange(min(count, len(faces)))
    return Bank(codes_of(prior, faces.batch(index)), faces.targets().double().numpy()[index])
