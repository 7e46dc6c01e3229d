"""The growing network against the plain way to write it: a Python loop over the nodes for each input.

``make bench`` or ``python -m bench memory``. Both learn the same stream from the same start, and hold the
same network in the end, which is checked. The median of steps that come one by one stands in the name.
"""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench._clock import rates
from fer_lib.memory import GrowWhenRequired

DIMENSIONS = 50
CASES = ((700, 400), (10_000, 40))  # nodes at the start, inputs to learn
REPEATS = 3


class Plain:
    """Nodes in lists, one distance after the other, as the equations read."""

    def __init__(self, net: GrowWhenRequired) -> None:
        self.p, labels = net.get_params(), net.labels_
        self.w, self.h, self.labels = list(net.nodes_), net.habituation_.tolist(), list(labels)
        self.edges = {frozenset(pair): 0 for pair in net.edges_.tolist()}
        self.near: list[set[int]] = [set() for _ in self.w]
        for i, j in net.edges_.tolist():
            self.near[i].add(j)
            self.near[j].add(i)

    def join(self, i: int, j: int) -> None:
        self.edges[frozenset((i, j))] = 0
        self.near[i].add(j)
        self.near[j].add(i)

    def part(self, i: int, j: int) -> None:
        del self.edges[frozenset((i, j))]
        self.near[i].remove(j)
        self.near[j].remove(i)

    def step(self, x: np.ndarray, label: np.ndarray) -> None:
        p = self.p
        best, second = (np.inf, -1), (np.inf, -1)
        distances = [np.linalg.norm(x - w) for w in self.w]
        for place, distance in enumerate(distances):
            if distance < best[0]:
                best, second = (distance, place), best
            elif distance < second[0]:
                second = (distance, place)
        (distance, b), s = best, second[1]
        self.join(b, s)
        if np.exp(-distance) < p["activity_threshold"] and self.h[b] < p["habituation_threshold"]:
            self.w.append((self.w[b] + x) / 2)
            self.h.append(1.0)
            self.labels.append(label)
            self.near.append(set())
            self.part(b, s)
            self.join(len(self.w) - 1, b)
            self.join(len(self.w) - 1, s)
        else:
            for node, kind in ((b, "b"), *((other, "n") for other in self.near[b])):
                tau = p[f"tau_{kind}"]
                self.h[node] += tau * p["kappa"] * (1 - self.h[node]) - tau
                rate = p[f"eps_{kind}"] * self.h[node] * (1 - np.exp(-distances[node]))
                self.w[node] = self.w[node] + rate * (x - self.w[node])
            self.labels[b] = self.labels[b] + p["gamma"] * (label - self.labels[b])
        for other in self.near[b]:
            self.edges[frozenset((b, other))] += 1


def grown(nodes: int, random: np.random.Generator) -> GrowWhenRequired:
    """A network of so many nodes that goes on growing; old edges stay, so that nothing is removed."""
    net = GrowWhenRequired(
        max_age=None, max_nodes=2 * nodes, activity_threshold=1.0, habituation_threshold=1.0
    )
    net.partial_fit(random.uniform(-1, 1, (2, DIMENSIONS)), random.uniform(-1, 1, (2, 2)))
    while len(net.ids_) < nodes:  # a node takes a win to habituate, and then each input inserts
        X = random.uniform(-1, 1, (nodes - len(net.ids_), DIMENSIONS))
        net.partial_fit(X, random.uniform(-1, 1, (len(X), 2)))
    return net.set_params(activity_threshold=0.02, habituation_threshold=0.2)


def run() -> Iterator[dict]:
    """At the size of a memory, and at its bound."""
    for nodes, count in CASES:
        random = np.random.default_rng(0)
        start = grown(nodes, random)
        X, y = random.uniform(-1, 1, (count, DIMENSIONS)), random.uniform(-1, 1, (count, 2))
        mine = [GrowWhenRequired._of_state(*start._state()) for _ in range(REPEATS)]
        plain = [Plain(start) for _ in range(REPEATS)]
        done: dict[str, Any] = {}

        def ours(mine=mine, X=X, y=y, done=done) -> int:
            done["ours"] = mine.pop().partial_fit(X, y)
            return len(X)

        def theirs(plain=plain, X=X, y=y, done=done) -> int:
            net = done["theirs"] = plain.pop()
            for x, label in zip(X, y, strict=True):
                net.step(x, label)
            return len(X)

        fast, slow = rates(ours, theirs, repeats=REPEATS)
        same(done["ours"], done["theirs"])
        yield {
            "what": f"step at {nodes} nodes (median {median(start, X, y) * 1e3:.2f} ms)",
            "ours": fast,
            "alternative": slow,
            "named": "a NumPy loop, node by node",
        }


def median(net: GrowWhenRequired, X: np.ndarray, y: np.ndarray) -> float:
    """Seconds of one input that comes alone."""
    took = []
    for x, label in zip(X, y, strict=True):
        began = time.perf_counter()
        net.step(x, label)
        took.append(time.perf_counter() - began)
    return float(np.median(took))


def same(ours: GrowWhenRequired, theirs: Plain) -> None:
    """Refuse to time what does not give the same network."""
    np.testing.assert_allclose(ours.nodes_, theirs.w, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.habituation_, theirs.h, rtol=1e-9)
    np.testing.assert_allclose(ours.labels_, theirs.labels, rtol=1e-9, atol=1e-12)
    assert {frozenset(pair) for pair in ours.edges_.tolist()} == set(theirs.edges)
