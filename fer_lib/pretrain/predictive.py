"""Contrastive predictive coding: an encoder learns by telling which face comes next (chapter 06)."""

import math
import time
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from fer_lib.augment import Augmentation, augment
from fer_lib.chapters.helpers import choose
from fer_lib.encoders import CPC
from fer_lib.encoders.contract import Encoder
from fer_lib.encoders.files import tensors_of
from fer_lib.losses import candidate_scores, info_nce, picking
from fer_lib.preprocess import prepare
from fer_lib.pretrain.alike import draw_sequences, groups_of, label_entropy
from fer_lib.train.batches import DeviceFaces
from fer_lib.train.device import device
from fer_lib.train.randomness import epoch_seed, seeded
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.datasets import FaceSet
    from fer_lib.train.parts import Parts

TASKS = ("valence_arousal", "categorical", "distribution", "multi_label")
CHANGES = Augmentation(rotate_deg=6, zoom=0.06, shift=0.04, brightness=0.1, contrast=0.2)


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


def train(recipe: dict[str, Any], parts: "Parts", seed: int) -> "tuple[Encoder, pd.DataFrame, nn.Module]":
    """Train an encoder by contrastive prediction.

    Args:
        recipe: see :func:`recipe`.
        parts: sets; the validation part is only watched, the last epoch is kept.
        seed: of weights, sequences and augmentation.

    Returns:
        The encoder; the history, one row an epoch: epoch, loss, bound (log of the number of candidates less
        the loss, nats), accuracy and chance of picking the positive; validation_loss, validation_bound and
        validation_accuracy with ALL codes of a batch as candidates, for which the bound is one of mutual
        information (NaN where the part holds no two sequences); ceiling (entropy of the label, nats; NaN
        where a sequence shares more than a label), seconds; and the whole :class:`PredictiveCoder`.

    Raises:
        ValueError: a recipe out of range.
        DataError: no label has enough faces.
        FloatingPointError: a loss that is not finite; names epoch and batch. The error's ``coder`` holds the
            weights of the last whole epoch.
    """
    import pandas as pd

    if recipe["rivals"] not in ("all", "other labels"):
        raise ValueError(f"rivals must be 'all' or 'other labels'; got {recipe['rivals']!r}. Choose one.")
    with seeded(seed):
        encoder = CPC(width=recipe["width"], size=recipe["size"])
        training = _Training(rebuild(recipe, encoder), parts, recipe, seed)
        rows = [training.epoch(number) for number in range(recipe["epochs"])]
    coder = training.coder.cpu().eval()
    return encoder, pd.DataFrame(rows), coder


def rebuild(recipe: dict[str, Any], encoder: Encoder) -> PredictiveCoder:
    """An untrained whole of a recipe around an encoder."""
    sizes = {name: recipe[name] for name in ("code", "context", "observed", "steps")}
    return PredictiveCoder(encoder, **sizes)


