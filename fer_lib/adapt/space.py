"""What a search for a decision layer may choose from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer_lib.heads import Decision
from fer_lib.heads.decisions import OPTIMIZER_OF

if TYPE_CHECKING:
    import optuna

WIDEST_TEMPERATURE = 0.4
"""Table 5 ends at 0.09, yet Table 6 reports temperatures up to this."""


@dataclass(frozen=True)
class Space:
    """What a search may choose from.

    Args:
        layers: numbers of dense layers.
        units: of each dense layer, and of each recurrent one.
        optimizers: see ``Settings``.
        learning_rate: lowest and highest; drawn on a logarithmic scale.
        temperature: of CIAO, lowest and highest, likewise; drawn for that plug-in only.
        lengths: frames of a clip; () for single pictures.
        gru_layers: numbers of recurrent layers; () for single pictures.
    """

    layers: tuple[int, ...]
    units: tuple[int, ...]
    optimizers: tuple[str, ...]
    learning_rate: tuple[float, float]
    temperature: tuple[float, float]
    lengths: tuple[int, ...] = ()
    gru_layers: tuple[int, ...] = ()


def space_of(unit: str) -> Space:
    """The space of Table 5 of Face-STN.

    Args:
        unit: "image" or "sequence".

    Raises:
        ValueError: another unit.

    Example:
        >>> space_of("sequence").lengths, space_of("image").units
        ((5, 10, 15, 30), (16, 32, 64, 128, 256, 512, 1024))
    """
    from fer_lib.results import published

    if unit not in ("image", "sequence"):
        raise ValueError(f"unit must be image or sequence; got {unit!r}. Choose one of the two.")
    table = published("face-stn", "Table 5")
    table = table[table["column"].str.startswith(f"{unit}s,")]

    def cells(metric: str) -> tuple[float, ...]:
        return tuple(table.loc[table["metric"] == metric, "value"])

    def options(metric: str) -> tuple[int, ...]:
        return tuple(int(value) for value in cells(metric))

    return Space(
        layers=options("dense_layers"),
        units=options("dense_neurons"),
        optimizers=tuple(OPTIMIZER_OF[name] for name in table.loc[table["metric"] == "optimizer", "unit"]),
        learning_rate=(min(cells("learning_rate")), max(cells("learning_rate"))),
        temperature=(min(cells("temperature")), WIDEST_TEMPERATURE),
        lengths=options("sequence_length"),
        gru_layers=options("gru_layers"),
    )


def draw(trial: "optuna.trial.BaseTrial", space: Space, plug_in: str | None) -> Decision:
    """Draw a decision layer from a space."""
    hidden = (trial.suggest_categorical("units", space.units),)
    return Decision(
        hidden=hidden * trial.suggest_categorical("layers", space.layers),
        gru=trial.suggest_categorical("gru", space.units) if space.lengths else 0,
        gru_layers=trial.suggest_categorical("gru_layers", space.gru_layers) if space.lengths else 1,
        length=trial.suggest_categorical("length", space.lengths) if space.lengths else 1,
        optimizer=trial.suggest_categorical("optimizer", space.optimizers),
        learning_rate=trial.suggest_float("learning_rate", *space.learning_rate, log=True),
        temperature=(
            trial.suggest_float("temperature", *space.temperature, log=True) if plug_in == "ciao" else None
        ),
    )
