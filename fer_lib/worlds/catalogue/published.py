"""What is published of the corpora's annotators, with sources: what the worlds' panels are made to match."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One published figure.

    Attributes:
        corpus: whose.
        quantity: "agreement" (how often two annotators give one label), "unanimous" (share of pictures whose
            ten votes are one) or "people" (accuracy of people asked to name the corpus's labels).
        value: a share in [0, 1].
        of: what it was counted on.
        source: where it is published, or from which published file it follows.
    """

    corpus: str
    quantity: str
    value: float
    of: str
    source: str


FIGURES: tuple[Figure, ...] = (
    Figure(
        "affectnet", "agreement", 0.607, "36,000 images labelled by two annotators each, 11 labels",
        "Mollahosseini, Hasani and Mahoor (2019), section 3.3",
    ),
    Figure(
        "fer2013", "people", 0.65, "give or take 0.05; people asked to name the label",
        "Goodfellow et al. (2013), section on FER2013",
    ),
    Figure(
        "ferplus", "agreement", 0.610, "pairs among the votes of 35,887 pictures, all ten columns",
        "counted in fer2013new.csv of github.com/microsoft/FERPlus (Barsoum et al., 2016)",
    ),
    Figure(
        "ferplus", "unanimous", 0.226, "35,887 pictures with ten votes, all ten columns",
        "counted in fer2013new.csv of github.com/microsoft/FERPlus (Barsoum et al., 2016)",
    ),
)  # fmt: skip


def published_of(corpus: str) -> dict[str, float]:
    """Quantity -> value of a corpus.

    >>> published_of("ferplus")
    {'agreement': 0.61, 'unanimous': 0.226}
    """
    return {figure.quantity: figure.value for figure in FIGURES if figure.corpus == corpus}
