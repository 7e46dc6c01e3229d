"""The thesis's Tables 6.1, 6.2, 6.3 and 6.5 from our runs (chapter 15)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.trials.runs import Runs
from fer_lib.trials.variants import Variant

if TYPE_CHECKING:
    import pandas as pd

PAPER = "emotion-gcn"
AFFECT = {"ccc_valence": "CCC-V", "ccc_arousal": "CCC-A"}


def grid_rows(runs: Runs, settings: Mapping[tuple[int, float, float], Variant]) -> "pd.DataFrame":
    """Rows of ``run`` over a grid, in the places of the thesis's Tables 6.2a (tau) and 6.2b (p).

    Args:
        runs: of the variants of ``settings``.
        settings: see :func:`grid`.

    Returns:
        table, row ("L=2"), column ("tau=0.1"), seed, value in per cent (mean class accuracy). A setting that
        stands in both tables gives rows in both.
    """
    import pandas as pd

    rows = runs.rows[runs.rows["metric"] == "mean_class_accuracy"]
    lines = []
    for (deep, tau, p), variant in settings.items():
        places = [("Table 6.2a", f"tau={tau:g}")] if p == 0.7 else []
        places += [("Table 6.2b", f"p={p:g}")] if tau == 0.1 else []
        for one in rows[rows["model"] == variant.name].itertuples():
            lines += [
                {"table": table, "row": f"L={deep}", "column": column, "seed": one.seed}
                | {"value": 100 * one.value, "device": one.device, "seconds": one.seconds}
                for table, column in places
            ]
    return pd.DataFrame(lines)


def total(probabilities: Any, labels: Any) -> float:
    """Aff-Wild2's score for expressions: .67 macro F1 + .33 accuracy, as its challenge of 2020 has it.

    Args:
        probabilities: (N, K).
        labels: (N,).

    Example:
        >>> round(total([[0.9, 0.1], [0.8, 0.2]], [0, 1]), 4)
        0.3883

    Reference: Kollias et al. (2020). The thesis names a total without its formula (Table 6.1).
    """
    from fer_lib.metrics import accuracy, macro_f1

    found, truth = np.asarray(probabilities).argmax(1), np.asarray(labels)
    return 0.67 * macro_f1(found, truth) + 0.33 * accuracy(found, truth)


def expression_rows(
    runs: Runs, *, table: str, column: str, dataset: str, encoder: str, labels: Any = None
) -> list[dict[str, Any]]:
    """Result rows of the expressions, in per cent, a row a model and seed.

    Args:
        runs: of models by the thesis's names.
        table, column: of the thesis, such as "Table 6.1", "AffectNet".
        dataset, encoder: that they are of.
        labels: (N,) of the reported faces: rows then give Aff-Wild2's :func:`total`; None gives mean class
            accuracy.

    Returns:
        Rows of ``fer_lib.results.row``.
    """
    from fer_lib.results import row

    found = []
    for one in runs.rows[runs.rows["metric"] == "mean_class_accuracy"].itertuples():
        value = one.value
        if labels is not None:
            value = total(runs.arrays(one.model, one.seed)["probabilities"], labels)
        found.append(row(
            paper=PAPER, table=table, row=one.model, column=column, dataset=dataset, encoder=encoder,
            metric="mean_class_accuracy" if labels is None else "total", seed=one.seed, value=100 * value,
            device=one.device, seconds=one.seconds,
        ))  # fmt: skip
    return found


def affect_rows(several: list[Runs], *, title: str, dataset: str, encoder: str) -> list[dict[str, Any]]:
    """Result rows of Table 6.3: concordance of valence and arousal, a row a model, seed and affect.

    Args:
        several: runs of models by the thesis's names.
        title: of the corpus in the table's columns, such as "AffectNet".
        dataset, encoder: that they are of.
    """
    from fer_lib.results import row

    return [
        row(
            paper=PAPER, table="Table 6.3", row=one.model, column=f"{title} {AFFECT[one.metric]}",
            dataset=dataset, encoder=encoder, metric=one.metric, seed=one.seed, value=one.value,
            device=one.device, seconds=one.seconds,
        )
        for runs in several
        for one in runs.rows[runs.rows["metric"].isin(list(AFFECT))].itertuples()
    ]  # fmt: skip


def beside(rows: list[dict[str, Any]], table: str) -> "pd.DataFrame":
    """Ours beside the thesis's table: a line a row and column of it; what was not run has no numbers.

    Args:
        rows: result rows; those of other tables, and models that the table lacks, are left out.
        table: such as "Table 6.1".
    """
    import pandas as pd

    from fer_lib.results import beside_paper, published

    known = published(PAPER, table)
    frame = pd.DataFrame(rows)
    frame = frame[(frame["table"] == table) & frame["row"].isin(known["row"])]
    both = beside_paper(frame, paper=PAPER, table=table)
    return both[["row", "column", "mean", "low", "high", "seeds", "published"]].assign(table=table)
