"""The priors of the paper's Tables 2 and 3, on pictures and on videos (chapter 10)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fer_lib.memory.affective import fingerprint
from fer_lib.memory.films import AXES, Film
from fer_lib.memory.shelf import Job, named
from fer_lib.memory.starts import codes_of
from fer_lib.metrics import bootstrap_interval, ccc
from fer_lib.pretrain import ablation
from fer_lib.pretrain.autoencoder import PKAutoencoder
from fer_lib.pretrain.discriminators import AffectCritic
from fer_lib.train.device import device
from fer_lib.train.parallel import ahead

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reading:
    """A prior, and what reads arousal and valence off its codes.

    Args:
        name: of the prior.
        seed: of its training.
        prior: with D_em or without.
        critic: its D_em, or a layer like it that was trained on the codes afterwards.
    """

    name: str
    seed: int
    prior: PKAutoencoder
    critic: AffectCritic

    @torch.no_grad()
    def read(self, pictures: Any) -> np.ndarray:
        """Valence and arousal (N, 2) of uint8 pictures (N, C, H, W)."""
        codes = torch.from_numpy(codes_of(self.prior, pictures)).float().to(device())
        return self.critic.to(device()).eval()(codes).flip(-1).double().cpu().numpy()


def eight(seeds: Iterable[int], *, profile: str) -> list[Reading]:
    """The eight autoencoders of chapter 05's ablation, from its shelf, each with its reader.

    As in the paper, D_em reads where there is one; else a layer like it, trained on the codes afterwards.

    Args:
        seeds: of the trainings.
        profile: "smoke", "quick" or "full"; see ``fer_lib.pretrain.ablation.changes``.
    """
    parts, found = ablation.parts_of(profile), []
    wanted = list(product(seeds, ablation.variants()))
    ahead([partial(ablation.whole_of, name, seed, profile=profile) for seed, name in wanted])
    for seed, name in wanted:
        prior = ablation.whole_of(name, seed, profile=profile)
        critic = ablation.reader(prior, parts, seed) if prior.d_em is None else prior.d_em
        found.append(Reading(name, seed, prior, critic))
    return found


def on_pictures(readings: Sequence[Reading], faces: Any, *, resamples: int = 400) -> "pd.DataFrame":
    """CCC on single pictures over all seeds of a prior, with intervals over pictures.

    Args:
        readings: of one prior or several.
        faces: a FaceSet with valence and arousal.
        resamples: of the bootstrap.

    Returns:
        setting (the prior's name), axis, mean, low, high.
    """
    import pandas as pd

    told, pictures, lines = faces.targets().double().numpy(), faces.batch(np.arange(len(faces))), []
    for name in dict.fromkeys(reading.name for reading in readings):
        read = [reading.read(pictures) for reading in readings if reading.name == name]
        each = np.tile(np.arange(len(told)), len(read))
        for k, axis in enumerate(AXES):
            pair = np.concatenate(read)[:, k], np.tile(told[:, k], len(read))
            found = bootstrap_interval(ccc, *pair, groups=each, resamples=resamples)
            line = {"setting": name, "axis": axis, "mean": found.value, "low": found.low, "high": found.high}
            lines.append(line)
    return pd.DataFrame(lines)


def jobs(readings: Sequence[Reading]) -> list[Job]:
    """Reading the frames of a video, for ``fer_lib.memory.shelf.watch``: columns as those of a memory."""
    return [
        Job(
            reading.name, reading.seed,
            {"prior": fingerprint(reading.prior), "reader": _weights(reading.critic)},
            partial(_watched, reading),
        )
        for reading in readings
    ]  # fmt: skip


def _watched(reading: Reading, film: Film) -> dict[str, list[Any]]:
    found, read = film.table.copy(), reading.read(film.frames)
    for k, axis in enumerate(AXES):
        found[f"prior_{axis}"] = found[axis] = read[:, k]
    return {name: values.tolist() for name, values in found.items()}


def _weights(critic: AffectCritic) -> str:
    return named(*(values.detach().cpu().numpy() for values in critic.state_dict().values()))
