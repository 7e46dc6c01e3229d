"""What each regime costs and what it gives, corpus by corpus; and what the paper says of it (chapter 07)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib.adapt.adapting import RATES
from fer_lib.adapt.comparing import CORPORA, HEADLINES
from fer_lib.adapt.frozen import VIEWS
from fer_lib.adapt.grid import Cell, Plan, run_grid
from fer_lib.datasets import describe
from fer_lib.encoders.contract import Encoder, count_parameters
from fer_lib.heads import Decision, DenseHead, SequenceHead, decision_for
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

NAMES = {"all": "All layers", "last_conv": "Last conv", "decision": "Decision", "scratch": "Scratch"}
"""Regime -> its name in the paper's figures."""

WAYS = ("as they are", "4 cached views", "new in every epoch")
"""How the faces are changed while a decision layer learns."""


@dataclass(frozen=True)
class Claim:
    """What the paper says of a regime: that it is the best, or the worst, on some corpora."""

    regime: str
    best: bool
    corpora: tuple[str, ...]

    @property
    def text(self) -> str:
        """In words."""
        return f"{NAMES[self.regime]}: {'best' if self.best else 'worst'} of the four"


SETTINGS = {name: Settings(batch_size=16, learning_rate=RATES[name]) for name in NAMES}
"""Small batches: a corpus of a hundred faces gives few steps an epoch."""

CLAIMS = (
    Claim("all", True, tuple(name for name in CORPORA if name != "affectnet")),
    Claim("decision", False, ("masked_affectnet", "emoreact", "elderreact")),
    Claim("scratch", False, ("omg_emotion",)),
)
"""Barros and Sciutti (2022), sections V.B and VI.A."""


def corpus_of(dataset: str) -> str:
    """Name of a corpus, whether it or its world is given."""
    return dataset.removeprefix("world:")


def shape_for(dataset: str, encoder: str = "facechannel", *, length: int | None = None) -> Decision:
    """The decision layer of Table 6 by its shape alone: optimiser and rate are left to the training.

    Args:
        dataset: a corpus or a world; one that the table lacks gets a dense layer of 64 units.
        encoder: column of the table.
        length: at most so many frames of a clip; None for the table's.
    """
    try:
        printed = decision_for(dataset, encoder)
    except ValueError:
        return Decision()
    frames = printed.length if length is None else min(length, printed.length)
    return replace(printed, optimizer=None, learning_rate=None, temperature=None, length=frames)


def plan_for(plan: Plan, dataset: str, *, root: str = "", length: int | None = None) -> Plan:
    """The plan of one corpus: its decision layer, its folder, and pictures enough for its clips.

    Args:
        plan: what all corpora share. Its limits count single pictures; of clips, which have a few pictures
            each and one label, twice as many are taken.
        dataset: world or corpus.
        root: its folder, for a corpus.
        length: see :func:`shape_for`.
    """
    head = shape_for(dataset, length=length)
    limits = plan.limits
    if head.gru and describe(dataset).unit == "sequence":
        limits = (limits[0] and 2 * limits[0], limits[1] and 2 * limits[1])
    return replace(plan, decision=head, root=root, limits=limits)


def regime_rows(
    plans: Mapping[str, Plan], seeds: Sequence[int], *, regimes: Sequence[str] = tuple(NAMES)
) -> "pd.DataFrame":
    """Adapt an encoder to several corpora by several regimes, each with the decision layer of its corpus.

    Args:
        plans: world or corpus to its plan, see :func:`plan_for`.
        seeds: of the runs.
        regimes: see `fer_lib.adapt.REGIMES`.

    Returns:
        One row a run, see :func:`scores`.
    """
    import pandas as pd

    found = [
        run_grid([Cell(name, regime=regime) for regime in regimes], seeds, plan)
        for name, plan in plans.items()
    ]
    return scores(pd.concat(found, ignore_index=True))


def scores(rows: "pd.DataFrame") -> "pd.DataFrame":
    """One number a run: accuracy, macro F1, or the mean of the CCCs of valence and arousal.

    Args:
        rows: of :func:`fer_lib.adapt.run_grid`.

    Returns:
        dataset, corpus, encoder, regime, plug_in, seed, task, score, trained, seconds, device.
    """
    wanted = [metric in HEADLINES[task] for task, metric in zip(rows["task"], rows["metric"], strict=True)]
    run = ["dataset", "encoder", "regime", "plug_in", "seed", "task"]
    kept = rows[wanted].groupby(run, sort=False)
    told = kept.agg(
        score=("value", "mean"), trained=("trained", "first"), seconds=("seconds", "first"),
        device=("device", "first"),
    ).reset_index()  # fmt: skip
    told.insert(1, "corpus", [corpus_of(name) for name in told["dataset"]])
    return told


def unit_of(task: str) -> str:
    """What the score of a task is called."""
    return {"valence_arousal": "mean CCC", "multi_label": "macro F1"}.get(task, "accuracy")


def gains(rows: "pd.DataFrame", regime: str = "all") -> "pd.DataFrame":
    """What a regime gains over each of the others: paired differences over the seeds.

    Args:
        rows: of :func:`regime_rows`.
        regime: the one that the others are taken from.

    Returns:
        corpus, against (a regime), mean, low, high (95 %), seeds.
    """
    import pandas as pd

    from fer_lib.metrics import paired_difference

    lines = []
    for corpus, part in rows.groupby("corpus", sort=False):
        table = part.pivot(index="seed", columns="regime", values="score")
        for other in (name for name in NAMES if name in table and name != regime):
            d = paired_difference(table[regime], table[other])
            lines.append((corpus, other, d.mean, d.low, d.high, d.n))
    return pd.DataFrame(lines, columns=["corpus", "against", "mean", "low", "high", "seeds"])


