"""From a PyTorch function of a few numbers to a list of scalar steps that a browser can repeat.

A page has no kernel. So the functions of the face world that a page needs are recorded once, step by step,
and the steps are written into the page: the formulas stay in one place, and a change there changes the page.
Shapes are resolved while recording; what is left are sums, products and a few curves of single numbers.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

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


def trace(function: Callable[[Tensor], Tensor], example: Tensor) -> Program:
    """Record ``function`` as a program.

    Args:
        function: from a tensor (P,) to a tensor (M,). It must not branch on values.
        example: (P,) numbers to record with; the program holds for all others as well.

    Raises:
        TypeError: the function uses an operation that is not among ``STEPS``.

    >>> program = trace(lambda x: (x * x).sum(0, keepdim=True).sqrt(), torch.ones(2))
    >>> program.run([3.0, 4.0])
    [5.0]
    """
    with _Recorder(example) as recorder:
        result = function(example)
    program = recorder.tape.program(recorder.places(result))
    repeated = torch.tensor(program.run(example.tolist()))
    if not torch.allclose(repeated, result.double().float(), rtol=1e-4, atol=1e-4):
        gap = float((repeated - result).abs().max())
        raise TypeError(f"function must not write into parts of tensors; its program is {gap:.2g} off. Copy.")
    return program


class _Recorder(TorchDispatchMode):
    """Sees every operation of PyTorch while it is entered, and repeats it on the tape."""

    def __init__(self, example: Tensor) -> None:
        super().__init__()
        self.tape = _Tape(example.numel())
        self.known: dict[int, tuple[Tensor, Places]] = {}  # the tensor is kept so that its id stays its own
        self._remember(example, np.arange(example.numel()).reshape(example.shape))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled here, and importing the compiler takes seconds

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = operation(*args, **kwargs)
        name = operation.overloadpacket.__name__
        if self._depends(args) and name not in _FILLED:
            inputs = [self._resolve(a) for a in args]
            in_place = name.endswith("_")
            found = _apply(
                self.tape, name.rstrip("_"), inputs, {k: self._resolve(v) for k, v in kwargs.items()}
            )
            self._remember(args[0] if in_place else result, found)
        return result

    def _depends(self, value: Any) -> bool:
        if isinstance(value, list | tuple):
            return any(self._depends(v) for v in value)
        return isinstance(value, Tensor) and id(value) in self.known

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self._resolve(v) for v in value]
        return self.places(value) if isinstance(value, Tensor) else value

    def _remember(self, tensor: Any, places: Any) -> None:
        if isinstance(tensor, list | tuple):
            for one, part in zip(tensor, places, strict=True):
                self._remember(one, part)
        else:
            self.known[id(tensor)] = (tensor, places)

    def places(self, tensor: Tensor) -> Places:
        """Where a tensor's numbers are; one that does not depend on the inputs is constant."""
        known = self.known.get(id(tensor))
        return self.tape.constant(tensor) if known is None else known[1]


@dataclass
class _Tape:
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


def _apply(tape: _Tape, name: str, operands: list[Any], options: dict[str, Any]) -> Any:
    if name in _POINTWISE:
        return _POINTWISE[name](tape, *operands, **options)
    if name in _SHAPES:
        return _SHAPES[name](*operands)
    if name in _COPIES:
        return operands[0]
    raise TypeError(f"function must use known operations; got {name}. Add it to fer_lib.views.tracing.")


def _clamp(tape: _Tape, a: Any, low: Any = None, high: Any = None, **bounds: Any) -> Places:
    low, high = bounds.get("min", low), bounds.get("max", high)
    a = a if low is None else tape.each("max", a, low)
    return a if high is None else tape.each("min", a, high)


def _power(tape: _Tape, a: Any, exponent: Any) -> Places:
    if not isinstance(exponent, np.ndarray) and exponent == 2:
        return tape.each("mul", a, a)
    return tape.each("pow", a, exponent)


def _reduce(tape: _Tape, a: Any, axes: list[int] | None = None, keepdim: bool = False) -> Places:
    for axis in sorted((k % a.ndim for k in (range(a.ndim) if axes is None else axes)), reverse=True):
        parts = np.moveaxis(a, axis, 0)
        total = np.asarray(parts[0])
        for part in parts[1:]:
            total = tape.each("add", total, np.asarray(part))
        a = np.expand_dims(total, axis) if keepdim else total
    return a


