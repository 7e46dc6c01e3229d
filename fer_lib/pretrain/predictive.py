"""Contrastive predictive coding: an encoder learns by telling which face comes next (chapter 06)."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from fer_lib.chapters.helpers import choose
from fer_lib.encoders import CPC
from fer_lib.encoders.contract import Encoder
from fer_lib.losses import info_nce
from fer_lib.pretrain.predictive_training import Training
from fer_lib.pretrain.resuming import check_rows, run_epochs
from fer_lib.train.device import make_team
from fer_lib.train.randomness import seeded

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.train.parts import Parts

TASKS = ("valence_arousal", "categorical", "distribution", "multi_label")


class PredictiveCoder(nn.Module):
    r"""Encoder, code, memory and one linear predictor a step.

    The first ``observed`` codes z of a sequence go through a GRU, whose state after each is a context c. The
    code ``k`` steps on is scored against W_k c, for k = 1 to ``steps``.

    Args:
        encoder: any encoder of the contract.
        code: length of z.
        context: length of c.
        observed: faces that the GRU reads, at least 1.
        steps: faces to predict, at least 1.

    Raises:
        ValueError: one of these below 1.

    Example:
        >>> coder = PredictiveCoder(CPC(width=0.25, size=32), code=16, context=8, observed=3, steps=2)
        >>> predictions, codes = coder(torch.rand(5, 5, 1, 32, 32))
        >>> predictions.shape, codes.shape
        (torch.Size([6, 5, 16]), torch.Size([6, 5, 16]))

    Reference:
        van den Oord, Li and Vinyals (2018), section 2; Barros and Sciutti (2022), section III.C. The papers'
        texts leave open the number of faces observed and predicted. Chapter 06.
    """

    def __init__(
        self, encoder: Encoder, *, code: int = 128, context: int = 256, observed: int = 4, steps: int = 2
    ) -> None:
        super().__init__()
        for name, value in (("code", code), ("context", context), ("observed", observed), ("steps", steps)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1; got {value}. The paper's code has 128 numbers.")
        self.encoder, self.observed, self.steps = encoder, observed, steps
        self.to_code = nn.Linear(math.prod(encoder.feature_shape), code)
        self.memory = nn.GRU(code, context, batch_first=True)
        self.predictors = nn.ModuleList(nn.Linear(context, code, bias=False) for _ in range(steps))

    @property
    def length(self) -> int:
        """Faces in a sequence: those observed and those predicted."""
        return self.observed + self.steps

    def code(self, images: Tensor) -> Tensor:
        """Codes (M, code) of prepared images (M, channels, S, S)."""
        return self.to_code(self.encoder(images).flatten(1))

    def forward(self, sequences: Tensor) -> tuple[Tensor, Tensor]:
        """Predict codes from what came before them.

        After each of the observed faces the GRU's state is a context c; the codes 1 to ``steps`` faces later
        are predicted from it. No prediction sees a later face.

        Args:
            sequences: prepared images (B, length, channels, S, S).

        Returns:
            Predictions W_k c and the codes that came, both (steps * observed, B, code).

        Raises:
            ValueError: sequences of another length.
        """
        if sequences.ndim != 5 or sequences.shape[1] != self.length:
            raise ValueError(
                f"sequences must be (B, {self.length}, C, S, S); got {tuple(sequences.shape)}. "
                f"{self.observed} faces are observed and {self.steps} predicted."
            )
        codes = self.code(sequences.flatten(0, 1)).unflatten(0, sequences.shape[:2])  # (B, length, code)
        contexts = self.memory(codes[:, : self.observed])[0]  # (B, observed, context)
        predictions = torch.stack([predict(contexts) for predict in self.predictors])
        came = torch.stack([codes[:, k : k + self.observed] for k in range(1, self.steps + 1)])
        return predictions.transpose(1, 2).flatten(0, 1), came.transpose(1, 2).flatten(0, 1)

    def loss(self, sequences: Tensor, labels: Tensor | None = None, *, temperature: float = 1.0) -> Tensor:
        """InfoNCE, averaged over the steps; see :func:`fer_lib.losses.info_nce` for labels."""
        pairs = zip(*self(sequences), strict=True)
        losses = [info_nce(p, codes, temperature=temperature, labels=labels) for p, codes in pairs]
        return torch.stack(losses).mean()


def recipe(profile: str) -> dict[str, Any]:
    """What an encoder is trained with, by profile.

    ``positives`` and ``bins`` say which faces make a sequence (`fer_lib.pretrain.alike`). ``rivals`` are the
    candidates that a prediction must be told from: "other labels" leaves faces of the same label out, "all"
    counts them as wrong.
    """
    return {
        "width": choose(profile, smoke=0.125, quick=0.25, full=1.0),
        "size": choose(profile, smoke=32, quick=48, full=64),
        "faces": choose(profile, smoke=256, quick=3000, full=None),
        "epochs": choose(profile, smoke=2, quick=10, full=40),
        "batch_size": choose(profile, smoke=8, quick=16, full=32),  # sequences
        "learning_rate": choose(profile, smoke=4e-3, quick=4e-3, full=1e-3),
        "code": choose(profile, smoke=16, quick=64, full=128),
        "context": choose(profile, smoke=32, quick=128, full=256),
        "observed": 4,
        "steps": 2,
        "temperature": 1.0,
        "positives": "label",
        "bins": 4,
        "rivals": "other labels",
        "augment": profile == "full",  # in a few epochs it only delays the first useful feature
    }


def train(
    recipe: dict[str, Any], parts: "Parts", seed: int, *, checkpoint: Path | None = None
) -> "tuple[Encoder, pd.DataFrame, nn.Module]":
    """Train an encoder by contrastive prediction.

    Started by ``torchrun``, the processes share each batch, and each prediction meets the candidates of all.
    They learn what one would have learned, but for rounding, see ``fer_lib.processes``.

    Args:
        recipe: see :func:`recipe`.
        parts: sets; the validation part is only watched, the last epoch is kept.
        seed: of weights, sequences and augmentation.
        checkpoint: file to resume from and to write after each epoch; None keeps nothing.

    Returns:
        The encoder; the history, one row an epoch: epoch, loss, bound (log of the number of candidates less
        the loss, nats), accuracy and chance of picking the positive; validation_loss, validation_bound and
        validation_accuracy with ALL codes of a batch as candidates, for which the bound is one of mutual
        information (NaN where the part holds no two sequences); ceiling (entropy of the label, nats; NaN
        where a sequence shares more than a label), seconds; and the whole :class:`PredictiveCoder`.

    Raises:
        ValueError: a recipe out of range, a batch smaller than two sequences and than one a process, or a
            checkpoint of another training.
        DataError: no label has enough faces.
        FloatingPointError: a loss that is not finite; names epoch and batch. The error's ``coder`` holds the
            weights of the last whole epoch.
    """
    import pandas as pd

    if recipe["rivals"] not in ("all", "other labels"):
        raise ValueError(f"rivals must be 'all' or 'other labels'; got {recipe['rivals']!r}. Choose one.")
    check_rows("sequences", {"batch_size": recipe["batch_size"]})
    team = make_team()
    with seeded(seed):
        encoder = CPC(width=recipe["width"], size=recipe["size"])
        training = Training(rebuild(recipe, encoder), parts, recipe, seed, team=team)
        rows = run_epochs(training, parts, recipe, seed, checkpoint=checkpoint)
    training.model.cpu().to(memory_format=torch.contiguous_format).eval()
    return encoder, pd.DataFrame(rows), training.model


def rebuild(recipe: dict[str, Any], encoder: Encoder) -> PredictiveCoder:
    """An untrained whole of a recipe around an encoder."""
    sizes = {name: recipe[name] for name in ("code", "context", "observed", "steps")}
    return PredictiveCoder(encoder, **sizes)
