"""Emotion-GCN beside what it is compared with, and beside the controls that it was not (chapter 15)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from fer_lib.graph import GraphHead
from fer_lib.graph.adjacency import SHARED
from fer_lib.train.randomness import seeded
from fer_lib.train.sides import SideTargets
from fer_lib.trials.runs import Plan, Runs
from fer_lib.trials.setups import Setup
from fer_lib.trials.variants import Graph, Variant, build_head

SINGLE, MSE, CCC, GCN = "Single-task", "Multi-task + MSE", "Multi-task + CCC", "Emotion-GCN"
NO_EDGES, HALF, CODE, BETWEEN = "no edges", "as printed, p = .5", "code mode", "edges between expressions"
LAYERS: dict[int, tuple[int, ...]] = {1: (), 2: (512,), 3: (512, 512)}
"""Number of graph convolutions -> units of all but the last."""


def published_four(glove: str = "") -> list[Variant]:
    """The four networks of the thesis's Table 6.1, by its names."""
    graph = Graph(glove=glove)
    return [
        Variant(SINGLE),
        Variant(MSE, affect="mse"),
        Variant(CCC, affect="ccc"),
        Variant(GCN, affect="ccc", graph=graph),
    ]


def controls(glove: str = "") -> list[Variant]:
    """What tells the graph from all else that Emotion-GCN changes.

    "no edges" has the same layers, pooling and number of parameters, and p=0: every node keeps to itself. The
    authors' program ("code mode") differs from the thesis in two things, the transpose and p=.5; the printed
    matrix at p=.5 stands between them, one step from either.
    """
    return [
        Variant(NO_EDGES, affect="ccc", graph=Graph(p=0.0, glove=glove)),
        Variant(HALF, affect="ccc", graph=Graph(p=SHARED["code"], glove=glove)),
        Variant(CODE, affect="ccc", graph=Graph(mode="code", glove=glove)),
        Variant(BETWEEN, affect="ccc", graph=Graph(between=True, glove=glove)),
    ]


def grid(
    layers: Sequence[int], taus: Sequence[float], ps: Sequence[float], glove: str = ""
) -> dict[tuple[int, float, float], Variant]:
    """Settings of Table 6.2: every tau at p=.7, and every p at tau=.1, for every number of layers.

    Args:
        layers: keys of `LAYERS`.
        taus, ps: in [0, 1].
        glove: see ``fer_lib.trials.Graph``.

    Returns:
        (layers, tau, p) -> variant.

    Raises:
        ValueError: another number of layers.

    Example:
        >>> len(grid([1, 2], [0.0, 0.1], [0.7, 0.8]))
        6
    """
    unknown = sorted(set(layers) - set(LAYERS))
    if unknown:
        raise ValueError(f"layers must be among {list(LAYERS)}; got {unknown}. Table 6.2 has these.")
    places = [(tau, 0.7) for tau in taus] + [(0.1, p) for p in ps]
    keys = dict.fromkeys((deep, tau, p) for deep in layers for tau, p in places)
    return {
        (deep, tau, p): Variant(
            f"L={deep}, tau={tau:g}, p={p:g}",
            affect="ccc",
            graph=Graph(tau=tau, p=p, hidden=LAYERS[deep], glove=glove),
        )
        for deep, tau, p in keys
    }


def until_settled(plan: Plan, *, epochs: int = 100, patience: int = 15) -> Plan:
    """The plan with as many passes as a network can use, for corpora of a few hundred faces.

    Where all expressions take in the same affects, each graph convolution keeps only 1 - p of what tells them
    apart, two of them .3 x .3 = .09. So much smaller is what a step changes of it: Emotion-GCN needs several
    times the steps of a plain decision layer, and the same few passes for both stop it before it has begun.

    Args:
        plan: of a comparison.
        epochs: at most so many passes.
        patience: stop after so many without a better score on the validation part.

    Example:
        >>> until_settled(Plan(epochs=10)).epochs, until_settled(Plan(epochs=10)).settings.patience
        (100, 15)
    """
    return replace(plan, epochs=epochs, settings=replace(plan.settings, patience=patience))


def on_frozen_features(plan: Plan) -> Plan:
    """The plan with everything below the decision layer frozen, which is several times faster."""
    return replace(plan, regime="decision")


def confusions(runs: Runs, model: str, labels: Any, classes: int) -> np.ndarray:
    """Confusion counts (K, K) of a model on the reported faces, summed over its seeds."""
    from fer_lib.metrics import confusion

    seeds = [seed for name, seed in runs.folders if name == model]
    parts = [
        confusion(runs.arrays(model, seed)["probabilities"], labels, num_classes=classes) for seed in seeds
    ]
    return np.sum(parts, axis=0)


def vectors(weights: Mapping[str, Any], variant: Variant, setup: Setup) -> np.ndarray:
    """Classifiers and regressors of a trained decision layer, float32 (K + 2, D), or (K, D) without affect.

    Args:
        weights: of ``Runs.weights``.
        variant: that they are of.
        setup: that it was trained in.
    """
    if variant.graph is None:
        rows = [
            weights[name].numpy() for name in ("classifier.weight", "regressor.weight") if name in weights
        ]
        return np.concatenate(rows)
    head = untrained(variant, setup, 0)
    head.load_state_dict(dict(weights))
    return head.weights().detach().numpy()


def mean_cosines(runs: Runs, variant: Variant, setup: Setup) -> np.ndarray:
    """Cosines between the classifiers and regressors of a variant, the mean over its seeds."""
    seeds = [seed for name, seed in runs.folders if name == variant.name]
    each = [cosines(vectors(runs.weights(variant.name, seed), variant, setup)) for seed in seeds]
    return np.mean(each, axis=0)


def untrained(variant: Variant, setup: Setup, seed: int) -> GraphHead:
    """The decision layer that a variant with a graph starts from.

    Raises:
        ValueError: a variant without a graph.
    """
    if variant.graph is None:
        raise ValueError(f"variant must have a graph; got {variant.name!r}. Give it one.")
    plan, faces = setup.plan, cast(SideTargets, setup.parts.train)
    shape = setup.encoder.feature_shape
    with seeded(seed):
        head = build_head(variant, faces, shape, embedding=plan.embedding, pool=plan.pool)
    return cast(GraphHead, head)


def cosines(rows: Any) -> np.ndarray:
    """Cosine of each pair of rows (N, D): (N, N), 0 with a row of zeros.

    Example:
        >>> cosines([[1.0, 0.0], [1.0, 1.0]]).round(3).tolist()
        [[1.0, 0.707], [0.707, 1.0]]
    """
    found = np.asarray(rows, dtype=np.float64)
    found = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.finfo(float).tiny)
    return found @ found.T
