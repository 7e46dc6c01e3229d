"""One's own faces for a chapter: the user's folder, or a demonstration folder written from a world."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fer_lib import artifacts
from fer_lib.datasets.corpora import OWN, WORLD
from fer_lib.datasets.listing import FACELESS_FRAME, LOST, NO_FACE

if TYPE_CHECKING:
    from fer_lib.datasets import FaceSet

_FACELESS = (*LOST, NO_FACE, FACELESS_FRAME)
_DEMO = 2  # raise when the demonstration folder is to be written anew


@dataclass(frozen=True)
class OwnFaces:
    """Faces and where they came from.

    Args:
        faces: all splits.
        name: that `fer_lib.datasets.load` and `fer data check` take: "folder", or of a corpus.
        root: the folder that holds the photos.
        missed: paths, from `base`, of photos without a face, or that could not be read.
        base: folder that the paths start from; None where a corpus keeps no picture files.
        lost: how many photos (of films: frames) had no face, or could not be read.
    """

    faces: "FaceSet"
    name: str
    root: Path
    missed: tuple[str, ...]
    base: Path | None
    lost: int


def own_faces(
    dataset: str,
    root: str | Path,
    *,
    size: int,
    demo: int | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> OwnFaces:
    """Load one's own faces, all splits together, with one class each.

    Args:
        dataset: "folder" with a root; a corpus with its root; or a world, from which a folder of synthetic
            photos is written first and then read as anybody's folder is.
        root: the folder; "" for a world.
        size: side of the faces in pixels.
        demo: photos of the demonstration folder; None writes the whole world.
        limit: at most so many faces are taken, drawn at random; None takes all.
        seed: of both.

    Raises:
        DataError: no root, no photos, no labels, ...
        ValueError: the faces have no classes; names the corpora that have.
    """
    from fer_lib.datasets import load
    from fer_lib.datasets.load import find_root
    from fer_lib.train.parts import check_task, some

    if dataset != OWN.name or root:  # without a root, find_root says what is missing
        check_task(dataset, ["categorical"], root=root or None)

    name = dataset
    if dataset.startswith(WORLD):
        name, root = OWN.name, demo_folder(dataset, limit=demo, seed=seed)
    place = find_root(name, root)
    faces = load(name, root=place, split="all", size=size, task="categorical")
    listed, base = _listed(name, place)
    there = set(faces.table["path"]) if "path" in faces.table else set()
    missed = tuple(path for path in listed if path not in there)
    lost = len(missed) if listed else sum(faces.dropped.get(reason, 0) for reason in _FACELESS)
    return OwnFaces(some(faces, limit, seed=seed), name, place, missed, base, lost)


def run_folder() -> Path:
    """Where a chapter's run keeps its files; by hand, the library's own folder."""
    run = os.environ.get("FER_RUN_DIR")
    return Path(run) if run else artifacts.home() / "results" / "interactive"


def demo_folder(world: str, *, limit: int | None, seed: int) -> Path:
    """Folder of photos of a world's people, written once; a note in it says that they are synthetic."""
    from fer_lib.datasets.releases import write_release

    def make(folder: Path) -> None:
        write_release(
            world, folder / "photos", limit=limit, seed=seed, size=128, form="folder", progress=False
        )

    name = artifacts.key(version=_DEMO, world=world, limit=limit, seed=seed)
    return artifacts.build_once("own_faces", name, make) / "photos"


def _listed(name: str, root: Path) -> tuple[list[str], Path | None]:
    """Every picture that the labels name, and the folder their paths start from."""
    from fer_lib.datasets.load import READERS

    release = READERS[name].release(root)
    if release.media != "pictures" or release.chunks is not None:
        return [], None
    return release.listing().table["path"].tolist(), release.root
