"""Sheets of faces: prototypes, one face along an axis, people by age and skin, scenes, clips."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from fer_lib.views.faces import show_picture
from fer_lib.views.laboratory import someone
from fer_lib.views.style import COLOURS, new_figure, synthetic_note
from fer_lib.worlds import PROTOTYPES, People, Scene, affect, express, from_intensities, neutral_scene, render
from fer_lib.worlds.action_units import NUMBERS, ONE_SIDED
from fer_lib.worlds.scene import HEADWEAR, OCCLUDERS

AGES = (5, 10, 18, 30, 45, 60, 72, 85)


def _grid(pictures: Sequence[Sequence[Tensor | None]], *, cell: float = 0.85, left: float = 0.75) -> tuple:
    """Axes with a picture each; returns the figure and the axes by row."""
    rows, columns = len(pictures), max(map(len, pictures))
    figure, flat = new_figure(rows, columns, width=left + cell * columns, height=(cell + 0.13) * rows + 0.15)
    axes = [flat[k * columns : (k + 1) * columns] for k in range(rows)]
    for row, line in zip(axes, pictures, strict=True):
        for ax in row:
            ax.set_axis_off()
        for ax, picture in zip(row, line, strict=False):
            if picture is not None:
                ax.imshow(picture.permute(1, 2, 0).numpy())
    return figure, axes


def _name_row(axes: Sequence, name: str) -> None:
    first = axes[0]
    first.text(-0.10, 0.5, name, transform=first.transAxes, ha="right", va="center", fontsize=8)


def _under(ax, text: str, size: float = 6.5) -> None:
    ax.set_title(text, fontsize=size, loc="center", y=-0.03, va="top", pad=0)


def prototype_sheet(person: People, scene: Scene, *, size: int = 96) -> Figure:
    """Every variant of every emotion, one emotion a column, its action units underneath.

    Args:
        person: one person.
        scene: one scene.
        size: side of each face in pixels.
    """
    tables = list(PROTOTYPES.values())
    faces = [_one_sided(name, variant) for name, variants in PROTOTYPES.items() for variant in variants]
    painted = iter(_paint(person, torch.cat(faces), scene, size))
    columns = [[next(painted) for _ in variants] for variants in tables]
    deep = max(map(len, columns))
    rows = [[column[k] if k < len(column) else None for column in columns] for k in range(deep)]
    figure, axes = _grid(rows, cell=0.88, left=0.05)
    for column, (name, variants) in enumerate(PROTOTYPES.items()):
        top = axes[0][column]
        top.text(0.5, 1.05, name, transform=top.transAxes, ha="center", va="bottom", fontsize=8)
        for row, variant in enumerate(variants):
            _under(axes[row][column], " ".join(map(str, sorted(variant))) or "no unit")
    return synthetic_note(figure)


def _one_sided(emotion: str, variant: dict[int, float]) -> Tensor:
    face = from_intensities(variant)
    for number in ONE_SIDED.get(emotion, ()):
        face[:, NUMBERS.index(number), 0] = 0
    return face


def _paint(people: People, faces: Tensor, scene: Scene, size: int) -> Tensor:
    """Faces (B,A,2) of one or B people in one or B scenes."""
    index = torch.zeros(len(faces), dtype=torch.long)
    people = people.take(index) if len(people) == 1 else people
    scene = scene.take(index) if len(scene.scale) == 1 else scene
    return render(people, faces, scene, size=size).images


def axis_strips(person: People, scene: Scene, *, steps: int = 9, size: int = 96) -> Figure:
    """One face from -1 to 1 in valence at no arousal, and in arousal at no valence, with what it reaches.

    Args:
        person, scene: one of each.
        steps: faces a row.
        size: side of each face in pixels.
    """
    ticks = torch.linspace(-1, 1, steps)
    none = torch.zeros(steps)
    asked = {"valence": (ticks, none), "arousal": (none, ticks)}
    faces = {name: express(*wanted) for name, wanted in asked.items()}
    figure, axes = _grid([list(_paint(person, units, scene, size)) for units in faces.values()], cell=0.78)
    for k, (row, (name, units)) in enumerate(zip(axes, faces.items(), strict=True)):
        _name_row(row, name)
        for ax, tick, reached in zip(row, ticks.tolist(), affect(units)[k].tolist(), strict=True):
            _under(ax, f"{tick:+.2f} ({reached:+.2f})")
    return synthetic_note(figure)


def life_sheet(
    numbers: Sequence[tuple[int, bool, float]], *, ages: Sequence[int] = AGES, size: int = 96
) -> Figure:
    """The same people through their lives, one person a row.

    Args:
        numbers: (number, male, skin tone) of each person, see ``laboratory.someone``.
        ages: years, one a column.
        size: side of each face in pixels.
    """
    crowd = [
        someone(number, age=age, male=male, skin_tone=tone) for number, male, tone in numbers for age in ages
    ]
    people = People({name: torch.cat([one[name] for one in crowd]) for name in crowd[0].traits})
    face = from_intensities({6: 0.3, 12: 0.4}, batch=len(people))
    painted = _paint(people, face, neutral_scene(len(people), scale=1.05), size)
    pictures = [list(row) for row in painted.split(len(ages))]
    figure, axes = _grid(pictures, cell=0.85, left=0.1)
    for ax, age in zip(axes[-1], ages, strict=True):
        _under(ax, f"{age} years", 7.5)
    return synthetic_note(figure)


def tone_sheet(people: People, *, size: int = 96) -> Figure:
    """People in a row, from the lightest skin to the darkest."""
    people = people.take(people["skin_tone"].argsort())
    pictures = _paint(
        people, from_intensities({}, batch=len(people)), neutral_scene(len(people), scale=1.05), size
    )
    half = -(-len(people) // 2)
    figure, _ = _grid([list(pictures[:half]), list(pictures[half:])], cell=0.78, left=0.1)
    return synthetic_note(figure)


def scene_sheet(person: People, *, size: int = 112, seed: int = 0) -> Figure:
    """One face in many scenes: turned, lit, covered, masked, and by a poor camera.

    Args:
        person: one person.
        size: side of each face in pixels.
        seed: of the masks' colours and kinds.
    """
    rows = {"turned": _turned(), "lit": _lit(), "covered": _covered(), "by the camera": _spoilt()}
    face = from_intensities({6: 0.5, 12: 0.7, 25: 0.5})
    flat = [scene for scenes in rows.values() for _, scene in scenes]
    names = [field.name for field in dataclasses.fields(Scene)]
    together = Scene(**{name: torch.cat([getattr(scene, name) for scene in flat]) for name in names})
    painted = iter(_paint(person, face.repeat(len(flat), 1, 1), together, size))
    pictures = [[next(painted) for _ in scenes] for scenes in rows.values()]
    pictures.append(list(_masked(person, face, len(pictures[0]), size, seed)))
    figure, axes = _grid(pictures)
    for row, (name, scenes) in zip(axes, [*rows.items(), ("masked", ())], strict=True):
        _name_row(row, name)
        for ax, (label, _) in zip(row, scenes, strict=False):
            _under(ax, label)
    return synthetic_note(figure)


def _changed(**values: float) -> Scene:
    scene = neutral_scene(scale=0.95)
    fresh = {}
    for name, value in values.items():
        old = getattr(scene, name)
        fresh[name] = torch.full_like(old, value)
    return dataclasses.replace(scene, **fresh)


def _turned() -> list[tuple[str, Scene]]:
    found = [(f"yaw {yaw:+d}°", _changed(yaw_deg=yaw)) for yaw in (-40, -20, 20, 40)]
    found += [(f"pitch {pitch:+d}°", _changed(pitch_deg=pitch)) for pitch in (-20, 20)]
    return [*found, ("roll +25°", _changed(roll_deg=25))]


def _lit() -> list[tuple[str, Scene]]:
    key = {"light_key": 1.1, "light_ambient": 0.25}
    found = [(f"lamp {at:+d}°", _changed(light_azimuth_deg=at, **key)) for at in (-75, 0, 75)]
    low = _changed(light_elevation_deg=-40, **key)
    two = _changed(light_azimuth_deg=-70, second_azimuth_deg=80, second_key=0.8, second_warmth=0.25, **key)
    behind = _changed(light_key=0.3, second_azimuth_deg=130, second_key=1.4)
    return [
        *found,
        ("from below", low),
        ("two lamps", two),
        ("from behind", behind),
        ("dusk", _changed(exposure=0.4)),
    ]


def _covered() -> list[tuple[str, Scene]]:
    wanted = ("hand at the chin", "hand at the cheek", "microphone", "strand of hair", "sunglasses")
    short = {name: name.replace(" at the", ",").replace(" of hair", "") for name in wanted}
    found = [(short[name], _changed(occluder=OCCLUDERS.index(name))) for name in wanted]
    found += [(name, _changed(headwear=HEADWEAR.index(name))) for name in HEADWEAR[1:]]
    return found[:7]


def _spoilt() -> list[tuple[str, Scene]]:
    moved = dataclasses.replace(neutral_scene(scale=0.95), motion=torch.tensor([[0.10, 0.03]]))
    return [
        ("blur", _changed(blur=2.0)), ("motion", moved), ("grain", _changed(noise=0.06)),
        ("compression", _changed(compression=1.0)), ("vignette", _changed(vignette=0.9)),
        ("tone curve", _changed(curve=1.5)), ("warm lamp", _changed(light_warmth=0.3)),
    ]  # fmt: skip


def _masked(person: People, face: Tensor, count: int, size: int, seed: int) -> Tensor:
    from fer_lib.preprocess.masks import overlay

    yaw = torch.linspace(-30, 30, count)
    scene = dataclasses.replace(neutral_scene(count, scale=0.95), yaw_deg=yaw)
    index = torch.zeros(count, dtype=torch.long)
    done = render(person.take(index), face.repeat(count, 1, 1), scene, size=size)
    return overlay(done.images, done.landmarks, generator=torch.Generator().manual_seed(seed))[0]


def film_strip(
    images: np.ndarray, seconds: np.ndarray, curves: dict[str, np.ndarray], *, shown: int = 8
) -> Figure:
    """Frames of one clip above the course of its truth.

    Args:
        images: (T,C,S,S) uint8, the whole clip.
        seconds: (T,) when each frame was taken.
        curves: name -> (T,), drawn over time.
        shown: frames in the strip, evenly over the clip.

    Raises:
        ValueError: curves that are not as long as the clip.
    """
    wrong = {name: len(curve) for name, curve in curves.items() if len(curve) != len(images)}
    if wrong:
        raise ValueError(f"curves must have one value a frame, {len(images)}; got {wrong}. Cut them alike.")
    figure = Figure(figsize=(7.4, 3.5), layout="constrained")
    shown = min(shown, len(images))
    strips = figure.add_gridspec(2, shown, height_ratios=(0.5, 1), hspace=0.02, wspace=0.02)
    picked = np.linspace(0, len(images) - 1, shown).round().astype(int)
    below = figure.add_subplot(strips[1, :])
    for k, place in enumerate(picked):
        ax = figure.add_subplot(strips[0, k])
        show_picture(ax, images[place])
        ax.set_axis_off()
        below.axvline(seconds[place], color="#D8D8D8", linewidth=0.8, zorder=0)
    for name, colour in zip(curves, ("red", "blue", "green", "orange", "purple"), strict=False):
        below.plot(seconds, curves[name], color=COLOURS[colour], label=name)
    below.set(xlabel="seconds", xlim=(seconds[0], seconds[-1]))
    below.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return synthetic_note(figure)


def ceiling_bars(scores: dict[str, tuple[float, str]]) -> Figure:
    """The best reachable score of each world, with its metric.

    Args:
        scores: world -> (ceiling in [0, 1], name of the metric).
    """
    figure, (ax,) = new_figure(width=7.0, height=0.3 * len(scores) + 0.9)
    names = list(scores)[::-1]
    values = [scores[name][0] for name in names]
    ax.barh(names, values, color="#CFE0EA", edgecolor="none", height=0.62)
    for k, (name, value) in enumerate(zip(names, values, strict=True)):
        ax.plot([value, value], [k - 0.38, k + 0.38], color=COLOURS["red"], linewidth=2)
        ax.text(value + 0.012, k, f"{value:.2f}  {scores[name][1]}", va="center", fontsize=8)
    ax.set(xlim=(0, 1.28), xlabel="best reachable score")
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
    ax.grid(False, axis="y")
    return synthetic_note(figure)
