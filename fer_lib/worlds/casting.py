"""Who stands before the camera: the people of a split, their videos, and what each is to show."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from fer_lib.worlds.annotators import confusion_matrix
from fer_lib.worlds.feelings import FEELINGS
from fer_lib.worlds.people import People, sample_people
from fer_lib.worlds.scene import Scene, sample_scene
from fer_lib.worlds.seeds import seed_of

if TYPE_CHECKING:
    from fer_lib.worlds.world import World


@dataclass(frozen=True)
class Cast:
    """Everybody of a split, and of clips also each video's scene and main feeling.

    Attributes:
        people: S people.
        split, seed: which split, which world of its kind.
        scene: one a video (V), or None where every picture has a scene of its own.
        mood: each video's main feeling (V,), or None.
    """

    people: People
    split: str
    seed: int
    scene: Scene | None = None
    mood: Tensor | None = None


@dataclass(frozen=True)
class Parts:
    """K things to show: by whom (index into the cast), which feeling, what was asked for, which take."""

    who: Tensor
    feeling: Tensor
    asked: Tensor
    video: Tensor
    take: Tensor


def cast(world: "World", split: str, seed: int) -> Cast:
    """Draw the people of a split, and the videos they are in."""
    people = choose_people(
        world.people[split],
        seed=seed_of(world.name, split, seed, "people"),
        ages=world.ages,
        wanted=world.wanted,
    )
    if world.clips is None:
        return Cast(people, split, seed)
    generator = torch.Generator().manual_seed(seed_of(world.name, split, seed, "videos"))
    videos = len(people) * world.clips.videos
    scene = sample_scene(videos, generator, world.style)
    return Cast(people, split, seed, scene, _draw_feelings(world, split, videos, generator))


def choose_people(
    count: int, *, seed: int, ages: tuple[float, float], wanted: dict[str, tuple[float, float]]
) -> People:
    """Draw ``count`` people whose traits lie within the wanted bounds, by drawing until there are enough."""
    if not wanted:
        return sample_people(count, seed=seed, ages=ages)
    found: list[People] = []
    for attempt in range(100):
        crowd = sample_people(8 * count + 64, seed=seed_of(seed, attempt), ages=ages)
        fits = torch.ones(len(crowd), dtype=torch.bool)
        for name, (low, high) in wanted.items():
            fits &= (crowd[name] >= low) & (crowd[name] <= high)
        found.append(crowd.take(fits.nonzero()[:, 0]))
        if sum(map(len, found)) >= count:
            joined = {name: torch.cat([p[name] for p in found])[:count] for name in crowd.traits}
            return People(joined)
    raise ValueError(f"wanted must fit some people; got {wanted}. Widen the bounds.")


def assign(world: "World", cast: Cast, index: Tensor, generator: torch.Generator) -> Parts:
    """Say who shows what in the pictures or clips numbered ``index`` (K,)."""
    people = len(cast.people)
    nobody = torch.zeros_like(index)
    if world.sittings:
        plan = torch.tensor(world.sittings)
        who, label, take = plan[index % len(plan)].unbind(1)
        asked = torch.tensor([FEELINGS.index(name) for name in world.classes])[label]
        take = take + (index // len(plan)) * int(plan[:, 2].max() + 1)
        video = nobody
    elif world.clips is None:
        who = torch.randint(0, people, index.shape, generator=generator)
        asked, video, take = _draw_feelings(world, cast.split, len(index), generator), nobody, index
    else:
        videos = people * world.clips.videos
        video, take = index % videos, index // videos
        who = video % people
        asked = _draw_feelings(world, cast.split, len(index), generator)
        keeps = torch.rand(len(index), generator=generator) < world.clips.mood
        asked = torch.where(keeps, cast.mood[video], asked) if cast.mood is not None else asked
    return Parts(who, _mistaken(world, asked, generator), asked, video, take)


def _draw_feelings(world: "World", split: str, count: int, generator: torch.Generator) -> Tensor:
    odds = torch.tensor([world.frequency[split].get(name, 0.0) for name in FEELINGS])
    return torch.multinomial(odds, count, replacement=True, generator=generator)


def _mistaken(world: "World", asked: Tensor, generator: torch.Generator) -> Tensor:
    """What posing people really show: mostly what they were asked for, sometimes what it is taken for."""
    if not world.posed_slips:
        return asked
    matrix = confusion_matrix(FEELINGS, world.panel.confusions)
    instead = torch.multinomial(matrix[asked], 1, generator=generator)[:, 0]
    slips = torch.rand(len(asked), generator=generator) < world.posed_slips
    return torch.where(slips, instead, asked)
