"""Everything about some pictures but their pixels: who shows what, where, and at which moment."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from fer_lib.worlds.affect_rules import affect
from fer_lib.worlds.annotators import appearance
from fer_lib.worlds.casting import Cast, Parts, assign
from fer_lib.worlds.expressions import Shown, sample_expressions
from fer_lib.worlds.feelings import FEELINGS
from fer_lib.worlds.labels import Seen
from fer_lib.worlds.people import People
from fer_lib.worlds.renderer import place_landmarks
from fer_lib.worlds.scene import POSE_LIMITS_DEG, Scene, sample_scene
from fer_lib.worlds.seeds import seed_of
from fer_lib.worlds.sequences import RATE, Moment, Plan, frames_kept, plan_clips, play

if TYPE_CHECKING:
    from fer_lib.worlds.world import World

GRID = 16  # moments over which a clip's valence and arousal are averaged


@dataclass(frozen=True)
class ClipPart:
    """K clips of a chunk: their plans and the moments (K,T) that are kept."""

    number: Tensor
    video: Tensor
    take: Tensor
    plan: Plan
    time: Tensor  # (K,T) in seconds from the clip's beginning
    frame: Tensor  # (K,T) number in the corpus's own counting
    meant: Tensor  # (K,T,A,2) units without blinks and talk: what annotators judge
    overall: Tensor  # (K,2) valence and arousal of the clip


@dataclass(frozen=True)
class Drawn:
    """B pictures before they are painted, of K things (pictures or clips) with ``repeat`` rows each."""

    who: Tensor  # (B,) index into the cast
    people: People
    shown: Shown  # (B) what each picture shows
    scene: Scene
    blank: Tensor
    generator: torch.Generator
    split: str
    seed: int
    peak: Shown  # (K) what each thing shows at its strongest
    asked: Tensor  # (K,) what was to be shown
    take: Tensor  # (K,)
    repeat: int = 1
    clip: ClipPart | None = None

    def rows(self, index: slice) -> "Drawn":
        """Some of the pictures, to be painted alone."""
        shown = Shown(**{name: value[index] for name, value in vars(self.shown).items()})
        place = torch.arange(len(self.who))[index]
        return dataclasses.replace(
            self,
            who=self.who[index],
            people=self.people.take(place),
            shown=shown,
            scene=self.scene.take(place),
            blank=self.blank[index],
        )

    def landmarks(self, size: int) -> Tensor:
        """(B,68,2) in pixels, without painting."""
        return place_landmarks(self.people, self.shown.units, self.scene, size=size)


def draw_chunk(world: "World", cast: Cast, chunk: int) -> Drawn:
    """Draw a chunk of a split: the same whatever else is drawn."""
    generator = torch.Generator().manual_seed(seed_of(world.name, cast.split, cast.seed, chunk))
    repeat = world.clips.frames if world.clips else 1
    count = world.chunk_rows // repeat
    index = torch.arange(chunk * count, (chunk + 1) * count)
    parts = assign(world, cast, index, generator)
    people = cast.people.take(parts.who)
    peak = sample_expressions(people, parts.feeling, generator, world.dialect)
    if world.clips is None:
        scene = sample_scene(count, generator, world.style)
        blank = torch.rand(count, generator=generator) < world.blank
        return Drawn(
            parts.who,
            people,
            peak,
            scene,
            blank,
            generator,
            cast.split,
            cast.seed,
            peak,
            parts.asked,
            parts.take,
        )
    return _draw_clips(world, cast, parts, index, people, peak, generator)


def draw_moments(world: "World", cast: Cast, clip: int, stride: int) -> Drawn:
    """Draw one clip at its full rate, or at every ``stride``-th frame."""
    assert world.clips is not None
    count = world.chunk_rows // world.clips.frames
    drawn = draw_chunk(world, cast, clip // count)
    assert drawn.clip is not None
    mine = torch.tensor([clip % count])
    plan = drawn.clip.plan.take(mine)
    frames = torch.arange(0, round(float(plan.seconds[0]) * RATE), stride)[None]
    first = torch.tensor([clip % count * drawn.repeat])
    peak = Shown(**{name: value[mine] for name, value in vars(drawn.peak).items()})
    parts = Parts(drawn.who[first], peak.emotion, drawn.asked[mine], drawn.clip.video[mine], drawn.take[mine])
    generator = torch.Generator().manual_seed(seed_of(world.name, cast.split, cast.seed, clip, "frames"))
    return _at_moments(world, cast, parts, torch.tensor([clip]), plan, peak, frames, generator)


def see(world: "World", drawn: Drawn, panel_seed: int) -> Seen:
    """What the world's annotators look at."""
    reading = world.dialect.reading
    looks = appearance(drawn.peak, world.panel, world.seen)
    if drawn.clip is None:
        va = torch.stack(affect(drawn.shown.units, **reading), 1)
        return Seen(looks, looks, va, va, panel_seed)
    meant = drawn.clip.meant.flatten(0, 1)
    row_va = torch.stack(affect(meant, **reading), 1)
    row_looks = appearance(drawn.shown, world.panel, world.seen)
    return Seen(looks, row_looks, drawn.clip.overall, row_va, panel_seed)


