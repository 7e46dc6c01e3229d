"""Read a corpus laid out as folders: split / class / picture."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.datasets.faceset import SPLITS
from fer_lib.datasets.listing import MISNAMED, UNLABELLED
from fer_lib.datasets.paths import column, is_text, names_in, tree_identity, walk
from fer_lib.datasets.pictures import PictureError, decode
from fer_lib.datasets.store import Chunk, identity
from fer_lib.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


def split_folders(root: Path, names: Mapping[str, str]) -> dict[Path, str]:
    """Find the folders of splits: path -> split, in the order train, validation, test.

    Args:
        root: folder that holds them.
        names: lower-case folder name -> "train", "validation" or "test".
    """
    try:
        found = {entry: names[entry.name.lower()] for entry in root.iterdir() if entry.name.lower() in names}
    except OSError:  # no folder, or not ours to read
        return {}
    order = sorted(
        (path for path in found if path.is_dir()), key=lambda path: (SPLITS.index(found[path]), path.name)
    )
    return {path: found[path] for path in order}


def scan(root: Path, splits: Mapping[str, str], classes: Mapping[str, int]) -> pd.DataFrame:
    """List the pictures of every class folder of every split.

    Returns:
        Columns path (from root, with "/"), split, expression; in the order split, class folder, file name.

    Raises:
        DataError: a folder's name is no class, or there is no picture at all.
    """
    rows = []
    for folder, split in split_folders(root, splits).items():
        for group in (folder / name for name in sorted(names_in(folder)) if name[0] != "."):
            if group.is_dir():
                label = _label(group, classes)
                rows += [(path.relative_to(root).as_posix(), split, label) for path in pictures(group)]
    if not rows:
        rule = "the class folders must hold pictures"
        raise DataError(
            str(root), rule, f"no file ending in {', '.join(SUFFIXES)}", "Unpack the release again."
        )
    paths, parts, labels = zip(*rows, strict=True)
    return pd.DataFrame({"path": column(paths), "split": parts, "expression": np.array(labels, np.int64)})


def unnamed(root: Path, splits: Mapping[str, str], table: pd.DataFrame) -> Counter:
    """Count the pictures below the splits' folders that a table does not name: (split, reason) -> number."""
    named, count = set(table["path"]), Counter[tuple[str, str]]()
    for folder, split in split_folders(root, splits).items():
        before = folder.relative_to(root).as_posix()
        extra = sum(f"{before}/{path}" not in named for path in walk(folder, SUFFIXES))
        count[split, UNLABELLED] += extra
    return +count


def pictures(folder: Path) -> list[Path]:
    """Return the picture files of a folder by name; hidden files and other kinds of files are passed over."""
    found = (folder / name for name in sorted(names_in(folder)) if not name.startswith("."))
    return [path for path in found if path.suffix.lower() in SUFFIXES]


def identities(root: Path, splits: Mapping[str, str], *names: str) -> list[object]:
    """Describe the pictures of every split's folder by path, size and time of last change, without reading.

    Args:
        root: folder that holds the splits' folders.
        splits: as for `split_folders`.
        *names: files of each of these folders whose content counts, such as "label.csv".
    """
    files: list[object] = []
    for folder in split_folders(root, splits):
        found = walk(folder, SUFFIXES)
        files += [folder.name, *tree_identity(folder, found)]
        files += [identity(folder / name) for name in names if (folder / name).is_file()]
    return files


def chunks(root: Path, table: pd.DataFrame, *, side: int, rows: int = 512) -> Iterator[Chunk]:
    """Decode the pictures of a table, grey.

    Args:
        root: what the paths start from.
        table: column path; optionally box, ``(left, top, right, bottom)`` in pixels, cut out before use.
        side: width and height that every picture must have.
        rows: pictures a chunk.

    Yields:
        Chunks of uint8 (B, 1, side, side) with the table's rows, without box; what cannot be read is skipped.

    Raises:
        DataError: a picture has another size.
    """
    for start in range(0, len(table), rows):
        part = table.iloc[start : start + rows]
        boxes = part["box"] if "box" in part else [None] * len(part)
        images, keep, skipped = [], [], []
        for row, (path, box) in enumerate(zip(part["path"], boxes, strict=True)):
            try:
                if not is_text(path):
                    raise PictureError(path, MISNAMED, "")
                images.append(_square(root / path, box, side))
                keep.append(row)
            except PictureError as error:
                named = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
                skipped.append((named, part["split"].iloc[row], error.reason, error.detail))
        yield Chunk(
            np.stack(images) if images else np.zeros((0, 1, side, side), np.uint8),
            part.drop(columns="box", errors="ignore").iloc[keep],
            skipped=skipped,
        )


def _square(path: Path, box: tuple[int, int, int, int] | None, side: int) -> np.ndarray:
    image = decode(path, channels=1)
    if box is not None:
        left, top, right, bottom = box
        image = image[:, top:bottom, left:right]
    if image.shape != (1, side, side):
        got = f"{image.shape[2]} x {image.shape[1]}"
        raise DataError(
            str(path), f"the picture must be {side} x {side} pixels", got, "Restore the release's file."
        )
    return image


def _label(folder: Path, classes: Mapping[str, int]) -> int:
    name = folder.name.lower()
    if name in classes:
        return classes[name]
    near = difflib.get_close_matches(name, classes, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else "Rename it to its class; numbers are ambiguous."
    raise DataError(
        str(folder), f"a class folder must be named one of {', '.join(classes)}", folder.name, hint
    )
