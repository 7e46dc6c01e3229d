"""Our networks, the yardstick without a network, and the papers' numbers, in one frame."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.train.comparison import Comparison

LABELS = {
    "ccc_valence": "CCC of valence",
    "ccc_arousal": "CCC of arousal",
    "accuracy": "accuracy",
    "mean_class_accuracy": "mean class accuracy",
    "happy_neutral": "happy or neutral",
    "four_classes": "four classes",
    "macro_f1": "macro F1",
}
"""Names for the page, by the metrics of :func:`fer_lib.train.evaluate`."""

YARDSTICK = "gradient histograms"


def scoreboard(runs: "Comparison", yardstick: dict[str, float], *, dataset: str) -> "pd.DataFrame":
    """Means over seeds, the yardstick's scores, and what the Face-STN paper prints for the corpus.

    Args:
        runs: of our networks.
        yardstick: metrics of :func:`fer_lib.train.baseline.histogram_baseline`.
        dataset: name of the corpus, or of its world, beside which the corpus's numbers are set.

    Returns:
        A row a network and metric: model, metric (in words), mean, low, high, seeds, published.
    """
    import pandas as pd

    ours = runs.summary()
    order = list(dict.fromkeys(ours["metric"]))
    plain = [{"model": YARDSTICK, "metric": name, "mean": yardstick[name], "seeds": 1} for name in order]
    rows = pd.concat([ours, pd.DataFrame(plain), printed(dataset)], ignore_index=True)
    rows = rows[rows["metric"].isin(order)].reindex(columns=[*ours.columns, "published"])
    rows["seeds"] = rows["seeds"].astype("Int64")
    place = {name: k for k, name in enumerate(order)}
    rows = rows.sort_values("metric", key=lambda names: names.map(place), kind="stable", ignore_index=True)
    return rows.assign(metric=rows["metric"].map(LABELS))


def printed(dataset: str) -> "pd.DataFrame":
    """What the Face-STN paper prints for a corpus as a whole (Fig 8, Table 2): model, metric, published.

    Example:
        >>> printed("world:affectnet").values.tolist()
        [['FaceChannel (Fig 8)', 'ccc_valence', 0.46], ['CPC (Fig 8)', 'ccc_arousal', 0.63]]
    """
    from fer_lib.results import published

    numbers = published("face-stn")
    numbers = numbers[numbers["table"].isin(["Fig 8", "Table 2"])]
    numbers = numbers[numbers["dataset"] == dataset.removeprefix("world:")]
    share = numbers["unit"].eq("%").map({True: 0.01, False: 1.0})
    return numbers.assign(
        model=numbers["row"] + " (" + numbers["table"] + ")", published=numbers["value"] * share
    )[["model", "metric", "published"]].reset_index(drop=True)


def bars_of(board: "pd.DataFrame") -> "pd.DataFrame":
    """Rows of a scoreboard for bars: ours and the yardstick, with the paper's best number for each metric.

    The number goes to the bar of our first model, whichever network of the paper it belongs to.
    """
    ours = board[board["mean"].notna()].copy()
    best = board.groupby("metric")["published"].max()
    ours["published"] = ours["metric"].map(best).where(ours["model"] == ours["model"].iloc[0])
    return ours


def rows_for_results(runs: "Comparison", *, dataset: str, encoder: str) -> list[dict[str, Any]]:
    """Result rows of a comparison; the regime is "scratch, " and the model's name."""
    from fer_lib.results import row

    columns = ["model", "seed", "metric", "value", "seconds", "device"]
    return [
        row(
            paper="face-stn",
            table="Fig 8" if metric.startswith("ccc") else "",
            row="FaceChannel",
            column=metric.removeprefix("ccc_").capitalize() if metric.startswith("ccc") else metric,
            dataset=dataset,
            encoder=encoder,
            regime=f"scratch, {model}",
            metric=metric,
            seed=seed,
            value=value,
            seconds=seconds,
            device=device,
        )
        for model, seed, metric, value, seconds, device in runs.rows[columns].itertuples(index=False)
    ]
