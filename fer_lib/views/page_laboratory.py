"""The face laboratory for a page without a kernel: drawn and computed by the reader's browser.

The page gets a program recorded from the face world's own functions (``views.tracing``), a few people, the
emotions' prototypes, and two short scripts. It asks no server for anything.
"""

import base64
import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fer_lib.views.tracing import STEPS, Program, trace
from fer_lib.views.vector_face import Places, place, sketch, unpack
from fer_lib.worlds import (
    NAMES,
    NUMBERS,
    PROTOTYPES,
    People,
    affect,
    express,
    from_intensities,
    neutral_scene,
    render,
    sample_people,
)
from fer_lib.worlds.action_units import ONE_SIDED, SIDED
from fer_lib.worlds.camera import develop, meter

FILES = Path(__file__).parent / "static"
GROUPS = {
    "Brows": (1, 2, 4),
    "Eyes": (5, 6, 7, 43),
    "Nose and upper lip": (9, 10),
    "Corners of the mouth": (12, 14, 15, 20),
}
REST = "Lips and jaw"
TURNS = (("turn", 35), ("nod", 20), ("tilt", 25))
# name: whom the drawing shows, the traits wished for, the colours of cloth and background
CAST: dict[str, tuple[str, dict[str, float], str, str]] = {
    "Mira": (
        "a young woman",
        {"age": 26, "male": 0, "skin_tone": 0.3, "hair_length": 1.1, "makeup": 0.6, "fringe": 0, "curl": 0},
        "#2f5d62",
        "#d9c7a8",
    ),
    "Kofi": (
        "a man of thirty",
        {"age": 31, "male": 1, "skin_tone": 0.9, "hair_length": 0.0, "curl": 0.8, "beard": 0, "fringe": 0},
        "#b5542f",
        "#93b3b5",
    ),
    "Ilse": (
        "an old woman with glasses",
        {"age": 76, "male": 0, "skin_tone": 0.12, "hair_length": 0.1, "glasses": 1, "crease": 1, "fringe": 0},
        "#6b4d74",
        "#a9b7a0",
    ),
    "Ravi": (
        "a bearded man of forty",
        {
            "age": 42,
            "male": 1,
            "skin_tone": 0.6,
            "hair_length": 0.1,
            "beard": 0.9,
            "moustache": 0.9,
            "curl": 0,
        },
        "#3c4a6b",
        "#c9b79c",
    ),
    "Juno": (
        "a child of nine",
        {"age": 9, "male": 0, "skin_tone": 0.45, "hair_length": 0.7, "fringe": 0.8, "curl": 0},
        "#c48a2a",
        "#b4c6d0",
    ),
    "Otto": (
        "a bald man of sixty",
        {"age": 62, "male": 1, "skin_tone": 0.1, "bald": 1, "moustache": 0.9, "beard": 0},
        "#4d5a45",
        "#bfae9f",
    ),
}


@dataclass(frozen=True)
class PageLaboratory:
    """Shows itself on a page; ``data`` is all that the page computes with."""

    data: dict[str, Any]

    def _repr_html_(self) -> str:
        return self.fragment()

    def __repr__(self) -> str:
        return "The face laboratory, which works on the page."

    def fragment(self) -> str:
        """The laboratory as a piece of a page: style, data and scripts in one."""
        style = (FILES / "laboratory.css").read_text(encoding="utf-8")
        script = "\n".join((FILES / name).read_text(encoding="utf-8") for name in ("face.js", "panel.js"))
        data = json.dumps(self.data, separators=(",", ":")).replace("<", "\\u003c")
        return (
            f'<div class="face-lab"><style>{style}</style>'
            f'<script type="application/json">{data}</script></div>'
            f'<script>(() => {{\n"use strict";\n{script}}})();</script>'
            "<noscript>The face laboratory needs JavaScript; the figures below need none.</noscript>"
        )

    def page(self) -> str:
        """A whole page with nothing else on it, to keep or to send."""
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Face laboratory</title>'
            '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"></head>'
            f'<body style="max-width:54rem;margin:1rem auto">{self.fragment()}</body></html>'
        )


