"""The face laboratory in a notebook: sliders for a face, and at once the picture and its place in the plane.

``laboratory()`` needs ipywidgets and a kernel. ``views.page_laboratory`` is its sister for printed pages.
"""

import dataclasses
import functools
import io
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from fer_lib.views.page_laboratory import emotions
from fer_lib.views.plane import draw_va_plane
from fer_lib.views.style import COLOURS, new_figure, synthetic_note
from fer_lib.worlds import (
    NAMES,
    NUMBERS,
    PROTOTYPES,
    People,
    Scene,
    affect,
    neutral_scene,
    render,
    sample_people,
)
from fer_lib.worlds.action_units import ONE_SIDED, SIDED, prototype_table, zeros
from fer_lib.worlds.people import SKIN, between, linear

SIDES = ("left", "right")
POOL = 48  # people of each age that the slider chooses from
PERSON: dict[str, tuple[float, float, float, float]] = {  # low, high, step, start
    "person": (0, 19, 1, 4), "age": (5, 85, 1, 28), "skin tone": (0, 1, 0.01, 0.35), "beard": (0, 1, 0.01, 0),
}  # fmt: skip
SCENE: dict[str, tuple[float, float, float, float]] = {
    "yaw": (-40, 40, 1, 0), "pitch": (-25, 25, 1, 0), "roll": (-30, 30, 1, 0),
    "light from": (-75, 75, 1, -20),
}  # fmt: skip


class Laboratory:
    """Sliders by name, and what they make of a face.

    Attributes:
        controls: every slider and box by name: "12 left", "12 right", "4 left", ..., "17", "age", "yaw",
            "emotion", "intensity", "landmarks".
        picture: (3,S,S) in [0,1], as shown.
        points: (68,2) landmarks in its pixels.
        affect: valence and arousal.
    """

    def __init__(self, *, size: int = 160) -> None:
        import ipywidgets

        self.size = size
        self.controls: dict[str, Any] = _controls(ipywidgets)
        self.image = ipywidgets.Image(format="png", layout=ipywidgets.Layout(width="340px", height="340px"))
        self.plane = ipywidgets.HTML()
        self.quiet = False
        for name, control in self.controls.items():
            seen = self._preset if name in ("emotion", "intensity") else self._changed
            control.observe(seen, "value")
        self.box = _arranged(ipywidgets, self.controls, self.image, self.plane)
        self.refresh()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.box)

    def _changed(self, change: Any) -> None:
        if not self.quiet:
            self.refresh()

    def _preset(self, change: Any) -> None:
        """Write an emotion's units into the sliders."""
        emotion, intensity = self.controls["emotion"].value, self.controls["intensity"].value
        units = prototype_table(emotion)[0][:, None].repeat(1, 2) * intensity
        for number in ONE_SIDED.get(emotion, ()):
            units[NUMBERS.index(number), 0] = 0
        self.quiet = True
        for number, pair in zip(NUMBERS, units.tolist(), strict=True):
            for name, value in zip(_names(number), pair, strict=False):
                self.controls[name].value = value
        self.quiet = False
        self.refresh()

    def units(self) -> Tensor:
        """The sliders' action units (1,A,2)."""
        face = zeros(1)
        for k, number in enumerate(NUMBERS):
            values = [self.controls[name].value for name in _names(number)]
            face[0, k] = torch.tensor(values if len(values) == 2 else values * 2)
        return face

    def person(self) -> People:
        """The person that the sliders describe."""
        value = {name: control.value for name, control in self.controls.items()}
        return someone(
            int(value["person"]),
            age=value["age"],
            male=value["male"],
            skin_tone=value["skin tone"],
            glasses=value["glasses"],
            beard=value["beard"],
        )

    def scene(self) -> Scene:
        """The scene that the sliders describe."""
        angles = {f"{name}_deg": self.controls[name].value for name in ("yaw", "pitch", "roll")}
        light = torch.tensor([float(self.controls["light from"].value)])
        return dataclasses.replace(neutral_scene(scale=1.0, **angles), light_azimuth_deg=light)

    def refresh(self) -> None:
        """Paint anew."""
        units = self.units()
        done = render(self.person(), units, self.scene(), size=self.size)
        self.picture, self.points = done.images[0], done.landmarks[0]
        valence, arousal = affect(units)
        self.affect = float(valence), float(arousal)
        shown = _dotted(self.picture, self.points) if self.controls["landmarks"].value else self.picture
        self.image.value = _png(shown)
        self.plane.value = _plane_svg(*self.affect)

    def figure(self) -> Figure:
        """The laboratory as it stands, for a page that cannot move: face, landmarks and plane."""
        figure, (face, dots, plane) = new_figure(1, 3, width=7.4, height=2.7)
        for ax, picture in ((face, self.picture), (dots, self.picture)):
            ax.imshow(picture.permute(1, 2, 0).numpy())
            ax.set_axis_off()
        across, down = self.points.numpy().T
        dots.scatter(across, down, s=3.5, color="white", edgecolors="black", linewidths=0.3)
        draw_va_plane(plane, np.array([self.affect[0]]), np.array([self.affect[1]]))
        plane.collections[-1].set(sizes=[60], color=COLOURS["red"], alpha=1)
        for word in emotions():
            x, y = word["label"]
            plane.text(x, y, word["name"], ha="center", va="center", fontsize=6.5, color="#4A4A4A")
        return synthetic_note(figure)


