"""Features of a frozen encoder: computed once for each face, kept on disk, read in every epoch.

What learns behind a frozen encoder never needs the pictures again. The key of what is kept holds all that
the numbers depend on: the encoder's weights, the faces, the stage and the views; nothing can be out of date.
"""

import hashlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fer_lib import artifacts
from fer_lib.augment import Augmentation, augment
from fer_lib.encoders.contract import Encoder
from fer_lib.errors import DataError
from fer_lib.preprocess import prepare
from fer_lib.provenance import code_key
from fer_lib.train.batches import DeviceFaces
from fer_lib.train.device import device
from fer_lib.train.randomness import epoch_seed

SHELF = "features"
CACHED = ("trunk", "units", "map")
VIEWS = Augmentation(flip=0.5, rotate_deg=8, zoom=0.08, shift=0.05, brightness=0.1, contrast=0.2)


class FeatureSet:
    """Cached features in place of the pictures of a face set; trains and is predicted like one.

    Args:
        faces: the FaceSet or SequenceSet that the features are of.
        arrays: one array (views * frames, C, h, w), float32, or two for the stage "units".
        stage: where they were taken, one of `CACHED`.
        views: how many times each face was encoded; the first time without augmentation.
        fingerprint: names the numbers.
    """

    def __init__(
        self, faces: Any, arrays: tuple[np.ndarray, ...], *, stage: str, views: int, fingerprint: str
    ) -> None:
        self.faces, self.arrays, self.stage = faces, arrays, stage
        self.views, self.fingerprint = views, fingerprint
        self.task, self.classes, self.metric = faces.task, faces.classes, faces.metric
        self._index = getattr(faces, "index", None)  # frames of each clip, (M, T)

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def item_bytes(self) -> int:
        """Bytes of the features of one face, or of one clip."""
        frames = 1 if self._index is None else self._index.shape[1]
        return frames * sum(4 * int(np.prod(array.shape[1:])) for array in self.arrays)

    def targets(self) -> Tensor:
        """The labels, as the face set gives them."""
        return self.faces.targets()

    def training_targets(self) -> Tensor:
        """What the loss compares with, see ``fer_lib.train.sides``; the labels where there is no more."""
        return getattr(self.faces, "training_targets", self.faces.targets)()

    def batch(self, index: np.ndarray) -> Tensor | tuple[Tensor, Tensor]:
        """Features at rows: (B, C, h, w), or (B, T, C, h, w) of clips; a pair for the stage "units".

        Args:
            index: rows in [0, N), plus k * N for the k-th view.
        """
        rows = np.asarray(index)
        if self._index is not None:
            view, clip = np.divmod(rows, len(self))
            frames = len(self.arrays[0]) // self.views
            rows = self._index[clip] + (view * frames)[:, None]
        parts = tuple(torch.from_numpy(np.ascontiguousarray(array[rows])) for array in self.arrays)
        return parts[0] if len(parts) == 1 else (parts[0], parts[1])


def features_of(
    encoder: Encoder, faces: Any, stage: str, *, views: int = 1, seed: int = 0, cache: bool = True
) -> FeatureSet:
    """Encode every face of a set once, or open what was kept of an earlier time.

    The encoder runs in evaluation mode and float32; where training without a cache encodes in half precision
    (on CUDA), the two differ by that rounding. With ``views`` above 1, each face is encoded again under
    changes drawn once (`VIEWS`); training then draws a view of each face in every epoch. That is a part of
    what augmentation gives at a part of its price: the same few views come back (chapter 07 measures both).

    Args:
        encoder: any encoder of the contract; moved to ``fer_lib.train.device``, not changed otherwise.
        faces: a FaceSet or a SequenceSet.
        stage: "map" for what the encoder gives, "trunk" for what goes into its last convolution, "units" for
            that and the answer of ``last_conv.units``.
        views: how often each face is encoded, at least 1.
        seed: draws the changes of the further views.
        cache: keep them on disk; False computes them in memory.

    Returns:
        The features, memory-mapped where they are kept.

    Raises:
        ValueError: an unknown stage, fewer than one view, or no faces.
        DataError: what was kept is damaged; names the folder to delete.
    """
    _check(faces, stage, views)
    # Also where nothing is encoded: what is joined to it later must lie on one device. The layout is that of
    # ``fit``, so that convolutions round alike.
    encoder.to(device()).to(memory_format=torch.channels_last)
    frames = getattr(faces, "frames", faces)
    name = artifacts.key(
        code=code_key(__name__), encoder=weights_key(encoder), faces=frames.origin, rows=_digest(frames.rows),
        device=device().type, stage=stage, views=views,
        changes=[seed, _plain(VIEWS)] if views > 1 else None,
    )  # fmt: skip
    fingerprint = artifacts.key(features=name, labels=faces.fingerprint)
    if cache:
        folder = artifacts.build_once(
            SHELF, name, lambda place: _write(encoder, frames, stage, views, seed, place)
        )
        arrays = _opened(folder, 2 if stage == "units" else 1, views * len(frames))
    else:
        parts = list(_encoded(encoder, frames, stage, views, seed))
        arrays = tuple(np.concatenate([part[k] for part in parts]) for k in range(len(parts[0])))
    return FeatureSet(faces, arrays, stage=stage, views=views, fingerprint=fingerprint)


