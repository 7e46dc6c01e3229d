"""Clips: a feeling that comes, stays and goes at 25 frames a second, on a face that blinks, talks and moves.

A plan holds everything about some clips that is drawn at random; ``play`` reads it at any moments at once.
So a world may keep one frame in a hundred, and the whole clip can be seen all the same.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fer_lib.worlds.action_units import NUMBERS
from fer_lib.worlds.expressions import Shown
from fer_lib.worlds.people import Draw, People

RATE = 25  # frames a second
WAVES = 3  # of a head's motion, for each of its angles
SLOTS = 64  # a plan draws so many blinks and looks aside; longer clips begin again


@dataclass(frozen=True)
class Clips:
    """How a corpus's clips run.

    Attributes:
        frames: how many frames of a clip are kept, evenly over it (``keep="even"``) or over its apex.
        seconds: shortest and longest clip.
        per_video: clips that follow each other in one video (utterances, segments).
        videos: videos of each person.
        keep: "even" or "apex".
        floor: how much of the expression is there before the onset and after the offset: 0 in acted clips
            that begin and end at rest, up to nearly 1 where clips are cut out of longer talk.
        drift: share of clips in which one feeling slides into another.
        talk: share of clips in which the person talks.
        mood: share of a video's clips that keep the video's main feeling.
        head_deg: how far heads move.
        blinks: a minute.
        lag_s: how late annotators follow, where every frame is annotated.
    """

    frames: int
    seconds: tuple[float, float]
    per_video: int = 1
    videos: int = 1
    keep: str = "even"
    floor: tuple[float, float] = (0.2, 0.7)
    drift: float = 0.15
    talk: float = 0.5
    mood: float = 0.0
    head_deg: float = 3.0
    blinks: float = 15.0
    lag_s: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What is drawn of K clips; see ``play``. Times are in seconds."""

    first: Tensor  # (K,A,2) the face at the apex
    second: Tensor  # (K,A,2) where it drifts to
    rest: Tensor  # (K,A,2)
    seconds: Tensor  # (K,)
    marks: Tensor  # (K,4) onset, apex, offset, end
    floor: Tensor
    drift: Tensor  # (K,) how far it drifts, 0 or up to 1
    talk: Tensor  # (K,) how much it talks
    beat: Tensor  # (K,3) syllables a second, phase, phrases a second
    blink: Tensor  # (K,SLOTS) place of a blink in its slot; above 1: none
    slot_s: float
    aside: Tensor  # (K,SLOTS,2) where the eyes look
    wave: Tensor  # (K,3,WAVES,3) head: amplitude in degrees, frequency in Hz, phase

    def take(self, index: Tensor) -> "Plan":
        """The clips at ``index``."""
        parts: dict[str, Any] = {
            name: value[index] if isinstance(value, Tensor) else value for name, value in vars(self).items()
        }
        return Plan(**parts)


@dataclass(frozen=True)
class Moment:
    """K clips at T moments each: units (K,T,A,2), level and share (K,T), head and gaze (K,T,3) and (K,T,2).

    ``meant`` are the units without blinks and talk.
    """

    units: Tensor
    meant: Tensor
    level: Tensor
    share: Tensor
    head_deg: Tensor
    gaze: Tensor


def plan_clips(people: People, first: Shown, second: Shown, generator: torch.Generator, clips: Clips) -> Plan:
    """Draw how K clips run.

    Args:
        people: K people; their habits are the face at rest.
        first, second: what each shows at the apex, and what it drifts to where it drifts.
        generator: of the draws.
        clips: how the corpus's clips run.
    """
    count = len(people)
    draw = Draw(count, generator)
    seconds = (draw.uniform(*clips.seconds) * RATE).round() / RATE
    marks = torch.stack(
        [
            draw.uniform(0.0, 0.18),
            draw.uniform(0.22, 0.40),
            draw.uniform(0.62, 0.80),
            draw.uniform(0.85, 1.0),
        ],
        1,
    )
    talks = draw.chance(clips.talk) * draw.uniform(0.35, 0.9)
    beat = torch.stack([draw.uniform(2.6, 4.6), draw.uniform(0, 1), draw.uniform(0.15, 0.4)], 1)
    slot_s = 60.0 / clips.blinks
    blink = torch.rand(count, SLOTS, generator=generator) * 1.25
    aside = torch.randn(count, SLOTS, 2, generator=generator) * torch.tensor([0.011, 0.005])
    wave = torch.rand(count, 3, WAVES, 3, generator=generator)
    wave[..., 1] = 0.05 + 0.5 * wave[..., 1] ** 2
    wave[..., 0] = clips.head_deg * wave[..., 0] / (1 + 2 * wave[..., 1])
    rest = people["habit"][:, :, None].expand(-1, -1, 2)
    return Plan(
        first.units, second.units, rest, seconds, marks * seconds[:, None], draw.uniform(*clips.floor),
        draw.chance(clips.drift) * draw.uniform(0.5, 1.0), talks, beat, blink, slot_s, aside, wave,
    )  # fmt: skip


