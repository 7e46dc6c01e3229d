"""The cells of the thesis's chapter on two views of emotion: which trainings, and how they compare."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib import artifacts
from fer_lib.chapters.helpers import choose
from fer_lib.heads.joint import PARTS
from fer_lib.provenance import code_key
from fer_lib.train.parallel import side_by_side
from fer_lib.train.repeats import repeat
from fer_lib.trials import placing
from fer_lib.trials.placing import Place
from fer_lib.trials.runs import Runs
from fer_lib.trials.variants import Variant

if TYPE_CHECKING:
    import pandas as pd

Cell = Place
PAPER = "emotion-gcn"
TABLES = ("Table 5.1", "Table 5.2", "Table 5.3")
SINGLE, EIGHT = (
    "Best baseline, Classic",
    "WCE, WCE, none",
)  # names of the variants that others are compared to
CONTROL = Variant("CE, CE, none", class_loss="plain", affect="eight", fusion="concatenate")
MASK = Variant("eyes and mouth", mask=16)
TIMES = 100.0  # tables are in per cent
_WAYS = {"Best baseline": "none", "MSE": "mse", "CCC": "ccc", "Half (MSE)": "half_mse", "Half (BCE)": "half"}
_LOSSES = {"WCE": "weighted", "CE": "plain", "Focal": "focal"}
_FEW = (
    ("Table 5.1", "Best baseline", "Classic"),
    ("Table 5.1", "MSE", "Classic"),
    ("Table 5.1", "CCC", "Classic"),
    ("Table 5.1", "CCC", "Separate"),
    ("Table 5.1", "CCC", "Concatenate"),
    ("Table 5.1", "Eight", "Concatenate"),
    ("Table 5.2", "WCE, WCE, none", "Accuracy"),
    ("Table 5.2", "WCE, WCE, Age", "Accuracy"),
    ("Table 5.2", "CE, CE, Expression", "Accuracy"),
    ("Table 5.2", "Focal, Focal, none", "Accuracy"),
    ("Table 5.3", "CCC + Local subclass loss with margin (k=5)", "Classic"),
)
_SVM = {  # the column of Table 5.3 that holds the softmax's number of Table 5.4
    "Eight + Local subclass loss with margin (k=5)": "Concatenate",
}


def cells_in(profile: str, *, ages: bool = True) -> list[Cell]:
    """The printed cells of Tables 5.1 to 5.3 that a profile runs; ``full`` has all, the others eleven.

    Args:
        profile: "smoke", "quick" or "full".
        ages: whether the corpus tells how old people are; else the sampler by age is left out.

    Example:
        >>> len(cells_in("quick")), len(cells_in("full"))
        (11, 33)
    """
    from fer_lib.results import published

    rows = [published(PAPER, table) for table in TABLES]
    every = [(one.table, one.row, one.column) for part in rows for one in part.itertuples()]
    chosen = choose(profile, smoke=list(_FEW), quick=list(_FEW), full=every)
    return [cell for cell in chosen if ages or not cell[1].endswith("Age")]


def variant_of(cell: Cell) -> Variant:
    """The training that a printed cell tells of.

    Two things are ours. The eight-part model of Table 5.1 has the number of Table 5.2's row of two weighted
    losses, so parts of the plane are weighed like classes wherever nothing else is said, although section
    5.2.1 speaks of cross-entropy for both tasks without weights. The sampler by age draws each ten years of
    age alike often; the thesis does not say by what weights it drew.

    Args:
        cell: table, row and column.

    Raises:
        ValueError: a cell that the thesis does not print.

    Example:
        >>> one = variant_of(("Table 5.1", "Eight", "Concatenate"))
        >>> one.affect, one.fusion, one.parts_loss
        ('eight', 'concatenate', 'weighted')
    """
    table, row, column = cell
    if cell not in cells_in("full"):
        raise ValueError(f"cell must be one of Tables 5.1 to 5.3; got {cell}. See cells_in('full').")
    name = ", ".join(cell[1:]) if table != "Table 5.2" else row
    if table == "Table 5.2":
        own, parts, sampler = row.split(", ")
        drawn: dict[str, Any] = {} if sampler == "none" else {"balance": 1.0}
        drawn |= {"balance_by": "age"} if sampler == "Age" else {}
        losses: dict[str, Any] = {"class_loss": _LOSSES[own], "parts_loss": _LOSSES[parts]}
        return Variant(name, affect="eight", fusion="concatenate", **losses, **drawn)
    way, _, metric = row.partition(" + ")
    affect = _WAYS.get(way, way.lower())
    options: dict[str, Any] = {"parts_loss": "weighted"} if affect in PARTS else {}
    if metric == "Island loss":
        options |= {"metric": "island"}
    elif metric:
        k = int(metric.partition("k=")[2].rstrip(")"))
        options |= {"metric": "subclass", "metric_options": (("k", k), ("margin", 0.5))}
    return Variant(name, affect=affect, fusion=column.lower(), **options)


def variants(cells: Sequence[Cell]) -> dict[Cell, Variant]:
    """Variant of each cell, names distinct over tables."""
    return {cell: variant_of(cell) for cell in cells}


def result_rows(runs: Runs, told: Mapping[Cell, Variant], **about: Any) -> "pd.DataFrame":
    """Mean class accuracies in per cent as result rows, one a cell and seed.

    Args:
        runs: of the variants.
        told: cell to variant.
        **about: further columns of ``fer_lib.results.row``, such as dataset and profile.
    """
    import pandas as pd

    places = [(variant.name, cell) for cell, variant in told.items()]
    return pd.DataFrame(placing.result_rows(runs, places, paper=PAPER, **about))


def svm_rows(runs: Runs, models: Sequence[str], seeds: Sequence[int], parts: Any) -> "pd.DataFrame":
    """Softmax and support vector machine on the same features: model, seed, softmax, SVM, in per cent.

    The machine learns from the training faces whose embeddings are kept (``Plan.kept``: its time grows with
    their square). C is chosen on the validation part, see ``fer_lib.train.svm_on_features``. What is found is
    kept and not fitted again.
    """
    import pandas as pd

    from fer_lib.metrics import mean_class_accuracy
    from fer_lib.train.support import svm_on_features

    labels = [faces.targets().numpy() for faces in (parts.train, parts.validation, parts.test)]

    def one(model: str, seed: int) -> dict[str, float]:
        kept = runs.arrays(model, seed)
        machine = svm_on_features(
            (kept["train_embeddings"], labels[0][kept["train_rows"]]),
            (kept["validation_embeddings"], labels[1]),
        )
        pair = (kept["probabilities"].argmax(1), machine.predict(kept["embeddings"]))
        scores = [TIMES * float(mean_class_accuracy(found, labels[2])) for found in pair]
        return {"softmax": scores[0], "SVM": scores[1]}

    tasks = []
    for model, seed in product(models, seeds):
        name = artifacts.key(code=code_key(__name__), run=runs.folders[model, seed].name)
        place = artifacts.home() / "machines" / name
        tasks.append(partial(repeat, partial(one, model), [seed], folder=place))
    names = [model for model in models for _ in seeds]
    found = [rows.assign(model=name) for name, rows in zip(names, side_by_side(tasks), strict=True)]
    return pd.concat(found, ignore_index=True)[["model", "seed", "softmax", "SVM"]]


def svm_table(found: "pd.DataFrame", told: Mapping[Cell, Variant]) -> "pd.DataFrame":
    """Table 5.4 beside ours: features, softmax, SVM, paired difference (mean, low, high), as printed.

    Args:
        found: from `svm_rows`.
        told: cell to variant.
    """
    import pandas as pd

    from fer_lib.metrics import paired_difference
    from fer_lib.results import published

    printed = published(PAPER, "Table 5.4").pivot(index="row", columns="column", values="value")
    rows = {told[svm_cell(row)].name: row for row in printed.index if svm_cell(row) in told}
    lines = []
    for model, part in found.groupby("model", sort=False):
        d = paired_difference(part["SVM"], part["softmax"])
        line = {"features": short(model), "softmax": part["softmax"].mean(), "SVM": part["SVM"].mean()}
        line |= {"mean": d.mean, "low": d.low, "high": d.high}
        told_there = printed.loc[rows[model]] if model in rows else {"Softmax": np.nan, "SVM": np.nan}
        lines.append(line | {"paper: softmax": told_there["Softmax"], "paper: SVM": told_there["SVM"]})
    return pd.DataFrame(lines)


def printed_gains(told: Mapping[Cell, Variant], baseline: float) -> dict[str, float]:
    """Variant's name to the printed number of its cell minus another printed number."""
    from fer_lib.results import published

    values = {(one.table, one.row, one.column): one.value for one in published(PAPER).itertuples()}
    return {short(variant.name): values[cell] - baseline for cell, variant in told.items()}


