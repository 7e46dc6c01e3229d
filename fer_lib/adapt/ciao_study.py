"""The experiment of CIAO's paper: label sets, encoders and regimes, and what its claims come to here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from fer_lib.adapt.grid import Cell

if TYPE_CHECKING:
    import pandas as pd

PAPER, TABLE = "ciao", "Table I"
ENCODERS = {"vggface": "VGG", "pk": "PK"}
REGIMES = {"all": "Full", "last_conv": "LC", "decision": "DL"}
RECIPES: dict[str, tuple[tuple[str, Any], ...]] = {"pk": (("d_em", False),)}
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
) -> list[Cell]:
    """Cells of the paper's grid: every combination, plain and with CIAO.

    Args:
        names: keys of `LABEL_SETS`.
        encoders: keys of `ENCODERS`.
        regimes: keys of `REGIMES`.
        plug_ins: with which plug-ins.
        real: take the corpora themselves instead of the worlds that stand in for them.
        options: of CIAO, as pairs; cells without a plug-in have none.

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
                recipe=RECIPES.get(encoder, ()),
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
    return found.assign(setting=found["regime"] + found["plug_in"].map({"ciao": "+ciao"}).fillna(""))


def result_rows(rows: "pd.DataFrame") -> "pd.DataFrame":
    """The runs as result rows in the unit of the paper's Table I (accuracies in per cent).

    Args:
        rows: from :func:`of_the_paper`.

    Returns:
        Rows for ``fer_lib.results.beside_paper(..., paper="ciao", table="Table I")``.
    """
    import pandas as pd

    from fer_lib.results import row

    lines = []
    for one in rows.itertuples():
        head = LABEL_SETS[str(one.labels)].columns[str(one.metric)]
        lines.append(row(
            paper=PAPER, table=TABLE, row=f"{ENCODERS[one.encoder]} {REGIMES[one.regime]}",
            column=f"{head}, {'CIAO' if one.plug_in == 'ciao' else 'plain'}", dataset=one.dataset,
            encoder=one.encoder, regime=one.setting, metric=one.metric, seed=one.seed,
            value=one.value * (100 if one.metric == "accuracy" else 1), device=one.device,
            seconds=one.seconds,
        ))  # fmt: skip
    return pd.DataFrame(lines)


def table_one(rows: "pd.DataFrame") -> "pd.DataFrame":
    """The paper's Table I with ours beside it: a row a corpus, metric, encoder and regime.

    Args:
        rows: from :func:`of_the_paper`.

    Returns:
        Texts in the paper's units: data, trained ("VGG DL"), plain and CIAO as "mean [low, high]" over our
        seeds ("" where not run), each with what the paper prints; and note, where that is doubtful.
    """
    import pandas as pd

    from fer_lib.results import beside_paper

    both = beside_paper(result_rows(rows), paper=PAPER, table=TABLE)
    both[["data", "kind"]] = both["column"].str.rsplit(", ", n=1, expand=True)
    lines = []
    for (data, trained), part in both.groupby(["data", "row"], sort=False):
        line = {"data": data, "trained": trained}
        for kind in ("plain", "CIAO"):
            one = part[part["kind"] == kind].iloc[0]
            digits = 1 if one["unit"] == "%" else 2
            line |= {kind: _interval(one, digits), f"{kind}, paper": f"{one['published']:.{digits}f}"}
        lines.append(line | {"note": "misprint?" if part["note"].str.contains("misprint").any() else ""})
    return pd.DataFrame(lines)


def _interval(one: Any, digits: int) -> str:
    if one["mean"] != one["mean"]:
        return ""
    ends = "" if one["low"] != one["low"] else f" [{one['low']:.{digits}f}, {one['high']:.{digits}f}]"
    return f"{one['mean']:.{digits}f}{ends}"


TABLE_TWO = {
    ("vggface", "all+ciao"): "V_CIAO",
    ("vggface", "decision+ciao"): "V_DL_CIAO",
    ("pk", "all+ciao"): "PK_CIAO",
    ("pk", "decision+ciao"): "PKDL_CIAO",
}
"""Encoder and setting -> row of the paper's Table II."""


def table_two(rows: "pd.DataFrame") -> "pd.DataFrame":
    """The paper's Table II: its comparison with the works of others, with our runs of its own rows.

    Args:
        rows: from :func:`of_the_paper`.

    Returns:
        column, row, mean, low, high, seeds, published: of the numbers that are printed, none else.
    """
    import pandas as pd

    from fer_lib.results import beside_paper, published

    heads = {"AffectNet Arousal": "AffectNet A", "AffectNet Valence": "AffectNet V"}
    heads |= {"AffectNet Accuracy": "AffectNet Acc"}
    ours = result_rows(rows)
    ours["column"] = ours["column"].str.rsplit(", ", n=1).str[0].replace(heads)
    pairs = list(zip(ours["encoder"], ours["regime"], strict=True))
    ours["row"] = [TABLE_TWO.get(pair, "") for pair in pairs]
    printed = published(PAPER, "Table II")[["row", "column"]]
    ours = ours.drop(columns="table").merge(printed, on=["row", "column"]).assign(table="Table II")
    if ours.empty:
        return printed.assign(
            mean=float("nan"), low=float("nan"), high=float("nan"), seeds=pd.NA,
            published=published(PAPER, "Table II")["value"],
        )[["column", "row", "mean", "low", "high", "seeds", "published"]]  # fmt: skip
    both = beside_paper(ours, paper=PAPER, table="Table II")
    return both[["column", "row", "mean", "low", "high", "seeds", "published"]]


def differences(rows: "pd.DataFrame", better: str, than: str) -> "pd.DataFrame":
    """Paired differences between two settings, seed by seed, for every label set, encoder and metric.

    Args:
        rows: from :func:`of_the_paper`.
        better: a setting, such as "decision+ciao".
        than: the setting that it is compared with.

    Returns:
        labels, encoder, metric, mean (better - than), low, high (95 %), seeds; in the order of the rows.
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
            found = paired_difference(pairs[better], pairs[than])
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
setting may lie at most the margin below the second."""


def judge(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Which of the paper's `CLAIMS` hold in our runs, from paired differences with 95 % intervals.

    Of each claim every comparison (label set, encoder, metric, pair of settings) is in favour of it, against
    it, or open: its interval lies on the claim's side of the margin, on the other, or on both.

    Args:
        rows: from :func:`of_the_paper`.

    Returns:
        claim, comparisons, in_favour, against, open, verdict: "holds" when all are in favour, "does not hold"
        when one is against, "open" else, "not run" without a comparison.
    """
    import pandas as pd

    lines = []
    for sentence, kind, pairs, margin in CLAIMS:
        found = pd.concat([differences(rows, *pair) for pair in pairs], ignore_index=True)
        bar = -margin if kind == "near" else 0.0
        yes, no = int((found["low"] > bar).sum()), int((found["high"] < bar).sum())
        undecided = len(found) - yes - no
        verdict = "does not hold" if no else "open" if undecided else "holds"
        verdict = verdict if len(found) else "not run"
        lines.append((sentence, len(found), yes, no, undecided, verdict))
    return pd.DataFrame(lines, columns=["claim", "comparisons", "in_favour", "against", "open", "verdict"])
