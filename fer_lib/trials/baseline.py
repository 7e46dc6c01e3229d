"""What each step towards a strong baseline adds: the rungs of the thesis's Table 3.1, from pictures."""

import dataclasses
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_lib import artifacts
from fer_lib.adapt.frozen import features_of, weights_key
from fer_lib.adapt.regimes import free_for
from fer_lib.adapt.study import relabel
from fer_lib.augment import THESIS as SIX
from fer_lib.chapters.helpers import choose
from fer_lib.encoders.contract import Encoder
from fer_lib.graph import EXPRESSIONS
from fer_lib.heads import FaceModel
from fer_lib.preprocess.facesets import align_all, locate, resize_all, take_loosely
from fer_lib.provenance import code_key
from fer_lib.train.evaluate import evaluate
from fer_lib.train.loop import fit
from fer_lib.train.parallel import side_by_side
from fer_lib.train.parts import Parts, load_parts, some
from fer_lib.train.predict import predict
from fer_lib.train.randomness import seeded
from fer_lib.train.settings import Settings
from fer_lib.trials.copies import with_copies
from fer_lib.trials.corpus import METRIC
from fer_lib.trials.keeping import kept, runs_of, write
from fer_lib.trials.setups import THESIS, lent
from fer_lib.trials.variants import Variant, build_head

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Rung:
    """One line of Table 3.1: everything below it, and one thing more.

    Args:
        name: shown on the page.
        printed: the line's name in the thesis; "" where it has none.
        class_loss: see ``fer_lib.trials.Variant``.
        pretrained: start from an encoder that has learned elsewhere; False starts from new weights.
        strong: the larger encoder of the ladder instead of the smaller one.
        aligned: pictures are aligned by the eyes.
        augmented: the thesis's six augmentations.
        seven: contempt is left out.
    """

    name: str
    printed: str
    class_loss: str = "weighted"
    pretrained: bool = True
    strong: bool = True
    aligned: bool = True
    augmented: bool = True
    seven: bool = False


_LESS: dict[str, Any] = {"aligned": False, "augmented": False}
RUNGS = (
    Rung("plain", "ResNet50", "plain", pretrained=False, strong=False, **_LESS),
    Rung("+ weighted", "ResNet50 + weighted loss", pretrained=False, strong=False, **_LESS),
    Rung("+ stronger encoder", "", pretrained=False, **_LESS),
    Rung("+ pre-trained", "Pretrained DenseNet121 + weighted loss", **_LESS),
    Rung("+ aligned", "+ alignment", augmented=False),
    Rung("+ augmented", "+ alignment + augmentation"),
    Rung("without contempt", "+ alignment + augmentation", seven=True),
)
"""Table 3.1 from the bottom. The thesis takes the stronger encoder last, and so pre-trains two encoders."""
TAKEN = {
    "+ weighted": Rung("no weights", "", "plain"),
    "+ stronger encoder": Rung("the smaller encoder", "", strong=False),
    "+ pre-trained": Rung("no pre-training", "", pretrained=False),
    "+ aligned": Rung("not aligned", "", aligned=False),
    "+ augmented": Rung("not augmented", "", augmented=False),
}
"""The other ablation: the rung "+ augmented" has everything; from it one thing is taken."""
COPIES = 3  # augmented copies of each face, where cached features take the place of pictures


@dataclass(frozen=True)
class LadderPlan:
    """What all rungs share.

    Args:
        limits: faces to learn from, and to test on.
        first: of these, so many of the training and of the test faces are drawn at random.
        size: side of the pictures.
        small, large: keyword arguments of the two encoders, ``name`` included.
        epochs, settings: of every training.
        regime: what learns of a pre-trained encoder, see ``fer_lib.trials.Plan``; new ones learn as a whole.
        pool: see ``fer_lib.trials.Plan``.
        tilt_deg: largest tilt of the careless photographer; 0 takes the pictures as they are.
    """

    limits: tuple[int | None, int | None]
    first: tuple[int | None, int | None]
    size: int
    small: dict[str, Any]
    large: dict[str, Any]
    epochs: int
    settings: Settings
    regime: str
    pool: str = "flat"
    tilt_deg: float = 20.0