def _draw_clips(
    world: "World",
    cast: Cast,
    parts: Parts,
    index: Tensor,
    people: People,
    peak: Shown,
    generator: torch.Generator,
) -> Drawn:
    """Draw K clips and keep their frames."""
    assert world.clips is not None
    odds = torch.tensor([world.frequency[cast.split].get(name, 0.0) for name in FEELINGS])
    later = torch.multinomial(odds, len(index), replacement=True, generator=generator)
    second = sample_expressions(people, later, generator, world.dialect)
    plan = plan_clips(people, peak, second, generator, world.clips)
    slides = plan.drift > 0
    peak = dataclasses.replace(
        peak,
        second=torch.where(slides, later, peak.second),
        share=torch.where(slides, 0.5 * plan.drift, peak.share),
    )
    frames = frames_kept(plan, world.clips)
    return _at_moments(world, cast, parts, index, plan, peak, frames, generator)


def _at_moments(
    world: "World",
    cast: Cast,
    parts: Parts,
    index: Tensor,
    plan: Plan,
    peak: Shown,
    frames: Tensor,
    generator: torch.Generator,
) -> Drawn:
    """Pictures of K clips at the frames (K,T)."""
    assert world.clips is not None
    assert cast.scene is not None
    repeat = frames.shape[1]
    time = frames / RATE
    moment = play(plan, time)
    rows = torch.arange(len(index)).repeat_interleave(repeat)
    late = play(plan, (time - world.clips.lag_s).clamp_min(0)) if world.clips.lag_s else moment
    whole = play(plan, (torch.arange(GRID) + 0.5) / GRID * plan.seconds[:, None])
    values = torch.stack(affect(whole.meant.flatten(0, 1), **world.dialect.reading), 1)
    overall = values.view(len(index), GRID, 2).mean(1)
    within = parts.take[:, None] * round(world.clips.seconds[1] * RATE) if _fixed(world) else 0
    clip = ClipPart(index, parts.video, parts.take, plan, time, frames + within + 1, late.meant, overall)
    who = parts.who[rows]
    return Drawn(
        who, cast.people.take(who), _shown_at(moment, peak, plan, rows),
        _scene_at(cast.scene, parts, moment, frames),
        torch.zeros(len(rows), dtype=torch.bool), generator, cast.split, cast.seed, peak, parts.asked,
        parts.take, repeat, clip,
    )  # fmt: skip


def _fixed(world: "World") -> bool:
    """Whether all clips last alike, so that they make up a video without gaps."""
    return world.clips is not None and world.clips.seconds[0] == world.clips.seconds[1]


def _shown_at(moment: Moment, peak: Shown, plan: Plan, rows: Tensor) -> Shown:
    slides = (plan.drift > 0)[rows]
    share = torch.where(slides, moment.share.flatten(), peak.share[rows])
    return Shown(
        moment.units.flatten(0, 1), peak.emotion[rows], peak.variant[rows],
        peak.intensity[rows] * moment.level.flatten(), peak.second[rows], share,
    )  # fmt: skip


def _scene_at(scene: Scene, parts: Parts, moment: Moment, frames: Tensor) -> Scene:
    """The videos' scenes with heads and eyes moved."""
    repeat = moment.level.shape[1]
    base = scene.take(parts.video.repeat_interleave(repeat))
    moved = moment.head_deg.flatten(0, 1)
    angles = {}
    for k, name in enumerate(("yaw", "pitch", "roll")):
        most = POSE_LIMITS_DEG[name]
        angles[f"{name}_deg"] = (getattr(base, f"{name}_deg") + moved[:, k]).clamp(-most, most)
    gaze = (base.gaze + moment.gaze.flatten(0, 1)).clamp(-0.035, 0.035)
    grain = (base.grain + frames.flatten() * 0.618034) % 1.0  # other grain every frame
    return dataclasses.replace(base, **angles, gaze=gaze, grain=grain)
