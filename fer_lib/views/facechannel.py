"""Chapter 04's drawings: an encoder's layers as they are, and what shunting inhibition does to a unit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import nn

from fer_lib.encoders import Encoder, ShuntingInhibition, count_parameters, shunting
from fer_lib.heads import FaceModel
from fer_lib.views.style import COLOURS, INK, new_figure

DECAY = 0.5
_KINDS = {nn.Conv2d: "conv", ShuntingInhibition: "shunting", nn.MaxPool2d: "pool", nn.Linear: "dense"}
_FILL = {
    "conv": COLOURS["sky"],
    "shunting": COLOURS["orange"],
    "pool": "#D9D9D9",
    "dense": COLOURS["green"],
}
_NAMES = {
    "conv": "3×3 convolution, BatchNorm, ReLU",
    "shunting": "shunting inhibition (dashed: the twin)",
    "pool": "max-pooling, dropout",
    "dense": "dense",
}


@dataclass
class _Box:
    """One layer: what it is, the channels and side of its output, its parameters."""

    kind: str
    channels: int
    side: int
    parameters: int


def layers_of(model: nn.Module, encoder: Encoder) -> list[_Box]:
    """Walk through a model and note every convolution, pooling and dense layer in the order of their use.

    Args:
        model: a ``FaceModel``, or the encoder itself.
        encoder: its encoder, which says what images it takes.

    Returns:
        Boxes of kind "conv", "shunting", "pool" or "dense"; BatchNorm counts to the convolution before it.
    """
    boxes: list[_Box] = []
    inside = {
        id(part)
        for unit in model.modules()
        if isinstance(unit, ShuntingInhibition)
        for part in unit.children()
    }

    def note(layer: nn.Module, _: object, out: torch.Tensor) -> None:
        if isinstance(layer, nn.BatchNorm2d):
            boxes[-1].parameters += count_parameters(layer)
        elif id(layer) not in inside:
            side = out.shape[-1] if out.ndim == 4 else 1
            boxes.append(_Box(_KINDS[type(layer)], out.shape[1], side, count_parameters(layer)))

    wanted = (*_KINDS, nn.BatchNorm2d)
    hooks = [layer.register_forward_hook(note) for layer in model.modules() if isinstance(layer, wanted)]
    training, spec = model.training, encoder.input_spec
    try:
        with torch.no_grad():
            weight = next(model.parameters())
            model.eval()(weight.new_zeros(1, spec.channels, spec.size, spec.size))
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    return boxes


def architecture(model: nn.Module, encoder: Encoder) -> Figure:
    """Draw the layers of a model from the model itself: a box is as wide as its channels, as high as its map.

    Args:
        model: a ``FaceModel``.
        encoder: its encoder.
    """
    boxes, size = layers_of(model, encoder), encoder.input_spec.size
    figure, (ax,) = new_figure(height=3.2)
    x, number = _draw_image(ax, size), 0
    widest = max(box.channels for box in boxes if box.kind != "dense")
    for box in boxes:
        number += box.kind in ("conv", "shunting")
        width = 0.16 if box.kind == "pool" else 0.25 + 0.45 * min(box.channels / widest, 1)
        height = 0.25 + 1.75 * box.side / size if box.kind != "dense" else 0.5 + 0.4 * (box.channels > 10)
        ax.add_patch(_patch(x, -height / 2, width, height, facecolor=_FILL[box.kind]))
        if box.kind == "shunting":
            twin = _patch(x + 0.06, -height / 2 - 0.12, width, height, facecolor="none", linestyle="--")
            ax.add_patch(twin)
        if box.kind != "pool":
            _write(ax, box, x + width / 2, number)
        x += width + 0.13
    _finish(ax, x)
    return figure


def _patch(x: float, y: float, width: float, height: float, **style: Any) -> FancyBboxPatch:
    shape = "round,pad=0,rounding_size=0.05"
    return FancyBboxPatch((x, y), width, height, boxstyle=shape, linewidth=0.8, edgecolor=INK, **style)


def _write(ax: Axes, box: _Box, middle: float, number: int) -> None:
    """A box's name inside, its parameters above, its output below; neighbours at two heights."""
    away = 1.2 if number % 2 else 1.42
    dense = box.kind == "dense"
    ax.text(middle, 0, str(box.channels) if dense else str(number), ha="center", va="center", fontsize=8)
    ax.text(middle, away, _short(box.parameters), ha="center", fontsize=6.5, color="#5A5A5A")
    if not dense:
        ax.text(middle, -away - 0.02, f"{box.channels}×{box.side}²", ha="center", fontsize=6.5)


