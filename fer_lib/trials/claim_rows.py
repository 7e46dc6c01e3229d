"""Rows that the scoreboard pairs: the spread of embeddings (chapter 13), the likeness of weights (15)."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fer_lib.trials import graphs
from fer_lib.trials.runs import Runs
from fer_lib.trials.setups import Setup
from fer_lib.trials.spreads import spread
from fer_lib.trials.variants import Variant

PAPER = "emotion-gcn"


def spread_rows(
    runs: Runs, models: Iterable[str], seeds: Sequence[int], labels: Any, **about: Any
) -> list[dict[str, object]]:
    """Chapter 13: how wide the embeddings of the reported faces lie, one row a model, seed and metric.

    Args:
        runs: with all models and seeds.
        models, seeds: which.
        labels: classes of the reported faces, (N,).
        **about: further columns of ``fer_lib.results.row``, such as dataset and encoder.

    Returns:
        ``log_within``, the natural log of the variance within classes (a step of .1 is one of ten per cent;
        left out where a network gives all faces of a class one embedding), and ``between_share``, the share
        of the variance that lies between classes, in per cent.
    """
    from fer_lib import results

    made = []
    for model in models:
        for seed in seeds:
            found = spread(runs.arrays(model, seed)["embeddings"], labels)
            values = {"log_within": np.log(found.within)} if found.within > 0 else {}
            for metric, value in (values | {"between_share": 100 * found.share}).items():
                made.append(results.row(
                    paper=PAPER, table="Fig 4.2.2, spread", row=model, column="reported", metric=metric,
                    seed=seed, value=float(value), **about,
                ))  # fmt: skip
    return made


def cosine_rows(
    runs: Runs, variants: Iterable[Variant], setup: Setup, seeds: Sequence[int], **about: Any
) -> list[dict[str, object]]:
    """Chapter 15: how alike the weights of expressions and affects are, trained and, with a graph, untrained.

    Args:
        runs: with all variants and seeds.
        variants: which, each with two outputs for affect.
        setup: that they were trained in.
        seeds: which.
        **about: further columns of ``fer_lib.results.row``, such as dataset and encoder.

    Returns:
        One row a variant and seed, and one more called "..., untrained" for those with a graph: the mean size
        of the cosines between the weights of an expression and of valence or arousal.
    """
    from fer_lib import results

    found: dict[tuple[str, int], np.ndarray] = {}
    for variant in variants:
        for seed in seeds:
            found[variant.name, seed] = graphs.vectors(runs.weights(variant.name, seed), variant, setup)
            if variant.graph is not None:
                fresh = graphs.untrained(variant, setup, seed).weights().detach().numpy()
                found[f"{variant.name}, untrained", seed] = fresh
    return [
        results.row(
            paper=PAPER, table="Fig 6.4.3", row=name, column="expressions and affects", metric="mean_cosine",
            seed=seed, value=float(np.abs(graphs.cosines(one)[:-2, -2:]).mean()), **about,
        )
        for (name, seed), one in found.items()
    ]  # fmt: skip