def page_laboratory() -> PageLaboratory:
    """Everything the page's laboratory needs, computed from the face world as it is now.

    >>> [unit["number"] for unit in page_laboratory().data["units"]][:3]
    [1, 2, 4]
    """
    people = cast()
    traits = [name for name, value in people.traits.items() if value.dim() == 1]
    recorded = record(people.take(torch.tensor([0])), traits)
    return PageLaboratory(
        {
            "steps": [[name, count] for name, (count, _) in STEPS.items()],
            "program": {k: _packed(v) if isinstance(v, Program) else v for k, v in recorded.items()},
            "units": [
                {"number": n, "name": NAMES[n], "sided": n in SIDED, "group": _group(n)} for n in NUMBERS
            ],
            "angles": [{"name": name, "reach": reach} for name, reach in TURNS],
            "people": _described(people, traits),
            "emotions": emotions(),
            "plane": plane(),
        }
    )


@functools.lru_cache(maxsize=1)
def cast() -> People:
    """The people of the page: for each wish, the nearest of many drawn people."""
    drawn = sample_people(600, seed=11)
    chosen: list[int] = []
    for _, wish, _, _ in CAST.values():
        far = sum(
            ((drawn[name] - value) / (12 if name == "age" else 0.35)) ** 2 for name, value in wish.items()
        )
        far = far + 0.4 * drawn["habit"].abs().sum(1) if "habit" in drawn.traits else far
        order = [int(k) for k in torch.as_tensor(far).argsort() if int(k) not in chosen]
        chosen.append(order[0])
    return drawn.take(torch.tensor(chosen))