def weights_key(encoder: Encoder) -> str:
    """Name of an encoder: its options, every number it keeps, and the code that turns faces into a map.

    Of an encoder from outside the library the source of its class counts, not what that calls.

    Raises:
        OSError: such a class has no source, as one typed at a prompt.
    """
    digest = hashlib.sha256(json.dumps(encoder.options, sort_keys=True).encode())
    module = type(encoder).__module__
    own = module.startswith("fer_lib.")
    digest.update((code_key(module) if own else module + inspect.getsource(type(encoder))).encode())
    for name, value in sorted(encoder.state_dict().items()):
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _check(faces: Any, stage: str, views: int) -> None:
    if stage not in CACHED:
        raise ValueError(f"stage must be one of {', '.join(CACHED)}; got {stage!r}. Choose one of these.")
    if views < 1:
        raise ValueError(f"views must be at least 1; got {views}. 1 encodes each face as it is.")
    if len(faces) == 0:
        raise ValueError("faces must hold at least one image; got 0. Check the split and the filters.")


@torch.no_grad()
def _encoded(
    encoder: Encoder, frames: Any, stage: str, views: int, seed: int, batch_size: int = 128
) -> Iterator[tuple[np.ndarray, ...]]:
    """The features of some faces after the other, view by view."""
    batches, spec, was_training = DeviceFaces(frames, device()), encoder.input_spec, encoder.training
    encoder.eval()
    try:
        for view in range(views):
            generator = torch.Generator().manual_seed(epoch_seed(seed, view, "view"))
            for index in torch.arange(len(frames)).split(batch_size):
                images = prepare(batches.images(index), spec)
                if view:
                    images = augment(images, VIEWS, generator=generator, low=spec.low, high=spec.high)
                yield tuple(part.float().cpu().numpy() for part in _stage(encoder, images, stage))
    finally:
        encoder.train(was_training)


def _stage(encoder: Encoder, images: Tensor, stage: str) -> tuple[Tensor, ...]:
    before = encoder.trunk(encoder.check(images))
    if stage == "map":
        return (encoder.last_conv(before),)
    return (before,) if stage == "trunk" else (before, encoder.last_conv.units(before))


def _write(encoder: Encoder, frames: Any, stage: str, views: int, seed: int, place: Path) -> None:
    rows, start = views * len(frames), 0
    files: list[np.memmap] = []
    for parts in _encoded(encoder, frames, stage, views, seed):
        if not files:
            files = [
                np.lib.format.open_memmap(
                    place / f"part_{k}.npy", mode="w+", dtype=np.float32, shape=(rows, *part.shape[1:])
                )
                for k, part in enumerate(parts)
            ]
        for file, part in zip(files, parts, strict=True):
            file[start : start + len(part)] = part
        start += len(parts[0])
    for file in files:
        file.flush()


def _opened(folder: Path, parts: int, rows: int) -> tuple[np.ndarray, ...]:
    """The arrays that :func:`_write` left in a folder, memory-mapped."""
    fix = f"Delete the folder {folder}; it is made anew."
    arrays = []
    for k in range(parts):
        where = f"{folder.name}/part_{k}.npy"
        try:
            array = np.load(folder / f"part_{k}.npy", mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise DataError(where, "must be a whole file of features", str(error), fix) from error
        if array.dtype != np.float32 or array.ndim < 2 or len(array) != rows:
            found = f"{array.dtype} {array.shape}"
            raise DataError(where, f"must hold float32 features of {rows} faces", found, fix)
        arrays.append(array)
    return tuple(arrays)


def _digest(rows: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(rows, dtype=np.int64).tobytes()).hexdigest()[:16]


def _plain(changes: Augmentation) -> dict[str, Any]:
    from dataclasses import asdict

    return json.loads(json.dumps(asdict(changes)))
