"""Photos and the faces found in them, who shows what, gains by person, and a one-page report."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from fer_lib.views.faces import faces as face_grid
from fer_lib.views.style import COLOURS, INK, new_figure, synthetic_note

if TYPE_CHECKING:
    import pandas as pd

THUMB = 160
SHOWN = 24  # people in a figure, at most


def thumbnails(base: Path, paths: Sequence[str], *, side: int = THUMB) -> np.ndarray:
    """Whole photos, turned as their EXIF notes say, on white squares.

    Args:
        base: folder that the paths start from.
        paths: of N photos; one that cannot be read gives a grey square.
        side: of the squares in pixels.

    Returns:
        uint8 (N, 3, side, side).
    """
    from PIL import Image, ImageOps

    found = np.full((len(paths), side, side, 3), 255, np.uint8)
    for square, path in zip(found, paths, strict=True):
        try:
            with Image.open(base / path) as photo:
                small = ImageOps.contain(ImageOps.exif_transpose(photo).convert("RGB"), (side, side))
        except OSError:
            square[:] = 200
            continue
        top, left = (side - small.height) // 2, (side - small.width) // 2
        square[top : top + small.height, left : left + small.width] = np.asarray(small)
    return found.transpose(0, 3, 1, 2)


def contact_sheet(faces: Any, rows: Sequence[int], base: Path | None, *, labels: Sequence[str]) -> Figure:
    """Photos above, the faces cut out of them below, with a label under each.

    Args:
        faces: the FaceSet.
        rows: positions of the faces to show.
        base: folder of the photos; None shows faces only.
        labels: one a face.
    """
    cut = faces.images[np.asarray(rows)]
    if base is None:
        return face_grid(cut, labels=labels, columns=len(rows), synthetic=faces.synthetic)
    photos = thumbnails(base, [faces.table["path"].iloc[row] for row in rows])
    large = np.stack([_enlarged(face, photos.shape[-1]) for face in cut])
    several = np.asarray(faces.table["faces"] if "faces" in faces.table else np.ones(len(faces)))
    counts = [f"{int(several[row])} faces found" if several[row] > 1 else "" for row in rows]
    both = np.concatenate([photos, large])
    return face_grid(both, labels=[*counts, *labels], columns=len(rows), synthetic=faces.synthetic)


def _enlarged(face: np.ndarray, side: int) -> np.ndarray:
    from PIL import Image

    rows = (face.repeat(3, axis=0) if len(face) == 1 else face).transpose(1, 2, 0)
    return np.asarray(Image.fromarray(np.ascontiguousarray(rows)).resize((side, side))).transpose(2, 0, 1)


def who_shows_what(faces: Any) -> Figure:
    """Number of photos by person and class; by class alone where people are not known.

    Of more than `SHOWN` people those with the most photos are shown.

    Args:
        faces: a FaceSet with one class each.
    """
    number = faces.table["expression"].to_numpy()
    known = "subject" in faces.table
    who = faces.table["subject"].fillna("nobody named").astype(str) if known else ["everybody"] * len(number)
    people, place = np.unique(np.asarray(who, dtype=str), return_inverse=True)
    counts = np.zeros((len(people), len(faces.classes)), dtype=int)
    np.add.at(counts, (place, number), 1)
    order = np.argsort(-counts.sum(1), kind="stable")[:SHOWN]
    counts, people = counts[order], people[order]
    figure, (ax,) = new_figure(height=1.0 + 0.24 * len(people))
    ax.imshow(counts, cmap="Blues", aspect="auto", vmin=0, vmax=max(2 * counts.max(), 1))
    for (i, j), count in np.ndenumerate(counts):
        ax.text(j, i, str(count), ha="center", va="center", fontsize=8, color=INK)
    ax.set_xticks(range(len(faces.classes)), faces.classes, fontsize=8)
    ax.set_yticks(range(len(people)), people, fontsize=8)
    ax.set(xlabel="class", ylabel="person")
    ax.grid(False)
    return synthetic_note(figure) if faces.synthetic else figure


def gains(people: "pd.DataFrame", *, chance: float, synthetic: bool = False) -> Figure:
    """A line a person, from the share read right before adapting to that after it.

    Of more than `SHOWN` people the first and the last half of that number are shown: who gains most, and who
    gains least or loses.

    Args:
        people: subject, photos, before, after, as `fer_lib.adapt.strangers.by_person` gives them, the
            largest gain first.
        chance: share that guessing reads right, a dashed line.
        synthetic: mark the figure as made with synthetic faces.
    """
    if len(people) > SHOWN:
        people = people.iloc[[*range(SHOWN // 2), *range(len(people) - SHOWN // 2, len(people))]]
    at = np.arange(len(people))
    figure, (ax,) = new_figure(height=1.2 + 0.24 * len(people))
    ax.hlines(at, people["before"], people["after"], color=COLOURS["grey"], linewidth=2)
    ax.plot(people["before"], at, "o", color=COLOURS["orange"], label="as it is")
    ax.plot(people["after"], at, "s", color=COLOURS["blue"], label="adapted")
    ax.axvline(chance, color=INK, linewidth=1, linestyle="--")
    ax.set_yticks(at, [f"{one.subject} ({one.photos})" for one in people.itertuples()], fontsize=8)
    ax.set(xlabel="share of photos read right", xlim=(-0.02, 1.02), ylim=(len(people) - 0.4, -0.6))
    ax.legend(loc="lower right")
    return synthetic_note(figure) if synthetic else figure


def page(
    title: str,
    *,
    paragraphs: Sequence[str],
    tables: "Mapping[str, pd.DataFrame]",
    figures: Mapping[str, Figure],
) -> str:
    """A report as one HTML page that needs no other file.

    Args:
        title: of the page.
        paragraphs: plain text; special characters are escaped.
        tables: caption -> frame.
        figures: caption -> figure; the caption is also its alternative text.

    Returns:
        The page's source.

    Example:
        >>> "&lt;b&gt;" in page("Faces", paragraphs=["<b>"], tables={}, figures={})
        True
    """
    style = "body{font:16px/1.5 sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}"
    style += (
        "img{max-width:100%}table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.2rem .6rem}"
    )
    style += "figcaption,caption{color:#444;text-align:left}"
    parts = [f"<h1>{html.escape(title)}</h1>"]
    parts += [f"<p>{html.escape(text)}</p>" for text in paragraphs]
    for caption, frame in tables.items():
        body = frame.to_html(index=False, border=0, float_format=lambda value: f"{value:.2f}")
        parts.append(body.replace(">", f"><caption>{html.escape(caption)}</caption>", 1))
    for caption, figure in figures.items():
        data, words = io.BytesIO(), html.escape(caption, quote=True)
        figure.savefig(data, format="png", dpi=110)
        source = base64.b64encode(data.getvalue()).decode()
        image = f'<img alt="{words}" src="data:image/png;base64,{source}">'
        parts.append(f"<figure>{image}<figcaption>{words}</figcaption></figure>")
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{style}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'