@dataclass(frozen=True)
class LadderRuns:
    """Results of the ladder.

    Args:
        rows: one row a rung, seed and metric: model, seed, metric, value, validation, seconds, device.
        probabilities: (S, N, K) of the test faces, by rung.
        tests: test set of each rung.
    """

    rows: "pd.DataFrame"
    probabilities: dict[str, np.ndarray]
    tests: dict[str, Any]


def ladder_plan(profile: str, *, tilt_deg: float = 20.0) -> LadderPlan:
    """The ladder by profile: FaceChannels of two widths, or, in ``full``, ResNet-50 and DenseNet-121."""
    full = profile == "full"
    wide = choose(profile, smoke=0.125, quick=0.25, full=1.0)
    size = choose(profile, smoke=32, quick=48, full=224)
    face = {"name": "facechannel", "size": size, "dropout": 0.0}
    return LadderPlan(
        limits=choose(profile, smoke=(160, 80), quick=(1900, 1400), full=(None, None)),
        first=choose(profile, smoke=(None, None), quick=(640, 700), full=(None, None)),
        size=size,
        small={"name": "resnet50", "size": size} if full else face | {"width": wide / 2},
        large={"name": "densenet121", "size": size} if full else face | {"width": wide},
        epochs=choose(profile, smoke=1, quick=4, full=10),
        settings=THESIS if full else Settings(batch_size=16, learning_rate=1e-3),
        regime="all" if full else "last_conv",
        pool="max" if full else "flat",
        tilt_deg=tilt_deg,
    )


def ladder(
    profile: str, seeds: Iterable[int], *, dataset: str = "world:affectnet", root: str = "",
    tilt_deg: float = 20.0, rungs: Iterable[Rung] = RUNGS, plan: LadderPlan | None = None,
) -> LadderRuns:  # fmt: skip
    """Train every rung with every seed; what an earlier call has finished is read, not run.

    With FER_PROCESSES, trainings go side by side.

    A seed decides first weights, order and augmentation; the epoch is chosen by mean class accuracy on the
    validation part of the training split, of pictures that are prepared like the rung's.

    Args:
        profile: "smoke", "quick" or "full".
        seeds: distinct integers.
        dataset: world or corpus with one class a face.
        root: folder of a real corpus.
        tilt_deg: see :class:`LadderPlan`.
        rungs: of the ladder; where the corpus has no contempt, the one that leaves it out is skipped.
        plan: None takes the profile's.

    Raises:
        ValueError: a tilt below 0, no seeds, or a corpus without classes.
        DataError: data or weights that are missing or broken.
    """
    if not 0 <= tilt_deg <= 90:
        raise ValueError(f"tilt_deg must be in [0, 90]; got {tilt_deg}. 0 leaves the pictures as they are.")
    seeds, plan = list(seeds), plan or ladder_plan(profile, tilt_deg=tilt_deg)
    if not seeds:
        raise ValueError("seeds must hold one seed or more; got none. Give range(3), say.")
    taken = photographs(dataset, root, plan)
    contempt = "contempt" in taken.train.faces.classes  # type: ignore[attr-defined]
    sets: dict[tuple[bool, bool], Parts] = {}
    tasks: dict[tuple[str, int], Callable[[], Path]] = {}
    tests: dict[str, Any] = {}
    for rung in rungs:
        if rung.seven and not contempt:
            continue
        way = (rung.aligned, rung.seven)
        sets[way] = sets.get(way) or pictures(taken, rung, plan)
        tasks |= {(rung.name, seed): partial(_kept, rung, seed, plan, sets[way], profile) for seed in seeds}
        tests[rung.name] = sets[way].test
    runs = runs_of(dict(zip(tasks, side_by_side(list(tasks.values())), strict=True)))
    probabilities = {
        name: np.stack([runs.arrays(name, seed)["probabilities"] for seed in seeds]) for name in tests
    }
    return LadderRuns(runs.rows, probabilities, tests)


