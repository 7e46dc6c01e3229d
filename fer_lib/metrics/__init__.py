"""Metrics and their uncertainty: every metric takes ``(pred, target)`` and computes in float64."""

from fer_lib.metrics.agreement import CCCParts, ccc, ccc_parts, pearson, rater_agreement, rmse
from fer_lib.metrics.categories import accuracy, class_recall, confusion, macro_f1, mean_class_accuracy
from fer_lib.metrics.imitation import imitate
from fer_lib.metrics.uncertainty import (
    Interval,
    PairedDifference,
    bootstrap_interval,
    mean_interval,
    paired_difference,
)

__all__ = [
    "CCCParts",
    "Interval",
    "PairedDifference",
    "accuracy",
    "bootstrap_interval",
    "ccc",
    "ccc_parts",
    "class_recall",
    "confusion",
    "imitate",
    "macro_f1",
    "mean_class_accuracy",
    "mean_interval",
    "paired_difference",
    "pearson",
    "rater_agreement",
    "rmse",
]
