"""Tables of a world: the columns its corpus has, and the truth that only a world knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from fer_lib.worlds.action_units import NUMBERS
from fer_lib.worlds.annotators import rate, vote
from fer_lib.worlds.expressions import EMOTIONS

if TYPE_CHECKING:
    from fer_lib.worlds.world import Drawn, World

VOTES = 10  # FER+: ten annotators a picture
PEOPLE_COLUMNS = ("age", "male", "skin_tone", "beard", "glasses")


def label_columns(
    world: World, looks: Tensor, va: tuple[Tensor, Tensor], drawn: Drawn, panel_seed: int
) -> dict[str, np.ndarray]:
    """The target columns of a chunk, as the world's annotators fill them."""
    if world.label == "votes":
        return _votes(world, looks, drawn, panel_seed)
    place = torch.tensor([world.classes.index(n) if n in world.classes else -1 for n in EMOTIONS])
    known = looks * (place >= 0)
    label = place[
        vote(known / known.sum(1, keepdim=True), world.panel, 1, drawn.generator, people_seed=panel_seed)[
            :, 0
        ]
    ]
    label = torch.where(label < 0, place[drawn.shown.emotion], label)
    columns = {"expression": label.numpy()}
    if world.label == "expression+va":
        valence, arousal = rate(*va, world.panel, drawn.generator, people_seed=panel_seed)
        columns["valence"], columns["arousal"] = valence.double().numpy(), arousal.double().numpy()
    return columns


def _votes(world: World, looks: Tensor, drawn: Drawn, panel_seed: int) -> dict[str, np.ndarray]:
    """Ten votes a picture over the classes, "unknown" (more often for unclear faces) and "not a face"."""
    given = vote(looks, world.panel, VOTES, drawn.generator, people_seed=panel_seed)
    doubt = 0.02 + 0.26 * (1 - looks.max(1).values) ** 1.5
    unknown = torch.rand(given.shape, generator=drawn.generator) < doubt[:, None]
    blank = drawn.blank[:, None] & (torch.rand(given.shape, generator=drawn.generator) < 0.97)
    unknown = unknown | drawn.blank[:, None]
    columns = {}
    for name in world.classes:
        mine = (given == EMOTIONS.index(name)) & ~unknown
        columns[f"votes_{name}"] = mine.sum(1).numpy()
    columns["votes_unknown"] = (unknown & ~blank).sum(1).numpy()
    columns["votes_not_a_face"] = blank.sum(1).numpy()
    return columns


def truth_columns(drawn: Drawn, looks: Tensor, va: tuple[Tensor, Tensor], who: str) -> dict[str, object]:
    """What nobody knows of a real corpus: one column each, see the book's chapter on worlds.

    ``au_*`` is the mean of both sides, ``uneven`` the largest difference between them; ``looks_*`` is what a
    crowd of unbiased annotators would answer.
    """
    shown, scene, people = drawn.shown, drawn.scene, drawn.people
    units = shown.units.numpy()
    columns: dict[str, object] = {"identity": [f"{who}-{i:05d}" for i in drawn.who.tolist()]}
    columns["prototype"] = [EMOTIONS[i] for i in shown.emotion.tolist()]
    columns["variant"] = shown.variant.numpy()
    columns["intensity"] = shown.intensity.numpy()
    columns["blend"] = [EMOTIONS[i] for i in shown.second.tolist()]
    columns["blend_share"] = shown.share.numpy()
    columns["valence"], columns["arousal"] = (value.double().numpy() for value in va)
    columns.update({f"au_{number}": units[:, k].mean(1) for k, number in enumerate(NUMBERS)})
    columns["uneven"] = np.abs(units[..., 1] - units[..., 0]).max(1)
    columns.update({name: getattr(scene, name).numpy() for name in ("yaw_deg", "pitch_deg", "roll_deg")})
    lights = ("azimuth_deg", "elevation_deg", "key", "ambient", "warmth")
    columns.update({f"light_{name}": getattr(scene, f"light_{name}").numpy() for name in lights})
    columns.update({name: getattr(scene, name).numpy() for name in ("scale", "exposure", "blur", "noise")})
    columns.update({name: people[name].numpy() for name in PEOPLE_COLUMNS})
    columns.update({f"looks_{name}": looks[:, k].numpy() for k, name in enumerate(EMOTIONS)})
    columns["blank"] = drawn.blank.numpy()
    return columns
