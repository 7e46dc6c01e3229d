"""One CIAO mask for several corpora at once, each with a decision layer of its own (chapter 09)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from fer_lib.adapt.ciao import ciao
from fer_lib.adapt.frozen import features_of
from fer_lib.adapt.plugin import PlugIn
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import Decision, FaceModel, build_head
from fer_lib.train.batches import DeviceFaces, count_steps, epoch_order, steps_of
from fer_lib.train.device import device
from fer_lib.train.evaluate import evaluate
from fer_lib.train.parts import Parts
from fer_lib.train.predict import predict, score
from fer_lib.train.randomness import epoch_seed, seeded
from fer_lib.train.repeats import repeat
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


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
    validation score over the corpora.

    Args:
        encoder: trained elsewhere; it is copied and frozen.
        corpora: name to its sets.
        seeds: of decision layers and order; distinct.
        epochs: passes over the largest corpus.
        head: shape of every decision layer; None takes one dense layer of 64 units.
        settings: of the training.
        make: plug-in of the encoder.

    Returns:
        One row a seed, corpus and metric of the test set: seed, corpus, metric, value.

    Raises:
        ValueError: no corpus.
    """
    if not corpora:
        raise ValueError("corpora must hold one corpus or more; got none. Name those that share the mask.")
    settings, head = settings or Settings(batch_size=32, learning_rate=2e-3), head or Decision()
    frozen = deepcopy(encoder).freeze()
    sets = {
        name: [features_of(frozen, faces, "units") for faces in (parts.train, parts.validation, parts.test)]
        for name, parts in corpora.items()
    }

    def run(seed: int) -> list[dict[str, Any]]:
        tails = _build(frozen, corpora, head, make, seed)
        with seeded(seed):
            _train(tails, sets, epochs, seed, settings)
        rows = []
        for name, tail in tails.items():
            scores = evaluate(predict(tail, sets[name][2]), corpora[name].test)
            rows += [{"corpus": name, "metric": metric, "value": value} for metric, value in scores.items()]
        return rows

    return repeat(run, seeds)


def _build(
    encoder: Encoder, corpora: Mapping[str, Parts], head: Decision, make: Callable[..., PlugIn], seed: int
) -> dict[str, Any]:
    """A model a corpus, with its own decision layer; encoder and plug-in are the same objects in all."""
    plug = make(encoder)
    models = {}
    for name, parts in corpora.items():
        with seeded(seed):  # the same first weights, alone or together
            models[name] = FaceModel(encoder, build_head(head, parts.train, plug.feature_shape), plug)
    return {name: model.tail() for name, model in models.items()}


def _train(
    tails: dict[str, Any], sets: dict[str, list[Any]], epochs: int, seed: int, settings: Settings
) -> None:
    """Train in place, and leave the weights of the best epoch."""
    where = device()
    together = nn.ModuleDict(tails).to(where)
    optimizer = settings.make_optimizer(together)
    batches = {name: DeviceFaces(sets[name][0], where) for name in tails}
    steps = max(count_steps(len(faces), settings.batch_size) for faces in batches.values())
    best, kept = -np.inf, _copy(together)
    for epoch in range(epochs):
        for number, indices in enumerate(_epoch(batches, steps, seed, epoch, settings)):
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate_at(epoch * steps + number, epochs * steps)
            together.train()
            losses = [
                tail.training_loss(batches[name].images(index), batches[name].targets_of(index))
                for (name, tail), index in zip(tails.items(), indices, strict=True)
            ]
            optimizer.zero_grad(set_to_none=True)
            torch.stack(losses).sum().backward()
            optimizer.step()
        value = float(np.mean([_score(tail, sets[name][1]) for name, tail in tails.items()]))
        if value > best:
            best, kept = value, _copy(together)
    together.load_state_dict(kept)
    together.eval()


def _epoch(
    batches: dict[str, DeviceFaces], steps: int, seed: int, epoch: int, settings: Settings
) -> Iterator[tuple[Tensor, ...]]:
    """Indices of one batch of every corpus, ``steps`` times."""
    streams = []
    for faces in batches.values():
        generator = torch.Generator().manual_seed(epoch_seed(seed, epoch, "order"))
        order = epoch_order(torch.arange(len(faces)), balance=0.0, task="", generator=generator)
        streams.append(islice(cycle(steps_of(order, settings.batch_size)), steps))
    return zip(*streams, strict=True)


def _score(tail: Any, faces: Any) -> float:
    return score(predict(tail, faces), faces)


def _copy(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
