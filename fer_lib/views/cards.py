"""A card for each corpus: what it shows, who read it, its terms, its known faults, and its world."""

import base64
import html
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fer_lib.datasets import describe, limit_for
from fer_lib.datasets.sizes import PROFILES
from fer_lib.worlds import WORLDS

# name: (what and whom it shows, how it was labelled, known faults)
ABOUT: dict[str, tuple[str, str, str]] = {
    "affectnet": (
        "Faces found by web search with emotion words in six languages; people of all ages, in the wild.",
        "One annotator a picture: one of eight emotions and a point of valence and arousal. Two people read "
        "36,000 of them and agreed on about 61 %, as its paper reports.",
        "One reading a picture; nearly half of the training part is happiness; test labels are not public.",
    ),
    "masked_affectnet": (
        "AffectNet's pictures with a face mask drawn over mouth and nose.",
        "AffectNet's labels, given before the mask was there.",
        "Labels that only the hidden half of the face could justify; drawn masks, not worn ones.",
    ),
    "fer2013": (
        "Grey faces of 48 x 48 pixels, found by web search with emotion words and cut out by a detector.",
        "The search word, checked by people: one of seven emotions. Its paper reports that people reach "
        "65 %, give or take 5.",
        "Wrong labels, pictures without a face, copies of training pictures among the test pictures.",
    ),
    "ferplus": (
        "The pictures of FER2013.",
        "Ten crowd workers a picture: votes for eight emotions, unknown, not a face.",
        "Contempt and disgust are rare; the copies of FER2013 stay; its two published label files differ on "
        "some 1,600 pictures.",
    ),
    "jaffe": (
        "Ten Japanese women posing, about three pictures of each expression, grey, 256 x 256.",
        "The expression that was asked for; mean ratings by Japanese viewers come with it.",
        "Small, one sex, posed; the ratings need not agree with the pose.",
    ),
    "omg_emotion": (
        "Monologues and acted scenes in online videos, one person each, cut into utterances.",
        "At least five crowd workers an utterance, in order and in context: arousal from 0 to 1, valence "
        "from -1 to 1, one of seven emotions.",
        "Its videos lie on a public site, where some vanish; the label of an utterance says little about one "
        "frame.",
    ),
    "elderreact": (
        "Forty-six elderly people who react to what they are shown, in short online clips.",
        "Human annotators: six emotions present or absent, and valence from 1 to 7.",
        "Few subjects; people often talk, and a talking mouth can look like an expression.",
    ),
    "emoreact": (
        "Sixty-three children of 4 to 14 years who react to what they are shown, in short online clips.",
        "Three crowd workers a clip: eight states present or absent, several at once; valence from 1 to 7.",
        "Few subjects, who fidget, turn away and cover their faces.",
    ),
    "fabo": (
        "People who act emotions on request, about twenty-three of them, filmed by one camera for the face "
        "and one for the body.",
        "One of nine states a video, that of its apex; observers labelled the videos as well.",
        "Acted; no official layout is public, so a manifest must name the clips. Size as in Face-STN.",
    ),
    "amigos": (
        "Forty people, each alone before sixteen short films, filmed from the front.",
        "Three annotators: valence and arousal of each segment of 20 seconds.",
        "People sit still for long; annotators differ; a few values lie outside the scale.",
    ),
    "affwild2": (
        "People in online videos, many of them reacting to something they watch, in the wild.",
        "Each frame: valence and arousal, drawn with a joystick while the video ran; one of seven "
        "expressions for a part of the videos.",
        "Annotations drawn live lag behind the face; frames without a valid label are marked; neighbours "
        "are near copies.",
    ),
}
ROWS = (
    "Shows", "Labels", "Classes", "Size", "Split and protocol", "Metric", "Licence", "How to get it",
    "Known faults", "Its world", "Paper",
)  # fmt: skip
KINDS = {
    "categorical": "emotions",
    "distribution": "votes",
    "valence_arousal": "valence and arousal",
    "multi_label": "several states at once",
}
METRICS = {
    "ccc": "concordance correlation (CCC)",
    "accuracy": "accuracy",
    "mean_class_accuracy": "mean class accuracy",
    "macro_f1": "macro F1",
}
_STYLE = """<style>
.cell_output .text_html:has(.corpus-cards){padding:0!important;background:transparent!important;
color:inherit!important}
.corpus-cards details{margin:.35rem 0;padding:.4rem .8rem;border:1px solid var(--pst-color-border,#ccc);
border-radius:10px;background:var(--pst-color-surface,#f7f7f7);color:inherit}
.corpus-cards summary{cursor:pointer}.corpus-cards summary span{opacity:.75}
.corpus-cards table{width:100%;margin:.5rem 0;border-collapse:collapse;font-size:.86em}
.corpus-cards th{width:8.5rem;text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0;font-weight:600}
.corpus-cards td{text-align:left;vertical-align:top;padding:.2rem 0;white-space:normal}
.corpus-cards img{display:block;width:100%;max-width:34rem;margin:.5rem 0;border-radius:6px}
</style>"""


@dataclass(frozen=True)
class Cards:
    """Shows itself as a list of cards that open."""

    page: str

    def _repr_html_(self) -> str:
        return self.page

    def __repr__(self) -> str:
        return "Cards of the corpora."


def card(name: str) -> dict[str, str]:
    """The facts of one corpus by row: those of ``describe``, of its world, and of the table above."""
    info, world = describe(name), WORLDS[name]
    shows, labels, faults = ABOUT[name]
    sizes = ", ".join(f"{split} {count:,}" for split, count in info.counts.items()) or "as published"
    look = f"{world.size} x {world.size}, {'colour' if world.channels == 3 else 'grey'}"
    whole = world.counts["train"]
    taken = ", ".join(
        f"{limit_for(f'world:{name}', profile) or whole:,} in {profile}" for profile in PROFILES
    )
    values = (
        shows, labels, ", ".join(info.classes) or "none: valence and arousal", f"{sizes} ({info.unit}s)",
        info.protocol, METRICS[world.metric], info.licence, info.access, faults,
        f"{look}. {world.why} Training faces by profile: {taken}.", info.reference,
    )  # fmt: skip
    return dict(zip(ROWS, values, strict=True))


def corpus_cards(strips: Mapping[str, np.ndarray]) -> Cards:
    """Cards with a strip of synthetic faces from each corpus's world.

    Args:
        strips: corpus -> (N,C,H,W) uint8 pictures of its world, a handful each.
    """
    parts = []
    for name, images in strips.items():
        info, world = describe(name), WORLDS[name]
        kind, units = KINDS[world.task], "clips" if world.unit == "sequence" else "pictures"
        facts = card(name).items()
        rows = "".join(f"<tr><th>{row}</th><td>{html.escape(text)}</td></tr>" for row, text in facts)
        parts.append(
            f"<details><summary><b>{html.escape(info.title)}</b> <span>· {kind} · {units}</span></summary>"
            f'<img alt="Synthetic faces of the world that stands in for {html.escape(info.title)}" '
            f'src="{_strip(images)}"><table><tbody>{rows}</tbody></table></details>'
        )
    return Cards(f'<div class="corpus-cards">{_STYLE}{"".join(parts)}</div>')


def _strip(images: np.ndarray) -> str:
    """Pictures side by side as a data address."""
    from PIL import Image

    row = np.concatenate(list(np.asarray(images)), -1).transpose(1, 2, 0)
    row = row.repeat(3, -1) if row.shape[2] == 1 else row
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(row)).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
