"""Grow-When-Required written once more from the papers: a dictionary of nodes, one loop over them a step."""

import math

import numpy as np


class PlainNetwork:
    """Nodes by their number of birth; distances one node after the other."""

    def __init__(
        self, *, ta=0.4, th=0.2, tau_b=0.3, tau_n=0.1, kappa=1.05, eps_b=0.087, eps_n=0.032, gamma=0.4,
        max_age=50, max_nodes=10_000, squared=False, modulated=True,
    ):  # fmt: skip
        self.ta, self.th, self.tau, self.kappa, self.eps = ta, th, (tau_b, tau_n), kappa, (eps_b, eps_n)
        self.gamma, self.max_age, self.max_nodes = gamma, max_age, max_nodes
        self.squared, self.modulated = squared, modulated
        self.w, self.h, self.label, self.edge, self.born = {}, {}, {}, {}, 0

    def add(self, w, label):
        name, self.born = self.born, self.born + 1
        self.w[name], self.h[name], self.label[name] = np.array(w), 1.0, label
        return name

    def activity(self, distance):
        return math.exp(-(distance**2)) if self.squared else math.exp(-distance)

    def neighbours(self, name):
        return sorted(next(iter(pair - {name})) for pair in self.edge if name in pair)

    def adapt(self, name, x, kind):
        a = self.activity(np.linalg.norm(x - self.w[name]))
        tau = self.tau[kind]
        self.h[name] += tau * self.kappa * (1 - self.h[name]) - tau
        change = self.eps[kind] * self.h[name] * (x - self.w[name])
        self.w[name] = self.w[name] + (change * (1 - a) if self.modulated else change)

    def step(self, x, label=None):
        if len(self.w) < 2:
            name = self.add(x, label)
            if name:
                self.edge[frozenset((0, name))] = 0
            return
        distances = {name: np.linalg.norm(x - w) for name, w in self.w.items()}
        b, s = sorted(distances, key=distances.get)[:2]
        self.edge[frozenset((b, s))] = 0
        if self.activity(distances[b]) < self.ta and self.h[b] < self.th and len(self.w) < self.max_nodes:
            new = self.add((self.w[b] + x) / 2, self.label[b] if label is None else label)
            del self.edge[frozenset((b, s))]
            self.edge[frozenset((new, b))] = self.edge[frozenset((new, s))] = 0
        else:
            self.adapt(b, x, 0)
            for other in self.neighbours(b):
                self.adapt(other, x, 1)
            if label is not None:
                old = self.label[b]
                self.label[b] = label if old is None else old + self.gamma * (label - old)
        for pair in list(self.edge):
            if b in pair:
                self.edge[pair] += 1
                if self.max_age is not None and self.edge[pair] > self.max_age:
                    del self.edge[pair]
                    (other,) = pair - {b}
                    if not self.neighbours(other):
                        del self.w[other], self.h[other], self.label[other]
