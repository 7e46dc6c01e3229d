"""The five settings of Face-STN, from the rows of a grid to the tables of the paper (chapter 08)."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.adapt.grid import Cell

if TYPE_CHECKING:
    import pandas as pd

SETTINGS: dict[str, tuple[str, str | None]] = {
    "All layers": ("all", None),
    "Last conv": ("last_conv", None),
    "Decision": ("decision", None),
    "Face-STN": ("decision", "stn"),
    "Scratch": ("scratch", None),
}
"""Name of each setting of Figs 9-11 -> regime and plug-in."""

HEADLINES = {
    "valence_arousal": ("ccc_arousal", "ccc_valence"),
    "distribution": ("accuracy",),
    "categorical": ("accuracy",),
    "multi_label": ("macro_f1",),
}
"""Task -> the metrics that the paper reports."""

SHORT = {"facechannel": "FC", "pk": "PK", "cpc": "CPC"}
CORPORA = {
    "affectnet": "AffectNet",
    "masked_affectnet": "MaskedAffectNet",
    "omg_emotion": "OMG-Emotion",
    "ferplus": "FER+",
    "jaffe": "JAFFE",
    "fabo": "FABO",
    "emoreact": "EmoReact",
    "elderreact": "ElderReact",
}
TRANSFER = tuple(name for name in CORPORA if name != "affectnet")
WORDS = {
    "ccc_arousal": "Arousal",
    "ccc_valence": "Valence",
    "accuracy": "Accuracy",
    "macro_f1": "F1",
}


def cells_of(
    datasets: Iterable[str], encoders: Iterable[str], settings: Iterable[str] = tuple(SETTINGS)
) -> list[Cell]:
    """The cells of some corpora, encoders and settings, each with each.

    Example:
        >>> [cell.regime for cell in cells_of(["world:jaffe"], ["cpc"], ["Face-STN", "Scratch"])]
        ['decision', 'scratch']
    """
    encoders, settings = list(encoders), list(settings)
    return [Cell(d, e, SETTINGS[s][0], SETTINGS[s][1]) for d in datasets for e in encoders for s in settings]


def headline(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Rows of the metrics that the paper reports, with columns setting, corpus and panel (a name to show).

    Rows of cells with options of their own, such as a plug-in without concatenation, are left out.
    """
    if "options" in rows:
        rows = rows[rows["options"] == ""]
    names = {(regime, plug_in or "none"): name for name, (regime, plug_in) in SETTINGS.items()}
    wanted = [metric in HEADLINES[task] for task, metric in zip(rows["task"], rows["metric"], strict=True)]
    kept = rows[wanted].copy()
    pairs = zip(kept["regime"], kept["plug_in"], strict=True)
    kept["setting"] = [names[pair] for pair in pairs]
    kept["corpus"] = kept["dataset"].str.removeprefix("world:")
    kept["panel"] = [
        panel_name(one, metric) for one, metric in zip(kept["corpus"], kept["metric"], strict=True)
    ]
    return kept.reset_index(drop=True)


def panel_name(corpus: str, metric: str) -> str:
    """What a corpus and metric are called together: "OMG-Emotion Valence", "JAFFE"."""
    word = f" {WORDS[metric]}" if metric.startswith("ccc") else ""
    return CORPORA.get(corpus, corpus) + word


def summary(rows: "pd.DataFrame", encoders: Sequence[str]) -> "pd.DataFrame":
    """Mean and interval of every panel, encoder and setting; what was not run has NaN.

    Args:
        rows: of :func:`headline`.
        encoders: that a whole grid would have.

    Returns:
        panel, metric, encoder, setting, mean, low, high, seeds (0: not run).
    """
    import pandas as pd

    from fer_lib.results import summarise

    found = summarise(rows, by=["panel", "metric", "encoder", "setting"])
    panels = rows[["panel", "metric"]].drop_duplicates().itertuples(index=False)
    whole = pd.DataFrame(
        [(p, m, e, s) for p, m in panels for e in encoders for s in SETTINGS],
        columns=["panel", "metric", "encoder", "setting"],
    )
    joined = whole.merge(found, how="left", on=list(whole))
    return joined.assign(seeds=joined["seeds"].fillna(0).astype(int))


