"""From everybody to one person: the study of personal models, its conditions, shares and strategies (ch. 11).

Twins have learned in the wild. Of each person, five folds part the frames; a fold's test frames are looked at
once, when everything is trained. The number of epochs is fixed beforehand: nothing is chosen on any fold.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fer_lib import artifacts
from fer_lib.adapt.frozen import features_of, weights_key
from fer_lib.encoders.files import digest, tensors_of
from fer_lib.metrics import rmse
from fer_lib.provenance import code_key
from fer_lib.sampling.dealt import CONDITIONS, EQUAL, FOLDINGS, Part, check, deciding, parts_of
from fer_lib.sampling.many import Descent, fine_tune
from fer_lib.sampling.picking import STRATEGIES, Pool, pick
from fer_lib.sampling.twins import DIMENSIONS, learn, one_network, read
from fer_lib.sampling.uncertain import mc_dropout_std
from fer_lib.sampling.wild import Plan, Wild, in_the_wild, plan, records_in
from fer_lib.train.device import device
from fer_lib.train.parallel import ahead

if TYPE_CHECKING:
    import pandas as pd

    from fer_lib.datasets import FaceSet

__all__ = [
    "CONDITIONS", "DIMENSIONS", "EQUAL", "FOLDINGS", "Plan", "Wild", "features", "in_the_wild", "people_of",
    "plan", "predictions", "study",
]  # fmt: skip
COLUMNS = (
    "person", "fold", "seed", "folding", "dimension", "condition", "strategy", "share", "labels", "rmse",
)  # fmt: skip
SHELF = "personal"
EQUAL_UPTO = 0.5  # beyond it, equal steps and equal epochs are nearly the same
Row = dict[str, Any]


def people_of(plan: Plan, split: str = "test") -> "FaceSet":
    """The frames of the people who are learned: of AMIGOS the ten of the personal protocol.

    Args:
        plan: see :class:`Plan`.
        split: "train" gives other people, to choose a plan on.

    Raises:
        DataError: data that are missing or broken, or without names of people or clips.
    """
    from fer_lib.datasets import load
    from fer_lib.train.parts import as_task

    given: dict[str, Any] = {"root": plan.data_root or None, "size": plan.size, "limit": plan.frames}
    return as_task(load(plan.dataset, split=split, **given), "valence_arousal")


def features(plan: Plan, wild: Wild, faces: "FaceSet") -> dict[str, np.ndarray]:
    """What the frozen convolutions of each twin give, flattened: (N, D) float32 by dimension; kept."""
    found = {}
    for name in DIMENSIONS:
        encoder = wild.twins.of(name).encoder
        found[name] = np.array(features_of(encoder, faces, "map").arrays[0]).reshape(len(faces), -1)
        encoder.cpu()
    return found


@torch.no_grad()
def predictions(wild: Wild, features: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the twins answer before they have seen any label of these people, (N,) by dimension."""
    return {
        name: torch.cat([wild.twins.of(name).head(part) for part in torch.from_numpy(rows).split(512)])
        .flatten()
        .numpy()
        for name, rows in features.items()
    }


def study(
    plan: Plan,
    wild: Wild,
    faces: "FaceSet",
    *,
    folding: str = "frames",
    strategies: Sequence[str] = tuple(STRATEGIES),
    seeds: Sequence[int] = (0,),
    conditions: Sequence[str] = CONDITIONS,
) -> "pd.DataFrame":
    """Learn every person, from every share of labels that every strategy picks, in every fold.

    What an earlier call has finished is read, not run: each share, and each network without transfer, is kept
    as soon as it is done; with FER_PROCESSES, seeds run side by side. Runs of one person, fold and share
    start alike and draw the same order and dropout whatever the strategy; they differ in the labels alone.

    Args:
        plan: see :class:`Plan`.
        wild: twins trained in the wild, of the same plan.
        faces: see :func:`people_of`.
        folding: "frames" deals single frames into folds, as printed; "clips" deals whole clips.
        strategies: keys of ``STRATEGIES``.
        seeds: of folds, random picks, order, dropout, and the weights of networks without transfer.
        conditions: also "mean" (a constant, the mean of the training labels), "no transfer", "0 %", "others"
            (fine-tuned on as many frames as the person's own, drawn from all other people) and "100 %". By
            name only: "equal steps", the random picks of each share up to a half, with as many steps as 100 %
            takes, so that shares differ in labels and in nothing else.

    Returns:
        One row a run: person, fold, seed, folding, dimension, condition, strategy ("" but for the condition
        "share"), share (of the training frames), labels (how many), rmse (of the fold's test frames).

    Raises:
        ValueError: an unknown folding, strategy or condition.
        DataError: too few frames or clips to fold, or a kept run that is damaged.
    """
    import pandas as pd

    check(folding, strategies, conditions)
    found: list[Row] = []
    known = features(plan, wild, faces)
    given: dict[str, Any] = {"folding": folding, "strategies": strategies, "conditions": conditions}
    ahead([partial(study, plan, wild, faces, seeds=[seed], **given) for seed in seeds])  # read below
    answers = predictions(wild, known)
    for seed in seeds:
        parts = parts_of(faces, folding, seed)
        for name in DIMENSIONS:
            one = _Dimension(plan, wild, faces, known[name], answers[name], name, folding, seed, parts)
            told = {"seed": seed, "folding": folding, "dimension": name}
            rows = one.conditions(tuple(conditions)) + one.shares(tuple(strategies))
            found += [{**row, **told} for row in rows]
    return pd.DataFrame(found, columns=list(COLUMNS))


