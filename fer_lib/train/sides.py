"""Faces with more to learn from than their class: affect, soft labels or masks, in the loss alone."""

import dataclasses
import hashlib
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fer_lib import artifacts


class SideTargets:
    """A face set whose training gets further targets beside the class; it is scored as before.

    Everything else is the face set's own, so that it can be encoded, cached, split off and predicted. Only
    ``training_targets`` is new, and only the loss reads it.

    Args:
        faces: a FaceSet for classes.
        sides: further targets, (N, ...), floating-point; flattened to (N, E).

    Raises:
        ValueError: a set without classes, rows that do not match, or targets that are not finite.

    Example:
        >>> from fer_lib.datasets import load
        >>> faces = load("world:affectnet", split="train", size=32, limit=6).as_task("categorical")
        >>> both = SideTargets(faces, faces.as_task("valence_arousal").targets())
        >>> both.targets().shape, both.training_targets().shape
        (torch.Size([6]), torch.Size([6, 3]))

    Reference: Antoniadis (2021), chapters 3 to 6. Chapters 12-15.
    """

    def __init__(self, faces: Any, sides: Any) -> None:
        sides = torch.as_tensor(np.asarray(sides), dtype=torch.float32)
        if faces.task != "categorical":
            raise ValueError(
                f"faces must have the task categorical; got {faces.task}. Read them with "
                'as_task("categorical").'
            )
        if sides.ndim < 2 or len(sides) != len(faces) or not sides.isfinite().all():
            raise ValueError(
                f"sides must be ({len(faces)}, E) and finite, a row a face; got {tuple(sides.shape)}, "
                f"{int((~sides.isfinite()).sum())} not finite. Leave out faces that lack them."
            )
        self.faces, self.sides = faces, sides.flatten(1)
        numbers = hashlib.sha256(self.sides.numpy().astype("<f4").tobytes()).hexdigest()
        self.fingerprint = artifacts.key(faces=faces.fingerprint, sides=numbers)

    def __len__(self) -> int:
        return len(self.faces)

    def __getattr__(self, name: str) -> Any:
        if name == "faces":  # while unpickling, before there are any
            raise AttributeError(name)
        return getattr(self.faces, name)

    def training_targets(self) -> Tensor:
        """Class number and further targets of each face, float32 (N, 1 + E)."""
        return torch.cat([self.faces.targets()[:, None].float(), self.sides], dim=1)

    def subset(self, index: Any) -> "SideTargets":
        """The same of some rows, see ``FaceSet.subset``."""
        from fer_lib.datasets.faceset import positions

        return SideTargets(self.faces.subset(index), self.sides[positions(index, len(self))])

    def without(self, index: Any, *, reason: str) -> "SideTargets":
        """The same without some rows, which are counted under the reason, see ``FaceSet.without``."""
        from fer_lib.datasets.faceset import positions

        keep = np.ones(len(self), dtype=bool)
        keep[positions(index, len(self))] = False
        return SideTargets(self.faces.without(index, reason=reason), self.sides[keep])

    def split(self, fraction: float, *, seed: int) -> "tuple[SideTargets, SideTargets]":
        """The same in two parts, see ``FaceSet.split``."""
        from fer_lib.datasets.splitting import draw_part

        mask = draw_part(self.faces, fraction, seed)
        return self.subset(~mask), self.subset(mask)

    def as_task(self, task: str) -> Any:
        """The faces for another task, see ``FaceSet.as_task``; further targets belong to classes alone."""
        return self if task == self.faces.task else self.faces.as_task(task)

    def values(self) -> Any:
        """The same faces, scored by the concordance of valence and arousal in place of the class."""
        mark = artifacts.key(values=self.fingerprint)
        task = "valence_arousal"
        return dataclasses.replace(self.faces, task=task, tasks=(task,), metric="ccc", fingerprint=mark)


def both_views(faces: Any) -> SideTargets:
    """Faces with class, valence and arousal, where the corpus has all three.

    Args:
        faces: a FaceSet; rows that lack one of them are left out, and counted in ``dropped``.

    Raises:
        ValueError: the corpus does not label both.
    """
    for task in ("categorical", "valence_arousal"):
        if task not in faces.tasks:
            raise ValueError(
                f"faces must be labelled with classes and with valence and arousal; {faces.name} lacks "
                f"{task}. Take AffectNet, Aff-Wild2, OMG-Emotion, or their worlds."
            )
    affect = faces.as_task("valence_arousal").as_task("categorical")  # each leaves out what it lacks
    return SideTargets(affect, affect.as_task("valence_arousal").targets())
