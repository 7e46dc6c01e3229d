"""A card for each corpus: what it shows, who read it, its terms, its known faults, and its world."""

import base64
import html
import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fer_lib.datasets import describe
from fer_lib.worlds import WORLDS

# name: (what and whom it shows, how it was labelled, known faults)
ABOUT: dict[str, tuple[str, str, str]] = {
    "affectnet": (
        "Faces found by web search with emotion words in six languages; people of all ages, in the wild.",
        "One trained annotator a picture: one of eight emotions and a point of valence and arousal. Two read "
        "some of them and gave the same emotion to about 61 %.",
        "One reading a picture; nearly half of the training part is happiness; test labels are not public.",
    ),
    "masked_affectnet": (
        "AffectNet's pictures with a face mask drawn over mouth and nose.",
        "AffectNet's labels, given before the mask was there.",
        "Labels that only the hidden half of the face could justify; drawn masks, not worn ones.",
    ),
    "fer2013": (
        "Grey faces of 48 x 48 pixels, found by web search with emotion words and cut out by a detector.",
        "The search word, cleaned by people: one of seven emotions. People reached about 65 %.",
        "Wrong labels, pictures without a face, copies of training pictures among the test pictures.",
    ),
    "ferplus": (
        "The pictures of FER2013.",
        "Ten crowd workers a picture: votes for eight emotions, unknown, not a face.",
        "Contempt and disgust are rare; the copies of FER2013 stay; its two published label files differ.",
    ),
    "jaffe": (
        "Ten Japanese women in a studio, three or four pictures of each expression, grey, 256 x 256.",
        "The expression that was asked for; students' mean ratings come with it.",
        "Small, one sex, one studio; in places the ratings contradict the pose.",
    ),
    "omg_emotion": (
        "People who talk to their camera in online videos, cut into utterances.",
        "At least five crowd workers an utterance, in order and in context: arousal from 0 to 1, valence "
        "from -1 to 1, one of seven emotions.",
        "Videos that have vanished; a label for a whole utterance says little about a frame.",
    ),
    "elderreact": (
        "People above fifty who react to videos, filmed by one online channel.",
        "Crowd workers: six emotions present or absent, and valence from 1 to 7.",
        "People talk in most clips; few subjects; fear and disgust are rare.",
    ),
    "emoreact": (
        "Children of 4 to 14 years who react to things that are shown to them, filmed by one online channel.",
        "Crowd workers: eight states present or absent, several at once, and valence from 1 to 7.",
        "One studio and one style of cutting; some states occur in few clips.",
    ),
    "fabo": (
        "Twenty-three people acting emotions from a scenario, filmed by one camera for the face and one for "
        "the body.",
        "Six observers; apex frames are marked.",
        "Acted; no official layout is public, so a manifest must name the clips.",
    ),
    "amigos": (
        "Forty people alone before short films, filmed from the front.",
        "Three annotators: valence and arousal of each segment of 20 seconds.",
        "Long stillness; annotators use different parts of the scale; few values lie outside it.",
    ),
    "affwild2": (
        "Reactions in online videos, frame by frame, in the wild.",
        "Valence and arousal drawn with a joystick while the video ran; expressions by experts.",
        "Annotations lag behind the face; unreadable frames are marked; neighbours are near copies.",
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
    values = (
        shows, labels, ", ".join(info.classes) or "none: valence and arousal", f"{sizes} ({info.unit}s)",
        info.protocol, METRICS[world.metric], info.licence, info.obtain, faults,
        f"{look}. {world.why}".strip(), info.reference,
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
