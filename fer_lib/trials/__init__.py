"""Ablations on one corpus that has both views of emotion: variants of one training, seeds, kept results."""

from fer_lib.trials.corpus import both_parts, check_both
from fer_lib.trials.keeping import Runs
from fer_lib.trials.runs import Plan, run
from fer_lib.trials.setups import Setup, check_encoder, lent, usual
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
    "check_both",
    "check_encoder",
    "lent",
    "run",
    "usual",
]
