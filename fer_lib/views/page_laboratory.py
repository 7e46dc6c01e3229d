"""The face laboratory for a page without a kernel: drawn and computed by the reader's browser.

The page gets a program recorded from the face world's own functions (``views.tracing``), a few people, the
emotions' prototypes, and two short scripts. It asks no server for anything.
"""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fer_lib.views import live
from fer_lib.views.page_people import cast, described
from fer_lib.views.steps import STEPS, Program
from fer_lib.views.tracing import trace
from fer_lib.views.vector_face import Places, place, sketch, unpack
from fer_lib.worlds import (
    NAMES,
    NUMBERS,
    PROTOTYPES,
    People,
    affect,
    express,
    from_intensities,
)
from fer_lib.worlds.action_units import ONE_SIDED, SIDED

GROUPS = {
    "Brows": (1, 2, 4),
    "Eyes": (5, 6, 7, 43),
    "Nose and upper lip": (9, 10),
    "Corners of the mouth": (12, 14, 15, 20),
}
REST = "Lips and jaw"
TURNS = (("turn", 35), ("nod", 20), ("tilt", 25))


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
        without = "The face laboratory needs JavaScript; the figures below need none."
        return live.fragment("face-lab", self.data, scripts=("face", "panel"), without=without)

    def page(self) -> str:
        """A whole page with nothing else on it, to keep or to send."""
        return live.whole_page(self.fragment(), title="Face laboratory", width_rem=54)


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
            "people": described(people, traits),
            "emotions": emotions(),
            "plane": plane(),
        }
    )


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
    found: list[dict[str, Any]] = []
    for name, variants in PROTOTYPES.items():
        faces = [_one_sided(name, from_intensities(variant)) for variant in variants]
        listed = [
            [[k, *(round(float(v), 2) for v in face[0, k])] for k in range(len(NUMBERS)) if face[0, k].any()]
            for face in faces
        ]
        at = [round(float(v), 3) for v in torch.cat(affect(faces[0]))]
        found.append({"name": name, "variants": listed, "at": at})
    labels = [[x, y + 0.09] for x, y in (entry["at"] for entry in found)]
    _spread_labels(labels)
    return [entry | {"label": label} for entry, label in zip(found, labels, strict=True)]


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
