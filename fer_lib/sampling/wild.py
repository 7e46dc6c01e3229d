"""Before anybody is known: the plan of the study of personal models, and its twins trained in the wild."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lib import artifacts
from fer_lib.chapters.helpers import choose
from fer_lib.encoders.files import load_whole, read_weights, write_weights
from fer_lib.errors import DataError
from fer_lib.provenance import code_key
from fer_lib.sampling.many import Descent
from fer_lib.sampling.ready import check_plan
from fer_lib.sampling.twins import DIMENSIONS, Twins, learn, make_twins
from fer_lib.train.device import device

if TYPE_CHECKING:
    import pandas as pd

FORM = "fer_lib.twin.1"
SHELF = "twins"


@dataclass(frozen=True)
class Plan:
    """Everything that decides the numbers of the study but the seeds, the folding and the strategies.

    Args:
        source, source_root: what the twins learn in the wild from, with the folder of a real corpus.
        dataset, data_root: whose people are learned afterwards, with the folder of a real corpus.
        encoder, width, size: the convolutions and the side of the pictures.
        hidden, dropout: of the dense layers.
        faces: at most so many pictures in the wild; None for all.
        frames: at most so many frames of all people together; None for all.
        wild_epochs, wild_rate, wild_optimizer: of the training in the wild, see ``twins.learn``; rate and
            optimizer also of training without transfer, which is of whole networks too.
        epochs, learning_rate: of each fine-tuning.
        momentum, batch_size: of all.
        shares: of the training frames that are labelled, rising, in (0, 1).
        scratch_folds: in how many of a person's five folds whole networks are trained without transfer,
            which takes the time of thousands of fine-tunings.
        scratch_epochs: of those; None for as many as of a fine-tuning.
        passes, p: of Monte-Carlo dropout.

    Raises:
        ValueError: an entry out of its range.
    """

    source: str = "world:affectnet"
    source_root: str = ""
    dataset: str = "world:amigos"
    data_root: str = ""
    encoder: str = "alexnet"
    width: float = 1.0
    size: int = 224
    hidden: tuple[int, ...] = (4096, 4096)
    dropout: float = 0.5
    faces: int | None = None
    frames: int | None = None
    wild_epochs: int = 50
    wild_rate: float = 1e-3
    wild_optimizer: str = "sgd"
    epochs: int = 50
    learning_rate: float = 1e-3
    momentum: float = 0.9
    batch_size: int = 16
    shares: tuple[float, ...] = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    scratch_folds: int = 5
    scratch_epochs: int | None = None
    passes: int = 50
    p: float = 0.5

    def __post_init__(self) -> None:
        check_plan(self)

    @property
    def descent(self) -> Descent:
        """How one person is learned."""
        return Descent(self.epochs, self.learning_rate, self.momentum, self.batch_size, self.dropout)

    @property
    def options(self) -> dict[str, Any]:
        """Of the encoder."""
        return {"width": self.width, "size": self.size}


def plan(profile: str, **changes: Any) -> Plan:
    """The plan of a profile: the paper's in "full", a small network and fewer frames in the others.

    Epochs and rate of the small fine-tuning were chosen on ten people of the split "train" (all labels, folds
    of frames and of films): of 12 recipes, all within 2 %, the one of fewest epochs within 1 % of the best.

    Args:
        profile: "smoke", "quick" or "full".
        **changes: fields of :class:`Plan` with another value.

    Raises:
        ValueError: an unknown profile.
        TypeError: a field that a plan does not have.
    """
    small = Plan(
        width=0.5, size=64, hidden=(128, 64), faces=3000, frames=2400, wild_epochs=8, wild_rate=5e-4,
        wild_optimizer="adamw", epochs=20, learning_rate=1e-2,
        shares=(0.05, 0.1, 0.2, 0.3, 0.4, 0.9), scratch_folds=2,
        scratch_epochs=6,
    )  # fmt: skip
    smoke = replace(
        small, faces=256, frames=400, wild_epochs=2, epochs=5, shares=(0.1, 0.3, 0.5, 0.9), scratch_folds=1,
        passes=10,
    )  # fmt: skip
    return replace(choose(profile, smoke=smoke, quick=small, full=Plan()), **changes)


@dataclass(frozen=True)
class Wild:
    """Twins that have learned in the wild.

    Args:
        twins: on the CPU, in evaluation mode.
        history: a row a dimension and epoch: dimension, epoch, train_loss, rmse (on held-out wild faces).
        rmse: of each dimension, on the held-out wild faces that chose the epoch.
    """

    twins: Twins
    history: "pd.DataFrame"
    rmse: dict[str, float]


TRAINED_BY = (
    *("encoder", "width", "size", "hidden", "dropout"),
    *("wild_epochs", "wild_rate", "wild_optimizer", "momentum", "batch_size"),
)
"""Entries of a plan that decide what twins trained in the wild are."""


def in_the_wild(plan: Plan, *, seed: int = 0) -> Wild:
    """Open twins trained in the wild, training them first where nobody has.

    Args:
        plan: see :class:`Plan`; only what is used here names the kept twins.
        seed: of weights, order and dropout.

    Raises:
        DataError: data that are missing or broken, or kept twins that are damaged.
        ValueError: data without valence and arousal, or an unknown encoder.
    """
    import pandas as pd

    from fer_lib.train.parts import load_parts

    limits = (plan.faces, None if plan.faces is None else max(64, plan.faces // 4))
    root = plan.source_root or None
    parts = load_parts(plan.source, ["valence_arousal"], root=root, size=plan.size, limits=limits)
    key = artifacts.key(
        code=code_key("fer_lib.sampling.twins"), seed=seed,
        plan={name: getattr(plan, name) for name in TRAINED_BY},
        train=parts.train.fingerprint, validation=parts.validation.fingerprint, device=device().type,
    )  # fmt: skip

    def make(place: Path) -> None:
        twins, records = _twins(plan, seed), []
        descent = Descent(plan.wild_epochs, plan.wild_rate, plan.momentum, plan.batch_size)
        for name in DIMENSIONS:
            model = twins.of(name)
            told = learn(
                model,
                parts.train,
                name,
                descent=descent,
                seed=seed,
                optimizer=plan.wild_optimizer,
                watch=parts.validation,
            )
            records += [{"dimension": name, **record} for record in told]
            write_weights(place / f"{name}.safetensors", model, form=FORM, told={})
        artifacts.atomic_write(place / "history.json", json.dumps(records))

    folder = artifacts.build_once(SHELF, key, make)
    fix = f"Delete the folder {folder}; it is trained anew."
    twins = _twins(plan, seed)
    for name in DIMENSIONS:
        where = f"{name}.safetensors"
        load_whole(twins.of(name), read_weights(folder / where, form=FORM, fix=fix)[1], where=where, fix=fix)
        twins.of(name).eval()
    history = pd.DataFrame(records_in(folder / "history.json", fix))
    return Wild(
        twins, history, {name: float(part.min()) for name, part in history.groupby("dimension")["rmse"]}
    )


def _twins(plan: Plan, seed: int) -> Twins:
    return make_twins(plan.encoder, hidden=plan.hidden, dropout=plan.dropout, seed=seed, **plan.options)


def records_in(path: Path, fix: str) -> list[dict[str, Any]]:
    """Rows that were written as JSON.

    Raises:
        DataError: no such file, or a damaged one.
    """
    try:
        records: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(path.name, "must be a whole list of records", str(error), fix) from error
    return records
