"""Our numbers beside those that the paper of the affective memory prints (chapter 10)."""

from typing import TYPE_CHECKING, Any

from fer_lib.memory.films import AXES
from fer_lib.memory.scoring import PRIOR
from fer_lib.pretrain import ablation
from fer_lib.pretrain.keep import recipe_of

if TYPE_CHECKING:
    import pandas as pd

OWN = {PRIOR: "PK all, this page's", "memory": "P-AffMem"}
"""Our settings that the tables call otherwise; only the second is in the paper."""


def named(found: "pd.DataFrame") -> "pd.DataFrame":
    """Scores with the tables' names of our settings."""
    return found.assign(setting=found["setting"].replace(OWN))


def beside(found: "pd.DataFrame", *, table: str) -> "pd.DataFrame":
    """Our CCCs beside a table of the paper, one row a model; this page's prior has one more.

    Args:
        found: setting, axis, mean, low, high, as :func:`scores` gives them; further settings are left out.
        table: "Table 2" or "Table 3" of P-AffMem.

    Returns:
        model, and for arousal and valence ours (with its interval, in words) and the paper's.
    """
    import pandas as pd

    theirs = _published(table)
    ours = {(line["setting"], line["axis"]): line for line in named(found).to_dict("records")}
    models = list(dict.fromkeys(row for row, _ in theirs))
    models.insert(models.index("PK all") + 1, OWN[PRIOR])
    lines = []
    for model in models:
        line: dict[str, Any] = {"model": model}
        for axis in ("arousal", "valence"):
            own = ours.get((model, axis))
            told = "" if own is None else f"{own['mean']:.2f} [{own['low']:.2f}, {own['high']:.2f}]"
            line |= {axis: told, f"{axis}, paper": theirs.get((model, axis.capitalize()), float("nan"))}
        lines.append(line)
    return pd.DataFrame(lines)


def same_order(found: "pd.DataFrame", *, table: str) -> dict[str, float]:
    """Rank correlation (Spearman) of our CCCs of the eight autoencoders with the paper's, by axis.

    Args:
        found: scores of all eight.
        table: "Table 2" or "Table 3" of P-AffMem.
    """
    from scipy.stats import spearmanr

    theirs, ours = _published(table), found.set_index(["setting", "axis"])["mean"]
    pairs = {
        axis: [(ours[name, axis], theirs[name, axis.capitalize()]) for name in ablation.variants()]
        for axis in AXES
    }
    return {axis: float(spearmanr(both).statistic) for axis, both in pairs.items()}


def size_of(profile: str) -> str:
    """How large the eight autoencoders are in a profile, in words.

    Example:
        >>> size_of("quick")
        '32 pixels, 900 faces, 3 epochs'
    """
    recipe = recipe_of("pk", profile, **ablation.changes(profile))
    faces = "all" if recipe["faces"] is None else recipe["faces"]
    epochs = recipe["epochs"]
    return f"{recipe['size']} pixels, {faces} faces, {epochs} epoch{'s' if epochs > 1 else ''}"


def result_rows(found: "pd.DataFrame", table: str, dataset: str, profile: str) -> list[dict[str, object]]:
    """Scores as rows of ``fer_lib.results``: a table of P-AffMem, pooled over seeds."""
    from fer_lib import results

    return [
        results.row(
            paper="p-affmem", table=table, row=line["setting"], column=line["axis"].capitalize(),
            dataset=dataset, encoder="pk", regime="online" if table == "Table 3" else "all",
            metric=f"ccc_{line['axis']}", value=line["mean"], profile=profile,
        )
        for line in named(found).to_dict("records")
    ]  # fmt: skip


def _published(table: str) -> dict[tuple[str, str], float]:
    from fer_lib.results import published

    theirs = published("p-affmem", table)
    places = zip(theirs["row"], theirs["column"], strict=True)
    return dict(zip(places, theirs["value"].astype(float), strict=True))
