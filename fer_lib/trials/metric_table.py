"""Table 4.1 of the thesis as variants, and the small studies of lambda and margins beside it (chapter 13)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib import results
from fer_lib.losses import va_center_loss
from fer_lib.losses.centers import LEARNING
from fer_lib.trials.placing import result_rows
from fer_lib.trials.runs import Runs
from fer_lib.trials.variants import Variant

if TYPE_CHECKING:
    import pandas as pd

BASELINE, CENTER, LOCAL = "Best baseline", "Center loss", "Center local loss"
ISLAND, EUCLIDEAN = "Island loss", "Euclidean Island loss (m={m:g})"
SUBCLASS, LOOSE = "Local subclass loss with margin (k={k})", "Local subclass loss (k={k})"
VA = "VA-based Center local loss"
MATCHED, PAIRS = "Center local loss, matched", "Pair contrastive loss (m={m:g})"
K_OF_FIGURE = 5


def table_variants(
    weight: float = 0.1,
    *,
    learn: str = "rule",
    counts: Sequence[int] = (2, 3, 5, 10),
    matched: float = 1.0,
    pair_margin: float = 5.0,
) -> list[Variant]:
    """The rows of Table 4.1 under their printed names, and three that are ours.

    Ours are the pair contrastive loss, of which the thesis reports no number; the subclass loss without its
    margin, which it draws; and the center local loss as strong as the VA-based one.

    Args:
        weight: lambda of all rows.
        learn: how centers learn, see ``fer_lib.losses.centers.Centers``.
        counts: centers a class, of the subclass rows.
        matched: factor on lambda for the matched row, see `mean_va_weight`.
        pair_margin: of the pairs.

    Raises:
        ValueError: a weight that is not above 0, or an unknown way to learn.

    Example:
        >>> [variant.name for variant in table_variants()][:3]
        ['Best baseline', 'Center loss', 'Center local loss']
    """
    if not 0 < weight < np.inf:
        raise ValueError(f"weight must be above 0; got {weight}. The thesis takes 0.1.")
    if learn not in LEARNING:
        raise ValueError(f"learn must be one of {', '.join(LEARNING)}; got {learn!r}. Choose one.")
    rows: list[tuple[str, str, dict[str, Any]]] = [
        (CENTER, "center", {"learn": learn}),
        (LOCAL, "center_local", {}),
        (ISLAND, "island", {"learn": learn}),
        *(
            (EUCLIDEAN.format(m=m), "island", {"euclidean": True, "margin": m, "learn": learn})
            for m in (2.0, 5.0)
        ),
        *((SUBCLASS.format(k=k), "subclass", {"k": k, "margin": 0.5, "learn": learn}) for k in counts),
        (f"{VA} (only V)", "va_center", {"axes": "valence"}),
        (f"{VA} (only A)", "va_center", {"axes": "arousal"}),
        (VA, "va_center", {}),
        (LOOSE.format(k=K_OF_FIGURE), "subclass", {"k": K_OF_FIGURE, "learn": learn}),
        (PAIRS.format(m=pair_margin), "contrastive", {"margin": pair_margin}),
    ]
    made = [_variant(name, metric, weight, options) for name, metric, options in rows]
    return [Variant(BASELINE), *made, _variant(MATCHED, "center_local", weight * matched, {})]


def weight_variants(weights: Sequence[float]) -> list[Variant]:
    """Center local and VA-based loss with each lambda, named "loss, lambda=..."."""
    return [
        _variant(f"{name}, lambda={weight:g}", metric, weight, {})
        for name, metric in ((LOCAL, "center_local"), (VA, "va_center"))
        for weight in weights
    ]


def margin_variants(margins: Sequence[float], weight: float = 0.1) -> list[Variant]:
    """The pair contrastive loss with each margin."""
    return [_variant(PAIRS.format(m=m), "contrastive", weight, {"margin": m}) for m in margins]


def _variant(name: str, metric: str, weight: float, options: dict[str, Any]) -> Variant:
    plain = tuple((key, value) for key, value in options.items() if (key, value) != ("learn", "rule"))
    return Variant(name, metric=metric, metric_weight=weight, metric_options=plain)


def mean_va_weight(faces: Any) -> float:
    r"""Mean of the VA-based loss's weights :math:`w_i` over faces, whose classes have these faces' means.

    Args:
        faces: a ``SideTargets`` with valence and arousal.

    Returns:
        How many times as strong as the center local loss it is on the whole, 0 to 2.
    """
    import torch

    y, va = faces.targets(), faces.sides[:, :2].double()
    members = torch.nn.functional.one_hot(y).double()
    means = members.T @ va / members.sum(0)[:, None].clamp_min(1)
    # pairs at -1 and 1 about 0: half of w_i + w_i, once for each face
    x = torch.tensor([[-1.0], [1.0]], dtype=torch.float64).repeat(len(y), 1)
    own = torch.arange(len(y)).repeat_interleave(2)
    return float(va_center_loss(x, own, va.repeat_interleave(2, 0), means[y])) * 2


def table_rows(
    runs: Runs, models: Sequence[str], *, dataset: str, encoder: str, profile: str
) -> list[dict[str, Any]]:
    """Result rows of Table 4.1, in per cent, for ``results.beside_paper``."""
    places = [(model, ("Table 4.1", model, "Accuracy")) for model in models]
    return result_rows(runs, places, paper="emotion-gcn", dataset=dataset, encoder=encoder, profile=profile)


def study_rows(runs: Runs, values: dict[str, float], seeds: Sequence[int], faces: Any) -> "pd.DataFrame":
    """Accuracy and spread of each run of a study, for its curves.

    Args:
        runs: with all models and seeds.
        values: model to its place on the axis (lambda or margin).
        seeds: which.
        faces: the reported set.

    Returns:
        A row a model and seed: model, x, seed, accuracy (per cent), share (of the variance, between
        classes), whole (the variance).
    """
    import pandas as pd

    from fer_lib.trials.spreads import spread

    labels, rows = faces.targets().numpy(), []
    scores = runs.rows[runs.rows["metric"] == "mean_class_accuracy"].set_index(["model", "seed"])["value"]
    for model, x in values.items():
        for seed in seeds:
            found = spread(runs.arrays(model, seed)["embeddings"], labels)
            line = {"model": model, "x": x, "seed": seed, "accuracy": 100 * float(scores[model, seed])}
            rows.append(line | {"share": found.share, "whole": found.within + found.between})
    return pd.DataFrame(rows)


def study_curve(rows: "pd.DataFrame", names: dict[str, str], value: str) -> "pd.DataFrame":
    """Means of a study over seeds, for ``views.intervals.bands``.

    Args:
        rows: of `study_rows`.
        names: how a model's name begins, to the name of its curve.
        value: column of the rows.

    Returns:
        name, x, y, low, high (the smallest and largest of a seed), in order of x.
    """
    import pandas as pd

    lines = []
    for begins, name in names.items():
        part = rows[rows["model"].str.startswith(begins)].groupby("x")[value]
        lines.append(part.agg(y="mean", low="min", high="max").reset_index().assign(name=name))
    return pd.concat(lines, ignore_index=True)


def beside_table(rows: Sequence[dict[str, Any]], gained: "pd.DataFrame") -> "pd.DataFrame":
    """Table 4.1 with ours beside it: row, mean, low, high, gain, over_people, Holm_p, published.

    The gain over the baseline has its interval over seeds, and another one over people.

    Args:
        rows: of `table_rows`.
        gained: of ``fer_lib.trials.comparing.gains``.
    """
    import pandas as pd

    both = results.beside_paper(pd.DataFrame(rows), paper="emotion-gcn", table="Table 4.1", by=("row",))
    found = gained.set_index("model")
    told, faces = {}, {}
    for name, one in found.iterrows():
        told[name] = f"{one['mean']:+z.1f} [{one['low']:+z.1f}, {one['high']:+z.1f}]"
        faces[name] = f"[{one['faces_low']:+z.1f}, {one['faces_high']:+z.1f}]"
    both["gain"] = both["row"].map(told).fillna("")
    both["over_people"] = both["row"].map(faces).fillna("")
    both["Holm_p"] = both["row"].map(found["holm"])
    return both[["row", "mean", "low", "high", "gain", "over_people", "Holm_p", "published"]]


def spread_table(runs: Runs, models: Sequence[str], seeds: Sequence[int], parts: Any) -> "pd.DataFrame":
    """How wide the embeddings of each model lie, and which share of it lies between classes.

    Args:
        runs: with all models and seeds.
        models, seeds: which.
        parts: the sets.

    Returns:
        A row a model: loss, variance (of the reported faces), training (share between classes, per cent, of
        the faces learned from), reported (the same of the reported ones, with its 95 % interval over seeds).
    """
    import pandas as pd

    from fer_lib.metrics import mean_interval
    from fer_lib.trials.spreads import spread

    lines = []
    for model in models:
        arrays = [runs.arrays(model, seed) for seed in seeds]
        learned = parts.train.targets().numpy()
        seen = [spread(one["train_embeddings"], learned[one["train_rows"]]) for one in arrays]
        new = [spread(one["embeddings"], parts.test.targets().numpy()) for one in arrays]
        shares = mean_interval([100 * one.share for one in new])
        line: dict[str, Any] = {
            "loss": model,
            "variance": float(np.mean([n.within + n.between for n in new])),
        }
        line["training"] = float(np.mean([100 * one.share for one in seen]))
        told = [f"{end:z.1f}" for end in (shares.value, shares.low, shares.high)]  # z: no -0.0
        lines.append(line | {"reported": f"{told[0]} [{told[1]}, {told[2]}]"})
    return pd.DataFrame(lines)


def alike(
    embeddings: Any, labels: Any, classes: Sequence[str], *, shown: str, count: int = 6
) -> tuple[np.ndarray, list[str]]:
    """Faces of one class that lie far apart, and beside each its nearest neighbour of another class.

    The first is the nearest to the class's mean, each further one the farthest from those chosen; nobody is
    a neighbour twice.

    Args:
        embeddings: (N, D).
        labels: class numbers (N,).
        classes: names.
        shown: the class.
        count: faces of it, fewer where it has fewer.

    Returns:
        Rows of the chosen faces, then of their neighbours; and the names of their classes.

    Raises:
        ValueError: an unknown class, or one without faces.
    """
    z, y = np.asarray(embeddings, float), np.asarray(labels)
    mine = np.flatnonzero(y == list(classes).index(shown)) if shown in classes else np.array([], int)
    if not len(mine):
        raise ValueError(
            f"shown must be a class with faces; got {shown!r}. Choose from {', '.join(classes)}."
        )
    chosen = [int(mine[((z[mine] - z[mine].mean(0)) ** 2).sum(1).argmin()])]
    while len(chosen) < min(count, len(mine)):
        apart = np.linalg.norm(z[mine, None] - z[chosen], axis=2).min(1)
        chosen.append(int(mine[apart.argmax()]))
    others, near = np.flatnonzero(y != list(classes).index(shown)), []
    for one in chosen:
        order = others[np.linalg.norm(z[others] - z[one], axis=1).argsort()]
        near.append(next(int(k) for k in order if k not in near))
    rows = np.array(chosen + near)
    return rows, [str(classes[k]) for k in y[rows]]


def centers_of(runs: Runs, model: str, seed: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Learned centers of a kept run, (M, D), and the class of each, (M,); M is 0 where none are learned."""
    tensors = runs.weights(model, seed)
    found = tensors.get("metric_loss.centers")
    if found is None:
        wide = runs.arrays(model, seed)["embeddings"].shape[1]
        return np.zeros((0, wide), np.float32), np.zeros(0, int)
    return found.float().numpy(), np.arange(len(found)) // (len(found) // classes)
