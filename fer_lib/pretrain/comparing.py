"""One decision layer on each of several encoders: Fig. 8 of Face-STN and what is said of it (chapter 06)."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fer_lib.adapt.adapting import adapt
from fer_lib.encoders.contract import Encoder
from fer_lib.metrics import paired_difference

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.train.parts import Parts


def decision_runs(
    encoders: Mapping[str, Encoder], parts: "Parts", seeds: Iterable[int], *, epochs: int
) -> "pd.DataFrame":
    """Train a decision layer on each frozen encoder and test it.

    Args:
        encoders: by name.
        parts: sets to learn from, to choose the epoch by, and to report on.
        seeds: of the decision layers; distinct.
        epochs: of each training.

    Returns:
        The rows of ``fer_lib.adapt.adapt`` with the column encoder.
    """
    import pandas as pd

    seeds, pieces = list(seeds), []
    for name, encoder in encoders.items():
        done = adapt(encoder, parts.train, parts.validation, test=parts.test, seeds=seeds, epochs=epochs)
        pieces.append(done.rows.assign(encoder=name))
    return pd.concat(pieces, ignore_index=True)


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
