"""Load releases with one fault in them, and see that what comes of it is what the documents promise.

A fault ends in one clear `DataError`, in a skip that is counted and listed, or in nothing at all; and it
never leaves a store that is half there. The tables of cases are in test_faults_*.py; the releases are written
from tiny worlds, once for all of them.
"""

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from faults import Harm

from fer_lib import artifacts
from fer_lib.datasets import load
from fer_lib.datasets.listing import FACELESS_CLIP, LOST, MISFIT, NO_FACE
from fer_lib.datasets.load import READERS
from fer_lib.datasets.releases import write_release
from fer_lib.datasets.store import open_store
from fer_lib.errors import DataError
from fer_lib.worlds import World

WHOLE = {"framing": "whole"}
WRITTEN: dict[tuple[str, str], dict[str, Any]] = {  # how a release is written, and the options of its loads
    ("affectnet", "csv"): {"limit": 8, "size": 48, "options": WHOLE},
    ("affectnet", "npy"): {"limit": 8, "size": 48, "options": WHOLE},
    ("masked_affectnet", "npy"): {"limit": 8, "size": 48, "options": WHOLE},
    ("fer2013", "csv"): {"limit": 8},
    ("fer2013", "challenge"): {"limit": 8},
    ("fer2013", "folders"): {"limit": 12},
    ("ferplus", "csv"): {"limit": 8},
    ("ferplus", "folders"): {"limit": 12},
    ("jaffe", "tiff"): {"limit": 8, "size": 48, "options": WHOLE},
    ("omg_emotion", ""): {"limit": 20, "size": 48, "fps": 1, "options": WHOLE},
    ("elderreact", ""): {"limit": 24, "size": 48, "fps": 1, "options": WHOLE},
    ("emoreact", ""): {"limit": 24, "size": 48, "fps": 1, "options": WHOLE},
    ("fabo", ""): {"limit": 32, "size": 48, "fps": 5, "frames": 24, "options": WHOLE},
    ("amigos", ""): {"limit": 32, "size": 48, "fps": 1, "options": WHOLE},
    ("folder", "folders"): {"options": WHOLE},
    ("folder", "csv"): {"options": WHOLE},
    ("affwild2", ""): {"limit": 32, "size": 48, "options": WHOLE | {"every": 1}},
}
FORMS = tuple(WRITTEN)


@dataclass(frozen=True)
class Base:
    """A release without a fault, and what it reads as."""

    folder: Path
    place: Path  # of the reader's root in it
    options: dict[str, Any]
    records: list[tuple[str, str]]  # path, and everything else of a row with its picture
    dropped: Counter
    mended: Counter
    fingerprint: str

    @property
    def kept(self) -> list[str]:
        """Files of the rows, each once, in the order of the table."""
        return list(dict.fromkeys(path for path, _ in self.records))


@dataclass(frozen=True)
class Case:
    """One fault of one corpus, and what must come of it.

    Args:
        corpus, form: which release.
        fault: its name.
        harm: puts it in.
        error: pattern of the one error; "" loads without one.
        dropped, mended: what is counted beyond the release's own; below 0, what is not counted any more.
        options: of `load`, beyond the release's own.
        stored: pictures are stored all the same, whole: only their labels are refused.
        changed: the files that `harm` names are not lost, but read otherwise than before.
    """

    corpus: str
    form: str
    fault: str
    harm: Harm
    error: str = ""
    dropped: dict[str, int] = field(default_factory=dict)
    mended: dict[str, int] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    stored: bool = False
    changed: bool = False

    def __str__(self) -> str:
        return f"{self.corpus} {self.form}: {self.fault}"


def read(corpus: str, root: str | Path, **options: Any):
    """Load every split of a release."""
    return load(corpus, root=root, split="all", **{"progress": False} | options)


def records(faces) -> list[tuple[str, str]]:
    """A row's path, and its whole content as a text, with a mark of its picture."""
    rows = faces.table.astype(object).to_dict("records")
    marks = [artifacts.key(picture=image.tobytes().hex()) for image in faces.images]
    return [(row["path"], f"{row} {mark}") for row, mark in zip(rows, marks, strict=True)]


def base(corpus: str, form: str, tmp_path_factory, **options: Any) -> Base:
    """The release without a fault, written once a test session."""
    how = dict(WRITTEN[corpus, form])
    options = how.pop("options", {}) | options
    shelf_of_all = tmp_path_factory.getbasetemp() / "releases"
    folder = shelf_of_all / f"{corpus}-{form or 'usual'}"
    name = (str(folder), str(options))
    if name not in _BASES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FER_HOME", str(shelf_of_all / "home"))
            patch.setattr(World, "frames", _shaken(World.frames, how.pop("frames", 8)))
            if corpus == "folder":
                _own_photos(folder, form)
            elif not folder.exists():
                write_release(f"world:{corpus}", folder, form=form or None, progress=False, **how)
            faces = read(corpus, folder, **options)
            assert not {*faces.dropped} & {*LOST}
        place = READERS[corpus].release(folder).root.relative_to(folder)
        counted = Counter(faces.dropped), Counter(faces.mended)
        _BASES[name] = Base(folder, place, options, records(faces), *counted, faces.fingerprint)
    return _BASES[name]


