"""One decision layer on each of several encoders: Fig. 8 of Face-STN and what is said of it (chapter 06)."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fer_lib.adapt.grid import Cell, Plan, run_grid
from fer_lib.metrics import paired_difference

if TYPE_CHECKING:
    import pandas as pd


def encoder_cells(dataset: str, **changes: Any) -> dict[str, Cell]:
    """The places of Fig. 8, each a decision layer on one frozen encoder.

    Args:
        dataset: with valence and arousal; encoders and decision layers learn from it.
        **changes: entries of CPC's recipe, such as ``positives="label"``.

    Returns:
        Cells for "facechannel", "pk", "cpc" and "untrained", which is a CPC with its first weights.

    Example:
        >>> [cell.encoder for cell in encoder_cells("world:affectnet").values()]
        ['facechannel', 'pk', 'cpc', 'cpc']
    """
    ways: dict[str, dict[str, Any]] = {
        "facechannel": {}, "pk": {}, "cpc": changes, "untrained": {"epochs": 0},
    }  # fmt: skip
    return {
        name: Cell(
            dataset, "cpc" if name == "untrained" else name, task="valence_arousal",
            recipe=tuple(entries.items()),
        )
        for name, entries in ways.items()
    }  # fmt: skip


def decision_runs(cells: Mapping[str, Cell], seeds: Iterable[int], plan: Plan) -> "pd.DataFrame":
    """Train and test the decision layer of each cell with each seed; finished runs are read, not run.

    Args:
        cells: by name, see :func:`encoder_cells`.
        seeds: of the decision layers; distinct.
        plan: what all share, see ``fer_lib.adapt.grid``.

    Returns:
        The rows of ``fer_lib.adapt.run_grid``, where the column encoder holds the cell's name.
    """
    seeds = list(seeds)
    rows = run_grid(cells.values(), seeds, plan)
    each = len(rows) // len(cells)  # as many metrics of each run, in the order of the cells
    return rows.assign(encoder=[name for name in cells for _ in range(each)])


def encoder_claims(rows: "pd.DataFrame", *, near: float = 0.1) -> "pd.DataFrame":
    """What Face-STN's section V.A says of its Fig. 8, checked with pairs of runs of one seed.

    Args:
        rows: encoder ("facechannel", "pk", "cpc"), seed, metric ("ccc_valence", "ccc_arousal"), value.
        near: how far apart encoders may be to count as similar, in units of CCC.

    Returns:
        claim, mean, low, high (95 %, over seeds) of the difference that decides, and verdict: "holds", "does
        not hold", "open" where the interval allows both. The best of an encoder is tested against the better
        of the others; similarity by the pair that is farthest apart. Claims without runs are left out.
    """
    import pandas as pd

    lines = []
    pairs = {"ccc_valence": "facechannel", "ccc_arousal": "cpc"}
    gaps = []
    for metric, named in pairs.items():
        part = rows[rows["metric"] == metric]
        table = part.pivot_table(index="seed", columns="encoder", values="value")
        if named not in table or table.shape[1] < 2 or len(table) < 2:
            continue
        others = table.drop(columns=named)
        d = paired_difference(table[named], others[others.mean().idxmax()])
        verdict = "holds" if d.low > 0 else "does not hold" if d.high < 0 else "open"
        title = {"facechannel": "FaceChannel", "cpc": "CPC"}[named]
        what = metric.removeprefix("ccc_")
        lines.append((f"{title} reads {what} best", d.mean, d.low, d.high, verdict))
        order = table.mean().sort_values().index
        gaps.append(paired_difference(table[order[-1]], table[order[0]]))
    if gaps:
        d = max(gaps, key=lambda gap: gap.mean)
        verdict = "holds" if d.high < near else "does not hold" if d.low > near else "open"
        lines.append((f"all are similar (within {near:g})", d.mean, d.low, d.high, verdict))
    return pd.DataFrame(lines, columns=["claim", "mean", "low", "high", "verdict"])
