"""Where a model looks: Grad-CAM++ maps, mean activations, and the share of a map on each part of the face."""

from fer_lib.saliency.centres import centre_offset
from fer_lib.saliency.maps import METHODS, activation_maps, grad_cam, mean_maps
from fer_lib.saliency.shares import ELSEWHERE, region_shares, share_changes, share_intervals

__all__ = [
    "ELSEWHERE",
    "METHODS",
    "activation_maps",
    "centre_offset",
    "grad_cam",
    "mean_maps",
    "region_shares",
    "share_changes",
    "share_intervals",
]