def differences(rows: "pd.DataFrame", one: str, other: str) -> "pd.DataFrame":
    """Paired differences over seeds between two settings, for every panel and encoder that has both.

    Returns:
        panel, encoder, mean, low, high, seeds, verdict: "higher", "lower", or "not told apart" where the 95 %
        interval covers 0 (or there is one seed only).
    """
    import pandas as pd

    from fer_lib.metrics import paired_difference

    lines = []
    for (panel, encoder), a, b in _pairs(rows, one, other):
        if len(a) < 2:
            mean, low, high = float(np.mean(a - b)), np.nan, np.nan
        else:
            d = paired_difference(a, b)
            mean, low, high = d.mean, d.low, d.high
        verdict = "higher" if low > 0 else "lower" if high < 0 else "not told apart"
        lines.append((panel, encoder, mean, low, high, len(a), verdict))
    return pd.DataFrame(lines, columns=["panel", "encoder", "mean", "low", "high", "seeds", "verdict"])


def ratios(rows: "pd.DataFrame", one: str = "Face-STN", other: str = "All layers") -> "pd.DataFrame":
    """Relative performance as in Table 4: the mean of one setting over that of another.

    The interval is Fieller's for paired runs: all ratios r for which the mean of a - r b is not told apart
    from 0. It is open, and NaN here, where the lower term itself is not told apart from 0.

    Returns:
        panel, encoder, mean (of the ratio), low, high, seeds.
    """
    import pandas as pd

    lines = [(panel, encoder, *fieller(a, b), len(a)) for (panel, encoder), a, b in _pairs(rows, one, other)]
    return pd.DataFrame(lines, columns=["panel", "encoder", "mean", "low", "high", "seeds"])