class _Training:
    """The state of one call of :func:`train`."""

    def __init__(self, coder: PredictiveCoder, parts: "Parts", recipe: dict[str, Any], seed: int) -> None:
        self.coder, self.recipe, self.seed = coder.to(device()), recipe, seed
        self.faces = DeviceFaces(parts.train, device())
        self.watched = DeviceFaces(parts.validation, device())
        self.groups = self.groups_of(parts.train)
        self.watched_groups = self.groups_of(parts.validation)
        self.settings = Settings(learning_rate=recipe["learning_rate"], weight_decay=0.01)
        self.optimizer = self.settings.make_optimizer(self.coder)
        self.step, self.kept = 0, tensors_of(self.coder)
        known = recipe["positives"] == "label"
        self.ceiling = label_entropy(self.groups) if known else math.nan

    def groups_of(self, faces: "FaceSet") -> Tensor:
        return groups_of(faces, self.recipe["positives"], bins=self.recipe["bins"])

    def drawn(self, groups: Tensor, generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
        """Batches of (rows, labels) for one pass."""
        rows, labels = draw_sequences(
            groups, self.coder.length, positives=self.recipe["positives"], generator=generator
        )
        size = self.recipe["batch_size"]
        return [pair for pair in zip(rows.split(size), labels.split(size), strict=True) if len(pair[0]) > 1]

    def epoch(self, number: int) -> dict[str, float]:
        """One pass over the training faces, and a look at the others."""
        started = time.perf_counter()
        generator = torch.Generator().manual_seed(epoch_seed(self.seed, number, "sequences"))
        batches = [pair for pair in self.drawn(self.groups, generator) if self.told_apart(pair[1])]
        if not batches:
            raise ValueError("batch_size must leave two labels in a batch; got none. Raise it.")
        total = len(batches) * self.recipe["epochs"]
        self.coder.train()
        rows = [self.one_step(pair, number, at, total, generator) for at, pair in enumerate(batches)]
        self.kept = tensors_of(self.coder)
        row = {"epoch": number + 1} | {name: _mean(row[name] for row in rows) for name in rows[0]}
        row |= {f"validation_{name}": value for name, value in self.watch().items()}
        return row | {"ceiling": self.ceiling, "seconds": time.perf_counter() - started}

    def told_apart(self, labels: Tensor) -> bool:
        return self.recipe["rivals"] == "all" or self.labels_for(labels) is None or len(labels.unique()) > 1

    def labels_for(self, labels: Tensor) -> Tensor | None:
        """What leaves candidates out, if anything does."""
        hide = self.recipe["rivals"] == "other labels" and self.recipe["positives"] != "random"
        return labels if hide else None

    def one_step(
        self, pair: tuple[Tensor, Tensor], epoch: int, batch: int, total: int, generator: torch.Generator
    ) -> dict[str, float]:
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate_at(self.step, total)
        predictions, codes = self.coder(self.images(self.faces, pair[0], generator))
        if not (predictions.isfinite().all() and codes.isfinite().all()):
            self.stop(epoch, batch)
        options = {"temperature": self.recipe["temperature"], "labels": self.labels_for(pair[1])}
        scored = [candidate_scores(p, z, **options) for p, z in zip(predictions, codes, strict=True)]
        loss = torch.stack([nn.functional.cross_entropy(*one) for one in scored]).mean()
        if not loss.isfinite():
            self.stop(epoch, batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.step += 1
        found = [picking(logits.detach(), place) for logits, place in scored]
        return {name: _mean(one[name] for one in found) for name in found[0]}

    def images(self, faces: DeviceFaces, rows: Tensor, generator: torch.Generator | None) -> Tensor:
        """Prepared images (B, length, channels, S, S), changed where the training asks for it."""
        spec = self.coder.encoder.input_spec
        images = prepare(faces.images(rows.flatten()), spec)
        same = self.recipe["positives"] == "same face"
        if same or (self.recipe["augment"] and generator is not None):
            generator = generator or torch.Generator().manual_seed(epoch_seed(self.seed, 0, "changes"))
            images = augment(images, CHANGES, generator=generator, low=spec.low, high=spec.high)
        return images.unflatten(0, rows.shape)

    @torch.no_grad()
    def watch(self) -> dict[str, float]:
        """Loss, bound and accuracy of the other faces, all codes of a batch being candidates."""
        self.coder.eval()
        generator = torch.Generator().manual_seed(epoch_seed(self.seed, 0, "watched"))
        enough = self.watched_groups.unique(return_counts=True)[1].max() >= self.coder.length
        same = self.recipe["positives"] == "same face"
        batches = self.drawn(self.watched_groups, generator) if enough or same else []
        found = []
        for rows, _ in batches:
            predictions, codes = self.coder(self.images(self.watched, rows, None))
            for p, z in zip(predictions, codes, strict=True):
                scores = candidate_scores(p, z, temperature=self.recipe["temperature"])
                found.append((picking(*scores), len(rows)))
        return {
            name: _mean((one[name] for one, _ in found), [weight for _, weight in found])
            for name in ("loss", "bound", "accuracy", "chance")
        }

    def stop(self, epoch: int, batch: int) -> None:
        self.coder.load_state_dict(self.kept)
        error = FloatingPointError(
            f"loss must be finite; got nan or inf in epoch {epoch + 1}, batch {batch + 1} (step "
            f"{self.step + 1}). Lower the learning rate ({self.recipe['learning_rate']:g})."
        )
        error.coder = self.coder  # type: ignore[attr-defined]
        raise error


def _mean(values: Any, weights: list[int] | None = None) -> float:
    import numpy as np

    listed = list(values)
    return float(np.average(listed, weights=weights)) if listed else math.nan