def verdicts(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Which of the paper's claims about regimes hold in these runs.

    A claim holds where the regime lies beyond every other with an interval that leaves out 0; it is
    contradicted where an interval lies on the other side; else it is open.

    Returns:
        claim, corpus, against (of the others, the one that contradicts most, else the closest), mean, low,
        high (in the direction of the claim: above 0 supports it), verdict: "holds", "open", "contradicted",
        or "not run" with NaN.
    """
    import pandas as pd

    lines = []
    for claim in CLAIMS:
        for corpus in claim.corpora:
            part = rows[rows["corpus"] == corpus]
            lines.append((claim.text, corpus, *(_verdict(part, claim) if len(part) else _NOT_RUN)))
    columns = ["claim", "corpus", "against", "mean", "low", "high", "verdict"]
    return pd.DataFrame(lines, columns=columns)


_NOT_RUN = ("", np.nan, np.nan, np.nan, "not run")


def _verdict(part: "pd.DataFrame", claim: Claim) -> tuple[str, float, float, float, str]:
    """Against whom, by how much, and what follows, for one corpus."""
    found = gains(part, claim.regime)
    if not claim.best:
        found = found.assign(mean=-found["mean"], low=-found["high"], high=-found["low"])
    broken = found[found["high"] < 0]
    verdict = "contradicted" if len(broken) else "holds" if (found["low"] > 0).all() else "open"
    rival = (broken if len(broken) else found).nsmallest(1, "mean").iloc[0]
    return NAMES[rival["against"]], rival["mean"], rival["low"], rival["high"], verdict


def beside_ciao(rows: "pd.DataFrame") -> "pd.DataFrame":
    """What training all layers gains over the other two regimes, beside CIAO's Table I without the plug-in.

    Returns:
        corpus, over (a regime), mean, low, high, seeds (ours; NaN where not run), VGGFace and PK (the paper's
        differences, in shares), note.
    """
    import pandas as pd

    from fer_lib.results import published

    table = published("ciao", "Table I")
    table = table[table["column"].str.endswith("plain") & table["dataset"].isin(set(CORPORA) - {"affectnet"})]
    table = table.assign(value=table["value"] / np.where(table["unit"] == "%", 100, 1))
    printed = table.pivot(index="dataset", columns=["encoder", "regime"], values="value")
    flagged = set(table.loc[table["note"] != "", "dataset"])
    ours = gains(rows).set_index(["corpus", "against"])
    lines = []
    for corpus in printed.index:
        for other in ("last_conv", "decision"):
            mine = ours.loc[(corpus, other)].to_dict() if (corpus, other) in ours.index else {}
            misprint = corpus in flagged and other == "last_conv"
            theirs = {
                name: printed.loc[corpus, (key, "all")] - printed.loc[corpus, (key, other)]
                for name, key in (("VGGFace", "vggface"), ("PK", "pk"))
            }
            note = "PK: most likely a misprint" if misprint else ""
            lines.append({"corpus": CORPORA[corpus], "over": NAMES[other]} | mine | theirs | {"note": note})
    columns = ["corpus", "over", "mean", "low", "high", "seeds", "VGGFace", "PK", "note"]
    return pd.DataFrame(lines).reindex(columns=columns).astype({"seeds": "Int64"})


def ways_of_changing(dataset: str, seeds: Sequence[int], plan: Plan) -> "pd.DataFrame":
    """What augmentation gives and costs a decision layer behind a frozen encoder.

    Args:
        dataset: world or corpus.
        seeds: of the runs.
        plan: of the corpus, see :func:`plan_for`; its views and cache are set here.

    Returns:
        Rows of :func:`scores` with the column ``way``, one of `WAYS`: features of the faces as they are;
        those of four views of each, drawn once; pictures changed and encoded anew in every epoch.
    """
    import pandas as pd

    settings = plan.settings["decision"] if isinstance(plan.settings, dict) else plan.settings
    settings = settings or Settings(batch_size=32, learning_rate=RATES["decision"])
    plans = (
        replace(plan, settings=settings),
        replace(plan, settings=settings, views=4),
        replace(plan, settings=replace(settings, augmentation=VIEWS), cache=False),
    )
    cell = [Cell(dataset, regime="decision")]
    pairs = zip(WAYS, plans, strict=True)
    return pd.concat(
        [scores(run_grid(cell, seeds, one)).assign(way=way) for way, one in pairs], ignore_index=True
    )


def layer_sizes(encoder: Encoder, datasets: Iterable[str], outputs: Mapping[str, int]) -> "pd.DataFrame":
    """The decision layers of Table 6 behind an encoder: what they are, and how many numbers each learns.

    Args:
        encoder: of the size that counts; its name gives the column of the table.
        datasets: corpora of the table.
        outputs: number of outputs of each corpus.

    Returns:
        corpus, frames, GRU (units, 0 for none), dense (units), outputs, decision (numbers in the layer), with
        last conv and with all layers (numbers that learn then).
    """
    import pandas as pd

    lines = []
    for name in map(corpus_of, datasets):
        printed = decision_for(name, encoder.options["name"])
        given: dict[str, Any] = {"hidden": printed.hidden}
        make: Any = DenseHead
        if printed.gru:
            make, given = SequenceHead, given | {"gru": printed.gru, "layers": printed.gru_layers}
        head = count_parameters(make(encoder.feature_shape, outputs[name], **given))
        last = count_parameters(encoder.last_conv)
        lines.append({
            "corpus": CORPORA[name], "frames": printed.length, "GRU": printed.gru,
            "dense": "+".join(map(str, printed.hidden)), "outputs": outputs[name], "decision": head,
            "with last conv": head + last, "with all layers": head + encoder.num_parameters,
        })  # fmt: skip
    return pd.DataFrame(lines)