def frames_kept(plan: Plan, clips: Clips) -> Tensor:
    """Numbers of the frames that a world keeps of each clip: (K,F), from 0."""
    places = (torch.arange(clips.frames) + 0.5) / clips.frames
    if clips.keep == "apex":
        start, stop = plan.marks[:, 1:2], plan.marks[:, 2:3]
    else:
        start, stop = torch.zeros_like(plan.seconds)[:, None], plan.seconds[:, None]
    return ((start + places * (stop - start)) * RATE).floor().long()


def play(plan: Plan, seconds: Tensor) -> Moment:
    """Read plans at some moments (K,T), in seconds from each clip's beginning."""
    level = _level(plan, seconds)
    share = plan.drift[:, None] * _ease(seconds, 0.25 * plan.seconds[:, None], 0.85 * plan.seconds[:, None])
    apex = torch.lerp(plan.first[:, None], plan.second[:, None], share[:, :, None, None])
    meant = torch.lerp(plan.rest[:, None].expand_as(apex), apex, level[:, :, None, None])
    units = _blink(plan, seconds, _talk(plan, seconds, meant))
    turn = 2 * math.pi * (seconds[:, :, None, None] * plan.wave[:, None, ..., 1] + plan.wave[:, None, ..., 2])
    head = (plan.wave[:, None, ..., 0] * torch.sin(turn)).sum(-1)
    slot = (seconds / 1.3).long() % SLOTS
    gaze = plan.aside.gather(1, slot[:, :, None].expand(-1, -1, 2))
    return Moment(units.clamp(0, 1), meant, level, share, head, gaze)


def _ease(time: Tensor, start: Tensor, stop: Tensor) -> Tensor:
    """0 before start, 1 after stop, smooth between."""
    part = ((time - start) / (stop - start).clamp_min(1e-3)).clamp(0, 1)
    return part * part * (3 - 2 * part)


def _level(plan: Plan, seconds: Tensor) -> Tensor:
    onset, apex, offset, end = (plan.marks[:, k : k + 1] for k in range(4))
    there = _ease(seconds, onset, apex) * (1 - _ease(seconds, offset, end))
    return plan.floor[:, None] + (1 - plan.floor[:, None]) * there


def _talk(plan: Plan, seconds: Tensor, units: Tensor) -> Tensor:
    """Lips part and the jaw drops with each syllable, lips round and stretch with vowels; phrases pause."""
    syllable, phase, phrase = plan.beat[:, 0:1], plan.beat[:, 1:2], plan.beat[:, 2:3]
    beat = torch.sin(2 * math.pi * (syllable * seconds + phase))
    vowel = torch.sin(2 * math.pi * (0.37 * syllable * seconds + 2 * phase))
    speaks = (torch.sin(2 * math.pi * (phrase * seconds + 3 * phase)) > -0.6).float()
    amount = plan.talk[:, None] * speaks
    moves = {25: 0.45 + 0.4 * beat, 26: 0.25 + 0.3 * beat, 18: 0.5 * vowel, 20: -0.4 * vowel}
    units = units.clone()
    for number, move in moves.items():
        k = NUMBERS.index(number)
        units[:, :, k] = torch.maximum(units[:, :, k], (amount * move.clamp_min(0))[:, :, None])
    return units


def _blink(plan: Plan, seconds: Tensor, units: Tensor) -> Tensor:
    """Lids close and open within 0.3 s, once in most slots of time."""
    slot = (seconds / plan.slot_s).floor()
    place = plan.blink.gather(1, slot.long() % SLOTS)
    centre = (slot + place.clamp(0.1, 0.9)) * plan.slot_s
    closed = (1 - (seconds - centre).abs() / 0.15).clamp_min(0) * (place <= 1)
    k = NUMBERS.index(43)
    units = units.clone()
    units[:, :, k] = torch.maximum(units[:, :, k], closed[:, :, None])
    return units
