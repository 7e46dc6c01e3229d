"""The affective memory of one person: a network of prototypes that starts from painted faces (chapter 10)."""

import hashlib
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import clone
from torch import Tensor

from fer_lib.errors import DataError
from fer_lib.memory import files
from fer_lib.memory.affects import FINE, Lattice
from fer_lib.memory.gwr import GrowWhenRequired
from fer_lib.memory.inputs import as_pictures
from fer_lib.memory.parameters import check_count, check_parameters
from fer_lib.memory.rule import Step
from fer_lib.preprocess import prepare
from fer_lib.pretrain.autoencoder import PKAutoencoder, to_arousal_valence
from fer_lib.train.device import device

if TYPE_CHECKING:
    import pandas as pd

STARTS = ("generated", "frames")
OPTIONS = ("start", "generated", "paint_until", "per_frame", "lattice", "seed")
BATCH = 64
FORM = "fer_lib.memory.affective.1"


@dataclass(frozen=True)
class Perceived:
    """What one frame did to the memory.

    Args:
        frame: number of the frame, from 0.
        valence, arousal: read from the winner before the frame was learned.
        size: nodes after it.
        activity, distance: of the winner when the frame came.
        habituation: counter of the winner after it, see ``Step``.
        inserted: nodes added for this frame, painted ones included; with frame 0 all that there are at first.
        removed: nodes taken away.
        error: root of the mean squared error over both affects; NaN where no truth was told.
        seconds: spent on the frame, encoding included.
    """

    frame: int
    valence: float
    arousal: float
    size: int
    activity: float
    habituation: float
    distance: float
    inserted: int
    removed: int
    error: float
    seconds: float


