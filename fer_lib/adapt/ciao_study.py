"""The experiment of CIAO's paper: label sets, encoders and regimes, and what its claims come to here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from fer_lib.adapt.grid import Cell

if TYPE_CHECKING:
    import pandas as pd

ENCODERS = {"vggface": "VGG", "pk": "PK"}
REGIMES = {"all": "Full", "last_conv": "LC", "decision": "DL"}
Recipes = Mapping[str, tuple[tuple[str, Any], ...]]
RECIPES: Recipes = {"pk": (("d_em", False),)}
"""Entries of an encoder's recipe that differ here: CIAO's PK is trained without the affect critic."""
PLUG_INS = (None, "ciao")


@dataclass(frozen=True)
class LabelSet:
    """A corpus read for one task.

    Args:
        corpus: its name.
        task: what its labels are read as.
        columns: metric to the head of its columns in the paper's Table I.
    """

    corpus: str
    task: str
    columns: dict[str, str]


LABEL_SETS = {
    "AffectNet, values": LabelSet(
        "affectnet",
        "valence_arousal",
        {"ccc_arousal": "AffectNet Arousal", "ccc_valence": "AffectNet Valence"},
    ),
    "AffectNet, classes": LabelSet("affectnet", "categorical", {"accuracy": "AffectNet Accuracy"}),
    "FER": LabelSet("fer2013", "categorical", {"accuracy": "FER"}),
    "FER+": LabelSet("ferplus", "distribution", {"accuracy": "FER+"}),
    "JAFFE": LabelSet("jaffe", "categorical", {"accuracy": "JAFFE"}),
    "EmoReact": LabelSet("emoreact", "multi_label", {"macro_f1": "EmoReact"}),
}
"""The six label sets of the paper, by the names that it uses."""


def cells_of(
    names: Iterable[str],
    encoders: Iterable[str],
    regimes: Iterable[str],
    *,
    plug_ins: Iterable[str | None] = PLUG_INS,
    real: bool = False,
    options: tuple[tuple[str, Any], ...] = (),
    recipes: Recipes = RECIPES,
) -> list[Cell]:
    """Cells of the paper's grid: every combination, plain and with CIAO.

    Args:
        names: keys of `LABEL_SETS`.
        encoders: keys of `ENCODERS`.
        regimes: keys of `REGIMES`.
        plug_ins: with which plug-ins.
        real: take the corpora themselves instead of the worlds that stand in for them.
        options: of CIAO, as pairs; cells without a plug-in have none.
        recipes: encoder to the entries of its recipe that differ from its own chapter's.

    Raises:
        ValueError: a name that is not in the paper's grid.

    Example:
        >>> len(cells_of(LABEL_SETS, ENCODERS, REGIMES))  # 6 label sets, 2 encoders, 3 regimes, 2
        72
    """
    names, encoders, regimes = list(names), list(encoders), list(regimes)
    plug_ins = list(plug_ins)
    for given, known in ((names, LABEL_SETS), (encoders, ENCODERS), (regimes, REGIMES)):
        for name in given:
            if name not in known:
                raise ValueError(
                    f"cells must be among {', '.join(known)}; got {name!r}. Choose one of these."
                )
    cells = []
    for name, encoder, regime, plug in product(names, encoders, regimes, plug_ins):
        chosen = LABEL_SETS[name]
        cells.append(
            Cell(
                dataset=chosen.corpus if real else f"world:{chosen.corpus}",
                encoder=encoder,
                regime=regime,
                plug_in=plug,
                task=chosen.task,
                recipe=recipes.get(encoder, ()),
                options=() if plug is None else options,
            )
        )
    return cells


def of_the_paper(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Keep the paper's metrics of a grid's rows, and say which label set each row is of.

    Args:
        rows: from ``fer_lib.adapt.run_grid``.

    Returns:
        The rows with the columns labels (key of `LABEL_SETS`) and setting ("decision" or "decision+ciao").
    """
    import pandas as pd

    parts = []
    for name, chosen in LABEL_SETS.items():
        corpus = rows["dataset"].str.removeprefix("world:") == chosen.corpus
        kept = rows[corpus & (rows["task"] == chosen.task) & rows["metric"].isin(chosen.columns)]
        parts.append(kept.assign(labels=name))
    found = pd.concat(parts, ignore_index=True)
    added = ["" if name == "none" else f"+{name}" for name in found["plug_in"]]
    return found.assign(setting=found["regime"] + added)


