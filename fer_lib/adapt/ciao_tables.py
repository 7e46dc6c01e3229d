"""CIAO's Tables I and II with our runs beside them (chapter 09)."""

from typing import TYPE_CHECKING, Any

from fer_lib.adapt.ciao_study import ENCODERS, LABEL_SETS, REGIMES

if TYPE_CHECKING:
    import pandas as pd

PAPER, TABLE = "ciao", "Table I"


def result_rows(rows: "pd.DataFrame") -> "pd.DataFrame":
    """The runs as result rows in the unit of the paper's Table I (accuracies in per cent).

    Args:
        rows: from ``fer_lib.adapt.ciao_study.of_the_paper``.

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
        rows: from ``fer_lib.adapt.ciao_study.of_the_paper``.

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


STEPS = {
    "squashing, untrained": ("decision+squash", "decision"),
    "learning": ("decision+ciao", "decision+squash"),
    "both": ("decision+ciao", "decision"),
}
"""What CIAO adds to a plain decision layer, in two steps."""


def steps_of_the_gain(rows: "pd.DataFrame") -> "pd.DataFrame":
    """How much of CIAO's gain the squashing brings that it starts with, and how much its training.

    Args:
        rows: from ``fer_lib.adapt.ciao_study.of_the_paper``, of ``ciao_plans.controls``.

    Returns:
        data, and for each of `STEPS` mean, low and high of the paired differences, such as "learning",
        "learning_low" and "learning_high"; accuracies as shares.
    """
    from fer_lib.adapt.ciao_study import differences

    places = ["labels", "encoder", "metric"]
    table = None
    for name, pair in STEPS.items():
        found = differences(rows, *pair)[[*places, "mean", "low", "high"]]
        found = found.rename(columns={"mean": name, "low": f"{name}_low", "high": f"{name}_high"})
        table = found if table is None else table.merge(found, on=places)
    assert table is not None
    heads = [LABEL_SETS[one.labels].columns[one.metric] for one in table.itertuples()]
    table.insert(0, "data", [f"{h}, {ENCODERS[e]}" for h, e in zip(heads, table["encoder"], strict=True)])
    return table.drop(columns=places)


def step_texts(steps: "pd.DataFrame") -> "pd.DataFrame":
    """What :func:`steps_of_the_gain` gives, as texts: "+0.100 [+0.075, +0.125]"."""
    import pandas as pd

    columns = {"data": steps["data"]}
    for name in STEPS:
        ends = steps[[name, f"{name}_low", f"{name}_high"]].itertuples(index=False)
        columns[name] = [f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]" for mean, low, high in ends]
    return pd.DataFrame(columns)


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
        rows: from ``fer_lib.adapt.ciao_study.of_the_paper``.

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
