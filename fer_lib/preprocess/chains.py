"""Of the faces found in each frame of a film, the chain that is one person's.

A face adds its width as a share of the usual one (the median of each frame's widest), at most 1. A step from
one frame's face to another's costs what the face moves, in widths, and what it grows, in logarithms; most of
all to a face that was there beside the first, or from one that is still there beside the second: two faces at
once are two people. The chain with the highest sum is found by dynamic programming.

Where frames are far apart in time, heads move in between, and a face that is nowhere else is the same one: of
each step's cost only a part counts that falls with the seconds from frame to frame. What a step costs more
than the cheapest one from the same face, or to the same face, counts in full, so that the choice between two
faces of a frame is not weakened.
"""

from __future__ import annotations

import numpy as np

MOVE = 0.6  # the most that a move of one face can cost: however far it goes, it is followed
JUMP = 1.5  # and a step to another face, seen beside this one, or of another size: it pays after two frames
NEAR = 0.5  # a face that would cost less than this is taken for the same one
FRAME_S = 0.04  # seconds from frame to frame where nobody says
SOON_S = 1 / 3  # frames so close show a head near its place; twice as far apart, steps cost half


def best_chain(
    found: list[np.ndarray], before: np.ndarray | None, gaps: np.ndarray | None = None
) -> dict[int, np.ndarray]:
    """The chain of faces with the highest sum: frame -> box.

    Args:
        found: of each frame the faces (n, 4).
        before: the face followed so far (4,), or None; it stands before the first frame and counts twice.
        gaps: seconds from the frame before to each frame (F,); the first counts only with `before`. None
            takes `FRAME_S` for each.

    Returns:
        A box (4,) of some frames; empty where there are no faces.

    Example:
        >>> near, far = np.array([10.0, 10, 40, 40]), np.array([200.0, 10, 20, 20])
        >>> chain = best_chain([np.stack([near, far]), far[None], near[None] + 2], None)
        >>> {frame: float(box[0]) for frame, box in chain.items()}
        {2: 12.0, 0: 10.0}
        >>> away = [near[None], near[None] + [30, 0, 0, 0], near[None]]
        >>> [sorted(best_chain(away, None, np.full(3, gap))) for gap in (0.04, 4)]
        [[0, 2], [0, 1, 2]]
    """
    seconds = np.cumsum(np.full(len(found), FRAME_S) if gaps is None else gaps)
    frames = np.repeat(np.arange(len(found)), [len(faces) for faces in found])
    boxes = np.concatenate([*found, np.zeros((0, 4))])
    widest = [faces[:, 2].max() for faces in found if len(faces)]
    rewards = np.minimum(1.0, boxes[:, 2] / (np.median(widest) if widest else 1.0))
    if before is not None:
        frames, boxes = np.append(-1, frames), np.concatenate([before[None], boxes])
        rewards = np.append(2.0, rewards)
    if not len(boxes):
        return {}
    costs = _steps(boxes, frames, np.append(seconds, 0.0)[frames])  # frame -1 stands at 0
    sums, origin = rewards.copy(), np.full(len(boxes), -1)
    for i in range(len(boxes)):
        earlier = np.flatnonzero(frames < frames[i])
        if len(earlier):
            through = sums[earlier] - costs[earlier, i]
            best = int(through.argmax())
            if through[best] > 0:
                sums[i], origin[i] = rewards[i] + through[best], earlier[best]
    chain, i = {}, int(sums.argmax())
    while i >= 0:
        chain[int(frames[i])] = boxes[i]
        i = origin[i]
    return {frame: box for frame, box in chain.items() if frame >= 0}


def _steps(boxes: np.ndarray, frames: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """What it costs to go from each of n faces to each other: moves in widths, growth in logs, (n, n)."""
    middles, widths = boxes[:, :2] + boxes[:, 2:] / 2, np.log(boxes[:, 2])
    moves = np.hypot(*(middles[:, None] - middles).transpose(2, 0, 1))
    moves /= np.exp((widths[:, None] + widths) / 2)
    growth = np.abs(widths[:, None] - widths)
    together, near = frames[:, None] == frames, moves + growth < NEAR
    beside = together.astype(float) @ near  # [i, j]: faces in i's frame that look like j
    two = (beside + beside.T) > 0
    apart = np.maximum(np.abs(frames[:, None] - frames), 1)
    slack = 1 + 0.1 * (apart - 1)  # over more frames, more may change
    costs = np.minimum(np.minimum(np.where(two, JUMP, MOVE), moves / slack) + growth / slack, JUMP)
    pace = np.abs(seconds[:, None] - seconds) / apart  # by pace, not by gap: a face between was looked for
    return costs - (1 - SOON_S / np.maximum(pace, SOON_S)) * _cheapest(costs, frames)


def _cheapest(costs: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Of the steps from face i to any of j's frame, and to face j from any of i's, the cheapest, (n, n)."""
    _, starts, frame = np.unique(frames, return_index=True, return_inverse=True)
    to_any = np.minimum.reduceat(costs, starts, axis=1)[:, frame]
    return np.minimum(to_any, to_any.T)