def differences(rows: "pd.DataFrame", better: str, than: str, *, confidence: float = 0.95) -> "pd.DataFrame":
    """Paired differences between two settings, seed by seed, for every label set, encoder and metric.

    Args:
        rows: from :func:`of_the_paper`.
        better: a setting, such as "decision+ciao".
        than: the setting that it is compared with.
        confidence: of the intervals.

    Returns:
        labels, encoder, metric, mean (better - than), low, high, seeds; in the order of the rows.
        Empty where no label set was run with both.
    """
    import pandas as pd

    from fer_lib.metrics import paired_difference

    lines = []
    for (labels, encoder, metric), part in rows.groupby(["labels", "encoder", "metric"], sort=False):
        table = part.pivot(index="seed", columns="setting", values="value")
        if not {better, than} <= set(table):
            continue
        pairs = table[[better, than]].dropna()
        if len(pairs) > 1:
            found = paired_difference(pairs[better], pairs[than], confidence=confidence)
            lines.append((labels, encoder, metric, found.mean, found.low, found.high, found.n))
    return pd.DataFrame(lines, columns=["labels", "encoder", "metric", "mean", "low", "high", "seeds"])


CLAIMS: tuple[tuple[str, str, Sequence[tuple[str, str]], float], ...] = (
    ("CIAO improves the decision-only regime on every corpus", "above", [("decision+ciao", "decision")], 0.0),
    ("decision layer with CIAO comes close to full retraining", "near", [("decision+ciao", "all")], 0.03),
    (
        "full retraining with CIAO is best of all",
        "above",
        [
            ("all+ciao", other)
            for other in ("all", "last_conv+ciao", "last_conv", "decision+ciao", "decision")
        ],
        0.0,
    ),
)
"""Sentence, kind, pairs of settings and margin. "above": each difference must be above 0; "near": the first
setting may lie at most the margin below the second, where that is above the plain decision layer at all."""


def judge(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Which of the paper's `CLAIMS` hold in our runs, from paired differences with 95 % intervals.

    Of each claim every comparison (label set, encoder, metric, pair of settings) is in favour of it, against
    it, or open: its interval lies on the claim's side of the margin, on the other, or on both. "Near" is
    asked only where the goal beats the plain decision layer: everything is near to one that learned nothing.

    Args:
        rows: from :func:`of_the_paper`.

    Returns:
        claim, comparisons, in_favour, against, open, verdict: "holds" when all are in favour, "does not hold"
        when one is against, "open" else, "not run" without one; and strict, the verdict of 99 % intervals.
    """
    import pandas as pd

    lines = []
    for sentence, kind, pairs, margin in CLAIMS:
        counts = [_count(rows, kind, pairs, margin, confidence) for confidence in (0.95, 0.99)]
        usual, strict = counts
        lines.append((sentence, sum(usual), *usual, _verdict(*usual), _verdict(*strict)))
    columns = ["claim", "comparisons", "in_favour", "against", "open", "verdict", "strict"]
    return pd.DataFrame(lines, columns=columns)


def _count(
    rows: "pd.DataFrame", kind: str, pairs: Sequence[tuple[str, str]], margin: float, confidence: float
) -> tuple[int, int, int]:
    """Comparisons in favour of a claim, against it, and open."""
    import pandas as pd

    found = pd.concat([differences(rows, *pair, confidence=confidence) for pair in pairs], ignore_index=True)
    found = _worth_reaching(rows, found, pairs[0][1]) if kind == "near" else found
    bar = -margin if kind == "near" else 0.0
    yes, no = int((found["low"] > bar).sum()), int((found["high"] < bar).sum())
    return yes, no, len(found) - yes - no


def _verdict(yes: int, no: int, undecided: int) -> str:
    if not yes + no + undecided:
        return "not run"
    return "does not hold" if no else "open" if undecided else "holds"


def in_words(verdict: str, strict: str) -> str:
    """A verdict, and whether it hangs on a thread: intervals of 99 % instead of 95 % would change it.

    Example:
        >>> in_words("holds", "open"), in_words("open", "open")
        ('holds, by a thread: open at 99 %', 'open')
    """
    return verdict if verdict == strict else f"{verdict}, by a thread: {strict} at 99 %"


def _worth_reaching(rows: "pd.DataFrame", found: "pd.DataFrame", goal: str) -> "pd.DataFrame":
    """Leave out comparisons whose goal is no better than the plain decision layer: all are near to that."""
    places = ["labels", "encoder", "metric"]
    above = differences(rows, goal, "decision")
    return found.merge(above.loc[above["low"] > 0, places], on=places)


def published_gains(regime: str = "decision") -> "pd.DataFrame":
    """What CIAO adds in a regime in the paper's Table I: encoder, name (head of the column), value.

    Accuracies as shares, so that they compare with differences of ours.

    Example:
        >>> published_gains().round(2).head(2).values.tolist()
        [['vggface', 'AffectNet Arousal', 0.18], ['pk', 'AffectNet Arousal', 0.25]]
    """
    from fer_lib.results import published

    table = published("ciao", "Table I")
    table["value"] /= table["unit"].map({"%": 100}).fillna(1)
    table["name"] = table["column"].str.rsplit(", ", n=1).str[0]
    wide = table.pivot_table(index=["name", "encoder"], columns="regime", values="value", sort=False)
    gains = (wide[f"{regime}+ciao"] - wide[regime]).rename("value").reset_index()
    return gains[["encoder", "name", "value"]]
