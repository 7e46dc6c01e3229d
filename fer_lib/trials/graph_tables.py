"""The thesis's Tables 6.1, 6.2, 6.3 and 6.5 from our runs (chapter 15)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.trials.corpus import check_both
from fer_lib.trials.placing import result_rows
from fer_lib.trials.runs import Runs
from fer_lib.trials.variants import Variant

if TYPE_CHECKING:
    import pandas as pd

PAPER = "emotion-gcn"
WITH_TOTAL = "Aff-Wild2"
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

    places = []
    for (deep, tau, p), variant in settings.items():
        if p == 0.7:
            places.append((variant.name, ("Table 6.2a", f"L={deep}", f"tau={tau:g}")))
        if tau == 0.1:
            places.append((variant.name, ("Table 6.2b", f"L={deep}", f"p={p:g}")))
    columns = ["table", "row", "column", "seed", "value", "device", "seconds"]
    return pd.DataFrame(result_rows(runs, places))[columns]


def titles_of(dataset: str, second: str, *, roots: tuple[str, str] = ("", "")) -> list[str]:
    """Two corpora's names as the thesis's columns have them, for a corpus and its world alike.

    Args:
        dataset, second: two corpora or worlds with an expression, valence and arousal.
        roots: folders of real ones.

    Raises:
        ValueError: one without both views, or twice the same.
        DataError: an unknown corpus, or none in its folder.

    Example:
        >>> titles_of("world:affectnet", "world:affwild2")
        ['AffectNet', 'Aff-Wild2']
    """
    from fer_lib.datasets import describe

    for parameter, name, root in zip(("dataset", "second"), (dataset, second), roots, strict=True):
        check_both(name, root=root, parameter=parameter)
    titles = [describe(name.removeprefix("world:")).title for name in (dataset, second)]
    if titles[0] == titles[1]:
        raise ValueError(
            f"second must be another corpus than dataset; got {second!r} and {dataset!r}. Take "
            f"world:{'affectnet' if titles[0] == WITH_TOTAL else 'affwild2'}."
        )
    return titles


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
            accuracy. ``labels`` counts for the column "Aff-Wild2" alone: other corpora have no such rule.

    Returns:
        Rows of ``fer_lib.results.row``.
    """
    places = [(model, (table, model, column)) for model in runs.rows["model"].unique()]
    about: dict[str, Any] = {"paper": PAPER, "dataset": dataset, "encoder": encoder}
    if labels is None or column != WITH_TOTAL:
        return result_rows(runs, places, **about)
    return result_rows(
        runs, places, metric="total", score=lambda kept: total(kept["probabilities"], labels), **about
    )


def affect_rows(several: list[Runs], *, title: str, dataset: str, encoder: str) -> list[dict[str, Any]]:
    """Result rows of Table 6.3: concordance of valence and arousal, a row a model, seed and affect.

    Args:
        several: runs of models by the thesis's names.
        title: of the corpus in the table's columns, such as "AffectNet".
        dataset, encoder: that they are of.
    """
    about: dict[str, Any] = {"paper": PAPER, "dataset": dataset, "encoder": encoder, "times": 1.0}
    rows = []
    for runs in several:
        models = runs.rows["model"].unique()
        for metric, axis in AFFECT.items():
            places = [(model, ("Table 6.3", model, f"{title} {axis}")) for model in models]
            rows += result_rows(runs, places, metric=metric, **about)
    return rows


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