class AffectiveMemory:
    """Valence and arousal of one person, frame by frame, from a memory that learns while it looks.

    The first frame makes the memory: the prior knowledge paints that face with ``generated`` affects, and the
    codes of these pictures, with the affects as labels, are what the network first learns. Then each frame is
    answered by the label of its winner, and only after that learned. Painted faces move weights and labels;
    seen faces move weights alone, for nobody tells their affect. Up to frame ``paint_until`` a few more
    pictures are painted of each frame; later the memory lives on what it sees.

    It holds at most ``network.max_nodes`` prototypes and the last ``trace_length`` rows of its trace, however
    long the stream.

    Args:
        prior: trained autoencoder. It is moved to the device and set to evaluation; no weight changes.
        network: whose parameters to take; None takes the papers'. It is cloned.
        start: "generated" as above; "frames" paints nothing, and the first ``paint_until`` frames are
            labelled by the prior's own reading, D_em (to see what painting is worth).
        generated: pictures painted of the first frame, at least 2.
        paint_until: frames of which pictures are painted; 1 paints the first alone.
        per_frame: pictures painted of each of the others up to there.
        lattice: values of each affect that can be painted, at least 2: 201 are steps of .01 over [-1, 1]; 7
            with ``generated=49`` is a coarse grid.
        trace_length: rows of the trace that are kept.
        seed: draws the affects to paint, and the order they are learned in; the network's own is not used.

    Attributes:
        network: what was learned.
        frames: how many were perceived.

    Raises:
        ValueError: a number out of its range, or a start there is not.
        TypeError: another kind of prior.

    Example:
        >>> from fer_lib.encoders import make_encoder
        >>> prior = PKAutoencoder(make_encoder("pk", width=0.125, size=32))
        >>> memory = AffectiveMemory(prior, generated=20)
        >>> answers = memory.perceive(np.zeros((3, 3, 32, 32), np.uint8))
        >>> answers.shape, memory.frames, len(memory.trace)
        ((3, 2), 3, 3)

    Reference: Barros, Parisi and Wermter (2019), section 2.2 and Table 1. Chapter 10.
    """

    def __init__(
        self,
        prior: PKAutoencoder,
        *,
        network: GrowWhenRequired | None = None,
        start: str = "generated",
        generated: int = 200,
        paint_until: int = 25,
        per_frame: int = 8,
        lattice: int = FINE,
        trace_length: int = 100_000,
        seed: int = 0,
    ) -> None:
        for name, value, least in (
            ("generated", generated, 2), ("paint_until", paint_until, 1), ("per_frame", per_frame, 0),
            ("lattice", lattice, 2), ("trace_length", trace_length, 1), ("seed", seed, 0),
        ):  # fmt: skip
            check_count(name, value, least)
        if not isinstance(prior, PKAutoencoder):
            told = f"prior must be a PKAutoencoder; got {type(prior).__name__}. Of a Trained, give .whole."
            raise TypeError(told)
        if start not in STARTS:
            raise ValueError(f"start must be one of {', '.join(STARTS)}; got {start!r}. Choose one.")
        if start == "frames" and prior.d_em is None:
            raise ValueError(
                "start must be generated with a prior that has no D_em; got 'frames'. Nobody could label the "
                "first frames; take a prior with d_em=True."
            )
        self.prior = prior.to(device()).eval()
        self.network = clone(GrowWhenRequired() if network is None else network)
        check_parameters(self.network.set_params(random_state=seed))
        self.start, self.generated, self.lattice, self.seed = start, generated, lattice, seed
        self.paint_until, self.per_frame, self.frames = paint_until, per_frame, 0
        self._affects = Lattice(lattice, seed=seed)
        self._trace: deque[Perceived] = deque(maxlen=trace_length)

    @property
    def trace(self) -> "pd.DataFrame":
        """One row a frame, see `Perceived`."""
        import pandas as pd

        return pd.DataFrame(
            [asdict(row) for row in self._trace], columns=[field.name for field in fields(Perceived)]
        )

    def perceive(self, faces: np.ndarray | Tensor, targets: ArrayLike | Tensor | None = None) -> np.ndarray:
        """Answer frames in the order given, and learn from each after its answer.

        Args:
            faces: (N, C, H, W) or (C, H, W), uint8 as a FaceSet holds them; C is 1 or 3, and any H and W
                are brought to what the prior takes.
            targets: (N, 2) true valence and arousal, for the errors in the trace alone; NaN where unknown.
                Nothing is learned from them.

        Returns:
            (N, 2) valence and arousal in [-1, 1].

        Raises:
            ValueError: something else than such pictures, or not one target each.
        """
        faces = as_pictures(faces)
        given = np.full((len(faces), 2), np.nan) if targets is None else targets
        truth = np.atleast_2d(np.asarray(given, dtype=np.float64))
        if truth.shape != (len(faces), 2):
            raise ValueError(
                f"targets must be one pair a face, ({len(faces)}, 2); got {truth.shape}. Give "
                "valence and arousal, NaN where unknown."
            )
        rows: list[Perceived] = []
        for at in range(0, len(faces), BATCH):
            for row in self._perceive(faces[at : at + BATCH], truth[at : at + BATCH]):
                self._trace.append(row)
                rows.append(row)
        return np.array([(row.valence, row.arousal) for row in rows]).reshape(-1, 2)

    def _perceive(self, faces: np.ndarray | Tensor, truth: np.ndarray) -> Iterator[Perceived]:
        started = time.perf_counter()
        faces = faces if isinstance(faces, Tensor) else torch.from_numpy(np.array(faces))
        codes = self._encode(prepare(faces.to(device()), self.prior.encoder.input_spec))
        share = (time.perf_counter() - started) / len(codes)  # of encoding, which is done for all at once
        for code, target in zip(codes, truth, strict=True):
            started, before = time.perf_counter() - share, self._size()
            answer, step, removed = self._learn(code)
            size = self._size()
            error = float(np.sqrt(np.mean((answer - target) ** 2)))
            yield Perceived(
                self.frames, float(answer[0]), float(answer[1]), size, step.activity, step.habituation,
                step.distance, size - before + removed, removed, error, time.perf_counter() - started,
            )  # fmt: skip
            self.frames += 1

    def _size(self) -> int:
        return self.network.ids_.size if hasattr(self.network, "_graph") else 0

    def _learn(self, code: np.ndarray) -> tuple[np.ndarray, Step, int]:
        """Answer one frame, then learn it; also what the frame did, and how many nodes went."""
        paints, told = self.start == "generated", None
        if not paints and self.frames < self.paint_until:
            told = self._read(code)
        if self.frames == 0:
            self.network.fit(*(self._painted(code, self.generated) if told is None else ([code], [told])))
        answer = self.network.predict([code])[0]
        step = self.network.step(code, told)
        removed = step.removed
        if paints and 0 < self.frames < self.paint_until and self.per_frame:
            for z, label in zip(*self._painted(code, self.per_frame), strict=True):
                removed += self.network.step(z, label).removed
        return answer, step, removed

    @torch.no_grad()
    def _painted(self, code: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Codes (count, latent) of the face painted with other affects, and these (valence, arousal)."""
        affects = self._affects.draw(count)
        z = self._tensor(code).expand(count, -1)
        told = to_arousal_valence(self._tensor(affects))
        parts = zip(z.split(BATCH), told.split(BATCH), strict=True)
        return np.concatenate([self._encode(self.prior.decode(*part)) for part in parts]), affects

    @torch.no_grad()
    def _read(self, code: np.ndarray) -> np.ndarray:
        """The prior's own (valence, arousal) of a code; there is a D_em, see ``__init__``."""
        assert self.prior.d_em is not None
        return to_arousal_valence(self.prior.d_em(self._tensor(code)[None])[0]).double().cpu().numpy()

    @torch.no_grad()
    def _encode(self, pictures: Tensor) -> np.ndarray:
        return self.prior.encode(pictures).double().cpu().numpy()

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(next(self.prior.parameters()))

    def save(self, path: str | Path) -> Path:
        """Write the memory without its prior to one file (.npz), whole or not at all."""
        network, arrays = self.network._state()
        options = {name: getattr(self, name) for name in OPTIONS}
        trace = np.array([astuple(row) for row in self._trace]).reshape(-1, len(fields(Perceived)))
        told = {
            "network": network, "options": options | {"trace_length": self._trace.maxlen},
            "frames": self.frames, "drawn": self._affects.drawn, "kind": type(self).__name__,
            "outside": self._outside(),
        }  # fmt: skip
        return files.write(path, FORM, told, arrays | {"trace": trace})

    def _outside(self) -> dict[str, str]:
        """What a file does not hold and must be given again, with a fingerprint of each."""
        return {"prior": fingerprint(self.prior)}

    @classmethod
    def load(cls, path: str | Path, prior: PKAutoencoder, **outside: Any) -> "AffectiveMemory":
        """Open what :meth:`save` wrote, with the same prior; perceiving goes on from there.

        Args:
            path: of the file.
            prior: the one that it was saved with.
            **outside: what else a class of memories takes beside options.

        Raises:
            DataError: no such file, a damaged one, or one of another kind or another prior.
        """

        def make(told: dict[str, Any], arrays: files.Arrays) -> AffectiveMemory:
            where, fix = Path(path).name, "Open it with what it was saved with."
            if told["kind"] != cls.__name__:
                raise DataError(where, f"must hold a {cls.__name__}", told["kind"], fix)
            trace = arrays.pop("trace")
            network = GrowWhenRequired._of_state(told["network"], arrays)
            memory = cls(prior, network=network, **outside, **told["options"])
            for name, mark in memory._outside().items():
                if told["outside"][name] != mark:
                    raise DataError(where, f"must be a memory of this {name}", told["outside"][name], fix)
            memory.network, memory.frames, memory._affects.drawn = network, told["frames"], told["drawn"]
            kinds = [field.type for field in fields(Perceived)]
            for row in trace:
                values: Any = (
                    int(v) if kind is int else float(v) for kind, v in zip(kinds, row, strict=True)
                )
                memory._trace.append(Perceived(*values))
            return memory

        return files.read(path, FORM, make)


def fingerprint(prior: PKAutoencoder) -> str:
    """16 hex digits of all weights of a prior."""
    digest = hashlib.sha256()
    for name, values in sorted(prior.state_dict().items()):
        digest.update(f"{name} {values.dtype} {tuple(values.shape)} ".encode())
        digest.update(values.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