def laboratory(*, size: int = 160) -> Laboratory:
    """Open the face laboratory; as the last value of a notebook's cell it shows itself.

    Args:
        size: side of the rendered picture; 160 pixels take about a hundredth of a second.

    >>> lab = laboratory(size=64)
    >>> lab.controls["emotion"].value = "happiness"
    >>> lab.affect[0] > 0.5
    True
    """
    return Laboratory(size=size)


@functools.lru_cache(maxsize=256)
def _people_of(age: float, male: bool) -> People:
    drawn = sample_people(POOL, seed=2, ages=(age, age + 0.01))
    return drawn.take(torch.nonzero(drawn["male"] == float(male)).flatten())


def someone(
    number: int, *, age: float, male: bool, skin_tone: float, glasses: bool = False, beard: float = 0.0
) -> People:
    """One person by number; the same number is the same person at every age.

    Args:
        number: which of the drawn people, from 0.
        age: years, 5-85.
        male: else female.
        skin_tone: 0 light to 1 dark.
        glasses: worn or not.
        beard: 0 none to 1 full.
    """
    people = _people_of(float(age), bool(male))
    person = people.take(torch.tensor([number % len(people)]))
    skin = between(linear(SKIN), torch.tensor([float(skin_tone)]))
    return person.with_traits(
        skin_tone=float(skin_tone), skin=skin, glasses=float(glasses), beard=beard, moustache=0.9 * beard
    )


def _names(number: int) -> tuple[str, ...]:
    """The names of a unit's sliders."""
    return tuple(f"{number} {side}" for side in SIDES) if number in SIDED else (str(number),)


def _controls(w: Any) -> dict[str, Any]:
    wide = w.Layout(width="17.5rem")

    def slider(name: str, low: float, high: float, step: float, start: float) -> Any:
        kind = w.IntSlider if step == 1 else w.FloatSlider
        return kind(
            value=start, min=low, max=high, step=step, description=name, layout=wide,
            style={"description_width": "6.5rem"}, continuous_update=True,
        )  # fmt: skip

    found = {"emotion": w.Dropdown(options=list(PROTOTYPES), description="emotion", layout=wide)}
    found["intensity"] = slider("intensity", 0, 1, 0.01, 1.0)
    for number in NUMBERS:
        for name in _names(number):
            found[name] = slider(name, 0, 1, 0.01, 0.0)
            found[name].tooltip = NAMES[number]
    for name, bounds in (PERSON | SCENE).items():
        found[name] = slider(name, *bounds)
    for name in ("male", "glasses", "landmarks"):
        found[name] = w.Checkbox(value=False, description=name, indent=False)
    return found


def _arranged(w: Any, controls: dict[str, Any], image: Any, plane: Any) -> Any:
    """Picture and plane above, controls in tabs below."""
    pick = lambda names: w.VBox([controls[name] for name in names])  # noqa: E731
    units = [name for number in NUMBERS for name in _names(number)]
    third = -(-len(units) // 3)
    tabs = w.Tab(
        [
            w.HBox([pick(units[k : k + third]) for k in range(0, len(units), third)]),
            pick([*PERSON, "male", "glasses"]),
            pick(SCENE),
        ],
        titles=["action units", "person", "scene"],
    )
    top = w.HBox([image, w.VBox([plane, pick(["emotion", "intensity", "landmarks"])])])
    return w.VBox([top, tabs])


def _dotted(picture: Tensor, points: Tensor) -> Tensor:
    """The picture with a white dot, dark below, at each landmark."""
    marked, side = picture.clone(), picture.shape[-1]
    for colour, shift in ((0.0, 1), (1.0, 0)):
        x, y = (points.round().long() + shift).clamp(0, side - 1).unbind(-1)
        marked[:, y, x] = colour
    return marked


def _png(picture: Tensor) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    array = (picture.clamp(0, 1) * 255 + 0.5).byte().permute(1, 2, 0).numpy()
    Image.fromarray(array).save(file, "PNG", compress_level=1)
    return file.getvalue()


@functools.lru_cache(maxsize=1)
def _words() -> str:
    place = lambda word: f'x="{100 * word["label"][0]:.0f}" y="{-100 * word["label"][1]:.0f}"'  # noqa: E731
    return "".join(f"<text {place(word)}>{word['name']}</text>" for word in emotions())


def _plane_svg(valence: float, arousal: float) -> str:
    """The plane with the emotions' names and the face's point."""
    return (
        '<svg viewBox="-118 -112 236 224" width="270" role="img" aria-label="valence and arousal">'
        '<circle r="100" fill="none" stroke="#999"/><path d="M-100 0H100M0-100V100" stroke="#bbb"/>'
        f'<g font-size="10" text-anchor="middle" fill="#777">{_words()}</g>'
        f'<circle cx="{100 * valence:.1f}" cy="{-100 * arousal:.1f}" r="6" fill="{COLOURS["red"]}"/></svg>'
    )
