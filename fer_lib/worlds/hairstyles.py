"""How people wear their hair: the traits beside length, volume and curl that ``hair`` paints from."""

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from fer_lib.worlds.people import Draw


def hairstyle(traits: dict[str, Tensor], draw: "Draw") -> dict[str, Tensor]:
    """Draw the style of people whose age, sex, hair length and curl are known.

    Returns:
        (N,) each: ``recede`` how far the temples go back, ``peak`` a widow's peak, ``crop`` how short it is
        shorn, ``tied`` back or up, ``bun`` on the crown, ``sweep`` which way a fringe lies, ``drape`` in
        front of the shoulders; 0-1, ``sweep`` -1 to 1.
    """
    male, old, child = traits["male"], traits["old"], traits["child"]
    long = (traits["hair_length"] > 0.5).float()
    grown = 1 - child
    recede = draw.uniform() ** 2 * (0.25 + 0.75 * male * old + 0.25 * male) * grown
    shorn = draw.chance((0.10 + 0.22 * traits["curl"]) * male + 0.02) * (1 - long)
    tied = draw.chance(0.28) * long
    return {
        "recede": recede.clamp(0, 1),
        "peak": draw.chance(0.25) * draw.uniform(0.3, 1.0),
        "crop": shorn * draw.uniform(0.5, 1.0) * (1 - traits["bald"]),
        "tied": tied,
        "bun": tied * draw.chance(0.45),
        "sweep": draw.uniform(-1.0, 1.0),
        "drape": draw.chance(0.5),
    }
