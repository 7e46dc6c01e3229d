"""Memories against the prior that they start from, video by video; each run is kept (chapter 10)."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.memory.affective import AffectiveMemory, fingerprint
from fer_lib.memory.films import AXES, Film, Shot
from fer_lib.memory.gwr import GrowWhenRequired
from fer_lib.memory.shelf import Job, named, watch
from fer_lib.memory.starts import (
    AroundMemory,
    Bank,
    Easel,
    SharingMemory,
    StrangersMemory,
    codes_of,
    prior_answers,
)
from fer_lib.pretrain.autoencoder import PKAutoencoder

if TYPE_CHECKING:
    import pandas as pd

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


def run(
    prior: PKAutoencoder,
    film: Film,
    setting: Setting,
    seed: int,
    bank: Bank | None = None,
    easel: Easel | None = None,
) -> dict[str, Any]:
    """Let one memory watch one video.

    Args:
        prior: with D_em.
        film: the video.
        setting: how the memory is made.
        seed: of the memory.
        bank: for the start "strangers".
        easel: of those that watch the same video with the same prior; saves painting alike twice.

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
        kind = AroundMemory if setting.start == "around" else SharingMemory
        memory = kind(prior, kept=(easel or Easel()).of(film.name), **options)
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
    beside: Iterable[Job] = (),
) -> "pd.DataFrame":
    """Watch videos with each setting and seed; what an earlier call has finished is read, not run.

    Args:
        settings: ways to make a memory.
        seeds: of the memories.
        prior: with D_em.
        dataset, split, count, shot, root: see `films`.
        bank: for the start "strangers".
        beside: other things to do with the same videos, which are then opened only once.

    Returns:
        One row a video, setting, seed and frame: video, setting, seed, and the columns of `run`.

    Raises:
        DataError: a kept run is damaged.
    """
    told = {"prior": fingerprint(prior), "bank": None if bank is None else named(bank.codes, bank.affects)}
    easel = Easel()
    jobs = [
        Job(
            setting.name, seed, {"setting": asdict(setting)} | told,
            partial(run, prior, setting=setting, seed=seed, bank=bank, easel=easel),
        )
        for setting in settings
        for seed in seeds
    ]  # fmt: skip
    given: dict[str, Any] = {"dataset": dataset, "split": split, "count": count, "shot": shot, "root": root}
    return watch([*jobs, *beside], **given)
