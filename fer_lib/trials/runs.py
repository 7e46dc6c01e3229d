"""Train variants with the same seeds on the same cached features; each run is kept and never run again."""

import json
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fer_lib import artifacts
from fer_lib.adapt.frozen import features_of, weights_key
from fer_lib.adapt.regimes import free_for, learned
from fer_lib.encoders.contract import Encoder
from fer_lib.errors import DataError
from fer_lib.heads import FaceModel
from fer_lib.heads.joint import ViewsHead
from fer_lib.provenance import code_key
from fer_lib.train.batches import DeviceFaces
from fer_lib.train.device import device
from fer_lib.train.evaluate import evaluate
from fer_lib.train.loop import fit
from fer_lib.train.parts import Parts
from fer_lib.train.predict import raw_outputs
from fer_lib.train.randomness import seeded
from fer_lib.train.settings import Settings
from fer_lib.trials.variants import Variant, build_head, sides_of

if TYPE_CHECKING:
    import pandas as pd

SHELF = "trials"


@dataclass(frozen=True)
class Plan:
    """What all variants of an ablation share.

    Args:
        epochs: passes over the training set.
        settings: of every training; a variant's sampler takes the place of its own.
        regime: what learns below the decision layer, "decision", "last_conv" or "all"; see
            ``fer_lib.adapt.REGIMES``. The first two learn from cached features.
        embedding: units of the dense layer before the classifiers.
        pool: see ``fer_lib.heads.JointHead``.
    """

    epochs: int = 10
    settings: Settings = field(default_factory=lambda: Settings(batch_size=32, learning_rate=1e-3))
    regime: str = "last_conv"
    embedding: int = 128
    pool: str = "max"


@dataclass(frozen=True)
class Runs:
    """Results of an ablation.

    Args:
        rows: one row a variant, seed and metric: model (the variant's name), seed, metric, value (on the
            reported set), validation (the score that chose the epoch), trained, seconds, device.
        folders: of each kept run, by (variant's name, seed).
    """

    rows: "pd.DataFrame"
    folders: dict[tuple[str, int], Path]

    def arrays(self, model: str, seed: int) -> dict[str, np.ndarray]:
        """What a run gave for the faces.

        Returns:
            probabilities (N, K) and affect (N, 2, nan where it is not regressed) of the reported faces;
            embeddings (N, D) of them, and of the training and validation faces (train_embeddings,
            validation_embeddings).
        """
        with np.load(self.folders[model, seed] / "arrays.npz", allow_pickle=False) as file:
            return {name: file[name] for name in file.files}

    def weights(self, model: str, seed: int) -> dict[str, torch.Tensor]:
        """Tensors of the trained decision layer, by name; centers and graph included."""
        from safetensors.torch import load_file

        return load_file(self.folders[model, seed] / "head.safetensors")


def run(
    variants: Sequence[Variant],
    seeds: Iterable[int],
    plan: Plan,
    parts: Parts,
    encoder: Encoder,
    *,
    progress: bool = False,
) -> Runs:
    """Train every variant with every seed; what an earlier call has finished is read, not run.

    A seed decides first weights and order, for all variants alike.

    Args:
        variants: with distinct names.
        seeds: distinct integers.
        plan: what all share.
        parts: see ``fer_lib.trials.both_parts``.
        encoder: trained elsewhere; copied, never changed.
        progress: show a bar.

    Raises:
        ValueError: two variants of one name, a seed that comes twice, or none of either.
        DataError: a kept run is damaged.
    """
    import pandas as pd

    variants, seeds = list(variants), [int(seed) for seed in seeds]
    if len({variant.name for variant in variants}) < len(variants):
        raise ValueError(f"variants must have distinct names; got {[v.name for v in variants]}. Rename one.")
    if not variants or not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"variants and seeds must hold one or more, each seed once; got {len(variants)} variants and "
            f"seeds {seeds}. A seed that comes twice would count as two runs."
        )
    jobs = [(variant, seed) for variant in variants for seed in seeds]
    if progress:
        from tqdm import tqdm

        jobs = tqdm(jobs, desc="runs", unit="run")
    shared = artifacts.key(
        code=code_key(__name__), encoder=weights_key(encoder), plan=_plain(plan),
        sets=[faces.fingerprint for faces in (parts.train, parts.validation, parts.test)],
    )  # fmt: skip
    folders, rows = {}, []
    for variant, seed in jobs:
        told = {name: value for name, value in _plain(variant).items() if name != "name"}
        name = artifacts.key(of=shared, variant=told, seed=seed)
        make = partial(_keep, variant=variant, seed=seed, plan=plan, parts=parts, encoder=encoder)
        folder = artifacts.build_once(SHELF, name, make)
        folders[variant.name, seed] = folder
        rows += [{"model": variant.name, "seed": seed} | row for row in _read(folder)]
    return Runs(pd.DataFrame(rows), folders)


