"""How much of CIAO's grid a profile runs, and with what settings (chapter 09)."""

from typing import Any

from fer_lib.adapt.ciao_study import ENCODERS, LABEL_SETS, RECIPES, REGIMES, Recipes, cells_of
from fer_lib.adapt.grid import Cell, Plan
from fer_lib.chapters.helpers import choose
from fer_lib.heads import Decision
from fer_lib.train.settings import Settings

RATES = {"all": 1e-3, "last_conv": 2e-3, "decision": 5e-3}
"""Learning rate by regime, the same with and without CIAO.

Chosen for "quick" on validation faces, with PK and the seeds 100 and 101, by the mean score over plain and
CIAO: on AffectNet's values, and for "all" and "last_conv" on FER as well.
"""
WIDE_RATES = RATES | {"decision": 2e-3}
"""Those of the plan "wide": the decision layer's was chosen so on FER, FER+, JAFFE and EmoReact."""
VALUES, CLASSES = "AffectNet, values", "AffectNet, classes"
CLOSE_LIMITS = {"smoke": (160, 80), "quick": (2400, 600), "full": (None, None)}
WIDE_LIMITS = {"smoke": (80, 60), "quick": (1400, 350), "full": (None, None)}
MASKED_LIMITS = {"smoke": (80, 60), "quick": (400, 150), "full": (None, None)}


def plans(
    profile: str, *, epochs: int = 0, source: str = "world:affectnet", source_root: str = ""
) -> dict[str, Plan]:
    """The settings of the chapter's trainings.

    The plans differ in the number of faces, and in passes and batches to make up for it: "close" for the
    cells that are looked at in detail, "wide" for the others, "masked" for faces with masks.

    Args:
        profile: "smoke", "quick" or "full".
        epochs: passes over the faces; 0 takes the profile's own. Where the whole encoder learns, two thirds.
        source: what the encoders are pre-trained on.
        source_root: folder of a real corpus to pre-train on.

    Example:
        >>> plans("quick")["wide"].limits, plans("quick")["wide"].epochs["decision"]
        ((1400, 350), 10)
    """
    shared: dict[str, Any] = {
        "size": choose(profile, smoke=32, quick=48, full=96),
        "decision": Decision(hidden=(choose(profile, smoke=16, quick=64, full=200),)),
        "source": source,
        "source_root": source_root,
    }
    found = {}
    for name, limits in {"close": CLOSE_LIMITS, "wide": WIDE_LIMITS, "masked": MASKED_LIMITS}.items():
        few = name == "wide" and profile == "quick"  # more passes, smaller batches: as many steps
        settings = {
            regime: Settings(batch_size=32 if few else 64, learning_rate=rate)
            for regime, rate in (WIDE_RATES if name == "wide" else RATES).items()
        }
        passes = epochs or choose(profile, smoke=2, quick=10 if few else 7, full=40)
        times = {"all": max(1, round(0.65 * passes)), "last_conv": passes, "decision": passes}
        found[name] = Plan(profile, limits=limits[profile], settings=settings, epochs=times, **shared)
    return found


def recipes(profile: str) -> Recipes:
    """Entries of the encoders' recipes that differ here: PK without its affect critic; VGG narrow in "quick".

    Args:
        profile: "smoke", "quick" or "full".

    Example:
        >>> recipes("quick")["vggface"], "vggface" in recipes("full")
        ((('width', 0.125),), False)
    """
    narrow: Recipes = choose(profile, smoke={}, quick={"vggface": (("width", 0.125),)}, full={})
    return {**RECIPES, **narrow}


