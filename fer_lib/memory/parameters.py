"""The ranges of a network's parameters (chapter 10)."""

import math
from numbers import Integral, Real
from typing import Any

import numpy as np

UNIT = ("activity_threshold", "habituation_threshold")  # in (0, 1]
RATES = ("eps_b", "eps_n", "gamma")  # in [0, 1]
SPEEDS = ("tau_b", "tau_n")  # in (0, 1)
SWITCHES = ("squared", "modulated", "shuffle")


def check_parameters(net: Any) -> None:
    """Refuse a parameter out of its range.

    Raises:
        ValueError: names it, its range, its value, and what to do.
    """
    for names, (low, high), open_ in (
        (UNIT, (0, 1), "left"), (RATES, (0, 1), ""), (SPEEDS, (0, 1), "both"),
    ):  # fmt: skip
        for name in names:
            value = getattr(net, name)
            _check_number(name, value)
            inside = (low < value if open_ else low <= value) and (
                value < high if open_ == "both" else value <= high
            )
            if not inside:
                edges = {"left": "(0, 1]", "": "[0, 1]", "both": "(0, 1)"}[open_]
                raise ValueError(f"{name} must be in {edges}; got {value}. Choose a value in there.")
    _check_number("kappa", net.kappa)
    if not net.kappa > 1:
        raise ValueError(
            f"kappa must be above 1; got {net.kappa}. A habituation counter ends at 1 - 1 / kappa, which "
            "must not be below 0; 1.05 is usual."
        )
    for name in SWITCHES:
        if not isinstance(getattr(net, name), bool | np.bool_):
            raise ValueError(f"{name} must be True or False; got {getattr(net, name)!r}. Choose one.")
    for name in SPEEDS:
        if getattr(net, name) * net.kappa > 1:
            raise ValueError(
                f"{name} * kappa must be at most 1, else counters swing; got {getattr(net, name)} * "
                f"{net.kappa}. Make {name} smaller."
            )
    check_count("max_nodes", net.max_nodes, 2)
    check_count("epochs", net.epochs, 1)
    if net.max_age is not None:
        check_count("max_age", net.max_age, 1)


def _check_number(name: str, value: Any) -> None:
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(float(value)):
        raise ValueError(f"{name} must be a finite number; got {value!r}. Give one.")


def check_count(name: str, value: Any, least: int) -> None:
    """Refuse what is no whole number of at least ``least``."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}; got {value!r}. Give one.")