def photographs(dataset: str, root: str, plan: LadderPlan) -> Parts:
    """The three sets of a corpus as Photographs, taken by a careless photographer where the plan says so."""
    parts = load_parts(dataset, ("categorical",), root=root or None, size=plan.size, limits=plan.limits)

    def taken(faces: Any, seed: int, most: int | None) -> Any:
        drawn = some(faces, most, seed=seed)  # not the first: corpora are ordered by clip or person
        found = locate(dataclasses.replace(drawn, metric=METRIC))
        return take_loosely(found, seed=seed, roll_deg=plan.tilt_deg) if plan.tilt_deg else found

    three = ((parts.train, plan.first[0]), (parts.validation, None), (parts.test, plan.first[1]))
    return Parts(*(taken(faces, seed, most) for seed, (faces, most) in enumerate(three)))


def pictures(taken: Parts, rung: Rung, plan: LadderPlan) -> Parts:
    """The sets of a rung: aligned or only resized, with eight classes or seven."""

    def of(part: Any) -> Any:
        faces = (align_all if rung.aligned else resize_all)(part, size=plan.size).faces
        return relabel(faces, EXPRESSIONS) if rung.seven else faces

    return Parts(*map(of, (taken.train, taken.validation, taken.test)))


def encoder_of(rung: Rung, plan: LadderPlan, profile: str, seed: int) -> Encoder:
    """The encoder of a rung; pre-trained FaceChannels know the world of FER+, others ImageNet."""
    from fer_lib.encoders import make_encoder

    options = plan.large if rung.strong else plan.small
    if not rung.pretrained:
        with seeded(seed):
            return make_encoder(**options)
    if options["name"] != "facechannel":
        return make_encoder(**options, weights="imagenet")
    changes = {name: options[name] for name in ("width", "size", "dropout")}
    return lent(profile, **changes)


def train_rung(
    rung: Rung, seed: int, plan: LadderPlan, parts: Parts, encoder: Encoder
) -> tuple[np.ndarray, Any]:
    """Train one rung: probabilities (N, K) of the test faces, and what ``fit`` gave.

    New encoders learn as a whole, from pictures. Of others learns what the plan's regime says; where
    that is not all, features of faces (and of `COPIES` augmented copies) take the place of pictures.
    """
    copy = deepcopy(encoder)
    with seeded(seed):
        variant = Variant(rung.name, class_loss=rung.class_loss)
        head = build_head(variant, parts.train, copy.feature_shape, embedding=64, pool=plan.pool)  # type: ignore[arg-type]
    model = free_for(FaceModel(copy, head), plan.regime if rung.pretrained else "all")
    sets: list[Any] = [parts.train, parts.validation, parts.test]
    settings, learner, stage = plan.settings, model, model.frozen_stage()
    if stage == "images":
        settings = dataclasses.replace(settings, augmentation=SIX if rung.augmented else None)
    else:
        learner = model.tail()  # type: ignore[assignment]
        first = (
            with_copies(copy, sets[0], stage, copies=COPIES)
            if rung.augmented
            else features_of(copy, sets[0], stage)
        )
        sets = [first, *(features_of(copy, faces, stage) for faces in sets[1:])]
    done = fit(learner, sets[0], sets[1], epochs=plan.epochs, seed=seed, settings=settings)
    return predict(learner.eval(), sets[2]), done


def _kept(rung: Rung, seed: int, plan: LadderPlan, parts: Parts, profile: str) -> Path:
    told = {name: value for name, value in asdict(rung).items() if name not in ("name", "printed")}
    encoder = encoder_of(rung, plan, profile, seed)
    shared = {
        "settings": asdict(plan.settings),
        "epochs": plan.epochs,
        "regime": plan.regime,
        "pool": plan.pool,
    }
    name = artifacts.key(
        code=code_key(__name__), rung=told, seed=seed, plan=shared, encoder=weights_key(encoder),
        sets=[faces.fingerprint for faces in (parts.train, parts.validation, parts.test)],
    )  # fmt: skip
    make = partial(_keep, rung=rung, seed=seed, plan=plan, parts=parts, encoder=encoder)
    return kept(name, make)


def _keep(place: Path, *, rung: Rung, seed: int, plan: LadderPlan, parts: Parts, encoder: Encoder) -> None:
    found, done = train_rung(rung, seed, plan, parts, encoder)
    about = {"validation": done.best_score, "seconds": done.seconds, "device": done.device}
    write(place, evaluate(found, parts.test), about, {"probabilities": found})
