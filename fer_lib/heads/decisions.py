"""The decision layer of each corpus: how large, over how many frames, trained how."""

import math
from dataclasses import dataclass
from typing import Any

from fer_lib.heads.dense import DenseHead, head_for
from fer_lib.heads.sequence import SequenceHead
from fer_lib.losses import StateLoss

OPTIMIZER_OF = {"SGD": "plain_sgd", "ADAM": "adamw"}
"""Name in the paper's tables -> ours; the paper tells of no momentum."""


@dataclass(frozen=True)
class Decision:
    """A decision layer's shape and training.

    Args:
        hidden: units of each dense layer.
        gru: units of each recurrent layer over the frames of a clip; 0 for single pictures.
        gru_layers: recurrent layers, where there are any.
        length: frames of each clip, see ``fer_lib.datasets.sequences.as_sequences``.
        optimizer: "sgd", "plain_sgd" or "adamw"; None leaves the choice to the training's settings.
        learning_rate: of that optimiser; None likewise.
        temperature: of CIAO's contrastive loss, where that plug-in is used; None for its own.

    Raises:
        ValueError: a negative number of units, fewer than one frame or recurrent layer, an unknown optimiser,
            or a rate or temperature that is not above 0.
    """

    hidden: tuple[int, ...] = (64,)
    gru: int = 0
    gru_layers: int = 1
    length: int = 1
    optimizer: str | None = None
    learning_rate: float | None = None
    temperature: float | None = None

    def __post_init__(self) -> None:
        from fer_lib.train.settings import OPTIMIZERS  # that room imports this one

        if self.optimizer not in (None, *OPTIMIZERS):
            known = ", ".join(OPTIMIZERS)
            raise ValueError(
                f"optimizer must be one of {known}; got {self.optimizer!r}. Choose one, or None."
            )
        for name in ("learning_rate", "temperature"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} must be above 0 and finite; got {value}. Choose one, or None.")
        for name, least in (("gru", 0), ("gru_layers", 1), ("length", 1)):
            if getattr(self, name) < least:
                raise ValueError(
                    f"{name} must be at least {least}; got {getattr(self, name)}. Give a whole number."
                )
        if any(units < 1 for units in self.hidden):
            raise ValueError(f"hidden must hold numbers above 0; got {self.hidden}. Leave out empty layers.")


def decision_for(corpus: str, encoder: str = "facechannel") -> Decision:
    """The decision layer that Table 6 of Face-STN gives for a corpus and an encoder.

    Optimiser, rate and temperature are the table's too. Two cells of it are empty (dense layers of CPC on
    AffectNet and MaskedAffectNet): one layer, as everywhere else in the table.

    Args:
        corpus: such as "jaffe" or its world, "world:jaffe".
        encoder: "facechannel", "pk" or "cpc".

    Raises:
        ValueError: the table has no such corpus or encoder; names those it has.

    Example:
        >>> decision_for("world:omg_emotion")
        Decision(hidden=(128,), gru=64, gru_layers=1, length=15, optimizer='plain_sgd', learning_rate=0.4,
            temperature=0.4)

    Reference:
        Barros and Sciutti (2022), appendix A; chapter 07 draws and questions it.
    """
    from fer_lib.results import published

    table = published("face-stn", "Table 6")
    asked = {"dataset": ("corpus", corpus.removeprefix("world:")), "encoder": ("encoder", encoder)}
    for column, (argument, wanted) in asked.items():
        known = list(dict.fromkeys(table[column]))
        if wanted not in known:
            raise ValueError(
                f"{argument} must be one of {', '.join(known)} for a layer of Table 6; got {wanted!r}. "
                "Give a Decision of your own."
            )
        table = table[table[column] == wanted]
    cells = dict(zip(table["metric"], table["value"], strict=True))
    units = int(cells["dense_neurons"])
    return Decision(
        hidden=(units,) * int(cells.get("dense_layers", 1)),
        gru=int(cells.get("gru_neurons", 0)),
        gru_layers=int(cells.get("gru_layers", 1)),
        length=int(cells.get("sequence_length", 1)),
        optimizer=OPTIMIZER_OF[table.loc[table["metric"] == "optimizer", "unit"].item()],
        learning_rate=float(cells["learning_rate"]),
        temperature=float(cells["temperature"]),
    )


def build_head(decision: Decision, faces: Any, feature_shape: tuple[int, ...]) -> DenseHead:
    """Build the decision layer for the task of a set.

    Values have one linear output each for valence and arousal: the paper's two heads. States have one sigmoid
    each. The paper draws a softmax for each state; over two outputs, present and absent, that is the sigmoid
    of their difference, with one output less. States are rare: see ``fer_lib.losses.StateLoss``.

    Args:
        decision: its shape.
        faces: what it learns from: a FaceSet, or a SequenceSet for a layer with a GRU.
        feature_shape: (C, h, w) of what it reads, of one frame.

    Returns:
        A ``DenseHead``, which for clips is a ``SequenceHead``.

    Raises:
        ValueError: a GRU on single pictures, none on clips, or a task without a decision layer.
    """
    clips = getattr(faces, "index", None) is not None
    if decision.gru and not clips:
        raise ValueError(
            f"gru must be 0 for single pictures; got {decision.gru} for those of {faces.name}. Join the "
            "frames of clips with as_sequences, or take a decision layer without GRU."
        )
    if clips and not decision.gru:
        raise ValueError(
            f"gru must be at least 1 for clips; got 0 for those of {faces.name}. Give 64, or take the frames "
            "as single pictures."
        )
    options: dict[str, Any] = {"hidden": decision.hidden}
    if faces.task == "multi_label":
        options["loss"] = StateLoss(faces.targets())
    if decision.gru:
        options |= {"make": SequenceHead, "gru": decision.gru, "layers": decision.gru_layers}
    return head_for(faces, feature_shape, **options)
