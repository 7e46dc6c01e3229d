"""Tables of a world: the columns its corpus has, and the truth that only a world knows."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from torch import Tensor

from fer_lib.worlds.action_units import NUMBERS
from fer_lib.worlds.backdrop import PLACES
from fer_lib.worlds.feelings import FEELINGS
from fer_lib.worlds.scene import HEADWEAR, OCCLUDERS
from fer_lib.worlds.sequences import RATE

if TYPE_CHECKING:
    from fer_lib.worlds.labels import Columns, Seen
    from fer_lib.worlds.world import Drawn, World

PEOPLE_COLUMNS = ("age", "male", "skin_tone", "beard", "glasses")
NAMED = {"place": PLACES, "occluder": OCCLUDERS, "headwear": HEADWEAR}  # scene fields that are indices
POINTS = 68
PHASES = ("rest", "onset", "apex", "offset")


def corpus_columns(world: World, drawn: Drawn) -> Columns:
    """Columns of the corpus beside its labels: names of files, subjects, videos, frames."""
    earlier = list(world.people)[: list(world.people).index(drawn.split)]  # splits share no person
    first = sum(world.people[split] for split in earlier)
    names = [f"{world.prefix}{first + who:0{world.digits}d}" for who in drawn.who.tolist()]
    if world.sittings:
        return _sitting_columns(world, drawn)
    if drawn.clip is None:
        return {}
    clip, repeat = drawn.clip, drawn.repeat
    video = [f"{names[i * repeat]}_{v:04d}" for i, v in enumerate(clip.video.tolist())]
    columns = {
        "subject": np.array(names, dtype=object),
        "video": _spread(np.array(video, dtype=object), repeat),
    }
    called = world.clip_name
    if called:
        columns[called] = _spread(_clip_names(called, clip.take), repeat)
    if called == "utterance" and world.clips is not None:
        start = clip.take * world.clips.seconds[1]
        columns["start"] = _spread(start.numpy().astype(float), repeat)
        columns["end"] = _spread((start + clip.plan.seconds).numpy().astype(float), repeat)
    if called == "execution":
        for k, name in enumerate(("start", "apex", "apex_end", "end")):
            columns[name] = _spread((clip.plan.marks[:, k] * RATE).round().long().numpy(), repeat)
    columns["frame"] = clip.frame.flatten().numpy()
    return columns


def _clip_names(called: str, take: Tensor) -> np.ndarray:
    if called == "utterance":
        return np.array([f"utterance_{number + 1}.mp4" for number in take.tolist()], dtype=object)
    return take.numpy() + 1


def _sitting_columns(world: World, drawn: Drawn) -> Columns:
    """JAFFE's file names: subject, expression and shot, serial number."""
    who = [world.initials[i] for i in drawn.who.tolist()]
    shot = drawn.take.numpy() + 1
    return {"subject": np.array(who, dtype=object), "shot": shot}


def _spread(values: np.ndarray, repeat: int) -> np.ndarray:
    return np.repeat(values, repeat)


def truth_columns(drawn: Drawn, seen: Seen, names: tuple[str, ...], who: str) -> dict[str, object]:
    """What nobody knows of a real corpus: one column each, see the book's chapter on worlds.

    ``au_*`` is the mean of both sides, ``uneven`` the largest difference between them; ``looks_*`` is what a
    crowd of unbiased annotators would answer.
    """
    shown, people = drawn.shown, drawn.people
    units = shown.units.numpy()
    columns: dict[str, object] = {"identity": [f"{who}-{i:05d}" for i in drawn.who.tolist()]}
    columns["prototype"] = [FEELINGS[i] for i in shown.emotion.tolist()]
    columns["variant"] = shown.variant.numpy()
    columns["intensity"] = shown.intensity.numpy()
    columns["blend"] = [FEELINGS[i] for i in shown.second.tolist()]
    columns["blend_share"] = shown.share.numpy()
    columns["valence"], columns["arousal"] = seen.row_affect.double().numpy().T
    columns.update({f"au_{number}": units[:, k].mean(1) for k, number in enumerate(NUMBERS)})
    columns["uneven"] = np.abs(units[..., 1] - units[..., 0]).max(1)
    columns.update(_scene_columns(drawn.scene))
    columns.update({name: people[name].numpy() for name in PEOPLE_COLUMNS})
    columns.update({f"looks_{name}": seen.row_looks[:, k].numpy() for k, name in enumerate(names)})
    columns["blank"] = drawn.blank.numpy()
    if drawn.clip is not None:
        columns["clip"] = np.repeat(drawn.clip.number.numpy(), drawn.repeat)
        columns["seconds"] = drawn.clip.time.flatten().numpy()
        columns["phase"] = _phases(drawn)
    return columns


def _scene_columns(scene: object) -> dict[str, np.ndarray]:
    """Every number and name of the scene; pairs get ``_x`` and ``_y``."""
    columns = {}
    for field in dataclasses.fields(scene):  # type: ignore[arg-type]
        value = getattr(scene, field.name)
        if field.name in NAMED:
            columns[field.name] = np.array([NAMED[field.name][i] for i in value.tolist()], dtype=object)
        elif value.dim() == 1:
            columns[field.name] = value.numpy()
        elif value.dim() == 2 and value.shape[1] == 2:
            columns |= {f"{field.name}_{axis}": value[:, k].numpy() for k, axis in enumerate("xy")}
    return columns


def _phases(drawn: Drawn) -> list[str]:
    assert drawn.clip is not None
    marks, time = drawn.clip.plan.marks, drawn.clip.time
    passed = (time[:, :, None] >= marks[:, None]).sum(2).flatten()  # 0 before the onset ... 4 after the end
    return [PHASES[k % 4] for k in passed.tolist()]


def landmark_columns(points: np.ndarray) -> dict[str, np.ndarray]:
    """(N,68,2) pixels -> columns ``lm_x_00`` ... ``lm_y_67``, single precision."""
    points = points.astype(np.float32)
    return {f"lm_{axis}_{k:02d}": points[:, k, j] for j, axis in enumerate("xy") for k in range(POINTS)}


def landmarks_of(truth: pd.DataFrame) -> np.ndarray:
    """The 68 landmarks of a world's pictures, in pixels of the stored size.

    Args:
        truth: N rows of a world's truth, such as ``faces.truth``.

    Returns:
        float32 (N,68,2), x then y; the first pixel's centre is (0, 0).

    Raises:
        ValueError: the table has no landmarks.
    """
    names = [f"lm_{axis}_{k:02d}" for axis in "xy" for k in range(POINTS)]
    if not set(names) <= set(truth.columns):
        raise ValueError(
            f"truth must have the columns lm_x_00 to lm_y_67; got {len(truth.columns)} others. "
            "Take the truth of a world."
        )
    flat = truth[names].to_numpy(dtype=np.float32)
    return flat.reshape(len(truth), 2, POINTS).transpose(0, 2, 1)
