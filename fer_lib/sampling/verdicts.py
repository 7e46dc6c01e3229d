"""What a study of personal models shows, over people: curves, paired differences, smallest visible effects.

People are the unit. Folds and seeds of one person are averaged first: they share a face, and counting them as
independent would make ten people look like fifty. Rows are those of `fer_lib.sampling.personal`: one rmse a
person, fold, seed, dimension, condition, strategy and share.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from fer_lib.metrics import mean_interval, paired_difference
from fer_lib.sampling.curve import elbow

if TYPE_CHECKING:
    import pandas as pd

SETTING = ["folding", "dimension", "condition", "strategy", "share"]
DIMENSIONS = ("valence", "arousal")
LEVEL = 0.05
EARLY = 0.5  # strategies are compared where they can differ: with all labels they all pick the same


def by_person(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Rmse of each person in each setting, over folds and seeds; also the mean number of labels.

    The root is taken of the mean square over the folds (which are equally large), not of each fold: a model
    that does not change then scores the same however its frames are dealt into folds.
    """
    keys = [*SETTING, "person"]
    found = rows.assign(rmse=rows["rmse"] ** 2).groupby(keys, sort=False, as_index=False)
    people = found[["rmse", "labels"]].mean()
    return people.assign(rmse=people["rmse"] ** 0.5)


def over_people(rows: "pd.DataFrame", by: Sequence[str] = SETTING) -> "pd.DataFrame":
    """Mean over people with its 95 % interval: columns ``by``, mean, low, high, people, labels."""
    import pandas as pd

    lines = []
    for key, part in by_person(rows).groupby(list(by), sort=False):
        over = mean_interval(part.groupby("person")["rmse"].mean())
        labels = float(part["labels"].mean())
        lines.append((*key, over.mean, over.low, over.high, over.n, labels))
    return pd.DataFrame(lines, columns=[*by, "mean", "low", "high", "people", "labels"])