def fieller(a: np.ndarray, b: np.ndarray, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """Ratio of two means of paired values, with Fieller's interval.

    Example:
        >>> a, b = np.array([1.9, 2.1, 2.0]), np.array([1.0, 1.1, 0.9])
        >>> [round(value, 2) for value in fieller(a, b)]
        [2.0, 1.64, 2.55]

    Reference:
        Fieller (1954), "Some problems in interval estimation".
    """
    from scipy.special import stdtrit

    a, b = np.asarray(a, float), np.asarray(b, float)
    n, ratio = len(a), float(a.mean() / b.mean())
    if n < 2:
        return ratio, np.nan, np.nan
    (aa, ab), (_, bb) = np.cov(a, b) * stdtrit(n - 1, (1 + confidence) / 2) ** 2 / n
    # a.mean**2 - aa - 2 r (a.mean b.mean - ab) + r**2 (b.mean**2 - bb) <= 0
    square, middle, rest = b.mean() ** 2 - bb, a.mean() * b.mean() - ab, a.mean() ** 2 - aa
    inside = middle**2 - square * rest
    if square <= 0 or inside < 0:
        return ratio, np.nan, np.nan
    ends = sorted((middle + sign * inside**0.5) / square for sign in (-1, 1))
    return ratio, float(ends[0]), float(ends[1])


def _pairs(
    rows: "pd.DataFrame", one: str, other: str
) -> Iterable[tuple[tuple[str, str], np.ndarray, np.ndarray]]:
    """(panel, encoder) and the values of both settings, for the seeds that both ran."""
    for key, part in rows.groupby(["panel", "encoder"], sort=False):
        table = part.pivot(index="seed", columns="setting", values="value")
        if {one, other} <= set(table):
            both = table[[one, other]].dropna()
            if len(both):
                yield key, both[one].to_numpy(float), both[other].to_numpy(float)


def result_rows(rows: "pd.DataFrame") -> list[dict[str, Any]]:
    """Result rows of our Face-STN runs, named and scaled as Tables 1 to 3 print them."""
    from fer_lib import results

    tables = {"omg_emotion": "Table 1", "ferplus": "Table 2", "fabo": "Table 2", "jaffe": "Table 2"}
    tables |= {"emoreact": "Table 3", "elderreact": "Table 3"}
    kept = rows[(rows["setting"] == "Face-STN") & rows["corpus"].isin(tables)]
    made = []
    for one in kept.itertuples():
        ccc = one.metric.startswith("ccc")
        made.append(
            results.row(
                paper="face-stn", table=tables[one.corpus], dataset=one.dataset, encoder=one.encoder,
                row=f"Face-STN ({SHORT[one.encoder]})", regime="face-stn", metric=one.metric, seed=one.seed,
                column=WORDS[one.metric] if ccc else CORPORA[one.corpus], device=one.device,
                value=one.value * (1 if ccc else 100), seconds=one.seconds,
            )
        )  # fmt: skip
    return made


def beside_tables(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Tables 1 to 3 as printed, with our Face-STN runs beside them.

    Args:
        rows: of :func:`headline`.

    Returns:
        table, row, column, mean, low, high, seeds, published; NaN where nothing of ours was run.
    """
    import pandas as pd

    from fer_lib.results import beside_paper, published

    ours = pd.DataFrame(result_rows(rows))
    parts = []
    for name in ("Table 1", "Table 2", "Table 3"):
        mine = ours[ours["table"] == name] if len(ours) else ours
        if len(mine):
            part = beside_paper(mine, paper="face-stn", table=name)
        else:
            part = published("face-stn", name).rename(columns={"value": "published"})
            part = part.assign(mean=np.nan, low=np.nan, high=np.nan, seeds=pd.NA)
        parts.append(part.assign(table=name).astype({"seeds": "Int64"}))
    columns = ["table", "row", "column", "mean", "low", "high", "seeds", "published"]
    return pd.concat(parts, ignore_index=True)[columns]


def share_of_parameters(encoders: Iterable[str] = ("facechannel", "pk", "cpc")) -> "pd.DataFrame":
    """Numbers in a Face-STN and in the encoder it is put behind, both of the paper's size, beside Table 4.

    Returns:
        encoder, plug_in, whole_encoder, share, published (share).
    """
    import pandas as pd

    from fer_lib.adapt.face_stn import face_stn
    from fer_lib.encoders import make_encoder
    from fer_lib.encoders.contract import count_parameters
    from fer_lib.results import published

    table = published("face-stn", "Table 4")
    printed = table[table["metric"] == "relative_parameters"].set_index("encoder")["value"]
    lines = []
    for name in encoders:
        encoder = make_encoder(name)
        mine, whole = count_parameters(face_stn(encoder)), encoder.num_parameters
        lines.append((name, mine, whole, mine / whole, printed.get(name, np.nan)))
    columns = ["encoder", "plug_in", "whole_encoder", "share", "published"]
    return pd.DataFrame(lines, columns=columns)


def table_4(rows: "pd.DataFrame", encoders: Sequence[str]) -> "pd.DataFrame":
    """Table 4 as printed, and ours beside it: one row a panel, two columns an encoder.

    Returns:
        dataset, and for every encoder "FC" (ratio with its interval, as text) and "FC paper".
    """
    import pandas as pd

    from fer_lib.results import published

    ours = ratios(rows).set_index(["panel", "encoder"])
    table = published("face-stn", "Table 4")
    printed = table[table["dataset"] != ""].set_index(["row", "encoder"])["value"]
    lines = []
    for panel in dict.fromkeys(table.loc[table["dataset"] != "", "row"]):
        line: dict[str, Any] = {"dataset": panel}
        for name in encoders:
            line[SHORT[name]] = _told(ours.loc[(panel, name)]) if (panel, name) in ours.index else ""
            line[f"{SHORT[name]} paper"] = printed[panel, name]
        lines.append(line)
    return pd.DataFrame(lines)


def _told(found: "pd.Series") -> str:
    if np.isnan(found["low"]):
        return f"{found['mean']:.2f} [open]"
    return f"{found['mean']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"
