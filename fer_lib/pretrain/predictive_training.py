"""Epochs of contrastive predictive coding, in one process or in several that share each batch; chapter 06."""

import math
import time
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from fer_lib.augment import Augmentation, augment
from fer_lib.encoders.files import tensors_of
from fer_lib.losses import PICKED, candidate_scores, picked
from fer_lib.preprocess import prepare
from fer_lib.pretrain.alike import draw_sequences, groups_of, label_entropy
from fer_lib.processes import Team, average_gradients, share_of, sharing, whole_batch
from fer_lib.train.batches import DeviceFaces
from fer_lib.train.device import device, mixed
from fer_lib.train.randomness import epoch_seed
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    from fer_lib.datasets import FaceSet
    from fer_lib.pretrain.predictive import PredictiveCoder
    from fer_lib.train.parts import Parts

CHANGES = Augmentation(rotate_deg=6, zoom=0.06, shift=0.04, brightness=0.1, contrast=0.2)


class Training:
    """Epochs of a coder.

    Args:
        coder: moved to the device, in place.
        parts: sets; the validation part is only watched.
        recipe: see :func:`fer_lib.pretrain.predictive.recipe`.
        seed: of sequences and augmentation.
        team: the processes that share each batch.
    """

    def __init__(
        self, coder: "PredictiveCoder", parts: "Parts", recipe: dict[str, Any], seed: int, *, team: Team
    ) -> None:
        self.model, self.recipe, self.seed, self.team = coder.to(device()), recipe, seed, team
        coder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # what tensor cores want
        team.alike(coder)
        self.faces = DeviceFaces(parts.train, device())
        self.watched = DeviceFaces(parts.validation, device())
        self.groups = self.groups_of(parts.train)
        self.watched_groups = self.groups_of(parts.validation)
        self.settings = Settings(learning_rate=recipe["learning_rate"], weight_decay=0.01)
        self.optimizer = self.settings.make_optimizer(self.model)
        self.optimizers = {"coder": self.optimizer}
        self.resumed()
        known = recipe["positives"] == "label"
        self.ceiling = label_entropy(self.groups) if known else math.nan

    def resumed(self) -> None:
        """Go on from what model and optimiser hold, which counts its steps."""
        slots = next(iter(self.optimizer.state.values()), {"step": 0})
        self.step, self.kept = int(slots["step"]), tensors_of(self.model)

    def groups_of(self, faces: "FaceSet") -> Tensor:
        return groups_of(faces, self.recipe["positives"], bins=self.recipe["bins"])

    def drawn(
        self, groups: Tensor, generator: torch.Generator, least: int = 2
    ) -> list[tuple[Tensor, Tensor]]:
        """Batches of (rows, labels) for one pass, of at least so many sequences."""
        rows, labels = draw_sequences(
            groups, self.model.length, positives=self.recipe["positives"], generator=generator
        )
        size = self.recipe["batch_size"]
        pairs = zip(rows.split(size), labels.split(size), strict=True)
        return [pair for pair in pairs if len(pair[0]) >= least]

    def epoch(self, number: int) -> dict[str, float]:
        """One pass over the training faces, and a look at the others."""
        started = time.perf_counter()
        generator = torch.Generator().manual_seed(epoch_seed(self.seed, number, "sequences"))
        drawn = self.drawn(self.groups, generator, self.team.least)
        batches = [pair for pair in drawn if self.told_apart(pair[1])]
        if not batches:
            raise ValueError("batch_size must leave two labels in a batch; got none. Raise it.")
        total = len(batches) * self.recipe["epochs"]
        self.model.train()
        found = []
        for pair in batches:
            with sharing(self.team.share(len(pair[0]), each=self.model.length)):
                found.append(self.one_step(pair, total, generator))
        told = torch.stack(found).cpu()  # the host waits here, once an epoch
        bad = (~told.isfinite().all(1)).nonzero()
        if len(bad):
            self.stop(number, int(bad[0]), len(batches))
        self.kept = tensors_of(self.model)
        row = {"epoch": number + 1} | dict(zip(PICKED, told.mean(0).tolist(), strict=True))
        row |= {f"validation_{name}": value for name, value in self.watch().items()}
        return row | {"ceiling": self.ceiling, "seconds": time.perf_counter() - started}

    def told_apart(self, labels: Tensor) -> bool:
        return self.recipe["rivals"] == "all" or self.labels_for(labels) is None or len(labels.unique()) > 1

    def labels_for(self, labels: Tensor) -> Tensor | None:
        """What leaves candidates out, if anything does."""
        hide = self.recipe["rivals"] == "other labels" and self.recipe["positives"] != "random"
        return labels if hide else None

    def one_step(self, pair: tuple[Tensor, Tensor], total: int, generator: torch.Generator) -> Tensor:
        """Learn from one batch; gives what `fer_lib.losses.picked` tells of it, still on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate_at(self.step, total)
        own = pair[0][share_of(len(pair[0])).rows]
        predictions, codes = met(*self.coded(self.images(self.faces, own, generator)))
        labels, temperature = self.labels_for(pair[1]), self.recipe["temperature"]
        scored = [
            candidate_scores(p, z, temperature=temperature, labels=labels, check=False)
            for p, z in zip(predictions, codes, strict=True)
        ]
        loss = torch.stack([nn.functional.cross_entropy(*one) for one in scored]).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(self.optimizer)
        self.optimizer.step()
        self.step += 1
        return torch.stack([picked(logits.detach(), place) for logits, place in scored]).mean(0)

    def coded(self, sequences: Tensor) -> list[Tensor]:
        """Predictions and codes; scored in float32 also where they were computed in bfloat16."""
        with mixed():
            parts = self.model(sequences)
        return [part.float() if part.dtype == torch.bfloat16 else part for part in parts]

    def images(self, faces: DeviceFaces, rows: Tensor, generator: torch.Generator | None) -> Tensor:
        """Prepared images (B, length, channels, S, S), changed where the training asks for it."""
        spec = self.model.encoder.input_spec
        images = prepare(faces.images(rows.flatten()), spec)
        same = self.recipe["positives"] == "same face"
        if same or (self.recipe["augment"] and generator is not None):
            generator = generator or torch.Generator().manual_seed(epoch_seed(self.seed, 0, "changes"))
            share = share_of(len(images))
            images = augment(images, CHANGES, generator=generator, low=spec.low, high=spec.high, share=share)
        return images.unflatten(0, rows.shape)

    @torch.no_grad()
    def watch(self) -> dict[str, float]:
        """Loss, bound and accuracy of the other faces, all codes of a batch being candidates."""
        self.model.eval()
        generator = torch.Generator().manual_seed(epoch_seed(self.seed, 0, "watched"))
        enough = self.watched_groups.unique(return_counts=True)[1].max() >= self.model.length
        same = self.recipe["positives"] == "same face"
        batches = self.drawn(self.watched_groups, generator) if enough or same else []
        found = []
        for rows, _ in batches:
            predictions, codes = self.coded(self.images(self.watched, rows, None))
            scored = [
                candidate_scores(p, z, temperature=self.recipe["temperature"], check=False)
                for p, z in zip(predictions, codes, strict=True)
            ]
            found.append(torch.stack([picked(*one) for one in scored]).mean(0) * len(rows))
        if not found:
            return dict.fromkeys(PICKED, math.nan)
        total = torch.stack(found).sum(0) / sum(len(rows) for rows, _ in batches)
        return dict(zip(PICKED, total.tolist(), strict=True))

    def stop(self, epoch: int, batch: int, batches: int) -> None:
        self.model.load_state_dict(self.kept)
        error = FloatingPointError(
            f"loss must be finite; got nan or inf in epoch {epoch + 1}, batch {batch + 1} (step "
            f"{self.step - batches + batch + 1}). Lower the learning rate ({self.recipe['learning_rate']:g})."
        )
        error.coder = self.model  # type: ignore[attr-defined]
        raise error


def met(*parts: Tensor) -> list[Tensor]:
    """What a coder gives of each process's sequences, (steps * observed, rows, code), joined to the batch."""
    return [whole_batch(part.transpose(0, 1)).transpose(0, 1) for part in parts]