def _keep(place: Path, *, variant: Variant, seed: int, plan: Plan, parts: Parts, encoder: Encoder) -> None:
    from safetensors.torch import save_file

    model, sets, done = train(variant, seed, plan, parts, encoder)
    learner = model.tail() if plan.regime != "all" else model
    rows, arrays = _told(model.head, learner, sets)
    about = {"validation": done.best_score, "trained": learned(model), "seconds": done.seconds}
    about["device"] = done.device
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.head.state_dict().items()}
    save_file(tensors, place / "head.safetensors")
    np.savez(place / "arrays.npz", **arrays)  # type: ignore[arg-type]
    (place / "rows.json").write_text(json.dumps([row | about for row in rows], indent=1), encoding="utf-8")


def train(
    variant: Variant, seed: int, plan: Plan, parts: Parts, encoder: Encoder
) -> tuple[FaceModel, list[Any], Any]:
    """Train one variant.

    Returns:
        The model in evaluation mode, its training, validation and test set (cached features, but for the
        regime "all"), and what ``fer_lib.train.fit`` gave.
    """
    copy = deepcopy(encoder)
    given: list[Any] = [parts.train, parts.validation, parts.test]
    with seeded(seed):
        head = build_head(variant, given[0], copy.feature_shape, embedding=plan.embedding, pool=plan.pool)
        model = free_for(FaceModel(copy, head), plan.regime)
    settings = replace(plan.settings, balance=variant.balance, balance_by=variant.balance_by)
    sets: list[Any] = [sides_of(variant, faces) for faces in given]
    stage = model.frozen_stage()
    if stage != "images":
        sets = [features_of(model.encoder, faces, stage) for faces in sets]
    learner = model if stage == "images" else model.tail()
    done = fit(learner, *sets[:2], epochs=plan.epochs, seed=seed, settings=settings)
    return model.eval(), sets, done


@torch.no_grad()
def _told(
    head: ViewsHead, learner: Any, sets: list[Any]
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Scores of the reported faces, and what is kept of all faces."""
    from fer_lib import metrics

    outputs = raw_outputs(learner, DeviceFaces(sets[2], device()), 256)
    probabilities = head.predict(outputs).cpu().numpy()
    affect = np.full((len(outputs), 2), np.nan, dtype=np.float32)
    scores = evaluate(probabilities, sets[2])
    if head.affect in ("mse", "ccc"):
        affect = head.predict_affect(outputs).cpu().numpy()
        told = sets[2].training_targets()[:, 1:3].numpy()
        scores |= dict(
            zip(("ccc_valence", "ccc_arousal"), map(float, metrics.ccc(affect, told)), strict=True)
        )
    embeddings = [_embeddings(head, learner, faces) for faces in sets]
    arrays = {"probabilities": probabilities, "affect": affect, "train_embeddings": embeddings[0]}
    arrays |= {"validation_embeddings": embeddings[1], "embeddings": embeddings[2]}
    return [{"metric": metric, "value": value} for metric, value in scores.items()], arrays


def _embeddings(head: ViewsHead, learner: Any, faces: Any) -> np.ndarray:
    """What the classifier reads of each face, float32 (N, D)."""
    batches, found = DeviceFaces(faces, device()), []
    whole, start = (learner, "images") if isinstance(learner, FaceModel) else (learner.model, learner.start)
    for index in torch.arange(len(faces)).split(256):
        inputs = learner.prepare(batches.images(index))
        found.append(head.embeddings(whole.features(inputs, start)).float().cpu())
    return torch.cat(found).numpy()


def _read(folder: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        rule, fix = "must hold the rows of a finished run as JSON", f"Delete the folder {folder}."
        raise DataError(f"{folder.name}/rows.json", rule, str(error), fix) from error
    return rows


def _plain(record: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(record), sort_keys=True))
    return plain
