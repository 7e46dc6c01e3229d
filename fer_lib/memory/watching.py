"""A network watched while it learns points of a plane, one input after the other (chapter 10)."""

from dataclasses import dataclass

import numpy as np

from fer_lib.memory.gwr import GrowWhenRequired
from fer_lib.memory.rule import Step


@dataclass(frozen=True)
class State:
    """The network after an input.

    Args:
        step: inputs so far.
        nodes: (n, D).
        habituation: (n,).
        edges: (E, 2).
        did: what the last input did.
    """

    step: int
    nodes: np.ndarray
    habituation: np.ndarray
    edges: np.ndarray
    did: Step


def crescents(count: int = 240, *, late: int = 120, noise: float = 0.08, seed: int = 0) -> np.ndarray:
    """Two interlocked half moons in random order, and after them a disc elsewhere; (count + late, 2).

    What comes late was not there before: a test for anything that claims to learn while it lives.

    Example:
        >>> crescents(4, late=2).shape
        (6, 2)
    """
    rng = np.random.default_rng(seed)
    angle, upper = rng.uniform(0, np.pi, count), rng.random(count) < 0.5
    moons = np.where(upper, 1, -1)[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    moons = moons + np.where(upper[:, None], [-0.5, -0.25], [0.5, 0.25]) + noise * rng.normal(size=(count, 2))
    turn, far = rng.uniform(0, 2 * np.pi, late), 0.35 * np.sqrt(rng.random(late))
    disc = np.stack([np.cos(turn), np.sin(turn)], 1) * far[:, None] + [2.3, 0.2]
    return np.concatenate([moons, disc])


def watch(network: GrowWhenRequired, inputs: np.ndarray) -> list[State]:
    """Let a network learn from inputs (N, D) in order, and keep each of its states from the second on.

    Example:
        >>> states = watch(GrowWhenRequired(), crescents(20, late=0))
        >>> states[0].step, len(states[0].nodes)
        (2, 2)
    """
    inputs = np.asarray(inputs, dtype=np.float64)
    network.partial_fit(inputs[:2])
    first = Step(winner=1, number=1, distance=0.0, activity=1.0, habituation=1.0, inserted=True)
    states = [_state(network, 2, first)]
    for step, x in enumerate(inputs[2:], start=3):
        states.append(_state(network, step, network.step(x)))
    return states


def _state(network: GrowWhenRequired, step: int, did: Step) -> State:
    return State(step, network.nodes_, network.habituation_, network.edges_, did)


def habituation(wins: int, *, tau: float, kappa: float) -> np.ndarray:
    """Counter of a node before its first win and after each, (wins + 1,), step by step.

    Example:
        >>> habituation(2, tau=0.3, kappa=1.05).round(2).tolist()
        [1.0, 0.7, 0.49]
    """
    h = [1.0]
    for _ in range(wins):
        h.append(h[-1] + tau * (kappa * (1 - h[-1]) - 1))
    return np.array(h)


def habituation_formula(wins: int, *, tau: float, kappa: float) -> np.ndarray:
    """The same in closed form: 1 - 1 / kappa + (1 - tau kappa)^t / kappa.

    Example:
        >>> habituation_formula(2, tau=0.3, kappa=1.05).round(2).tolist()
        [1.0, 0.7, 0.49]
    """
    return 1 - 1 / kappa + (1 - tau * kappa) ** np.arange(wins + 1) / kappa


def kilobytes(nodes: int, dimensions: int, *, labels: int = 2, degree: int = 4) -> float:
    """Memory of a network: 8 bytes for each weight, counter, label, number and age of an edge.

    Example:
        >>> kilobytes(100, 50)
        45.3125
    """
    return nodes * (dimensions + 1 + labels + 1 + degree) * 8 / 1024
