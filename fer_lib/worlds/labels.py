"""What a world's annotators write: the label columns of its table, and what was to be expected of them.

Each kind of label fills the table's columns (one value a row) and tells the truth's ``label_*`` columns: the
probability that the panel gives each label (``label_<class>``), or the mean rating it gives
(``label_valence``, ``label_arousal``). The best reachable score follows from these; see ``ceilings``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fer_lib.worlds import states
from fer_lib.worlds.annotators import bend, confusion_matrix, expected_rating, rate_many, vote
from fer_lib.worlds.feelings import FEELINGS

if TYPE_CHECKING:
    from fer_lib.worlds.world import Drawn, World

VOTES = 10  # FER+: ten annotators a picture
UNKNOWN, DOUBT, DOUBT_POWER = (
    0.02,
    0.26,
    1.5,
)  # how often a vote is "unknown": the floor, and for unclear faces

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Seen:
    """What annotators look at: K pictures or clips, or B rows where every frame is annotated.

    Attributes:
        looks, row_looks: what the crowd sees, over the world's ``seen`` names (K,E), (B,E).
        affect, row_affect: valence and arousal (K,2), (B,2).
        panel_seed: which panel.
    """

    looks: Tensor
    row_looks: Tensor
    affect: Tensor
    row_affect: Tensor
    panel_seed: int


def fill(world: World, drawn: Drawn, seen: Seen) -> tuple[Columns, Columns]:
    """Label columns of the table, and ``label_*`` columns of the truth, one value a row each."""
    columns, expected = _KINDS[world.label](world, drawn, seen)
    rows = len(drawn.blank)
    spread = [
        {k: v if len(v) == rows else np.repeat(v, drawn.repeat) for k, v in part.items()}
        for part in (columns, expected)
    ]
    return spread[0], spread[1]


def _classes(world: World, looks: Tensor) -> Tensor:
    """Looks over the world's classes alone; rows sum to 1."""
    known = looks[:, [world.seen.index(name) for name in world.classes]].clamp_min(1e-4)
    return known / known.sum(1, keepdim=True)


def _names(prefix: str, names: tuple[str, ...], values: Tensor) -> Columns:
    return {f"{prefix}_{name}": values[:, k].numpy() for k, name in enumerate(names)}


def _expression(world: World, drawn: Drawn, seen: Seen) -> tuple[Columns, Columns]:
    """One annotator names one class."""
    looks, panel = _classes(world, seen.looks), world.panel
    who: dict[str, Any] = {"people_seed": seen.panel_seed, "names": world.classes}
    label = vote(looks, panel, 1, drawn.generator, **who)[:, 0]
    chance = bend(looks, panel, **who).mean(1)
    return {"expression": label.numpy()}, _names("label", world.classes, chance)


def _rated(world: World, drawn: Drawn, seen: Seen) -> tuple[Columns, Columns]:
    """One annotator names a class and rates valence and arousal."""
    columns, expected = _expression(world, drawn, seen)
    value, mean = _rating(world, drawn, seen, 1)
    return columns | _va(value[:, 0]), expected | _va(mean, "label_")


def _rating(world: World, drawn: Drawn, seen: Seen, count: int) -> tuple[Tensor, Tensor]:
    valence, arousal = seen.affect.unbind(1)
    who: dict[str, Any] = {"people_seed": seen.panel_seed}
    rated = rate_many(valence, arousal, world.panel, count, drawn.generator, **who)
    return rated, expected_rating(valence, arousal, world.panel, **who)


def _va(values: Tensor, prefix: str = "") -> Columns:
    pairs = zip(("valence", "arousal"), values.double().unbind(1), strict=True)
    return {f"{prefix}{name}": value.numpy() for name, value in pairs}


def _votes(world: World, drawn: Drawn, seen: Seen) -> tuple[Columns, Columns]:
    """Ten votes a picture over the classes, "unknown" (more often for unclear faces) and "not a face"."""
    looks, draw = _classes(world, seen.looks), drawn.generator
    who: dict[str, Any] = {"people_seed": seen.panel_seed, "names": world.classes}
    given = vote(looks, world.panel, VOTES, draw, **who)
    doubt = UNKNOWN + DOUBT * (1 - looks.max(1).values) ** DOUBT_POWER
    unknown = torch.rand(given.shape, generator=draw) < doubt[:, None]
    blank = drawn.blank[:, None] & (torch.rand(given.shape, generator=draw) < 0.97)
    unknown = unknown | drawn.blank[:, None]
    columns = {}
    for k, name in enumerate(world.classes):
        columns[f"votes_{name}"] = ((given == k) & ~unknown).sum(1).numpy()
    columns["votes_unknown"] = (unknown & ~blank).sum(1).numpy()
    columns["votes_not_a_face"] = blank.sum(1).numpy()
    return columns, _names("label", world.classes, bend(looks, world.panel, **who).mean(1))