def _own_photos(folder: Path, form: str) -> None:
    """Write ten photos in two class folders, or a table beside them."""
    from PIL import Image

    names = [f"{('happy', 'sad')[row % 2]}/p{row}.png" for row in range(10)]
    for row, name in enumerate(names):
        path = folder / ("photos" if form == "csv" else "") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        photo = np.random.default_rng(row).integers(0, 256, (40, 50, 3), np.uint8)
        Image.fromarray(photo).save(path)
    if form == "csv":
        rows = [f"photos/{at},p{row},{at.split('/')[0]},0.{row},-0.{row}" for row, at in enumerate(names)]
        text = "\n".join(["path,subject,expression,valence,arousal", *rows, ""])
        (folder / "faces.csv").write_text(text)


_BASES: dict[tuple[str, str], Base] = {}


def _shaken(frames: Callable[..., Any], number: int) -> Callable[..., Any]:
    """Render one frame of a clip only, and move it about for the others: the faults are not about faces."""

    def quick(world: World, split: str, clip: int, **options: Any):
        stride = options.pop("stride", 1)
        images, truth = frames(world, split, clip, stride=10**6, **options)
        moved = np.stack([np.roll(images[0], 2 * step, axis=-1) for step in range(number)])
        times = truth.iloc[[0] * number].reset_index(drop=True)
        return moved, times.assign(frame=np.arange(number) * stride)

    return quick


def assert_as_told(case: Case, good: Base, root: Path, *, around: Any = None) -> None:
    """Copy a release, put the fault in, load it twice (inside `around`), and compare with what must come."""
    shutil.copytree(good.folder, root)
    lost = case.harm(root / good.place, good.kept) or []
    with around or contextlib.nullcontext():
        _assert_read(case, good, root, lost)


def _assert_read(case: Case, good: Base, root: Path, lost: list[str]) -> None:
    options = good.options | case.options
    if case.error:
        refused(case, lambda: read(case.corpus, root, **options))
        assert len(shelf()) == int(case.stored)
        return
    faces = read(case.corpus, root, **options)
    compare(faces, good, lost, changed=case.changed)
    assert faces.dropped == _added(good.dropped, case.dropped)
    assert faces.mended == _added(good.mended, case.mended)
    (store,) = shelf()
    listed = {*LOST, MISFIT, NO_FACE, FACELESS_CLIP}
    reasons = {why for why, more in case.dropped.items() if more > 0 and why in listed}
    if lost and reasons:
        told = pd.read_csv(store / "skipped.csv", keep_default_na=False)
        assert all(path.endswith(tuple(told["path"])) for path in lost)
        assert reasons <= set(told["reason"])
    again = read(case.corpus, root, **options)
    assert (again.fingerprint, again.dropped, again.mended) == (
        faces.fingerprint,
        faces.dropped,
        faces.mended,
    )


def _added(before: Counter, more: dict[str, int]) -> dict[str, int]:
    return {why: before[why] + more.get(why, 0) for why in {*before, *more} if before[why] + more.get(why, 0)}


def compare(faces, good: Base, lost: list[str], *, changed: bool) -> None:
    """Every row that is not lost reads as it did before, picture and all."""
    found = records(faces)
    if changed:
        assert sorted(path for path, _ in found) == sorted(path for path, _ in good.records)
        assert {record for record in found if record[0] in lost} - set(good.records)
        found = [record for record in found if record[0] not in lost]
    assert sorted(found) == sorted(record for record in good.records if record[0] not in lost)


def refused(case: Case, call: Callable[[], object]) -> None:
    """Expect one clear error: where, rule, value, and what to do; of a length that a reader can take in."""
    with pytest.raises(DataError, match=case.error) as caught:
        call()
    text = str(caught.value)
    assert "; got " in text
    assert text.endswith((".", "?"))
    assert len(text.replace(str(caught.value.where), "")) < 500


def shelf(*, drafts: bool = False) -> list[Path]:
    """Finished stores; each must open, and there must be no draft beside them unless `drafts` allows it."""
    folder = artifacts.home() / "faces"
    entries = [path for path in folder.iterdir() if path.suffix != ".lock"] if folder.exists() else []
    finished = [path for path in entries if not path.name.startswith(".")]
    assert drafts or len(finished) == len(entries)
    for path in finished:
        open_store(path)
    return finished