def _mean(tape: _Tape, a: Any, axes: list[int] | None = None, keepdim: bool = False) -> Places:
    count = np.prod([a.shape[k] for k in (range(a.ndim) if axes is None else axes)])
    return tape.each("mul", _reduce(tape, a, axes, keepdim), 1 / count)


def _lerp(tape: _Tape, a: Any, b: Any, weight: Any) -> Places:
    return tape.each("add", a, tape.each("mul", weight, tape.each("sub", b, a)))


def _scaled(name: str) -> Callable[..., Places]:
    """add and sub with their factor alpha."""
    return lambda t, a, b, alpha=1: t.each(name, a, b if alpha == 1 else t.each("mul", b, alpha))


def _sigmoid(tape: _Tape, a: Any) -> Places:
    return tape.each("div", 1.0, tape.each("add", 1.0, tape.each("exp", tape.each("mul", a, -1.0))))


_POINTWISE: dict[str, Callable[..., Any]] = {
    **{name: (lambda t, *a, _n=name: t.each(_n, *a)) for name in ("mul", "div", "ge", "gt", "sqrt", "exp")},
    **{name: (lambda t, *a, _n=name: t.each(_n, *a)) for name in ("abs", "sin", "cos", "tanh")},
    "add": _scaled("add"),
    "sub": _scaled("sub"),
    "rsub": lambda t, a, b: t.each("sub", b, a),
    "neg": lambda t, a: t.each("mul", a, -1.0),
    "lt": lambda t, a, b: t.each("gt", b, a),
    "le": lambda t, a, b: t.each("ge", b, a),
    "eq": lambda t, a, b: t.each("mul", t.each("ge", a, b), t.each("ge", b, a)),
    "logical_and": lambda t, a, b: t.each("mul", a, b),
    "logical_not": lambda t, a: t.each("sub", 1.0, a),
    "rsqrt": lambda t, a: t.each("div", 1.0, t.each("sqrt", a)),
    "reciprocal": lambda t, a: t.each("div", 1.0, a),
    "maximum": lambda t, a, b: t.each("max", a, b),
    "minimum": lambda t, a, b: t.each("min", a, b),
    "clamp_min": lambda t, a, low: t.each("max", a, low),
    "clamp_max": lambda t, a, high: t.each("min", a, high),
    "where": lambda t, c, a, b: t.each("pick", c, a, b),
    "sign": lambda t, a: t.each("sub", t.each("gt", a, 0.0), t.each("gt", t.each("mul", a, -1.0), 0.0)),
    "clamp": _clamp,
    "pow": _power,
    "lerp": _lerp,
    "addcmul": lambda t, a, b, c, value=1: t.each("add", a, t.each("mul", t.each("mul", b, c), value)),
    "sigmoid": _sigmoid,
    "deg2rad": lambda t, a: t.each("mul", a, math.pi / 180),
    "square": lambda t, a: t.each("mul", a, a),
    "mean": _mean,
    "sum": _reduce,
}
_SHAPES: dict[str, Callable[..., Any]] = {
    "select": lambda a, axis, index: np.asarray(np.take(a, index, axis)),
    "slice": lambda a, axis=0, start=0, end=None, step=1: np.moveaxis(
        np.moveaxis(a, axis, 0)[slice(start, end, step)], 0, axis
    ),
    "unsqueeze": lambda a, axis: np.expand_dims(a, axis if axis >= 0 else axis + a.ndim + 1),
    "squeeze": lambda a, axis=None: np.squeeze(a, tuple(axis) if isinstance(axis, list | tuple) else axis),
    "expand": lambda a, shape: np.broadcast_to(
        a, [a.shape[k - len(shape)] if n == -1 else n for k, n in enumerate(shape)]
    ),
    "cat": lambda parts, axis=0: np.concatenate(parts, axis),
    "stack": lambda parts, axis=0: np.stack(parts, axis),
    "view": lambda a, shape: a.reshape(shape),
    "unbind": lambda a, axis=0: [np.asarray(part) for part in np.moveaxis(a, axis, 0)],
    "permute": lambda a, axes: np.transpose(a, axes),
    "split": lambda a, size, axis=0: np.split(a, range(size, a.shape[axis], size), axis),
    "repeat": lambda a, times: np.tile(a, times),
}
_SHAPES |= {"_unsafe_view": _SHAPES["view"], "reshape": _SHAPES["view"]}
_COPIES = ("clone", "detach", "lift_fresh_copy", "_to_copy", "alias", "contiguous")
_FILLED = ("zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full")
