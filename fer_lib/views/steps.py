"""Programs of single numbers: the steps that a page repeats, and the tape on which they are recorded."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

# name: (number of operands, the step in Python); the place in this table is the step's code in a program
STEPS: dict[str, tuple[int, Callable[..., float]]] = {
    "add": (2, lambda a, b: a + b),
    "sub": (2, lambda a, b: a - b),
    "mul": (2, lambda a, b: a * b),
    "div": (2, lambda a, b: a / b),
    "min": (2, min),
    "max": (2, max),
    "pow": (2, lambda a, b: a**b),
    "ge": (2, lambda a, b: float(a >= b)),
    "gt": (2, lambda a, b: float(a > b)),
    "pick": (3, lambda condition, a, b: a if condition else b),
    "sqrt": (1, math.sqrt),
    "exp": (1, math.exp),
    "abs": (1, abs),
    "sin": (1, math.sin),
    "cos": (1, math.cos),
    "tanh": (1, math.tanh),
}
_CODE = {name: k for k, name in enumerate(STEPS)}
Places = np.ndarray  # of int64: the steps at which a tensor's numbers are found


@dataclass(frozen=True)
class Program:
    """Steps over numbered places: first the inputs, then the constants, then one place a step.

    Attributes:
        inputs: how many numbers go in.
        constants: the numbers that are fixed.
        code: for each step its code in ``STEPS`` and the places of its operands, one after the other.
        outputs: the places of the results.
    """

    inputs: int
    constants: list[float]
    code: list[int]
    outputs: list[int]

    def run(self, values: Sequence[float]) -> list[float]:
        """What the page's interpreter does, in Python."""
        if len(values) != self.inputs:
            raise ValueError(f"values must be {self.inputs} numbers; got {len(values)}. Give one an input.")
        places, at, steps = [*map(float, values), *self.constants], 0, list(STEPS.values())
        while at < len(self.code):
            operands, step = steps[self.code[at]]
            places.append(step(*(places[p] for p in self.code[at + 1 : at + 1 + operands])))
            at += 1 + operands
        return [places[p] for p in self.outputs]


@dataclass
class Tape:
    """Steps so far: equal steps are kept once, and what is constant is computed at once."""

    inputs: int
    values: dict[int, float] = field(default_factory=dict)  # place -> number, for constants
    steps: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    found: dict[Any, int] = field(default_factory=dict)

    def _place(self, what: Any, step: tuple[str, tuple[int, ...]]) -> int:
        if what not in self.found:
            self.steps.append(step)
            self.found[what] = self.inputs + len(self.steps) - 1
        return self.found[what]

    def number(self, value: float) -> int:
        """The place of a constant."""
        place = self._place(("number", float(value)), ("number", ()))
        self.values[place] = float(value)
        return place

    def constant(self, value: Any) -> Places:
        """Places of a tensor of constants, or of one number."""
        array = np.asarray(value.detach().numpy() if isinstance(value, Tensor) else value, dtype=np.float64)
        return np.vectorize(self.number, otypes=[np.int64])(array)

    def step(self, name: str, *operands: int) -> int:
        """The place of a result."""
        known = [self.values.get(p) for p in operands]
        if all(v is not None for v in known):
            return self.number(STEPS[name][1](*known))
        if (same := _shorter(name, operands, known)) is not None:
            return self.number(0.0) if same < 0 else same
        return self._place((name, operands), (name, operands))

    def each(self, name: str, *operands: Any) -> Places:
        """One step for every element, shapes broadcast."""
        arrays = np.broadcast_arrays(
            *(a if isinstance(a, np.ndarray) else self.constant(a) for a in operands)
        )
        flat = [self.step(name, *map(int, row)) for row in zip(*(a.ravel() for a in arrays), strict=True)]
        return np.array(flat, dtype=np.int64).reshape(arrays[0].shape)

    def program(self, outputs: Places) -> Program:
        """Keep what the outputs need, and number it anew."""
        needed, todo = set(), [int(p) for p in outputs.ravel()]
        while todo:
            place = todo.pop()
            if place >= self.inputs and place not in needed:
                needed.add(place)
                todo += self.steps[place - self.inputs][1]
        constants = sorted(p for p in needed if p in self.values)
        results = sorted(p for p in needed if p not in self.values)
        new = {p: p for p in range(self.inputs)}
        new |= {p: self.inputs + k for k, p in enumerate([*constants, *results])}
        code: list[int] = []
        for place in results:
            name, operands = self.steps[place - self.inputs]
            code += [_CODE[name], *(new[p] for p in operands)]
        numbers = [float(f"{self.values[p]:.7g}") for p in constants]
        return Program(self.inputs, numbers, code, [new[int(p)] for p in outputs.ravel()])


def _shorter(name: str, operands: tuple[int, ...], known: list[float | None]) -> int | None:
    """The place that a trivial step equals, -1 for the number 0, None if it is not trivial."""
    neutral = {"add": 0.0, "sub": 0.0, "mul": 1.0, "div": 1.0, "pow": 1.0}.get(name)
    if neutral is not None and known[1] == neutral:
        return operands[0]
    if name in ("add", "mul") and known[0] == neutral:
        return operands[1]
    if name == "mul" and 0.0 in known:
        return -1
    if name == "pick" and (known[0] is not None or operands[1] == operands[2]):
        return operands[1] if known[0] else operands[2]
    return None