def smallest_effect(differences: object, *, power: float = 0.8, confidence: float = 0.95) -> float:
    """The smallest true mean difference that a paired t test over these pairs would have found.

    Args:
        differences: (n,), one a person; only their spread is used.
        power: how often the test finds it.
        confidence: of the test, two-sided.

    Returns:
        (t_{n-1, 1-a/2} + t_{n-1, power}) s / sqrt(n), in the unit of the differences: the usual approximation
        of the power of a t test, within 3 % for n >= 8 (the tests compare it with the noncentral t).

    Raises:
        ValueError: fewer than two pairs, or a power or confidence outside (0, 1).

    Example:
        >>> round(smallest_effect([0.01, -0.01, 0.02, 0.0, 0.01, -0.02, 0.0, 0.01, -0.01, 0.0]), 4)
        0.0119
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"differences must be at least two numbers; got shape {values.shape}. Add people.")
    if not (0 < power < 1 and 0 < confidence < 1):
        raise ValueError(f"power and confidence must be in (0, 1); got {power} and {confidence}. Lower them.")
    freedom = len(values) - 1
    reach = stdtrit(freedom, 0.5 + confidence / 2) + stdtrit(freedom, power)
    return float(reach * values.std(ddof=1) / np.sqrt(len(values)))


def against_random(rows: "pd.DataFrame", *, upto: float = EARLY) -> "pd.DataFrame":
    """What each strategy gains over random picks: rmse of random minus its own, paired over people.

    The rmse of a person is the mean over the shares up to ``upto``: one number a curve, so that no share can
    be chosen after the fact.

    Returns:
        A row a folding, dimension and strategy: gain, low, high (95 %), p_value, p_holm (Holm's correction
        over all rows of a folding), effect_size, smallest (see `smallest_effect`; at the level that Holm asks
        of the first of all rows, so that it is found whatever the others show), random (its rmse), people,
        verdict ("gains", "loses" or "not seen", by p_holm).
    """
    import pandas as pd

    chosen = by_person(rows)
    chosen = chosen[(chosen["strategy"] != "") & (chosen["share"] <= upto + 1e-9)]
    lines = []
    asked = chosen["dimension"].nunique() * (chosen["strategy"].nunique() - 1)
    strictest = 1 - LEVEL / max(1, asked)  # as confidence
    for (folding, dimension), part in chosen.groupby(["folding", "dimension"], sort=False):
        table = part.pivot_table(index="person", columns="strategy", values="rmse", sort=False)
        for strategy in (name for name in table if name != "random"):
            a, b = table["random"].to_numpy(), table[strategy].to_numpy()
            found = paired_difference(a, b)
            lines.append(
                {
                    "folding": folding, "dimension": dimension, "strategy": strategy, "gain": found.mean,
                    "low": found.low, "high": found.high, "p_value": found.p_value,
                    "effect_size": found.effect_size,
                    "smallest": smallest_effect(a - b, confidence=strictest),
                    "random": float(a.mean()), "people": found.n,
                }
            )  # fmt: skip
    frame = pd.DataFrame(lines)
    parts = [holm(part["p_value"].to_numpy()) for _, part in frame.groupby("folding", sort=False)]
    frame["p_holm"] = np.concatenate(parts)
    sign = np.where(frame["gain"] > 0, "gains", "loses")
    frame["verdict"] = np.where(frame["p_holm"] < LEVEL, sign, "not seen")
    return frame


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down correction of several p values, in their order.

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    fixed = np.empty_like(p)
    fixed[order] = np.minimum(steps, 1.0)
    return fixed


def elbows(
    rows: "pd.DataFrame", *, strategy: str = "random", resamples: int = 200, seed: int = 0
) -> "pd.DataFrame":
    """Where the mean learning curve bends, with the spread over people drawn again (bootstrap).

    Returns:
        A row a folding and dimension: share and labels at the elbow (NaN where there is none), low and high
        (the middle 95 % of the shares found among resampled people), found (share of resamples with a bend),
        pool (labels at the end of the curve).
    """
    import pandas as pd

    chosen = by_person(rows)
    chosen = chosen[chosen["strategy"] == strategy]
    lines = []
    for (folding, dimension), part in chosen.groupby(["folding", "dimension"], sort=False):
        table = part.pivot_table(index="person", columns="share", values="rmse")
        labels = part.groupby("share")["labels"].mean().round().astype(int)
        shares, values = table.columns.to_numpy(), table.to_numpy()
        draw = np.random.default_rng(seed)
        picks = [draw.integers(0, len(values), len(values)) for _ in range(resamples)]
        bends = [elbow(labels, values[pick].mean(0)) for pick in picks]
        share_at = dict(zip(labels, shares, strict=True))
        drawn = [share_at[one] for one in bends if one is not None]
        bend = elbow(labels, values.mean(0))
        low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (np.nan, np.nan)
        lines.append(
            {
                "folding": folding, "dimension": dimension, "share": share_at.get(bend, np.nan),
                "labels": np.nan if bend is None else bend, "low": low, "high": high,
                "found": len(drawn) / resamples, "pool": int(labels.iloc[-1]),
            }
        )  # fmt: skip
    return pd.DataFrame(lines)


def elbow_texts(bends: "pd.DataFrame") -> list[str]:
    """The shares of `elbows` in words: "20 % [10, 30]", or "no bend"."""
    texts = []
    for share, low, high in bends[["share", "low", "high"]].to_numpy():
        told = f"{100 * share:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
        texts.append("no bend" if np.isnan(share) else told)
    return texts


def gaps(
    rows: "pd.DataFrame", settings: dict[str, dict[str, object]], pairs: Sequence[tuple[str, str]]
) -> "pd.DataFrame":
    """Differences between named settings, paired over people.

    Args:
        rows: of a study.
        settings: name -> values of some of the columns of `SETTING`, which choose its rows.
        pairs: (one, other) of these names; the difference is rmse of one minus rmse of the other. Folds that
            only one of them has run are left out.

    Returns:
        A row a pair and dimension: one, other, dimension, mean, low, high, p_value, smallest, people.
    """
    import pandas as pd

    runs = ["person", "fold", "seed"]
    squares = rows.assign(rmse=rows["rmse"] ** 2)
    lines = []
    for one, other in pairs:
        for dimension in dict.fromkeys(rows["dimension"]):
            sides = []
            for name in (one, other):
                wanted = settings[name] | {"dimension": dimension}
                mask = np.logical_and.reduce([squares[key] == value for key, value in wanted.items()])
                sides.append(squares[mask].groupby(runs)["rmse"].mean())
            both = pd.concat(sides, axis=1, keys=["a", "b"], join="inner").groupby("person").mean() ** 0.5
            a, b = both["a"], both["b"]
            found = paired_difference(a.to_numpy(), b.to_numpy())
            lines.append(
                {
                    "one": one, "other": other, "dimension": dimension, "mean": found.mean,
                    "low": found.low, "high": found.high, "p_value": found.p_value,
                    "smallest": smallest_effect(a.to_numpy() - b.to_numpy()), "people": found.n,
                }
            )  # fmt: skip
    return pd.DataFrame(lines)


CONDITIONS = {"no transfer": "No transfer", "0 %": "Transfer 0 %", "100 %": "Transfer 100 %"}
"""Conditions of Fig 5 as the paper's table of numbers calls them."""


def result_rows(rows: "pd.DataFrame", *, dataset: str, encoder: str, folding: str) -> list[dict[str, object]]:
    """Result rows of Fig 5, one a person, whose number stands in ``seed``: intervals are over people."""
    from fer_lib import results

    people = by_person(rows)
    people = people[people["condition"].isin(list(CONDITIONS)) & (people["folding"] == folding)]
    number = {name: k for k, name in enumerate(sorted(people["person"].unique()))}
    fields = {"paper": "personalised-transfer", "table": "Fig 5", "dataset": dataset, "encoder": encoder}
    return [
        results.row(
            **fields, row=CONDITIONS[one.condition], column=one.dimension.capitalize(), regime=one.condition,
            metric=f"rmse_{one.dimension}", seed=number[one.person], value=float(one.rmse),
        )
        for one in people.itertuples()
    ]  # fmt: skip
