"""Memories against the prior that they start from, video by video; each run is kept (chapter 10)."""

import functools
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fer_lib import artifacts
from fer_lib.errors import DataError
from fer_lib.memory.affective import AffectiveMemory, fingerprint
from fer_lib.memory.films import AXES, Film, Shot, films
from fer_lib.memory.gwr import GrowWhenRequired
from fer_lib.preprocess.inputs import prepare
from fer_lib.pretrain.autoencoder import PKAutoencoder
from fer_lib.provenance import PACKAGE, ROOMS, key_in
from fer_lib.train.device import device

if TYPE_CHECKING:
    import pandas as pd

SHELF = "memories"
STARTS = ("painted", "around", "strangers")
Options = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Setting:
    """One way to make a memory.

    Args:
        name: of the setting.
        network: parameters of ``GrowWhenRequired`` with another value than the paper's, as pairs.
        memory: the same of ``AffectiveMemory``.
        start: "painted" (the person's first face, painted with other affects), "around" (the same, moved to
            lie around the face itself, see `AroundMemory`), or "strangers" (as many labelled faces of other
            people).
        learns: False stops learning after the start: later frames are only answered.
    """

    name: str
    network: Options = ()
    memory: Options = ()
    start: str = "painted"
    learns: bool = True

    def __post_init__(self) -> None:
        if self.start not in STARTS:
            raise ValueError(
                f"start must be one of {', '.join(STARTS)}; got {self.start!r}. Choose one of these."
            )


def ablations(threshold: float) -> tuple[Setting, ...]:
    """The memory with the paper's activity threshold, with another, and what lacks one part of the latter.

    Example:
        >>> [setting.name for setting in ablations(0.6)][:3]
        ['as printed', 'memory', 'start only']
    """
    high = (("activity_threshold", threshold),)
    return (
        Setting("as printed"),
        Setting("memory", high),
        Setting("start only", high, learns=False),
        Setting("not modulated", (*high, ("modulated", False))),
        Setting("labels stay", (*high, ("gamma", 0.0))),
        Setting("no painting", high, (("start", "frames"),)),
        Setting("laid around", high, start="around"),
        Setting("strangers' start", high, (("paint_until", 1),), start="strangers"),
    )


def thresholds(values: Iterable[float]) -> tuple[Setting, ...]:
    """The paper's memory with other activity thresholds: "t_a 0.4" and so on."""
    return tuple(Setting(f"t_a {value:g}", (("activity_threshold", value),)) for value in values)


@dataclass(frozen=True)
class Bank:
    """Labelled faces of strangers, as codes (M, latent) and valence and arousal (M, 2)."""

    codes: np.ndarray
    affects: np.ndarray


class AroundMemory(AffectiveMemory):
    """Moves the paintings of a face to where the face is; not the paper's.

    A painting differs from its face in more than the affect: it is a painting. What that does to a code is
    measured on the face painted with the affect that the prior reads from it, and taken off all paintings.

    Args:
        prior, **options: see `AffectiveMemory`; the prior needs D_em.
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
        self._used = 0

    def _painted(self, code: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self._order[np.arange(self._used, self._used + count) % len(self._order)]
        self._used += count
        return self.bank.codes[chosen], self.bank.affects[chosen]


@torch.no_grad()
def codes_of(prior: PKAutoencoder, frames: Any, *, batch: int = 256) -> np.ndarray:
    """Codes (T, latent), float64, of uint8 pictures (T, C, H, W)."""
    prior = prior.to(device()).eval()
    parts = torch.as_tensor(frames).split(batch)
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


def run(
    prior: PKAutoencoder, film: Film, setting: Setting, seed: int, bank: Bank | None = None
) -> dict[str, Any]:
    """Let one memory watch one video.

    Args:
        prior: with D_em.
        film: the video.
        setting: how the memory is made.
        seed: of the memory.
        bank: for the start "strangers".

    Returns:
        Columns of T values: the film's table, prior_valence and prior_arousal, valence and arousal, and of
        the memory's trace size, activity, distance, habituation and seconds.

    Raises:
        ValueError: the start "strangers" without a bank.
    """
    options: dict[str, Any] = dict(setting.memory) | {"seed": seed}
    options["network"] = GrowWhenRequired(**dict(setting.network))
    if setting.start == "strangers":
        if bank is None:
            raise ValueError("bank must be given for strangers' starts; got None. Make one with bank_of.")
        memory: AffectiveMemory = StrangersMemory(prior, bank, **options)
    else:
        kind = AroundMemory if setting.start == "around" else AffectiveMemory
        memory = kind(prior, **options)
    codes = codes_of(prior, film.frames)
    answers = memory.perceive(film.frames if setting.learns else film.frames[:1])
    trace = memory.trace.reindex(range(len(film)))
    if not setting.learns:
        answers = np.concatenate([answers, memory.network.predict(codes[1:])])
        trace["activity"] = memory.network.activity(codes)
        trace["size"] = len(memory.network.ids_)
    own = prior_answers(prior, codes)
    found = film.table.copy()
    for k, axis in enumerate(AXES):
        found[f"prior_{axis}"], found[axis] = own[:, k], answers[:, k]
    for name in ("size", "activity", "distance", "habituation", "seconds"):
        found[name] = trace[name].to_numpy()
    return {name: values.tolist() for name, values in found.items()}


def study(
    settings: Sequence[Setting],
    seeds: Iterable[int],
    prior: PKAutoencoder,
    *,
    dataset: str,
    split: str,
    count: int,
    shot: Shot,
    root: str = "",
    bank: Bank | None = None,
) -> "pd.DataFrame":
    """Watch videos with each setting and seed; what an earlier call has finished is read, not run.

    Args:
        settings: ways to make a memory.
        seeds: of the memories.
        prior: with D_em.
        dataset, split, count, shot, root: see `films`.
        bank: for the start "strangers".

    Returns:
        One row a video, setting, seed and frame: video, setting, seed, and the columns of `run`.

    Raises:
        DataError: a kept run is damaged.
    """
    import pandas as pd

    seeds = list(seeds)
    about = {
        "code": key_in_room(), "prior": fingerprint(prior), "dataset": dataset, "split": split,
        "shot": asdict(shot), "bank": None if bank is None else _hash(bank.codes, bank.affects),
    }  # fmt: skip
    place = artifacts.home() / SHELF
    paths = {
        (video, setting.name, seed): place
        / f"{artifacts.key(video=video, setting=asdict(setting), seed=seed, root=root, **about)}.json"
        for video in range(count)
        for setting in settings
        for seed in seeds
    }
    if not all(path.is_file() for path in paths.values()):
        for video, film in enumerate(films(dataset, split, count, shot, root=root)):
            for setting in settings:
                for seed in seeds:
                    path = paths[video, setting.name, seed]
                    if not path.is_file():
                        done = run(prior, film, setting, seed, bank) | {"video": [film.name] * len(film)}
                        artifacts.atomic_write(path, json.dumps(done))
    parts = [
        pd.DataFrame(_open(path)).assign(setting=setting, seed=seed)
        for (_, setting, seed), path in paths.items()
        if path.is_file()  # a corpus may have fewer videos
    ]
    return pd.concat(parts, ignore_index=True)


@functools.cache
def key_in_room() -> str:
    """Name the code that decides these runs."""
    from fer_lib.chapters.imports import Library

    return key_in(Library(PACKAGE), __name__, (*ROOMS, "memory", "worlds"))


def _hash(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()[:16]


def _open(path: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        rule, fix = "must hold a finished run as JSON", "Delete the file to run it again."
        raise DataError(path.name, rule, str(error), fix) from error
    return found
