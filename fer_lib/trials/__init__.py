"""Ablations on one corpus that has both views of emotion: variants of one training, seeds, kept results."""

from fer_lib.trials.corpus import both_parts
from fer_lib.trials.runs import Plan, Runs, run
from fer_lib.trials.setups import Setup, lent, usual
from fer_lib.trials.variants import METRIC_LOSSES, Graph, Variant, build_head

__all__ = [
    "METRIC_LOSSES",
    "Graph",
    "Plan",
    "Runs",
    "Setup",
    "Variant",
    "both_parts",
    "build_head",
    "lent",
    "run",
    "usual",
]
