"""One CIAO mask for several corpora at once, each with a decision layer of its own (chapter 09)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from fer_lib import artifacts
from fer_lib.adapt.ciao import ciao
from fer_lib.adapt.frozen import features_of, weights_key
from fer_lib.adapt.plugin import PlugIn
from fer_lib.encoders.contract import Encoder
from fer_lib.encoders.files import tensors_of
from fer_lib.heads import Decision, FaceModel, build_head
from fer_lib.provenance import code_key
from fer_lib.train.batches import DeviceFaces, count_steps, epoch_order, steps_of
from fer_lib.train.checks import check_alike
from fer_lib.train.device import device
from fer_lib.train.evaluate import evaluate
from fer_lib.train.parts import Parts
from fer_lib.train.predict import predict, score
from fer_lib.train.randomness import epoch_seed, seeded
from fer_lib.train.repeats import repeat
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

UNUSED = ("patience", "select", "balance", "augmentation")
"""Settings that a shared mask has no use for: they must be as `Settings` has them."""


def share_mask(
    encoder: Encoder,
    corpora: Mapping[str, Parts],
    seeds: Iterable[int],
    *,
    epochs: int = 20,
    head: Decision | None = None,
    settings: Settings | None = None,
    make: Callable[[Encoder], PlugIn] = ciao,
) -> "pd.DataFrame":
    """Train one mask for all corpora, behind a frozen encoder; with a single corpus, a mask for it alone.

    Each step takes a batch of every corpus and adds their losses, contrastive losses within each corpus.
    A corpus with fewer batches than the largest is gone through again. The epoch is chosen by the mean
    validation score over the corpora. Finished seeds are kept and not run again, unless ``make`` is a
    function without a name of its own (as a lambda or a partial).

    Args:
        encoder: trained elsewhere; it is copied and frozen.
        corpora: name to its sets.
        seeds: of decision layers and order; distinct.
        epochs: passes over the largest corpus, at least 1.
        head: shape of every decision layer; None takes one dense layer of 64 units.
        settings: of the training; those of `UNUSED` must be left as they are.
        make: plug-in of the encoder, such as ``fer_lib.adapt.face_stn.face_stn``.

    Returns:
        One row a seed, corpus and metric of the test set: seed, corpus, metric, value.

    Raises:
        ValueError: no corpus, no epoch, too few faces, sets of one corpus with different classes, a setting
            of `UNUSED`, or a decision layer for clips on single images.
        FloatingPointError: a loss or a prediction is not finite; names corpus, epoch and batch. The plug-in
            that ``make`` gave then holds the weights of the best epoch so far.
    """
    settings, head = settings or Settings(batch_size=32, learning_rate=2e-3), head or Decision()
    _check(corpora, epochs, settings)
    frozen = deepcopy(encoder).freeze()

    def run(seed: int) -> list[dict[str, Any]]:
        tails = _build(frozen, corpora, head, make, seed)
        stage = next(iter(tails.values())).start  # the plug-in is the same in all
        sets = {
            name: [features_of(frozen, faces, stage) for faces in _three(corpora[name])] for name in tails
        }
        with seeded(seed):
            _train(tails, sets, epochs, seed, settings)
        rows = []
        for name, tail in tails.items():
            scores = evaluate(predict(tail, sets[name][2]), corpora[name].test)
            rows += [{"corpus": name, "metric": metric, "value": value} for metric, value in scores.items()]
        return rows

    folder = _folder(frozen, corpora, epochs, head, settings, make)
    return repeat(run, seeds, folder=folder, processes=None)


def _folder(
    encoder: Encoder, corpora: Mapping[str, Parts], epochs: int, head: Decision, settings: Settings, make: Any
) -> Path | None:
    """Where finished seeds are kept, named by all that they depend on."""
    called = getattr(make, "__qualname__", "<")
    if "<" in called:  # a lambda, or a function within another: two of them may have one name
        return None
    name = artifacts.key(
        code=code_key(__name__), encoder=weights_key(encoder), epochs=epochs, head=asdict(head),
        settings=settings.as_dict(), make=f"{make.__module__}.{called} {code_key(make.__module__)}",
        sets={name: [faces.fingerprint for faces in _three(parts)] for name, parts in corpora.items()},
    )  # fmt: skip
    return artifacts.home() / "shared_masks" / name


def _check(corpora: Mapping[str, Parts], epochs: int, settings: Settings) -> None:
    if not corpora:
        raise ValueError("corpora must hold one corpus or more; got none. Name those that share the mask.")
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1; got {epochs}. Each sees the largest corpus once.")
    for name in UNUSED:
        given, usual = getattr(settings, name), getattr(Settings(), name)
        if given != usual:
            raise ValueError(f"{name} must be {usual!r} for a shared mask; got {given!r}. Leave it out.")
    for name, parts in corpora.items():
        train, validation, test = _three(parts)
        if len(train) < 2 or min(len(validation), len(test)) < 1:
            raise ValueError(
                f"{name} must hold 2 images to learn from, 1 to choose by and 1 to test on; got "
                f"{len(train)}, {len(validation)} and {len(test)}. Check the splits and the filters."
            )
        check_alike(train, validation, f"validation of {name}")
        check_alike(train, test, f"test of {name}")


def _three(parts: Parts) -> tuple[Any, Any, Any]:
    return parts.train, parts.validation, parts.test


def _build(
    encoder: Encoder, corpora: Mapping[str, Parts], head: Decision, make: Callable[..., PlugIn], seed: int
) -> dict[str, Any]:
    """A model a corpus, with its own decision layer; encoder and plug-in are the same objects in all."""
    models = {}
    with seeded(seed):
        plug = make(encoder)
        drawn = torch.get_rng_state()
        for name, parts in corpora.items():
            torch.set_rng_state(drawn)  # the same first weights, alone or together
            models[name] = FaceModel(encoder, build_head(head, parts.train, plug.feature_shape), plug)
    return {name: model.tail() for name, model in models.items()}


def _train(
    tails: dict[str, Any], sets: dict[str, list[Any]], epochs: int, seed: int, settings: Settings
) -> None:
    """Train in place, and leave the weights of the best epoch, also where a number is not finite."""
    where = device()
    together = nn.ModuleDict(tails).to(where)
    optimizer = settings.make_optimizer(together)
    batches = {name: DeviceFaces(sets[name][0], where) for name in tails}
    steps = max(count_steps(len(faces), settings.batch_size) for faces in batches.values())
    best, kept = -np.inf, tensors_of(together)
    try:
        for epoch in range(epochs):
            losses = []
            for number, indices in enumerate(_epoch(batches, steps, seed, epoch, settings)):
                for group in optimizer.param_groups:
                    group["lr"] = settings.learning_rate_at(epoch * steps + number, epochs * steps)
                losses.append(_step(together, optimizer, batches, indices))
            _check_losses(torch.stack(losses), list(tails), epoch, settings)
            value = float(np.mean([_score(name, tail, sets[name][1], epoch) for name, tail in tails.items()]))
            if value > best:
                best, kept = value, tensors_of(together)
    finally:
        together.load_state_dict(kept)
        together.eval()


def _step(
    together: nn.ModuleDict,
    optimizer: torch.optim.Optimizer,
    batches: dict[str, DeviceFaces],
    indices: tuple[Tensor, ...],
) -> Tensor:
    """One step of the optimiser; the loss of each corpus, (K,)."""
    together.train()
    losses = torch.stack([
        tail.training_loss(batches[name].images(index), batches[name].targets_of(index))  # type: ignore[operator]
        for (name, tail), index in zip(together.items(), indices, strict=True)
    ])  # fmt: skip
    optimizer.zero_grad(set_to_none=True)
    losses.sum().backward()
    optimizer.step()
    return losses.detach()  # read once an epoch, as in ``fit``


def _check_losses(losses: Tensor, names: list[str], epoch: int, settings: Settings) -> None:
    """Refuse losses (steps, K) that are not finite."""
    bad = (~losses.isfinite()).nonzero()
    if len(bad):
        batch, corpus = bad[0].tolist()
        raise FloatingPointError(
            f"loss must be finite; got {losses[batch, corpus].item()} for {names[corpus]} in epoch "
            f"{epoch + 1}, batch {batch + 1} of {len(losses)}. Lower the learning rate "
            f"({settings.learning_rate:g})."
        )


def _epoch(
    batches: dict[str, DeviceFaces], steps: int, seed: int, epoch: int, settings: Settings
) -> Iterator[tuple[Tensor, ...]]:
    """Indices of one batch of every corpus, ``steps`` times."""
    streams = []
    for faces in batches.values():
        generator = torch.Generator().manual_seed(epoch_seed(seed, epoch, "order"))
        order = epoch_order(torch.arange(len(faces)), balance=0.0, generator=generator)
        streams.append(islice(cycle(steps_of(order, settings.batch_size)), steps))
    return zip(*streams, strict=True)


def _score(name: str, tail: Any, faces: Any, epoch: int) -> float:
    pred = predict(tail, faces)
    if not np.isfinite(pred).all():
        raise FloatingPointError(
            f"predictions must be finite; got nan or inf for {name} after epoch {epoch + 1}. Lower the "
            "learning rate."
        )
    return score(pred, faces)