def ledger(model: FaceModel) -> pd.DataFrame:
    """Count a FaceChannel with its decision layer part by part, as its paper's framework would and as we do.

    Args:
        model: a ``FaceModel`` whose encoder has a ``ShuntingInhibition`` with a learned decay.

    Returns:
        A row a part: part, numbers (of each), sums last.
    """
    twin = next(layer for layer in model.modules() if isinstance(layer, ShuntingInhibition))
    norms = [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    learned = sum(count_parameters(layer) for layer in norms)
    running = sum(count_parameters(layer, statistics=True) for layer in norms) - learned
    decay = twin.raw_decay.numel()
    counts = {
        "ten convolutions": count_parameters(model.encoder)
        - learned
        - count_parameters(twin.inhibit)
        - decay,
        "inhibitory twin of the tenth": count_parameters(twin.inhibit),
        "BatchNorm, scale and shift": learned,
        "BatchNorm, running mean and variance (estimated)": running,
        "hidden and output layer": count_parameters(model.head),
    }
    counts["sum, as published architecture"] = sum(counts.values())
    counts["decay, one number a channel"] = decay
    counts["learned by gradient in our version"] = count_parameters(model)
    return pd.DataFrame({"part": counts.keys(), "numbers": counts.values()})


def _draw_image(ax: Axes, size: int) -> float:
    ax.add_patch(_patch(0, -1, 0.16, 2, facecolor="white"))
    ax.text(0.08, -1.22, f"face\n{size}²", ha="center", va="top", fontsize=6.5)
    return 0.34


def _finish(ax: Axes, width: float) -> None:
    for kind, name in _NAMES.items():
        ax.plot([], [], "s", color=_FILL[kind], markeredgecolor=INK, markersize=8, label=name)
    ax.figure.legend(loc="outside upper center", ncols=4, fontsize=7.5, columnspacing=1, handletextpad=0.2)
    ax.text(-0.1, 1.42, "numbers\nlearned", ha="left", va="center", fontsize=6.5, color="#5A5A5A")
    ax.set(xlim=(-0.15, width), ylim=(-1.6, 1.6))
    ax.set_axis_off()


def _short(count: int) -> str:
    return (
        f"{count / 1e6:.2f} M" if count >= 1e6 else f"{count / 1e3:.0f} k" if count >= 1e4 else f"{count:,}"
    )


def response_surface(decay: float = DECAY) -> Figure:
    """Eq. 1 three times: answer against drive, over drive and inhibition, and against contrast.

    Args:
        decay: a of the first two panels.
    """
    figure, (left, middle, right) = new_figure(1, 3, height=2.9)
    drive = torch.linspace(0, 3, 121)
    for inhibition, colour in zip((0.0, 0.5, 1.0, 2.0), ("blue", "green", "orange", "red"), strict=True):
        answer = shunting(drive, torch.full_like(drive, inhibition), decay)
        left.plot(drive, answer, color=COLOURS[colour], label=f"I = {inhibition:g}")
    left.set(xlabel="excitation u", ylabel="answer S")
    left.set_title("Another slope", fontsize=9)
    _surface(figure, middle, drive, decay)
    contrast = torch.logspace(-2, 2, 121)
    for a, colour in zip((0.1, 0.5, 2.0), ("blue", "green", "red"), strict=True):
        right.plot(contrast, shunting(contrast, contrast, a), color=COLOURS[colour], label=f"a = {a:g}")
    right.set(xscale="log", xlabel="contrast c (u = I = c)", ylabel="answer S")
    right.set_title("Contrast gain control", fontsize=9)
    for ax in (left, right):
        ax.legend(fontsize=7.5, handlelength=1.2)
    return figure


def _surface(figure: Figure, ax: Axes, drive: torch.Tensor, decay: float) -> None:
    across, down = torch.meshgrid(drive, drive, indexing="xy")
    answer = shunting(across, down, decay)
    filled = ax.contourf(across, down, answer, levels=np.arange(0, 6.5, 0.5), cmap="cividis")
    lines = ax.contour(across, down, answer, levels=[0.25, 0.5, 1, 2, 4], colors="white", linewidths=0.8)
    ax.clabel(lines, fontsize=6.5)
    figure.colorbar(filled, ax=ax, label="answer S")
    ax.set(xlabel="excitation u", ylabel="inhibition I")
    ax.set_title(f"All pairs, a = {decay:g}", fontsize=9)
    ax.grid(visible=False)