def _posed(world: World, drawn: Drawn, seen: Seen) -> tuple[Columns, Columns]:
    """The label is what the person was asked to show; the face may show something else."""
    place = torch.tensor([world.classes.index(n) if n in world.classes else -1 for n in FEELINGS])
    odds = torch.tensor([world.frequency[drawn.split].get(name, 0.0) for name in world.classes])
    matrix = confusion_matrix(FEELINGS, world.panel.confusions)
    asked = [FEELINGS.index(name) for name in world.classes]
    shows = (1 - world.posed_slips) * torch.eye(len(FEELINGS)) + world.posed_slips * matrix
    joint = odds[:, None] * shows[asked]  # (classes, feelings)
    chance = (joint / joint.sum(0, keepdim=True).clamp_min(1e-9)).T[drawn.peak.emotion]
    return {"expression": place[drawn.asked].numpy()}, _names("label", world.classes, chance)


def _states(world: World, drawn: Drawn, seen: Seen) -> tuple[Columns, Columns]:
    """Three annotators mark each state; valence from 1 to 7."""
    chances = states.marks_of(
        states.evidence(drawn.peak, world.classes),
        world.panel,
        people_seed=seen.panel_seed,
        names=world.classes,
    )
    value, mean = _rating(world, drawn, seen, 3)
    columns = _names("state", world.classes, states.mark(chances, drawn.generator))
    columns["valence_rating"] = (4 + 3 * value[..., 0].mean(1)).round().clamp(1, 7).long().numpy()
    if world.gender:
        male = drawn.people["male"][:: drawn.repeat].numpy()
        columns["gender"] = np.where(male > 0.5, "m", "f").astype(object)
    return columns, _names("label", world.classes, states.chance_of_label(chances)) | _va(mean, "label_")


def _segments(world: World, drawn: Drawn, seen: Seen) -> tuple[Columns, Columns]:
    """Three annotators rate each segment; the label is their mean."""
    value, mean = _rating(world, drawn, seen, 3)
    columns = _va(value.mean(1))
    for k in range(3):
        columns |= {f"{name}_annotator_{k + 1}": v for name, v in _va(value[:, k]).items()}
    return columns, _va(mean, "label_")


def _utterances(world: World, drawn: Drawn, seen: Seen) -> tuple[Columns, Columns]:
    """Five annotators rate an utterance, arousal from 0 to 1, and vote for a class: the mean, the most."""
    value, mean = _rating(world, drawn, seen, 5)
    half = lambda va: torch.stack([va[:, 0], (va[:, 1] + 1) / 2], 1)  # noqa: E731
    looks = _classes(world, seen.looks)
    who: dict[str, Any] = {"people_seed": seen.panel_seed, "names": world.classes}
    given = vote(looks, world.panel, 5, drawn.generator, **who)
    most = torch.nn.functional.one_hot(given, len(world.classes)).sum(1).argmax(1)
    columns = _va(half(value.mean(1))) | {"expression": most.numpy()}
    chance = bend(looks, world.panel, **who).mean(1)
    return columns, _va(half(mean), "label_") | _names("label", world.classes, chance)


def _frames(world: World, drawn: Drawn, seen: Seen) -> tuple[Columns, Columns]:
    """Every frame is rated and named; a stretch without a usable face gets -5 and -1."""
    batch, repeat, draw = len(drawn.blank), drawn.repeat, drawn.generator
    clips = batch // repeat
    who: dict[str, Any] = {"people_seed": seen.panel_seed}
    valence, arousal = seen.row_affect.unbind(1)
    shift = rate_many(torch.zeros(clips), torch.zeros(clips), world.panel, 1, draw, **who)[:, 0]
    wobble = 0.3 * world.panel.noise * torch.randn(batch, 2, generator=draw)
    rated = (seen.row_affect + shift.repeat_interleave(repeat, 0) + wobble).clamp(-1, 1)
    looks = _classes(world, seen.row_looks)
    chance = bend(looks, world.panel, people_seed=seen.panel_seed, names=world.classes).mean(1)
    luck = torch.rand(clips, generator=draw).repeat_interleave(repeat)  # one reader a clip: no flicker
    label = (luck[:, None] > chance.cumsum(1)).sum(1).clamp(max=len(world.classes) - 1)
    lost = _stretch(clips, repeat, draw)
    rated = torch.where(lost[:, None], -5.0, rated)
    columns = _va(rated) | {"expression": torch.where(lost, -1, label).numpy()}
    mean = expected_rating(valence, arousal, world.panel, **who)
    return columns, _va(mean, "label_") | _names("label", world.classes, chance)


def _stretch(clips: int, repeat: int, generator: torch.Generator, share: float = 0.04) -> Tensor:
    """A few frames in a row, in some clips: (clips * repeat,) bool."""
    start = torch.randint(0, repeat, (clips, 1), generator=generator)
    hit = torch.rand(clips, 1, generator=generator) < 2.5 * share
    at = torch.arange(repeat)
    return (hit & (at >= start) & (at < start + max(1, round(0.6 * repeat)))).flatten()


_KINDS = {
    "expression": _expression, "expression+va": _rated, "votes": _votes, "posed": _posed, "states": _states,
    "segments": _segments, "utterances": _utterances, "frames": _frames,
}  # fmt: skip
LABELS = tuple(_KINDS)
