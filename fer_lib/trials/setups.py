"""The corpus, the encoder and the training that chapters 12 to 15 share, by profile."""

from dataclasses import dataclass
from typing import Any

from fer_lib.chapters.helpers import choose
from fer_lib.encoders.contract import Encoder
from fer_lib.train.parts import Parts
from fer_lib.train.settings import Settings
from fer_lib.trials.corpus import both_parts
from fer_lib.trials.runs import Plan

SOURCE = "world:ferplus"
ENCODERS = ("facechannel", "densenet121", "bregnext")
THESIS = Settings(
    batch_size=35, learning_rate=1e-3, weight_decay=1e-3, optimizer="sgd", schedule="constant", warmup=0.0
)
"""Optimiser of the thesis: its batch, rate and momentum of .9. It does not say whether that looks ahead; ours
does. It prints no weight decay; ours goes into the gradient, and spares biases.
"""


@dataclass(frozen=True)
class Setup:
    """What the trials of a chapter start from.

    Args:
        parts: of the corpus, see ``both_parts``.
        encoder: trained elsewhere.
        plan: of every training.
        told: the encoder and what it learned from, in a few words.
    """

    parts: Parts
    encoder: Encoder
    plan: Plan
    told: str


def usual(
    profile: str,
    dataset: str = "world:affectnet",
    *,
    root: str = "",
    encoder: str = "facechannel",
    faces: int = 0,
) -> Setup:
    """Open the corpus and the encoder, and give the plan.

    In ``smoke`` and ``quick`` a FaceChannel that has learned votes on the world of FER+ lends its trunk: it
    has seen neither these people nor anybody's valence and arousal, which a second view must not know
    beforehand. Its last convolution and the decision layer learn, from cached features. In ``full`` all of
    the encoder learns, by the thesis's optimiser; DenseNet-121 then starts from ImageNet's weights.

    Args:
        profile: "smoke", "quick" or "full".
        dataset: corpus or world with expressions, valence and arousal.
        root: folder of a real corpus.
        encoder: one of `ENCODERS`; "densenet121" and "bregnext" start from new weights but in ``full``.
        faces: at most so many to learn from; 0 takes the profile's own.

    Raises:
        ValueError: an unknown encoder or profile, or a corpus without both views.
        DataError: data or weights that are missing or broken.
    """
    check_encoder(encoder)
    if faces < 0:
        raise ValueError(f"faces must be 0 or more; got {faces}. 0 takes the profile's own number.")
    dense = encoder == "densenet121"  # takes multiples of 32; the thesis's 227 is not one
    size = choose(profile, smoke=32, quick=64 if dense else 48, full=224 if dense else 64)
    limits: tuple[int | None, int | None] = choose(
        profile, smoke=(160, 80), quick=(1900, 1400), full=(None, None)
    )
    parts = both_parts(dataset, root=root or None, size=size, limits=(faces or limits[0], limits[1]))
    network, told = _encoder(encoder, profile, size)
    whole = profile == "full" or encoder != "facechannel"
    plan = Plan(
        epochs=choose(profile, smoke=2, quick=10, full=10),
        settings=THESIS if profile == "full" else Settings(batch_size=32, learning_rate=1e-3),
        regime="all" if whole else "last_conv",
        embedding=choose(profile, smoke=16, quick=128, full=0 if encoder == "densenet121" else 128),
    )
    return Setup(parts, network, plan, told)


def check_encoder(name: str) -> None:
    """Refuse a name that is none of `ENCODERS`.

    Raises:
        ValueError: for any other name.
    """
    if name not in ENCODERS:
        raise ValueError(f"encoder must be one of {', '.join(ENCODERS)}; got {name!r}. Choose one.")


def lent(profile: str, **changes: Any) -> Encoder:
    """The FaceChannel that has learned votes on the world of FER+.

    In ``quick`` it sees its faces seven times in batches of 24, which is less than its recipe; of three such
    shortenings this one did best on validation faces, with seeds that no table uses.

    Args:
        profile: gives the rest of the recipe, see ``fer_lib.pretrain.supervised.recipe``.
        **changes: entries of it to take another value.
    """
    from fer_lib.pretrain import trained_encoder

    short = {"epochs": 7, "batch_size": 24} if profile == "quick" else {}
    return trained_encoder("facechannel", profile=profile, dataset=SOURCE, **(short | changes)).encoder


def _encoder(name: str, profile: str, size: int) -> tuple[Encoder, str]:
    from fer_lib.encoders import make_encoder
    from fer_lib.train.randomness import seeded

    if name == "facechannel":
        return lent(profile), f"FaceChannel of {SOURCE}"
    options: dict[str, Any] = {"width": choose(profile, smoke=0.125, quick=0.25, full=1.0), "size": size}
    if name == "densenet121" and profile == "full":
        options["weights"] = "imagenet"
    with seeded(0):
        return make_encoder(name, **options).eval(), f"{name}, {options.get('weights', 'new weights')}"