def short(name: str) -> str:
    """A variant's name for narrow places.

    Example:
        >>> short("CCC + Local subclass loss with margin (k=5), Classic")
        'CCC + subclass (k=5), Classic'
    """
    return name.replace("Local subclass loss with margin", "subclass").replace("Island loss", "island")


def svm_cell(row: str) -> Cell:
    """The cell of Table 5.3 whose features a row of Table 5.4 reads.

    Example:
        >>> svm_cell("CCC + Island loss")
        ('Table 5.3', 'CCC + Island loss', 'Classic')
    """
    return ("Table 5.3", row, _SVM.get(row, "Classic"))


def news_of(labels: Any, parts: Any) -> tuple[float, float]:
    """How many bits a part of the plane holds, and how many of them the expression does not tell already.

    Args:
        labels: class numbers (N,).
        parts: part numbers (N,).

    Returns:
        Entropy H(part) and conditional entropy H(part | class) of these faces, in bits.

    Example:
        >>> news_of([0, 0, 1, 1], [0, 1, 2, 2])
        (1.5, 0.5)
    """
    labels, parts = np.asarray(labels), np.asarray(parts)
    counts = np.zeros((labels.max() + 1, parts.max() + 1))
    np.add.at(counts, (labels, parts), 1)
    joint = counts / counts.sum()
    whole, both, one = (_entropy(p) for p in (joint.sum(0), joint, joint.sum(1)))
    return whole, both - one


def _entropy(shares: np.ndarray) -> float:
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())
