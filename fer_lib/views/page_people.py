"""The people of the page's laboratory: who they are, and the colours in which they are drawn."""

import functools
from typing import Any

import torch
from torch import Tensor

from fer_lib.worlds import People, from_intensities, neutral_scene, render, sample_people
from fer_lib.worlds.camera import develop, meter

NATURE = {
    "age": 8.0,
    "male": 0.1,
    "skin_tone": 0.15,
}  # what a person cannot change, and how near it must come
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


@functools.lru_cache(maxsize=1)
def cast() -> People:
    """The people of the page: the nearest in age, sex and skin of many drawn people, groomed as wished."""
    drawn = sample_people(900, seed=11)
    chosen: list[int] = []
    groomed = []
    for _, wish, _, _ in CAST.values():
        far = sum(((drawn[name] - wish[name]) / scale) ** 2 for name, scale in NATURE.items())
        far = torch.as_tensor(far) + 0.2 * drawn["habit"].abs().sum(1)
        chosen.append(next(int(k) for k in far.argsort() if int(k) not in chosen))
        grooming = {name: value for name, value in wish.items() if name not in NATURE}
        groomed.append(drawn.take(torch.tensor(chosen[-1:])).with_traits(**grooming))
    return People({name: torch.cat([one[name] for one in groomed]) for name in drawn.traits})


def described(people: People, traits: list[str]) -> list[dict[str, Any]]:
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