class _Dimension:
    """All runs of one dimension, folding and seed."""

    def __init__(
        self, plan: Plan, wild: Wild, faces: "FaceSet", rows: np.ndarray, answers: np.ndarray, name: str,
        folding: str, seed: int, parts: list[Part],
    ) -> None:  # fmt: skip
        self.plan, self.faces, self.name, self.seed, self.parts = plan, faces, name, seed, parts
        self.model = wild.twins.of(name)
        self.rows, self.answers = rows, answers
        self.targets = faces.targets()[:, DIMENSIONS.index(name)].numpy()
        self.told = {
            "code": code_key(__name__), "faces": faces.fingerprint, "dimension": name, "folding": folding,
            "seed": seed, "device": device().type, "encoder": weights_key(self.model.encoder),
            "dense": digest(tensors_of(self.model.head)), "plan": deciding(plan),
        }  # fmt: skip

    def conditions(self, wanted: tuple[str, ...]) -> list[Row]:
        """The mean, no transfer, no labels, labels of others, all labels: those that are wanted."""
        rows = []
        for part in self.parts:
            mean = np.full(len(part.test), self.targets[part.train].mean())
            rows.append(self._row(part, "mean", mean, len(part.train), 1.0))
            rows.append(self._row(part, "0 %", self.answers[part.test], 0, 0.0))
            if "no transfer" in wanted and part.fold < self.plan.scratch_folds:
                what: Row = {"scratch": [part.person, part.fold], "epochs": self.plan.scratch_epochs}
                what |= {"rate": self.plan.wild_rate, "optimizer": self.plan.wild_optimizer}
                rows += self._kept(what, partial(self._scratch, part))
        if "others" in wanted and len({part.person for part in self.parts}) > 1:
            rows += self._kept({"others": True}, partial(self._all, "others", self._strangers))
        if "100 %" in wanted:
            rows += self._kept({"all": True}, partial(self._all, "100 %", lambda part: part.train))
        if EQUAL in wanted:
            for share, count in self._counts().items():
                if share <= EQUAL_UPTO:
                    rows += self._kept({"equal": share}, partial(self._equal, share, count))
        return [row for row in rows if row["condition"] in wanted]

    def _strangers(self, part: Part) -> np.ndarray:
        """As many frames as the person's own, of everybody else."""
        mine = self.faces.table["subject"].to_numpy() == part.person
        draws = np.random.default_rng(self._stream(part, "others"))
        return np.sort(draws.choice(np.flatnonzero(~mine), len(part.train), replace=False))

    def _counts(self) -> dict[float, int]:
        """How many labels each share means: the same in every fold."""
        smallest = min(len(part.train) for part in self.parts)
        return {share: max(1, round(share * smallest)) for share in self.plan.shares}

    def _equal(self, share: float, count: int) -> list[Row]:
        """The labels of random picks, with the steps of all labels."""
        batch = self.plan.batch_size
        most = min(len(part.train) for part in self.parts)
        epochs = round(self.plan.epochs * -(-most // batch) / -(-count // batch))
        rows = [picked[:count] for picked in self._picks("random", count)]
        answers = self._tuned(self.parts, rows, share, replace(self.plan.descent, epochs=epochs))
        pairs = zip(self.parts, answers, strict=True)
        return [self._row(part, EQUAL, answer, count, share) for part, answer in pairs]

    def shares(self, strategies: tuple[str, ...]) -> list[Row]:
        """Every share of every strategy."""
        counts = self._counts()
        picks: dict[str, list[np.ndarray]] = {}

        def run(share: float) -> list[Row]:
            if not picks:
                picks.update({name: self._picks(name, max(counts.values())) for name in strategies})
            runs = [(part, name) for part in self.parts for name in strategies]
            rows = [picks[name][k][: counts[share]] for k in range(len(self.parts)) for name in strategies]
            answers = self._tuned([part for part, _ in runs], rows, share)
            return [
                self._row(part, "share", answer, counts[share], share, name)
                for (part, name), answer in zip(runs, answers, strict=True)
            ]

        rows = []
        for share in counts if strategies else ():
            rows += self._kept({"share": share, "strategies": strategies}, partial(run, share))
        return rows

    def _picks(self, strategy: str, k: int) -> list[np.ndarray]:
        """Which frames each fold labels first, as rows of all frames; a smaller share takes the first."""
        generator = torch.Generator().manual_seed(self.seed)
        std = None
        if strategy == "mcdue":
            given = torch.from_numpy(self.rows).to(device())
            head, passes, p = self.model.head.to(device()), self.plan.passes, self.plan.p
            std = mc_dropout_std(head, given, passes=passes, p=p, generator=generator)
            head.cpu()
        found = []
        for part in self.parts:
            spread = None if std is None else std[part.train]
            pool = Pool(self.rows[part.train], self.answers[part.train], spread)
            draws = np.random.default_rng(self._stream(part, "random"))
            found.append(part.train[pick(pool, k, strategy, generator=draws)])
        return found

    def _all(self, condition: str, rows_of: Callable[[Part], np.ndarray]) -> list[Row]:
        """Every fold with all frames of somebody, those with equally many at once."""
        rows: list[Row] = []
        for size in sorted({len(part.train) for part in self.parts}):
            some = [part for part in self.parts if len(part.train) == size]
            answers = self._tuned(some, [rows_of(part) for part in some], 1.0)
            pairs = zip(some, answers, strict=True)
            rows += [self._row(part, condition, answer, size, 1.0) for part, answer in pairs]
        return rows

    def _tuned(
        self, parts: list[Part], rows: list[np.ndarray], share: float, descent: Descent | None = None
    ) -> list[np.ndarray]:
        where = device()
        return fine_tune(
            self.model.head, torch.from_numpy(self.rows).to(where), torch.from_numpy(self.targets).to(where),
            np.stack(rows), [self._stream(part, share) for part in parts], [part.test for part in parts],
            descent=descent or self.plan.descent,
        )  # fmt: skip

    def _scratch(self, part: Part) -> list[Row]:
        plan, seed = self.plan, self._stream(part, "scratch") >> 1
        model = one_network(
            plan.encoder, self.name, hidden=plan.hidden, dropout=plan.dropout, seed=seed, **plan.options
        )
        epochs = plan.scratch_epochs or plan.epochs
        descent = replace(plan.descent, epochs=epochs, learning_rate=plan.wild_rate)
        learn(
            model, self.faces, self.name, rows=part.train, descent=descent, seed=seed,
            optimizer=plan.wild_optimizer,
        )  # fmt: skip
        return [self._row(part, "no transfer", read(model, self.faces, part.test), len(part.train), 1.0)]

    def _stream(self, part: Part, use: str | float) -> int:
        """A seed for one use of random numbers in one fold; not of a strategy, so that those are paired."""
        told = {name: self.told[name] for name in ("dimension", "folding", "seed")}
        return int(artifacts.key(**told, person=part.person, fold=part.fold, use=use), 16)

    def _row(
        self, part: Part, condition: str, answer: np.ndarray, labels: int, share: float, strategy: str = ""
    ) -> Row:
        return {
            "person": part.person, "fold": part.fold, "condition": condition, "strategy": strategy,
            "share": share, "labels": labels, "rmse": float(rmse(answer, self.targets[part.test])),
        }  # fmt: skip

    def _kept(self, what: Row, run: Callable[[], list[Row]]) -> list[Row]:
        path = artifacts.home() / SHELF / f"{artifacts.key(**self.told, what=what)}.json"
        if not path.is_file():
            artifacts.atomic_write(path, json.dumps(run(), indent=1))
        return records_in(path, "Delete the file to run it again.")
