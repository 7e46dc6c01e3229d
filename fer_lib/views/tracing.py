"""From a PyTorch function of a few numbers to a list of scalar steps that a browser can repeat.

A page has no kernel. So the functions of the face world that a page needs are recorded once, step by step,
and the steps are written into the page: the formulas stay in one place, and a change there changes the page.
Shapes are resolved while recording; what is left are sums, products and a few curves of single numbers.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from fer_lib.views.steps import Places, Program, Tape


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
        self.tape = Tape(example.numel())
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


def _apply(tape: Tape, name: str, operands: list[Any], options: dict[str, Any]) -> Any:
    if name in _POINTWISE:
        return _POINTWISE[name](tape, *operands, **options)
    if name in _SHAPES:
        return _SHAPES[name](*operands)
    if name in _COPIES:
        return operands[0]
    raise TypeError(f"function must use known operations; got {name}. Add it to fer_lib.views.tracing.")


def _clamp(tape: Tape, a: Any, low: Any = None, high: Any = None, **bounds: Any) -> Places:
    low, high = bounds.get("min", low), bounds.get("max", high)
    a = a if low is None else tape.each("max", a, low)
    return a if high is None else tape.each("min", a, high)


def _power(tape: Tape, a: Any, exponent: Any) -> Places:
    if not isinstance(exponent, np.ndarray) and exponent == 2:
        return tape.each("mul", a, a)
    return tape.each("pow", a, exponent)


def _reduce(tape: Tape, a: Any, axes: list[int] | None = None, keepdim: bool = False) -> Places:
    for axis in sorted((k % a.ndim for k in (range(a.ndim) if axes is None else axes)), reverse=True):
        parts = np.moveaxis(a, axis, 0)
        total = np.asarray(parts[0])
        for part in parts[1:]:
            total = tape.each("add", total, np.asarray(part))
        a = np.expand_dims(total, axis) if keepdim else total
    return a


def _mean(tape: Tape, a: Any, axes: list[int] | None = None, keepdim: bool = False) -> Places:
    count = np.prod([a.shape[k] for k in (range(a.ndim) if axes is None else axes)])
    return tape.each("mul", _reduce(tape, a, axes, keepdim), 1 / count)


def _lerp(tape: Tape, a: Any, b: Any, weight: Any) -> Places:
    return tape.each("add", a, tape.each("mul", weight, tape.each("sub", b, a)))


def _scaled(name: str) -> Callable[..., Places]:
    """add and sub with their factor alpha."""
    return lambda t, a, b, alpha=1: t.each(name, a, b if alpha == 1 else t.each("mul", b, alpha))


def _sigmoid(tape: Tape, a: Any) -> Places:
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