def cells_in(profile: str, *, real: bool = False) -> dict[str, list[Cell]]:
    """The cells of the paper's 72 that a profile runs, by the plan that they are run with.

    "quick" looks closely at AffectNet's values with PK, in all settings, and runs every label set with both
    encoders where nothing but the decision layer learns; "smoke" is a test.

    Args:
        profile: "smoke", "quick" or "full".
        real: the corpora themselves instead of their worlds.

    Example:
        >>> {name: len(cells) for name, cells in cells_in("quick").items()}
        {'close': 12, 'wide': 16}
        >>> sum(map(len, cells_in("full").values()))
        72
    """
    others = [name for name in LABEL_SETS if name not in (VALUES, CLASSES)]
    given: dict[str, Any] = {"real": real, "recipes": recipes(profile)}
    if profile == "full":
        return {"close": cells_of(LABEL_SETS, ENCODERS, REGIMES, **given), "wide": []}
    if profile == "smoke":
        return {
            "close": cells_of([VALUES], ["pk"], ["decision"], **given),
            "wide": cells_of(["JAFFE"], ["vggface"], REGIMES, **given),
        }
    return {
        "close": cells_of([VALUES], ["pk"], REGIMES, **given)
        + cells_of([VALUES], ["vggface"], ["decision"], **given)
        + cells_of([CLASSES], ENCODERS, ["decision"], **given),
        "wide": cells_of(others, ENCODERS, ["decision"], **given),
    }


def controls(profile: str, *, real: bool = False) -> dict[str, list[Cell]]:
    """Cells that tell learning from squashing, by plan: plain, squashed as CIAO is at the start, and CIAO.

    With a frozen PK, for AffectNet's values and for FER, where the paper gains most; "smoke" has the first.

    Args:
        profile: "smoke", "quick" or "full".
        real: the corpora themselves instead of their worlds.

    Example:
        >>> [cell.plug_in for cell in controls("smoke")["close"]]
        [None, 'squash', 'ciao']
    """
    names = {VALUES: "close"} if profile == "smoke" else {VALUES: "close", "FER": "wide"}
    given: dict[str, Any] = {"real": real, "recipes": recipes(profile)}
    found: dict[str, list[Cell]] = {"close": [], "wide": []}
    for name, plan in names.items():
        chosen = cells_of([name], ["pk"], ["decision"], plug_ins=[None, "squash", "ciao"], **given)
        found["close" if profile == "full" else plan] += chosen
    return found


def studied(temperatures: tuple[float, ...] = (0.05, 0.5, 2.0), *, real: bool = False) -> dict[str, Cell]:
    """Cells for the studies of temperature, denominator and weight, by the name of what is changed.

    Args:
        temperatures: besides the usual 0.1.
        real: the corpora themselves instead of their worlds.
    """
    changes: dict[str, tuple[tuple[str, Any], ...]] = {"t = 0.1": ()}
    changes |= {f"t = {t:g}": (("temperature", t),) for t in temperatures}
    changes |= {"negatives": (("denominator", "negatives"),), "mask alone": (("weight", 0.0),)}
    cells = {}
    for name, options in changes.items():
        (cells[name],) = cells_of(
            [VALUES], ["pk"], ["decision"], plug_ins=["ciao"], real=real, options=options
        )
    return cells


def trained_numbers(profile_width: float = 1.0) -> list[dict[str, Any]]:
    """How many numbers learn in each setting, averaged over the six label sets' decision layers (Fig. 4).

    Counted from untrained models of the given width with a decision layer of 200 units.

    Args:
        profile_width: factor on the encoders' channels; 1 is the paper's.

    Returns:
        One row an encoder and setting: encoder, setting, numbers.
    """
    from fer_lib.adapt.ciao import ciao
    from fer_lib.adapt.regimes import free_for, learned
    from fer_lib.affect import VOCABULARIES
    from fer_lib.encoders import make_encoder
    from fer_lib.heads import DenseHead, FaceModel

    values = "valence_arousal"
    counts = [2 if one.task == values else len(VOCABULARIES[one.corpus]) for one in LABEL_SETS.values()]
    rows = []
    for name in ENCODERS:
        encoder = make_encoder(name, width=profile_width)
        plug = ciao(encoder)
        heads = [DenseHead(encoder.feature_shape, outputs) for outputs in counts]
        for regime in REGIMES:
            for setting, plug_in in ((regime, None), (f"{regime}+ciao", plug)):
                sums = [learned(free_for(FaceModel(encoder, head, plug_in), regime)) for head in heads]
                rows.append({"encoder": ENCODERS[name], "setting": setting, "numbers": sum(sums) / len(sums)})
    return rows