def record(person: People, traits: list[str]) -> dict[str, Any]:
    """The two programs of the page, and where curves, levels and strokes lie among the first one's outputs.

    ``sketch`` goes from a row of numbers (see ``numbers_of``) to places on the face; ``place`` goes from
    the head's shape, three angles and one point with its height over the head to pixels.
    """
    units = torch.full((2 * len(NUMBERS),), 0.1)
    start = torch.cat([*(person[name] for name in traits), units, torch.zeros(3)])
    groups = sketch(*unpack(start, traits))
    found: dict[str, Any] = {"sketch": trace(lambda row: _flat(sketch(*unpack(row, traits))), start)}
    found["place"] = trace(
        lambda row: place(row[:5], row[5:8], row[None, 8:]).reshape(-1),
        torch.cat([groups.shape, torch.tensor([1.0, 1.0, 1.0, 0.1, 0.1, 0.1])]),
    )
    at = 0
    for name, width, group in (
        ("skin", 3, groups.skin),
        ("flat", 2, groups.flat),
        ("levels", 2, groups.levels),
    ):
        found[name] = {}
        for key, values in group.items():
            found[name][key] = [at, values.numel() // width]
            at += values.numel()
    return found | {"strokes": [at, groups.strokes.shape[1]], "shape": at + groups.strokes.numel()}


def _flat(found: Places) -> Tensor:
    groups = (*found.skin.values(), *found.flat.values(), *found.levels.values(), found.strokes, found.shape)
    return torch.cat([values.reshape(-1) for values in groups])


def numbers_of(person: People, units: Tensor, angles_deg: tuple[float, float, float]) -> list[float]:
    """What the page feeds its program for one face: traits, units (1,A,2) side by side, angles."""
    traits = [float(value[0]) for value in person.traits.values() if value.dim() == 1]
    return [*traits, *units.reshape(-1).tolist(), *angles_deg]


def _packed(program: Program) -> dict[str, Any]:
    places = 1 + max([*program.code, *program.outputs])
    if places >= 2**16:
        raise ValueError(f"program must have fewer than 65536 places; got {places}. Ask for fewer points.")
    packed = lambda numbers: base64.b64encode(np.array(numbers, dtype="<u2").tobytes()).decode()  # noqa: E731
    return {
        "inputs": program.inputs,
        "constants": program.constants,
        "code": packed(program.code),
        "outputs": packed(program.outputs),
    }


def _group(number: int) -> str:
    return next((name for name, members in GROUPS.items() if number in members), REST)


def emotions() -> list[dict[str, Any]]:
    """Each emotion's variants as [unit, left, right], its place in the plane, and one for its name."""
    found = []
    for name, variants in PROTOTYPES.items():
        faces = [_one_sided(name, from_intensities(variant)) for variant in variants]
        listed = [
            [[k, *(round(float(v), 2) for v in face[0, k])] for k in range(len(NUMBERS)) if face[0, k].any()]
            for face in faces
        ]
        at = [round(float(v), 3) for v in torch.cat(affect(faces[0]))]
        found.append({"name": name, "variants": listed, "at": at, "label": [at[0], at[1] + 0.09]})
    _spread_labels([entry["label"] for entry in found])
    return found


def _one_sided(emotion: str, face: Tensor) -> Tensor:
    for number in ONE_SIDED.get(emotion, ()):
        face[:, NUMBERS.index(number), 0] = 0
    return face


def _spread_labels(labels: list[list[float]]) -> None:
    """Move names apart, up or down, until none covers another, in place."""
    for _ in range(60):
        for i, a in enumerate(labels):
            for b in labels[:i]:
                if abs(a[0] - b[0]) < 0.46 and abs(a[1] - b[1]) < 0.125:
                    push = 0.012 if a[1] >= b[1] else -0.012
                    a[1], b[1] = a[1] + push, b[1] - push
    for label in labels:
        label[0] = min(0.78, max(-0.78, label[0]))


def plane(steps: int = 15) -> list[dict[str, Any]]:
    """Faces over the plane, from ``express``: where each lies, and its units as number, per cent in turn."""
    ticks = torch.linspace(-1, 1, steps).tolist()
    wanted = torch.tensor([(v, a) for v in ticks for a in ticks if v * v + a * a <= 1.15])
    faces = express(wanted[:, 0], wanted[:, 1])[:, :, 0]
    return [
        {
            "at": [round(v, 3) for v in place],
            "units": [n for k, value in enumerate(face) if value > 0 for n in (k, round(100 * value))],
        }
        for place, face in zip(wanted.tolist(), faces.tolist(), strict=True)
    ]


def _described(people: People, traits: list[str]) -> list[dict[str, Any]]:
    """Traits, looks and colours of each person, for the page."""
    pictures = render(people, from_intensities({}, batch=len(people)), neutral_scene(len(people)), size=192)
    looks = ("glasses", "beard", "stubble", "moustache", "makeup", "bald", "parting", "curl")
    listed = []
    for k, (name, (who, _, cloth, ground)) in enumerate(CAST.items()):
        colours = _colours(people, pictures.images[k], pictures.landmarks[k], k)
        listed.append(
            {
                "name": name,
                "who": who,
                "traits": [float(f"{float(people[t][k]):.6g}") for t in traits],
                "looks": {look: round(float(people[look][k]), 2) for look in looks}
                | {
                    "frame": round(float(people["frame_dark"][k]), 2),
                    "round": round(float(people["frame_round"][k]), 2),
                },
                "colours": colours | {"cloth": cloth, "ground": ground},
            }
        )
    return listed


def _colours(people: People, picture: Tensor, points: Tensor, k: int) -> dict[str, str]:
    """Skin and lips as the renderer shows them; hair, brows and eyes from the traits."""
    cheeks = (points[[2, 14, 1, 15]] + points[[31, 35, 31, 35]]) / 2
    lower = (points[57] + points[66]) / 2
    exposure = meter(people["skin"])[k : k + 1]
    shown = lambda name, light: develop(light * people[name][k][None, :, None, None], exposure)[0, :, 0, 0]  # noqa: E731
    sample = lambda places: torch.stack([_pixel(picture, place) for place in places]).mean(0)  # noqa: E731
    return {
        "skin": _hex(0.4 * sample(cheeks) + 0.6 * shown("skin", 1.6)),
        "lip": _hex(sample([lower]) * torch.tensor([1.08, 0.86, 0.88])),
        "hair": _hex(shown("hair", 1.0)),
        "brow": _hex(shown("brow_colour", 0.8)),
        "iris": _hex(shown("iris", 1.0)),
    }


def _pixel(picture: Tensor, place: Tensor) -> Tensor:
    x, y = (int(v) for v in place.round())
    return picture[:, y - 1 : y + 2, x - 1 : x + 2].mean((1, 2))


def _hex(colour: Tensor) -> str:
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, float(v)))):02x}" for v in colour)
